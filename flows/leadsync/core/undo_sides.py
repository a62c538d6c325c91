"""
What each side of one cell must be given so that it is as before a run, or why it is left as it is. Pure.

Never here: the writes themselves (see undo.py), a card as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from leadsync.core.entries import columns_of, held_by, is_of_lead
from leadsync.core.taken_back import TakenBack
from leadsync.frames.agreed import Columns
from leadsync.frames.cards import Card
from leadsync.frames.leads import Lead, LeadPresence
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import Value
from leadsync.mapping.properties import Way
from leadsync.mapping.rules import Rules

EDITED: Final = "edited since that run"
TICK: Final = "due_complete"
"""A column that goes along with the list: it tells nothing of who moved the card."""


@dataclass(frozen=True)
class Sides:
    """
    A cell as both sides hold it `now`, and what either must be given, in columns of the base; {} if nothing.

    `reason`: why it is left as it is, "" if it is not; `agreed`: what is agreed all the same.
    """

    now: Columns
    to_card: Columns
    to_lead: Columns
    reason: str = ""
    agreed: Columns = field(default_factory=dict)


def sides_of_cell(of: TakenBack, cell: Cell | None, lead: Lead, card: Card, is_there: bool, rules: Rules) -> Sides:
    """`cell`: of the mapping, None for status and name. `is_there`: whether the card can be written."""
    names = columns_of(of.field, cell)
    now = {} if cell is None and of.field not in OWN_FIELDS else held_by(lead, card, names)
    reason = _obstacle(of, now, lead, card, is_there, rules)
    if reason:
        return Sides(now, {}, {}, reason)
    to_card, to_lead = (_wanted(of, cell, now, is_lead) for is_lead in (False, True))
    if to_card is None or to_lead is None:
        is_half = of.is_put and to_card == {} and not of.apart  # the lead holds the only edit: the card's value is ours
        tick = {TICK: now[TICK]} if TICK in now else {}
        return Sides(now, {}, {}, EDITED, {**of.agreed, **tick} if is_half else {})
    return Sides(now, to_card, to_lead, _unwritable(cell, to_card, to_lead))


OWN_FIELDS: Final = ("status", "name")


def _obstacle(of: TakenBack, now: Columns, lead: Lead, card: Card, is_there: bool, rules: Rules) -> str:
    if not lead.is_readable(of.field) or not card.is_readable(of.field):
        return "the cell cannot be read"
    if lead.presence != LeadPresence.PRESENT:
        return "its lead is not there"
    if not is_there:
        return "its card is not on the board"
    if any(name in of.left and of.target.get(name) is None for name in now if name != TICK):
        return "what it held before could not be read"
    if not now or any(of.target.get(name) is None for name in now if name != TICK):
        return "the mapping of that run is another"
    stage = of.target.get("stage")
    if stage == "":
        return "its card lay in a list outside SYNC_STATUS_MAP"
    if stage is not None and stage not in rules.status_map.stages:
        return f"its list of then, {stage!r}, is not in SYNC_STATUS_MAP"
    return ""


def _wanted(of: TakenBack, cell: Cell | None, now: Columns, is_lead: bool) -> Columns | None:
    """
    What one side must be given, {} if it holds it already; None if somebody has edited it.

    Values are compared by what they mean, and what else is in them stays.
    """
    wanted: Columns = {}
    for name, value in now.items():
        target, left = of.target.get(name), of.left.get(name)
        if name == TICK or is_of_lead(name) is not is_lead or _is_same(cell, value, target, is_lead):
            continue
        if not _is_same(cell, value, left, is_lead):
            return None
        wanted[name] = target if value == left else _put(cell, target, value, is_lead)
    return wanted


def _is_same(cell: Cell | None, one: Value | None, other: Value | None, is_lead: bool) -> bool:
    if one == other or cell is None or cell.is_line or one is None or other is None:
        return one == other
    lens = cell.airtable if is_lead else cell.trello
    term = lens.get(one)
    return bool(term is not None and term == lens.get(other))


def _put(cell: Cell | None, target: Value | None, value: Value | None, is_lead: bool) -> Value | None:
    if cell is None or cell.is_line or target is None or value is None:
        return target
    lens = cell.airtable if is_lead else cell.trello
    term = lens.get(target)
    return target if term is None else lens.put(term, value)


def _unwritable(cell: Cell | None, to_card: Columns, to_lead: Columns) -> str:
    if cell and to_lead and cell.column.is_computed:
        return f"column {cell.row.airtable!r} is computed"
    if cell and to_card and Way.TO_TRELLO not in cell.card.ways:
        return f"{cell.card} of a card cannot be written"
    return ""
