"""
Which side of a cell that is set aside can be taken by a person, and what the other side would be given. Pure.

Never here: why a cell is set aside (see reconcile.py), what is written because one was taken (see taking.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from leadsync.core.cells import says_nothing
from leadsync.frames.agreed import Agreed
from leadsync.frames.cards import Card
from leadsync.frames.leads import Lead
from leadsync.mapping.cells import Cell
from leadsync.mapping.rules import ONE_WAY_WINS, Rules
from leadsync.model import ConflictPolicy

ELSEWHERE: Final = "another list ({list_id})"
"""How a card's list is told that the status map does not name."""


class Stand(StrEnum):
    """How the value of one side stands."""

    SAID = "said"  # it can be read, and the other side can hold what it means
    MEANINGLESS = "meaningless"
    UNREADABLE = "unreadable"


_ONE_WAY: Final = "the mapping takes this cell the other way only"
_MEANINGLESS: Final = "it means nothing on the other side"
_UNREADABLE: Final = "it cannot be read"

# (how a side's value stands, the mapping lets it go to the other side) -> why it cannot be taken, "" if it can
OBJECTIONS: Final[Mapping[tuple[Stand, bool], str]] = {
    (Stand.SAID, True): "",
    (Stand.SAID, False): _ONE_WAY,
    (Stand.MEANINGLESS, True): _MEANINGLESS,
    (Stand.MEANINGLESS, False): _MEANINGLESS,
    (Stand.UNREADABLE, True): _UNREADABLE,
    (Stand.UNREADABLE, False): _UNREADABLE,
}


@dataclass(frozen=True)
class Side:
    """
    What one side holds, in words, and what the other is given if this one is taken. `objection`: why it cannot be, ""
    if it can.
    """

    told: str
    gives: str
    objection: str


Sides = Mapping[ConflictPolicy, Side]
"""Both sides of a cell, by whom would win."""


def sides_of_aside(field: str, agreed: Agreed, lead: Lead, card: Card, stage: str, rules: Rules) -> Sides:
    """A cell of a lead and its open card. `stage`: the card's, as judged against the base."""
    cell = next((each for each in rules.cells if each.field == field), None)
    if cell is not None:
        airtable, trello = _of_lead(cell, lead, card), _of_card(cell, lead, card)
    elif field == "status":
        airtable, trello = _status(lead, rules), _stage(lead, card, stage, rules)
    else:
        nothing = says_nothing(agreed, lead, card, rules.fallback)
        airtable = Stand.SAID, lead.name, lead.title
        trello = Stand.MEANINGLESS if nothing else Stand.SAID, card.title, card.title
    broken = {ConflictPolicy.AIRTABLE: lead.broken(field), ConflictPolicy.TRELLO: card.broken(field)}
    winner = ONE_WAY_WINS.get(rules.way_of(field))
    found = {}
    for policy, (stand, told, gives) in zip(broken, (airtable, trello), strict=True):
        if of := broken[policy]:
            stand, told = Stand.UNREADABLE, of.text or of.holds
        objection = OBJECTIONS[stand, winner in (None, policy)]
        found[policy] = Side(told, "" if objection else gives, objection)
    return found


Found = tuple[Stand, str, str]
"""How a value stands if it can be read, what it is in words, and what it would become on the other side."""
NOTHING: Final[Found] = (Stand.MEANINGLESS, "", "")


def _status(lead: Lead, rules: Rules) -> Found:
    wanted = rules.status_map.stage_of_cell(lead.status)
    return Stand.SAID if wanted else Stand.MEANINGLESS, lead.status, wanted


def _stage(lead: Lead, card: Card, stage: str, rules: Rules) -> Found:
    if stage == "":
        return Stand.MEANINGLESS, ELSEWHERE.format(list_id=card.list_id), ""
    return Stand.SAID, stage, rules.status_map.put(stage, lead.status)


def _of_lead(cell: Cell, lead: Lead, card: Card) -> Found:
    if cell.name not in lead.cells:
        return NOTHING
    value, told = lead.cells[cell.name], cell.told_by_airtable(lead.cells[cell.name])
    term = cell.airtable.get(value)
    if term is None or value != cell.without_lacking(value):
        return Stand.MEANINGLESS, told, ""
    shown = cell.trello.put(term, card.cells.get(cell.name, cell.card.read_nothing()))
    return Stand.SAID, told, cell.told_by_trello(shown)


def _of_card(cell: Cell, lead: Lead, card: Card) -> Found:
    if cell.name not in card.cells:
        return NOTHING
    value, told = card.cells[cell.name], cell.told_by_trello(card.cells[cell.name])
    term = cell.trello.get(value)
    if term is None:
        return Stand.MEANINGLESS, told, ""
    held = cell.without_lacking(lead.cells.get(cell.name, cell.column.read_nothing()))
    return Stand.SAID, told, cell.told_by_airtable(cell.airtable.put(term, held))
