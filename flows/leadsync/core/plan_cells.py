"""What each decision about a cell writes, records and lists. Pure. Never here: a whole row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leadsync.core.draft import Draft, LeadRow
from leadsync.core.plan import TO_AIRTABLE, TO_TRELLO, CellWrite, Change, Conflict
from leadsync.frames.block import with_block
from leadsync.model import DONE, TRELLO_TEXT_LIMIT

# policy -> (what a conflict becomes, how it is listed)
RESOLUTIONS: Final = {
    "airtable": (TO_TRELLO, "Airtable wins"),
    "trello": (TO_AIRTABLE, "Trello wins"),
    "hold": ("held", "held: make both equal by hand"),
}


def resolve(row: LeadRow, draft: Draft, cell: str, airtable: str, trello: str) -> str:
    """The cell's decision, with a conflict listed and turned into what the policy says."""
    decision = str(row.decided[cell])
    if decision != "conflict":
        return decision
    first = row.was.get("stage" if cell == "status" else "title", "") == ""
    decision, resolution = RESOLUTIONS[row.rules.conflict]
    shown = (row.decided["stage"], airtable) if cell == "status" else (trello, airtable)
    kind = "first match" if first else "conflict"
    conflict = Conflict(row.lead_id, row.card_id, cell, shown[1], shown[0], kind, resolution)
    row.plan.conflicts.append(conflict)
    if decision != "held":
        (draft.card_conflicts if decision == TO_TRELLO else draft.lead_conflicts).append(conflict)
    return decision


def _status_unchanged(row: LeadRow, draft: Draft) -> None:
    if row.was:
        row.record(status=row.lead["status"], due_complete=bool(row.card["due_complete"]))


def _status_agreed(row: LeadRow, draft: Draft) -> None:
    stage, due = str(row.decided["stage"]), bool(row.card["due_complete"])
    if stage == row.card["stage"]:
        row.record(status=row.lead["status"], stage=stage, due_complete=due)
    else:
        _move_card(row, draft, stage, "marked done")
        draft.card_record |= {"status": row.lead["status"], "stage": stage, "due_complete": due}


def _status_to_trello(row: LeadRow, draft: Draft) -> None:
    stage = row.rules.status_map.stage_of[row.lead["status"] or row.rules.status_map.empty_means]
    due = bool(row.card["due_complete"])
    if due and stage != DONE and DONE in (row.card["stage"], row.decided["stage"]):
        due = draft.due_complete = False
    if stage != row.card["stage"]:
        _move_card(row, draft, stage)
    else:
        draft.card_changes.append(row.change("status", "done", "not done", TO_TRELLO))
    draft.card_record |= {"status": row.lead["status"], "stage": stage, "due_complete": due}


def _status_to_airtable(row: LeadRow, draft: Draft) -> None:
    stage = str(row.decided["stage"])
    status = row.rules.status_map.put(stage, row.lead["status"])
    if stage != row.card["stage"]:
        _move_card(row, draft, stage, "marked done")
    record = {"status": status, "stage": stage, "due_complete": bool(row.card["due_complete"])}
    change = row.change("status", row.lead["status"], status, TO_AIRTABLE)
    draft.lead_cells["status"] = CellWrite(status, record, change)


def _status_parked(row: LeadRow, draft: Draft) -> None:
    reason = "the card is parked in a list outside the mapping"
    row.set_aside("status", reason, "Move it to TODO, IN_PROGRESS or DONE.")


def _nothing_to_write(row: LeadRow, draft: Draft) -> None:
    """Held, or quarantined with its reason by reconcile."""


def _move_card(row: LeadRow, draft: Draft, stage: str, note: str = "") -> None:
    draft.stage = stage
    draft.card_changes.append(row.change("status", row.card["stage"] or "parked", stage, TO_TRELLO, note))


NOT_AGREED: Final = ("parked", "held", "quarantined")
"""Decisions that leave the status as it is on both sides."""

STATUS_PLANNERS: Final = {
    "unchanged": _status_unchanged,
    "agreed": _status_agreed,
    TO_TRELLO: _status_to_trello,
    TO_AIRTABLE: _status_to_airtable,
    "parked": _status_parked,
    "held": _nothing_to_write,
    "quarantined": _nothing_to_write,
}


def _name_agreed(row: LeadRow, draft: Draft) -> None:
    row.record(name=row.lead["name"], title=row.card["title"])


def _name_to_trello(row: LeadRow, draft: Draft) -> None:
    restored = row.lead["name"] == row.was.get("name") and row.card["title"] == ""
    note = "emptied title restored" if restored else ""
    draft.title = row.lead["title"]
    draft.card_record |= {"name": row.lead["name"], "title": row.lead["title"]}
    draft.card_changes.append(row.change("name", row.card["title"], row.lead["title"], TO_TRELLO, note))


def _name_to_airtable(row: LeadRow, draft: Draft) -> None:
    title = row.card["title"]
    change = row.change("name", row.lead["name"], title, TO_AIRTABLE)
    draft.lead_cells["name"] = CellWrite(title, {"name": title, "title": title}, change)


NAME_PLANNERS: Final = {
    "unchanged": _nothing_to_write,
    "agreed": _name_agreed,
    TO_TRELLO: _name_to_trello,
    TO_AIRTABLE: _name_to_airtable,
    "held": _nothing_to_write,
    "quarantined": _nothing_to_write,
}


def plan_block(row: LeadRow, draft: Draft) -> None:
    """The managed block, if a line of it or the marker must be written."""
    decisions = {cell: str(row.decided[cell]) for cell in ("email", "source")}
    if not row.decided["restore_marker"] and not {TO_TRELLO, "restore"} & set(decisions.values()):
        _record_lines(row, decisions)
        return
    email, source = (_shown_in_block(row, cell, decision) for cell, decision in decisions.items())
    too_long = len(with_block(row.card["description"], row.lead_id, email, source)) - TRELLO_TEXT_LIMIT
    if too_long > 0:
        row.set_aside("marker", "the card's description is full", f"Shorten it by {too_long} characters.")
        return
    draft.block = (email, source)
    for cell in (cell for cell, decision in decisions.items() if decision != "quarantined"):
        draft.card_record |= dict.fromkeys((f"{cell}_line", f"shown_{cell}"), row.lead[f"{cell}_line"])
    draft.card_changes.extend(_block_changes(row, decisions))


def _shown_in_block(row: LeadRow, cell: str, decision: str) -> str:
    """The lead's value; of one that cannot be read the line that is there, or was."""
    kept = decision == "quarantined" and row.card["block"]
    return str(row.card[f"{cell}_line"] if kept else row.lead[cell])


def _record_lines(row: LeadRow, decisions: dict[str, str]) -> None:
    """What the card shows already; a line that a write is to bring is agreed with that write, never before it."""
    for cell, decision in decisions.items():
        if decision == "agreed" or (decision == "unchanged" and not row.was):
            shown = {f"{cell}_line": row.lead[f"{cell}_line"], f"shown_{cell}": row.card[f"{cell}_line"]}
            row.record(**shown)


def _block_changes(row: LeadRow, decisions: dict[str, str]) -> Iterator[Change]:
    if row.decided["restore_marker"]:
        yield row.change("marker", "", f"LeadID: {row.lead_id}", TO_TRELLO, "deleted marker restored")
    for cell, decision in decisions.items():
        before, after = row.card[f"{cell}_line"] or row.was.get(f"{cell}_line", ""), row.lead[f"{cell}_line"]
        if decision == TO_TRELLO:
            yield row.change(cell, before, after, TO_TRELLO)
        elif decision == "restore":
            yield row.change(cell, before, after, TO_TRELLO, "hand edit inside the block restored")
