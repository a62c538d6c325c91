"""Prefect's server is killed and comes back while a worker syncs: nothing is lost, and the next run is as any other."""

from __future__ import annotations

import json
import shlex
import threading
import time
import urllib.request

import pytest

from emulator import Emulator
from support.installation import SECONDS, Installation
from support.pages import set_up

pytestmark = pytest.mark.installation

ON_DEMAND = "deployment run sync-leads/on-demand"


@pytest.fixture
def emulator():
    """Both services, with the demo's leads."""
    with Emulator.demo() as running:
        yield running


@pytest.fixture
def prefect(emulator, tmp_path):
    """All that the README says to do once."""
    installation = Installation(
        tmp_path / "home", emulator.settings() | {"SYNC_STATE_URL": f"sqlite:///{tmp_path}/state.sqlite3"}
    )
    try:
        installation.follow(set_up())
        yield installation
    finally:
        installation.stop()


@pytest.fixture
def held(prefect, emulator):
    """A worker's run that is held at its first write. Yields: the function that lets it go on."""
    asked, go_on = threading.Event(), threading.Event()

    def hold(request, _index):
        if request.method == "POST":
            asked.set()
            go_on.wait(2 * SECONDS)

    emulator.before_request(hold)
    assert prefect.prefect(*shlex.split(ON_DEMAND)).returncode == 0
    assert asked.wait(SECONDS)
    yield go_on.set
    go_on.set()


def ended(prefect):
    """Wait for the run that started last. Returns: it."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        run = prefect.last_run()
        if run["state_type"] not in ("RUNNING", "PENDING", "SCHEDULED"):
            return run
        time.sleep(0.5)
    raise TimeoutError(f"{run['name']} is still {run['state_name']}")


def assert_synced(prefect, emulator, run):
    """The run is recorded as done with its report, each lead has one card, and the worker makes a further run."""
    assert (run["state_type"], run["state_name"]) == ("COMPLETED", "Completed"), run["state"]
    assert "12 changed" in run["state"]["message"]
    reports = prefect.post("artifacts/filter", artifacts={"key": {"any_": ["sync-report"]}})
    assert [report["flow_run_id"] for report in reports] == [run["id"]]
    descriptions = [card["desc"] for card in emulator.trello.cards().values()]
    assert len(descriptions) == 12
    assert all(sum(lead in text for text in descriptions) == 1 for lead in emulator.airtable.records())
    watched = prefect.prefect(*shlex.split(ON_DEMAND), "--watch")
    assert watched.returncode == 0, watched.stdout
    assert "nothing to do" in prefect.last_run()["state"]["message"]


def test_run_that_ends_while_the_server_is_away_is_recorded_when_it_is_back(prefect, emulator, held):
    """Whatever it has to record waits for the server; what it writes does not."""
    prefect.kill_server()
    held()
    deadline = time.monotonic() + SECONDS
    while len(emulator.trello.cards()) < 12 and time.monotonic() < deadline:
        time.sleep(0.1)
    prefect.start_server_again()
    assert_synced(prefect, emulator, ended(prefect))


def test_run_under_way_keeps_its_slot_across_a_restart(prefect, emulator, held):
    """Else Prefect would cut it off at the next renewal of its lease, after some four minutes."""
    lease = prefect.last_run()["state"]["state_details"]["deployment_concurrency_lease_id"]
    prefect.kill_server()
    prefect.start_server_again()
    renewal = urllib.request.Request(
        f"{prefect.url}/api/v2/concurrency_limits/leases/{lease}/renew",
        json.dumps({"lease_duration": 300}).encode(),
        {"Content-Type": "application/json"},
    )
    assert urllib.request.urlopen(renewal, timeout=10).status == 204
    held()
    assert_synced(prefect, emulator, ended(prefect))
