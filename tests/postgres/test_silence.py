"""A PostgreSQL that stops answering: the run ends with a sentence, and the next one finds the lock free."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from leadsync.errors import StateStoreError
from leadsync.state import postgres
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore

SOON = 30.0
"""Seconds in which the busiest machine comes to the end; frozen, a server would take for ever."""


@contextmanager
def frozen(cluster, database):
    """The server's processes for the database stand still."""
    found = cluster.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", database)
    pids = [pid for (pid,) in found]
    assert pids
    with stopped(pids):
        yield


@contextmanager
def all_frozen(cluster):
    """The whole server stands still: its port takes connections, and nobody is there to speak on them."""
    ((told,),) = cluster.execute("SELECT pg_read_file('postmaster.pid')")
    head = int(told.split()[0])
    with stopped([head]):  # so that it begets nobody meanwhile
        children = Path(f"/proc/{head}/task/{head}/children").read_text()
        with stopped([int(pid) for pid in children.split()]):
            yield


@contextmanager
def stopped(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(postgres, "SILENCE", 0.5)
    monkeypatch.setattr(postgres, "CONNECT_WITHIN", 2)


@pytest.mark.parametrize(
    ("asks", "verb"),
    [
        pytest.param(lambda store: store.facts.load("a"), "read", id="read"),
        pytest.param(lambda store: store.facts.save("a", {"b": 2}), "written", id="written"),
        pytest.param(lambda store: pair_lock(store, "app/board").__enter__(), "locked", id="locked"),
    ],
)
def test_frozen_server_is_given_up(cluster, database, short, asks, verb):
    """Whatever is asked of it; afterwards the same program goes on with it."""
    store = StateStore(cluster.url(database))
    store.facts.save("a", {"b": 1})
    began = time.monotonic()
    with frozen(cluster, database), pytest.raises(StateStoreError, match=f"could not be {verb}"):
        asks(store)
    assert time.monotonic() - began < SOON
    store.facts.save("a", {"b": 3})
    assert store.facts.load("a") == {"b": 3}
    store.close()


def test_server_that_takes_connections_and_says_nothing_is_given_up(short):
    """A port that is open is no database yet."""
    pytest.importorskip("psycopg")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(StateStoreError, match="could not be opened"):
            StateStore(f"postgresql://me:hush@127.0.0.1:{silent.getsockname()[1]}/leads")
    assert time.monotonic() - began < SOON


def test_run_in_which_the_server_freezes_ends_and_loses_nothing(team, cluster, database, short):
    """In the midst of the writes; once it is back, the next run has the lock at once and finishes."""
    leads = [team.lead(f"Lead {number}", "CONTACTED") for number in range(6)]
    team.sync()
    for lead in leads:
        team.airtable.edit(lead, status="QUALIFIED")
    freeze = frozen(cluster, database)
    wait = type(team.clock).monotonic
    frozen_at = []

    def freezes(clock):
        if not frozen_at and team.emulator.calls("trello", writes=True):
            frozen_at.append(time.monotonic())
            freeze.__enter__()
        return wait(clock)

    type(team.clock).monotonic = freezes
    try:
        report = team.sync(exit_code=None)
    finally:
        type(team.clock).monotonic = wait
        freeze.__exit__(None, None, None)
    assert frozen_at
    assert time.monotonic() - frozen_at[0] < SOON
    assert report.exit_code != 0
    assert "state database" in report.message
    team.sync()
    team.assert_one_card_each()
    team.assert_equal()
    team.assert_idle()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("request_number", [0, 1, 3, 6], ids="at-request-{}".format)
def test_run_whose_whole_server_freezes_ends_and_loses_nothing(team, cluster, short, request_number):
    """Before the reads, between them, and in the midst of the writes: new connections hear nothing either."""
    leads = [team.lead(f"Lead {number}", "CONTACTED") for number in range(6)]
    team.sync()
    for lead in leads:
        team.airtable.edit(lead, status="QUALIFIED")
    freeze, frozen_at, one = all_frozen(cluster), [], threading.Lock()

    def freezes(_request, _index):
        with one:
            if len(requests) == request_number:
                frozen_at.append(time.monotonic())
                freeze.__enter__()
            requests.append(1)

    requests = []
    team.emulator.before_request(freezes)
    try:
        report = team.sync(exit_code=None)
        assert time.monotonic() - frozen_at[0] < SOON
    finally:
        if frozen_at:
            freeze.__exit__(None, None, None)
    assert "state database" in report.message
    assert report.exit_code != 0
    team.sync()
    team.assert_one_card_each()
    team.assert_equal()
    team.assert_idle()


def test_health_of_a_gateway_whose_server_freezes_comes_soon(serve, cluster, database):
    """Long before the server is given up; afterwards it tells who took the lock last."""
    store = StateStore(cluster.url(database))
    with pair_lock(store, "app/board"):
        pass
    served = serve(lock=lambda: store.holders.load_all("app"))
    with frozen(cluster, database):
        for _ in range(50):
            assert "does not answer" in served.ask("GET", "/health").json()["lock"]["unknown"]  # or times out
    until = time.monotonic() + SOON
    while "unknown" in served.ask("GET", "/health").json()["lock"] and time.monotonic() < until:
        time.sleep(0.01)
    told = served.ask("GET", "/health").json()["lock"]
    assert told["last_taken_by"]["app/board"]["pid"] == os.getpid()
    store.close()


def test_what_a_lost_machine_held_is_freed_by_the_server(cluster, database):
    """It asks whether the other end is alive, and does not wait for statements longer than we do."""
    store = StateStore(cluster.url(database))
    with store.database.reading() as connection:
        told = {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in postgres.ON_THE_SERVER}
    assert told == {
        "statement_timeout": "50s",
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }
    store.close()
