"""
What tests/README.md measures: calls, throughput, the pure part, the whole command, the page. Prints one Markdown table.

`uv run --group dev tests/benchmarks/__main__.py` takes some fifteen minutes; calls, throughput, pure, wall, page, past
and cost, named, run a part.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "flows"))

from benchmarks import calls, cost, page, past, pure, throughput, wall

Row = tuple[str, str, str, str]
HEAD: Row = ("what", "leads", "measured, and the most that is promised", "beside: naive sync, limit, yardstick")


class Part(StrEnum):
    """What can be measured on its own."""

    CALLS = "calls"
    THROUGHPUT = "throughput"
    PURE = "pure"
    WALL = "wall"
    PAGE = "page"
    PAST = "past"
    COST = "cost"


def calls_rows() -> Iterator[Row]:
    """Requests of a run: the naive sync beside ours."""
    for leads in (10, 100, 1_000, 10_000):
        ours, naive = calls.runs(leads)
        for run in ours:
            measured = (
                f"{run.total:,} calls ({run.airtable:,} Airtable + {run.trello:,} Trello), at most {run.promised:,}"
            )
            beside = next((f"{other.total:,} calls" for other in naive if other.what == run.what), "")
            yield run.what, f"{leads:,}", measured, beside


def throughput_rows() -> Iterator[Row]:
    """Requests a second."""
    leads = 1_000
    for load in throughput.loads(leads):
        measured = (
            f"{load.requests / load.seconds:.2f} requests/s for {load.seconds:.0f} s, {load.refused} refused (429)"
        )
        yield load.what, f"{leads:,}", measured, f"{load.share:.0%} of the {load.permitted:g}/s permitted"


def pure_rows() -> Iterator[Row]:
    """Reconcile and plan, 1 % moved; and of a first run, which makes a card for each lead."""
    for leads in (1_000, 10_000, 50_000):
        made = pure.frames(leads)
        ours, merge = pure.seconds(made)
        measured = f"{ours * 1000:.0f} ms of CPU, at most 2 × beside, peak {pure.peak(pure.decide, made):.0f} MB"
        yield (
            "reconcile + plan, 1 % moved",
            f"{leads:,}",
            measured,
            f"{ours / merge:.1f} × an outer merge ({merge * 1000:.0f} ms)",
        )
        first = pure.first_run(made)
        each = f"{first / leads * 1e6:.0f} µs for each lead"
        yield "reconcile + plan, first run", f"{leads:,}", f"{first:.2f} s of CPU, at most 5 s at 50,000", each


def wall_rows() -> Iterator[Row]:
    """The command as a person starts it, with its temporary Prefect server; CPU is that of both."""
    took = wall.medians()
    bare = f"{took.bare.seconds:.1f} s, {took.bare.cpu:.1f} s of CPU"
    yield (
        "`flows/sync.py --help`: all that is imported",
        "",
        f"{took.help.seconds:.1f} s, {took.help.cpu:.1f} s of CPU",
        "",
    )
    yield "`flows/sync.py`, idle, until the first request", "20", f"{took.ours.first_request:.1f} s", ""
    yield (
        "`flows/sync.py`, idle, whole command",
        "20",
        f"{took.ours.seconds:.1f} s, {took.ours.cpu:.1f} s of CPU",
        f"{took.ours.seconds / took.bare.seconds:.2f} × a bare flow ({bare})",
    )


def page_rows() -> Iterator[Row]:
    """The gateway's page, served over HTTP in this process."""
    leads = 10_000
    for look in page.looks(leads):
        measured = f"{look.median * 1000:.0f} ms (median), memory grew by {look.grew:.0f} MB in {page.TIMES} requests"
        yield f"page, {look.what}", f"{leads:,}", measured, f"at most {page.PROMISED * 1000:.0f} ms"


def past_rows() -> Iterator[Row]:
    """An idle run with a long history."""
    kept, without = past.seconds()
    yield (
        "idle delta run, history of 90 days at 1,000 changes a day",
        f"{past.LEADS:,}",
        f"{kept * 1000:.0f} ms of CPU, services included",
        f"{kept / without:.2f} × one without history ({without * 1000:.0f} ms)",
    )


def cost_rows() -> Iterator[Row]:
    """What a run costs in this process, by the number of leads."""
    smallest: dict[str, cost.Cost] = {}
    for run in cost.costs():
        least = smallest.setdefault(run.what, run)
        measured = (
            f"{run.cpu * 1000:,.0f} ms CPU, peak {run.peak:.0f} MB, {run.wall:.1f} s, {run.written:,} rows written"
        )
        beside = f"{run.cpu / least.cpu:.1f} × the CPU and {run.peak / least.peak:.2f} × the memory at {least.leads:,}"
        yield run.what, f"{run.leads:,}", measured, beside if run is not least else ""


ROWS = {
    Part.CALLS: calls_rows,
    Part.THROUGHPUT: throughput_rows,
    Part.PURE: pure_rows,
    Part.WALL: wall_rows,
    Part.PAGE: page_rows,
    Part.PAST: past_rows,
    Part.COST: cost_rows,
}


def benchmarks(
    parts: Annotated[list[Part] | None, typer.Argument(help="What to measure; all of it without.")] = None,
) -> None:
    """Measure, and print one Markdown table; progress goes to stderr."""
    print(f"| {' | '.join(HEAD)} |\n|---|--:|---|---|", flush=True)
    with Console(stderr=True).status("measuring") as status:
        for part in parts or list(Part):
            status.update(f"measuring {part.value}")
            for row in ROWS[part]():
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    typer.run(benchmarks)
