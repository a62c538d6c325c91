"""
Who moved a cell away from the base, for one lead and each of its cells. Pure.

Status and name have rules of their own, and so has a line of the block; every other cell is decided by its lenses (see
compared.py). Never here: what is written because of it (see plan_cells.py). Signature order everywhere: agreed, lead,
card.
"""

from __future__ import annotations

from leadsync.core.compared import Compared
from leadsync.core.decisions import CELL_DECISIONS, LINE_DECISIONS, CellDecision
from leadsync.frames.agreed import Agreed
from leadsync.frames.block import one_line, plain
from leadsync.frames.cards import Card
from leadsync.frames.leads import Lead
from leadsync.mapping.cells import Cell
from leadsync.mapping.rules import TITLE_FALLBACK
from leadsync.model import StatusMap


def decide_status(agreed: Agreed, lead: Lead, card: Card, stage: str, status_map: StatusMap) -> CellDecision:
    """Equal if the status belongs into the card's list. `stage`: as judged."""
    wanted = status_map.stage_of_cell(lead.status)
    if wanted == "" or not lead.is_readable("status"):
        return CellDecision.QUARANTINED
    if stage == "":
        return CellDecision.PARKED
    never_agreed = agreed.stage == ""
    status_moved = never_agreed or status_map.effective(lead.status) != status_map.effective(agreed.status)
    return CELL_DECISIONS[wanted == stage, status_moved, never_agreed or stage != agreed.stage]


def decide_name(agreed: Agreed, lead: Lead, card: Card, email: str = "") -> CellDecision:
    """
    An emptied title and a fallback title say nothing; a first match fills an empty name from the card.

    A title that Trello gave back otherwise than we sent it was agreed as such: unequal, and still unchanged. `email`:
    the cell that a title falls back to.
    """
    if not lead.is_readable("name"):
        return CellDecision.QUARANTINED
    agreed_before = agreed.title != ""
    name_moved = lead.name != (agreed.name if agreed_before else "")
    title_moved = not (agreed_before and card.title == agreed.title)
    as_returned = agreed_before and lead.name != "" and not name_moved and not title_moved
    equal = card.title == lead.title or as_returned
    if equal and not agreed_before:  # a fallback, too: a name typed later is then a move
        return CellDecision.AGREED
    decision = CELL_DECISIONS[equal, name_moved, title_moved and not says_nothing(agreed, lead, card, email)]
    untitled = lead.name == "" and not lead.is_readable(TITLE_FALLBACK)  # nobody knows its fallback
    if untitled and decision in (CellDecision.TO_TRELLO, CellDecision.CONFLICT):
        return CellDecision.QUARANTINED
    return decision


def says_nothing(agreed: Agreed, lead: Lead, card: Card, email: str) -> bool:
    """Whether a title is no name: emptied, or a fallback. `email`: see decide_name."""
    return card.title == "" or _is_fallback(agreed.title != "", lead, card, email)


def _is_fallback(agreed_before: bool, lead: Lead, card: Card, email: str) -> bool:
    """
    A title that is only there because a lead had no name: its e-mail, or "Unnamed lead rec…".

    Where a title was never agreed, the lead may have got a name or another e-mail since: the card's own block shows
    which e-mail the title was made of. Where one was, a person may give a named lead that very title.
    """
    if agreed_before and lead.name != "":
        return False
    shown = plain(one_line(card.title))
    of_email = card.title == lead.email or (shown != "" and shown == lead.cells.get(email))
    of_former_email = not agreed_before and shown != "" and shown == card.cells.get(email)
    return of_email or of_former_email or card.title.startswith("Unnamed lead rec")


def decide_cell(cell: Cell, agreed: Agreed, lead: Lead, card: Card) -> CellDecision:
    """A cell of the mapping; one that cannot be read is set aside, on whichever side."""
    if not (lead.is_readable(cell.field) and card.is_readable(cell.field)):
        return CellDecision.QUARANTINED
    return _decide_line(cell, agreed, lead, card) if cell.is_line else Compared.of(cell, agreed, lead, card).decision


def _decide_line(cell: Cell, agreed: Agreed, lead: Lead, card: Card) -> CellDecision:
    """A bare marker only grows into a block when a lead's value moved. What Trello made of a line itself is no edit."""
    wanted, now = lead.cells[cell.name], card.cells[cell.name]
    known = cell.name in agreed.lead_cells
    moved = known and wanted != agreed.lead_cells[cell.name]
    altered_by_trello = known and not moved and now == agreed.card_cells[cell.name] != ""
    stale = card.block and now != wanted and not altered_by_trello
    return LINE_DECISIONS[moved or (stale and not known), stale, card.block]
