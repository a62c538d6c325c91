"""Random edits on both sides, and syncs between them: what must hold after each, whatever came before."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from emulator import ManualClock
from support import values
from support.harness import STAGE_OF, STATUS_FOR, World, markers
from support.values import EMAILS, PLACES, SOURCES, STATUSES, TITLES, YES_NO

NAMES = (*values.NAMES, "ada@example.com")
NOTES = tuple(note for note in values.NOTES if "https://" not in note)
"""Those that Trello's editor leaves as they are: the oracle looks for them letter by letter."""


def edit(method: str, /, **choices: Any) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A method of the machine with choices for its arguments; `pick` says which of the leads or cards."""
    given = {each: st.sampled_from(values) for each, values in choices.items()}
    return st.tuples(st.just(method), st.fixed_dictionaries({"pick": st.integers(0, 2)} | given))


MILD = (
    edit("set_status", status=STATUSES),
    edit("rename", name=NAMES),
    edit("set_details", email=EMAILS, source=SOURCES),
    edit("move_card", place=PLACES),
    edit("retitle", title=TITLES),
    edit("tick", ticked=YES_NO),
    edit("disagree", status=STATUSES, place=PLACES, name=NAMES, title=TITLES),
    edit("write_note", note=NOTES, above=YES_NO),
    edit("save_in_editor"),
)
ROUGH = (
    edit("add_lead", name=NAMES, status=STATUSES),
    edit("delete_lead"),
    edit("restore_leads"),
    edit("archive_or_take_back", closed=YES_NO),
    edit("delete_card"),
    edit("copy_card", place=PLACES),
    edit("send_to_board", away=YES_NO),
    edit("wipe_description", kept=NOTES),
    edit("make_card_by_hand", place=PLACES, title=TITLES),
)


@dataclass(frozen=True)
class Seen:
    """One lead and its only open card."""

    card_id: str
    status: str
    place: str
    ticked: bool
    name: str
    title: str
    email: str
    lead: str

    @property
    def wanted_title(self) -> str:
        return self.name or self.email or f"Unnamed lead {self.lead}"


@dataclass(frozen=True)
class Base:
    """What both sides agreed on; None while a cell never was."""

    status: str
    stage: str
    ticked: bool
    name: str
    title: str


def status_after(was: Base, now: Seen, policy: str) -> tuple[str, str, bool]:
    """The model: status and list after a sync, and whether a conflict is listed. One lead, plain values."""
    stage = "DONE" if now.place == was.stage and now.ticked and not was.ticked else now.place
    if now.place == "Waiting" or (now.status and now.status not in STAGE_OF):
        return now.status, now.place, False
    wanted = STAGE_OF[now.status or "NEW"]
    lead_moved, card_moved = (now.status or "NEW") != (was.status or "NEW"), stage != was.stage
    if wanted == stage:
        return now.status, stage, False
    if lead_moved and card_moved and policy == "hold":
        return now.status, now.place, True
    if card_moved and (not lead_moved or policy == "trello"):
        return STATUS_FOR[stage], stage, lead_moved
    return now.status, wanted, lead_moved and card_moved


def name_after(was: Base, now: Seen, policy: str) -> tuple[str, str, bool]:
    """The model: name and title after a sync, and whether a conflict is listed."""
    if now.title == now.wanted_title:
        return now.name, now.title, False
    silent = now.title == "" or (now.name == "" and now.title in (now.email, f"Unnamed lead {now.lead}"))
    lead_moved, card_moved = now.name != was.name, now.title != was.title and not silent
    if lead_moved and card_moved and policy == "hold":
        return now.name, now.title, True
    if card_moved and (not lead_moved or policy == "trello"):
        return now.title, now.title, lead_moved
    return now.name, now.wanted_title, lead_moved and card_moved


class SyncMachine(RuleBasedStateMachine):
    """Three leads at most, and the cards they come to have; one more lead that nobody touches."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name), ordered=True, clock=ManualClock())
        self.air, self.tre = self.world.airtable, self.world.trello
        self.air.add_select_option("status", "PAUSED")
        self.tre.add_list("Waiting")
        self.elsewhere = self.tre.add_board("Elsewhere")
        self.world.lead("Uninvolved", "CONTACTED")
        self.foreign = self.tre.card(self.tre.add_card("DONE", "Foreign", "no lead"))
        self.leads: list[str] = []
        self.bases: dict[str, tuple[str, Base]] = {}
        self.notes: dict[str, list[str]] = {}
        self.owners: dict[str, str] = {}
        self.edited: set[str] = set()
        self.copies: set[str] = set()  # set aside as such by the last run

    def teardown(self) -> None:
        self.world.close()
        self.folder.cleanup()

    @initialize(
        policy=st.sampled_from(["airtable", "trello", "hold"]),
        on_card=st.sampled_from(["leave", "recreate"]),
        on_lead=st.sampled_from(["archive", "archive", "leave"]),
    )
    def choose(self, policy: str, on_card: str, on_lead: str) -> None:
        self.policy = policy
        self.world.env |= {"SYNC_CONFLICT": policy, "SYNC_ON_CARD_DELETED": on_card, "SYNC_ON_LEAD_DELETED": on_lead}
        for name, status in (("Ada", "NEW"), ("Bob", "LOST")):
            self.add_lead(0, name, status)
        self.sync()

    # What the rules pick from

    def present(self, pick: int) -> str | None:
        here = [lead for lead in self.leads if lead in self.air.records()]
        return here[pick % len(here)] if here else None

    def a_card(self, pick: int) -> dict[str, Any] | None:
        mine = [card for _, card in sorted(self.tre.cards().items()) if self._ours(card)]
        if not mine:
            return None
        card = mine[pick % len(mine)]
        self.edited |= {*markers(card), self.owners.get(card["id"], "")}
        return card

    def _ours(self, card: dict[str, Any]) -> bool:
        known = {card_id for card_id, _ in self.bases.values()}
        return card["id"] in known or bool(set(markers(card)) & set(self.leads))

    # People at Airtable

    def add_lead(self, pick: int, name: str | None, status: str | None) -> None:
        if len(self.leads) < 3:
            self.leads.append(self.world.lead(name, status))

    def _edit_lead(self, pick: int, **cells: str | None) -> None:
        if lead := self.present(pick):
            self.air.edit(lead, **cells)
            self.edited.add(lead)

    def set_status(self, pick: int, status: str | None) -> None:
        self._edit_lead(pick, status=status)

    def rename(self, pick: int, name: str | None) -> None:
        self._edit_lead(pick, name=name)

    def set_details(self, pick: int, email: str | None, source: str | None) -> None:
        self._edit_lead(pick, email=email, source=source)

    def delete_lead(self, pick: int) -> None:
        if lead := self.present(pick):
            self.air.delete(lead)
            self.edited.add(lead)

    def restore_leads(self, pick: int) -> None:
        for lead in self.leads:
            if lead not in self.air.records():
                self.air.restore(lead)
                self.edited.add(lead)

    # People at Trello

    def _edit_card(self, pick: int, **values: Any) -> None:
        if card := self.a_card(pick):
            self.tre.edit(card["id"], **values)

    def move_card(self, pick: int, place: str) -> None:
        card = self.a_card(pick)
        if card and card["idBoard"] == self.tre.board_id:
            self.tre.move(card["id"], place)

    def retitle(self, pick: int, title: str) -> None:
        self._edit_card(pick, name=title)

    def tick(self, pick: int, ticked: bool) -> None:
        self._edit_card(pick, dueComplete=ticked)

    def archive_or_take_back(self, pick: int, closed: bool) -> None:
        self._edit_card(pick, closed=closed)

    def delete_card(self, pick: int) -> None:
        if card := self.a_card(pick):
            self.tre.delete(card["id"])
            self.notes.pop(card["id"], None)

    def copy_card(self, pick: int, place: str) -> None:
        card = self.a_card(pick)
        if card and card["idBoard"] == self.tre.board_id:
            copy = self.tre.copy(card["id"], place)
            self.notes[copy] = list(self.notes.get(card["id"], []))

    def send_to_board(self, pick: int, away: bool) -> None:
        if card := self.a_card(pick):
            self.tre.move_to_board(card["id"], self.elsewhere if away else self.tre.board_id)

    def write_note(self, pick: int, note: str, above: bool) -> None:
        if card := self.a_card(pick):
            self.tre.edit(card["id"], desc=f"{note}\n\n{card['desc']}" if above else f"{card['desc']}\n\n{note}")
            self.notes.setdefault(card["id"], []).append(note)

    def save_in_editor(self, pick: int) -> None:
        if card := self.a_card(pick):
            self.tre.save_in_editor(card["id"])

    def wipe_description(self, pick: int, kept: str) -> None:
        """The marker is gone too."""
        if card := self.a_card(pick):
            self.tre.edit(card["id"], desc=kept)
            self.notes[card["id"]] = [kept]

    def make_card_by_hand(self, pick: int, place: str, title: str) -> None:
        if self.leads:
            lead = self.leads[pick % len(self.leads)]
            self.tre.add_card(place, title, f"by hand\nLeadID: {lead}\nfor {pick}")

    # Both at once

    def disagree(self, pick: int, status: str | None, place: str, name: str | None, title: str) -> None:
        """One lead is edited on both sides between two runs."""
        lead = self.present(pick)
        card_id, _ = self.bases.get(lead or "", ("", None))
        if lead and card_id in self.tre.cards() and self.tre.card(card_id)["idBoard"] == self.tre.board_id:
            self._edit_lead(pick, status=status, name=name)
            self.tre.edit(card_id, list_name=place, name=title)

    # The sync

    @rule(edits=st.lists(st.one_of(*[edit for edit in MILD for _ in range(4)], *ROUGH), min_size=1, max_size=5))
    def people_work_and_then_a_sync_runs(self, edits: list[tuple[str, dict[str, Any]]]) -> None:
        for name, choices in edits:
            getattr(self, name)(**choices)
        self.sync()

    def sync(self) -> None:
        before = {lead: seen for lead in self.leads if (seen := self.plain(lead))}
        records, cards = self.air.records(), self.tre.cards()
        report = self.world.sync()
        self.check_nothing_vanished(records, cards)
        self.check_cards(report)
        self.copies = {row["card_id"] for row in report.quarantine if row["reason"].startswith("a copy")}
        for lead, seen in before.items():
            card_id, was = self.bases.get(lead, ("", None))
            if was and card_id == seen.card_id:
                self.check_model(lead, was, seen, report)
        again = self.world.assert_idle()
        assert again.conflicts == (report.conflicts if self.policy == "hold" else again.conflicts)
        self.remember()
        self.edited.clear()

    def plain(self, lead: str, *, beside_copies: bool = False) -> Seen | None:
        """
        The lead and its card, if there is nothing to wonder about: both there, one card, open, on the board.

        beside_copies: others may carry the marker too, since the card that the base knows speaks for the lead.
        """
        cells, cards = self.air.records().get(lead), self.world.cards_of(lead)
        known = self.tre.cards().get(self.bases[lead][0]) if lead in self.bases else None
        if known and known not in cards and len(markers(known)) == 0:
            cards = [*cards, known]  # its marker was deleted by a person
        if beside_copies and known in cards:
            cards = [known]
        if cells is None or len(cards) != 1 or len(markers(cards[0])) > 1:
            return None
        (card,) = cards
        if card["closed"] or card["idBoard"] != self.tre.board_id or card["id"] in self.copies:
            return None
        texts = {name: str(cells.get(name, "")) for name in ("status", "name", "email")}
        place = self.world.list_name(card)
        return Seen(card["id"], place=place, ticked=card["dueComplete"], title=card["name"], lead=lead, **texts)

    def remember(self) -> None:
        """A cell is agreed when both sides say the same after a sync; until then its former base stands."""
        self.owners |= {card_id: markers(card)[0] for card_id, card in self.tre.cards().items() if markers(card)}
        for lead in self.leads:
            seen = self.plain(lead, beside_copies=True)
            card_id, was = self.bases.get(lead, ("", None))
            if seen is None or (seen.card_id != card_id and card_id in self.tre.cards()):
                continue
            staged = STAGE_OF.get(seen.status or "NEW") == seen.place
            named = seen.title == seen.wanted_title
            if was is None or seen.card_id != card_id:
                if staged and named:
                    self.bases[lead] = (seen.card_id, Base(seen.status, seen.place, seen.ticked, seen.name, seen.title))
                continue
            status = (seen.status, seen.place, seen.ticked) if staged else (was.status, was.stage, was.ticked)
            name = (seen.name, seen.title) if named else (was.name, was.title)
            self.bases[lead] = (card_id, Base(*status, *name))

    # What must hold

    def check_model(self, lead: str, was: Base, before: Seen, report: Any) -> None:
        after = self.plain(lead)
        assert after is not None, "the sync archived or doubled a card in use"
        status, place, staged_apart = status_after(was, before, self.policy)
        name, title, named_apart = name_after(was, before, self.policy)
        assert (after.status, after.place, after.name, after.title) == (status, place, name, title)
        listed = {row["field"] for row in report.conflicts if row["lead_id"] == lead}
        assert listed == {field for field, apart in (("status", staged_apart), ("name", named_apart)) if apart}
        if after.ticked != before.ticked:
            assert (before.ticked, after.place) == (True, place)
            assert place != "DONE"

    def check_nothing_vanished(self, records: dict[str, Any], cards: dict[str, Any]) -> None:
        """No lead or card disappears, and LOST is never replaced by QUALIFIED; no card is archived out of the blue."""
        now, cards_now = self.air.records(), self.tre.cards()
        assert records.keys() == now.keys()
        assert cards.keys() <= cards_now.keys()
        assert cards_now[self.foreign["id"]] == self.foreign
        for lead in records:
            assert (records[lead].get("status"), now[lead].get("status")) != ("LOST", "QUALIFIED")
            untouched = {"email", "source"}
            assert all(records[lead].get(cell) == now[lead].get(cell) for cell in untouched)
        for card_id, card in cards.items():
            if card["closed"] != cards_now[card_id]["closed"]:
                lead = (markers(card) or [self.owners[card_id]])[0]
                assert (lead in now) == card["closed"], "archived with its lead there, or taken back without"
                assert lead in self.edited

    def check_cards(self, report: Any) -> None:
        """At most one card speaks for a lead, and people's notes stand as they were written."""
        aside = {row["card_id"] for row in report.quarantine}
        for lead in self.leads:
            open_cards = [
                card
                for card in self.world.cards_of(lead)
                if not card["closed"] and card["idBoard"] == self.tre.board_id and card["id"] not in aside
            ]
            assert len(open_cards) <= 1
        for card_id, notes in self.notes.items():
            assert all(note in self.tre.card(card_id)["desc"] for note in notes)


class LongSyncMachine(SyncMachine):
    """The same, for longer."""


SyncMachine.TestCase.settings = settings(
    max_examples=10, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
LongSyncMachine.TestCase.settings = settings(SyncMachine.TestCase.settings, max_examples=1500, stateful_step_count=25)
TestSync = SyncMachine.TestCase
TestSyncForLong = pytest.mark.exhaustive(LongSyncMachine.TestCase)


def replay(choices: dict[str, str], *histories: list[tuple[str, dict[str, Any]]]) -> None:
    """One history that the machine once stumbled over: the edits before each sync."""
    run = SyncMachine()
    try:
        run.choose(**choices)
        for edits in histories:
            run.people_work_and_then_a_sync_runs(edits)
    finally:
        run.teardown()


def test_card_that_outlives_its_copy_is_judged_by_what_the_last_run_agreed_on() -> None:
    """The copy hides the lead from no run: its tick made the lead QUALIFIED, so the drag out of DONE gives NEW."""
    replay(
        {"policy": "airtable", "on_card": "leave", "on_lead": "archive"},
        [("make_card_by_hand", {"pick": 0, "place": "TODO", "title": "Ada"}), ("restore_leads", {"pick": 0})],
        [("set_status", {"pick": 0, "status": "NEW"})],
        [("tick", {"pick": 0, "ticked": True}), ("restore_leads", {"pick": 0})],
        [("move_card", {"pick": 0, "place": "TODO"}), ("delete_card", {"pick": 2})],
    )
