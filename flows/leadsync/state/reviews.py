"""Plans that wait until a person has read them, one a pair. Never here: what a plan says, who waits how."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from leadsync.state.database import Database
from leadsync.state.tables import review_table


@dataclass(frozen=True)
class Waiting:
    """`run`: the id of the run that waits with the `plan`, which is as in a file."""

    run: str
    plan: str


class Reviews:
    """What waits, of all pairs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_pair(self, pair: str) -> Waiting | None:
        """The plan that waits for this pair."""
        return self._load(review_table.c.pair == pair)

    def of_run(self, run: str) -> Waiting | None:
        """The plan with which a run waits; None if it does not, or another has taken its place."""
        return self._load(review_table.c.run == run)

    def put(self, pair: str, waiting: Waiting) -> None:
        """In place of the pair's."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(review_table).where(review_table.c.pair == pair))
            connection.execute(sa.insert(review_table).values(pair=pair, run=waiting.run, plan=waiting.plan))

    def end(self, run: str) -> None:
        """The run waits no more."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(review_table).where(review_table.c.run == run))

    def _load(self, which: sa.ColumnElement[bool]) -> Waiting | None:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(review_table).where(which)).one_or_none()
        return None if row is None else Waiting(row.run, row.plan)
