"""
Review in the real thing: a worker's run waits, suspended, with its plan as an artifact, and goes on when it is resumed,
through Prefect's API or in its UI.
"""

import time
import uuid
from datetime import datetime, timedelta
from urllib.error import HTTPError

import pytest

from emulator import Emulator
from support.installation import Installation
from support.pages import set_up
from support.prefect_pages import Tab, View, chromium

pytestmark = pytest.mark.installation

PATIENCE = 180.0


@pytest.fixture(scope="module")
def emulator():
    """Both services, with the demo's leads."""
    with Emulator.demo() as running:
        yield running


@pytest.fixture(scope="module")
def prefect(emulator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefect")
    state = {"SYNC_STATE_URL": f"sqlite:///{folder}/state.sqlite3"}
    installation = Installation(folder / "home", emulator.settings() | state)
    try:
        installation.follow(set_up())
        yield installation
    finally:
        installation.stop()


@pytest.fixture
def tab(prefect, tmp_path):
    """A page of Prefect's UI, where there is a browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with chromium(playwright, tmp_path) as browser:
        if browser is None:
            pytest.skip("no Chromium on this machine")
        yield Tab(browser, prefect.url)


SCHEDULED = {"type": "SCHEDULED"}


def ask(prefect, path, **body):
    """What Prefect's API answers, once its database is not busy with something else."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return prefect.post(path, **body)
        except HTTPError as busy:
            if busy.code != 503 or time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def start(prefect, **parameters):
    """The id of a run on demand, which a worker takes up."""
    (deployment,) = ask(prefect, "deployments/filter", deployments={"name": {"any_": ["on-demand"]}})
    once = {"state": SCHEDULED, "idempotency_key": uuid.uuid4().hex}
    run = ask(prefect, f"deployments/{deployment['id']}/create_flow_run", parameters=parameters, **once)
    return run["id"]


def state_of(prefect, run, *types):
    """The run's state, once it is of one of these types."""
    deadline, state = time.monotonic() + PATIENCE, {}
    while time.monotonic() < deadline:
        (found,) = ask(prefect, "flow_runs/filter", flow_runs={"id": {"any_": [run]}})
        state = found["state"]
        if state["type"] in types:
            return state
        time.sleep(0.5)
    raise AssertionError(f"{run} is {state}")


def ended(prefect, run):
    return state_of(prefect, run, "COMPLETED", "FAILED", "CANCELLED", "CRASHED")


def plans(prefect, run):
    """The plans that a run shows."""
    found = ask(prefect, "artifacts/filter", artifacts={"key": {"any_": ["sync-plan"]}})
    return [artifact["data"] for artifact in found if artifact["flow_run_id"] == run]


def writes(emulator):
    return emulator.calls("airtable", writes=True) + emulator.calls("trello", writes=True)


def test_run_waits_for_review_and_goes_on_when_it_is_resumed(prefect, emulator):
    """One plan waits: an equal one ends quietly, another takes its place; resumed it is applied as it was read."""
    first = start(prefect, review="risky")
    state = state_of(prefect, first, "PAUSED", "COMPLETED", "FAILED", "CRASHED")
    assert state["name"] == "Suspended"
    began, until = (
        datetime.fromisoformat(each) for each in (state["timestamp"], state["state_details"]["pause_timeout"])
    )
    assert round((until - began) / timedelta(days=1), 1) == 7  # then Prefect lets it fail
    assert writes(emulator) == 0
    (plan,) = plans(prefect, first)
    assert all(lead in plan for lead in emulator.airtable.records())
    assert "12 changes to review (first contact" in plan

    again = ended(prefect, start(prefect, review="risky"))
    assert (again["type"], again["name"]) == ("COMPLETED", "WaitsForReview")
    assert first in again["message"]
    assert state_of(prefect, first, "PAUSED")

    lead = next(iter(emulator.airtable.records()))
    emulator.airtable.edit(lead, name="Ada Lovelace")
    other = start(prefect, review="always")
    assert state_of(prefect, other, "PAUSED", "COMPLETED", "FAILED", "CRASHED")["name"] == "Suspended"
    assert ended(prefect, first)["type"] == "CANCELLED"
    assert "Ada Lovelace" in plans(prefect, other)[0]
    assert writes(emulator) == 0

    ask(prefect, f"flow_runs/{other}/resume")
    done = ended(prefect, other)
    assert (done["type"], done["name"]) == ("COMPLETED", "Completed"), done["message"]
    assert writes(emulator) == 12
    assert len(emulator.trello.cards()) == 12


def test_edit_while_the_plan_waits_makes_the_run_fail(prefect, emulator):
    """Nothing is written; the state says which cell moved. The next run makes a plan of its own."""
    lead, *_, other = emulator.airtable.records()
    emulator.airtable.edit(lead, status="CONTACTED" if emulator.airtable.records()[lead]["status"] == "NEW" else "NEW")
    run = start(prefect, review="always")
    assert state_of(prefect, run, "PAUSED", "COMPLETED", "FAILED", "CRASHED")["name"] == "Suspended"
    emulator.airtable.edit(other, email="moved@example.com")
    before = writes(emulator)
    ask(prefect, f"flow_runs/{run}/resume")
    state = ended(prefect, run)
    assert (state["type"], state["name"], writes(emulator)) == ("FAILED", "PlanRefused", before), state["message"]
    assert f"email of {other} on Airtable" in state["message"]
    done = ended(prefect, start(prefect))
    assert (done["type"], writes(emulator)) == ("COMPLETED", before + 2)


def test_plan_is_read_and_resumed_in_the_ui(prefect, emulator, tab):
    """As a person does it: the run's page, its artifact, the button."""
    lead = next(iter(emulator.airtable.records()))
    emulator.airtable.edit(lead, name="Read by a person")
    run = start(prefect, review="always")
    state_of(prefect, run, "PAUSED")
    (plan,) = ask(prefect, "artifacts/filter", artifacts={"key": {"any_": ["sync-plan"]}}, sort="CREATED_DESC", limit=1)
    known = {"run": run, "artifact": plan["id"]}
    tab.look(View("/artifacts/artifact/{artifact}", words=("WaitsForReview", "Read by a person")), known)
    tab.look(View("/runs/flow-run/{run}", words=("Suspended",)), known)
    tab.page.get_by_role("button", name="Resume").first.click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Submit").click()
    done = ended(prefect, run)
    assert (done["type"], done["name"]) == ("COMPLETED", "Completed"), done["message"]
    assert "Read by a person" in {card["name"] for card in emulator.trello.cards().values()}
    assert tab.elsewhere == []
