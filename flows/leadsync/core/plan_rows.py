"""Decisions in, a plan out, row by row. Pure. Never here: what a cell needs (see plan_cells.py, plan_mapped.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from leadsync.core.conflicts import OpenConflicts
from leadsync.core.decisions import Direction, RowDecision
from leadsync.core.draft import Draft, LeadRow
from leadsync.core.entries import entry_of
from leadsync.core.plan import CardWrite, LeadWrite, Plan
from leadsync.core.plan_cells import (
    NAME_PLANNERS,
    NOT_AGREED,
    STATUS_PLANNERS,
    resolve_name,
    resolve_status,
)
from leadsync.core.plan_mapped import block_of, plan_block, plan_cell, plan_new_card
from leadsync.core.reconcile import Reconciled
from leadsync.core.told import Change
from leadsync.frames.agreed import Columns
from leadsync.frames.cards import CardPresence
from leadsync.frames.leads import LeadPresence
from leadsync.mapping.rules import Rules


def build_plan(reconciled: Reconciled, rules: Rules) -> Plan:
    """Turn decisions into writes; leads that are quiet cost nothing here."""
    sides = {decided.lead_id: (decided.lead, decided.card) for decided in reconciled.decided}
    plan = Plan(quarantine=list(reconciled.quarantine), sides=sides, still_open=OpenConflicts(among=reconciled.known))
    for decided in reconciled.decided:
        plan.still_open.unseen.update(decided.unseen(rules))
        if not decided.decision.quiet:
            ROW_PLANNERS[decided.decision.row](LeadRow(plan, rules, decided))
    return plan


def _create(row: LeadRow) -> None:
    stage, lead = row.rules.status_map.stage_of_cell(row.lead.status), row.lead
    record: Columns = {
        "lead_presence": LeadPresence.PRESENT,
        "card_presence": CardPresence.OPEN,
        "stage": stage,
        "due_complete": False,
        "seen_status": "",
        "status": lead.status,
        "name": lead.name,
        "title": lead.title,
    }
    if row.is_known:
        record |= row.never_agreed
    draft = Draft(block=block_of(row), card_record=record)
    for cell in row.rules.cells:
        plan_new_card(cell, row, draft)
    note = "created again" if row.is_known else ""
    change = Change(row.lead_id, "", "card", "", f"{lead.title[:80]} in {stage}", Direction.TO_TRELLO, note)
    write = CardWrite(
        row.lead_id,
        "",
        stage,
        lead.title,
        draft.block,
        tuple(draft.cells),
        record=draft.card_record,
        changes=(change,),
        entries=(entry_of(row, change, draft.card_record),),
    )
    row.plan.card_writes.append(write)


def _compare(row: LeadRow) -> None:
    draft = Draft()
    is_archived = row.decided.decision.row is RowDecision.UNARCHIVE
    if is_archived:
        draft.closed = False
        draft.card_record = {"lead_presence": LeadPresence.PRESENT, "card_presence": CardPresence.OPEN}
        draft.card_changes.append(row.change("card", "archived", "un-archived", Direction.TO_TRELLO))
    else:
        row.record_card(lead_presence=LeadPresence.PRESENT, card_presence=CardPresence.OPEN)
    status = resolve_status(row, draft)
    news = status in NOT_AGREED and row.lead.status != row.agreed.status
    # what was seen is no news later, should the card be archived or deleted
    seen = row.rules.status_map.effective(row.lead.status) if news else ""
    if is_archived:
        draft.card_record["seen_status"] = seen
    elif seen != row.agreed.seen_status:
        row.record(seen_status=seen)
    STATUS_PLANNERS[status](row, draft)
    NAME_PLANNERS[resolve_name(row, draft)](row, draft)
    plan_block(row, draft)
    for cell in row.rules.cells:
        if not cell.is_line:
            plan_cell(cell, row, draft)
    _hand_in(row, draft)


def _stay_archived(row: LeadRow) -> None:
    if row.agreed.card_presence == CardPresence.OPEN:
        row.note("The card was archived on Trello. It stays archived until the lead's stage is an open one again.")
    row.record_card(lead_presence=LeadPresence.PRESENT, card_presence=row.archived)
    row.record(seen_status=row.lead.status)


def _stay_deleted(row: LeadRow) -> None:
    row.note("The card was deleted on Trello. It is created again when the lead's status is edited.")
    row.record(lead_presence=LeadPresence.PRESENT, card_presence=CardPresence.DELETED, seen_status=row.lead.status)


LEAVE_NOTES: Final = {
    LeadPresence.PRESENT: "The card was moved to a board outside this sync, or out of sight; it is left alone.",
    LeadPresence.OUT_OF_VIEW: "The lead left the view; it and its card are left alone.",
    LeadPresence.GONE: "The lead was deleted; its card is left as it is.",
}


def _leave(row: LeadRow) -> None:
    lead_presence = LeadPresence(row.lead.presence or row.agreed.lead_presence)
    card_presence = row.card.presence or row.agreed.card_presence
    card_presence = row.archived if card_presence == CardPresence.ARCHIVED else card_presence
    there = lead_presence is LeadPresence.PRESENT
    seen = row.rules.status_map.effective(row.lead.status) if there else row.agreed.seen_status
    if lead_presence != row.agreed.lead_presence or card_presence != row.agreed.card_presence:
        row.note(LEAVE_NOTES[lead_presence])
    row.record(lead_presence=lead_presence, card_presence=card_presence, seen_status=seen or row.agreed.status)


def _archive(row: LeadRow) -> None:
    record: Columns = {
        "lead_presence": LeadPresence.GONE,
        "card_presence": CardPresence.ARCHIVED_BY_US,
        "seen_status": row.agreed.status,
    }
    change = row.change("card", "open", "archived", Direction.TO_TRELLO, "the lead was deleted")
    row.plan.card_writes.append(
        CardWrite(
            row.lead_id,
            row.card_id,
            closed=True,
            record=record,
            planned_from=row.card,
            undo=row.undo(record),
            changes=(change,),
            entries=(entry_of(row, change, record),),
        )
    )


def _keep_moved(row: LeadRow) -> None:
    row.conflict("card", "deleted", row.card.in_words, "lead deleted", "left for a person to decide", row.agreed.title)
    row.record(lead_presence=LeadPresence.GONE)


def _forget(row: LeadRow) -> None:
    row.plan.forget.append(row.lead_id)


def _nothing(row: LeadRow) -> None:
    """Listed in quarantine, or not ours to touch."""


ROW_PLANNERS: Final[Mapping[RowDecision, Callable[[LeadRow], None]]] = {
    RowDecision.CREATE: _create,
    RowDecision.COMPARE: _compare,
    RowDecision.UNARCHIVE: _compare,
    RowDecision.STAY_ARCHIVED: _stay_archived,
    RowDecision.STAY_DELETED: _stay_deleted,
    RowDecision.LEAVE: _leave,
    RowDecision.ARCHIVE: _archive,
    RowDecision.KEEP_MOVED: _keep_moved,
    RowDecision.FORGET: _forget,
    RowDecision.ORPHAN: _nothing,
    RowDecision.IGNORE: _nothing,
    RowDecision.QUARANTINED: _nothing,
}


def _hand_in(row: LeadRow, draft: Draft) -> None:
    if draft.card_changes:
        write = CardWrite(
            lead_id=row.lead_id,
            card_id=row.card_id,
            stage=draft.stage,
            title=draft.title,
            block=draft.block,
            cells=tuple(draft.cells),
            closed=draft.closed,
            due_complete=draft.due_complete,
            record=draft.card_record,
            planned_from=row.card,
            undo=row.undo(draft.card_record),
            changes=tuple(draft.card_changes),
            conflicts=tuple(draft.card_conflicts),
            entries=tuple(
                entry_of(row, change, draft.card_record, draft.card_conflicts) for change in draft.card_changes
            ),
        )
        row.plan.card_writes.append(write)
    if draft.lead_cells:
        conflicts = tuple(draft.lead_conflicts)
        cells = {
            cell: replace(write, entry=entry_of(row, write.change, write.record, conflicts))
            for cell, write in draft.lead_cells.items()
        }
        lead = LeadWrite(row.lead_id, row.card_id, cells, row.lead, conflicts)
        row.plan.lead_writes.append(replace(lead, undo=row.undo(lead.record)))
