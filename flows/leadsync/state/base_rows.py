"""
What was agreed about leads as rows of the base, and back, many at a time. A conflict about one ends where something
else is agreed.

Never here: what it means.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from sys import intern
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from leadsync.core.conflicts import Key
from leadsync.frames.agreed import BASE_COLUMNS, CELLS, Agreed, Columns, Rename
from leadsync.frames.schema import frame_of
from leadsync.mapping.lenses import Value
from leadsync.state.database import Database, json_object
from leadsync.state.parts import batched, rows_among
from leadsync.state.tables import base_table
from leadsync.state.waiting import close_settled, forget_conflicts, leads_in_conflict, rename_conflicts

Updates = Mapping[str, Columns]
"""Lead id -> columns of its base row, and what they become."""
OWN: Final = [column for column in BASE_COLUMNS if column not in CELLS]


_b = base_table.c
AGREED: sa.Select[Any] = sa.select(_b.lead_id, *(_b[column] for column in OWN), _b.cells)
"""Rows as agreed_of takes them; of which pair and leads is still to be said."""
OF_PAIR: sa.Select[Any] = AGREED.where(_b.pair == sa.bindparam("of_pair"))
BY_LEAD, BY_CARD = (OF_PAIR.where(of.in_(sa.bindparam("ids", expanding=True))) for of in (_b.lead_id, _b.card_id))


def agreed_of(row: sa.Row[Any]) -> Agreed:
    """A row of the base."""
    lead_id, *values, cells = tuple(row)
    both = json_object(cells)
    lead, card = ({intern(name): value_of(sides[side]) for name, sides in both.items()} for side in (0, 1))
    return Agreed(lead_id, **dict(zip(OWN, values, strict=True)), lead_cells=lead, card_cells=card)


def rows_of_leads(connection: sa.Connection, pair: str, lead_ids: Collection[str]) -> dict[str, Agreed]:
    """The rows of these leads, by lead id."""
    return _rows(connection, pair, BY_LEAD, lead_ids)


def _rows(connection: sa.Connection, pair: str, query: sa.Select[Any], ids: Collection[str]) -> dict[str, Agreed]:
    found = rows_among(connection, OF_PAIR, query, {"of_pair": pair}, ids)
    return {agreed.lead_id: agreed for agreed in map(agreed_of, found)}


class BaseRows:
    """Parts of a pair's base."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, pair: str, leads: Collection[str] = (), cards: Collection[str] = ()) -> pd.DataFrame:
        """The rows of these leads, and of those that have one of these cards: frame as frames.agreed.base_frame."""
        with self._database.reading() as connection:
            by_card = _rows(connection, pair, BY_CARD, cards)
            return frame_of((rows_of_leads(connection, pair, leads) | by_card).values(), Agreed)

    def counted(self, pair: str) -> Counted:
        """How many rows there are of some kinds, counted when it is asked for."""
        return Counted(self._database, pair)


class Counted:
    """How many leads a pair's base knows as present, and cards as open; asked for when it is asked about."""

    def __init__(self, database: Database, pair: str) -> None:
        self._database, self._pair = database, pair

    @property
    def any(self) -> bool:
        """Whether there is a row at all."""
        with self._database.reading() as connection:
            return connection.execute(ANY, {"of_pair": self._pair}).first() is not None

    @property
    def leads(self) -> int:
        """Leads."""
        return self._count(PRESENT)

    @property
    def cards(self) -> int:
        """Cards."""
        return self._count(OPEN)

    def _count(self, query: sa.Select[Any]) -> int:
        with self._database.reading() as connection:
            return int(connection.execute(query, {"of_pair": self._pair}).scalar_one())


ANY, COUNT = (
    sa.select(what).select_from(base_table).where(_b.pair == sa.bindparam("of_pair"))
    for what in (sa.literal(1), sa.func.count())
)
PRESENT, OPEN = COUNT.where(_b.lead_presence == "present"), COUNT.where(_b.card_presence == "open")


def write_rows(connection: sa.Connection, pair: str, rows: Iterable[Agreed], known: Collection[str]) -> None:
    """Put rows into the base; those of the leads `known` take the place of the ones they have."""
    for some in batched(rows):
        news, others = list[dict[str, Any]](), list[dict[str, Any]]()
        for agreed in some:
            both = {name: [agreed.lead_cells[name], agreed.card_cells[name]] for name in sorted(agreed.lead_cells)}
            values = {column: getattr(agreed, column) for column in OWN} | {"cells": json_of(both)}
            if agreed.lead_id in known:
                others.append(values | {"of_pair": pair, "of_lead": agreed.lead_id})
            else:
                news.append(values | {"pair": pair, "lead_id": agreed.lead_id})
        if news:
            connection.execute(INSERT, news)
        if others:
            connection.execute(UPDATE, others)


def update_base(connection: sa.Connection, pair: str, updates: Updates, held: Collection[Key] = ()) -> None:
    """Set the given columns; a lead without a row gets one. `held`: cells whose conflict is not settled by that."""
    changed = {lead_id: columns for lead_id, columns in updates.items() if columns}
    known = rows_of_leads(connection, pair, changed)
    were = {lead_id: known.get(lead_id) or Agreed(lead_id) for lead_id in changed}
    write_rows(connection, pair, (were[lead_id].updated(columns) for lead_id, columns in changed.items()), known)
    for lead_id in (leads_in_conflict(connection, pair) & changed.keys()) if changed else ():
        now = were[lead_id].updated(changed[lead_id])
        close_settled(connection, pair, were[lead_id], now, {cell for of, cell in held if of == lead_id})


def forget_leads(connection: sa.Connection, pair: str, lead_ids: Iterable[str]) -> None:
    """Nothing is known of them any more."""
    if gone := [{"of_pair": pair, "of_lead": lead_id} for lead_id in lead_ids]:
        connection.execute(DELETE, gone)
    for row in gone:
        forget_conflicts(connection, pair, row["of_lead"])


def rename_cells(connection: sa.Connection, pair: str, now: Rename) -> None:
    """The mapping's cells are called otherwise, or are in it no more."""
    rows = connection.execute(OF_PAIR, {"of_pair": pair}).all()
    base = [(agreed, agreed.renamed(now)) for agreed in map(agreed_of, rows)]
    known = {agreed.lead_id for agreed, _ in base}
    write_rows(connection, pair, (renamed for agreed, renamed in base if renamed != agreed), known)
    rename_conflicts(connection, pair, now)


_of_lead = (_b.pair == sa.bindparam("of_pair")) & (_b.lead_id == sa.bindparam("of_lead"))
INSERT: Final = sa.insert(base_table)
UPDATE: Final = sa.update(base_table).where(_of_lead)
DELETE: Final = sa.delete(base_table).where(_of_lead)


def json_of(found: object) -> str:
    """JSON, of a set the list of its elements."""
    return json.dumps(found, default=sorted)


def value_of(stored: Any) -> Value:
    """A value out of JSON, a list as the set that it was."""
    found: Value = frozenset(stored) if isinstance(stored, list) else stored
    return found
