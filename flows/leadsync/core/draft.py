"""One lead on its way into the plan. Pure. Never here: which decision leads to which write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from leadsync.core.plan import CellWrite, Change, Conflict, Plan, Row
from leadsync.frames.agreed import BASE_COLUMNS
from leadsync.model import Rules

NEVER_AGREED: Final = {column: False if dtype == "bool" else "" for column, dtype in BASE_COLUMNS.items()}


@dataclass
class LeadRow:
    """One lead on its way into the plan: what was decided, and its row in base, Airtable and Trello ({} = none)."""

    plan: Plan
    rules: Rules
    decided: Row
    was: Row
    lead: Row
    card: Row

    @property
    def lead_id(self) -> str:
        """Airtable's record id."""
        return str(self.decided["lead_id"])

    @property
    def card_id(self) -> str:
        """Trello's card id, "" if there is none."""
        return str(self.decided["card_id"])

    @property
    def archived(self) -> str:
        """How the base should call an archived card: who archived it stays known."""
        return "archived_by_us" if self.was.get("card_presence") == "archived_by_us" else "archived"

    def change(self, cell: str, before: str, after: str, direction: str, note: str = "") -> Change:
        """A change of this lead."""
        return Change(self.lead_id, self.card_id, cell, before, after, direction, note)

    def record(self, **columns: Any) -> None:
        """Base columns that are true without any write; those that already hold are left out."""
        news = {column: value for column, value in columns.items() if self.was.get(column) != value}
        if news:
            self.plan.base_updates.setdefault(self.lead_id, {}).update(news)

    def note(self, text: str) -> None:
        """Something a person should know once, about which nothing is done."""
        self.plan.notes.append({"lead_id": self.lead_id, "card_id": self.card_id, "note": text})

    def set_aside(self, cell: str, reason: str, remedy: str) -> None:
        """Quarantine one cell of this lead."""
        entry = {"lead_id": self.lead_id, "card_id": self.card_id, "field": cell, "reason": reason, "remedy": remedy}
        entry["card_url"] = self.card.get("url", "")
        self.plan.quarantine.append(entry)


@dataclass
class Draft:
    """The writes of one lead while its cells are gone through."""

    stage: str | None = None
    title: str | None = None
    block: tuple[str, str] | None = None
    closed: bool | None = None
    due_complete: bool | None = None
    card_record: Row = field(default_factory=dict)
    card_changes: list[Change] = field(default_factory=list)
    card_conflicts: list[Conflict] = field(default_factory=list)
    lead_cells: dict[str, CellWrite] = field(default_factory=dict)
    lead_conflicts: list[Conflict] = field(default_factory=list)
