"""
Random histories of two services, people and a sync that is disturbed: `python -m tests.simulation --count 500`.

Plays the histories of the seeds first, first + 1, …, prints the smallest history of each breach, and ends with 1 if
there was any.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "flows"))

import conftest  # noqa: F401  # no settings from outside
import typer

from simulation.play import breach_of


def main(
    count: Annotated[int, typer.Option(help="How many histories.")] = 500,
    first: Annotated[int, typer.Option(help="Seed of the first.")] = 0,
    processes: Annotated[int, typer.Option(help="Played side by side.")] = 2,
    leave_out: Annotated[str, typer.Option(help="Steps, events and parts of the ground, with commas.")] = "",
    shrink: Annotated[bool, typer.Option(help="Make each breach's history small.")] = True,
) -> None:
    """Play histories."""
    began, runs, broken = time.monotonic(), 0, 0
    seeds, names = range(first, first + count), frozenset(filter(None, leave_out.split(",")))
    with ProcessPoolExecutor(processes) as pool:
        for took, breach in pool.map(partial(breach_of, shrink=shrink, names=names), seeds):
            runs += took
            if breach:
                broken += 1
                print(breach, end="\n\n", flush=True)
    seconds = time.monotonic() - began
    print(f"{count} histories from seed {first}: {broken} with a breach; {runs} syncs, {runs / seconds:.1f}/s")
    raise SystemExit(broken > 0)


if __name__ == "__main__":
    typer.run(main)
