"""
How long an edit takes through the gateway, what it costs, and whether the gateway grows.

    python tests/benchmarks/gateway_latency.py --edits 50
    python tests/benchmarks/gateway_latency.py --soak --edits 120

The real `flows/serve.py` in a process of its own, the emulator in this one, real HTTP on loopback, runs as Prefect
flow runs in the gateway. Edits are made one at a time, each when the one before has come to rest, by turns in
Airtable and on Trello. Prints one Markdown table.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "flows"), str(ROOT / "tests")]

from support.gateway_bench import Bench, percentile  # noqa: E402

HOUR = 3600.0


def latency(bench: Bench, edits: int) -> None:
    """One row a side, one for both."""
    made = [bench.edit(number) for number in range(edits)]
    print(f"Settle time {bench.settle:g} s, taken off the seconds; {len(bench.leads)} leads.\n")
    print("| edits in | n | p50 [s] | p95 [s] | worst [s] | requests of the run | with the echo's run | runs an edit |")
    print("|---|---|---|---|---|---|---|---|")
    for side in ("airtable", "trello", "both"):
        of_side = [edit for edit in made if side in (edit.side, "both")]
        seconds = [edit.seconds - bench.settle for edit in of_side]
        mean = [statistics.mean(getattr(edit, name) for edit in of_side) for name in ("calls_of_run", "calls", "runs")]
        times = [f"{value:.2f}" for value in (statistics.median(seconds), percentile(seconds, 0.95), max(seconds))]
        print(f"| {side} | {len(of_side)} | {' | '.join(times)} | {' | '.join(f'{value:.1f}' for value in mean)} |")


def soak(bench: Bench, edits: int) -> None:
    """An hour of the emulator's clock over `edits` edits; a row at begin, middle and end."""
    rows = []
    for number in range(edits + 1):
        if number in (0, edits // 4, edits // 2, 3 * edits // 4, edits):
            rows.append((number, number * HOUR / edits, bench.gateway.resources()))
        if number < edits:
            bench.edit(number)
            bench.emulator.clock.advance(HOUR / edits)
    print("| after edits | the services' clock [min] | memory [MiB] | threads | open files |")
    print("|---|---|---|---|---|")
    for number, seconds, found in rows:
        print(
            f"| {number} | {seconds / 60:.0f} | {found['rss_kib'] / 1024:.1f} | {found['threads']} | {found['files']} |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Latency, cost and growth of the gateway.")
    parser.add_argument("--edits", type=int, default=50)
    parser.add_argument("--leads", type=int, default=10)
    parser.add_argument("--settle", type=float, default=2.0, help="as of the gateway [s]")
    parser.add_argument("--soak", action="store_true", help="watch memory, threads and open files instead")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith(("AIRTABLE_", "TRELLO_", "SYNC_", "PREFECT_"))]:
        del os.environ[name]
    os.environ["NO_PROXY"] = "*"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder), options.leads, options.settle)
        try:
            (soak if options.soak else latency)(bench, options.edits)
        finally:
            bench.close()


if __name__ == "__main__":
    main()
