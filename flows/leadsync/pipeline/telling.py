"""What goes into the report of a run, and in which words. Never here: how the report is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from leadsync.airtable.client import LeadsRead
from leadsync.apply.give_back import Repairs
from leadsync.apply.outcome import Outcome
from leadsync.core.conflicts import Conflict
from leadsync.core.lead_overwrites import Patched
from leadsync.core.moved_since import Moved
from leadsync.core.plan import Plan
from leadsync.core.told import ChangeOutcome, Note
from leadsync.report.report import Report
from leadsync.trello.board import CardsRead


class Telling:
    """What one run tells, pass by pass; nothing is told twice."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._silent: list[Patched] = []
        self._titles: list[pd.Series] = []  # what is known, the last first
        self._card_urls: list[pd.Series] = []

    def note(self, text: str, lead_id: str = "", card_id: str = "") -> None:
        """Something a person should know."""
        self.notes([Note(lead_id, card_id, text)])

    def notes(self, notes: Iterable[Note]) -> None:
        """Several of them."""
        self.report.notes += [note for note in notes if note not in self.report.notes]

    def conflicts(self, conflicts: Iterable[Conflict]) -> None:
        """Conflicts of the plan, and those that came to light while writing or after a run was cut off."""
        self.report.conflicts += [each for each in conflicts if each not in self.report.conflicts]

    def read(self, base: pd.DataFrame, leads: LeadsRead, cards: CardsRead) -> None:
        """What was read, and how; the base knows what leads were called that are gone."""
        self.report.leads, self.report.cards = leads.number, cards.number
        self.report.unmarked_cards = None if cards.unmarked < 0 else cards.unmarked
        by_delta = {"airtable": not leads.whole, "trello": cards.delta}
        self.report.read = {side: "delta" if so else "full" for side, so in by_delta.items()}
        self._titles, self._card_urls = [leads.leads["title"], base["title"]], [cards.cards["url"]]

    def name_rows(self) -> None:
        """At the end, also of a run that failed: what people call the leads in the rows, and where their cards are."""
        for row in self.report.rows:
            _find(row.lead_id, self._titles, self.report.titles)
            _find(row.card_id, self._card_urls, self.report.card_urls)

    def met_anew(self, cards: int, state: str) -> None:
        """A state that is another one than last time shows in this: it knows none of the cards that the sync made."""
        if cards:
            self.note(
                f"{state} knows nothing yet of {cards} cards with the LeadID of a lead: these are first matches. If an "
                "earlier run kept its state elsewhere, set SYNC_STATE_URL to that."
            )

    def findings(self, plan: Plan) -> None:
        """What a person must be told of a plan, beside its changes."""
        self.conflicts(plan.conflicts)
        self.report.quarantine = list(plan.quarantine)
        self.notes(plan.notes)

    def moved(self, moved: Iterable[Moved]) -> None:
        """What is not as it was when a saved plan was made."""
        self.report.moved = list(moved)

    def planned(self, plan: Plan) -> None:
        """What would be written."""
        self.report.changes += plan.changes

    def written(self, outcome: Outcome) -> None:
        """What became of the writes to one side."""
        done = sorted(outcome.done, key=lambda change: (change.lead_id, change.card_id, change.field))  # in time, then
        self.report.changes += [replace(change, outcome=ChangeOutcome.DONE) for change in done]
        self.report.failures += outcome.failures
        self.notes(outcome.notes)
        self.report.card_urls |= {card_id: str(item.get("shortUrl") or "") for card_id, item in outcome.cards.items()}
        self.conflicts(outcome.overwritten)

    def repaired(self, repairs: Repairs) -> None:
        """What writes had landed on, and what became of that."""
        self.report.gave_back |= repairs.wrote
        self.conflicts(repairs.conflicts)
        self.report.changes += repairs.changes
        for intent in repairs.unchecked:
            note = "A write could not be checked for a week: an edit made just before it would be lost."
            self.note(note, intent.lead_id, intent.card_id)
        self.report.failures += repairs.failures
        self._silent += repairs.silent

    def open_window(self) -> None:
        """Once a run: which writes to leads nobody can say to have hit no edit."""
        leads = sorted({cell.intent.lead_id for cell in self._silent})
        if leads:
            self.note(
                "Airtable told of these writes and not what they replaced: an edit of the very same cell made in the "
                f"moment before would have gone unnoticed, in {len(leads)} leads ({', '.join(leads[:3])}"
                f"{' …' if len(leads) > 3 else ''})."
            )


def _find(item_id: str, places: Iterable[pd.Series], found: dict[str, str]) -> None:
    """Take down what the first of the places holds of `item_id` that is not empty."""
    if item_id and not found.get(item_id) and (held := next(filter(None, (at.get(item_id) for at in places)), "")):
        found[item_id] = str(held)
