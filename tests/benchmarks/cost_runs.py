"""Runs of the sync in a process of their own, measured one by one: as told on stdin, as JSON on stdout."""

from __future__ import annotations

import json
import resource
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "flows"))

import sqlalchemy as sa

from leadsync.model import Read
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options
from leadsync.settings import Settings
from support.harness import SkippedTime, unpaced_wire


class State:
    """What the runs ask of the state database: how many rows were put in, changed or taken out."""

    def __init__(self) -> None:
        self.written = 0
        sa.event.listen(sa.Engine, "after_cursor_execute", self._count)

    def _count(self, _connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            self.written += max(0, cursor.rowcount)


def run(settings: Settings, read: Read, state: State) -> dict[str, Any]:
    """One run for which waiting takes no time. CPU and wall in seconds, the process' peak in MB."""
    state.written = 0
    cpu, wall = time.process_time(), time.perf_counter()
    report = run_sync(settings, Options(read=read), transport=partial(unpaced_wire, clock=SkippedTime()))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    assert report.exit_code == 0, report.message
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "cpu": cpu,
        "wall": wall,
        "peak": peak,
        "written": state.written,
        "calls": sum(report.calls.values()),
        "changes": len(report.changes),
        "read": report.read,
    }


def main() -> None:
    """The first line of stdin holds the settings, each further one how both sides are read."""
    given = {name.lower(): value for name, value in json.loads(sys.stdin.readline()).items()}
    settings = Settings(_env_file=None, **given)
    state = State()
    for line in sys.stdin:
        print(json.dumps(run(settings, Read(line.strip()), state)), flush=True)


if __name__ == "__main__":
    main()
