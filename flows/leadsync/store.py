"""
The state database: the base, the journal of intents, tombstones, what was last seen, the month's
calls, and what settings resolved to.

The only file that imports SQLAlchemy. SQLite by default, PostgreSQL for teams. What is never here: a decision,
a secret (but the one that Airtable signs its webhook with), a person's text other than the values both sides
agreed on.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from tenacity import (
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_fixed,
)

from leadsync.errors import StateStoreError
from leadsync.frames import base_frame
from leadsync.intents import Intent
from leadsync.model import BASE_COLUMNS
from leadsync.seen import Mark, Seen

SCHEMA_VERSION = 2
LOCK_WAIT = 5.0
"""Seconds to wait for another program's hold on an SQLite file."""

metadata = sa.MetaData()
schema_version = sa.Table("leadsync_schema", metadata, sa.Column("version", sa.Integer, nullable=False))
facts_table = sa.Table(
    "leadsync_facts",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("facts", sa.Text, nullable=False),  # JSON
)
base_table = sa.Table(
    "leadsync_base",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("lead_id", sa.String, primary_key=True),
    *(
        sa.Column(column, sa.Boolean if dtype == "bool" else sa.Text, nullable=False)
        for column, dtype in BASE_COLUMNS.items()
    ),
)
intent_table = sa.Table(
    "leadsync_intent",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("pair", sa.String, nullable=False, index=True),
    sa.Column("side", sa.String, nullable=False),
    sa.Column("lead_id", sa.String, nullable=False),
    sa.Column("card_id", sa.String, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
)
holder_table = sa.Table(
    "leadsync_holder",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
)
seen_table = sa.Table(
    "leadsync_seen",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("side", sa.String, primary_key=True),  # records | cards
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("item", sa.Text, nullable=False),
)
calls_table = sa.Table(
    "leadsync_calls",
    metadata,
    sa.Column("month", sa.String, primary_key=True),  # like 2026-11
    sa.Column("airtable", sa.Integer, nullable=False),
)
EMPTY_ROW: dict[str, Any] = {column: False if dtype == "bool" else "" for column, dtype in BASE_COLUMNS.items()}


class StateStore:
    """
    One state database. `url`: SQLAlchemy URL.

    Raises (from every method): StateStoreError with a sentence when the database is locked, read-only, full,
    damaged, of a later schema, or not a database; never with the URL's password.
    """

    def __init__(self, url: str) -> None:
        with self._explained("opened"):
            self.url = sa.make_url(url)
            if self.url.drivername == "postgresql":
                self.url = self.url.set(drivername="postgresql+psycopg")
            self._make_folder()
            self.engine = sa.create_engine(self.url, connect_args=self._connect_args())
            if self.is_sqlite:
                sa.event.listen(self.engine, "connect", _sqlite_pragmas)
            for attempt in Retrying(
                retry=retry_if_exception(_is_being_made),
                stop=stop_after_delay(LOCK_WAIT),
                wait=wait_fixed(0.1),
                reraise=True,
            ):
                with attempt:
                    self._open_schema()

    @property
    def is_sqlite(self) -> bool:
        """Whether the state is a file on this machine."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def path(self) -> Path | None:
        """The SQLite file; None in memory or on a server."""
        return Path(self.url.database) if self.is_sqlite and self.url.database not in (None, "", ":memory:") else None

    @property
    def shown_url(self) -> str:
        """The address without password and options, which may hold another."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def load_facts(self, key: str) -> dict[str, Any] | None:
        """What an earlier run found out about `key`: a digest of settings, or a pair."""
        with self._reading() as connection:
            query = sa.select(facts_table.c.facts).where(facts_table.c.key == key)
            found = connection.execute(query).scalar_one_or_none()
            return None if found is None else _json_object(found)

    def save_facts(self, key: str, facts: Mapping[str, Any]) -> None:
        """Keep what was found out, so that an idle run need not ask."""
        with self._writing() as connection:
            _put_facts(connection, key, facts)

    def load_base(self, pair: str) -> pd.DataFrame:
        """What both sides agreed on last time: frame as frames.base_frame."""
        query = sa.select(base_table.c.lead_id, *(base_table.c[column] for column in BASE_COLUMNS))
        with self._reading() as connection:
            rows = connection.execute(query.where(base_table.c.pair == pair)).all()
        return base_frame({row[0]: tuple(row[1:]) for row in rows})

    def load_intents(self, pair: str) -> list[Intent]:
        """Writes that an earlier run meant to do and did not record, oldest first."""
        query = sa.select(intent_table).where(intent_table.c.pair == pair).order_by(intent_table.c.id)
        with self._reading() as connection:
            rows = connection.execute(query).all()
            return [Intent(row.side, row.lead_id, row.card_id, _json_object(row.record), row.since) for row in rows]

    def journal(
        self, pair: str, updates: Mapping[str, Mapping[str, Any]], forget: Iterable[str], intents: Iterable[Intent]
    ) -> None:
        """In one transaction, before the first write: what is already true, and what is about to be written."""
        rows = [
            {
                "pair": pair,
                "side": intent.side,
                "lead_id": intent.lead_id,
                "card_id": intent.card_id,
                "record": json.dumps(intent.record),
                "since": intent.since,
            }
            for intent in intents
        ]
        with self._writing() as connection:
            connection.execute(sa.delete(intent_table).where(intent_table.c.pair == pair))
            _update_base(connection, pair, updates)
            for lead_id in forget:
                connection.execute(sa.delete(base_table).where(_row_of(base_table, pair, lead_id)))
            if rows:
                connection.execute(sa.insert(intent_table), rows)

    def record(self, pair: str, side: str, updates: Mapping[str, Mapping[str, Any]]) -> None:
        """After a write: the values that the API returned, and the intents of these leads are done."""
        with self._writing() as connection:
            _update_base(connection, pair, updates)
            for lead_id in updates:
                done = _row_of(intent_table, pair, lead_id) & (intent_table.c.side == side)
                connection.execute(sa.delete(intent_table).where(done))

    def load_seen(self, pair: str) -> Seen:
        """What both sides looked like when they were last read; nothing if it is not known for certain."""
        marks = self.load_facts(_seen_key(pair))
        if not marks:
            return Seen()
        seen = Seen.of_marks(marks)
        if marks.keys() == {"feed"}:
            return seen
        query = sa.select(seen_table.c.side, seen_table.c.id, seen_table.c.item).where(seen_table.c.pair == pair)
        with self._reading() as connection:
            for side, item_id, item in connection.execute(query):
                getattr(seen, side)[item_id] = _json_object(item)
        return seen

    def forget_seen(self, pair: str, feed: Mark | None = None) -> None:
        """
        Before the first write: until save_seen it is not certain what both sides look like.

        `feed`, where the change feed goes on, is kept: it tells of our writes even if this run is cut off.
        """
        self.save_facts(_seen_key(pair), {"feed": vars(feed)} if feed else {})

    def save_seen(self, pair: str, seen: Seen) -> None:
        """In one transaction; of the items only those that are not as they were kept."""
        with self._writing() as connection:
            _update_items(connection, pair, {"records": seen.records, "cards": seen.cards})
            _put_facts(connection, _seen_key(pair), seen.marks())

    def load_calls(self, month: str) -> int:
        """Airtable requests counted in `month` (like 2026-11), by all pairs."""
        with self._reading() as connection:
            query = sa.select(calls_table.c.airtable).where(calls_table.c.month == month)
            return int(connection.execute(query).scalar_one_or_none() or 0)

    def add_calls(self, month: str, calls: int) -> None:
        """Count further Airtable requests."""
        count = sa.update(calls_table).where(calls_table.c.month == month)
        count = count.values(airtable=calls_table.c.airtable + calls)
        begun_by_another = retry_if_exception_type(IntegrityError)
        with self._explained("written"):
            for attempt in Retrying(retry=begun_by_another, stop=stop_after_attempt(2), reraise=True):
                with attempt, self.engine.begin() as connection:
                    if not connection.execute(count).rowcount:
                        connection.execute(sa.insert(calls_table).values(month=month, airtable=calls))

    def load_holder(self, pair: str) -> dict[str, Any]:
        """Who last took the lock of `pair`, and when."""
        with self._reading() as connection:
            query = sa.select(holder_table.c.holder).where(holder_table.c.pair == pair)
            found = connection.execute(query).scalar_one_or_none()
            return {} if found is None else _json_object(found)

    def load_holders(self, base_id: str) -> dict[str, dict[str, Any]]:
        """As `load_holder`, for every pair of an Airtable base."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(holder_table.c.pair, holder_table.c.holder)).all()
            return {pair: _json_object(holder) for pair, holder in rows if pair.startswith(f"{base_id}/")}

    def save_holder(self, pair: str, holder: Mapping[str, Any]) -> None:
        """Called by the one who has just taken the lock."""
        with self._writing() as connection:
            connection.execute(sa.delete(holder_table).where(holder_table.c.pair == pair))
            connection.execute(sa.insert(holder_table).values(pair=pair, holder=json.dumps(dict(holder))))

    def _make_folder(self) -> None:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)

    def _connect_args(self) -> dict[str, Any]:
        return {"timeout": LOCK_WAIT} if self.is_sqlite else {"connect_timeout": 10}

    def _open_schema(self) -> None:
        with self.engine.begin() as connection:
            known = sa.inspect(connection).has_table(schema_version.name)
            version = connection.execute(sa.select(schema_version.c.version)).scalar() if known else None
            if version is None:
                metadata.create_all(connection)
                connection.execute(sa.insert(schema_version).values(version=SCHEMA_VERSION))
            elif version < SCHEMA_VERSION:  # so far each has only added tables
                metadata.create_all(connection)
                connection.execute(sa.update(schema_version).values(version=SCHEMA_VERSION))
            elif version > SCHEMA_VERSION:
                raise StateStoreError(
                    f"The state database has schema version {version}, this program knows {SCHEMA_VERSION}; nothing "
                    "was written. Update the program, or point SYNC_STATE_URL to another database."
                )

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._explained("read"), self.engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._explained("written"), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except NoSuchModuleError:
            raise StateStoreError(
                "SYNC_STATE_URL: no such kind of database; use sqlite:///… or postgresql://…."
            ) from None
        except ModuleNotFoundError as exc:
            raise StateStoreError(f"SYNC_STATE_URL needs {exc.name}; start with `uv run --extra postgres`.") from None
        except (SQLAlchemyError, OSError, ValueError) as exc:
            where = self.shown_url if hasattr(self, "url") else "SYNC_STATE_URL"
            cause = exc.orig if isinstance(exc, DatabaseError) else exc
            first_line = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
            raise StateStoreError(
                f"The state database {where} could not be {verb} ({first_line}). Check SYNC_STATE_URL, the file's "
                "rights, the disk's space, and that no other program holds it."
            ) from None


def _is_being_made(error: BaseException) -> bool:
    """Another first run is just making the tables; SQLite commits them one by one."""
    return isinstance(error, DatabaseError) and "already exists" in str(error)


def _json_object(text: str) -> dict[str, Any]:
    """Raises: ValueError if it is none; the database was damaged."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("damaged content")
    return found


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _seen_key(pair: str) -> str:
    return f"seen {pair}"


def _put_facts(connection: sa.Connection, key: str, facts: Mapping[str, Any]) -> None:
    connection.execute(sa.delete(facts_table).where(facts_table.c.key == key))
    connection.execute(sa.insert(facts_table).values(key=key, facts=json.dumps(dict(facts))))


def _update_items(connection: sa.Connection, pair: str, sides: Mapping[str, Mapping[str, Any]]) -> None:
    """Replace what differs from what is kept, and delete what is no more."""
    now = {
        (side, item_id): json.dumps(item, sort_keys=True)
        for side, items in sides.items()
        for item_id, item in items.items()
    }
    ours = seen_table.c.pair == pair
    query = sa.select(seen_table.c.side, seen_table.c.id, seen_table.c.item).where(ours)
    kept = {(side, item_id): item for side, item_id, item in connection.execute(query)}
    stale = [{"s": side, "i": item_id} for (side, item_id), item in kept.items() if now.get((side, item_id)) != item]
    if stale:
        which = ours & (seen_table.c.side == sa.bindparam("s")) & (seen_table.c.id == sa.bindparam("i"))
        connection.execute(sa.delete(seen_table).where(which), stale)
    news = [
        {"pair": pair, "side": side, "id": item_id, "item": item}
        for (side, item_id), item in now.items()
        if kept.get((side, item_id)) != item
    ]
    if news:
        connection.execute(sa.insert(seen_table), news)


def _row_of(table: sa.Table, pair: str, lead_id: str) -> sa.ColumnElement[bool]:
    return (table.c.pair == pair) & (table.c.lead_id == lead_id)


def _update_base(connection: sa.Connection, pair: str, updates: Mapping[str, Mapping[str, Any]]) -> None:
    """Set the given columns; a lead without a row gets one."""
    for lead_id, columns in updates.items():
        update = sa.update(base_table).where(_row_of(base_table, pair, lead_id))
        if not columns or connection.execute(update.values(**columns)).rowcount:
            continue
        row = {**EMPTY_ROW, **columns, "pair": pair, "lead_id": lead_id}
        connection.execute(sa.insert(base_table).values(**row))
