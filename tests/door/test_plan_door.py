"""`flows/sync.py` with --out, --plan and --expect-no-changes: files, sentences, exit codes."""

import json
import os
import stat
from unittest.mock import patch

import pytest
from typer import Typer
from typer.testing import CliRunner

import sync as door


@pytest.fixture
def command(prefect_server, configured):
    """Run the command in this process. Returns: a function from arguments to (exit code, report)."""
    app = Typer()
    app.command()(door.sync)

    def run(*arguments):
        result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
        return result.exit_code, json.loads(result.stdout)

    return run


def writes(emulator):
    made = emulator.calls("airtable", writes=True) + emulator.calls("trello", writes=True)
    emulator.clear_requests()
    return made


def test_plan_goes_into_a_file_of_its_owners_and_is_applied_once(command, emulator, tmp_path):
    lead, file = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web"), tmp_path / "plan.json"
    code, report = command("--dry-run", "--out", file)
    assert (code, writes(emulator), [row["lead_id"] for row in report["changes"]]) == (0, 0, [lead])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"--plan {file}" in report["notes"][-1]["note"]
    code, report = command("--plan", file)
    assert (code, [row["lead_id"] for row in report["changes"]]) == (0, [lead])
    assert writes(emulator) == 1
    code, report = command("--plan", file)
    assert (code, writes(emulator)) == (3, 0)
    assert "applied already" in report["message"]


def test_what_moved_is_listed_with_lead_and_cell(command, emulator, tmp_path):
    lead, file = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web"), tmp_path / "plan.json"
    command("--dry-run", "--out", file)
    emulator.airtable.edit(lead, email="new@example.com")
    code, report = command("--plan", file)
    assert (code, writes(emulator)) == (3, 0)
    moved = {"lead_id": lead, "card_id": "", "field": "email", "side": "airtable", "lead_name": "Ada"}
    assert report["moved"] == [moved | {"planned": "ada@example.com", "now": "new@example.com"}]
    assert f"email of {lead} on Airtable ('ada@example.com' → 'new@example.com')" in report["message"]


def test_plan_that_still_holds_can_be_looked_at(command, emulator, tmp_path):
    """--plan with --dry-run tells whether it would be applied, and does not spend it."""
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    file = tmp_path / "plan.json"
    command("--dry-run", "--out", file)
    assert command("--plan", file, "--dry-run")[0] == 0
    assert writes(emulator) == 0
    assert command("--plan", file)[0] == 0


def test_plan_brings_its_options(command, emulator, tmp_path):
    """It was made with --adopt, and is applied with that; another is refused."""
    lead, file = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web"), tmp_path / "plan.json"
    card = emulator.trello.add_card("TODO", "Ada", "")
    assert command("--dry-run", "--out", file)[0] == 3
    assert not file.exists()
    assert command("--dry-run", "--out", file, "--adopt", "name")[0] == 0
    code, report = command("--plan", file, "--adopt", "none")
    assert (code, report["message"]) == (2, "The plan was made with --adopt name; leave --adopt away.")
    assert command("--plan", file)[0] == 0
    assert lead in emulator.trello.card(card)["desc"]


def test_nothing_expected(command, emulator):
    """Exit code 5 and no write as long as there is something to do."""
    assert command("--expect-no-changes")[0] == 0
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    for more in ([], ["--dry-run"]):
        code, report = command("--expect-no-changes", *more)
        assert (code, report["exit_code"], writes(emulator), len(report["changes"])) == (5, 5, 0, 1)
        assert "something to do" in report["message"]
    command()
    writes(emulator)
    assert command("--expect-no-changes")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--out", "{file}"], "--out saves the plan of a dry run: add --dry-run."),
        (["--plan", "{file}", "--expect-no-changes"], "--plan applies a plan that was made"),
        (["--plan", "{file}", "--dry-run", "--out", "{file}"], "--plan applies a plan that was made"),
        (["--plan", "{file}"], "could not be read (No such file or directory)"),
        (["--plan", "{folder}"], "could not be read (Is a directory)"),
        (["--plan", "{bytes}"], "could not be read (it is no text)"),
        (["--plan", "{text}"], "holds no plan of this program"),
        (["--dry-run", "--out", "{text}/plan.json"], "The plan could not be written to"),
        (["--dry-run", "--out", "{text}"], "is no plan of this program: it stays as it is"),
        (["--dry-run", "--out", "{bytes}"], "is no plan of this program: it stays as it is"),
        (["--dry-run", "--out", "{pipe}"], "is no plan of this program: it stays as it is"),
    ],
)
def test_what_does_not_go_together_is_told_at_once(command, emulator, tmp_path, arguments, sentence):
    """Exit code 2, one sentence, nothing written."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "text").write_text("Hello")
    os.mkfifo(tmp_path / "pipe")
    places = {name: tmp_path / name for name in ("file", "bytes", "text", "pipe")} | {"folder": tmp_path}
    code, report = command(*(argument.format(**places) for argument in arguments))
    assert (code, writes(emulator)) == (2, 0)
    assert sentence in report["message"]
    assert (tmp_path / "text").read_text() == "Hello"


@patch.dict(os.environ)
def test_demo_has_a_plan_that_the_next_demo_applies(prefect_server, tmp_path):
    """The demo's first sync is the same each time."""
    app, file = Typer(), tmp_path / "plan.json"
    app.command()(door.sync)
    for arguments in (["--dry-run", "--out", str(file)], ["--plan", str(file)]):
        result = CliRunner().invoke(app, ["--demo", "--json", *arguments])
        report = json.loads(result.stdout)
        assert (result.exit_code, len(report["changes"])) == (0, 12), report["message"]


@patch.dict(os.environ)
def test_dry_run_of_the_demo_shows_its_plan_and_no_story(prefect_server):
    app = Typer()
    app.command()(door.sync)
    result = CliRunner().invoke(app, ["--demo", "--json", "--dry-run"])
    assert (result.exit_code, len(json.loads(result.stdout)["changes"])) == (0, 12)


def test_local_run_to_be_reviewed_leaves_its_plan(command, emulator, tmp_path, monkeypatch):
    """Exit code 3 and no write; the plan is applied by the next command."""
    monkeypatch.chdir(tmp_path)
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    code, report = command("--review", "risky")
    assert (code, writes(emulator), (tmp_path / "plan.json").exists()) == (3, 0, True)
    assert "first contact" in report["message"]
    assert "--plan plan.json" in report["notes"][-1]["note"]
    assert command("--plan", "plan.json", "--review", "risky")[0] == 0
    assert writes(emulator) == 1
    (tmp_path / "plan.json").unlink()
    code, report = command("--review", "risky", "--out", "other.json")
    assert (code, [*tmp_path.glob("*.json")]) == (0, [])
