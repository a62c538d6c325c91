"""Another process that holds a pair's lock."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from support.places import FLOWS

HOLDER = """
import sys, time
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore
with pair_lock(StateStore(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def held_elsewhere(url: str, pair: str) -> Iterator[subprocess.Popen[str]]:
    """`url`: the state database. Yields: the process, once it holds the lock; it is killed afterwards."""
    command = [sys.executable, "-c", HOLDER, url, pair]
    environment = os.environ | {"PYTHONPATH": str(FLOWS)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()
