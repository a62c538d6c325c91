"""The gateway in front of a Prefect server, a deployment and a worker: runs are made there, and asked for there."""

import subprocess
import sys
import time

import pytest
import requests

from emulator import Emulator
from support.gateway_process import GatewayProcess, free_port
from support.places import ROOT

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as running:
        running.airtable.add_lead("Ada", status="NEW")
        yield running


@pytest.fixture(scope="module")
def gateway(emulator, tmp_path_factory):
    """What the README says to do once, and a gateway that finds it."""
    folder = tmp_path_factory.mktemp("gateway")
    port = free_port()
    environment = {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "PREFECT_HOME": str(folder / "prefect")}
    made = GatewayProcess(emulator, folder, "--register", "--settle", "0.2", **environment)
    prefect = [sys.executable, "-m", "prefect"]
    started = []

    def start(*arguments):
        started.append(
            subprocess.Popen(
                [*prefect, *arguments],
                cwd=ROOT,
                env=made.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    start("server", "start", "--port", str(port))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            requests.get(f"{environment['PREFECT_API_URL']}/health", timeout=2)
            break
        except requests.RequestException:
            time.sleep(0.2)
    for arguments in (["work-pool", "create", "leads", "--type", "process"], ["--no-prompt", "deploy", "--all"]):
        subprocess.run([*prefect, *arguments], cwd=ROOT, env=made.environment, capture_output=True, check=True)
    start("worker", "start", "--pool", "leads")
    try:
        yield made.start()
    finally:
        made.stop()
        for process in reversed(started):
            process.terminate()
            process.wait(30)


def test_run_is_prefects_and_its_status_too(gateway, emulator):
    """The id is that of the flow run; the report stays with the run."""
    assert "runs made by deployment sync-leads/on-demand" in gateway.said()
    asked = requests.post(f"{gateway.url}/sync?wait=true", timeout=120).json()
    assert asked["id"] == asked["flow_run_id"]
    assert (asked["stage"], asked["report"]["exit_code"], asked["report"]["state"]) == ("done", 0, "Completed")
    assert len(emulator.trello.cards()) == 1
    told = requests.get(f"{gateway.environment['PREFECT_API_URL']}/flow_runs/{asked['id']}", timeout=60).json()
    assert told["state"]["type"] == "COMPLETED"


def test_run_of_before_the_gateways_start_is_looked_up_at_prefect(gateway):
    """Only runs of this flow; any other id is unknown."""
    filtered = f"{gateway.environment['PREFECT_API_URL']}/flow_runs/filter"
    (first, *_) = requests.post(filtered, json={}, timeout=60).json()
    gateway.stop()
    gateway.start()
    told = requests.get(f"{gateway.url}/runs/{first['id']}", timeout=60)
    assert (told.status_code, told.json()["stage"]) == (200, "done")
    assert requests.get(f"{gateway.url}/runs/00000000-0000-4000-8000-000000000000", timeout=60).status_code == 404


def test_edit_travels_by_way_of_the_worker(gateway, emulator):
    (lead,) = emulator.airtable.records()
    emulator.airtable.edit(lead, status="QUALIFIED")
    deadline = time.monotonic() + 60
    while next(iter(emulator.trello.cards().values()))["idList"] != emulator.trello.list_id("DONE"):
        assert time.monotonic() < deadline, gateway.said()
        time.sleep(0.1)
