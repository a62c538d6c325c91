"""
One run per pair at a time: a lock that dies with its holder, so that after a kill the next run starts at once.

An operating-system file lock beside the SQLite file, an advisory lock on PostgreSQL; nothing that expires.
What is never here: waiting.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from leadsync.errors import BusyError, StateStoreError
from leadsync.private_files import FILE, close_to_others
from leadsync.state.store import StateStore

StillHeld = Callable[[], None]


@contextlib.contextmanager
def pair_lock(store: StateStore, pair: str) -> Iterator[StillHeld]:
    """
    Hold the lock of `pair`.

    Yields: a check to call before writing; it raises StateStoreError if the lock was lost.
    Raises: BusyError that says who holds it and since when.
    """
    take = _file_lock if store.database.is_sqlite else _advisory_lock
    with take(store, pair) as still_held:
        holder = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        store.holders.save(pair, holder)
        yield still_held


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
    key = int.from_bytes(hashlib.sha256(pair.encode()).digest()[:8], "big", signed=True)
    with store.database.explained("locked"):
        connection = store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with connection:
        with store.database.explained("locked"):
            is_ours = connection.execute(sa.select(sa.func.pg_try_advisory_lock(key))).scalar()
        if not is_ours:
            raise _busy(store, pair)

        def still_held() -> None:
            try:
                connection.execute(sa.select(1))
            except SQLAlchemyError:
                raise StateStoreError(
                    "The connection to the state database was lost, and the lock with it; the run stopped writing. "
                    "Run again."
                ) from None

        try:
            yield still_held
        finally:
            with contextlib.suppress(SQLAlchemyError):
                connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))


def _busy(store: StateStore, pair: str) -> BusyError:
    holder = store.holders.load(pair)
    who = f"process {holder['pid']} on {holder['host']} since {holder['since']}" if holder else "another process"
    return BusyError(f"Another sync of this pair is running: {who}. Nothing was done; wait for it to end.")
