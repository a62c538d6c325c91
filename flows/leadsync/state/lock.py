"""
One run per pair at a time: a lock that dies with its holder, so that after a kill the next run starts at once.

An operating-system file lock beside the SQLite file, an advisory lock on PostgreSQL; nothing that expires.
What is never here: waiting.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import hashlib
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from leadsync.errors import BusyError, StateStoreError
from leadsync.private_files import FILE, close_to_others
from leadsync.state.store import StateStore

StillHeld = Callable[[], None]
TRY_LOCK, UNLOCK = sa.text("SELECT pg_try_advisory_lock(:key)"), sa.text("SELECT pg_advisory_unlock(:key)")


@contextlib.contextmanager
def pair_lock(store: StateStore, pair: str) -> Iterator[StillHeld]:
    """
    Hold the lock of `pair`.

    Yields: a check to call before writing; it raises StateStoreError if the lock was lost.
    Raises: BusyError that says who holds it and since when.
    """
    with quiet_lock(store, pair) as still_held:
        holder = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        store.holders.save(pair, holder)
        yield still_held


def quiet_lock(store: StateStore, name: str) -> contextlib.AbstractContextManager[StillHeld]:
    """As pair_lock, of which nobody is to be told who holds it."""
    return (_file_lock if store.database.is_sqlite else _advisory_lock)(store, name)


@contextlib.contextmanager
def _file_lock(store: StateStore, pair: str) -> Iterator[StillHeld]:
    digest = hashlib.sha256(pair.encode()).hexdigest()[:16]
    place = store.database.path.resolve() if store.database.path else Path(tempfile.gettempdir()) / "leadsync-memory"
    lock = FileLock(f"{place}.{digest}.lock", mode=FILE)
    close_to_others(Path(lock.lock_file))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise _busy(store, pair) from None
    except OSError as exc:
        raise StateStoreError(f"The lock file beside {place} could not be made ({exc.strerror}).") from None
    try:
        yield lambda: None
    finally:
        lock.release()


@contextlib.contextmanager
def _advisory_lock(store: StateStore, pair: str) -> Iterator[StillHeld]:
    key, session = lock_key(pair), _session(store.database.engine)
    with store.database.explained("locked"):
        connection = session.take(key)
    if connection is None:
        raise _busy(store, pair)

    def still_held() -> None:
        if not session.has(connection):
            raise StateStoreError(
                "The connection to the state database was lost, and the lock with it; the run stopped writing. "
                "Run again."
            )

    try:
        yield still_held
    finally:
        session.release(key, connection)


def lock_key(name: str) -> int:
    """What an advisory lock is called on the server."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


class Session:
    """
    The one session of this process that holds its advisory locks on a server. Safe for threads.

    To the server a lock that a session holds is free for that session: what is held is kept here.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._lock, self._held = engine, threading.Lock(), set[int]()
        self._connection: sa.Connection | None = None

    def take(self, key: int) -> sa.Connection | None:
        """The connection that now holds the lock, None if somebody has it. Raises: SQLAlchemyError."""
        with self._lock:
            if key in self._held and self._is_there():
                return None
            began_before = self._connection is not None
            try:
                return self._try(key)
            except SQLAlchemyError:
                if not began_before:
                    raise
            return self._try(key)  # that session was lost, and with it all that it held

    def has(self, connection: sa.Connection) -> bool:
        """Whether this connection, and what it was given, is still there."""
        with self._lock:
            return self._connection is connection and self._is_there()

    def release(self, key: int, connection: sa.Connection) -> None:
        """Nothing, if that connection was lost; the last lock takes it along."""
        with self._lock:
            if self._connection is connection:
                self._held.discard(key)
                try:
                    connection.execute(UNLOCK, {"key": key})
                except SQLAlchemyError:
                    self._end()
                if not self._held:
                    self._end()

    def _try(self, key: int) -> sa.Connection | None:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            if self._connection.execute(TRY_LOCK, {"key": key}).scalar():
                self._held.add(key)
                return self._connection
        except SQLAlchemyError:
            self._end()
            raise
        if not self._held:
            self._end()
        return None

    def _is_there(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.execute(sa.select(1))
        except SQLAlchemyError:
            self._end()
        return self._connection is not None

    def _end(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                connection.close()


@functools.lru_cache(maxsize=8)
def _session(engine: sa.Engine) -> Session:
    return Session(engine)


def _busy(store: StateStore, pair: str) -> BusyError:
    holder = store.holders.load(pair)
    who = f"process {holder['pid']} on {holder['host']} since {holder['since']}" if holder else "another process"
    return BusyError(f"Another sync of this pair is running: {who}. Nothing was done; wait for it to end.")
