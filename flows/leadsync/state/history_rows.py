"""What a run did as rows of the history, written where base and journal are. Never here: what is asked of it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from leadsync.core.decisions import Direction
from leadsync.core.journal import Intent
from leadsync.core.ledger import Begun, Entry, Rule, Told
from leadsync.core.told import Change
from leadsync.frames.agreed import Columns
from leadsync.state.base_rows import json_of, value_of
from leadsync.state.tables import change_table, run_table

COLUMNS: Final = ("agreed", "held", "now", "left")
"""What of an entry is columns of the base."""


_r = run_table.c
RUN: Final = sa.select(_r.id).where(_r.id == sa.bindparam("run"))
INSERT_RUN, INSERT_CHANGE = sa.insert(run_table), sa.insert(change_table)
_old = (_r.pair == sa.bindparam("of_pair")) & (_r.at < sa.bindparam("before"))
PURGE: Final = (
    sa.delete(change_table).where(change_table.c.run.in_(sa.select(_r.id).where(_old))),
    sa.delete(run_table).where(_old),
)


def begin(connection: sa.Connection, pair: str, begun: Begun) -> None:
    """The run's own row, once; what is no more kept is deleted along with that, which costs an idle run nothing."""
    if connection.execute(RUN, {"run": begun.run_id}).first() is None:
        purge(connection, pair, begun.kept_since)
        values = {"id": begun.run_id, "pair": pair, "at": begun.at, "kind": begun.kind.value, "undoes": begun.undoes}
        values |= {"lead_id": begun.lead_id, "field": begun.field}
        connection.execute(INSERT_RUN, values)


def purge(connection: sa.Connection, pair: str, kept_since: float) -> None:
    """Delete the runs that began before then [s since 1970], with their changes."""
    for statement in PURGE:
        connection.execute(statement, {"of_pair": pair, "before": kept_since})


def add_changes(
    connection: sa.Connection, pair: str, intent: Intent, entries: Collection[Entry], card_id: str = ""
) -> None:
    """What a write did. `card_id`: of a card that had none before."""
    if entries and intent.run:
        common = {"pair": pair, "run": intent.run, "lead_id": intent.lead_id, "card_id": card_id or intent.card_id}
        connection.execute(INSERT_CHANGE, [{**common, "at": time.time(), **row_of_entry(entry)} for entry in entries])


def add_made(connection: sa.Connection, pair: str, run: str, changes: Collection[Change]) -> None:
    """Leads that were made of cards, as they are told."""
    for change in changes:
        after = Told(change.after, change.after)
        entry = Entry(change.field, change.direction, Rule.CREATED, Told("", ""), after, note=change.note)
        values = {"pair": pair, "run": run, "lead_id": change.lead_id, "card_id": change.card_id, "at": time.time()}
        connection.execute(sa.insert(change_table).values(**values, **row_of_entry(entry)))


def add_reversal(connection: sa.Connection, pair: str, intent: Intent, undo: Columns, told: str, run: str) -> None:
    """
    A write whose cell is given back. `undo`: base columns that are as before again; `told`: the value, in words.

    Its row names the one that it takes back, and there is one of each. Nothing of a write that the history has not.
    """
    found = _reversible(connection, pair, intent, undo)
    again = sa.select(change_table.c.id).where(change_table.c.reverses == (found.id if found else None))
    if found is None or connection.execute(again).first():
        return
    was = entry_of(found._mapping)
    to_card = was.direction is Direction.TO_TRELLO
    after = Told(was.after.airtable, told) if to_card else Told(told, was.after.trello)
    back = Entry(was.field, was.direction, Rule.GIVEN_BACK, was.after, after, was.now, was.now, dict(undo))
    values = {"pair": pair, "run": run or intent.run, "lead_id": found.lead_id, "card_id": found.card_id}
    values |= {"at": time.time(), "reverses": found.id, **row_of_entry(back)}
    connection.execute(sa.insert(change_table).values(**values))


def drop_reversal(connection: sa.Connection, pair: str, intent: Intent, undo: Columns) -> None:
    """It was not given back after all."""
    found = _reversible(connection, pair, intent, undo)
    if found is not None:
        connection.execute(sa.delete(change_table).where(change_table.c.reverses == found.id))


def _reversible(connection: sa.Connection, pair: str, intent: Intent, undo: Columns) -> sa.Row[Any] | None:
    """The newest row of the intent's write that is about a cell of which these are columns."""
    query = sa.select(change_table).where(
        change_table.c.pair == pair,
        change_table.c.run == intent.run,
        change_table.c.lead_id == intent.lead_id,
        change_table.c.reverses.is_(None),
    )
    for row in connection.execute(query.order_by(change_table.c.id.desc())):
        if undo.keys() & json.loads(row.cells)["now"].keys():
            return row
    return None


def row_of_entry(entry: Entry) -> dict[str, Any]:
    """An entry as columns of its row."""
    return {
        "field": entry.field,
        "direction": entry.direction.value,
        "rule": entry.rule.value,
        "note": entry.note,
        "airtable_before": entry.before.airtable,
        "trello_before": entry.before.trello,
        "airtable_after": entry.after.airtable,
        "trello_after": entry.after.trello,
        "cells": json_of({name: getattr(entry, name) for name in COLUMNS}),
    }


def entry_of(row: Any) -> Entry:
    """And back, by the names of the columns; of the row others are left out."""
    cells = json.loads(row["cells"])
    agreed, held, now, left = (_columns(cells.get(name, {})) for name in COLUMNS)
    return Entry(
        row["field"],
        Direction(row["direction"]),
        Rule(row["rule"]),
        Told(row["airtable_before"], row["trello_before"]),
        Told(row["airtable_after"], row["trello_after"]),
        agreed,
        held,
        now,
        left,
        row["note"],
    )


def _columns(stored: dict[str, Any]) -> Columns:
    return {column: value_of(value) for column, value in stored.items()}


def entries_json(entries: Collection[Entry]) -> str:
    """Entries that wait in the journal."""
    return json_of([row_of_entry(entry) for entry in entries])


def entries_of(stored: str) -> tuple[Entry, ...]:
    """And back."""
    return tuple(map(entry_of, json.loads(stored)))
