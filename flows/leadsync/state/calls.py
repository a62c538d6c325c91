"""The month's Airtable calls, of all pairs together. Never here: what a plan allows."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from leadsync.state.database import Database
from leadsync.state.tables import calls_table

ADD: Final = sa.text(
    f"INSERT INTO {calls_table.name} AS known (month, airtable) VALUES (:month, :calls) "
    "ON CONFLICT (month) DO UPDATE SET airtable = known.airtable + excluded.airtable"
)


class MonthlyCalls:
    """Requests counted by month, which is written like 2026-11."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, month: str) -> int:
        """Requests counted so far."""
        with self._database.reading() as connection:
            query = sa.select(calls_table.c.airtable).where(calls_table.c.month == month)
            return int(connection.execute(query).scalar_one_or_none() or 0)

    def add(self, month: str, calls: int) -> None:
        """Count further requests."""
        with self._database.writing() as connection:
            connection.execute(ADD, {"month": month, "calls": calls})
