"""The month's Airtable calls, of all pairs together. Never here: what a plan allows."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from leadsync.state.database import Database
from leadsync.state.tables import calls_table


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
        count = sa.update(calls_table).where(calls_table.c.month == month)
        count = count.values(airtable=calls_table.c.airtable + calls)
        begun_by_another = retry_if_exception_type(IntegrityError)
        with self._database.explained("written"):
            for attempt in Retrying(retry=begun_by_another, stop=stop_after_attempt(2), reraise=True):
                with attempt, self._database.engine.begin() as connection:
                    if not connection.execute(count).rowcount:
                        connection.execute(sa.insert(calls_table).values(month=month, airtable=calls))
