"""A command's end: its process does not stay on for whoever takes no answer, and has the exit code that was said."""

import os
import subprocess
import sys
import time

import pytest

from support.places import FLOWS

COMMAND = """
import atexit, sys, threading, time
from runs import command
command.LINGER = 0.3
with command.ending_soon():
    atexit.register(time.sleep, 60)
    print("said")
    sys.exit({code})
"""


@pytest.mark.parametrize(("code", "ended"), [("0", 0), ("3", 3), ("None", 0)])
def test_process_that_hangs_at_its_end_is_left(code, ended):
    """As it does where Prefect hands in records to a server that takes none; what was said is not lost."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND.format(code=code)],
        env={**os.environ, "PYTHONPATH": str(FLOWS)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (ended, "said\n", "")
    assert time.monotonic() - begun < 50
