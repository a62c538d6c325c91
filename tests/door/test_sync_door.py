"""`flows/sync.py` as a Prefect flow and as a command: states, exit codes, and what is printed."""

import json
import os
import re
import subprocess
import sys
import time

import pytest
import requests
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.flows import load_flow_from_entrypoint
from typer import Typer
from typer.testing import CliRunner

import sync as door
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore
from runs import record, tasks
from support.pages import README, blocks, text_of
from support.places import ROOT
from support.ports import free_port

PARTS = {"counts", "changes", "conflicts", "quarantine", "failures", "calls", "exit_code", "message"}


@pytest.fixture
def command(prefect_server, configured):
    """Run the command in this process. Returns: a function from arguments to (exit code, stdout)."""
    app = Typer()
    app.command()(door.sync)

    def run(*arguments):
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, result.stdout

    return run


def secrets_of(settings):
    return [settings[name] for name in ("AIRTABLE_API_TOKEN", "TRELLO_API_KEY", "TRELLO_API_TOKEN")]


def test_json_holds_the_whole_report_and_nothing_else(command, emulator):
    """A program can read stdout as it is."""
    lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    code, printed = command("--json")
    report = json.loads(printed)
    assert (code, report["exit_code"]) == (0, 0)
    assert report.keys() >= PARTS
    assert [change["lead_id"] for change in report["changes"]] == [lead]


def test_dry_run_writes_nothing(command, emulator):
    """The plan is shown; neither service hears a write."""
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    code, printed = command("--dry-run")
    assert code == 0
    assert "Ada in TODO" in printed
    assert emulator.calls("airtable", writes=True) + emulator.calls("trello", writes=True) == 0


def test_card_becomes_a_lead_by_a_task_of_the_flow(command, emulator, monkeypatch):
    monkeypatch.setenv("SYNC_CREATE_LEADS", "on")
    emulator.airtable.add_field("card_id")
    card = emulator.trello.add_card("TODO", "Zoë")
    code, printed = command("--json")
    (lead,) = emulator.airtable.records()
    assert (code, emulator.airtable.records()[lead]["card_id"]) == (0, card), printed
    assert f"LeadID: {lead}" in emulator.trello.card(card)["desc"]


def test_wrong_token_is_a_sentence_that_names_the_setting(command, configured, monkeypatch):
    """Exit code 2, and the token itself is nowhere."""
    monkeypatch.setenv("AIRTABLE_API_TOKEN", "patWrongWrongWrong")
    code, printed = command("--json")
    assert code == 2
    assert "AIRTABLE_API_TOKEN" in json.loads(printed)["message"]
    assert "patWrongWrongWrong" not in printed


def test_missing_setting_is_told_in_json_too(command, monkeypatch):
    """Before anything is started."""
    monkeypatch.delenv("TRELLO_BOARD_ID")
    code, printed = command("--json")
    assert (code, json.loads(printed)["message"]) == (
        2,
        "TRELLO_BOARD_ID is not set. Type `python flows/init.py`, which asks for it; or see .env.sample.",
    )


def test_empty_side_is_refused_by_the_guard(command, emulator):
    """Exit code 3, nothing written."""
    lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    command()
    emulator.airtable.delete(lead)
    emulator.clear_requests()
    code, printed = command("--json")
    assert code == 3
    assert "came back empty" in json.loads(printed)["message"]
    assert emulator.calls("trello", writes=True) == 0


def test_second_run_says_who_holds_the_lock(command, emulator, configured):
    """Exit code 4."""
    command()
    store = StateStore(configured["SYNC_STATE_URL"])
    with pair_lock(store, f"{configured['AIRTABLE_BASE_ID']}/{emulator.trello.board_id}"):
        code, printed = command("--json")
    store.close()
    assert code == 4
    assert "Another sync of this pair is running: process" in json.loads(printed)["message"]


def test_service_out_of_reach_is_incomplete(command, monkeypatch):
    """Exit code 1 and where it was looked for."""
    monkeypatch.setattr("leadsync.transport.failures.ATTEMPTS", 1)
    monkeypatch.setattr(tasks, "TASKS", {step: task.with_options(retries=0) for step, task in tasks.TASKS.items()})
    monkeypatch.setenv("AIRTABLE_ENDPOINT_URL", "http://127.0.0.1:9")
    code, printed = command("--json")
    assert code == 1
    assert "Airtable could not be reached at 127.0.0.1:9" in json.loads(printed)["message"]


@pytest.mark.parametrize(
    ("edit", "state", "name"),
    [
        pytest.param(lambda emulator, lead: None, "COMPLETED", "Completed", id="nothing-to-do"),
        pytest.param(lambda emulator, lead: emulator.airtable.delete(lead), "FAILED", "RefusedByGuard", id="refused"),
        pytest.param(
            lambda emulator, lead: emulator.airtable.revoke(emulator.airtable.token),
            "FAILED",
            "Misconfigured",
            id="token",
        ),
    ],
)
def test_final_state_follows_the_exit_code(prefect_server, configured, emulator, edit, state, name):
    """Only the type fires automations; name and message are for people."""
    lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    door.sync_leads(return_state=True)
    edit(emulator, lead)
    ended = door.sync_leads(return_state=True)
    assert (ended.type.value, ended.name) == (state, name)
    assert ended.message


def test_board_that_holds_the_leads_is_settled_by_an_option(command, emulator):
    """Refused until somebody chooses, and then as chosen; the flow has the same parameter."""
    lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    card = emulator.trello.add_card("TODO", "ada", "ada@example.com")
    code, printed = command("--json")
    assert (code, "--adopt email" in json.loads(printed)["message"]) == (3, True)
    code, printed = command("--json", "--adopt", "email", "--dry-run")
    assert (code, json.loads(printed)["counts"]["created"]) == (0, 0)
    assert door.sync_leads(return_state=True).type.value == "FAILED"
    assert door.sync_leads(adopt="name", return_state=True).type.value == "COMPLETED"
    assert f"LeadID: {lead}" in emulator.trello.card(card)["desc"]
    assert len(emulator.trello.cards()) == 1


def test_run_leaves_log_tasks_and_report_without_secrets(prefect_server, configured, emulator):
    """What Prefect keeps of a run is complete, and holds no credential."""
    lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    door.sync_leads(return_state=True)
    with get_client(sync_client=True) as client:
        artifacts = client.read_artifacts(sort="CREATED_DESC")
        kept = " ".join(str(artifact.data) for artifact in artifacts)
    assert lead in kept
    assert not [secret for secret in secrets_of(configured) if secret in kept]


def test_changes_are_a_table_with_before_and_after(prefect_server, configured, emulator):
    """The table artifact of a run that changed something; one that did not leaves none."""
    lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    door.sync_leads(return_state=True)
    emulator.airtable.edit(lead, status="LOST")
    door.sync_leads(return_state=True)
    door.sync_leads(return_state=True)
    rows = artifact("sync-changes")
    assert [(row["lead"], row["field"], row["before"], row["after"]) for row in rows] == [
        ("Ada", "status", "TODO", "DONE")
    ]


def test_report_links_to_base_and_board(prefect_server, configured, emulator):
    """From the run's report a click leads to either side."""
    door.sync_leads(return_state=True)
    report = artifact("sync-report")
    assert f"[Airtable base](https://airtable.com/{configured['AIRTABLE_BASE_ID']})" in report
    assert "[Trello board](https://trello.com/b/" in report


def test_long_load_shows_its_progress(prefect_server, configured, emulator, monkeypatch):
    """A progress artifact that ends at 100 %; a short load keeps none."""
    monkeypatch.setattr("runs.record.LONG_LOAD", 12)
    monkeypatch.setattr("runs.record.PROGRESS_EVERY", 0.0)
    for number in range(12):
        emulator.airtable.add_lead(f"Lead {number}", status="NEW")
    told = []
    real = record.update_progress_artifact

    def told_too(*args, **more):
        told.append(more["progress"])
        return real(*args, **more)

    monkeypatch.setattr("runs.record.update_progress_artifact", told_too)
    door.sync_leads(return_state=True)
    assert len(told) > 3
    assert told == sorted(told)
    assert artifact("loading-cards") == 100


def artifact(key):
    """The data of the newest artifact with this key."""
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])))
    data = max(found, key=lambda each: each.created).data
    return json.loads(data) if key == "sync-changes" and isinstance(data, str) else data


def test_failing_artifact_does_not_fail_the_sync(prefect_server, configured, emulator, monkeypatch):
    """What was written is written, whatever becomes of the report."""

    def broken(*_arguments, **_more):
        raise RuntimeError("no room for artifacts")

    monkeypatch.setattr("runs.record.create_markdown_artifact", broken)
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    assert door.sync_leads(return_state=True).is_completed()
    assert len(emulator.trello.cards()) == 1


def test_unforeseen_error_is_a_sentence(command, monkeypatch):
    """The last line of defence: no traceback, and not the error's own text."""

    def broken(*_arguments, **_more):
        raise ZeroDivisionError("secret-in-an-error")

    monkeypatch.setattr(door, "run_sync", broken)
    code, printed = command("--json")
    assert code == 1
    assert "Unexpected ZeroDivisionError" in json.loads(printed)["message"]
    assert "secret-in-an-error" not in printed


def test_flow_loads_as_a_deployment_does():
    """Prefect's loader finds the flow and its imports from the repository's root."""
    flow = load_flow_from_entrypoint(f"{ROOT}/flows/sync.py:sync_leads")
    assert flow.name == "sync-leads"
    choices = {"dry_run", "conflict", "allow_mass_change", "read", "paced", "pair", "adopt", "review"}
    assert set(flow.parameters.properties) == choices


def run_script(*arguments, settings, folder):
    """The command as a person types it, in a process of its own."""
    script = [sys.executable, str(ROOT / "flows/sync.py"), *arguments]
    environment = {**os.environ, **settings, "COLUMNS": "200"}
    return subprocess.run(script, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.installation
def test_command_works_from_any_folder(configured, emulator, tmp_path):
    """A real process without a Prefect server: JSON on stdout, nothing on stderr, no secret anywhere."""
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    done = run_script("--json", settings=configured, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["created"] == 1
    assert done.stderr == ""
    assert not [secret for secret in secrets_of(configured) if secret in done.stdout]


@pytest.mark.installation
@pytest.mark.parametrize(
    ("line", "more"),
    [
        pytest.param('"$@"', {"PYTHONIOENCODING": "cp1252"}, id="few-letters"),
        pytest.param('"$@" | true', {}, id="pipe-that-nobody-reads"),
        pytest.param('"$@" --json >/dev/full', {}, id="full-disk"),
        pytest.param('"$@" >&- 2>&-', {}, id="closed"),
    ],
)
def test_command_ends_as_its_report_says_whatever_becomes_of_its_output(configured, emulator, tmp_path, line, more):
    """The card is made, and the exit code says so."""
    emulator.airtable.add_lead("Zoë 🚀", status="NEW")
    shell = ["bash", "-c", f"set -o pipefail; {line}", "bash", sys.executable, str(ROOT / "flows/sync.py")]
    done = subprocess.run(
        shell, env={**os.environ, **configured, **more}, cwd=tmp_path, capture_output=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert [card["name"] for card in emulator.trello.cards().values()] == ["Zoë 🚀"]


@pytest.mark.installation
def test_server_under_a_path_is_used_as_the_profile_says(configured, emulator, tmp_path):
    """It keeps the run, and no other server is started."""
    place = f"127.0.0.1:{free_port()}"
    home = tmp_path / "prefect"
    home.mkdir()
    profile = f'active = "ours"\n[profiles.ours]\nPREFECT_API_URL = "http://{place}/prefect/api"\n'
    (home / "profiles.toml").write_text(profile)
    environment = {**os.environ, **configured, "PREFECT_HOME": str(home)}
    under = {"PREFECT_SERVER_API_BASE_PATH": "/prefect/api", "PREFECT_SERVER_DATABASE_NAME": "prefect"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui", "--port", place.split(":")[1]]
    server = subprocess.Popen(command, env=environment | under, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not health_of(f"http://{place}/prefect/api") and time.monotonic() < deadline:
            time.sleep(0.1)
        done = run_script(settings={**configured, "PREFECT_HOME": str(home)}, folder=tmp_path)
        kept = requests.post(f"http://{place}/prefect/api/flow_runs/filter", json={}, timeout=10).json()
    finally:
        server.terminate()
        server.wait(30)
    assert (done.returncode, done.stderr) == (0, "")
    assert [run["state_name"] for run in kept] == ["Completed"]
    assert f"This run in Prefect: http://{place}/prefect/runs/flow-run/{kept[0]['id']}" in done.stdout


def health_of(api):
    try:
        return requests.get(f"{api}/health", timeout=2).ok
    except requests.RequestException:
        return False


@pytest.mark.installation
def test_demo_tells_the_story(tmp_path):
    """No account, no settings; and the well-known defects are shown not to happen."""
    done = run_script("--demo", settings={}, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for words in ("LOST", "a copy: another card", "Airtable wins", "1 Airtable + 1 Trello calls", "Where to look next"):
        assert words in done.stdout
    assert "QUALIFIED │ Trello → Airtable" not in done.stdout
    printed = [*map(cells_of, done.stdout.splitlines())]
    for line in blocks(text_of(README), "text")[0].splitlines():
        assert [row for row in printed if {*cells_of(line)} <= {*row}], line


def cells_of(line):
    """Of a line of the demo's output what is the same each time."""
    return [re.sub(r", \d+\.\d s\)", ")", " ".join(cell.split())) for cell in re.split("[│┃]", line)]


def test_demo_gives_no_sign_of_life(command, monkeypatch):
    """What runs against the emulator tells nothing of the pair that somebody watches."""
    given = []
    monkeypatch.setattr("runs.signs.give_sign", lambda sign, *_more: given.append(sign))
    command()
    assert given == ["leadsync.synced"]
    monkeypatch.setattr("demo.run_demo", lambda sync, *_more: sync())
    assert [command(option)[0] for option in ("--demo", "--dry-run")] == [0, 0]
    assert given == ["leadsync.synced"]
