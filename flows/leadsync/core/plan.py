"""
What a plan is: the writes, what each lets us record, and everything a person must be told.

Pure, and whole before anything is written. What is never here: how a plan is made (see plan_rows.py), a client, the
clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter

from leadsync.core.conflicts import Conflict, OpenConflicts
from leadsync.core.decisions import Direction
from leadsync.core.ledger import LEAD_FIELD, Entry
from leadsync.core.lookups import Check
from leadsync.core.told import Change, Note, SetAside
from leadsync.frames.agreed import Columns
from leadsync.frames.block import with_block, without_appended
from leadsync.frames.cards import NO_CARD, Card
from leadsync.frames.leads import Lead
from leadsync.frames.snapshot import Concerned
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import Value


@dataclass(frozen=True)
class CardCell:
    """
    A cell of the mapping as a card is to hold it.

    `record`: base columns that are true once it is written, of one that a new card gets by a request of its own.
    """

    cell: Cell
    value: Value
    record: Columns = field(default_factory=dict)


@dataclass(frozen=True)
class CardWrite:
    """
    One POST (`card_id` is "") or one PUT; None = the cell is not sent.

    `block`: what its lines are to show, by label; it is taken off instead, with this before it, if there is a `gap`.
    `cells`: the other cells of the mapping that are sent.
    `record` holds the base columns that are true once the write has succeeded, `undo` what they were before,
    `conflicts` what the write settles, `entries` what the history is to say of it.
    """

    lead_id: str
    card_id: str
    stage: str | None = None
    title: str | None = None
    block: Mapping[str, str] | None = None
    cells: tuple[CardCell, ...] = ()
    closed: bool | None = None
    due_complete: bool | None = None
    gap: str | None = None
    record: Columns = field(default_factory=dict)
    planned_from: Card = NO_CARD
    undo: Columns = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    entries: tuple[Entry, ...] = ()

    def described(self, description: str) -> str:
        """What becomes of the card's description."""
        block = self.block or {}
        if self.gap is not None:
            return without_appended(description, self.lead_id, [*block], self.gap)
        return with_block(description, self.lead_id, block)

    def __lt__(self, other: CardWrite) -> bool:
        return self.lead_id < other.lead_id

    def __str__(self) -> str:
        return "; ".join(map(str, self.changes))


@dataclass(frozen=True)
class CellWrite:
    """
    One cell of a lead: its new value, the base columns that are true once it is written, the change, and the history's
    entry of it.
    """

    value: Value
    record: Columns
    change: Change
    entry: Entry | None = None


@dataclass(frozen=True)
class LeadWrite:
    """
    One record in a PATCH: what becomes of the cells, by Lead.value's names. `undo` and `conflicts` as in CardWrite.

    Any of the cells may be refused for itself, so each has its own record; `record` holds them all.
    """

    lead_id: str
    card_id: str
    cells: dict[str, CellWrite]
    planned_from: Lead
    conflicts: tuple[Conflict, ...] = ()
    undo: Columns = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, Value]:
        """The cells' new values."""
        return {cell: write.value for cell, write in self.cells.items()}

    @property
    def record(self) -> Columns:
        """The base columns that are true once all cells are written."""
        return {column: value for write in self.cells.values() for column, value in write.record.items()}

    @property
    def changes(self) -> tuple[Change, ...]:
        """One change a cell."""
        return tuple(write.change for write in self.cells.values())

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What the history is to say of it."""
        return tuple(write.entry for write in self.cells.values() if write.entry)

    def __lt__(self, other: LeadWrite) -> bool:
        return self.lead_id < other.lead_id

    def __str__(self) -> str:
        return "; ".join(map(str, self.changes))


@dataclass(frozen=True)
class NewLead:
    """A card that becomes a lead, and what that is to hold. `email`: "" if the card tells none, or several."""

    card: Card
    status: str
    email: str = ""

    @property
    def change(self) -> Change:
        """As it is told; its lead has no id yet."""
        after = f"{self.card.title[:80]}, {self.status}{f', {self.email}' if self.email else ''}"
        return Change(
            "", self.card.card_id, LEAD_FIELD, "", after, Direction.TO_AIRTABLE, "its card gets the LeadID line"
        )


@dataclass
class Plan:
    """
    Everything one pass wants to do. `base_updates`: lead_id -> base columns that are already true. `checks`: by card
    id, when those that are archived or away were last known to exist. `still_open`: the conflicts that nothing has
    settled yet. `sides`: of every lead not at rest, as it was planned from. `new_leads`: made once all is written.
    `standing`: leads and cards about which the next run has something to decide, be it that nothing has changed.
    """

    card_writes: list[CardWrite] = field(default_factory=list)
    lead_writes: list[LeadWrite] = field(default_factory=list)
    base_updates: dict[str, Columns] = field(default_factory=dict)
    forget: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    still_open: OpenConflicts = field(default_factory=OpenConflicts)
    quarantine: list[SetAside] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)
    standing: Concerned = Concerned()
    sides: dict[str, tuple[Lead, Card]] = field(default_factory=dict)
    new_leads: list[NewLead] = field(default_factory=list)

    @property
    def restless(self) -> Concerned:
        """What stands, and what is set aside."""
        leads = self.standing.leads | {each.lead_id for each in self.quarantine}
        cards = self.standing.cards | {each.card_id for each in self.quarantine}
        return Concerned(leads - {""}, cards - {""})

    @property
    def changes(self) -> list[Change]:
        """All changes, Trello's first, in the order of the writes."""
        by_card = [change for write in self.card_writes for change in write.changes]
        by_lead = [change for write in self.lead_writes for change in write.changes]
        return by_card + by_lead + [new.change for new in self.new_leads]

    @property
    def writes(self) -> int:
        """Number of cards and leads to be written."""
        return len(self.card_writes) + len(self.lead_writes) + len(self.new_leads)

    def without_cards(self, lead_ids: Collection[str], why: Iterable[SetAside]) -> Plan:
        """The same, but that no card of these leads is written; why not is listed."""
        kept = [write for write in self.card_writes if write.lead_id not in lead_ids]
        return replace(self, card_writes=kept, quarantine=sorted([*self.quarantine, *why]))

    def with_leads(self, lead_ids: Collection[str], planned: Plan) -> Plan:
        """The same, but that of these leads, which had no base, all is as another plan has it."""
        mine = replace(self, quarantine=[each for each in self.quarantine if each.lead_id not in lead_ids])
        mine = mine.without_cards(lead_ids, planned.quarantine)
        return replace(
            mine,
            card_writes=sorted([*mine.card_writes, *planned.card_writes]),
            lead_writes=sorted([*mine.lead_writes, *planned.lead_writes]),
            base_updates=mine.base_updates | planned.base_updates,
            conflicts=sorted([*mine.conflicts, *planned.conflicts], key=by_lead),
            still_open=mine.still_open.along_with(planned.still_open),
            notes=sorted([*mine.notes, *planned.notes], key=by_lead),
            sides=mine.sides | planned.sides,
        )


by_lead = attrgetter("lead_id")
