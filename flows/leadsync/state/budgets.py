"""
Budgets that several processes and machines share: kept on the PostgreSQL server of the state, counted by its clock.

Never here: what a credential is allowed, whose turn it is within this process (see transport/budgets.py).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from pyrate_limiter.buckets import PostgresBucket
from sqlalchemy.exc import SQLAlchemyError

from leadsync.errors import StateStoreError
from leadsync.state.database import Database
from leadsync.state.lock import lock_key
from leadsync.state.tables import budget_table
from leadsync.transport.budgets import Budgets, Limit
from leadsync.transport.pacing import taken

TRIES = 12
"""Statements that wait for the turn; the server ends each after 50 s."""
AT_ONCE = 28
"""Connections besides the four that stay: as many threads may wait for a turn."""
LOOK = f"""
    SELECT extract(epoch FROM clock_timestamp())::float8, (SELECT until FROM {budget_table.name} WHERE name = %s)
"""
PAUSE = f"""
    INSERT INTO {budget_table.name} AS known (name, until)
    VALUES (%s, extract(epoch FROM clock_timestamp())::float8 + %s)
    ON CONFLICT (name) DO UPDATE SET until = greatest(known.until, excluded.until)
"""


def shared_budgets(database: Database) -> Budgets:
    """Those of this process alone with SQLite; those of all that use the database with PostgreSQL."""
    if database.is_sqlite:
        return Budgets()
    connections = Connections(database)
    return Budgets(lambda limit: OnServer(limit, database, connections))


class Connections:
    """
    As pyrate-limiter takes a pool: each thread has the one connection of its turn.

    Sessions are at UTC, for the times that it stores have no zone.
    """

    closed = False

    def __init__(self, database: Database) -> None:
        self._own = threading.local()
        self._engine = database.another_engine(pool_size=4, max_overflow=AT_ONCE)
        sa.event.listen(self._engine, "connect", _at_utc)

    @contextlib.contextmanager
    def session(self) -> Iterator[Any]:
        """A connection of the driver for this thread; each statement is a transaction of its own."""
        held = self._engine.raw_connection()
        self._own.connection = held.driver_connection
        try:
            yield held.driver_connection
        except BaseException:
            held.invalidate()  # a lock may be left on it
            raise
        finally:
            del self._own.connection
            held.close()

    @contextlib.contextmanager
    def connection(self) -> Iterator[Any]:
        """This thread's, in one transaction."""
        with self._own.connection.transaction():
            yield self._own.connection


class OnServer:
    """
    A budget on the server. Whoever comes first there goes first: its queue for an advisory lock is one.

    Raises (from every method): StateStoreError; nobody goes on unpaced.
    """

    def __init__(self, limit: Limit, database: Database, connections: Connections) -> None:
        self._limit, self._database, self._connections = limit, database, connections
        self._key = lock_key(f"budget {limit.name}")
        with self._session():
            self._bucket = PostgresBucket(connections, limit.name, limit.rates)

    @contextlib.contextmanager
    def turn(self) -> Iterator[Callable[[], float]]:
        """Inside no other process asks."""
        with self._session() as session:
            self._in_line(session)
            yield lambda: self._wait(session)
            session.execute("SELECT pg_advisory_unlock(%s)", (self._key,))

    def pause(self, seconds: float) -> None:
        """Everybody's, on all machines."""
        with self._session() as session:
            session.execute(PAUSE, (self._limit.name, seconds))

    def _in_line(self, session: Any) -> None:
        import psycopg

        for _ in range(TRIES):
            with contextlib.suppress(psycopg.errors.QueryCanceled):
                session.execute("SELECT pg_advisory_lock(%s)", (self._key,))
                return
        raise StateStoreError("The state database gave nobody a turn for ten minutes. Run again later.")

    def _wait(self, session: Any) -> float:
        now, until = session.execute(LOOK, (self._limit.name,)).fetchone()
        return float(until) - float(now) if until and until > now else taken(self._bucket, int(now * 1000))

    @contextlib.contextmanager
    def _session(self) -> Iterator[Any]:
        import psycopg

        with self._database.explained("asked whose turn it is"):
            try:
                with self._connections.session() as session:
                    yield session
            except psycopg.Error as error:
                raise SQLAlchemyError(str(error)) from None


def _at_utc(connection: Any, _record: Any) -> None:
    connection.autocommit = True
    connection.execute("SET TIME ZONE 'UTC'")
