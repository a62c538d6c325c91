"""One run per pair at a time, by a lock that dies with its holder."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from leadsync.errors import BusyError, StateStoreError
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore
from support.lock_holder import held_elsewhere

PAIR = "appA/board"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'state.sqlite3'}"


@pytest.fixture
def open_store(url):
    """`open_store()`: another store of the same file, as another run would open it."""
    opened = []

    def another(of=None):
        opened.append(StateStore(of or url))
        return opened[-1]

    yield another
    for store in opened:
        store.close()


@pytest.fixture
def holder(url):
    """Another process that holds the lock."""
    with held_elsewhere(url, PAIR) as process:
        yield process


def test_second_run_is_told_who_holds_the_lock(open_store):
    """Process, host and since when; exit code 4, at once."""
    with pair_lock(open_store(), PAIR) as still_held:
        still_held()
        with pytest.raises(BusyError) as caught, pair_lock(open_store(), PAIR):
            pytest.fail("two runs at once")
    assert f"process {os.getpid()} on {socket.gethostname()} since 20" in str(caught.value)
    assert caught.value.exit_code == 4


def test_lock_is_free_afterwards(open_store):
    """Also when the run ended by an error."""
    with pytest.raises(ZeroDivisionError), pair_lock(open_store(), PAIR):
        raise ZeroDivisionError
    with pair_lock(open_store(), PAIR):
        pass


def test_other_pairs_are_not_locked_out(open_store):
    """The lock is the pair's."""
    with pair_lock(open_store(), PAIR), pair_lock(open_store(), "appB/board"):
        pass


def test_refused_run_leaves_the_holders_name(open_store):
    """A third run is told of the first, not of the second."""
    with pair_lock(open_store(), PAIR):
        before = open_store().holders.load(PAIR)
        with pytest.raises(BusyError), pair_lock(open_store(), PAIR):
            pass
        assert open_store().holders.load(PAIR) == before


def test_lock_dies_with_its_holder(open_store, holder):
    """Killed outright, it holds nothing: the next run starts at once."""
    with pytest.raises(BusyError, match=f"process {holder.pid} on"), pair_lock(open_store(), PAIR):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with pair_lock(open_store(), PAIR):
        pass


def test_unknown_holder_is_said_to_be_another_process(open_store, monkeypatch):
    """Between taking the lock and writing its name."""
    store = open_store()
    with pair_lock(open_store(), PAIR):
        monkeypatch.setattr(store.holders, "load", lambda pair: {})
        with pytest.raises(BusyError, match="another process"), pair_lock(store, PAIR):
            pass


def test_lock_file_that_cannot_be_made_is_a_sentence(open_store, tmp_path):
    """A folder stands where it should be."""
    digest = hashlib.sha256(PAIR.encode()).hexdigest()[:16]
    (tmp_path / f"state.sqlite3.{digest}.lock").mkdir()
    with pytest.raises(StateStoreError, match="lock file"), pair_lock(open_store(), PAIR):
        pass


def test_database_in_memory_is_locked_too(open_store, monkeypatch, tmp_path):
    """By a file in the temporary folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pair_lock(open_store("sqlite://"), PAIR):
        with pytest.raises(BusyError), pair_lock(open_store("sqlite://"), PAIR):
            pass
    assert list(tmp_path.glob("leadsync-memory.*"))


# --- PostgreSQL's advisory lock, with its two functions played by SQLite ---------------------------------------


@pytest.fixture
def server():
    """A store on a "server": `held` are the keys of the locks taken; `engine` may be cut."""
    held = set()

    def take(key):
        free = key not in held
        held.add(key)
        return free

    def connected(connection, _record):
        connection.create_function("pg_try_advisory_lock", 1, take)
        connection.create_function("pg_advisory_unlock", 1, lambda key: held.discard(key))

    engine = sa.create_engine("sqlite://", poolclass=StaticPool)
    sa.event.listen(engine, "connect", connected)
    holders = {}
    yield SimpleNamespace(
        database=SimpleNamespace(is_sqlite=False, engine=engine, explained=lambda verb: nullcontext()),
        held=held,
        holders=SimpleNamespace(load=lambda pair: holders.get(pair, {}), save=holders.__setitem__),
    )
    engine.dispose()


def test_advisory_lock_is_taken_and_given_back(server):
    """One key a pair, that fits into PostgreSQL's bigint; the second run is told of the first."""
    with pair_lock(server, PAIR) as still_held:
        still_held()
        [key] = server.held
        assert -(2**63) <= key < 2**63
        with pytest.raises(BusyError, match=f"process {os.getpid()}"), pair_lock(server, PAIR):
            pass
        with pair_lock(server, "appB/board"):
            assert len(server.held) == 2
    assert not server.held


def test_lost_connection_stops_the_writing(server):
    """With the connection the lock is lost, and another run may have begun."""
    with pair_lock(server, PAIR) as still_held:

        def cut(*_args):
            raise sa.exc.OperationalError("SELECT 1", {}, Exception("server closed the connection"))

        sa.event.listen(server.database.engine, "before_cursor_execute", cut)
        with pytest.raises(StateStoreError, match="stopped writing"):
            still_held()
