"""What each decision about a mapped cell writes, records and lists. Pure. Never here: status, name, a whole row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from leadsync.core.compared import Compared
from leadsync.core.conflicts import Conflict
from leadsync.core.decisions import CellDecision, Direction
from leadsync.core.draft import Draft, LeadRow
from leadsync.core.plan import CardCell, CellWrite
from leadsync.core.plan_cells import resolve
from leadsync.core.told import Change
from leadsync.frames.agreed import Columns, sides_of
from leadsync.frames.block import with_block
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import Value
from leadsync.mapping.properties import Way
from leadsync.model import TRELLO_TEXT_LIMIT

WRITES_BLOCK: Final = {CellDecision.TO_TRELLO, CellDecision.RESTORE}


def plan_new_card(cell: Cell, row: LeadRow, draft: Draft) -> None:
    """What a card is created with: what its lead says, if it says anything."""
    if not row.lead.is_readable(cell.field) or cell.way is Way.TO_AIRTABLE:
        return
    value = row.lead.cells[cell.name]
    if cell.is_line:
        draft.card_record |= dict.fromkeys(sides_of(cell.name), value)
        return
    term, nothing = cell.airtable.get(value), cell.card.read_nothing()
    if term is None:
        return
    shown = cell.trello.put(term, nothing)
    if cell.card.in_put or shown == nothing:
        draft.card_record |= _columns(cell, value, shown)
    if shown != nothing:
        draft.cells.append(CardCell(cell, shown, {} if cell.card.in_put else _columns(cell, value, shown)))


def plan_cell(cell: Cell, row: LeadRow, draft: Draft) -> None:
    """A cell that both sides hold."""
    if row.decided.decision.cells[cell.field] in (CellDecision.QUARANTINED, CellDecision.HELD):
        return
    held = Compared.of(cell, row.agreed, row.lead, row.card)
    told = cell.told_by_airtable(held.lead), cell.told_by_trello(held.card)
    base = None if held.agreed is None else cell.told_by_airtable(row.agreed.lead_cells[cell.name])
    decision = resolve(row, draft, cell.field, *told, base)
    if held.is_merged and held.is_listed_first_match and decision is not CellDecision.HELD:
        row.plan.conflicts.append(Conflict(row.lead_id, row.card_id, cell.field, *told, "first match", "both kept"))
    PLANNERS[decision](held, row, draft)


def _columns(cell: Cell, lead: Value, card: Value) -> Columns:
    """What is agreed with both values; an option of a set that the board has yet to get is news once that has it."""
    return dict(zip(sides_of(cell.name), (cell.without_lacking(lead), card), strict=True))


def _as_it_is(held: Compared, row: LeadRow, draft: Draft) -> None:
    """What of the values their terms do not say is remembered as well."""
    row.record(**_columns(held.cell, held.lead, held.card))


def _to_trello(held: Compared, row: LeadRow, draft: Draft) -> None:
    cell = held.cell
    value = cell.trello.put(held.airtable, held.card)
    draft.cells.append(CardCell(cell, value))
    draft.card_record |= _columns(cell, held.lead, value)
    before, after = cell.told_by_trello(held.card), cell.told_by_trello(value)
    note = _note(row, cell)
    draft.card_changes.append(row.change(cell.field, before, after, Direction.TO_TRELLO, note))


def _to_airtable(held: Compared, row: LeadRow, draft: Draft) -> None:
    cell = held.cell
    value = cell.airtable.put(held.trello, held.lead)
    before, after = cell.told_by_airtable(held.lead), cell.told_by_airtable(value)
    change = row.change(cell.field, before, after, Direction.TO_AIRTABLE, _note(row, cell))
    shown = next((each.value for each in draft.cells if each.cell is cell), held.card)
    draft.lead_cells[cell.name] = CellWrite(value, _columns(cell, value, shown), change)


def _note(row: LeadRow, cell: Cell) -> str:
    restored = row.decided.decision.cells[cell.field] is CellDecision.RESTORE
    return f"the mapping takes it {cell.way.value.replace('_', ' ')} only" if restored else ""


def _to_both(held: Compared, row: LeadRow, draft: Draft) -> None:
    """Until the lead is written, too, the base is what it holds: what the card has got besides is news then."""
    met = replace(held, airtable=held.target, trello=held.target)
    _to_trello(met, row, draft)
    _to_airtable(met, row, draft)
    agreed = held.cell.trello.put(held.airtable, held.card)
    draft.card_record |= _columns(held.cell, held.lead, agreed)


def _restore(held: Compared, row: LeadRow, draft: Draft) -> None:
    (_to_trello if held.cell.way is Way.TO_TRELLO else _to_airtable)(held, row, draft)


def _apart(held: Compared, row: LeadRow, draft: Draft) -> None:
    if held.cell.name in row.rules.lists_apart:
        told = held.cell.told_by_airtable(held.lead), held.cell.told_by_trello(held.card)
        kind, resolution = "mapping changed", "left as they are: edit one of them"
        row.plan.conflicts.append(Conflict(row.lead_id, row.card_id, held.cell.field, *told, kind, resolution))


def _nothing(held: Compared, row: LeadRow, draft: Draft) -> None:
    """Held until a person makes both equal."""


PLANNERS: Final[Mapping[CellDecision, Callable[[Compared, LeadRow, Draft], None]]] = {
    CellDecision.UNCHANGED: _as_it_is,
    CellDecision.AGREED: _as_it_is,
    CellDecision.TO_TRELLO: _to_trello,
    CellDecision.TO_AIRTABLE: _to_airtable,
    CellDecision.MERGED: _to_both,
    CellDecision.RESTORE: _restore,
    CellDecision.APART: _apart,
    CellDecision.HELD: _nothing,
}


def block_of(row: LeadRow) -> dict[str, str]:
    """What the lines of the managed block are to show, by label; of a cell that cannot be read what they show now."""
    return {cell.card.label: _shown(row, cell) for cell in row.rules.cells if cell.is_line}


def _shown(row: LeadRow, cell: Cell) -> str:
    if not row.lead.is_readable(cell.field) and row.card.block:
        return str(row.card.cells.get(cell.name, ""))
    return row.lead.lines.get(cell.name, "")


def plan_block(row: LeadRow, draft: Draft) -> None:
    """The managed block, if a line of it or the marker must be written."""
    of = row.decided.decision.cells
    decisions = [(cell, of[cell.field]) for cell in row.rules.cells if cell.is_line]
    if not row.decided.decision.restores_marker and not WRITES_BLOCK & {decision for _, decision in decisions}:
        _record_lines(row, decisions)
        return
    block = block_of(row)
    too_long = len(with_block(row.card.description, row.lead_id, block)) - TRELLO_TEXT_LIMIT
    if too_long > 0:
        row.set_aside("marker", "the card's description is full", f"Shorten it by {too_long} characters.")
        return
    draft.block = block
    for cell, decision in decisions:
        if decision is not CellDecision.QUARANTINED:
            draft.card_record |= dict.fromkeys(sides_of(cell.name), row.lead.cells[cell.name])
    draft.card_changes.extend(_block_changes(row, decisions))


def _record_lines(row: LeadRow, decisions: list[tuple[Cell, CellDecision]]) -> None:
    """What the card shows already; a line that a write is to bring is agreed with that write, never before it."""
    for cell, decision in decisions:
        is_new = cell.name not in row.agreed.lead_cells
        if decision is CellDecision.AGREED or (decision is CellDecision.UNCHANGED and is_new):
            row.record(**_columns(cell, row.lead.cells[cell.name], row.card.cells[cell.name]))


def _block_changes(row: LeadRow, decisions: list[tuple[Cell, CellDecision]]) -> Iterator[Change]:
    if row.decided.decision.restores_marker:
        note = "deleted marker restored" if row.is_known else "card adopted"
        yield row.change("marker", "", f"LeadID: {row.lead_id}", Direction.TO_TRELLO, note)
    for cell, decision in decisions:
        if decision in WRITES_BLOCK:
            note = "hand edit inside the block restored" if decision is CellDecision.RESTORE else ""
            before = row.card.cells[cell.name] or row.agreed.lead_cells.get(cell.name, "")
            yield row.change(cell.field, str(before), str(row.lead.cells[cell.name]), Direction.TO_TRELLO, note)
