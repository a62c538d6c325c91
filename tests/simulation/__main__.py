"""
Random histories of two services, people and a sync that is disturbed: `python -m tests.simulation --histories 100000`.

Plays the histories of the seeds first, first + 1, …, prints the smallest history of each breach, and ends with 1 if
there was any. With --mutants it breaks one rule after the other instead, and tells the first seed that notices.
"""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "flows"))

import conftest  # noqa: F401  # no settings from outside
import typer

from simulation.play import breach_of
from support.mutants import MUTANTS


def main(
    histories: Annotated[int, typer.Option(help="How many.")] = 500,
    first: Annotated[int, typer.Option(help="Seed of the first.")] = 0,
    processes: Annotated[int, typer.Option(help="Played side by side.")] = 2,
    leave_out: Annotated[str, typer.Option(help="Steps, events and parts of the ground, with commas.")] = "",
    shrink: Annotated[bool, typer.Option(help="Make each breach's history small.")] = True,
    mutants: Annotated[bool, typer.Option(help="How soon is each broken rule noticed?")] = False,
) -> None:
    """Play histories."""
    seeds, names = range(first, first + histories), frozenset(filter(None, leave_out.split(",")))
    with ProcessPoolExecutor(processes, initializer=_begin) as pool:
        missed = _mutants(pool, seeds) if mutants else _histories(pool, seeds, shrink, names)
    raise SystemExit(missed > 0)


def _begin() -> None:
    """What is imported stays, and is not searched for garbage all the time: that takes a twentieth."""
    logging.disable()
    gc.freeze()


def _histories(pool: ProcessPoolExecutor, seeds: range, shrink: bool, names: frozenset[str]) -> int:
    began, runs, broken = time.monotonic(), 0, 0
    for took, breach in pool.map(partial(breach_of, shrink=shrink, names=names), seeds, chunksize=4):
        runs += took
        if breach:
            broken += 1
            print(breach, end="\n\n", flush=True)
    rate = runs / (time.monotonic() - began)
    print(f"{len(seeds)} histories from seed {seeds[0]}: {broken} with a breach; {runs} syncs, {rate:.1f}/s")
    return broken


def _mutants(pool: ProcessPoolExecutor, seeds: range) -> int:
    missed = 0
    for name, (seed, breach) in zip(MUTANTS, pool.map(partial(first_notice, seeds=seeds), MUTANTS), strict=True):
        missed += not breach
        print(f"{name}: {seed if breach else 'missed'} {breach}", flush=True)
    return missed


def first_notice(name: str, seeds: Iterable[int]) -> tuple[int, str]:
    """The first of the seeds whose history notices a broken rule, and its breach; -1 and "" if none does."""
    for seed in seeds:
        with MUTANTS[name]():
            _, breach = breach_of(seed, shrink=False)
        if breach:
            return seed, breach.split("\n")[0]
    return -1, ""


if __name__ == "__main__":
    typer.run(main)
