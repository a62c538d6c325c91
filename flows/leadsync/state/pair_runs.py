"""When a pair of the fleet is due, and how it went. Never here: what follows from it (see pipeline/fleet.py)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from leadsync.state.database import Database
from leadsync.state.tables import pair_run_table


@dataclass(frozen=True)
class PairRun:
    """
    `pair`: the name of its block. `due`, `succeeded`: by our clock [s since 1970], the latter None if it never did.

    `failures`: in a row; `message`: how it ended last.
    """

    pair: str
    due: float = 0.0
    succeeded: float | None = None
    failures: int = 0
    message: str = ""


class PairRuns:
    """One row a pair that was ever run in the fleet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, pair: str) -> PairRun:
        """That of one pair, due for ever if it was never run."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(pair_run_table).where(pair_run_table.c.pair == pair)).one_or_none()
            return PairRun(pair) if found is None else PairRun(**found._mapping)

    def load_all(self) -> dict[str, PairRun]:
        """By the pair's name."""
        with self._database.reading() as connection:
            return {row.pair: PairRun(**row._mapping) for row in connection.execute(sa.select(pair_run_table))}

    def save(self, run: PairRun) -> None:
        """Called by the one who holds the lock of its base."""
        with self._database.writing() as connection:
            values = vars(run)
            same = pair_run_table.c.pair == run.pair
            if not connection.execute(sa.update(pair_run_table).where(same).values(**values)).rowcount:
                connection.execute(sa.insert(pair_run_table).values(**values))

    def drop(self, pairs: Collection[str]) -> None:
        """Of these nothing is left."""
        with self._database.writing() as connection:
            for pair in pairs:
                connection.execute(sa.delete(pair_run_table).where(pair_run_table.c.pair == pair))
