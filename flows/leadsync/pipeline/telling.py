"""What goes into the report of a run, and in which words. Never here: how the report is shown."""

from __future__ import annotations

from collections.abc import Iterable

from leadsync.airtable.client import LeadsRead
from leadsync.apply.give_back import Repairs
from leadsync.apply.outcome import Outcome
from leadsync.core.conflicts import Conflict
from leadsync.core.lead_overwrites import Patched
from leadsync.core.moved_since import Moved
from leadsync.core.plan import Plan
from leadsync.report.report import Report, rows_of
from leadsync.trello.board import CardsRead


class Telling:
    """What one run tells, pass by pass; nothing is told twice."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._silent: list[Patched] = []

    def note(self, text: str, lead_id: str = "", card_id: str = "") -> None:
        """Something a person should know."""
        note = {"lead_id": lead_id, "card_id": card_id, "note": text}
        self.report.notes += [note] if note not in self.report.notes else []

    def conflicts(self, conflicts: Iterable[Conflict]) -> None:
        """Conflicts of the plan, and those that came to light while writing or after a run was cut off."""
        self.report.conflicts += [row for row in rows_of(conflicts) if row not in self.report.conflicts]

    def read(self, leads: LeadsRead, cards: CardsRead) -> None:
        """What was read, and how."""
        self.report.leads, self.report.cards = leads.number, cards.number
        self.report.unmarked_cards = None if cards.unmarked < 0 else cards.unmarked
        by_delta = {"airtable": not leads.whole, "trello": cards.delta}
        self.report.read = {side: "delta" if so else "full" for side, so in by_delta.items()}
        self.report.titles |= dict(zip(leads.leads.index, leads.leads["title"], strict=True))

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
        self.report.quarantine = rows_of(plan.quarantine)
        self.report.notes += [note for note in rows_of(plan.notes) if note not in self.report.notes]

    def moved(self, moved: Iterable[Moved]) -> None:
        """What is not as it was when a saved plan was made."""
        self.report.moved = rows_of(moved)

    def planned(self, plan: Plan) -> None:
        """What would be written."""
        self.report.changes += rows_of(plan.changes, outcome="planned")

    def written(self, outcome: Outcome) -> None:
        """What became of the writes to one side."""
        self.report.changes += rows_of(sorted(outcome.done), outcome="done")
        self.report.failures += rows_of(outcome.failures)
        self.report.notes += outcome.notes
        self.conflicts(outcome.overwritten)

    def repaired(self, repairs: Repairs) -> None:
        """What writes had landed on, and what became of that."""
        self.report.gave_back |= repairs.wrote
        self.conflicts(repairs.conflicts)
        for intent in repairs.unchecked:
            note = "A write could not be checked for a week: an edit made just before it would be lost."
            self.note(note, intent.lead_id, intent.card_id)
        self.report.failures += rows_of(repairs.failures)
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
