"""`flows/serve.py` as it is started: options, Prefect runs, and how it stops."""

import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from typer import Typer
from typer.testing import CliRunner

from emulator import Emulator
from leadsync.gateway import connections
from leadsync.model import ConflictPolicy
from leadsync.pipeline.steps import Options
from support.gateway_bench import Bench
from support.gateway_process import TOKEN, GatewayProcess
from support.places import ROOT
from support.slow_callers import soak

pytestmark = pytest.mark.installation


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Run the command in this process, as far as the point where it would listen."""
    import serve as door

    with Emulator() as emulator:
        for name, value in (emulator.settings() | {"SYNC_STATE_URL": f"sqlite:///{tmp_path}/s.sqlite3"}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(door, "listen", lambda *_, **__: 0)
        app = Typer()
        app.command()(door.serve)

        def run(*arguments):
            result = CliRunner().invoke(app, list(arguments))
            return result.exit_code, " ".join(result.output.split())

        yield run


@pytest.mark.parametrize("conflict", [None, *ConflictPolicy])
def test_parameters_are_those_of_the_flow(conflict):
    """Prefect refuses a run with others."""
    from asked import parameters_of
    from sync import sync_leads

    parameters = parameters_of(Options(conflict=conflict), "north")
    assert sync_leads.validate_parameters(parameters)["pair"] == "north"


def test_reachable_host_without_a_token_is_refused(command):
    """Exit code 2 and a sentence, before anything is served."""
    code, said = command("--host", "0.0.0.0")
    assert (code, "SYNC_API_TOKEN is not set" in said) == (2, True)


def test_reachable_host_with_a_token_is_fine(command, monkeypatch):
    monkeypatch.setenv("SYNC_API_TOKEN", TOKEN)
    assert command("--host", "0.0.0.0")[0] == 0


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SYNC_API_TOKEN", "short", "at least 16"),
        ("SYNC_API_TOKEN", "   ", "at least 16"),
        ("SYNC_PUBLIC_URL", "leads.example.com", "is not an address"),
        ("SYNC_PUBLIC_URL", "https://x.example/?a=b", "is not an address"),
        ("TRELLO_API_SECRET", "with space", "TRELLO_API_SECRET"),
    ],
)
def test_wrong_setting_is_named(command, monkeypatch, name, value, sentence):
    monkeypatch.setenv(name, value)
    code, said = command()
    assert (code, name in said, sentence in said) == (2, True, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--register",), "--register needs SYNC_PUBLIC_URL"),
        (("--public-url", "nonsense"), "--public-url"),
        (("--settle", "-1"), "--settle"),
        (("--settle", "nan"), "--settle"),
        (("--settle", "inf"), "--settle"),
        (("--via", "deployment"), "There is no deployment sync-leads/on-demand"),
        (("--unknown",), "No such option"),
    ],
)
def test_wrong_option_is_named(command, arguments, sentence):
    code, said = command(*arguments)
    assert (code, sentence in said) == (2, True)


def test_unregister_leaves_with_a_sentence(command):
    assert command("--unregister") == (0, "There was no webhook of ours.")


def test_port_that_is_taken_is_a_sentence(tmp_path):
    with Emulator() as emulator:
        gateway = GatewayProcess(emulator, tmp_path)
        arguments = ["--port", emulator.url.rpartition(":")[2], "--via", "here"]
        done = subprocess.run(
            [sys.executable, "flows/serve.py", *arguments],
            cwd=ROOT,
            env=gateway.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, "is not to be had" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as running:
        for name in ("Ada", "Bo", "Cy"):
            running.airtable.add_lead(name, status="NEW")
        yield running


@pytest.fixture(scope="module")
def gateway(emulator, tmp_path_factory):
    """A gateway with its webhooks registered, and everything in sync."""
    folder = tmp_path_factory.mktemp("gateway")
    process = GatewayProcess(emulator, folder, "--register", "--settle", "0.2", PREFECT_HOME=str(folder / "prefect"))
    process.start()
    assert process.sync()["exit_code"] == 0
    process.wait_until_idle()
    yield process
    process.stop(signal.SIGKILL)


def until(reached, within=20.0):
    deadline = time.monotonic() + within
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def card_of(emulator, lead):
    return next(card for card in emulator.trello.cards().values() if f"LeadID: {lead}" in card["desc"])


def test_edits_travel_both_ways_and_runs_are_prefects(gateway, emulator):
    """Each run is a flow run with its history."""
    ada, bo, _ = emulator.airtable.records()
    emulator.airtable.edit(ada, status="CONTACTED")
    until(lambda: card_of(emulator, ada)["idList"] == emulator.trello.list_id("IN_PROGRESS"))
    emulator.trello.move(card_of(emulator, bo)["id"], "DONE")
    until(lambda: emulator.airtable.records()[bo]["status"] == "QUALIFIED")
    gateway.wait_until_idle(quiet=0.5)
    database = Path(gateway.environment["PREFECT_HOME"]) / "prefect.db"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as rows:
        states = [name for (name,) in rows.execute("select state_name from flow_run")]
    assert states == ["Completed"] * len(states)
    assert 3 <= len(states) <= 5
    assert "Traceback" not in gateway.said()


def test_status_of_a_run(gateway):
    answer = requests.post(f"{gateway.url}/sync", json={"dry_run": True}, timeout=60)
    status = requests.get(gateway.url + answer.json()["status_url"], timeout=60).json()
    assert (answer.status_code, status["id"]) == (202, answer.json()["id"])
    gateway.wait_until_idle()
    report = requests.get(gateway.url + answer.json()["status_url"], timeout=60).json()["report"]
    assert (report["dry_run"], report["exit_code"], report["changes"]) == (True, 0, [])


def test_log_tells_of_each_run_and_how_it_ended(gateway, emulator):
    """A line each; texts of others are no commands there."""
    asked = requests.post(f"{gateway.url}/sync?wait=true", timeout=30).json()["id"]
    cy = list(emulator.airtable.records())[-1]
    emulator.airtable.edit(cy, name="Cy \x1b[2J")
    until(lambda: card_of(emulator, cy)["name"].startswith("Cy "))
    gateway.wait_until_idle(quiet=0.5)
    told = re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  run (\S+): (.*)$", gateway.said(), re.MULTILINE)
    assert [words for run, words in told if run == asked][0] == "begins, asked for"
    assert [words for run, words in told if run == asked][1].startswith("nothing to do: 3 leads, 3 cards")
    assert "begins, something changed" in [words for _, words in told]
    assert "\x1b" not in gateway.said()


def test_sigterm_lets_the_run_under_way_end(gateway, emulator):
    """What it began to write is written and recorded; exit code 0, and the hint that waited is dropped."""
    leads = list(emulator.airtable.records())
    writing = threading.Event()

    def slowly(request, _index):
        if request.method == "PUT":
            writing.set()
            time.sleep(0.5)

    remove = emulator.before_request(slowly)
    for lead in leads:
        emulator.airtable.edit(lead, name=f"Renamed {lead}")
    assert writing.wait(20)
    code = gateway.stop(signal.SIGTERM)
    remove()
    assert code == 0, gateway.said()
    assert {card_of(emulator, lead)["name"] for lead in leads} == {f"Renamed {lead}" for lead in leads}
    with sqlite3.connect(gateway.folder / "state.sqlite3") as rows:
        assert rows.execute("select count(*) from leadsync_intent").fetchone() == (0,)
    assert "Traceback" not in gateway.said()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_gateway_does_not_grow_under_hundreds_of_slow_callers(tmp_path):
    """
    A part of the soak in tests/benchmarks/gateway_soak.py: half heads and half bodies, more than it takes, while good
    callers are answered and edits travel. Memory, threads and files stay as they were once all places are taken.
    """
    bench = Bench(tmp_path, leads=4, settle=0.2)
    try:
        before, *meanwhile, after = soak(bench, seconds=20, heads=500, bodies=200, rate=50, looks=2)
    finally:
        bench.close()
    first, last = meanwhile
    assert last.slow_callers > 700
    assert last.good > 300
    assert after.failed <= after.good / 100
    assert last.edits >= 2
    assert last.files <= connections.MOST_OPEN + 150
    assert (last.threads <= first.threads + 4, last.rss_kib <= first.rss_kib * 1.1) == (True, True), (first, last)
    assert (after.files <= before.files + 60, after.threads <= before.threads + 8) == (True, True), (before, after)


def test_what_is_decided_on_the_page_is_a_flow_run_of_its_own(tmp_path):
    """As of the command: a conflict is settled by a button, and the run is undone by another."""
    with Emulator() as emulator:
        lead = emulator.airtable.add_lead("Ada", status="NEW")
        gateway = GatewayProcess(
            emulator, tmp_path, "--via", "here", SYNC_CONFLICT="hold", PREFECT_HOME=str(tmp_path / "prefect")
        )
        gateway.start()
        try:
            gateway.sync()
            (card,) = emulator.trello.cards()
            emulator.trello.move(card, "DONE")
            emulator.airtable.edit(lead, status="CONTACTED")
            assert gateway.sync()["counts"]["conflicts"] == 1

            def press(path, **fields):
                asked = requests.post(f"{gateway.url}{path}", fields, headers={"Origin": gateway.url}, timeout=60)
                deadline = time.monotonic() + 120
                while "Refresh" in asked.headers and time.monotonic() < deadline:
                    time.sleep(0.2)
                    asked = requests.get(asked.url, timeout=60)
                return asked.text

            assert "What was changed" in press("/page/take", lead=lead, field="status", side="trello")
            assert emulator.airtable.records()[lead]["status"] == "QUALIFIED"
            newest = re.findall(r'href="/history/([^"?]+)"', requests.get(f"{gateway.url}/history", timeout=60).text)[0]
            assert "What would change" in press("/page/undo", run=newest)
            assert emulator.airtable.records()[lead]["status"] == "QUALIFIED"
            assert "What was changed" in press("/page/undo", run=newest, do="yes")
            assert emulator.airtable.records()[lead]["status"] == "CONTACTED"
        finally:
            assert gateway.stop() == 0
