"""
Whether the gateway holds out, and grows, under callers that never come to an end.

    python tests/benchmarks/gateway_soak.py --minutes 5

The real `flows/serve.py` in a process of its own, the emulator in this one, real HTTP on loopback. At once: callers who
send half a head and then a line every two seconds, callers who send 100 kB of a body, each there again ten seconds
after the gateway closed it; good requests at a steady pace; and edits that a sync has to carry over. Prints one
Markdown table. Linux.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "flows"), str(ROOT / "tests")]

from support.gateway_bench import Bench  # noqa: E402
from support.slow_callers import soak  # noqa: E402


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The gateway under slow callers.")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--heads", type=int, default=1100, help="callers with half a head")
    parser.add_argument("--bodies", type=int, default=400, help="callers with half a body")
    parser.add_argument("--rate", type=float, default=50.0, help="good requests [1/s]")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith(("AIRTABLE_", "TRELLO_", "SYNC_", "PREFECT_"))]:
        del os.environ[name]
    os.environ["NO_PROXY"] = "*"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder), leads=10, settle=0.5)
        try:
            print(
                "| time [s] | memory [MiB] | threads | open files | slow callers so far | good requests | failed |",
                end="",
            )
            print(" slowest [s] | edits carried over |")
            print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
            looked = soak(bench, options.minutes * 60, options.heads, options.bodies, options.rate, looks=10)
            for at in looked:
                print(
                    f"| {at.seconds:.0f} | {at.rss_kib / 1024:.1f} | {at.threads} | {at.files} | {at.slow_callers:,} | "
                    f"{at.good:,} | {at.failed} | {at.slowest:.2f} | {at.edits} |",
                    flush=True,
                )
        finally:
            bench.close()


if __name__ == "__main__":
    main()
