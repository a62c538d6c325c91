"""
The database itself: opened, its schema brought up to date, transactions, and errors in our words.

SQLite by default, PostgreSQL for teams. What is never here: what is kept in it, but for its schema.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateColumn
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from leadsync.errors import StateStoreError
from leadsync.private_files import make_private
from leadsync.state import postgres
from leadsync.state.earlier_schemas import checks_into_rows, lines_into_cells, mark_seen_cards
from leadsync.state.tables import SCHEMA_VERSION, metadata, schema_version

NO_SUCH_KIND = "SYNC_STATE_URL: no such kind of database; use sqlite:///… or postgresql://…."
LOCK_WAIT = 5.0
"""Seconds to wait for another program's hold on an SQLite file."""


class Database:
    """
    One state database. `url`: SQLAlchemy URL.

    Raises: StateStoreError with a sentence when the database is locked, read-only, full, damaged, of a later schema,
    or not a database; never with the URL's password.
    """

    def __init__(self, url: str) -> None:
        with self.explained("opened"):
            self.url = sa.make_url(url)
            if self.url.drivername == "postgresql":
                self.url = self.url.set(drivername="postgresql+psycopg")
            if self.path is not None:
                make_private(self.path)
            self.engine = self._reads = _engine(self.url)
            if not self.is_sqlite:  # to a server each beginning and each end of a transaction is a way of its own
                self._reads = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            made_by_another = retry_if_exception(_is_being_made)
            in_time, pause = stop_after_delay(LOCK_WAIT), wait_fixed(0.1)
            try:
                Retrying(retry=made_by_another, stop=in_time, wait=pause, reraise=True)(self._open_schema)
            except BaseException:
                self.engine.dispose()  # the engine outlives us
                raise

    def another_engine(self, **pool: int) -> sa.Engine:
        """Further connections to the server, for a purpose of their own. `pool`: as for SQLAlchemy's create_engine."""
        return _server_engine(self.url, **pool)

    @property
    def is_sqlite(self) -> bool:
        """Whether the state is a file on this machine."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def path(self) -> Path | None:
        """The SQLite file; None in memory or on a server."""
        name = self.url.database or ":memory:"
        if name.startswith("file:") and sa.util.asbool(self.url.query.get("uri", False)):
            name = unquote(urlsplit(name).path)
        in_memory = name == ":memory:" or self.url.query.get("mode") == "memory"
        return None if in_memory or not self.is_sqlite else Path(name)

    @property
    def shown_url(self) -> str:
        """The address without password and options, which may hold another."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    @property
    def _secrets(self) -> list[str]:
        """The password, and what stands in options, which may be another."""
        options = itertools.chain(*((of,) if isinstance(of, str) else of for of in self.url.query.values()))
        return [each for each in (self.url.password or "", *options) if len(each) > 3 or each == self.url.password]

    @contextlib.contextmanager
    def reading(self, piecemeal: bool = False) -> Iterator[sa.Connection]:
        """A connection to read with. `piecemeal`: a result that is not fetched at once, which takes a transaction."""
        engine = self.engine if piecemeal else self._reads
        with self.explained("read"), engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction: all that is written with the connection is there at the end, or nothing."""
        with self.explained("written"), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def explained(self, verb: str) -> Iterator[None]:
        """Whatever goes wrong inside becomes a sentence. `verb`: what could not be done with the database."""
        try:
            yield
        except NoSuchModuleError:
            raise StateStoreError(NO_SUCH_KIND) from None
        except ModuleNotFoundError as exc:
            if not str(exc.name).startswith("psycopg"):
                raise StateStoreError(NO_SUCH_KIND) from None
            raise StateStoreError(f"SYNC_STATE_URL needs {exc.name}; start with `uv run --extra postgres`.") from None
        except (SQLAlchemyError, OSError, ValueError) as exc:
            if not hasattr(self, "url"):  # what is wrong with it may be the password
                raise StateStoreError(
                    "SYNC_STATE_URL is no address of a database; use sqlite:///… or "
                    "postgresql://USER:PASSWORD@HOST/NAME, in quotes if there is a blank or a # in it."
                ) from None
            cause = exc.orig if isinstance(exc, DatabaseError) else exc
            first_line = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
            for secret in self._secrets:
                first_line = first_line.replace(secret, "***")
            raise StateStoreError(
                f"The state database {self.shown_url} could not be {verb} ({first_line}). Check SYNC_STATE_URL, the "
                "file's rights, the disk's space, and that no other program holds it."
            ) from None

    def _open_schema(self) -> None:
        with self.engine.connect() as connection:
            if _version(connection) == SCHEMA_VERSION:
                return
        with self.engine.begin() as connection:
            if self.is_sqlite:  # so that tables, too, change as a whole or not at all
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            version = _version(connection)
            if version is None:
                metadata.create_all(connection)
                connection.execute(sa.insert(schema_version).values(version=SCHEMA_VERSION))
            elif version < SCHEMA_VERSION:
                metadata.create_all(connection)
                _add_missing_columns(connection)
                if version < 4:
                    lines_into_cells(connection)
                if version < 5:
                    checks_into_rows(connection)
                    mark_seen_cards(connection)
                _add_missing_indexes(connection)
                connection.execute(sa.update(schema_version).values(version=SCHEMA_VERSION))
            elif version > SCHEMA_VERSION:
                raise StateStoreError(
                    f"The state database has schema version {version}, this program knows {SCHEMA_VERSION}; nothing "
                    "was written. Update the program, or point SYNC_STATE_URL to another database."
                )


def _version(connection: sa.Connection) -> int | None:
    known = sa.inspect(connection).has_table(schema_version.name)
    found: int | None = connection.execute(sa.select(schema_version.c.version)).scalar() if known else None
    return found


@lru_cache(maxsize=8)
def _engine(url: sa.URL) -> sa.Engine:
    """One for all runs of a process: it keeps what SQLAlchemy has compiled of our queries."""
    if url.get_backend_name() != "sqlite":
        return _server_engine(url)
    engine = sa.create_engine(url, connect_args={"timeout": LOCK_WAIT})
    sa.event.listen(engine, "connect", _sqlite_pragmas)
    return engine


def _server_engine(url: sa.URL, **pool: int) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"connect_timeout": postgres.CONNECT_WITHIN}, **pool)
    sa.event.listen(engine, "do_connect", postgres.connect)
    return engine


def _is_being_made(error: BaseException) -> bool:
    """Another first run is just making the tables."""
    return isinstance(error, DatabaseError) and "already exists" in str(error)


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _add_missing_columns(connection: sa.Connection) -> None:
    """Columns that a database made by an earlier release lacks."""
    for table in metadata.tables.values():
        known = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                definition = CreateColumn(column).compile(connection)
                connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN {definition}"))


def _add_missing_indexes(connection: sa.Connection) -> None:
    """Of tables that a database made by an earlier release has already."""
    for table in metadata.tables.values():
        for index in table.indexes:
            index.create(connection, checkfirst=True)


def json_object(text: str) -> dict[str, Any]:
    """What a column holds. Raises: ValueError if it is none; the database was damaged."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("damaged content")
    return found
