"""A gateway with linked leads behind it: an edit on one side, and how long until the other has it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emulator import Emulator
from support.gateway_process import GatewayProcess

STATUSES = {"TODO": "NEW", "IN_PROGRESS": "CONTACTED", "DONE": "QUALIFIED"}


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
