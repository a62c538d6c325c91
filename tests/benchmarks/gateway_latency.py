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
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "flows"), str(ROOT / "tests")]

from support.gateway_process import GatewayProcess  # noqa: E402

from emulator import Emulator  # noqa: E402

STATUSES = {"TODO": "NEW", "IN_PROGRESS": "CONTACTED", "DONE": "QUALIFIED"}
HOUR = 3600.0


@dataclass(frozen=True)
class Edit:
    """`seconds` until the other side had it, settle time included."""

    side: str
    seconds: float
    calls_of_run: int
    calls: int
    """Until all had come to rest, the idle run after an echo of Airtable included."""
    runs: int


class Bench:
    """A world of `leads` linked leads and its gateway."""

    def __init__(self, folder: Path, leads: int, settle: float) -> None:
        self.settle = settle
        self.emulator = Emulator().start()
        self.leads = [self.emulator.airtable.add_lead(f"Lead {number}", status="NEW") for number in range(leads)]
        home = {"HOME": str(folder), "XDG_DATA_HOME": f"{folder}/data", "XDG_STATE_HOME": f"{folder}/state"}
        arguments = ("--register", "--via", "here", "--settle", str(settle))
        self.gateway = GatewayProcess(
            self.emulator, folder, *arguments, PREFECT_HOME=f"{folder}/prefect", **home
        ).start()
        report = self.gateway.sync()
        assert report["exit_code"] == 0, report
        self.rest()
        self.cards = {card["desc"].rpartition("LeadID: ")[2].strip(): key for key, card in self._cards().items()}

    def rest(self) -> None:
        """Until echoes have been looked at, too."""
        self.emulator.settle()
        self.gateway.wait_until_idle(quiet=0.3)

    def edit(self, number: int) -> Edit:
        """Give one lead another status, on the side whose turn it is, and see it on the other."""
        lead, side = self.leads[number // 2 % len(self.leads)], ("airtable", "trello")[number % 2]
        place = ("IN_PROGRESS", "DONE", "TODO")[(number // 2 // len(self.leads) + number) % 3]
        if place == self._place(lead):
            place = {"TODO": "IN_PROGRESS", "IN_PROGRESS": "DONE", "DONE": "TODO"}[place]
        self.emulator.clear_requests()
        runs = self._runs()
        started = time.perf_counter()
        if side == "airtable":
            self.emulator.airtable.edit(lead, status=STATUSES[place])
            wait_for(lambda: self._place(lead) == place)
        else:
            self.emulator.trello.move(self.cards[lead], place)
            wait_for(lambda: self.emulator.airtable.records()[lead]["status"] == STATUSES[place])
        seconds = time.perf_counter() - started
        while self._runs() == runs:  # the run goes on for a moment after its write
            time.sleep(0.02)
        of_run = len(self.emulator.requests)
        self.rest()
        return Edit(side, seconds, of_run, len(self.emulator.requests), self._runs() - runs)

    def close(self) -> None:
        """Stop both."""
        self.gateway.stop()
        self.emulator.stop()

    def _place(self, lead: str) -> str:
        lists = {each["id"]: str(each["name"]) for each in self.emulator.trello.lists(self.emulator.trello.board_id)}
        return lists[self._cards()[self.cards[lead]]["idList"]]

    def _cards(self) -> dict[str, dict[str, str]]:
        return self.emulator.trello.cards()

    def _runs(self) -> int:
        return int(self.gateway.health()["runs_ended"])


def wait_for(reached: Callable[[], bool], within: float = 60.0) -> None:
    deadline = time.perf_counter() + within
    while not reached():
        if time.perf_counter() > deadline:
            raise SystemExit("an edit did not arrive within a minute")
        time.sleep(0.005)


def percentile(values: list[float], share: float) -> float:
    """Nearest rank."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


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
