"""The history as rows for programs and as sentences for people. Pure. Never here: how it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from leadsync.core.decisions import Direction
from leadsync.core.entries import told_of
from leadsync.core.explain import Explained, ExplainedCell
from leadsync.core.ledger import CARD_FIELD, WORDS, Told
from leadsync.frames.agreed import Agreed, Columns
from leadsync.setting_values import duration
from leadsync.state.history import PastChange, PastRun
from leadsync.state.waiting import OWN

FORGOTTEN: Final = "(erased)"
SIDES: Final = {Direction.TO_TRELLO: "Trello", Direction.TO_AIRTABLE: "Airtable"}


class Unwritten(NamedTuple):
    """A field of which something else was agreed since its last change, though no run has written it."""

    field: str
    before: Told
    after: Told

    def __str__(self) -> str:
        return f"{self.field}: {shown_pair(self.before)} → {shown_pair(self.after)}; {SAME}"


SAME: Final = "agreed since then without a write, for both sides meant the same"
ALIKE: Final = ("status", "name")
"""Fields of which that may be: two statuses may mean one list."""


def unwritten(timeline: Iterable[PastChange], agreed: Agreed | None) -> list[Unwritten]:
    """
    What the timeline of a lead lacks up to what is `agreed`. It tells of writes alone, which an undo can take back: one
    who edits a status into another of the same list has made nobody write.
    """
    last: Columns = {}
    for change in timeline:
        last |= change.entry.now
    if agreed is None:
        return []
    found = ((field, {name: last[name] for name in OWN[field] if name in last}) for field in ALIKE)
    return [
        Unwritten(field, told_of(field, None, was), told_of(field, None, {name: agreed.get(name) for name in was}))
        for field, was in found
        if any(agreed.get(name) != value for name, value in was.items())
    ]


def moment(at: float) -> datetime:
    """`at`: [s since 1970]."""
    return datetime.fromtimestamp(at, UTC)


def since(said: str, now: float) -> float:
    """A span before `now`, as in 7d, 12h or 90m, as a moment [s since 1970]. Raises: ValueError."""
    span: timedelta = duration(said)
    return now - span.total_seconds()


def run_row(run: PastRun) -> dict[str, Any]:
    """A run, without its changes."""
    counts = {"changes": run.changes, "leads": run.leads, "conflicts": run.conflicts, "given_back": run.given_back}
    return {
        "id": run.run_id,
        "at": _stamp(run.at),
        "ended": None if run.ended is None else _stamp(run.ended),
        "kind": run.kind.value,
        "undoes": run.undoes or None,
        "undone_by": run.undone_by or None,
        "counts": counts,
    }


def change_row(change: PastChange, name: str) -> dict[str, Any]:
    """One change; `before` and `after` are those of the side that was written. `name`: what people call the lead."""
    entry = change.entry
    to_card = entry.direction is Direction.TO_TRELLO
    written = [told.trello if to_card else told.airtable for told in (entry.before, entry.after)]
    outcome = "forgotten" if change.is_forgotten else "given back" if change.is_reversed else "done"
    return {
        "number": change.number,
        "run": change.run_id,
        "at": _stamp(change.at),
        "lead_id": change.lead_id,
        "lead_name": "" if change.is_forgotten else name,
        "card_id": change.card_id,
        "field": entry.field,
        "direction": entry.direction.value,
        "before": written[0],
        "after": written[1],
        "airtable_before": entry.before.airtable,
        "trello_before": entry.before.trello,
        "airtable_after": entry.after.airtable,
        "trello_after": entry.after.trello,
        "rule": entry.rule.value,
        "why": WORDS[entry.rule][entry.direction],
        "note": entry.note,
        "outcome": outcome,
        "reverses": change.reverses,
    }


def lead_row(
    lead_id: str, explained: Explained | None, timeline: list[PastChange], since: list[Unwritten], following: Any
) -> dict[str, Any]:
    """
    A lead: what was agreed, both sides, why, its past, and what that lacks; `following`: what the next run would do,
    None if unknown.
    """
    row: dict[str, Any] = {"lead_id": lead_id, "card_id": timeline[-1].card_id if timeline else ""}
    row |= {"name": "", "base": None, "airtable": None, "trello": None, "rule": None, "cells": []}
    if explained is not None:
        cells = explained.cells
        base = {each.field: each.base._asdict() for each in cells if each.base}
        row |= {"card_id": explained.card_id, "name": explained.name, "base": base or None}
        row |= {"airtable": _side(explained.lead, [(each.field, each.now.airtable) for each in cells])}
        row |= {"trello": _side(explained.card, [(each.field, each.now.trello) for each in cells])}
        row |= {"card_url": explained.card_url, "decision": explained.decision.value, "rule": explained.rule}
        row |= {"cells": [_cell_row(each) for each in cells]}
    row |= {"next": following, "timeline": [change_row(change, row["name"]) for change in timeline]}
    return row | {"unwritten": [_unwritten_row(each) for each in since]}


def _unwritten_row(each: Unwritten) -> dict[str, str]:
    told = {"airtable_before": each.before.airtable, "trello_before": each.before.trello}
    told |= {"airtable_after": each.after.airtable, "trello_after": each.after.trello}
    return {"field": each.field, **told, "why": SAME}


def _side(presence: str, cells: list[tuple[str, str]]) -> dict[str, Any] | None:
    return {"presence": presence, **dict(cells)} if presence else None


def _cell_row(cell: ExplainedCell) -> dict[str, Any]:
    return {
        "field": cell.field,
        "base": cell.base._asdict() if cell.base else None,
        "airtable": cell.now.airtable,
        "trello": cell.now.trello,
        "decision": cell.decision.value,
        "rule": cell.rule,
    }


def sentence(change: PastChange) -> str:
    """A change in words: what became of which side, and why."""
    entry = change.entry
    to_card = entry.direction is Direction.TO_TRELLO
    before, after = (told.trello if to_card else told.airtable for told in (entry.before, entry.after))
    if change.is_forgotten:
        before = after = FORGOTTEN
    what = "card" if entry.field == CARD_FIELD else f"{entry.field} on {SIDES[entry.direction]}"
    move = f"{_quoted(before)} → {_quoted(after)}" if before else _quoted(after)
    back = " (given back since)" if change.is_reversed else ""
    return f"{what}: {move}; {WORDS[entry.rule][entry.direction]}{back}"


def _quoted(value: str) -> str:
    return value if len(value) <= 60 else f"{value[:59]}…"


def shown_pair(told: Told | None) -> str:
    """Both values; one where they read alike."""
    if told is None:
        return "(first match)"
    return told.airtable if told.airtable == told.trello else f"{told.airtable} | {told.trello}"


def _stamp(at: float) -> str:
    return moment(at).isoformat(timespec="seconds")
