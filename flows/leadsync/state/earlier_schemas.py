"""What databases of earlier schemas held, moved to where it belongs now. Never here: what has only been added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from leadsync.frames.block import parse
from leadsync.state.tables import base_table, check_table, facts_table, intent_table, snapshot_table

# name of a mapped cell -> columns of the base that held its two values up to schema 3; the column of the table was not
# kept then
LINES: Final = {
    "line:E-mail\t": ("email_line", "shown_email"),
    "line:Source\t": ("source_line", "shown_source"),
}


def lines_into_cells(connection: sa.Connection) -> None:
    """Up to schema 3 the lines of the block had columns of their own, in the base and in the journal's records."""
    old = {column["name"] for column in sa.inspect(connection).get_columns(base_table.name)}
    if "email_line" in old:
        rows = [dict(row._mapping) for row in connection.execute(sa.text(f"SELECT * FROM {base_table.name}"))]
        for row in rows:
            row["due_complete"] = bool(row["due_complete"])
            row["cells"] = json.dumps({name: [row.pop(column) for column in sides] for name, sides in LINES.items()})
        base_table.drop(connection)
        base_table.create(connection)
        if rows:
            connection.execute(sa.insert(base_table), rows)
    query = sa.select(intent_table.c.id, intent_table.c.record, intent_table.c.undo)
    for number, *columns in connection.execute(query).all():
        record, undo = (json.dumps(_renamed(json.loads(each))) for each in columns)
        connection.execute(sa.update(intent_table).where(intent_table.c.id == number).values(record=record, undo=undo))


def _renamed(columns: Mapping[str, Any]) -> dict[str, Any]:
    now = {
        was: f"{side} {name}"
        for name, sides in LINES.items()
        for was, side in zip(sides, ("airtable", "trello"), strict=True)
    }
    return {now.get(column, column): value for column, value in columns.items()}


def checks_into_rows(connection: sa.Connection) -> None:
    """Up to schema 4 the checks of a pair were one of its facts."""
    query = sa.select(facts_table.c.key, facts_table.c.facts).where(facts_table.c.key.startswith("checks "))
    for key, facts in connection.execute(query).all():
        rows = [
            {"pair": key.removeprefix("checks "), "card_id": card_id, "at": at, "status": status}
            for card_id, (at, status) in json.loads(facts).items()
        ]
        if rows:
            connection.execute(sa.insert(check_table), rows)
        connection.execute(sa.delete(facts_table).where(facts_table.c.key == key))


def mark_seen_cards(connection: sa.Connection) -> None:
    """Up to schema 4 nothing told which lead a card seen names."""
    seen = snapshot_table.c
    cards = connection.execute(sa.select(seen.pair, seen.id, seen.item).where(seen.side == "cards")).all()
    rows = [
        {"of_pair": pair, "of_card": card_id, "marker": markers[0]}
        for pair, card_id, item in cards
        if (markers := parse(str(json.loads(item).get("desc") or "")).markers)
    ]
    if rows:
        which = (seen.pair == sa.bindparam("of_pair")) & (seen.side == "cards") & (seen.id == sa.bindparam("of_card"))
        connection.execute(sa.update(snapshot_table).where(which), rows)
