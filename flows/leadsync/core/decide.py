"""
What becomes of one lead: a pure function of what was agreed, the lead, and the card.

Never here: how the three are found (see diff.py, identity.py), what is written because of it (see plan_rows.py).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from leadsync.core.cells import decide_cell, decide_name, decide_status
from leadsync.core.decisions import ARCHIVED, ONE_WAY, ROW_DECISIONS, CellDecision, Decision, RowDecision
from leadsync.frames.agreed import Agreed
from leadsync.frames.cards import Card, CardPresence
from leadsync.frames.leads import Lead, LeadPresence
from leadsync.mapping.cells import Cell
from leadsync.mapping.properties import Way
from leadsync.mapping.rules import Rules
from leadsync.model import OnCardDeleted, OnLeadDeleted, StatusMap

COMPARED: Final = (RowDecision.COMPARE, RowDecision.UNARCHIVE)


def decide(
    agreed: Agreed,
    lead: Lead,
    card: Card,
    rules: Rules,
    claimed: Collection[str] = (),
    withheld: Collection[str] = (),
) -> Decision:
    """
    Decide about one lead. NEVER_AGREED, NO_LEAD and NO_CARD stand for what is not there.

    `claimed`: leads that a card names of which it is unclear whose it is; they get no new card. `withheld`: leads whose
    own card was set aside.
    """
    stage = rules.closing.judged(agreed.stage, card.stage, agreed.due_complete, card.due_complete)
    row = _decide_row(agreed, lead, card, stage, rules, claimed, withheld)
    if row not in COMPARED:
        return Decision(row, stage, _untouched(rules), quiet=_is_told(row, agreed, lead, card, rules.status_map))
    status = decide_status(agreed, lead, card, stage, rules.status_map)
    if row is RowDecision.UNARCHIVE and status not in SETTLED_BY_LEAD:
        status = CellDecision.TO_TRELLO
    cells = {"status": status, "name": decide_name(agreed, lead, card, rules.fallback)}
    cells = {field: ONE_WAY[rules.way_of(field)].get(decision, decision) for field, decision in cells.items()}
    cells |= {cell.field: decide_cell(cell, agreed, lead, card) for cell in rules.cells}
    restores_marker = card.lead_id == ""
    quiet = row is RowDecision.COMPARE and not restores_marker and _is_settled(cells, agreed, lead, card, rules)
    return Decision(row, stage, cells, restores_marker, quiet)


SETTLED_BY_LEAD: Final = (CellDecision.UNCHANGED, CellDecision.AGREED, CellDecision.QUARANTINED)
"""Decisions about a status that stand when a card is un-archived; in all other cases it goes where its lead says."""


def _untouched(rules: Rules) -> dict[str, CellDecision]:
    return dict.fromkeys(("status", "name", *(cell.field for cell in rules.cells)), CellDecision.UNCHANGED)


def _decide_row(
    agreed: Agreed,
    lead: Lead,
    card: Card,
    stage: str,
    rules: Rules,
    claimed: Collection[str],
    withheld: Collection[str],
) -> RowDecision:
    lead_id = agreed.lead_id or lead.lead_id
    if lead_id in withheld:
        return RowDecision.QUARANTINED
    there = card.presence or agreed.card_presence
    there = CardPresence.ARCHIVED if there == CardPresence.ARCHIVED_BY_US else there
    row = ROW_DECISIONS[lead.presence or agreed.lead_presence, there]
    if row is RowDecision.STAY_ARCHIVED and is_wanted_back(agreed, lead, rules):
        return RowDecision.UNARCHIVE
    if row is RowDecision.STAY_DELETED and _is_wanted_again(agreed, lead, rules):
        row = RowDecision.CREATE
    if row is RowDecision.CREATE and (lead_id in claimed or not _has_stage(lead, rules.status_map)):
        return RowDecision.QUARANTINED
    if row is RowDecision.ARCHIVE and rules.on_lead_deleted == OnLeadDeleted.LEAVE:
        return RowDecision.LEAVE
    if row is RowDecision.ARCHIVE and _was_moved(agreed, card, stage, rules):
        return RowDecision.KEEP_MOVED
    return row


def is_wanted_back(agreed: Agreed, lead: Lead, rules: Rules) -> bool:
    """Whether an archived card's lead has since come into a list that is not closed, or, deleted, has come back."""
    now, then = map(rules.status_map.stage_of_cell, (lead.status, _last_seen(agreed, lead)))
    returned = agreed.lead_presence == LeadPresence.GONE and agreed.card_presence == CardPresence.ARCHIVED_BY_US
    return returned or (now != "" and now not in rules.closing.lists and now != then)


def _is_wanted_again(agreed: Agreed, lead: Lead, rules: Rules) -> bool:
    """Whether a deleted card is created again: an edit beats a delete."""
    now, then = map(rules.status_map.effective, (lead.status, _last_seen(agreed, lead)))
    recreated = rules.on_card_deleted == OnCardDeleted.RECREATE
    return recreated or now != then or agreed.lead_presence == LeadPresence.GONE


def _last_seen(agreed: Agreed, lead: Lead) -> str:
    """The lead's status when its card was last known to be shut or parked, or was last agreed; its own if never."""
    if agreed.seen_status != "" or agreed.card_presence in (*ARCHIVED, CardPresence.DELETED):
        return agreed.seen_status
    return agreed.status if agreed.stage != "" else lead.status


def _has_stage(lead: Lead, status_map: StatusMap) -> bool:
    return lead.is_readable("status") and status_map.stage_of_cell(lead.status) != ""


def _was_moved(agreed: Agreed, card: Card, stage: str, rules: Rules) -> bool:
    """
    The card of a deleted lead is archived, unless a person has edited or un-archived it since the base.

    One that was never in step with its lead, in status or name, is nothing but a person's own.
    """
    restaged = agreed.stage not in ("", stage)
    retitled = agreed.title not in ("", card.title)
    edited = any(_was_edited(cell, agreed, card) for cell in rules.cells if cell.name in card.cells)
    own = agreed.stage == agreed.title == ""
    return restaged or retitled or edited or own or agreed.card_presence == CardPresence.ARCHIVED_BY_US


def _was_edited(cell: Cell, agreed: Agreed, card: Card) -> bool:
    """
    Whether the card says something of its own in a cell.

    Where it alone decides, it is made without a value, and the base knows of none until a later run has read it.
    """
    if cell.way is Way.TO_TRELLO:
        return False
    now = cell.trello.get(card.cells[cell.name])
    if cell.name in agreed.card_cells:
        return bool(now != cell.trello.get(agreed.card_cells[cell.name]))
    is_editable = Way.BOTH in cell.card.ways  # its address is not
    return is_editable and cell.way is Way.TO_AIRTABLE and bool(now)


def _is_settled(cells: dict[str, CellDecision], agreed: Agreed, lead: Lead, card: Card, rules: Rules) -> bool:
    """Whether a lead and its open card are, to the last column, as the base has them."""
    names = [cell.name for cell in rules.cells]
    compared = [cell.name for cell in rules.cells if not cell.is_line]
    return (
        all(decision is CellDecision.UNCHANGED for decision in cells.values())
        and (agreed.lead_presence, agreed.card_presence) == (LeadPresence.PRESENT, CardPresence.OPEN)
        and (card.card_id, card.due_complete) == (agreed.card_id, agreed.due_complete)
        and lead.status == agreed.status  # an empty one and the first one are equal, and yet two
        and agreed.seen_status == ""
        and all(name in agreed.lead_cells for name in names)
        and all(lead.cells[name] == agreed.lead_cells[name] for name in compared)
        and all(card.cells[name] == agreed.card_cells[name] for name in compared)
    )


def _is_told(row: RowDecision, agreed: Agreed, lead: Lead, card: Card, status_map: StatusMap) -> bool:
    """Whether the base says already what there is to say of a card that is shut, or of a lead out of view."""
    if row is RowDecision.STAY_ARCHIVED:
        known = agreed.card_presence in ARCHIVED and agreed.lead_presence == LeadPresence.PRESENT
        return known and lead.status == agreed.seen_status
    if row not in (RowDecision.LEAVE, RowDecision.STAY_DELETED):
        return False
    same_lead = lead.presence in ("", agreed.lead_presence)
    if lead.presence == LeadPresence.PRESENT:
        same_lead &= status_map.effective(lead.status) == status_map.effective(agreed.seen_status)
    by_us = agreed.card_presence == CardPresence.ARCHIVED_BY_US and card.presence == CardPresence.ARCHIVED
    return same_lead and (by_us or card.presence in ("", agreed.card_presence))
