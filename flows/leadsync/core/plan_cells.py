"""What each decision about status and name writes, records and lists. Pure. Never here: any other cell, a whole row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from leadsync.core.conflicts import UNDONE
from leadsync.core.decisions import CellDecision, Direction
from leadsync.core.draft import Draft, LeadRow
from leadsync.core.plan import CellWrite
from leadsync.frames.agreed import Columns
from leadsync.model import ConflictPolicy

Planner = Callable[[LeadRow, Draft], None]
# policy -> (what a conflict becomes, how it is listed)
RESOLUTIONS: Final = {
    ConflictPolicy.AIRTABLE: (CellDecision.TO_TRELLO, "Airtable wins"),
    ConflictPolicy.TRELLO: (CellDecision.TO_AIRTABLE, "Trello wins"),
    ConflictPolicy.HOLD: (CellDecision.HELD, "held: make both equal by hand"),
}


FILLS: Final = (CellDecision.TO_TRELLO, CellDecision.TO_AIRTABLE, CellDecision.MERGED)
"""Decisions that would write over one of two values which an undo has left apart, until a person makes both equal."""


def resolve_status(row: LeadRow, draft: Draft) -> CellDecision:
    """The decision about the status, a conflict turned into what the policy says."""
    base = row.rules.status_map.effective(row.agreed.status) if row.agreed.stage else None
    return resolve(row, draft, "status", row.lead.status, row.decided.decision.stage, base)


def resolve_name(row: LeadRow, draft: Draft) -> CellDecision:
    """The same of the name. A title that was emptied is no second value that could wait beside the lead's."""
    base, title = row.agreed.name if row.agreed.title else None, row.card.title
    return resolve(row, draft, "name", row.lead.name, title, base, FILLS if title or base is None else ())


def resolve(
    row: LeadRow,
    draft: Draft,
    field: str,
    airtable: str,
    trello: str,
    base: str | None,
    fills: Collection[CellDecision] = FILLS,
) -> CellDecision:
    """
    The decision about a cell, a conflict as the policy says, and listed.

    `base`: None if it was never agreed. `fills`: decisions that are none while an undo has the cell wait for a person.
    """
    decision = row.decided.decision.cells[field]
    undone = row.rules.name_of(field) in row.rules.undone.get(row.lead_id, ())
    if undone and decision in fills:
        decision = CellDecision.CONFLICT
    if decision is not CellDecision.CONFLICT:
        return decision
    is_held = undone and row.rules.wins is None
    decision, resolution = RESOLUTIONS[ConflictPolicy.HOLD if is_held else row.rules.policy_of(field)]
    kind = UNDONE if undone else "first match" if base is None else "conflict"
    conflict = row.conflict(field, airtable, trello, kind, resolution, base)
    if decision is not CellDecision.HELD:
        to_card = decision is CellDecision.TO_TRELLO
        (draft.card_conflicts if to_card else draft.lead_conflicts).append(conflict)
    return decision


def _status_unchanged(row: LeadRow, draft: Draft) -> None:
    if row.is_known:
        row.record(status=row.lead.status, due_complete=row.card.due_complete)


def _status_agreed(row: LeadRow, draft: Draft) -> None:
    stage, due = row.decided.decision.stage, row.card.due_complete
    if stage == row.card.stage:
        row.record(status=row.lead.status, stage=stage, due_complete=due)
    else:
        _move_card(row, draft, stage, "marked done")
        draft.card_record |= {"status": row.lead.status, "stage": stage, "due_complete": due}


def _status_to_trello(row: LeadRow, draft: Draft) -> None:
    stage = row.rules.status_map.stage_of_cell(row.lead.status)
    due = row.card.due_complete
    if due and row.rules.closing.clears_tick(row.decided.decision.stage, row.card.stage, stage):
        due = draft.due_complete = False
    if stage != row.card.stage:
        _move_card(row, draft, stage)
    else:
        draft.card_changes.append(row.change("status", "done", "not done", Direction.TO_TRELLO))
    draft.card_record |= {"status": row.lead.status, "stage": stage, "due_complete": due}


def _status_to_airtable(row: LeadRow, draft: Draft) -> None:
    stage = row.decided.decision.stage
    status = row.rules.status_map.put(stage, row.lead.status)
    if stage != row.card.stage:
        _move_card(row, draft, stage, "marked done")
    record: Columns = {"status": status, "stage": stage, "due_complete": row.card.due_complete}
    change = row.change("status", row.lead.status, status, Direction.TO_AIRTABLE)
    draft.lead_cells["status"] = CellWrite(status, record, change)


def _nothing_to_write(row: LeadRow, draft: Draft) -> None:
    """Held, or set aside with its reason by reconcile."""


def _move_card(row: LeadRow, draft: Draft, stage: str, note: str = "") -> None:
    draft.stage = stage
    draft.card_changes.append(row.change("status", row.card.stage or "parked", stage, Direction.TO_TRELLO, note))


NOT_AGREED: Final = (CellDecision.PARKED, CellDecision.HELD, CellDecision.QUARANTINED)
"""Decisions that leave the status as it is on both sides."""

STATUS_PLANNERS: Final[Mapping[CellDecision, Planner]] = {
    CellDecision.UNCHANGED: _status_unchanged,
    CellDecision.AGREED: _status_agreed,
    CellDecision.TO_TRELLO: _status_to_trello,
    CellDecision.TO_AIRTABLE: _status_to_airtable,
    CellDecision.RESTORE: _status_to_trello,
    CellDecision.PARKED: _nothing_to_write,
    CellDecision.HELD: _nothing_to_write,
    CellDecision.QUARANTINED: _nothing_to_write,
}


def _name_agreed(row: LeadRow, draft: Draft) -> None:
    row.record(name=row.lead.name, title=row.card.title)


def _name_to_trello(row: LeadRow, draft: Draft) -> None:
    restored = row.is_known and row.lead.name == row.agreed.name and row.card.title == ""
    note = "emptied title restored" if restored else ""
    draft.title = row.lead.title
    draft.card_record |= {"name": row.lead.name, "title": row.lead.title}
    draft.card_changes.append(row.change("name", row.card.title, row.lead.title, Direction.TO_TRELLO, note))


def _name_to_airtable(row: LeadRow, draft: Draft) -> None:
    title = row.card.title
    change = row.change("name", row.lead.name, title, Direction.TO_AIRTABLE)
    draft.lead_cells["name"] = CellWrite(title, {"name": title, "title": title}, change)


NAME_PLANNERS: Final[Mapping[CellDecision, Planner]] = {
    CellDecision.UNCHANGED: _nothing_to_write,
    CellDecision.AGREED: _name_agreed,
    CellDecision.TO_TRELLO: _name_to_trello,
    CellDecision.TO_AIRTABLE: _name_to_airtable,
    CellDecision.RESTORE: _name_to_trello,
    CellDecision.HELD: _nothing_to_write,
    CellDecision.QUARANTINED: _nothing_to_write,
}
