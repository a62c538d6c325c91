"""Saved plans that were applied: each is, once. Never here: what a plan says."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from leadsync.state.database import Database
from leadsync.state.tables import spent_plan_table


@dataclass(frozen=True)
class Spent:
    """A plan's `id`, and the `run` that applied it. `at`: when, as people write it."""

    id: str
    run: str
    at: str


class SpentPlans:
    """Those of all pairs; a plan's id is its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, plan_id: str) -> Spent | None:
        """Who applied the plan; None if nobody has."""
        query = sa.select(spent_plan_table).where(spent_plan_table.c.id == plan_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Spent(row.id, row.run, row.at)


def put_spent(connection: sa.Connection, spent: Spent) -> None:
    """In a transaction with what the plan journals."""
    connection.execute(sa.insert(spent_plan_table).values(id=spent.id, run=spent.run, at=spent.at))
