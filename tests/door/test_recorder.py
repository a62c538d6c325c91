"""Prefect's server goes away while a sync runs: what is done, how it ends, and what is told of it stay as they are."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import count

import httpx
import pytest
from prefect.client.base import PrefectHttpxSyncClient
from typer import Typer
from typer.testing import CliRunner

import sync as door
import validate
from leadsync.pipeline.steps import Options
from runs import recorder
from runs.here import run_flow
from runs.recorder import UNRECORDED
from support.places import FLOWS

LEADS = 3


class Line:
    """The way to Prefect's server. `left`: requests that still get through, None for all of them."""

    def __init__(self, monkeypatch):
        self.left, self.asked, self.tried = None, 0, 0
        real = PrefectHttpxSyncClient.send

        def send(client, request, *args, **more):
            self.tried += 1
            if self.left == 0:
                raise httpx.ReadTimeout("cut by the test", request=request)
            self.left = self.left and self.left - 1
            self.asked += 1
            return real(client, request, *args, **more)

        monkeypatch.setattr(PrefectHttpxSyncClient, "send", send)


@pytest.fixture
def line(prefect_server, configured, emulator, monkeypatch):
    for number in range(LEADS):
        emulator.airtable.add_lead(f"Lead {number}", status="NEW")
    return Line(monkeypatch)


@pytest.fixture
def command(line):
    """Run `flows/sync.py` in this process. Returns: a function from arguments to (exit code, stdout)."""
    app = Typer()
    app.command()(door.sync)

    def run(*arguments):
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, result.stdout

    return run


def notes_of(report):
    return [note["note"] for note in report["notes"]]


def test_run_is_told_whole_wherever_the_server_goes_away(command, line, emulator, monkeypatch, tmp_path):
    """Cut before each of its requests in turn: all is done and told, or nothing was begun and a sentence says so."""
    told = []
    for left in count():
        for card in emulator.trello.cards():
            emulator.trello.delete(card)
        monkeypatch.setenv("SYNC_STATE_URL", f"sqlite:///{tmp_path}/{left}.sqlite3")
        line.left, line.asked, line.tried = left, 0, 0
        code, printed = command("--json")
        report = json.loads(printed)
        cards = len(emulator.trello.cards())
        if line.tried == line.asked:
            break
        told.append((code, report["exit_code"], cards, report["counts"]["created"], UNRECORDED in notes_of(report)))
        if code:
            assert "Prefect's server" in report["message"]
            assert "Unexpected" not in report["message"]
    assert set(told) == {(1, 1, 0, 0, False), (0, 0, LEADS, LEADS, True)}
    assert told == sorted(told, reverse=True), "from some request on, and from then on always"


@pytest.mark.parametrize("method", ["POST", "GET"], ids=["writing", "reading"])
def test_run_whose_server_dies_meanwhile_asks_it_once_more(command, line, emulator, method):
    """Not for each artifact, and each time for as long as Prefect would wait."""

    def cut(request, _index):
        line.left = 0 if request.method == method else line.left

    emulator.before_request(cut)
    line.tried = line.asked = 0
    code, printed = command("--json")
    report = json.loads(printed)
    assert (code, report["counts"]["created"], notes_of(report)) == (0, LEADS, [UNRECORDED])
    assert line.tried - line.asked == 1


def test_long_load_does_not_wait_for_its_picture(command, line, emulator, monkeypatch):
    """A progress artifact that is not taken is the last one tried."""
    monkeypatch.setattr("runs.record.LONG_LOAD", 1)
    monkeypatch.setattr("runs.record.PROGRESS_EVERY", 0.0)
    emulator.before_request(lambda request, _index: request.method == "POST" and setattr(line, "left", 0))
    code, printed = command("--json")
    assert (code, json.loads(printed)["counts"]["created"]) == (0, LEADS)
    assert line.tried - line.asked == 2, "the artifact, and the look before the report"


def test_refused_and_failed_runs_keep_their_exit_codes(command, line, emulator, monkeypatch):
    """The run's own, and not that of a server that went away."""
    command()
    for lead in list(emulator.airtable.records()):
        emulator.airtable.delete(lead)
    emulator.before_request(lambda _request, _index: setattr(line, "left", 0))
    assert command("--json")[0] == 3
    line.left = None
    monkeypatch.setenv("AIRTABLE_API_TOKEN", "patWrongWrongWrong")
    code, printed = command("--json")
    assert (code, "AIRTABLE_API_TOKEN" in json.loads(printed)["message"]) == (2, True)


def test_terminal_says_that_the_server_went_away(command, line, emulator):
    emulator.before_request(lambda _request, _index: setattr(line, "left", 0))
    code, printed = command()
    assert code == 0
    assert UNRECORDED in " ".join(printed.split())
    assert "/runs/flow-run/" not in printed


def test_checklist_is_told_whole(line, emulator):
    emulator.before_request(lambda _request, _index: setattr(line, "left", 0))
    checklist = validate.run_locally(60, "")
    assert checklist.ok
    assert [finding.detail for finding in checklist.findings if finding.check == "Prefect"] == [UNRECORDED]
    assert len(checklist.findings) > 5


def test_gateway_reports_it_whole(line, emulator):
    import asked

    emulator.before_request(lambda _request, _index: setattr(line, "left", 0))
    run = asked.run_here("")(asked.SyncRun(Options(), due=0.0))
    assert (run["exit_code"], run["counts"]["created"], notes_of(run)) == (0, LEADS, [UNRECORDED])


def test_ctrl_c_while_the_end_is_recorded_changes_nothing(line, monkeypatch):
    """What was done is known by then."""
    real = recorder.why_silent

    def impatient():
        if recorder._beside.get().outcome:
            raise KeyboardInterrupt
        return real()

    monkeypatch.setattr(recorder, "why_silent", impatient)
    ended = run_flow(door.sync_leads)
    assert (ended.outcome.exit_code, ended.outcome.counts["created"]) == (0, LEADS)


# --- the real thing -------------------------------------------------------------------------------------------


def children_of(pid):
    done = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in done.stdout.split()]


@pytest.mark.installation
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_command_whose_server_goes_away_ends_as_if_it_had_not(configured, emulator, tmp_path, number):
    """The temporary server, at the first write: exit code 0, the whole report, a note, and soon."""
    for name in range(30):
        emulator.airtable.add_lead(f"Lead {name}", status="NEW")
    servers, struck, once = [], [], threading.Lock()

    def strike(request, _index):
        if request.method == "POST" and once.acquire(blocking=False):
            servers.extend(children_of(process.pid))
            for child in servers:
                os.kill(child, number)
            struck.append(time.monotonic())

    emulator.before_request(strike)
    process = subprocess.Popen(
        [sys.executable, str(FLOWS / "sync.py"), "--json"],
        env={**os.environ, "PREFECT_HOME": str(tmp_path / "prefect")},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        printed, errors = process.communicate(timeout=240)
    finally:
        process.kill()
    took = time.monotonic() - struck[0]
    report = json.loads(printed)
    assert (process.returncode, errors, len(servers)) == (0, "", 1)
    assert (report["counts"]["created"], len(emulator.trello.cards())) == (30, 30)
    assert notes_of(report) == [UNRECORDED]
    assert took < 90, "it took 145 s, or had no end"
    with suppress(ProcessLookupError):
        os.kill(servers[0], 0)
        pytest.fail("the server was left behind")
