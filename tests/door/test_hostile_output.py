"""Through every door: a text from outside is a text in what is printed, whatever it holds, and never a traceback."""

import unicodedata

import pytest
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow
from prefect.logging.loggers import flow_run_logger
from typer import Typer
from typer.testing import CliRunner

import alerts
import pairs
import serve
import sync
import validate
from leadsync.errors import LeadsyncError

HOSTILE = "[/red] ![x](http://127.0.0.1:9/) \x1b[2J\x1b]0;x\x07\x9b1m\u202eadA"
SHOWN = r"[/red] ![x](http://127.0.0.1:9/) \x1b[2J\x1b]0;x\x07\x9b1m\u202eadA"
DOORS = {"sync": sync.sync, "validate": validate.validate, "pairs": pairs.pairs, "serve": serve.serve}


@pytest.fixture
def command(prefect_server, configured):
    """Run a door in this process. Returns: a function from name and arguments to (exit code, what it printed)."""

    def run(door, *arguments):
        app = Typer()
        app.command()(DOORS[door])
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "4000"})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return run


def assert_shown(printed):
    """As it is, and nothing in it is a command to the terminal."""
    assert SHOWN in printed
    assert not [char for char in printed.replace("\n", "") if unicodedata.category(char) in ("Cc", "Cf")]


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)], ids=["done", "planned"])
def test_lead_is_shown_as_it_is(command, emulator, arguments):
    emulator.airtable.add_lead(HOSTILE, status="NEW")
    code, printed = command("sync", *arguments)
    assert code == 0
    assert_shown(printed)


def test_card_and_status_are_shown_as_they_are(command, emulator):
    """A quarantined status, and a conflict between two titles."""
    emulator.airtable.add_select_option("status", HOSTILE)
    lead = emulator.airtable.add_lead("Ada", status=HOSTILE)
    emulator.trello.add_card("TODO", HOSTILE, f"LeadID: {lead}")
    code, printed = command("sync", "--dry-run")
    assert code == 0
    assert_shown(printed)
    assert_shown(command("validate")[1])


@pytest.mark.parametrize("door", ["sync", "validate"])
@pytest.mark.parametrize(
    "setting", ["AIRTABLE_TABLE_NAME", "AIRTABLE_STATUS_FIELD", "TRELLO_BOARD_ID", "SYNC_CONFLICT", "SYNC_STATE_URL"]
)
def test_setting_is_told_as_it_is(command, monkeypatch, door, setting):
    monkeypatch.setenv(setting, HOSTILE)
    code, printed = command(door)
    assert code == 2
    assert setting in printed
    assert not [char for char in printed.replace("\n", "") if unicodedata.category(char) in ("Cc", "Cf")]


@pytest.mark.parametrize(
    ("door", "arguments"),
    [
        ("sync", ("--pair", "[/red]")),
        ("validate", ("--pair", "[/red]")),
        ("serve", ("--pair", "[/red]")),
        ("serve", ("--host", HOSTILE)),
        ("pairs", (HOSTILE, "--env", "x.env")),
        ("pairs", ("north", "--env", f"/nowhere/{HOSTILE}")),
    ],
)
def test_argument_is_told_as_it_is(command, door, arguments):
    code, printed = command(door, *arguments)
    assert code == 2
    assert not [char for char in printed.replace("\n", "") if unicodedata.category(char) in ("Cc", "Cf")]
    assert "[/red]" in printed


@pytest.mark.parametrize("door", ["sync", "validate"])
def test_error_is_told_as_it_is(command, monkeypatch, door):
    def broken(*_arguments, **_more):
        raise LeadsyncError(HOSTILE)

    monkeypatch.setattr(f"{door}.settings_of", broken)
    code, printed = command(door)
    assert code in (1, 2)
    assert_shown(printed)


def test_log_of_a_run_is_printable(command, emulator, caplog, monkeypatch):
    """Also what Prefect says there of itself: a worker prints it in its terminal."""
    emulator.airtable.add_lead(HOSTILE, status="NEW")
    command("sync")
    monkeypatch.setenv("AIRTABLE_STATUS_FIELD", HOSTILE)
    command("sync")
    told = [record.getMessage() for record in caplog.records]
    assert [line for line in told if "adA" in line]
    assert not [line for line in told if not line.replace("\u00a0", "").isprintable()]


@pytest.mark.parametrize("flow", [sync.sync_leads, validate.validate_setup], ids=["sync", "validate"])
def test_failed_run_of_a_worker_ends_its_log_with_its_sentence(prefect_server, configured, emulator, caplog, flow):
    """As Prefect's engine runs it there: without the traceback of that it failed."""
    emulator.airtable.revoke(emulator.airtable.token)
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(flow)
        with pytest.raises(LeadsyncError, match="AIRTABLE_API_TOKEN was not accepted"):
            run_flow(flow, flow_run=run, error_logger=flow_run_logger(run))
        assert client.read_flow_run(run.id).state.name == "Misconfigured"
    told = [record for record in caplog.records if record.name in ("prefect.flow_runs", "prefect.task_runs")]
    assert not [record for record in told if record.exc_info]
    assert told[-1].levelname == "ERROR"
    assert told[-1].getMessage().startswith("AIRTABLE_API_TOKEN was not accepted")


def test_refusal_to_install_alerts_is_a_sentence(prefect_server):
    app = Typer()
    app.command()(alerts.alerts)
    result = CliRunner().invoke(app, ["--url", HOSTILE])
    assert (result.exit_code, "--url is not an address" in result.output) == (2, True)
