"""The README's commands in the real thing: server, work pool, deployments, worker, a watched run."""

import http.server
import json
import queue
import threading

import pytest


def test_runs_on_demand_sync_and_leave_a_report(prefect, emulator, history):
    """`prefect deployment run --watch` does a sync; its state, tasks and report are in the history."""
    cards = emulator.trello.cards().values()
    for lead in emulator.airtable.records():
        assert any(lead in card["desc"] for card in cards), lead
    states = {what: (run["state_type"], run["state_name"]) for what, run in history.items()}
    assert states == {
        "first": ("COMPLETED", "Completed"),
        "dry": ("COMPLETED", "CompletedWithFindings"),
        "findings": ("COMPLETED", "CompletedWithFindings"),
    }
    assert "12 leads, 0 cards: changed 12" in history["first"]["state"]["message"]
    assert "would change 3" in history["dry"]["state"]["message"]
    run = history["first"]["id"]
    reports = prefect.post("artifacts/filter", artifacts={"key": {"any_": ["sync-report"]}})
    (report,) = (report["data"] for report in reports if report["flow_run_id"] == run)
    assert all(lead in report for lead in emulator.airtable.records())
    tasks = {task["name"] for task in prefect.post("task_runs/filter") if task["flow_run_id"] == run}
    assert tasks >= {"extract leads", "extract cards", "join and diff", "load cards", "report"}


def test_wrong_value_is_refused_by_the_form(prefect):
    """With the choices, before a run is created."""
    refused = prefect.prefect("deployment", "run", "sync-leads/on-demand", "--param", "conflict=both")
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


def test_refused_run_fails_the_watch_and_is_told(prefect, emulator, history, inbox):
    """A guard's refusal is of type Failed: `--watch` answers 1, and the automation notifies."""
    address, texts = inbox
    for _ in range(2):  # installing twice leaves one of each
        installed = prefect.script("flows/alerts.py", "--url", address)
        assert installed.returncode == 0, installed.stdout
    assert len(prefect.post("automations/filter")) == 2
    leads = list(emulator.airtable.records())
    for lead in leads:
        emulator.airtable.delete(lead)
    watched = prefect.prefect("deployment", "run", "sync-leads/on-demand", "--watch")
    for lead in leads:
        emulator.airtable.restore(lead)
    assert watched.returncode == 1
    assert "RefusedByGuard" in watched.stdout
    told = texts.get(timeout=60)
    assert "RefusedByGuard" in told
    assert "Airtable came back empty" in told


def test_scheduled_deployment_is_active(prefect):
    """The schedule is the polling loop."""
    scheduled = prefect.prefect("deployment", "inspect", "sync-leads/scheduled").stdout
    assert "'interval': 3600" in scheduled
    assert "'active': True" in scheduled
    assert "'collision_strategy': 'CANCEL_NEW'" in scheduled
