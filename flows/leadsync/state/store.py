"""
The state database: the base, the journal of intents, tombstones, what was last seen, the month's
calls, and what settings resolved to.

The only file that imports SQLAlchemy. SQLite by default, PostgreSQL for teams. What is never here: a decision,
a secret (but the one that Airtable signs its webhook with), a person's text other than the values both sides
agreed on and, until a report has listed them, the two values of a conflict.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

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

from leadsync.core.journal import CARD, Intent, IntentState, Sent
from leadsync.core.settling import Verdict
from leadsync.errors import StateStoreError
from leadsync.frames.agreed import BASE_COLUMNS, base_frame
from leadsync.frames.snapshot import Mark, Seen
from leadsync.state.journal_rows import _sent_json, intent_of, json_object, replace_intent, row_of_intent
from leadsync.state.pair import Pair, Rows
from leadsync.state.tables import (
    SCHEMA_VERSION,
    add_missing_columns,
    any_of,
    base_table,
    calls_table,
    facts_table,
    holder_table,
    in_parts,
    intent_table,
    metadata,
    put_facts,
    rename_facts,
    row_of,
    schema_version,
    seen_key,
    seen_table,
    update_base,
    update_items,
)

LOCK_WAIT = 5.0
"""Seconds to wait for another program's hold on an SQLite file."""


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
        name = self.url.database or ":memory:"
        if name.startswith("file:") and sa.util.asbool(self.url.query.get("uri", False)):
            name = unquote(urlsplit(name).path)
        in_memory = name == ":memory:" or self.url.query.get("mode") == "memory"
        return None if in_memory or not self.is_sqlite else Path(name)

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
            return None if found is None else json_object(found)

    def save_facts(self, key: str, facts: Mapping[str, Any]) -> None:
        """Keep what was found out, so that an idle run need not ask."""
        with self._writing() as connection:
            put_facts(connection, key, facts)

    def load_base(self, pair: str) -> pd.DataFrame:
        """What both sides agreed on last time: frame as frames.base_frame."""
        query = sa.select(base_table.c.lead_id, *(base_table.c[column] for column in BASE_COLUMNS))
        with self._reading() as connection:
            rows = connection.execute(query.where(base_table.c.pair == pair)).all()
        return base_frame({row[0]: tuple(row[1:]) for row in rows})

    def load_former(self, pair: Pair) -> list[Rows]:
        """What other keys of the same base and board know; nothing once `pair` has rows of its own."""
        with self._reading() as connection:
            if any(connection.execute(any_of(table, pair.key)).first() for table in (base_table, intent_table)):
                return []
            present: dict[str, set[str]] = {}
            absent: dict[str, set[str]] = {}
            ours = base_table.c.pair.startswith(f"{pair.base_id}/", autoescape=True)
            query = sa.select(base_table.c.pair, base_table.c.lead_id, base_table.c.lead_presence).where(ours)
            for key, lead_id, presence in connection.execute(query):
                (present if presence == "present" else absent).setdefault(key, set()).add(lead_id)
            ours = intent_table.c.pair.startswith(f"{pair.base_id}/", autoescape=True)
            for key, lead_id in connection.execute(sa.select(intent_table.c.pair, intent_table.c.lead_id).where(ours)):
                present.setdefault(key, set()).add(lead_id)
        keys = sorted(present.keys() | absent.keys())
        rows = [Rows(Pair.of(key), frozenset(present.get(key, ())), frozenset(absent.get(key, ()))) for key in keys]
        return [each for each in rows if each.pair.lock == pair.lock]

    def take_over(self, former: Pair, pair: Pair, board: str) -> None:
        """
        Rename a key, in one transaction: base, intents, items seen, and facts. `board` as the settings name it.

        The holder stays: it is the lock's, which both keys share.
        """
        with self._writing() as connection:
            for table in metadata.sorted_tables:
                if "pair" in table.c and table is not holder_table:
                    connection.execute(sa.delete(table).where(table.c.pair == pair.key))
                    connection.execute(sa.update(table).where(table.c.pair == former.key).values(pair=pair.key))
            connection.execute(sa.delete(facts_table).where(facts_table.c.key == seen_key(pair.key)))
            for of, to in ((former, pair), (replace(former, board_id=board), replace(pair, board_id=board))):
                rename_facts(connection, of.key, to.key)

    def take_leads(self, leads_of: Mapping[Pair, Collection[str]], pair: Pair) -> None:
        """In one transaction: rows of base and journal that other keys hold of these leads."""
        with self._writing() as connection:
            for former, lead_ids in leads_of.items():
                for table in (base_table, intent_table):
                    for some in in_parts(lead_ids):
                        theirs = (table.c.pair == former.key) & table.c.lead_id.in_(some)
                        connection.execute(sa.update(table).where(theirs).values(pair=pair.key))

    def known_elsewhere(self, pair: str, lead_ids: Collection[str]) -> set[str]:
        """Those of the leads that other pairs on the same board know, be it of another base."""
        found: set[str] = set()
        with self._reading() as connection:
            for table in (base_table, intent_table):
                others = table.c.pair.endswith(f"/{Pair.of(pair).board_id}", autoescape=True)
                query = sa.select(table.c.lead_id).where(others, table.c.pair != pair)
                for some in in_parts(lead_ids):
                    found |= set(connection.execute(query.where(table.c.lead_id.in_(some))).scalars())
        return found

    def load_row(self, pair: str, lead_id: str) -> dict[str, Any]:
        """What was agreed about one lead: the columns of model.BASE_COLUMNS; {} if there is nothing."""
        query = sa.select(*(base_table.c[column] for column in BASE_COLUMNS))
        with self._reading() as connection:
            row = connection.execute(query.where(row_of(base_table, pair, lead_id))).one_or_none()
        return {} if row is None else dict(row._mapping)

    def load_intents(self, pair: str, *states: IntentState) -> list[Intent]:
        """The journal's rows in these states, oldest first; without any, writes that nobody recorded."""
        wanted = [state.value for state in states or (IntentState.PENDING,)]
        query = sa.select(intent_table).where((intent_table.c.pair == pair) & intent_table.c.state.in_(wanted))
        with self._reading() as connection:
            return [intent_of(row) for row in connection.execute(query.order_by(intent_table.c.id))]

    def journal(
        self,
        pair: str,
        updates: Mapping[str, Mapping[str, Any]],
        forget: Iterable[str],
        intents: Iterable[Intent],
        verdicts: Iterable[Verdict] = (),
    ) -> None:
        """
        In one transaction, before the first write: what is already true, and what is about to be written.

        Rows of earlier runs stay until their `verdicts` say what became of them.
        """
        rows = [row_of_intent(pair, intent) for intent in intents]
        with self._writing() as connection:
            for verdict in verdicts:
                replace_intent(connection, verdict.intent, verdict.became)
            update_base(connection, pair, updates)
            for lead_id in forget:
                connection.execute(sa.delete(base_table).where(row_of(base_table, pair, lead_id)))
            if rows:
                connection.execute(sa.insert(intent_table), rows)

    def record(
        self,
        pair: str,
        side: str,
        updates: Mapping[str, Mapping[str, Any]],
        sent: Mapping[str, Sent] | None = None,
        answered: float = 0.0,
    ) -> None:
        """
        After a write: the values that the API returned. The pending intents of these leads are no longer pending.

        `sent`: lead_id -> what has still to be checked, if the journal's row is of a write that can be. `answered`: the
        service's clock [s since 1970].
        """
        with self._writing() as connection:
            update_base(connection, pair, updates)
            for lead_id, columns in updates.items():
                pending = row_of(intent_table, pair, lead_id) & (intent_table.c.side == side)
                pending &= intent_table.c.state == IntentState.PENDING.value
                query = sa.select(intent_table).where(pending).order_by(intent_table.c.id)
                rows = [intent_of(row) for row in connection.execute(query).all()]
                for superseded in rows[:-1]:
                    replace_intent(connection, superseded, superseded.until(rows[-1].since))
                for intent in rows[-1:]:
                    done = replace(intent, state=IntentState.CHECKED)
                    if sent and lead_id in sent and intent.sent.cells:
                        done = replace(done, record=dict(columns), sent=sent[lead_id], answered=answered)
                        done = replace(done, state=IntentState.UNCHECKED)
                    replace_intent(connection, intent, done)

    def amend(self, pair: str, lead_id: str, sent: Sent) -> None:
        """Just before a PUT that turns out to differ from what was journalled."""
        pending = row_of(intent_table, pair, lead_id) & (intent_table.c.side == CARD)
        pending &= intent_table.c.state == IntentState.PENDING.value
        newest = sa.select(sa.func.max(intent_table.c.id)).where(pending).scalar_subquery()
        with self._writing() as connection:
            connection.execute(sa.update(intent_table).where(intent_table.c.id == newest).values(sent=_sent_json(sent)))

    def give_back(self, pair: str, undo: Mapping[str, Any], intent: Intent) -> None:
        """In one transaction, before a cell is given back: the base as it was, and the write that is to follow."""
        with self._writing() as connection:
            update_base(connection, pair, {intent.lead_id: undo})
            connection.execute(sa.insert(intent_table).values(**row_of_intent(pair, intent)))

    def end_intents(self, intents: Iterable[Intent]) -> None:
        """The writes are checked; a row stays only for conflicts that have still to be listed."""
        checked = [replace(intent, state=IntentState.CHECKED) for intent in intents]
        if checked:
            with self._writing() as connection:
                for intent in checked:
                    replace_intent(connection, replace(intent, conflicts=()), intent)

    def keep_intent(self, intent: Intent) -> None:
        """What remains of a journal row that is checked in part."""
        with self._writing() as connection:
            replace_intent(connection, replace(intent, sent=Sent()), intent)

    def drop_pending(self, pair: str, run: str, unclear: Collection[tuple[str, str]]) -> None:
        """What `run` did not send after all. `unclear`: side and lead id of writes that may have taken effect."""
        mine = [intent for intent in self.load_intents(pair) if intent.run == run]
        unsent = [intent for intent in mine if (intent.side, intent.lead_id) not in unclear]
        if unsent:
            with self._writing() as connection:
                for intent in unsent:
                    replace_intent(connection, intent, None)

    def end_told(self, pair: str, run: str) -> None:
        """`run` has listed its own conflicts, and those of writes that it did not find pending."""
        rows = [row for row in self.load_intents(pair, *IntentState) if row.conflicts]
        untold = [row for row in rows if row.run == run or row.state is not IntentState.PENDING]
        if untold:
            with self._writing() as connection:
                for intent in untold:
                    replace_intent(connection, intent, replace(intent, conflicts=()))

    def load_seen(self, pair: str) -> Seen:
        """What both sides looked like when they were last read; nothing if it is not known for certain."""
        marks = self.load_facts(seen_key(pair))
        if not marks:
            return Seen()
        seen = Seen.of_marks(marks)
        if marks.keys() == {"feed"}:
            return seen
        query = sa.select(seen_table.c.side, seen_table.c.id, seen_table.c.item).where(seen_table.c.pair == pair)
        with self._reading() as connection:
            for side, item_id, item in connection.execute(query):
                getattr(seen, side)[item_id] = json_object(item)
        return seen

    def forget_seen(self, pair: str, feed: Mark | None = None) -> None:
        """
        Before the first write: until save_seen it is not certain what both sides look like.

        `feed`, where the change feed goes on, is kept: it tells of our writes even if this run is cut off.
        """
        self.save_facts(seen_key(pair), {"feed": vars(feed)} if feed else {})

    def save_seen(self, pair: str, seen: Seen) -> None:
        """In one transaction; of the items only those that are not as they were kept."""
        with self._writing() as connection:
            update_items(connection, pair, {"records": seen.records, "cards": seen.cards})
            put_facts(connection, seen_key(pair), seen.marks())

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
            return {} if found is None else json_object(found)

    def load_holders(self, base_id: str) -> dict[str, dict[str, Any]]:
        """As `load_holder`, for every pair of an Airtable base."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(holder_table.c.pair, holder_table.c.holder)).all()
            return {pair: json_object(holder) for pair, holder in rows if pair.startswith(f"{base_id}/")}

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
            elif version < SCHEMA_VERSION:  # so far each has only added tables and columns
                metadata.create_all(connection)
                add_missing_columns(connection)
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


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
