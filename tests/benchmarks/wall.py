"""How long the whole command takes beside a Prefect flow with as many task runs and nothing in them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from emulator import Emulator
from support.places import ROOT

BARE = ROOT / "tests/benchmarks/bare_flow.py"
SYNC = ROOT / "flows/sync.py"


def seconds(repeats: int = 5) -> tuple[float, float]:
    """An idle `flows/sync.py` and the bare flow, taken in turn on one warm home: medians [s]."""
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
        for script in (SYNC, BARE):
            _seconds_of(script, env)
        times = [(_seconds_of(SYNC, env), _seconds_of(BARE, env)) for _ in range(repeats)]
    ours, bare = zip(*times, strict=True)
    return statistics.median(ours), statistics.median(bare)


def _seconds_of(script: Path, env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, str(script)], env=env, check=True, capture_output=True)
    return time.perf_counter() - began
