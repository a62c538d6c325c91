"""Intents as rows of the journal, and back. Never here: what an intent means."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any, Final

import sqlalchemy as sa

from leadsync.core.conflicts import Conflict, Key
from leadsync.core.journal import Intent, IntentState, Sent
from leadsync.core.ledger import Rule
from leadsync.frames.agreed import Columns
from leadsync.state.base_rows import json_of, value_of
from leadsync.state.database import json_object
from leadsync.state.history_rows import entries_json, entries_of
from leadsync.state.tables import intent_table


def intent_of(row: sa.Row[Any]) -> Intent:
    """A row of the journal as an intent."""
    return Intent(
        side=row.side,
        lead_id=row.lead_id,
        card_id=row.card_id,
        record=_columns(row.record),
        since=row.since,
        run=row.run,
        state=IntentState(row.state),
        answered=row.answered,
        sent=Sent(**json_object(row.sent)),
        undo=_columns(row.undo),
        conflicts=tuple(Conflict(**conflict) for conflict in json.loads(row.conflicts)),
        entries=entries_of(row.entries),
        number=row.id,
    )


def _columns(stored: str) -> Columns:
    return {column: value_of(value) for column, value in json_object(stored).items()}


def row_of_intent(pair: str, intent: Intent) -> dict[str, Any]:
    """An intent as a row of the journal."""
    return {"pair": pair, **_values(intent)}


def _values(intent: Intent) -> dict[str, Any]:
    return {
        "side": intent.side,
        "lead_id": intent.lead_id,
        "card_id": intent.card_id,
        "record": json_of(intent.record),
        "since": intent.since,
        "state": intent.state.value,
        "run": intent.run,
        "answered": intent.answered,
        "sent": sent_json(intent.sent),
        "undo": json_of(intent.undo),
        "conflicts": json.dumps([vars(conflict) for conflict in intent.conflicts]),
        "entries": entries_json(intent.entries),
    }


def sent_json(sent: Sent) -> str:
    """An empty object if nothing is known of what was sent."""
    kept = {"planned_from": dict(sent.planned_from), "cells": dict(sent.cells), "resent": sent.resent}
    return json.dumps(kept | {"earlier": [*sent.earlier], "read_at": sent.read_at} if sent.cells else {})


def replace_intents(connection: sa.Connection, rows: Iterable[tuple[Intent, Intent | None]]) -> None:
    """Rows, and what becomes of each; one that has been checked stays only for its conflicts."""
    gone, others = list[dict[str, Any]](), list[dict[str, Any]]()
    for was, now in rows:
        if now is None or (now.state is IntentState.CHECKED and not now.conflicts):
            gone.append({"of": was.number})
        elif now != was:
            others.append({**_values(now), "of": was.number})
    if gone:
        connection.execute(DELETE, gone)
    if others:
        connection.execute(UPDATE, others)


_i = intent_table.c
_of_number = _i.id == sa.bindparam("of")
HELD: Final = sa.select(_i.lead_id, _i.entries).where(
    _i.pair == sa.bindparam("pair"),
    _i.lead_id.in_(sa.bindparam("leads", expanding=True)),
    _i.entries.contains(Rule.HELD.value),
)
UPDATE: Final = sa.update(intent_table).where(_of_number)
DELETE: Final = sa.delete(intent_table).where(_of_number)


def held_by_intents(connection: sa.Connection, pair: str, lead_ids: Collection[str]) -> set[Key]:
    """Cells of these leads that an undo under way leaves in conflict, by the names that the base has for them."""
    rows = connection.execute(HELD, {"pair": pair, "leads": [*lead_ids]})
    return {(lead_id, entry.cell) for lead_id, entries in rows for entry in entries_of(entries) if entry.left}
