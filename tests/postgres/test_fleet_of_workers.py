"""Several workers on one state: they share the pairs, and what a killed one leaves is taken up, nothing doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from emulator import Emulator
from leadsync.pipeline import fleet as fleets
from leadsync.pipeline.members import Member, due_members
from leadsync.pipeline.steps import Options
from leadsync.report.report import Report
from leadsync.state.store import StateStore
from leadsync.transport.pacing import ARRIVALS
from support.places import FLOWS

PAIRS, LEADS = 6, 5
WORKER = """
import json, os, sys
from leadsync.environment import load_settings
from leadsync.model import Read
from leadsync.pipeline.fleet import Fleet, shared_transport
from leadsync.pipeline.members import Member, due_members
from leadsync.pipeline.steps import Options
from leadsync.state.budgets import shared_budgets
from leadsync.state.store import StateStore
import time
url, pairs = sys.argv[1], json.loads(sys.argv[2])
store = StateStore(url)
there = [
    Member(str(number), pair["airtable_base_id"], pair["trello_api_token"], lambda pair=pair: load_settings(pair=pair))
    for number, pair in enumerate(pairs)
]
fleet = Fleet(store, Options(read=Read.FULL), 3600.0, shared_transport(shared_budgets(store.database), 2), 2)
print("ready", flush=True)
sys.stdin.readline()
for synced in fleet.sync(due_members(there, store, time.time())):
    where = "here" if synced.report else "elsewhere"
    print(synced.pair, where, int(synced.report.exit_code) if synced.report else 0, flush=True)
"""
OWN = ("AIRTABLE_API_TOKEN", "AIRTABLE_BASE_ID", "TRELLO_API_KEY", "TRELLO_API_TOKEN", "TRELLO_BOARD_ID")
PLACES = ("AIRTABLE_ENDPOINT_URL", "TRELLO_ENDPOINT_URL")


@pytest.fixture
def teams():
    running = [Emulator(seed=number, latency=0.02) for number in range(1, PAIRS + 1)]
    for each in running:
        each.start()
        for number in range(LEADS):
            each.airtable.add_lead(f"Lead {number}", f"{number}@example.com", "NEW", "web")
    yield running
    for each in running:
        each.stop()


@pytest.fixture
def start(cluster, database, teams):
    """Another worker, that waits until it is told to go."""
    url, made = cluster.url(database), []
    StateStore(url).close()
    settings = [{name.lower(): each.settings()[name] for name in (*OWN, *PLACES)} for each in teams]
    env = {"PYTHONPATH": str(FLOWS), "LEADSYNC_ENV_FILE": "", "SYNC_STATE_URL": url, "PATH": os.environ["PATH"]}

    def worker():
        command = [sys.executable, "-c", WORKER, url, json.dumps(settings)]
        process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        made.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield worker
    for process in made:
        process.kill()
        process.wait()


def go(process):
    process.stdin.write("go\n")
    process.stdin.flush()


def cards_by_lead(services):
    marked = [card["desc"].rpartition("LeadID: ")[2].strip() for card in services.trello.cards().values()]
    return sorted(marked)


def test_two_workers_share_the_pairs(start, teams):
    workers = [start(), start()]
    for worker in workers:
        go(worker)
    told = [worker.communicate(timeout=120)[0].split("\n") for worker in workers]
    here = [[line.split()[0] for line in lines if " here " in line] for lines in told]
    assert sorted([*here[0], *here[1]]) == [str(number) for number in range(PAIRS)]
    assert all(here)
    for services in teams:
        assert cards_by_lead(services) == sorted(services.airtable.records())


def test_what_a_killed_worker_leaves_is_taken_up_and_nothing_is_doubled(start, teams):
    first, second = start(), start()
    go(first)
    deadline = time.monotonic() + 60
    while not any(services.trello.cards() for services in teams) and time.monotonic() < deadline:
        time.sleep(0.01)
    go(second)
    first.send_signal(signal.SIGKILL)
    told = second.communicate(timeout=120)[0].split("\n")
    assert second.returncode == 0
    failed = [line for line in told if line and line.split()[2] != "0"]
    assert failed == []
    for services in teams:
        assert cards_by_lead(services) == sorted(services.airtable.records())


@pytest.mark.parametrize(("bases", "waits"), [("ab", 0), ("aa", 2)])
def test_base_with_several_pairs_is_left_alone_for_a_second_before_another_worker_may_have_it(
    cluster, database, monkeypatch, bases, waits
):
    """What was asked of it just now only this process knows."""
    slept = []
    monkeypatch.setattr(fleets, "time", SimpleNamespace(sleep=slept.append, time=time.time))
    store = StateStore(cluster.url(database))
    there = [
        Member(str(at), base, "", lambda: SimpleNamespace(airtable_base_id="app")) for at, base in enumerate(bases)
    ]
    fleet = fleets.Fleet(store, Options(), 3600.0, None, at_once=1, run=lambda *_: Report())
    synced = [*fleet.sync(due_members(there, store, time.time()))]
    store.close()
    assert [len(synced), slept] == [2, [ARRIVALS] * waits]
