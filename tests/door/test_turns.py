"""`flows/sync.py --every`: each turn a flow run, told in a line; what ends it, and what does not."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from prefect.client.orchestration import get_client
from typer import Typer
from typer.testing import CliRunner

import sync as door
from emulator.wire.faults import Fault
from leadsync.report.report import Report
from runs import turns
from runs.here import Ended
from support.places import ROOT

QUOTA = Fault(
    "status", service="airtable", status=429, body={"errors": [{"error": "PUBLIC_API_BILLING_LIMIT_EXCEEDED"}]}
)
LINE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  (.*) \(\d Airtable \+ \d Trello calls, \d+\.\d s\)"
STOPPED = "Stopped. What was written is recorded; the next run goes on from there."


@pytest.fixture
def command(prefect_server, configured, monkeypatch):
    """
    The command in this process; `between`: what happens in each pause, the last of which is Ctrl-C.

    Returns: a function from arguments to (exit code, lines of stdout).
    """
    app = Typer()
    app.command()(door.sync)

    def run(*arguments, between=()):
        events = iter(between)

        def pause(_seconds):
            event = next(events, None)
            if event is None:
                raise KeyboardInterrupt
            event()

        monkeypatch.setattr(turns, "repeat", partial(turns.repeat, pause=pause))
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, result.stdout.splitlines()

    return run


def flow_runs():
    with get_client(sync_client=True) as client:
        return {run.id for run in client.read_flow_runs(sort="START_TIME_DESC")}


def test_each_turn_carries_over_what_was_edited_since(command, emulator):
    """One flow run and one line for each."""
    before = flow_runs()
    lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    code, lines = command(
        "--every", "15m", between=[lambda: emulator.airtable.edit(lead, name="Ada King"), lambda: None]
    )
    assert code == 0
    assert [re.fullmatch(LINE, line)[1] for line in lines] == [
        "1 changed: 1 leads, 0 cards",
        "1 changed: 1 leads, 1 cards",
        "nothing to do: 1 leads, 1 cards",
    ]
    assert [card["name"] for card in emulator.trello.cards().values()] == ["Ada King"]
    assert len(flow_runs() - before) == 3


def test_json_is_one_object_a_line(command, emulator):
    """A program reads stdout line by line."""
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    code, lines = command("--every", "1h", "--json", between=[lambda: None])
    assert code == 0
    assert [json.loads(line)["counts"]["created"] for line in lines] == [1, 0]
    assert json.loads(lines[1])["read"] == {"airtable": "full", "trello": "delta"}


def test_what_is_read_may_be_said(command, emulator):
    emulator.airtable.add_lead("Ada", status="NEW")
    _, lines = command("--every", "1h", "--json", "--read", "full", between=[lambda: None])
    assert json.loads(lines[1])["read"] == {"airtable": "full", "trello": "full"}


def test_service_that_is_away_for_a_turn_ends_nothing(command, emulator):
    """The turn after it does what there is to do."""
    emulator.airtable.add_lead("Ada", status="NEW")
    code, lines = command(
        "--every",
        "1m",
        "--json",
        between=[
            lambda: emulator.inject(QUOTA),
            lambda: emulator.airtable.add_lead("Bea", status="NEW"),
        ],
    )
    assert [json.loads(line)["exit_code"] for line in lines] == [0, 1, 0]
    assert (code, len(emulator.trello.cards())) == (0, 2)


def test_wrong_token_ends_it_at_the_first_turn(command, configured, monkeypatch):
    monkeypatch.setenv("AIRTABLE_API_TOKEN", "patWRONG")
    code, lines = command("--every", "1m", between=[lambda: pytest.fail("it went on")])
    assert code == 2
    assert len(lines) == 1
    assert "AIRTABLE_API_TOKEN" in lines[0]


def test_settings_are_read_anew_for_each_turn(command, configured, monkeypatch, tmp_path):
    """A token that died is replaced in the file; nobody has to start again."""
    file = tmp_path / "pair.env"
    monkeypatch.delenv("AIRTABLE_API_TOKEN")
    monkeypatch.setenv("LEADSYNC_ENV_FILE", str(file))

    def token(value):
        file.write_text(f"AIRTABLE_API_TOKEN={value}\n")

    token(configured["AIRTABLE_API_TOKEN"])
    mended = partial(token, configured["AIRTABLE_API_TOKEN"])
    code, lines = command("--every", "1m", "--json", between=[partial(token, "patDIED"), mended])
    assert [json.loads(line)["exit_code"] for line in lines] == [0, 2, 0]
    assert code == 0


def test_temporary_server_is_replaced_before_it_has_grown(command, monkeypatch):
    """After the turns that are said, and not before; the next run starts another."""
    stopped = []
    monkeypatch.setattr(turns, "SERVER_TURNS", 2)
    monkeypatch.setattr(turns, "stop_server", lambda: stopped.append(len(ran)))
    ran = []
    monkeypatch.setattr(door, "run_locally", lambda *_asked, **_options: ran.append(1) or Ended(Report()))
    command("--every", "1s", between=[lambda: None] * 4)
    assert (len(ran), stopped) == (5, [2, 4])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--every", "15"], "30s, 15m, 1h or 1d"),
        (["--every", "15m", "--demo"], "--demo"),
        (["--every", "15m", "--adopt", "email"], "--adopt"),
        (["--every", "15m", "--allow-mass-change"], "--allow-mass-change"),
        (["--every", "15m", "--dry-run", "--out", "plan.json"], "--out"),
        (["--every", "15m", "--plan", "plan.json"], "--plan"),
        (["--every", "15m", "--expect-no-changes"], "--expect-no-changes"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(command, emulator, arguments, said):
    """A guard that is lifted for one run is not lifted for all."""
    code, lines = command(*arguments)
    assert code == 2
    assert said in lines[0]
    assert emulator.requests == []
    code, lines = command(*arguments, "--json")
    assert (code, said in json.loads(lines[0])["message"]) == (2, True)


# --- the real command -----------------------------------------------------------------------------------------


@pytest.fixture
def process(configured, tmp_path):
    """`python flows/sync.py --every 10s --json` without a Prefect server; it is ended with the test."""
    started = subprocess.Popen(
        [sys.executable, str(ROOT / "flows/sync.py"), "--every", "10s", "--json"],
        env={**os.environ, **configured, "PREFECT_HOME": str(tmp_path / "prefect")},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield started
    started.kill()
    started.communicate()


def next_report(process):
    line = process.stdout.readline()
    return json.loads(line or pytest.fail(process.stderr.read()))


@pytest.mark.installation
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_between_turns_ends_it_at_once(process, emulator, number):
    """Two turns, on one temporary server; then it is idle, and nothing is cut off."""
    lead = emulator.airtable.add_lead("Ada", status="NEW")
    assert next_report(process)["counts"]["created"] == 1
    emulator.airtable.edit(lead, name="Ada King")
    while next_report(process)["counts"]["changes"] != 1:
        pass
    assert [card["name"] for card in emulator.trello.cards().values()] == ["Ada King"]
    os.killpg(process.pid, number)
    began = time.monotonic()
    process.wait(60)
    assert time.monotonic() - began < 10
    assert process.returncode == 0
    assert process.stderr.read() == ""


@pytest.mark.installation
def test_signal_in_a_turn_ends_it_as_it_ends_a_run(process, emulator):
    """A card was created, and its answer does not come; the line says so, and there is no turn after it."""
    emulator.inject(Fault("timeout_after", service="trello", method="POST", path="/cards$", seconds=60))
    emulator.airtable.add_lead("Ada", status="NEW")
    while not emulator.calls("trello", writes=True):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    assert next_report(process)["message"] == STOPPED
    assert (process.wait(60), process.stdout.read(), process.stderr.read()) == (1, "", "")
