"""
What runs cost at different sizes of the table: CPU, memory, wall, rows written. Services and runs are processes apart.

Of the leads at most 5,000 have open cards, as many as a board takes; the others are closed, and their cards archived.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SIZES = (100, 1_000, 10_000, 50_000)
TURNS = 7
"""Runs of which the median counts."""


@dataclass(frozen=True)
class Cost:
    """Of runs at one size. CPU and wall in seconds, `peak` of the process in MB, `written` rows of the state."""

    what: str
    leads: int
    cpu: float
    wall: float
    peak: float
    written: int


def costs(sizes: tuple[int, ...] = SIZES) -> Iterator[Cost]:
    """A first match of leads and cards that agree, idle deltas, deltas with 10 edits, idle full reads: size by size."""
    for leads in sizes:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            services = stack.enter_context(_Told("cost_services.py", str(leads)))
            env = services.answer() | {"SYNC_STATE_URL": f"sqlite:///{folder}/state.sqlite3"}
            for what, read, turns, edits in (
                ("first match", "full", 1, 0),
                ("idle delta", "delta", TURNS, 0),
                ("delta, 10 edits", "delta", TURNS, 10),
                ("idle full", "full", 2, 0),
            ):
                with _Told("cost_runs.py") as runs:
                    runs.tell(json.dumps(env))
                    told = [_run(services, runs, read, edits, turn) for turn in range(turns)]
                yield _median(what, leads, told[1:] or told)


def _run(services: _Told, runs: _Told, read: str, edits: int, turn: int) -> dict[str, float]:
    for wish in ([f"edit {edits} {turn}"] if edits else []) + ["advance 60"]:
        services.tell(wish)
        services.answer()
    runs.tell(read)
    told: dict[str, float] = runs.answer()
    assert told["changes"] == edits, told
    return told


def _median(what: str, leads: int, told: list[dict[str, float]]) -> Cost:
    cpu, wall, peak, written = (
        statistics.median(each[name] for each in told) for name in ("cpu", "wall", "peak", "written")
    )
    return Cost(what, leads, cpu, wall, peak, int(written))


class _Told:
    """A script of this folder that answers each line of its stdin with one of JSON."""

    def __init__(self, script: str, *arguments: str) -> None:
        command = [sys.executable, str(HERE / script), *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout

    def __enter__(self) -> _Told:
        return self

    def __exit__(self, *_: object) -> None:
        self._in.close()
        self._process.wait()

    def tell(self, line: str) -> None:
        """One line."""
        print(line, file=self._in, flush=True)

    def answer(self) -> dict[str, float]:
        """The answer to it."""
        told: dict[str, float] = json.loads(self._out.readline())
        return told
