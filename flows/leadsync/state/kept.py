"""Rows that are kept one by one: when a pair is due, a plan that waits, a plan that was applied. Never here: a rule."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from leadsync.state.database import Database
from leadsync.state.tables import pair_run_table, review_table, spent_plan_table


@dataclass(frozen=True)
class PairRun:
    """
    A pair of the fleet, by the name of its block. `due`, `succeeded`: by our clock [s since 1970], the latter None if
    it never did. `failures`: in a row; `message`: how it ended last.
    """

    pair: str
    due: float = 0.0
    succeeded: float | None = None
    failures: int = 0
    message: str = ""


@dataclass(frozen=True)
class Review:
    """A pair's `plan`, as in a file, that waits until a person has read it. `run`: the id of the run that waits."""

    pair: str
    run: str
    plan: str


@dataclass(frozen=True)
class Spent:
    """A saved plan that was applied: its `id`, and the `run` that applied it. `at`: when, as people write it."""

    id: str
    run: str
    at: str


TABLES: dict[type, sa.Table] = {PairRun: pair_run_table, Review: review_table, Spent: spent_plan_table}
"""A column for each field; the first one is the key."""
Row = TypeVar("Row", PairRun, Review, Spent)


class Kept(Generic[Row]):
    """Those of one kind; which of them is said by columns."""

    def __init__(self, database: Database, kind: type[Row]) -> None:
        self._database, self._table = database, TABLES[kind]
        self._kind: type[Row] = kind
        self._key = fields(kind)[0].name
        self._end = sa.delete(self._table).where(self._table.c[self._key] == sa.bindparam("of"))

    def load(self, **which: str) -> Row | None:
        """The row with these values."""
        return next(iter(self.load_all(**which).values()), None)

    def load_all(self, **which: str) -> dict[str, Row]:
        """By key, all of them, or those with these values."""
        with self._database.reading() as connection:
            rows = connection.execute(_those_with(self._table, *which), which)
            return {row[0]: self._kind(**row._mapping) for row in rows}

    def save(self, row: Row) -> None:
        """In place of the one with its key."""
        with self._database.writing() as connection:
            connection.execute(self._end, {"of": getattr(row, self._key)})
            put(connection, row)

    def drop(self, **which: Collection[str]) -> None:
        """Of those with one of these values nothing is left."""
        with self._database.writing() as connection:
            named = (self._table.c[column].in_(values) for column, values in which.items())
            connection.execute(sa.delete(self._table).where(*named))


@cache
def _those_with(table: sa.Table, *columns: str) -> sa.Select[Any]:
    return sa.select(table).where(*(table.c[column] == sa.bindparam(column) for column in columns))


def put(connection: sa.Connection, row: Any) -> None:
    """A row that there was not, in a transaction with something else."""
    connection.execute(sa.insert(TABLES[type(row)]).values(vars(row)))


def end_reviews_of(connection: sa.Connection, pair: str, lead_id: str) -> None:
    """In a transaction with what else is erased of a lead: the pair's plan waits no more if the lead is in it."""
    named = (review_table.c.pair == pair) & review_table.c.plan.contains(lead_id, autoescape=True)
    connection.execute(sa.delete(review_table).where(named))
