"""`flows/conflicts.py`: the list, and a person's word as a flow run; states, exit codes, and what is printed."""

import io
import json
import shlex
import subprocess
import sys
import time

import pytest
from prefect.client.orchestration import get_client
from rich.console import Console
from typer.testing import CliRunner

import conflicts as door
import sync
from leadsync.report.terminal import show
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore
from runs import temporary_server
from support.places import ROOT


@pytest.fixture
def command(prefect_server, configured, monkeypatch):
    """The commands in this process, conflicts being held. Returns: a function from arguments to (exit code, output)."""
    monkeypatch.setenv("SYNC_CONFLICT", "hold")

    def run(*arguments):
        result = CliRunner().invoke(door.app, list(arguments), env={"COLUMNS": "200"})
        return result.exit_code, result.stdout

    return run


@pytest.fixture
def lead(command, emulator):
    """A lead that both sides have moved, and the run that held it."""
    made = emulator.airtable.add_lead("Zoë", "zoe@example.com", "NEW", "web")
    sync.run_locally()
    emulator.airtable.edit(made, status="CONTACTED")
    emulator.trello.move(card_of(emulator)["id"], "DONE")
    emulator.trello.edit(card_of(emulator)["id"], name="Zoe")
    emulator.airtable.edit(made, name="Zoë B.")
    sync.run_locally()
    emulator.clear_requests()
    return made


def card_of(emulator):
    (card,) = emulator.trello.cards().values()
    return card


def test_copies_are_untied_by_a_flow_run(command, emulator, lead):
    """Likewise; its name says of which lead."""
    (card,) = emulator.trello.cards()
    copy = emulator.trello.copy(card)
    sync.run_locally()
    code, printed = command("untie", "--lead", lead, "--json")
    found = json.loads(printed)
    assert (code, [row["card_id"] for row in found["changes"]]) == (0, [copy])
    assert [lead in each["desc"] for each in emulator.trello.cards().values()] == [True, False]
    assert command("untie", "--lead", lead)[0] == 2
    with get_client(sync_client=True) as client:
        assert f"untie copies of {lead} (Zoë): 1 changed" in {
            run.name for run in client.read_flow_runs(sort="START_TIME_DESC")
        }


@pytest.fixture
def aside(command, emulator):
    """A lead whose status no list stands for, while its card was moved on."""
    emulator.airtable.add_select_option("status", "On hold")
    made = emulator.airtable.add_lead("Ole", "ole@example.com", "NEW", "web")
    sync.run_locally()
    emulator.airtable.edit(made, status="On hold")
    emulator.trello.move(card_of(emulator)["id"], "DONE")
    sync.run_locally()
    emulator.clear_requests()
    return made


def test_what_is_set_aside_is_listed_beside_the_conflicts(command, emulator, aside):
    """With both values, what taking a side would write, and the remedy; under a key of its own."""
    code, printed = command("--json")
    found = json.loads(printed)
    assert (code, found["conflicts"]) == (0, [])
    (row,) = found["set_aside"]
    assert (row["lead_id"], row["card_id"], row["name"], row["field"]) == (
        aside,
        card_of(emulator)["id"],
        "Ole",
        "status",
    )
    assert (row["airtable"], row["trello"], row["to_airtable"], row["to_trello"]) == (
        "On hold",
        "DONE",
        "QUALIFIED",
        None,
    )
    assert row["since"].endswith("+00:00")
    _, printed = command()
    for shown in ("No conflict is open.", "Ole", aside, "unknown status 'On hold'", "SYNC_STATUS_MAP"):
        assert shown in printed
    assert "Take trello: Airtable's becomes QUALIFIED." in " ".join(printed.replace("│", " ").split())
    assert emulator.calls("airtable") + emulator.calls("trello") == 0


def test_report_of_a_sync_names_the_command_that_takes_a_side(command, emulator, aside):
    """The very words do."""
    report = sync.run_locally().outcome
    shown = io.StringIO()
    show(report, Console(file=shown, width=80))
    (told,) = [line for line in shown.getvalue().splitlines() if "python flows/conflicts.py" in line]
    assert "To have status QUALIFIED on Airtable, too: " in told
    assert command(*shlex.split(told.partition("python flows/conflicts.py ")[2]))[0] == 0
    assert emulator.airtable.records()[aside]["status"] == "QUALIFIED"
    assert json.loads(command("--json")[1])["set_aside"] == []


def test_side_that_cannot_be_taken_is_refused_with_the_remedy(command, emulator, aside):
    """Exit code 3."""
    code, printed = command("take", "airtable", "--lead", aside, "--json")
    message = json.loads(printed)["message"]
    assert (code, "unknown status 'On hold'" in message, "SYNC_STATUS_MAP" in message) == (3, True, True)
    assert emulator.airtable.records()[aside]["status"] == "On hold"


def listed(command):
    code, printed = command("--json")
    assert code == 0
    return json.loads(printed)["conflicts"]


def test_list_shows_lead_values_and_age(command, emulator, lead):
    """By name and id; nothing is asked of either service."""
    code, printed = command()
    assert code == 0
    for shown in ("│ Zoë ", f"│ {lead} ", "status", "NEW", "CONTACTED", "DONE", "Zoë B.", time.strftime("%Y-%m-%d")):
        assert shown in printed
    assert emulator.calls("airtable") + emulator.calls("trello") == 0


def test_json_lists_each_conflict_whole(command, emulator, lead):
    rows = {row["field"]: row for row in listed(command)}
    ids = {"lead_id": lead, "card_id": card_of(emulator)["id"], "name": "Zoë", "kind": "conflict"}
    values = {"base": "NEW", "airtable": "CONTACTED", "trello": "DONE"}
    assert rows["status"] == ids | values | {"field": "status", "since": rows["status"]["since"]}
    assert (rows["name"]["base"], rows["name"]["airtable"], rows["name"]["trello"]) == ("Zoë", "Zoë B.", "Zoe")
    assert rows["status"]["since"].endswith("+00:00")


def test_without_conflicts_the_list_is_empty(command):
    """Before the first run, too."""
    assert listed(command) == []
    assert command()[1].strip() == "No conflict is open."


def test_taking_is_a_run_that_settles_it(command, emulator, lead):
    """Its name says whose value was taken; its state, as any run's, what it did."""
    code, printed = command("take", "trello", "--lead", lead, "--field", "status", "--json")
    report = json.loads(printed)
    assert (code, report["exit_code"]) == (0, 0)
    assert [(row["field"], row["after"], row["direction"]) for row in report["changes"]] == [
        ("status", "QUALIFIED", "to_airtable")
    ]
    assert emulator.airtable.records()[lead]["status"] == "QUALIFIED"
    assert [row["field"] for row in listed(command)] == ["name"]
    with get_client(sync_client=True) as client:
        (run,) = client.read_flow_runs(sort="START_TIME_DESC", limit=1)  # 200 at most come at once
        assert client.read_flow(run.flow_id).name == "take-conflict"
    assert run.name.partition(": ")[0] == f"take trello for {lead} status (Zoë)"
    assert (run.state.type.value, run.state.message) == ("COMPLETED", report["message"])


def test_taking_all_of_a_lead(command, emulator, lead):
    code, printed = command("take", "airtable", "--lead", lead)
    assert code == 0
    assert "Airtable wins" in printed
    assert (card_of(emulator)["name"], listed(command)) == ("Zoë B.", [])


def test_report_of_a_sync_names_the_command_that_settles_it(command, emulator, lead):
    """For each conflict that it holds; the very words do."""
    report = sync.run_locally().outcome
    shown = io.StringIO()
    show(report, Console(file=shown, width=80))
    for field, taken in (("name", "Zoë B."), ("status", "CONTACTED")):
        lines = [line for line in shown.getvalue().splitlines() if line.startswith(f"Zoë B. {lead} ")]
        (told,) = [line for line in lines if f" --field {field}" in line]
        words = shlex.split(told.partition("python flows/conflicts.py ")[2].partition(", or")[0])
        assert command(*words)[0] == 0, words
        assert emulator.airtable.records()[lead][field] == taken
    assert listed(command) == []


def test_dry_run_writes_nothing(command, emulator, lead):
    code, printed = command("take", "airtable", "--lead", lead, "--dry-run")
    assert code == 0
    assert "Plan (nothing was written)" in printed
    assert emulator.calls("airtable", writes=True) + emulator.calls("trello", writes=True) == 0
    assert len(listed(command)) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--lead", "recNothingLikeThat"), ["recNothingLikeThat", "{lead}"], id="lead"),
        pytest.param(("--lead", "{lead}", "--field", "email"), ["email", "name, status"], id="field"),
    ],
)
def test_what_is_not_in_conflict_is_told_with_what_is(command, lead, arguments, words):
    """Exit code 2."""
    code, printed = command("take", "airtable", *(each.format(lead=lead) for each in arguments), "--json")
    assert code == 2
    message = json.loads(printed)["message"]
    assert all(word.format(lead=lead) in message for word in words)


def test_conflict_that_has_changed_is_refused(command, emulator, lead):
    """Exit code 3: the value that would be lost is not the one that was listed."""
    emulator.airtable.edit(lead, status="LOST")
    emulator.trello.move(card_of(emulator)["id"], "IN_PROGRESS")
    code, printed = command("take", "trello", "--lead", lead, "--json")
    assert code == 3
    assert "LOST" in json.loads(printed)["message"]
    assert emulator.airtable.records()[lead]["status"] == "LOST"


def test_run_under_way_is_not_disturbed(command, emulator, configured, lead):
    """Exit code 4 and who holds the lock."""
    store = StateStore(configured["SYNC_STATE_URL"])
    with pair_lock(store, f"{configured['AIRTABLE_BASE_ID']}/{emulator.trello.board_id}"):
        code, printed = command("take", "trello", "--lead", lead, "--json")
    store.close()
    assert code == 4
    assert "Another sync of this pair is running" in json.loads(printed)["message"]


UNSET = "TRELLO_BOARD_ID is not set. Type `python flows/init.py`, which asks for it; or see .env.sample."


def test_wrong_settings_are_a_sentence(command, monkeypatch):
    """In both commands, as JSON too."""
    monkeypatch.delenv("TRELLO_BOARD_ID")
    for arguments in (["--json"], ["take", "trello", "--lead", "rec1", "--json"]):
        code, printed = command(*arguments)
        assert (code, json.loads(printed)["message"]) == (2, UNSET)
    code, printed = command()
    assert (code, " ".join(printed.split())) == (2, UNSET)


def test_board_by_its_address_is_the_same_pair(command, emulator, lead, monkeypatch):
    """Also if no run has been made under that name."""
    link = emulator.trello.board()["shortLink"]
    monkeypatch.setenv("TRELLO_BOARD_ID", f"https://trello.com/b/{link}/sales")
    assert len(listed(command)) == 2


@pytest.mark.installation
def test_command_lists_in_a_process_of_its_own(lead, configured):
    done = subprocess.run([sys.executable, "flows/conflicts.py", "--json"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, len(json.loads(done.stdout)["conflicts"])) == (0, 2), done.stderr
    assert temporary_server.started_here() is None
