"""
A world to sync: both services, a state database, settings, what people see there, and what must always hold.

The checks read the services' own data; they share neither the product's status map nor its reading of descriptions.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from emulator import Emulator
from leadsync.model import Adopt, Read
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Chosen, Options, Steps
from leadsync.settings import Settings
from leadsync.transport.pacing import Pace
from leadsync.transport.service import Service
from leadsync.transport.wire import Transport, Wire
from support.told import Told

STAGE_OF = {"NEW": "TODO", "CONTACTED": "IN_PROGRESS", "QUALIFIED": "DONE", "LOST": "DONE"}
STATUS_FOR = {"TODO": "NEW", "IN_PROGRESS": "CONTACTED", "DONE": "QUALIFIED"}
MARKER = re.compile(r"^LeadID:\s*(rec[0-9A-Za-z]{14})\s*$")
FAST = {"AIRTABLE_REQUESTS_PER_SECOND": "50", "TRELLO_REQUESTS_PER_10_SECONDS": "300"}


class SkippedTime:
    """A clock on which waiting takes no time."""

    def __init__(self) -> None:
        self.waited = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.waited

    def sleep(self, seconds: float, /) -> None:
        self.waited += seconds


def unpaced_wire(service: Service, pace: Pace, **more: Any) -> Wire:
    """The product's transport, its pace apart: the emulator is as fast as it is asked."""
    return Wire(service, Pace(limit=10_000, seconds=1, penalty=pace.penalty), **more)


@contextmanager
def in_turn() -> Iterator[Callable[..., Future[Any]]]:
    """Steps run in another thread, one after the other, so that requests have a fixed order."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


class World:
    """
    Airtable, Trello, and one installation of the sync.

    ordered: requests come one at a time, in the same order each time. read_timeout [s] is real time; waits for a
    service's sake are skipped. pause: what passes on the services' clock before each run [s]. env: settings by their
    environment names. emulator: keywords of the Emulator.
    """

    def __init__(
        self, folder: Path, *, ordered: bool = False, env: Mapping[str, str] | None = None, **emulator: Any
    ) -> None:
        self.emulator = Emulator(**emulator).start()
        self.airtable, self.trello = self.emulator.airtable, self.emulator.trello
        self.env = self.emulator.settings() | FAST | {"SYNC_STATE_URL": f"sqlite:///{folder / 'state.sqlite3'}"}
        self.env |= env or {}
        self.clock = SkippedTime()
        self.read_timeout = 20.0
        self.pause = 60.0
        self.ordered = ordered

    def close(self) -> None:
        """Stop the services. Raises what the emulator itself stumbled over."""
        self.emulator.stop()
        if self.emulator.errors:
            raise self.emulator.errors[0]

    def settings(self, **changes: str | None) -> Settings:
        """Settings for this world; `changes` by their environment names, None leaves one out."""
        values = {name.lower(): value for name, value in (self.env | changes).items() if value is not None}
        return Settings(_env_file=None, **values)  # type: ignore[arg-type,call-arg]

    @property
    def transport(self) -> Transport:
        """How runs reach the services."""
        return partial(unpaced_wire, clock=self.clock, read_timeout=self.read_timeout)

    def sync(
        self,
        *,
        exit_code: int | None = 0,
        dry_run: bool = False,
        allow_mass_change: bool = False,
        read: str = "full",
        paced: bool = False,
        adopt: str = "ask",
        asked: Mapping[str, Any] | None = None,
        take: Chosen | None = None,
        **changes: str | None,
    ) -> Told:
        """One run, in process and without Prefect; None lets any exit code pass. `asked`: further Options."""
        self.emulator.clear_requests()
        self.emulator.clock.advance(self.pause)
        chosen = {"paced": paced, "adopt": Adopt(adopt), "take": take, **(asked or {})}
        options = Options(dry_run, allow_mass_change, read=Read(read), **chosen)
        with (
            patch("leadsync.apply.cards.WRITERS", 1 if self.ordered else 4),
            patch("leadsync.apply.leads.WRITERS", 1 if self.ordered else 2),
        ):
            steps = Steps(submit=in_turn) if self.ordered else Steps()
            report = Told(run_sync(self.settings(**changes), options, steps, self.transport))
        assert exit_code in (None, report.exit_code), report.message
        deleted = [each.path for each in self.emulator.requests if each.method == "DELETE"]
        assert all(re.search("/webhooks/|/cards/[^/]+/id", path) for path in deleted), deleted  # a lead or card, never
        return report

    # What people see

    def lead(self, name: str | None = "Ada", status: str | None = "NEW", **cells: Any) -> str:
        """A new lead's id."""
        return self.airtable.add_lead(name, status=status, **cells)

    def linked(self, name: str | None = "Ada", status: str | None = "NEW", **cells: Any) -> str:
        """A new lead that the sync has given a card."""
        lead = self.lead(name, status, **cells)
        self.sync(exit_code=None)
        return lead

    def cells(self, lead: str) -> dict[str, Any]:
        """The lead's cells that are not empty."""
        return self.airtable.records()[lead]

    def status(self, lead: str) -> str:
        return str(self.cells(lead).get("status", ""))

    def cards_of(self, lead: str) -> list[dict[str, Any]]:
        """The cards that carry the lead's marker, oldest first, archived ones too."""
        return [card for _, card in sorted(self.trello.cards().items()) if lead in markers(card)]

    def card(self, lead: str) -> dict[str, Any]:
        """The lead's only card."""
        (card,) = self.cards_of(lead)
        return card

    def place(self, lead: str) -> str:
        """The name of the list in which the lead's only card lies."""
        return self.list_name(self.card(lead))

    def list_name(self, card: dict[str, Any]) -> str:
        lists = self.trello.lists(card["idBoard"])
        return str(next(each["name"] for each in lists if each["id"] == card["idList"]))

    def calls(self) -> tuple[int, int]:
        """Requests of the last run to Airtable and to Trello."""
        return self.emulator.calls("airtable"), self.emulator.calls("trello")

    def writes(self, service: str | None = None) -> int:
        """Writing requests of the last run."""
        services = ("airtable", "trello") if service is None else (service,)
        return sum(self.emulator.calls(each, writes=True) for each in services)

    # What must always hold

    def assert_one_card_each(self) -> None:
        """Every lead has exactly one card."""
        cards = {lead: len(self.cards_of(lead)) for lead in self.airtable.records()}
        assert cards == dict.fromkeys(cards, 1)

    def assert_equal(self, *leads: str) -> None:
        """Both sides of the leads (default: all) say the same."""
        for lead in leads or self.airtable.records():
            cells, card = self.cells(lead), self.card(lead)
            assert (STAGE_OF[cells["status"]], cells["name"]) == (self.list_name(card), card["name"]), lead

    def assert_idle(self, **changes: str | None) -> Told:
        """A further run writes nothing."""
        report = self.sync(**changes)
        assert (self.writes(), report.changes) == (0, [])
        return report


def markers(card: dict[str, Any]) -> list[str]:
    """The lead ids a card's description names."""
    return [found.group(1) for line in card["desc"].split("\n") if (found := MARKER.match(line))]


def findings(rows: list[dict[str, Any]], lead: str) -> list[tuple[str, str, str]]:
    """The conflicts of a lead as (field, Airtable's value, Trello's value)."""
    return [(row["field"], row["airtable"], row["trello"]) for row in rows if row["lead_id"] == lead]


def our_clock(monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    """The runs' own clock stands [s since 1970]; those of the services go on."""
    clock = SimpleNamespace(time=lambda: now, monotonic=time.monotonic)
    for module in ("absences", "run", "scope", "snapshots", "ties"):
        monkeypatch.setattr(f"leadsync.pipeline.{module}.time", clock)


def written(report: Told) -> list[tuple[str, str, str]]:
    """A run's changes as (field, after, direction)."""
    return [(row["field"], row["after"], row["direction"]) for row in report.changes]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world in which one uninvolved lead keeps either side from looking empty."""
    made = World(tmp_path)
    made.lead("Uninvolved", "CONTACTED", email="un_involved@example.com", source="fair")
    yield made
    made.close()


# A run with something of everything


class Scene(World):
    """
    A world in which the next run has one of each kind to write; requests come in a fixed order.

    leads: what happened to it -> lead id. `after` says what the two sides must then hold.
    """

    NOTE = "Call after five.\r\n\r\n"

    def __init__(self, folder: Path, **emulator: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, ordered=True, **emulator)
        known = ("staged", "named", "mailed", "dragged", "titled", "untouched")
        self.leads = {what: self.lead(what, "NEW", email=f"{what}@example.com") for what in known}
        for what, lead in self.leads.items():
            self.trello.add_card("TODO", what, f"{self.NOTE}LeadID: {lead}")
        self.sync()
        self.airtable.edit(self.leads["staged"], status="CONTACTED")
        self.airtable.edit(self.leads["named"], name="Named")
        self.airtable.edit(self.leads["mailed"], email="new@example.com")
        self.trello.move(self.card(self.leads["dragged"])["id"], "DONE")
        self.trello.edit(self.card(self.leads["titled"])["id"], name="Titled")
        self.leads["new"] = self.lead("new", "CONTACTED")
        self.leads["lost"] = self.lead("lost", "LOST")

    def assert_done(self) -> None:
        """The edits made before the run are in force, each lead has one card, and a further run writes nothing."""
        self.assert_one_card_each()
        self.assert_equal()
        status = {what: self.status(lead) for what, lead in self.leads.items()}
        names = {what: self.cells(lead)["name"] for what, lead in self.leads.items()}
        assert status == dict.fromkeys(self.leads, "NEW") | {
            "staged": "CONTACTED",
            "dragged": "QUALIFIED",
            "new": "CONTACTED",
            "lost": "LOST",
        }
        assert names == {what: what for what in self.leads} | {"named": "Named", "titled": "Titled"}
        assert "new@example.com" in self.card(self.leads["mailed"])["desc"]
        for what in ("staged", "named", "mailed", "dragged", "titled", "untouched"):
            assert self.card(self.leads[what])["desc"].startswith(self.NOTE), what
        self.assert_idle()
