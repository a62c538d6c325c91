"""
What waits for a person: conflicts that are still open, and what is set aside, each with since when.

Conflicts change in the transaction that changes what is agreed. Never here: who wins, what is told of it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa

from leadsync.core.conflicts import Conflict, OpenConflicts
from leadsync.core.told import SetAside
from leadsync.frames.agreed import Agreed, Rename
from leadsync.state.database import Database
from leadsync.state.tables import aside_table, conflict_table

_c, _a = conflict_table.c, aside_table.c
CONFLICTS: Final = sa.select(conflict_table).where(_c.pair == sa.bindparam("of")).order_by(_c.lead_id, _c.cell)
LEADS: Final = sa.select(_c.lead_id).where(_c.pair == sa.bindparam("of"))
ASIDE: Final = sa.select(aside_table).where(_a.pair == sa.bindparam("of")).order_by(_a.id)
_in_cells = _c.cell.in_(sa.bindparam("cells", expanding=True))
CLOSE: Final = sa.delete(conflict_table).where(
    _c.pair == sa.bindparam("of"), _c.lead_id == sa.bindparam("lead"), _in_cells
)
"""Made once: every run asks, and to make a query takes longer than to ask."""
OWN: Final = {"status": ("status", "stage"), "name": ("name", "title"), "card": ("lead_presence", "card_presence")}
"""Cells that are no rows of the mapping -> their columns in the base."""


@dataclass(frozen=True)
class OpenConflict:
    """A conflict, by which name the base knows its cell, and when it was first met [s since 1970, by our clock]."""

    cell: str
    conflict: Conflict
    since: float


@dataclass(frozen=True)
class Waiting:
    """Something that is set aside, and since when [s since 1970, by our clock]."""

    entry: SetAside
    since: float


class WaitingRows:
    """Of all pairs; `pair` is a pair's key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def conflicts(self, pair: str) -> list[OpenConflict]:
        """Those that are open, in order by lead."""
        with self._database.reading() as connection:
            return open_conflicts(connection, pair)

    def aside(self, pair: str) -> list[Waiting]:
        """What the last run set aside, in its order."""
        with self._database.reading() as connection:
            rows = connection.execute(ASIDE, {"of": pair})
            return [Waiting(SetAside(**json.loads(row.entry)), row.since) for row in rows]

    def set_aside(self, pair: str, entries: Iterable[SetAside], now: float) -> None:
        """In place of what was set aside before; what stands longer keeps its time. Nothing is written if all does."""
        kept = self.aside(pair)
        since = {_key(each.entry): each.since for each in reversed(kept)}
        rows = [_row_of(pair, Waiting(entry, since.get(_key(entry), now))) for entry in entries]
        if rows == [_row_of(pair, each) for each in kept]:
            return
        with self._database.writing() as connection:
            connection.execute(sa.delete(aside_table).where(_a.pair == pair))
            if rows:
                connection.execute(sa.insert(aside_table), rows)


def _key(entry: SetAside) -> tuple[str, str, str]:
    return entry.lead_id, entry.card_id, entry.field


def _row_of(pair: str, row: Waiting) -> dict[str, Any]:
    entry = json.dumps(asdict(row.entry))
    return {"pair": pair, "lead_id": row.entry.lead_id, "since": row.since, "entry": entry}


def open_conflicts(connection: sa.Connection, pair: str) -> list[OpenConflict]:
    """Those of a pair, in order by lead."""
    rows = connection.execute(CONFLICTS, {"of": pair})
    return [OpenConflict(row.cell, Conflict(**json.loads(row.conflict)), row.since) for row in rows]


def note_conflicts(
    connection: sa.Connection, pair: str, kept: Iterable[OpenConflict], met: OpenConflicts, now: float
) -> None:
    """
    What a pass has met: new ones, those whose values are others by now, and those that are none any more.

    `kept`: as they were before this transaction, which may have closed some; what is found again is as old as it was.
    """
    known = {(each.conflict.lead_id, each.cell): each for each in kept}
    there = {(each.conflict.lead_id, each.cell): each for each in open_conflicts(connection, pair)} if known else {}
    wanted = {key: each for key, each in there.items() if met.stands(key)}
    for key, conflict in met.found.items():
        wanted[key] = OpenConflict(key[1], conflict, known[key].since if key in known else now)
    for key in [key for key, each in there.items() if wanted.get(key) != each]:
        connection.execute(sa.delete(conflict_table).where(_of(pair, *key)))
    rows = [
        {
            "pair": pair,
            "lead_id": key[0],
            "cell": key[1],
            "since": each.since,
            "conflict": json.dumps(asdict(each.conflict)),
        }
        for key, each in wanted.items()
        if there.get(key) != each
    ]
    if rows:
        connection.execute(sa.insert(conflict_table), rows)


def leads_in_conflict(connection: sa.Connection, pair: str) -> frozenset[str]:
    """Few, as a rule none."""
    return frozenset(connection.execute(LEADS, {"of": pair}).scalars())


def close_settled(connection: sa.Connection, pair: str, was: Agreed, now: Agreed, held: Collection[str] = ()) -> None:
    """Cells of which something else is agreed by now are in conflict no more, but for those `held`."""
    cells = {name for name, columns in OWN.items() if any(was.get(each) != now.get(each) for each in columns)}
    for before, after in ((was.lead_cells, now.lead_cells), (was.card_cells, now.card_cells)):
        cells |= {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if cells := cells - {*held}:
        connection.execute(CLOSE, {"of": pair, "lead": now.lead_id, "cells": [*cells]})


def forget_conflicts(connection: sa.Connection, pair: str, lead_id: str) -> None:
    """All of a lead."""
    connection.execute(sa.delete(conflict_table).where((_c.pair == pair) & (_c.lead_id == lead_id)))


def forget_waiting(connection: sa.Connection, pair: str, lead_id: str) -> None:
    """All that waits of a lead that is gone."""
    forget_conflicts(connection, pair, lead_id)
    connection.execute(sa.delete(aside_table).where((_a.pair == pair) & (_a.lead_id == lead_id)))


def rename_conflicts(connection: sa.Connection, pair: str, now: Rename) -> None:
    """The mapping's cells are called otherwise; a row that was taken away takes its conflicts along."""
    for each in open_conflicts(connection, pair):
        name = each.cell if each.cell in OWN else now(each.cell)
        which = _of(pair, each.conflict.lead_id, each.cell)
        if name is None:
            connection.execute(sa.delete(conflict_table).where(which))
        elif name != each.cell:
            connection.execute(sa.update(conflict_table).where(which).values(cell=name))


def _of(pair: str, lead_id: str, cell: str) -> sa.ColumnElement[bool]:
    return (_c.pair == pair) & (_c.lead_id == lead_id) & (_c.cell == cell)
