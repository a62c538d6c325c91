"""
How long the whole command takes, and where it goes, beside a Prefect flow with as many task runs and nothing in them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from emulator import Emulator
from support.places import ROOT

BARE = ROOT / "tests/benchmarks/bare_flow.py"
SYNC = ROOT / "flows/sync.py"


@dataclass(frozen=True)
class Took:
    """Of a command: `first_request`, `seconds`: wall time from its start on [s]; `cpu`: with its server [s]."""

    seconds: float
    cpu: float
    first_request: float = 0.0


@dataclass(frozen=True)
class Medians:
    """`help`: all that is imported and no run; `ours`: an idle sync; `bare`: the flow with nothing in it."""

    help: Took
    ours: Took
    bare: Took


def medians(repeats: int = 5) -> Medians:
    """The three taken in turn on one warm home."""
    with tempfile.TemporaryDirectory() as home, Emulator() as emulator:
        for number in range(20):
            emulator.airtable.add_lead(f"Lead {number}", status="NEW")
        state = {"SYNC_STATE_URL": f"sqlite:///{home}/state.sqlite3", "LEADSYNC_ENV_FILE": ""}
        quiet = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
        home_is = {
            "HOME": home,
            "PREFECT_HOME": f"{home}/prefect",
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        }
        env = {**os.environ, **emulator.settings(), **state, **quiet, **home_is}

        def ours() -> Took:
            known, began = len(emulator.requests), time.time()
            took = _run([str(SYNC)], env)
            return Took(took.seconds, took.cpu, emulator.requests[known].at - began)

        def bare() -> Took:
            return _run([str(BARE)], env)

        ours(), bare()
        rounds = [(_run([str(SYNC), "--help"], env), ours(), bare()) for _ in range(repeats)]
    return Medians(*(_median(each) for each in zip(*rounds, strict=True)))


def _run(command: list[str], env: dict[str, str]) -> Took:
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{command} ended with status {status}")
    return Took(time.perf_counter() - began, used.ru_utime + used.ru_stime)


def _median(times: tuple[Took, ...]) -> Took:
    return Took(*(statistics.median(values) for values in zip(*(vars(each).values() for each in times), strict=True)))
