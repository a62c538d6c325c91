"""
One lead on its way back: its writes, what they bring, and what history says of them. Pure.

Never here: what a side must be given (see undo_sides.py), all leads together (see undo.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from leadsync.core.conflicts import UNDONE, Conflict
from leadsync.core.decisions import Direction
from leadsync.core.entries import held_by, told_of
from leadsync.core.ledger import CARD_FIELD, GAP, LEAD_FIELD, MARKED, Entry, Rule, Told
from leadsync.core.plan import CardCell, CardWrite, CellWrite, LeadWrite, Plan
from leadsync.core.taken_back import TakenBack
from leadsync.core.told import Change, SetAside
from leadsync.core.undo_line import loosened, tied_again
from leadsync.core.undo_sides import EDITED, TICK, Sides, sides_of_cell
from leadsync.frames.agreed import NEVER_AGREED, Agreed, Columns
from leadsync.frames.cards import Card, CardPresence
from leadsync.frames.leads import Lead, LeadPresence
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import Value
from leadsync.mapping.rules import Rules

BY_HAND: Final = "It is left as it is; change it by hand if it is to be as before."
MADE: Final = "a lead was made of this card, and nothing is deleted"
DELETE_IT: Final = "Delete the lead in Airtable if it is not wanted; its card is archived then."
UNTIED: Final = "the copy is a card of its own by now, and with the LeadID line it would be a copy again"
HELD: Final = "held: make both equal by hand"
NOTE: Final = "undone"
SHOWN: Final = ("status", "stage", "name", "title")
"""What of a created card and its lead tells whether somebody uses it; its mapped cells do, too."""


@dataclass
class Undoing:
    """One lead on its way back."""

    lead_id: str
    card_id: str
    agreed: Agreed
    lead: Lead
    card: Card
    rules: Rules
    plan: Plan
    sent: dict[str, Any] = field(default_factory=dict)  # of a CardWrite
    lines: dict[str, str] = field(default_factory=dict)  # by label
    card_cells: list[CardCell] = field(default_factory=list)
    record: Columns = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    lead_cells: dict[str, CellWrite] = field(default_factory=dict)
    held: dict[tuple[str, str], Conflict] = field(default_factory=dict)
    is_whole: bool = False  # its card is archived or opened as well

    def take(self, of: TakenBack) -> None:
        """One cell, or the card as a whole, which comes first."""
        remedy, card_id, url = BY_HAND, self.card_id, self.card.url
        if of.field == LEAD_FIELD:
            reason, remedy = MADE, DELETE_IT
        elif of.unties:
            reason, card_id, url = UNTIED, of.card_id, ""
        elif self.agreed is NEVER_AGREED or self.agreed.card_id != self.card_id:
            reason = "the lead has another card by now" if self.agreed.card_id else "nothing is known of it any more"
        elif of.field == CARD_FIELD:
            reason = self._card(of)
        elif of.field == MARKED:
            reason = self._line(of)
        else:
            reason = self._cell(of)
        if reason:
            self.plan.quarantine.append(SetAside(self.lead_id, card_id, of.field, reason, remedy, url))

    def _card(self, of: TakenBack) -> str:
        """A card is archived, or opened again; one that was created only if nobody has touched it or its lead."""
        is_away = self.card.presence == CardPresence.ARCHIVED
        self.is_whole = is_away is of.closed
        if self.is_whole:
            return ""
        now = held_by(self.lead, self.card, [name for name in of.left if name in SHOWN or " " in name])
        if self.card.presence not in (CardPresence.OPEN, CardPresence.ARCHIVED):
            return "its card is not on the board"
        if any(value != of.left[name] for name, value in now.items()):
            return EDITED
        self.is_whole = True
        self.sent["closed"] = of.closed
        before, after = ("open", "archived") if of.closed else ("archived", "un-archived")
        there = self.lead.presence == LeadPresence.PRESENT
        presence = CardPresence.OPEN if there and not of.closed else CardPresence.ARCHIVED_BY_US
        self.record |= {"lead_presence": self.agreed.lead_presence, "card_presence": presence}
        self.record["seen_status"] = self.lead.status if of.closed or not there else ""
        self._enter(of, Direction.TO_TRELLO, Told("", before), Told("", after), self.record, {})
        return ""

    def _line(self, of: TakenBack) -> str:
        """The LeadID line of a card that was adopted, which comes last."""
        is_all = all(each.lead_id != self.lead_id for each in self.plan.quarantine)
        line = loosened(self.lead_id, self.card, of.gap, is_all, self.rules)
        if of.ties:
            line = tied_again(self.lead_id, self.lead, self.card, self.rules)
        if line.agreed:
            self.plan.base_updates.setdefault(self.lead_id, {}).update(line.agreed)
        if line.sent:
            self.sent |= line.sent
            self.record |= line.record
            self._enter(of, Direction.TO_TRELLO, Told("", line.before), Told("", line.after), {}, {GAP: of.gap})
        return line.reason

    def _cell(self, of: TakenBack) -> str:
        cell = next((each for each in self.rules.cells if each.field == of.field), None)
        is_there = self.card.presence == CardPresence.OPEN or (
            self.is_whole and self.card.presence == CardPresence.ARCHIVED
        )
        sides = sides_of_cell(of, cell, self.lead, self.card, is_there, self.rules)
        if sides.reason:
            self._agree(sides.agreed)
            return sides.reason
        if of.apart:
            self._hold(of, cell)
        self._write(of, cell, sides)
        return ""

    def _hold(self, of: TakenBack, cell: Cell | None) -> None:
        """Nothing is agreed about it any more, until a person makes both equal, or takes one."""
        witness = {"status": "stage", "name": "title"}.get(of.field)
        is_new = not of.agreed.get(witness) if witness else None in of.agreed.values()
        told = told_of(of.field, cell, of.target)
        base = None if is_new else told_of(of.field, cell, of.agreed).airtable
        key = (self.lead_id, self.rules.name_of(of.field))
        self.held[key] = Conflict(self.lead_id, self.card_id, of.field, *told, UNDONE, HELD, base)

    def _agree(self, columns: Columns) -> None:
        news = {name: value for name, value in columns.items() if self.agreed.get(name) != value}
        if news:
            self.plan.base_updates.setdefault(self.lead_id, {}).update(news)

    def _write(self, of: TakenBack, cell: Cell | None, sides: Sides) -> None:
        """What is agreed comes with the lead's write, which is the last one, or else with the card's."""
        now, to_card, to_lead = sides.now, sides.to_card, sides.to_lead
        before, after = told_of(of.field, cell, now), told_of(of.field, cell, now | to_card | to_lead)
        between = Told(before.airtable, after.trello)
        agreed = of.agreed if of.apart else of.agreed | to_card | to_lead
        if to_card:
            self._put(of, cell, to_card, now)
        if TICK in now and not of.apart:
            agreed = {**agreed, TICK: self.sent.get(TICK, now[TICK])}
        if to_card:
            self.record |= {} if to_lead else agreed
            self._enter(of, Direction.TO_TRELLO, before, between, {} if to_lead else agreed, now)
        if to_lead:
            (value,) = to_lead.values()
            to = Direction.TO_AIRTABLE
            change = Change(self.lead_id, self.card_id, of.field, before.airtable, after.airtable, to, NOTE)
            entry = self._entry(of, to, between, after, agreed, now | to_card)
            name = cell.name if cell else of.field
            self.lead_cells[name] = CellWrite(_value(value), agreed, change, entry)
        if not (to_card or to_lead):
            self._agree(agreed)

    def _put(self, of: TakenBack, cell: Cell | None, to_card: Columns, now: Columns) -> None:
        (value,) = to_card.values()
        if of.field == "status":
            self.sent["stage"] = value
            tick = of.target.get(TICK)
            if self.rules.closing.tick and now[TICK] == of.left.get(TICK) and tick not in (None, now[TICK]):
                self.sent[TICK] = tick
        elif of.field == "name":
            self.sent["title"] = value
        elif cell is not None and cell.is_line:
            self.lines[cell.card.label] = str(value)
        elif cell is not None:
            self.card_cells.append(CardCell(cell, _value(value)))

    def _enter(self, of: TakenBack, to: Direction, before: Told, after: Told, now: Columns, held: Columns) -> None:
        self.changes.append(Change(self.lead_id, self.card_id, of.field, before.trello, after.trello, to, NOTE))
        self.entries.append(self._entry(of, to, before, after, dict(now), held))

    def _entry(self, of: TakenBack, to: Direction, before: Told, after: Told, now: Columns, held: Columns) -> Entry:
        rule = Rule.HELD if of.apart else Rule.CONFLICT if of.resettles else Rule.UNDONE
        agreed = {name: self.agreed.get(name) for name in now or of.agreed}
        return Entry(of.field, to, rule, before, after, agreed, held, now, dict(of.target) if of.apart else {}, NOTE)

    def hand_in(self) -> None:
        """The writes of this lead."""
        taken = self.lead_cells.get("status")
        if taken and self.record.get("card_presence") == CardPresence.ARCHIVED_BY_US:
            self.record["seen_status"] = taken.value
        if self.lines:
            shown = self.card.cells if self.card.block else self.lead.cells
            lines = [cell for cell in self.rules.cells if cell.is_line]
            self.sent["block"] = {cell.card.label: str(shown.get(cell.name, "")) for cell in lines} | self.lines
        if self.changes:
            write = CardWrite(
                self.lead_id,
                self.card_id,
                **self.sent,
                cells=tuple(self.card_cells),
                record=self.record,
                planned_from=self.card,
                undo=self._undo(self.record),
                changes=tuple(self.changes),
                entries=tuple(self.entries),
            )
            self.plan.card_writes.append(write)
        if self.lead_cells:
            brought = {name: None for write in self.lead_cells.values() for name in write.record}
            undo = self._undo(brought)
            self.plan.lead_writes.append(LeadWrite(self.lead_id, self.card_id, self.lead_cells, self.lead, undo=undo))

    def _undo(self, record: Mapping[str, object]) -> Columns:
        return {name: self.agreed.get(name) for name in record}


def _value(value: Value | None) -> Value:
    assert value is not None
    return value
