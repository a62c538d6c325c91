"""Decisions in, a plan out, row by row. Pure. Never here: what a cell needs (see plan_cells.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pandas as pd

from leadsync.core.draft import NEVER_AGREED, Draft, LeadRow
from leadsync.core.plan import TO_TRELLO, CardWrite, Change, Conflict, LeadWrite, Plan, Row
from leadsync.core.plan_cells import NAME_PLANNERS, NOT_AGREED, STATUS_PLANNERS, plan_block, resolve
from leadsync.core.reconcile import Reconciled
from leadsync.model import Rules


def build_plan(
    reconciled: Reconciled, base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules
) -> Plan:
    """Turn decisions into writes; rows that are quiet cost nothing here."""
    plan = Plan(quarantine=list(_rows_of(reconciled.quarantine)))
    busy = reconciled.decisions[~reconciled.decisions["quiet"]]
    sides = _rows_at(base, busy.index), _rows_at(airtable, busy.index), _rows_at(trello, pd.Index(busy["card_id"]))
    for decided, was, lead, card in zip(_rows_of(busy.reset_index()), *sides, strict=True):
        ROW_PLANNERS[decided["row"]](LeadRow(plan, rules, decided, was, lead, card))
    return plan


def _rows_at(frame: pd.DataFrame, ids: pd.Index) -> Iterator[Row]:
    """The rows with these ids, in their order; {} for one that is not there."""
    at = frame.index.get_indexer(ids)
    found = _rows_of(frame.iloc[at[at >= 0]])
    yield from (next(found) if position >= 0 else {} for position in at.tolist())


def _rows_of(frame: pd.DataFrame) -> Iterator[Row]:
    for row in frame.to_dict("records"):
        yield {str(column): value for column, value in row.items()}


def _create(row: LeadRow) -> None:
    stage = row.rules.status_map.stage_of[row.lead["status"] or row.rules.status_map.empty_means]
    record = {
        "lead_presence": "present",
        "card_presence": "open",
        "stage": stage,
        "due_complete": False,
        "seen_status": "",
        "shown_email": row.lead["email_line"],
        "shown_source": row.lead["source_line"],
        **{column: row.lead[column] for column in ("status", "name", "title", "email_line", "source_line")},
    }
    note = "created again" if row.was else ""
    change = Change(row.lead_id, "", "card", "", f"{row.lead['title'][:80]} in {stage}", TO_TRELLO, note)
    block = (row.lead["email"], row.lead["source"])
    write = CardWrite(row.lead_id, "", stage, row.lead["title"], block, record=record, changes=(change,))
    row.plan.card_writes.append(write)


def _compare(row: LeadRow) -> None:
    draft = Draft()
    if row.decided["row"] == "unarchive":
        draft.closed = False
        draft.card_record = {"lead_presence": "present", "card_presence": "open"}
        draft.card_changes.append(row.change("card", "archived", "un-archived", TO_TRELLO))
    else:
        _adopt(row)
    status = resolve(row, draft, "status", row.lead["status"], row.card["stage"])
    news = status in NOT_AGREED and row.lead["status"] != row.was.get("status", "")
    seen = row.lead["status"] if news else ""  # no news later, should the card be archived or deleted
    if row.decided["row"] == "unarchive":
        draft.card_record["seen_status"] = seen
    elif seen != row.was.get("seen_status", ""):
        row.record(seen_status=seen)
    STATUS_PLANNERS[status](row, draft)
    NAME_PLANNERS[resolve(row, draft, "name", row.lead["name"], row.card["title"])](row, draft)
    plan_block(row, draft)
    _hand_in(row, draft)


def _adopt(row: LeadRow) -> None:
    row.record(card_id=row.card_id, lead_presence="present", card_presence="open")


def _stay_archived(row: LeadRow) -> None:
    if row.was.get("card_presence") == "open":
        row.note("The card was archived on Trello. It stays archived until the lead's stage is an open one again.")
    row.record(card_id=row.card_id, lead_presence="present", card_presence=row.archived)
    row.record(seen_status=row.lead["status"])


def _stay_deleted(row: LeadRow) -> None:
    row.note("The card was deleted on Trello. It is created again when the lead's status is edited.")
    row.record(lead_presence="present", card_presence="deleted", seen_status=row.lead["status"])


LEAVE_NOTES: Final = {
    "moved_away": "The card was moved to a board outside this sync, or out of sight; it is left alone.",
    "out_of_view": "The lead left the view; it and its card are left alone.",
    "gone": "The lead was deleted; its card is left as it is.",
}


def _leave(row: LeadRow) -> None:
    lead_presence = row.lead.get("presence") or row.was["lead_presence"]
    card_presence = row.card.get("presence") or row.was["card_presence"]
    card_presence = row.archived if card_presence == "archived" else card_presence
    seen = row.lead["status"] if lead_presence == "present" else row.was["seen_status"]
    if lead_presence != row.was["lead_presence"] or card_presence != row.was["card_presence"]:
        row.note(LEAVE_NOTES["moved_away" if lead_presence == "present" else lead_presence])
    row.record(lead_presence=lead_presence, card_presence=card_presence, seen_status=seen or row.was["status"])


def _archive(row: LeadRow) -> None:
    record = {"lead_presence": "gone", "card_presence": "archived_by_us", "seen_status": row.was["status"]}
    change = row.change("card", "open", "archived", TO_TRELLO, "the lead was deleted")
    undo = {column: row.was[column] for column in record}
    write = CardWrite(row.lead_id, row.card_id, closed=True, record=record, seen=row.card, undo=undo, changes=(change,))
    row.plan.card_writes.append(write)


def _keep_moved(row: LeadRow) -> None:
    place = row.card["stage"] or "another list"
    trello = f"{row.card['title'][:80]} in {place}"
    row.plan.conflicts.append(
        Conflict(row.lead_id, row.card_id, "card", "deleted", trello, "lead deleted", "left for a person to decide")
    )
    row.record(lead_presence="gone")


def _forget(row: LeadRow) -> None:
    row.plan.forget.append(row.lead_id)


def _nothing(row: LeadRow) -> None:
    """Listed in quarantine, or not ours to touch."""


ROW_PLANNERS: Final = {
    "create": _create,
    "compare": _compare,
    "unarchive": _compare,
    "stay_archived": _stay_archived,
    "stay_deleted": _stay_deleted,
    "leave": _leave,
    "archive": _archive,
    "keep_moved": _keep_moved,
    "forget": _forget,
    "orphan": _nothing,
    "ignore": _nothing,
    "quarantined": _nothing,
}


def _hand_in(row: LeadRow, draft: Draft) -> None:
    if draft.card_changes:
        write = CardWrite(
            lead_id=row.lead_id,
            card_id=row.card_id,
            stage=draft.stage,
            title=draft.title,
            block=draft.block,
            closed=draft.closed,
            due_complete=draft.due_complete,
            record=draft.card_record,
            seen=row.card,
            undo={column: row.was.get(column, NEVER_AGREED[column]) for column in draft.card_record},
            changes=tuple(draft.card_changes),
            conflicts=tuple(draft.card_conflicts),
        )
        row.plan.card_writes.append(write)
    if draft.lead_cells:
        lead = LeadWrite(row.lead_id, row.card_id, draft.lead_cells, row.lead, tuple(draft.lead_conflicts))
        undo = {column: row.was.get(column, NEVER_AGREED[column]) for column in lead.record}
        row.plan.lead_writes.append(replace(lead, undo=undo))
