"""`flows/validate.py`: every finding says how to mend it, and nothing is written unless asked."""

import json

import pytest
from typer import Typer
from typer.testing import CliRunner

import validate as door


@pytest.fixture
def command(prefect_server, configured):
    """Run the command in this process. Returns: a function from arguments to (exit code, stdout)."""
    app = Typer()
    app.command()(door.validate)

    def run(*arguments):
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, result.stdout

    return run


def failures(printed):
    return [finding for finding in json.loads(printed)["findings"] if finding["level"] == "fail"]


def test_sound_setup_passes_and_shows_the_list_ids(command, emulator):
    """Exit code 0; the ids can be pasted into .env; no write is sent."""
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    code, printed = command()
    assert code == 0
    assert f"TRELLO_LIST_TODO_ID={emulator.trello.list_id('TODO')}" in printed
    assert emulator.calls("trello", writes=True) == 0


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        pytest.param({"AIRTABLE_API_TOKEN": "patNobodyKnowsThis"}, "AIRTABLE_API_TOKEN was not accepted", id="token"),
        pytest.param({"AIRTABLE_TABLE_NAME": "Laeds"}, "AIRTABLE_TABLE_NAME 'Laeds'", id="table"),
        pytest.param({"AIRTABLE_NAME_FIELD": "Nmae"}, "AIRTABLE_NAME_FIELD=Nmae", id="column"),
        pytest.param({"TRELLO_API_KEY": "0" * 32}, "TRELLO_API_KEY was not accepted", id="key"),
        pytest.param({"TRELLO_API_TOKEN": "ATTAnobody"}, "TRELLO_API_TOKEN was not accepted", id="trello-token"),
        pytest.param({"TRELLO_BOARD_ID": "0" * 24}, "TRELLO_BOARD_ID", id="board"),
        pytest.param({"TRELLO_LIST_DONE_ID": "0" * 24}, "TRELLO_LIST_DONE_ID", id="list"),
        pytest.param({"SYNC_STATE_URL": "oracle9://x"}, "SYNC_STATE_URL", id="state"),
        pytest.param({"SYNC_CONFLICT": "both"}, "SYNC_CONFLICT", id="setting"),
    ],
)
def test_wrong_setting_is_named(command, monkeypatch, break_it, words):
    """Exit code 2, and a sentence about just that setting."""
    for name, value in break_it.items():
        monkeypatch.setenv(name, value)
    code, printed = command("--json")
    assert code == 2
    assert any(words in finding["detail"] for finding in failures(printed))


def test_read_only_token_is_found_without_writing(command, emulator, monkeypatch):
    """The write scope is probed with an empty batch."""
    token = emulator.airtable.add_token(["data.records:read", "schema.bases:read"])
    monkeypatch.setenv("AIRTABLE_API_TOKEN", token)
    before = emulator.airtable.records()
    code, printed = command("--json")
    assert code == 2
    assert failures(printed)[0]["remedy"].startswith("Give AIRTABLE_API_TOKEN the scope data.records:write")
    assert emulator.airtable.records() == before


def test_copies_and_unknown_statuses_are_told(command, emulator):
    """Warnings: a sync would list them and go on."""
    lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    emulator.airtable.add_select_option("status", "Won")
    emulator.airtable.add_lead("Bob", "bob@example.com", "Won", "web")
    for _ in range(2):
        emulator.trello.add_card("TODO", "Ada", f"LeadID: {lead}")
    code, printed = command("--json")
    details = " ".join(finding["detail"] for finding in json.loads(printed)["findings"])
    assert code == 0
    assert "a copy: another card already carries this LeadID" in details
    assert "not in the map: Won" in details


def test_fix_creates_missing_list_and_option(command, emulator, monkeypatch):
    """It shows what it would create, creates it, and checks again."""
    for stage in ("TODO", "IN_PROGRESS", "DONE"):
        monkeypatch.delenv(f"TRELLO_LIST_{stage}_ID")
    emulator.trello.rename_list("TODO", "Backlog")
    emulator.airtable.delete_select_option("status", "QUALIFIED")
    assert command()[0] == 2
    code, printed = command("--fix", "--yes")
    assert "• list TODO" in printed
    assert "• option QUALIFIED of column status" in printed
    assert code == 0
    assert emulator.trello.list_id("TODO")


def test_forecast_warns_when_the_schedule_outspends_the_free_plan(command, emulator):
    """Every minute is 43,200 calls a month."""
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    assert "about 43,200 Airtable calls a month" in command("--every", "1")[1]


def findings_on(printed, check):
    return [finding for finding in json.loads(printed)["findings"] if finding["check"] == check]


def test_change_feed_that_is_off_is_not_checked(command, emulator):
    emulator.airtable.add_lead("Ada", status="NEW")
    assert findings_on(command("--json")[1], "change feed") == []


@pytest.mark.parametrize(
    ("scopes", "role", "words"),
    [
        pytest.param(["webhook:manage", "schema.bases:read"], "create", "", id="fine"),
        pytest.param(["schema.bases:read"], "create", "webhook:manage", id="scope"),
        pytest.param(["webhook:manage", "schema.bases:read"], "edit", "role creator", id="role"),
        pytest.param(["webhook:manage"], "create", "schema.bases:read", id="ids"),
    ],
)
def test_what_the_change_feed_lacks_is_told_and_stops_nothing(command, emulator, monkeypatch, scopes, role, words):
    """A run goes on without it; nothing is made to find out."""
    emulator.airtable.add_lead("Ada", status="NEW")
    token = emulator.airtable.add_token(["data.records:read", "data.records:write", *scopes], role=role)
    monkeypatch.setenv("AIRTABLE_CHANGE_FEED", "on")
    monkeypatch.setenv("AIRTABLE_API_TOKEN", token)
    code, printed = command("--json")
    (finding,) = findings_on(printed, "change feed")
    assert (code, finding["level"]) == (0, "warning" if words else "ok")
    assert words in finding["remedy"]
    assert not [request for request in emulator.requests if "webhooks" in request.path and request.is_write]
