"""The README's commands in the real thing: server, work pool, deployments, worker, a watched run."""

import http.server
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from emulator import Emulator

ROOT = Path(__file__).resolve().parents[2]


class Installation:
    """A Prefect server and its command line, on a home of its own."""

    def __init__(self, home, settings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.api = f"http://127.0.0.1:{self.port}/api"
        self.environment = {**os.environ, **settings, "PREFECT_HOME": str(home), "PREFECT_API_URL": self.api}
        self.processes = []

    def start(self, *arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *arguments],
            env=self.environment | environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)

    def run(self, *arguments):
        command = [sys.executable, "-m", "prefect", *arguments]
        return subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )

    def post(self, path, **body):
        request = urllib.request.Request(
            f"{self.api}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        return json.load(urllib.request.urlopen(request, timeout=10))

    def wait(self):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                return urllib.request.urlopen(f"{self.api}/health", timeout=2).read()
            except OSError:
                time.sleep(0.2)
        raise TimeoutError("the server did not start")

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(30)


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as running:
        yield running


@pytest.fixture(scope="module")
def prefect(emulator, tmp_path_factory):
    """All that the README says to do once."""
    folder = tmp_path_factory.mktemp("prefect")
    state = {"SYNC_STATE_URL": f"sqlite:///{folder}/state.sqlite3"}
    installation = Installation(folder / "home", emulator.settings() | state)
    installation.start("server", "start", "--port", str(installation.port), PREFECT_API_URL="")
    installation.wait()
    try:
        made = installation.run("work-pool", "create", "leads", "--type", "process")
        deployed = installation.run("--no-prompt", "deploy", "--all")
        assert (made.returncode, deployed.returncode) == (0, 0), made.stderr + deployed.stdout
        installation.start("worker", "start", "--pool", "leads")
        yield installation
    finally:
        installation.stop()


def test_run_on_demand_syncs_and_leaves_a_report(prefect, emulator):
    """`prefect deployment run --watch` does a sync; its state, tasks and report are in the history."""
    lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    watched = prefect.run("deployment", "run", "sync-leads/on-demand", "--watch")
    assert watched.returncode == 0, watched.stdout
    assert [lead in card["desc"] for card in emulator.trello.cards().values()] == [True]
    runs = prefect.post("flow_runs/filter", flow_runs={"state": {"type": {"any_": ["COMPLETED"]}}})
    assert any("1 leads" in run["state"]["message"] for run in runs)
    reports = prefect.post("artifacts/filter", artifacts={"key": {"any_": ["sync-report"]}})
    assert lead in reports[0]["data"]
    tasks = {run["name"] for run in prefect.post("task_runs/filter")}
    assert tasks >= {"extract leads", "extract cards", "join and diff", "load cards", "report"}


def test_wrong_value_is_refused_by_the_form(prefect):
    """With the choices, before a run is created."""
    refused = prefect.run("deployment", "run", "sync-leads/on-demand", "--param", "conflict=both")
    assert refused.returncode == 1
    assert "'both' is not one of ['airtable', 'trello', 'hold']" in " ".join(refused.stdout.split())


@pytest.fixture
def inbox():
    """A webhook of somebody's chat. Yields: its address, and the texts that arrive."""
    texts = queue.Queue()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            texts.put(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/chat", texts
        server.shutdown()


def test_refused_run_fails_the_watch_and_is_told(prefect, emulator, inbox):
    """A guard's refusal is of type Failed: `--watch` answers 1, and the automation notifies."""
    address, texts = inbox
    script = [sys.executable, str(ROOT / "flows/alerts.py"), "--url", address]
    for _ in range(2):  # installing twice leaves one of each
        installed = subprocess.run(script, env=prefect.environment, capture_output=True, text=True, check=False)
        assert installed.returncode == 0, installed.stdout
    assert len(prefect.post("automations/filter")) == 2
    for lead in list(emulator.airtable.records()):
        emulator.airtable.delete(lead)
    watched = prefect.run("deployment", "run", "sync-leads/on-demand", "--watch")
    assert watched.returncode == 1
    assert "RefusedByGuard" in watched.stdout
    told = texts.get(timeout=60)
    assert "RefusedByGuard" in told
    assert "Airtable came back empty" in told


def test_scheduled_deployment_is_active(prefect):
    """The schedule is the polling loop."""
    scheduled = prefect.run("deployment", "inspect", "sync-leads/scheduled").stdout
    assert "'interval': 3600" in scheduled
    assert "'active': True" in scheduled
    assert "'collision_strategy': 'CANCEL_NEW'" in scheduled
