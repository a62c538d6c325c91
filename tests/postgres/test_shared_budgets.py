"""Budgets on the server: several processes together never exceed one, each gets its share, nobody goes on unpaced."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from leadsync.errors import StateStoreError
from leadsync.state.budgets import shared_budgets
from leadsync.state.database import Database
from leadsync.state.store import StateStore
from support.places import FLOWS

SECRETS = ("token", "key")
ASKING = """
import sys, time
from leadsync.state.budgets import shared_budgets
from leadsync.state.store import StateStore
from leadsync.transport import budgets
url, zone, seconds = sys.argv[1:]
budgets.ALLOWANCES = {"Trello": (budgets.Allowance(0, "token", 42, 1.0),)}
store = StateStore(url)
(shared,) = shared_budgets(store.database).of("Trello", ("token",))
print("ready", flush=True)
sys.stdin.readline()
end = time.time() + float(seconds)
while time.time() < end:
    shared.take()
    print(time.time(), flush=True)
"""


@pytest.fixture
def database(cluster, database):
    made = StateStore(cluster.url(database))
    yield made.database
    made.close()


def asking(url, seconds, zone):
    env = {"PYTHONPATH": str(FLOWS), "PGTZ": zone, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", ASKING, url, zone, str(seconds)]
    return subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_share_one_budget_evenly(cluster, database):
    """Whatever the time zones of their sessions."""
    url = database.url.render_as_string(hide_password=False)
    both = [asking(url, 6, zone) for zone in ("America/New_York", "Asia/Tokyo")]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    times = [[float(line) for line in process.communicate(timeout=60)[0].split()] for process in both]
    asked = sorted(moment for each in times for moment in each)
    most = max(sum(begin <= moment < begin + 0.9 for moment in asked) for begin in asked)
    assert most <= 42
    assert len(asked) >= 0.6 * 39 * 6  # they make use of it
    assert min(map(len, times)) >= len(asked) / 4  # half of a fair share


def test_refusal_makes_all_processes_wait(cluster, database):
    one, other = (shared_budgets(Database(database.url.render_as_string(hide_password=False))) for _ in range(2))
    for budget in one.of("Trello", SECRETS):
        budget.pause(2)
    began = time.monotonic()
    for budget in other.of("Trello", SECRETS):
        budget.take()
    assert time.monotonic() - began >= 1.5


def test_nobody_goes_on_without_the_server(cluster, database):
    budgets = shared_budgets(database).of("Trello", SECRETS)
    budgets[0].take()
    cluster.execute(f"ALTER DATABASE {database.url.database} ALLOW_CONNECTIONS false")
    cluster.cut(database.url.database)
    with pytest.raises(StateStoreError, match="whose turn"):
        budgets[0].take()
    cluster.execute(f"ALTER DATABASE {database.url.database} ALLOW_CONNECTIONS true")
    budgets[0].take()


def test_what_is_kept_does_not_tell_the_credential(cluster, database):
    for budget in shared_budgets(database).of("Trello", ("my-token", "my-key")):
        budget.take()
    tables = cluster.execute("SELECT table_name FROM information_schema.tables", database=database.url.database)
    names = [name for (name,) in tables if name.startswith("ratelimit")]
    assert len(names) == 2
    assert not any("my" in name for name in names)
