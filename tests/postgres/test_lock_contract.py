"""One run per pair at a time, between real processes, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import re
import socket
import time

import pytest

from leadsync.errors import BusyError, StateStoreError
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore
from support.lock_holder import held_elsewhere

PAIR = "appA/board"


@pytest.fixture
def store(url):
    opened = StateStore(url)
    yield opened
    opened.close()


@pytest.fixture
def holder(url):
    """Another process that holds the lock."""
    with held_elsewhere(url, PAIR) as process:
        yield process


def test_second_process_is_told_who_holds_the_lock_and_since_when(store, holder):
    """At once: the other one holds it still."""
    with pytest.raises(BusyError) as caught, pair_lock(store, PAIR):
        pass
    assert holder.poll() is None
    assert f"process {holder.pid} on {socket.gethostname()} since " in str(caught.value)
    assert re.search(r"since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", str(caught.value))
    assert caught.value.exit_code == 4


def test_lock_of_a_killed_holder_is_free_at_once(store, holder):
    """A server learns of the end of a process from its connection, some milliseconds later; a file knows at once."""
    holder.kill()
    holder.wait()
    until = time.monotonic() + (0 if store.database.is_sqlite else 30)
    while True:
        try:
            with pair_lock(store, PAIR):
                return
        except BusyError:
            assert time.monotonic() < until
            time.sleep(0.01)


def test_lock_is_free_after_an_error(store, url):
    other = StateStore(url)
    with pytest.raises(ZeroDivisionError), pair_lock(store, PAIR):
        raise ZeroDivisionError
    with pair_lock(other, PAIR) as still_held:
        still_held()
    other.close()


def test_other_pairs_are_not_locked_out(store):
    with pair_lock(store, PAIR), pair_lock(store, "appB/board") as still_held:
        still_held()


def test_other_databases_are_not_locked_out(cluster, database, holder_of_another_database):
    """Advisory locks are a database's own; a team may keep several in one cluster."""
    store = StateStore(cluster.url(database))
    with pair_lock(store, PAIR):
        pass
    store.close()


@pytest.fixture
def holder_of_another_database(cluster):
    store = StateStore(cluster.url("postgres"))
    with pair_lock(store, PAIR):
        yield
    store.close()


@pytest.mark.parametrize("only_the_lock", [True, False], ids=["lock-only", "all-connections"])
def test_holder_whose_connection_was_ended_may_not_write(cluster, database, only_the_lock):
    store = StateStore(cluster.url(database))
    with pair_lock(store, PAIR) as still_held:
        still_held()
        assert cluster.cut(database, only_the_lock) >= 1
        with pytest.raises(StateStoreError, match="lock.*stopped writing.*Run again"):
            still_held()
    with pair_lock(store, PAIR) as still_held:
        still_held()
    store.close()


def test_lost_lock_is_free_for_the_next_run(cluster, database):
    first, second = StateStore(cluster.url(database)), StateStore(cluster.url(database))
    with pair_lock(first, PAIR) as still_held:
        cluster.cut(database, only_the_lock=True)
        with pair_lock(second, PAIR) as held_by_second:
            held_by_second()
            with pytest.raises(StateStoreError):
                still_held()
    for store in (first, second):
        store.close()
