"""The tables of the state database, and how rows are put into them. Never here: a connection of its own."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn

from leadsync.core.journal import IntentState
from leadsync.frames.agreed import BASE_COLUMNS

SCHEMA_VERSION = 3
IDS_ASKED = 500
"""Ids in one query."""
metadata = sa.MetaData()
schema_version = sa.Table("leadsync_schema", metadata, sa.Column("version", sa.Integer, nullable=False))

facts_table = sa.Table(
    "leadsync_facts",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("facts", sa.Text, nullable=False),  # JSON
)

base_table = sa.Table(
    "leadsync_base",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("lead_id", sa.String, primary_key=True),
    *(
        sa.Column(column, sa.Boolean if dtype == "bool" else sa.Text, nullable=False)
        for column, dtype in BASE_COLUMNS.items()
    ),
)

intent_table = sa.Table(
    "leadsync_intent",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("pair", sa.String, nullable=False, index=True),
    sa.Column("side", sa.String, nullable=False),
    sa.Column("lead_id", sa.String, nullable=False),
    sa.Column("card_id", sa.String, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    # with a default, so that they can be added to a database of an earlier schema
    sa.Column("state", sa.String, nullable=False, server_default=IntentState.PENDING.value),
    sa.Column("run", sa.String, nullable=False, server_default=""),
    sa.Column("answered", sa.Float, nullable=False, server_default="0"),
    sa.Column("sent", sa.Text, nullable=False, server_default="{}"),
    sa.Column("undo", sa.Text, nullable=False, server_default="{}"),
    sa.Column("conflicts", sa.Text, nullable=False, server_default="[]"),
)

holder_table = sa.Table(
    "leadsync_holder",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
)

seen_table = sa.Table(
    "leadsync_seen",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("side", sa.String, primary_key=True),  # records | cards
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("item", sa.Text, nullable=False),
)

calls_table = sa.Table(
    "leadsync_calls",
    metadata,
    sa.Column("month", sa.String, primary_key=True),  # like 2026-11
    sa.Column("airtable", sa.Integer, nullable=False),
)

EMPTY_ROW: dict[str, Any] = {column: False if dtype == "bool" else "" for column, dtype in BASE_COLUMNS.items()}


def add_missing_columns(connection: sa.Connection) -> None:
    """Columns that a database made by an earlier release lacks."""
    for table in metadata.tables.values():
        known = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                definition = CreateColumn(column).compile(connection)
                connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN {definition}"))


def seen_key(pair: str) -> str:
    """The facts under which the marks of a snapshot are kept."""
    return f"seen {pair}"


def any_of(table: sa.Table, pair: str) -> sa.Select[Any]:
    """A query that finds something if the pair has any row here."""
    return sa.select(sa.literal(1)).select_from(table).where(table.c.pair == pair).limit(1)


def in_parts(lead_ids: Collection[str]) -> Iterator[list[str]]:
    """So many ids at a time as a statement takes."""
    ordered = sorted(lead_ids)
    yield from (ordered[start : start + IDS_ASKED] for start in range(0, len(ordered), IDS_ASKED))


def rename_facts(connection: sa.Connection, former: str, pair: str) -> None:
    """Of facts kept for a pair, whose keys end in the pair's; those that it has already under its new key stay."""
    query = sa.select(facts_table.c.key).where(facts_table.c.key.endswith(former, autoescape=True))
    for key in connection.execute(query).scalars().all():
        kind = key.removesuffix(former)
        taken = sa.select(facts_table.c.key).where(facts_table.c.key == kind + pair)
        if kind.endswith((" ", ":")) and connection.execute(taken).first() is None:
            connection.execute(sa.update(facts_table).where(facts_table.c.key == key).values(key=kind + pair))


def put_facts(connection: sa.Connection, key: str, facts: Mapping[str, Any]) -> None:
    """In place of those of the same key."""
    connection.execute(sa.delete(facts_table).where(facts_table.c.key == key))
    connection.execute(sa.insert(facts_table).values(key=key, facts=json.dumps(dict(facts))))


def update_items(connection: sa.Connection, pair: str, sides: Mapping[str, Mapping[str, Any]]) -> None:
    """Replace what differs from what is kept, and delete what is no more."""
    now = {
        (side, item_id): json.dumps(item, sort_keys=True)
        for side, items in sides.items()
        for item_id, item in items.items()
    }
    ours = seen_table.c.pair == pair
    query = sa.select(seen_table.c.side, seen_table.c.id, seen_table.c.item).where(ours)
    kept = {(side, item_id): item for side, item_id, item in connection.execute(query)}
    stale = [{"s": side, "i": item_id} for (side, item_id), item in kept.items() if now.get((side, item_id)) != item]
    if stale:
        which = ours & (seen_table.c.side == sa.bindparam("s")) & (seen_table.c.id == sa.bindparam("i"))
        connection.execute(sa.delete(seen_table).where(which), stale)
    news = [
        {"pair": pair, "side": side, "id": item_id, "item": item}
        for (side, item_id), item in now.items()
        if kept.get((side, item_id)) != item
    ]
    if news:
        connection.execute(sa.insert(seen_table), news)


def row_of(table: sa.Table, pair: str, lead_id: str) -> sa.ColumnElement[bool]:
    """The row of one lead."""
    return (table.c.pair == pair) & (table.c.lead_id == lead_id)


def update_base(connection: sa.Connection, pair: str, updates: Mapping[str, Mapping[str, Any]]) -> None:
    """Set the given columns; a lead without a row gets one."""
    for lead_id, columns in updates.items():
        update = sa.update(base_table).where(row_of(base_table, pair, lead_id))
        if not columns or connection.execute(update.values(**columns)).rowcount:
            continue
        row = {**EMPTY_ROW, **columns, "pair": pair, "lead_id": lead_id}
        connection.execute(sa.insert(base_table).values(**row))
