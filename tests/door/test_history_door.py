"""`flows/history.py`: what it prints, its JSON, its exit codes, and a run taken back as a flow run."""

import json
import re
import subprocess
import sys
import time

import pytest
from prefect.client.orchestration import get_client
from typer.testing import CliRunner

import history as door
import sync
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore
from support.places import ROOT


@pytest.fixture
def command(prefect_server, configured):
    """The commands in this process. Returns: a function from arguments to (exit code, output)."""

    def run(*arguments):
        result = CliRunner().invoke(door.app, list(arguments), env={"COLUMNS": "220"})
        return result.exit_code, result.stdout

    return run


@pytest.fixture
def lead(command, emulator):
    """A lead with a card, whose status a second run took to Trello."""
    made = emulator.airtable.add_lead("Zoë", "zoe@example.com", "NEW", "web")
    sync.run_locally()
    emulator.airtable.edit(made, status="CONTACTED")
    sync.run_locally()
    emulator.clear_requests()
    return made


def card_of(emulator):
    (card,) = emulator.trello.cards().values()
    return card


def asked(command, *arguments, code=0):
    ended, printed = command(*arguments)
    found = json.loads(printed)
    assert (ended, found["exit_code"]) == (code, code), printed
    return found


def test_list_names_runs_newest_first_and_asks_nobody(command, emulator, lead):
    code, printed = command()
    runs = asked(command, "--json")["runs"]
    assert code == 0
    assert [run["counts"]["changes"] for run in runs] == [1, 1]
    assert runs[0]["at"] >= runs[1]["at"]
    assert all(run["id"][:8] in printed for run in runs)
    assert emulator.calls("airtable") + emulator.calls("trello") == 0


def test_list_since_leaves_out_what_is_older(command, emulator, lead, configured):
    store = StateStore(configured["SYNC_STATE_URL"])
    oldest = asked(command, "--json")["runs"][-1]["id"]
    with store.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE leadsync_run SET at = {time.time() - 90_000} WHERE id = '{oldest}'")
    store.close()
    assert [len(asked(command, "--json", "--since", span)["runs"]) for span in ("1d", "2d")] == [1, 2]
    code, printed = command("--since", "soon")
    assert (code, "--since" in printed) == (2, True)


def test_lead_tells_what_was_agreed_since_its_last_change_without_a_write(command, emulator, lead):
    """Two statuses of one list: nothing is written, and no run has anything to take back; it is told all the same."""
    assert asked(command, "lead", lead, "--json")["lead"]["unwritten"] == []
    emulator.airtable.edit(lead, status="QUALIFIED")
    sync.run_locally()
    emulator.airtable.edit(lead, status="LOST")
    sync.run_locally()
    runs = asked(command, "--json")["runs"]
    told = asked(command, "lead", lead, "--json")["lead"]
    values = {"airtable_before": "QUALIFIED", "trello_before": "DONE", "airtable_after": "LOST", "trello_after": "DONE"}
    assert [(row["field"], row.items() >= values.items()) for row in told["unwritten"]] == [("status", True)]
    assert (len(runs), len(told["timeline"])) == (3, 3)
    assert "status: QUALIFIED | DONE → LOST | DONE; agreed since then without a write" in command("lead", lead)[1]


def test_run_shows_each_change_with_both_sides_and_the_rule(command, emulator, lead):
    run = asked(command, "--json")["runs"][0]["id"]
    (shown,) = asked(command, "run", run[:6], "--json")["runs"]
    (change,) = shown["changes"]
    assert (shown["id"], change["lead_id"], change["field"], change["rule"]) == (run, lead, "status", "edit")
    values = [change[name] for name in ("airtable_before", "trello_before", "airtable_after", "trello_after")]
    assert values == ["CONTACTED", "TODO", "CONTACTED", "IN_PROGRESS"]
    code, printed = command("run", run)
    assert (code, "edited on Airtable alone" in printed) == (0, True)
    assert (change["lead_name"], "│ Zoë " in printed, f"│ {lead} " in printed) == ("Zoë", True, True)


@pytest.mark.parametrize("unknown", ["zzzz", "%%%%", "____", "z" * 60_000], ids=["word", "all", "any", "long"])
def test_unknown_run_is_a_sentence_that_names_those_there_are(command, lead, unknown):
    """However it is written: it is no pattern, and no fault of the database."""
    code, printed = command("run", unknown)
    assert (code, f"No run '{unknown[:4]}" in printed) == (2, True)
    assert asked(command, "run", unknown, "--json", code=2)["runs"] == []


def test_lead_is_explained_with_base_sides_rule_future_and_past(command, emulator, lead):
    emulator.airtable.edit(lead, status="LOST")
    emulator.trello.edit(card_of(emulator)["id"], name="Zoe")
    found = asked(command, "lead", lead, "--json")["lead"]
    cells = {cell["field"]: cell for cell in found["cells"]}
    assert (found["lead_id"], found["card_id"]) == (lead, card_of(emulator)["id"])
    assert cells["status"]["base"] == {"airtable": "CONTACTED", "trello": "IN_PROGRESS"}
    assert (cells["status"]["airtable"], cells["status"]["trello"]) == ("LOST", "IN_PROGRESS")
    assert cells["status"]["rule"] == "only Airtable moved: its value goes to Trello"
    assert cells["name"]["rule"] == "only Trello moved: its value goes to Airtable"
    assert cells["email"]["rule"] == "neither side moved"
    assert [(row["field"], row["after"]) for row in found["next"]["changes"]] == [("status", "DONE"), ("name", "Zoe")]
    assert [change["field"] for change in found["timeline"]] == ["card", "status"]
    assert (found["airtable"]["status"], found["trello"]["name"], found["base"]["name"]["trello"]) == (
        "LOST",
        "Zoe",
        "Zoë",
    )
    code, printed = command("lead", lead)
    assert (code, "its value goes to Trello" in printed, "The next run would do this" in printed) == (0, True, True)
    assert card_of(emulator)["name"] == "Zoe"
    assert emulator.airtable.records()[lead]["name"] == "Zoë"


@pytest.mark.parametrize("named", ["id", "address", "short"])
def test_lead_is_found_by_its_card(command, emulator, lead, named):
    card = card_of(emulator)
    address = {"id": card["id"], "address": card["shortUrl"], "short": card["shortUrl"].removeprefix("https://")}
    found = asked(command, "lead", address[named], "--json")["lead"]
    assert (found["lead_id"], found["next"]["changes"]) == (lead, [])


@pytest.mark.parametrize("named", ["nobody", "https://trello.com/c/XXXXXXXX", "f" * 24, "recAAAAAAAAAAAAAA"])
def test_lead_that_nobody_knows_is_a_sentence(command, lead, named):
    found = asked(command, "lead", named, "--json", code=2)
    assert (found["lead"], named[:20] in found["message"]) == (None, True)


def test_lead_is_told_of_while_another_run_holds_the_lock(command, emulator, lead, configured):
    """Its past at least."""
    store = StateStore(configured["SYNC_STATE_URL"])
    with pair_lock(store, f"{emulator.airtable.base_id}/{emulator.trello.board_id}"):
        found = asked(command, "lead", lead, "--json", code=4)
    store.close()
    assert (len(found["lead"]["timeline"]), found["lead"]["next"]) == (2, None)
    assert "Another sync" in found["message"]


def test_forgotten_lead_shows_no_value(command, emulator, lead):
    assert asked(command, "forget", lead, "--json")["erased"] == 2
    run = asked(command, "--json")["runs"][1]["id"]
    _, printed = command("run", run)
    assert ("Zoë" in printed, "(erased)" in printed) == (False, True)
    assert "Zo" not in json.dumps(asked(command, "run", run, "--json"))
    report = asked(command, "undo", run, "--json", code=2)
    assert "erased" in report["message"]


def test_undo_is_a_flow_run_that_takes_the_run_back(command, emulator, lead):
    run = asked(command, "--json")["runs"][0]["id"]
    dry = asked(command, "undo", run, "--dry-run", "--json")
    assert (dry["counts"]["changes"], emulator.airtable.records()[lead]["status"]) == (2, "CONTACTED")
    report = asked(command, "undo", run, "--json")
    assert (report["counts"]["changes"], emulator.airtable.records()[lead]["status"]) == (2, "NEW")
    newest, undone, _ = asked(command, "--json")["runs"]
    assert (newest["kind"], newest["undoes"], undone["undone_by"]) == ("undo", run, newest["id"])
    with get_client(sync_client=True) as client:
        states = {each.name: each.state.name for each in client.read_flow_runs(sort="START_TIME_DESC")}
    (state,) = (
        state for name, state in states.items() if re.fullmatch(rf"undo {run[:8]} \(sync of .*\): 2 changed", name)
    )
    assert state == "Completed"


def test_list_needs_no_prefect_server(configured, emulator):
    """A process of its own: it is there at once, and leaves no server."""
    command = [sys.executable, "flows/history.py", "--json"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, json.loads(ended.stdout)["runs"], ended.stderr) == (0, [], "")
