"""The history's entry for each change of a plan. Pure. Never here: what is decided, what is written."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from leadsync.core.conflicts import Conflict
from leadsync.core.decisions import CellDecision, Direction, RowDecision
from leadsync.core.draft import LeadRow
from leadsync.core.ledger import CARD_FIELD, GAP, MARKED, Entry, Rule, Told
from leadsync.core.told import Change
from leadsync.frames.agreed import BASE_COLUMNS, Columns, sides_of
from leadsync.frames.block import gap_before
from leadsync.frames.cards import Card
from leadsync.frames.leads import Lead
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import Value

OWN: Final = {
    "status": ("status", "stage", "due_complete"),
    "name": ("name", "title"),
    CARD_FIELD: ("lead_presence", "card_presence", "seen_status"),
}
"""Field -> the base columns that an entry about it is about; of a mapped cell they are its two sides."""
OF_LEAD: Final = ("status", "name")
"""Those of them that say what the lead holds; the rest of status and name says what the card holds."""
ROW_RULES: Final = {
    RowDecision.CREATE: Rule.CREATED,
    RowDecision.ARCHIVE: Rule.ARCHIVED,
    RowDecision.UNARCHIVE: Rule.UNARCHIVED,
}
CELL_RULES: Final = {CellDecision.RESTORE: Rule.RESTORED, CellDecision.MERGED: Rule.MERGED}


def entry_of(row: LeadRow, change: Change, record: Columns, conflicts: Collection[Conflict] = ()) -> Entry:
    """`record`: the base columns that are true once the change is written. `conflicts`: what its write settles."""
    cell = next((each for each in row.rules.cells if each.field == change.field), None)
    names = columns_of(change.field, cell)
    now = {name: record[name] for name in names if name in record}
    if change.field == CARD_FIELD and row.decided.decision.row is RowDecision.CREATE:
        now = dict(record)
    held = held_by(row.lead, row.card, names)
    if change.field == MARKED and not row.is_known:
        held = {GAP: gap_before(row.card.description)}
    return Entry(
        change.field,
        change.direction,
        _rule(row, change.field, cell, conflicts),
        _told(change, cell, held, is_after=False),
        _told(change, cell, held | now, is_after=True),
        agreed=row.undo(now),
        held=held,
        now=now,
        note=change.note,
    )


def columns_of(field: str, cell: Cell | None) -> tuple[str, ...]:
    """Of the base. `cell`: the one of the mapping that bears the name, if any does."""
    return OWN[field] if field in OWN else sides_of(cell.name) if cell else ()


def held_by(lead: Lead, card: Card, names: Collection[str]) -> Columns:
    """What both sides hold, as columns of the base; what cannot be read, or is no cell, is left out."""
    held: Columns = {}
    for name in names:
        if name in BASE_COLUMNS and not name.endswith(("presence", "seen_status")):
            held[name] = getattr(lead if name in OF_LEAD else card, name)
        elif name not in BASE_COLUMNS:
            side, _, of = name.partition(" ")
            values = lead.cells if side == "airtable" else card.cells
            held |= {name: values[of]} if of in values else {}
    return held


def is_of_lead(column: str) -> bool:
    """Whether a column says what the lead holds, and not the card."""
    return column in OF_LEAD or column.startswith("airtable ")


def told_of(field: str, cell: Cell | None, columns: Columns) -> Told:
    """A cell's two values in words."""
    if cell is not None and field not in OWN:
        lead, card = (columns.get(name) for name in sides_of(cell.name))
        return Told("" if lead is None else cell.told_by_airtable(lead), "" if card is None else _of_card(cell, card))
    names = {"status": ("status", "stage"), "name": ("name", "title")}.get(field, ())
    return Told(*(str(columns.get(name) or "") for name in names)) if names else Told("", "")


def _of_card(cell: Cell, value: Value) -> str:
    return str(value) if cell.is_line else cell.told_by_trello(value)


def _rule(row: LeadRow, field: str, cell: Cell | None, conflicts: Collection[Conflict]) -> Rule:
    if field == CARD_FIELD:
        return ROW_RULES.get(row.decided.decision.row, Rule.EDIT)
    if field == MARKED:
        return Rule.TIED if row.is_known else Rule.ADOPTED
    if kinds := {conflict.kind for conflict in conflicts if conflict.field == field}:
        return Rule.FIRST_MATCH if "first match" in kinds else Rule.CONFLICT
    another = row.agreed.is_of_another(row.card_id)
    never = cell is not None and (cell.name not in row.agreed.lead_cells or (another and not cell.is_line))
    if {"status": not row.agreed.stage, "name": not row.agreed.title}.get(field, never):
        return Rule.TIED if cell is not None and cell.is_line else Rule.FIRST_MATCH
    return CELL_RULES.get(row.decided.decision.cells[field], Rule.EDIT)


def _told(change: Change, cell: Cell | None, columns: Columns, is_after: bool) -> Told:
    """Of the side that is written what the report says of it."""
    told, said = told_of(change.field, cell, columns), change.after if is_after else change.before
    to_card = change.direction is Direction.TO_TRELLO
    return Told(told.airtable, said) if to_card else Told(said, told.trello)
