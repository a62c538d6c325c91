"""One lead on its way into the plan. Pure. Never here: which decision leads to which write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadsync.core.conflicts import Conflict
from leadsync.core.decisions import Direction
from leadsync.core.plan import CardCell, CellWrite, Plan
from leadsync.core.reconcile import Decided
from leadsync.core.told import Change, Note, SetAside
from leadsync.frames.agreed import NEVER_AGREED, Agreed, Columns, sides_of
from leadsync.frames.cards import Card, CardPresence
from leadsync.frames.leads import Lead
from leadsync.mapping.lenses import Value
from leadsync.mapping.rules import Rules


@dataclass
class LeadRow:
    """One lead on its way into the plan."""

    plan: Plan
    rules: Rules
    decided: Decided

    @property
    def lead_id(self) -> str:
        """Airtable's record id."""
        return self.decided.lead_id

    @property
    def card_id(self) -> str:
        """Trello's card id, "" if there is none."""
        return self.decided.card_id

    @property
    def agreed(self) -> Agreed:
        """What both sides agreed on; NEVER_AGREED if nothing."""
        return self.decided.agreed

    @property
    def lead(self) -> Lead:
        """As Airtable has it; NO_LEAD if not read."""
        return self.decided.lead

    @property
    def card(self) -> Card:
        """As Trello has it; NO_CARD if not read."""
        return self.decided.card

    @property
    def is_known(self) -> bool:
        """Whether the base has a row of it."""
        return self.agreed is not NEVER_AGREED

    @property
    def archived(self) -> CardPresence:
        """How the base should call an archived card: who archived it stays known."""
        by_us = self.agreed.card_presence == CardPresence.ARCHIVED_BY_US
        return CardPresence.ARCHIVED_BY_US if by_us else CardPresence.ARCHIVED

    def change(self, cell: str, before: str, after: str, direction: Direction, note: str = "") -> Change:
        """A change of this lead."""
        return Change(self.lead_id, self.card_id, cell, before, after, direction, note)

    def record(self, **columns: Value | None) -> None:
        """Base columns that are true without any write; those that already hold are left out."""
        is_new = not self.is_known or self.agreed.is_of_another(self.card_id)
        news = {column: value for column, value in columns.items() if is_new or self.agreed.get(column) != value}
        if news:
            self.plan.base_updates.setdefault(self.lead_id, {}).update(news)

    def record_card(self, **columns: Value | None) -> None:
        """The same with the card; cells of the mapping that were agreed with another one are agreed no more."""
        if self.agreed.is_of_another(self.card_id):
            self.record(**self.never_agreed)
        self.record(card_id=self.card_id, **columns)

    @property
    def never_agreed(self) -> Columns:
        """Columns by which no cell of the mapping counts as agreed; lines of the block are the lead's."""
        cells = [cell.name for cell in self.rules.cells if not cell.is_line]
        return {column: None for name in cells for column in sides_of(name)}

    def undo(self, record: Columns) -> Columns:
        """What the base says now in the columns of `record`."""
        return {column: self.agreed.get(column) for column in record}

    def note(self, text: str) -> None:
        """Something a person should know once, about which nothing is done."""
        self.plan.notes.append(Note(self.lead_id, self.card_id, text))

    def conflict(self, cell: str, airtable: str, trello: str, kind: str, resolution: str, base: str | None) -> Conflict:
        """Both sides moved a cell apart; it is open until a write, or a person, has settled it."""
        conflict = Conflict(self.lead_id, self.card_id, cell, airtable, trello, kind, resolution, base)
        self.plan.conflicts.append(conflict)
        self.plan.still_open.found[self.lead_id, self.rules.name_of(cell)] = conflict
        return conflict

    def set_aside(self, cell: str, reason: str, remedy: str) -> None:
        """Quarantine one cell of this lead."""
        self.plan.quarantine.append(SetAside(self.lead_id, self.card_id, cell, reason, remedy, self.card.url))


@dataclass
class Draft:
    """The writes of one lead while its cells are gone through."""

    stage: str | None = None
    title: str | None = None
    block: Mapping[str, str] | None = None
    cells: list[CardCell] = field(default_factory=list)
    closed: bool | None = None
    due_complete: bool | None = None
    card_record: Columns = field(default_factory=dict)
    card_changes: list[Change] = field(default_factory=list)
    card_conflicts: list[Conflict] = field(default_factory=list)
    lead_cells: dict[str, CellWrite] = field(default_factory=dict)
    lead_conflicts: list[Conflict] = field(default_factory=list)
