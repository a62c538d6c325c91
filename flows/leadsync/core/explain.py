"""
Why a lead is as it is: what was agreed, what both sides hold, and the rule that decides about each cell. Pure.

Never here: what a run would write because of it (see plan_rows.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from leadsync.core.decide import COMPARED, decide
from leadsync.core.decisions import CellDecision, RowDecision
from leadsync.core.entries import columns_of, held_by, told_of
from leadsync.core.ledger import Told
from leadsync.frames.agreed import Agreed, Columns
from leadsync.frames.cards import Card, CardPresence
from leadsync.frames.leads import Lead, LeadPresence
from leadsync.mapping.cells import Cell
from leadsync.mapping.rules import Rules
from leadsync.model import ConflictPolicy

ROWS: Final = {
    RowDecision.CREATE: "It has no card: one is created.",
    RowDecision.COMPARE: "Lead and card are both there: each cell is compared with what was agreed.",
    RowDecision.UNARCHIVE: "Its card is archived and the lead came back, or into an open list: the card is opened.",
    RowDecision.STAY_ARCHIVED: "Its card is archived, and stays so until the lead comes into an open list.",
    RowDecision.STAY_DELETED: "Its card was deleted, and is created again once the lead's status is edited.",
    RowDecision.LEAVE: "Lead or card is out of sight: both are left alone.",
    RowDecision.ARCHIVE: "The lead was deleted: its card is archived.",
    RowDecision.KEEP_MOVED: "The lead was deleted and its card edited since: that is left for a person to decide.",
    RowDecision.FORGET: "Lead and card are both gone: it is forgotten.",
    RowDecision.ORPHAN: "A card names it, and the table has no such lead: it is reported.",
    RowDecision.IGNORE: "A card that names it is archived, and the table has no such lead: nothing is done.",
    RowDecision.QUARANTINED: "It is set aside: it is unclear which card is its own, or its status is unknown.",
}
CELLS: Final = {
    CellDecision.UNCHANGED: "neither side moved",
    CellDecision.AGREED: "both sides say the same by now: that becomes what was agreed",
    CellDecision.TO_TRELLO: "only Airtable moved: its value goes to Trello",
    CellDecision.TO_AIRTABLE: "only Trello moved: its value goes to Airtable",
    CellDecision.RESTORE: "the other side alone decides about it: the edit is put back",
    CellDecision.MERGED: "both sides moved: their edits are taken together",
    CellDecision.APART: "since the mapping changed the two values mean different things: they are left",
    CellDecision.PARKED: "the card lies in a list outside the map: its status is left",
    CellDecision.HELD: "a conflict that waits for a person",
    CellDecision.QUARANTINED: "it cannot be read, or means nothing on the other side: it is set aside",
}
WINNERS: Final = {
    ConflictPolicy.AIRTABLE: "Airtable wins",
    ConflictPolicy.TRELLO: "Trello wins",
    ConflictPolicy.HOLD: "both stay until a person makes them equal",
}


@dataclass(frozen=True)
class ExplainedCell:
    """One cell. `base`: None if nothing was agreed. `rule`: which one decides, in words."""

    field: str
    base: Told | None
    now: Told
    decision: CellDecision
    rule: str


@dataclass(frozen=True)
class Explained:
    """
    One lead. `rule`: which one decides about it as a whole, in words. `lead`, `card`: where they are, "" if nowhere.

    `cells`: none where they are not compared.
    """

    lead_id: str
    card_id: str
    name: str
    lead: str
    card: str
    card_url: str
    decision: RowDecision
    rule: str
    cells: tuple[ExplainedCell, ...]


def explain(lead_id: str, agreed: Agreed, lead: Lead, card: Card, rules: Rules) -> Explained:
    """Of leads that nothing is known of, too. Raises: KeyError if neither side nor the base knows it."""
    decision = decide(agreed, lead, card, rules)
    cells: list[ExplainedCell] = []
    fields = ("status", "name", *(cell.field for cell in rules.cells)) if decision.row in COMPARED else ()
    for field in fields:
        cell = next((each for each in rules.cells if each.field == field), None)
        names = columns_of(field, cell)
        base: Columns = {name: agreed.get(name) for name in names}
        cells.append(
            ExplainedCell(
                field,
                told_of(field, cell, base) if _is_known(field, cell, agreed) else None,
                told_of(field, cell, held_by(lead, card, names)),
                decision.cells[field],
                _rule(field, cell, decision.cells[field], agreed, lead, card, rules),
            )
        )
    return Explained(
        lead_id,
        card.card_id or agreed.card_id,
        lead.title or agreed.title,
        lead.presence or agreed.lead_presence,
        card.presence or agreed.card_presence,
        card.url,
        decision.row,
        ROWS[decision.row],
        tuple(cells),
    )


def at_rest(lead_id: str, agreed: Agreed) -> tuple[Lead, Card]:
    """A lead that did not move, and its card: as they were agreed."""
    lead = Lead(lead_id, agreed.lead_presence, agreed.name, "", agreed.status, agreed.title, agreed.lead_cells)
    away = agreed.card_presence == CardPresence.ARCHIVED_BY_US
    card = Card(
        agreed.card_id,
        CardPresence.ARCHIVED if away else agreed.card_presence,
        lead_id,
        1,
        agreed.stage,
        title=agreed.title,
        due_complete=agreed.due_complete,
        block=True,
        cells=agreed.card_cells,
    )
    return lead if agreed.lead_presence == LeadPresence.PRESENT else Lead(lead_id, agreed.lead_presence), card


def _is_known(field: str, cell: Cell | None, agreed: Agreed) -> bool:
    if cell is not None:
        return cell.name in agreed.lead_cells
    return (agreed.stage if field == "status" else agreed.title) != ""


def _rule(
    field: str, cell: Cell | None, decision: CellDecision, agreed: Agreed, lead: Lead, card: Card, rules: Rules
) -> str:
    if rules.name_of(field) in rules.undone.get(lead.lead_id, ()) and decision is not CellDecision.UNCHANGED:
        return "what had settled it was undone: both stay until a person makes them equal"
    met = not _is_known(field, cell, agreed)
    if decision is CellDecision.CONFLICT:
        policy = rules.policy_of(field)
        why = "both met for the first time and differ" if met else "both sides moved apart"
        return f"{why}: {WINNERS[policy]}"
    if met and decision in (CellDecision.TO_TRELLO, CellDecision.TO_AIRTABLE):
        side = "Trello" if decision is CellDecision.TO_TRELLO else "Airtable"
        return f"both met for the first time, and {side} says nothing"
    return CELLS[decision]
