"""
The journal of intents: what a run was about to write, so that the next one can tell its own traces from a
person's edits. Pure; state/journal.py keeps it.

A row is *pending* until its write is recorded, and then *unchecked* until Trello's feed has shown what the write
landed on. It is *checked* while a conflict of a run that was cut off has still to be told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from leadsync.core.conflicts import Conflict
from leadsync.core.digests import digests_of, told_in
from leadsync.core.ledger import Entry
from leadsync.core.plan import CardWrite, LeadWrite, Plan
from leadsync.frames.actions import Item
from leadsync.frames.agreed import Columns, Rename, columns_renamed
from leadsync.frames.cards import Card
from leadsync.mapping.properties import property_named
from leadsync.mapping.rows import CellKey

CARD, LEAD = "card", "lead"
COPY: Final = "copy"
"""The side of a write to a copy of a lead's card, about which nothing is agreed."""
COLUMN_OF: Final = {"idList": "list_id", "name": "title", "desc": "description", "dueComplete": "due_complete"}
"""Cell of a card on the wire -> field of Card."""


class IntentState(StrEnum):
    """How far a write has come."""

    PENDING = "pending"
    UNCHECKED = "unchecked"
    CHECKED = "checked"


@dataclass(frozen=True)
class Sent:
    """
    A write in digests: what it was planned from, and the cells that it sent.

    By cell of a card, see cells_of, or of a lead, see Lead.value. `resent`: an earlier sending of it was not answered.
    `earlier`: ids of actions that the feed told of before, though by their time they might be this write's. `read_at`:
    Trello's clock when the cards were read from which it was planned, or somewhat earlier [s since 1970], 0 if unknown.
    """

    planned_from: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)
    resent: bool = False
    earlier: Sequence[str] = field(default_factory=list)
    read_at: float = 0.0

    def as_put(self, put: Sent) -> Sent:
        """What went out in the end; what is known of the time before it stays."""
        return replace(put, earlier=self.earlier, read_at=self.read_at)

    def planned_on(self, cell: str) -> str | None:
        """The digest of what the write was planned on, None if that is not known."""
        return told_in(self.planned_from, cell)

    def put(self, cell: str) -> str | None:
        """The digest of what was sent for a cell, be it an element of a set; None if nothing was."""
        return told_in(self.cells, cell)


@dataclass(frozen=True)
class Intent:
    """
    `record`: the base columns that are true once the write took effect, `undo` what they were before; `card_id` is
    "" for a new card.

    `since`, `answered`: the service's clock before the write and after its answer [s since 1970], 0 if unknown. `sent`:
    empty if nothing can be checked: a new card, a row of an older program, a lead without the change feed.
    `conflicts`: what the write settles, for the next run to list if `run` cannot. `entries`: what the history says of
    it, until that is kept there.
    """

    side: str  # card | lead | copy
    lead_id: str
    card_id: str
    record: Columns
    since: float = 0.0
    run: str = ""
    state: IntentState = IntentState.PENDING
    answered: float = 0.0
    sent: Sent = field(default_factory=Sent)
    undo: Columns = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    entries: tuple[Entry, ...] = ()
    number: int = field(default=0, compare=False)  # the journal's, 0 before it has one

    @property
    def is_put(self) -> bool:
        """Whether the board's activity can tell what it landed on."""
        return self.side in (CARD, COPY) and bool(self.card_id and self.sent.cells)

    @property
    def is_patch(self) -> bool:
        """Whether Airtable's change feed can tell what it landed on."""
        return self.side == LEAD and bool(self.sent.cells)

    def renamed(self, now: Rename) -> Intent:
        """The same with the mapping's cells as they are called now."""
        entries = tuple(entry.renamed(now) for entry in self.entries)
        record, undo = columns_renamed(self.record, now), columns_renamed(self.undo, now)
        return replace(self, record=record, undo=undo, entries=entries)

    def until(self, superseded: float) -> Intent | None:
        """
        What is left of an unclear write once a newer one, begun then, is recorded: it may have landed on an edit.

        Its conflicts were decided anew. None if nothing can be checked.
        """
        if not (self.is_put or self.is_patch):
            return None
        return replace(self, state=IntentState.UNCHECKED, answered=superseded, conflicts=(), entries=())


def intents_of(
    plan: Plan,
    since: float,
    run: str = "",
    lists: Mapping[str, str] | None = None,
    leads_since: float | None = None,
    read_at: float = 0.0,
) -> list[Intent]:
    """
    One intent for each write, in the order of the writes.

    `since`: Trello's clock [s since 1970]. `lists`: stage -> list id. `leads_since`: Airtable's clock if its change
    feed tells of our writes, else None. `read_at`: see Sent.
    """
    cards = [_of_card(write, since, run, lists or {}, read_at) for write in plan.card_writes]
    return cards + [_of_lead(write, since, run, leads_since) for write in plan.lead_writes]


def _of_lead(write: LeadWrite, since: float, run: str, told_since: float | None) -> Intent:
    intent = Intent(LEAD, write.lead_id, write.card_id, write.record, since, run)
    intent = replace(intent, undo=write.undo, conflicts=write.conflicts, entries=write.entries)
    if told_since is None:
        return intent
    return replace(intent, since=told_since, sent=sent_to_lead(write, write.fields))


def sent_to_lead(write: LeadWrite, cells: Collection[str]) -> Sent:
    """These cells of a PATCH in digests; of one that cannot be read by the text in it, as a feed tells it, too."""
    planned_on = {cell: write.planned_from.stated(cell, write.cells[cell].change.field) for cell in cells}
    return Sent(digests_of(planned_on), digests_of({cell: write.fields[cell] for cell in cells}))


def _of_card(write: CardWrite, since: float, run: str, lists: Mapping[str, str], read_at: float) -> Intent:
    sent = Sent()
    if write.card_id:
        sent = replace(sent_to_card(write, write.planned_from, cells_of(write, lists)), read_at=read_at)
    intent = Intent(CARD, write.lead_id, write.card_id, write.record, since, run)
    return replace(intent, sent=sent, undo=write.undo, conflicts=write.conflicts, entries=write.entries)


def sent_to_card(write: CardWrite, based_on: Card, cells: Mapping[str, Any]) -> Sent:
    """
    The cells of a PUT in digests, but for those that cannot be read. `based_on`: the card as it was just before.

    Of a card that is archived, all of them: an edit of any shows that it is in use.
    """
    mapped = {each.cell.card.key: based_on.cells.get(each.cell.name) for each in write.cells}
    told = {cell: value for cell, value in cells.items() if mapped.get(cell, value) is not None}
    besides = [name for name in based_on.cells if write.closed and not CellKey.of(name).names_line()]
    mapped |= {key_of(name): based_on.cells[name] for name in besides}
    return Sent(digests_of_card(based_on) | digests_of(mapped), digests_of(told))


def digests_of_card(card: Card) -> dict[str, str]:
    """The cells that every card has, on the wire, as digests."""
    return digests_of({cell: getattr(card, field) for cell, field in COLUMN_OF.items()})


def cells_of(write: CardWrite, lists: Mapping[str, str]) -> Item:
    """
    The cells that are sent to a card, by their names on the wire, and a custom field's by its own.

    The description as it is if nobody edits it meanwhile; a mapped cell's value in canonical form.
    """
    given = {"idList": write.stage, "name": write.title, "closed": write.closed, "dueComplete": write.due_complete}
    cells: Item = {cell: value for cell, value in given.items() if value is not None}
    if write.stage is not None:
        cells["idList"] = lists.get(write.stage, "")
    if write.card_id and write.block is not None:
        cells["desc"] = write.described(write.planned_from.description)
    return cells | {each.cell.card.key: each.value for each in write.cells}


def key_of(name: str) -> str:
    """What a mapped cell, by its name, is called among the cells that are sent to a card."""
    return property_named(CellKey.of(name).property).key
