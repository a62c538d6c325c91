"""
Decisions in, a plan out: the writes, what each lets us record, and everything a person must be told.

Pure, and whole before anything is written (design section 8.1). What is never here: a client, the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from leadsync.description import with_block
from leadsync.model import BASE_COLUMNS, DONE, TRELLO_TEXT_LIMIT, Rules
from leadsync.reconcile import Check, Reconciled

Row = dict[str, Any]
TO_TRELLO: Final = "to_trello"
TO_AIRTABLE: Final = "to_airtable"
NEVER_AGREED: Final = {column: False if dtype == "bool" else "" for column, dtype in BASE_COLUMNS.items()}


@dataclass(frozen=True)
class Change:
    """One cell, or one card, that goes from one value to another."""

    lead_id: str
    card_id: str
    field: str  # name | email | status | source | card | marker
    before: str
    after: str
    direction: str  # to_trello | to_airtable
    note: str = ""


@dataclass(frozen=True)
class Conflict:
    """A cell both sides moved apart, with both values and what is done about it."""

    lead_id: str
    card_id: str
    field: str
    airtable: str
    trello: str
    kind: str  # conflict | first match | lead deleted
    resolution: str


@dataclass(frozen=True)
class CardWrite:
    """
    One POST (`card_id` is "") or one PUT; None = the cell is not sent.

    `record` holds the base columns that are true once the write has succeeded, `undo` what they were before,
    `seen` the card as planned from, `conflicts` what the write settles.
    """

    lead_id: str
    card_id: str
    stage: str | None = None
    title: str | None = None
    block: tuple[str, str] | None = None  # e-mail and source, as they are to be shown
    closed: bool | None = None
    due_complete: bool | None = None
    record: Row = field(default_factory=dict)
    seen: Row = field(default_factory=dict)
    undo: Row = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True)
class CellWrite:
    """One cell of a lead: its new text, the base columns that are true once it is written, and the change."""

    text: str
    record: Row
    change: Change


@dataclass(frozen=True)
class LeadWrite:
    """
    One record in a PATCH: our field names to what becomes of the cells. `seen`, `undo` and `conflicts` as in CardWrite.

    Any of the cells may be refused for itself, so each has its own record; `record` holds them all.
    """

    lead_id: str
    card_id: str
    cells: dict[str, CellWrite]
    seen: Row
    conflicts: tuple[Conflict, ...] = ()
    undo: Row = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, str]:
        """Our field names to texts."""
        return {cell: write.text for cell, write in self.cells.items()}

    @property
    def record(self) -> Row:
        """The base columns that are true once all cells are written."""
        return {column: value for write in self.cells.values() for column, value in write.record.items()}

    @property
    def changes(self) -> tuple[Change, ...]:
        """One change a cell."""
        return tuple(write.change for write in self.cells.values())


@dataclass
class Plan:
    """
    Everything one pass wants to do. `base_updates`: lead_id -> base columns that are already true. `checks`: by card
    id, when those that are archived or away were last known to exist.
    """

    card_writes: list[CardWrite] = field(default_factory=list)
    lead_writes: list[LeadWrite] = field(default_factory=list)
    base_updates: dict[str, Row] = field(default_factory=dict)
    forget: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    quarantine: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)

    @property
    def changes(self) -> list[Change]:
        """All changes, Trello's first, in the order of the writes."""
        by_card = [change for write in self.card_writes for change in write.changes]
        return by_card + [change for write in self.lead_writes for change in write.changes]

    @property
    def writes(self) -> int:
        """Number of cards and leads to be written."""
        return len(self.card_writes) + len(self.lead_writes)


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


@dataclass
class LeadRow:
    """One lead on its way into the plan: what was decided, and its row in base, Airtable and Trello ({} = none)."""

    plan: Plan
    rules: Rules
    decided: Row
    was: Row
    lead: Row
    card: Row

    @property
    def lead_id(self) -> str:
        """Airtable's record id."""
        return str(self.decided["lead_id"])

    @property
    def card_id(self) -> str:
        """Trello's card id, "" if there is none."""
        return str(self.decided["card_id"])

    @property
    def archived(self) -> str:
        """How the base should call an archived card: who archived it stays known."""
        return "archived_by_us" if self.was.get("card_presence") == "archived_by_us" else "archived"

    def change(self, cell: str, before: str, after: str, direction: str, note: str = "") -> Change:
        """A change of this lead."""
        return Change(self.lead_id, self.card_id, cell, before, after, direction, note)

    def record(self, **columns: Any) -> None:
        """Base columns that are true without any write; those that already hold are left out."""
        news = {column: value for column, value in columns.items() if self.was.get(column) != value}
        if news:
            self.plan.base_updates.setdefault(self.lead_id, {}).update(news)

    def note(self, text: str) -> None:
        """Something a person should know once, about which nothing is done."""
        self.plan.notes.append({"lead_id": self.lead_id, "card_id": self.card_id, "note": text})

    def set_aside(self, cell: str, reason: str, remedy: str) -> None:
        """Quarantine one cell of this lead."""
        entry = {"lead_id": self.lead_id, "card_id": self.card_id, "field": cell, "reason": reason, "remedy": remedy}
        entry["card_url"] = self.card.get("url", "")
        self.plan.quarantine.append(entry)


@dataclass
class Draft:
    """The writes of one lead while its cells are gone through."""

    stage: str | None = None
    title: str | None = None
    block: tuple[str, str] | None = None
    closed: bool | None = None
    due_complete: bool | None = None
    card_record: Row = field(default_factory=dict)
    card_changes: list[Change] = field(default_factory=list)
    card_conflicts: list[Conflict] = field(default_factory=list)
    lead_cells: dict[str, CellWrite] = field(default_factory=dict)
    lead_conflicts: list[Conflict] = field(default_factory=list)


# --- rows -----------------------------------------------------------------------------------------------------


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
    status = _resolve(row, draft, "status", row.lead["status"], row.card["stage"])
    news = status in NOT_AGREED and row.lead["status"] != row.was.get("status", "")
    seen = row.lead["status"] if news else ""  # no news later, should the card be archived or deleted
    if row.decided["row"] == "unarchive":
        draft.card_record["seen_status"] = seen
    elif seen != row.was.get("seen_status", ""):
        row.record(seen_status=seen)
    STATUS_PLANNERS[status](row, draft)
    NAME_PLANNERS[_resolve(row, draft, "name", row.lead["name"], row.card["title"])](row, draft)
    _plan_block(row, draft)
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

# --- cells ----------------------------------------------------------------------------------------------------

# policy -> (what a conflict becomes, how it is listed)
RESOLUTIONS: Final = {
    "airtable": (TO_TRELLO, "Airtable wins"),
    "trello": (TO_AIRTABLE, "Trello wins"),
    "hold": ("held", "held: make both equal by hand"),
}


def _resolve(row: LeadRow, draft: Draft, cell: str, airtable: str, trello: str) -> str:
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


def _plan_block(row: LeadRow, draft: Draft) -> None:
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
