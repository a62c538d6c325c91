"""`flows/init.py` as a script drives it: what is not asked is given, and what is wrong is a sentence."""

import os
import stat

import pytest
from typer import Typer
from typer.testing import CliRunner

import init as door
from emulator import Emulator
from leadsync.env_file import read_env_file

OPTIONS = {"NEW": "New", "CONTACTED": "Called", "QUALIFIED": "Won", "LOST": "Lost"}
OURS = ("AIRTABLE_", "TRELLO_", "SYNC_", "LEADSYNC_")


@pytest.fixture
def emulator():
    """A base and a board as people have them: nothing is called as our defaults are."""
    with Emulator() as running:
        airtable, trello = running.airtable, running.trello
        airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
        airtable.add_lead("Bob", "bob@example.com", "LOST", "fair")
        for old, new in OPTIONS.items():
            airtable.rename_select_option("status", old, new)
        for old, new in {"name": "Full name", "email": "E-mail", "status": "Stage", "source": "Lead source"}.items():
            airtable.rename_field(old, new)
        airtable.add_field("Next step", "date")
        airtable.add_field("Phone", "phoneNumber")
        airtable.rename_table("Deals")
        airtable.add_table("Invoices")
        for old, new in {"TODO": "To do", "IN_PROGRESS": "Doing", "DONE": "Done"}.items():
            trello.rename_list(old, new)
        trello.add_board("Kitchen")
        yield running


@pytest.fixture
def secrets(emulator, tmp_path, monkeypatch):
    """Nothing of ours in the environment but the three secrets, where the services are, and a fresh state."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    given = {
        "AIRTABLE_API_TOKEN": emulator.airtable.token,
        "TRELLO_API_KEY": emulator.trello.key,
        "TRELLO_API_TOKEN": emulator.trello.token,
        "AIRTABLE_ENDPOINT_URL": emulator.url,
        "TRELLO_ENDPOINT_URL": emulator.url,
        "SYNC_STATE_URL": f"sqlite:///{tmp_path}/state.sqlite3",
    }
    monkeypatch.setenv("LEADSYNC_ENV_FILE", "")  # so that what the command sets there does not outlive the test
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


@pytest.fixture
def command(prefect_server, secrets, tmp_path):
    """Run the command in this process. Returns: a function from arguments to (exit code, what was printed)."""
    app = Typer()
    app.command()(door.init)

    def run(*arguments, env=tmp_path / "one.env", also=("--yes",)):
        arguments = ["--env", str(env), *map(str, arguments), *also]
        result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
        assert not isinstance(result.exception, Exception) or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout

    return run


PAIR = ("--base", "CRM", "--table", "Deals", "--board", "Sales")


def test_pair_is_written_checked_tried_and_synced(command, emulator, secrets, tmp_path):
    """All from options: one command, and both sides are equal."""
    code, printed = command(*PAIR, "--sync")
    assert code == 0, printed
    assert read_env_file(tmp_path / "one.env") == {
        **{name: value for name, value in secrets.items() if name != "SYNC_STATE_URL"},
        "AIRTABLE_BASE_ID": emulator.airtable.base_id,
        "AIRTABLE_TABLE_NAME": "Deals",
        "AIRTABLE_NAME_FIELD": "Full name",
        "AIRTABLE_EMAIL_FIELD": "E-mail",
        "AIRTABLE_STATUS_FIELD": "Stage",
        "AIRTABLE_SOURCE_FIELD": "Lead source",
        "TRELLO_BOARD_ID": emulator.trello.board_id,
        "SYNC_STATUS_MAP": '{"New": "To do", "Called": "Doing", "Won": "Done", "Lost": "Done"}',
        "SYNC_DONE_LISTS": '["Done"]',
    }
    assert stat.S_IMODE((tmp_path / "one.env").stat().st_mode) == 0o600
    assert 'airtable = "Next step"\ncard = "due"' in (tmp_path / "leadsync.toml").read_text()
    assert "Would" not in printed
    cards = {card["name"]: card for card in emulator.trello.cards().values()}
    lists = {each["id"]: each["name"] for each in emulator.trello.lists()}
    assert {name: lists[card["idList"]] for name, card in cards.items()} == {"Ada": "To do", "Bob": "Done"}
    for secret in ("AIRTABLE_API_TOKEN", "TRELLO_API_TOKEN", "TRELLO_API_KEY"):
        assert secrets[secret] not in printed


def test_board_that_holds_the_leads_already_takes_a_choice(command, emulator):
    """Without one nothing is written to either side; with --adopt each lead's card is its own."""
    for name in ("Ada", "Bob"):
        emulator.trello.add_card("To do", name)
    code, printed = command(*PAIR, "--sync")
    assert (code, "--adopt name, which ties 2 by title" in printed) == (3, True)
    assert emulator.calls("trello", writes=True) == 0
    assert command(*PAIR, "--sync", "--overwrite", "--adopt", "name")[0] == 0
    assert sum("LeadID: rec" in card["desc"] for card in emulator.trello.cards().values()) == 2
    assert len(emulator.trello.cards()) == 2


def test_without_sync_nothing_is_written_to_a_service(command, emulator):
    code, printed = command(*PAIR)
    assert (code, "What a sync would do" in printed, "would change 2" in printed) == (0, True, True)
    assert emulator.calls("trello", writes=True) == 0
    assert emulator.calls("airtable", writes=True) == 1  # the check's probe, an empty batch


def test_proposals_are_changed_by_options(command, tmp_path):
    changes = ("--own", "source=Phone", "--status", "Lost=Doing", "--closed", "-", "--column", "Next step=start")
    code, printed = command(*PAIR, *changes, "--column", "notes=line:Remarks", "--timezone", "Europe/Berlin")
    assert code == 0, printed
    values, text = read_env_file(tmp_path / "one.env"), (tmp_path / "leadsync.toml").read_text()
    assert values["AIRTABLE_SOURCE_FIELD"] == "Phone"
    assert values["SYNC_STATUS_MAP"] == '{"New": "To do", "Called": "Doing", "Won": "Done", "Lost": "Doing"}'
    assert "SYNC_DONE_LISTS" not in values
    assert 'airtable = "Next step"\ncard = "start"' in text
    assert 'airtable = "notes"\ncard = "line:Remarks"' in text
    assert 'timezone = "Europe/Berlin"' in text


def test_secrets_come_from_files(command, secrets, monkeypatch, tmp_path):
    arguments = []
    for option, name in door_files().items():
        (tmp_path / option).write_text(f"{secrets[name]}\n")
        monkeypatch.delenv(name)
        arguments += [f"--{option}", tmp_path / option]
    code, printed = command(*PAIR, *arguments)
    assert code == 0, printed
    values = read_env_file(tmp_path / "one.env")
    assert {name: values[name] for name in door_files().values()} == {
        name: secrets[name] for name in door_files().values()
    }


def door_files():
    return {
        "airtable-token-file": "AIRTABLE_API_TOKEN",
        "trello-key-file": "TRELLO_API_KEY",
        "trello-token-file": "TRELLO_API_TOKEN",
    }


@pytest.mark.parametrize("which", ["id", "address"])
def test_what_is_meant_may_be_named_by_id_or_address(command, emulator, which, tmp_path):
    base, table, board = emulator.airtable.base_id, emulator.airtable.table_id, emulator.trello.board_id
    if which == "address":
        table = base = f"https://airtable.com/{base}/{table}/viwXXXXXXXXXXXXXX?blocks=hide"
        board = emulator.trello.board()["url"]
    code, printed = command("--base", base, "--table", table, "--board", board)
    assert code == 0, printed
    values = read_env_file(tmp_path / "one.env")
    assert (values["AIRTABLE_TABLE_NAME"], values["TRELLO_BOARD_ID"]) == ("Deals", emulator.trello.board_id)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--base", "CMR"), "--base: There is no base 'CMR'; there are: CRM; did you mean 'CRM'?"),
        (
            ("--base", "CRM", "--table", "Dealz"),
            "--table: There is no table 'Dealz'; there are: Deals, Invoices; did you mean 'Deals'?",
        ),
        (("--base", "CRM"), "table (number, name or id): not answered, and nobody is there to ask. Give --table."),
        (
            ("--table", "Deals", "--board", "Slaes"),
            "--board: There is no board 'Slaes'; there are: Sales, Kitchen; did you mean 'Sales'?",
        ),
        (("--table", "Deals"), "Give --board."),
        ((*PAIR, "--own", "name"), "--own 'name' is not written as A=B"),
        ((*PAIR, "--own", "mail=E-mail"), "'mail' is no cell"),
        (
            (*PAIR, "--status", "Nwe=Doing"),
            "There is no status 'Nwe'; there are: New, Called, Won, Lost; did you mean 'New'?",
        ),
        ((*PAIR, "--closed", "Wno"), "No status leads to 'Wno'"),
        ((*PAIR, "--column", "Phone=due"), "column 'Phone' holds a text. Choose another; due takes: date, datetime"),
        ((*PAIR, "--column", "Fone=due"), "There is no column 'Fone'; there are: Full name,"),
        ((*PAIR, "--timezone", "Berlin"), "'Berlin' is no time zone"),
        ((*PAIR, "--own", "name=created"), "could not be written there"),
        (("--trello-token-file", "/nowhere/x"), "/nowhere/x cannot be read; it should hold TRELLO_API_TOKEN"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_wrong_answer_is_a_sentence_and_nothing_is_written(command, tmp_path, arguments, words):
    code, printed = command(*arguments)
    assert (code, words in " ".join(printed.split())) == (2, True), printed
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".env", ".toml")]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AIRTABLE_API_TOKEN", "patNobody.0", "AIRTABLE_API_TOKEN was not accepted by Airtable; make a new token."),
        ("TRELLO_API_KEY", "0" * 32, "TRELLO_API_KEY was not accepted by Trello; copy the key again."),
        ("TRELLO_API_TOKEN", "ATTAnobody", "TRELLO_API_TOKEN was not accepted by Trello"),
        ("TRELLO_API_TOKEN", "two words", "TRELLO_API_TOKEN or --trello-token-file: it is empty or holds characters"),
        ("TRELLO_BOARD_ID", "abc", "The environment sets TRELLO_BOARD_ID, which goes before"),
        ("SYNC_STATUS_MAP", '{"NEW": "TODO"}', "The environment sets SYNC_STATUS_MAP, which goes before"),
    ],
)
def test_wrong_environment_is_told(command, monkeypatch, tmp_path, name, value, words):
    monkeypatch.setenv(name, value)
    code, printed = command(*PAIR)
    assert (code, words in " ".join(printed.split()), value in printed) == (2, True, False), printed
    assert not (tmp_path / "one.env").exists()


@pytest.mark.parametrize("there", ["one.env", "leadsync.toml"])
def test_file_that_is_there_stays_unless_it_may_be_replaced(command, tmp_path, there):
    (tmp_path / there).write_text("# mine\n")
    code, printed = command(*PAIR)
    assert (code, f"{there} is there already; --overwrite replaces" in " ".join(printed.split())) == (2, True), printed
    assert (tmp_path / there).read_text() == "# mine\n"
    assert len([path for path in tmp_path.iterdir() if path.suffix in (".env", ".toml")]) == 1
    assert command(*PAIR, "--overwrite")[0] == 0


def test_settings_that_describe_no_pair_stay_when_a_file_is_replaced(command, tmp_path):
    file = tmp_path / "one.env"
    assert command(*PAIR)[0] == 0
    file.write_text(file.read_text() + "SYNC_CONFLICT=hold\nPREFECT_API_URL=\nTRELLO_LIST_TODO_ID=123\nOTHER=1\n")
    assert command(*PAIR, "--overwrite")[0] == 0
    values = read_env_file(file)
    assert (values["SYNC_CONFLICT"], values["OTHER"], "TRELLO_LIST_TODO_ID" in values) == ("hold", "1", False)


def test_mapping_of_before_does_not_count_for_a_pair_without_one(command, tmp_path):
    assert command(*PAIR)[0] == 0
    assert command(*PAIR, "--overwrite", "--column", "Phone=-", "--column", "Next step=-")[0] == 0
    assert "[[field]]" not in (tmp_path / "leadsync.toml").read_text()


def test_token_without_the_schema_is_told_so_and_names_are_taken_as_they_are_given(
    command, emulator, monkeypatch, tmp_path
):
    monkeypatch.setenv("AIRTABLE_API_TOKEN", emulator.airtable.add_token(["data.records:read", "data.records:write"]))
    own = {"name": "Full name", "email": "E-mail", "status": "Stage", "source": "Lead source"}
    options = [word for ours, column in own.items() for word in ("--own", f"{ours}={column}")]
    pair = ("--table", "Deals", "--board", "Sales")
    code, printed = command("--base", f"https://airtable.com/{emulator.airtable.base_id}/x", *pair, *options)
    assert "it lacks the scope schema.bases:read" in printed
    values = read_env_file(tmp_path / "one.env")
    assert (code, values["AIRTABLE_BASE_ID"]) == (0, emulator.airtable.base_id)
    assert values["AIRTABLE_STATUS_FIELD"] == "Stage"
    code, printed = command("--base", "CRM", *pair, "--overwrite")
    assert (code, "'CRM' is not a base id; allowed is appXXXXXXXXXXXXXX" in printed) == (2, True)


def test_lists_that_the_board_lacks_are_created_with_sync(command, emulator):
    code, printed = command(*PAIR, "--status", "Lost=Lost", "--closed", "Done, Lost")
    assert (code, "Lost (to be created)" in printed) == (2, True)
    code, printed = command(*PAIR, "--status", "Lost=Lost", "--closed", "Done, Lost", "--overwrite", "--sync")
    assert code == 0, printed
    (bob,) = (card for card in emulator.trello.cards().values() if card["name"] == "Bob")
    assert bob["idList"] == emulator.trello.list_id("Lost")


def test_emulator_that_runs_is_written_down_and_the_same_after_a_restart(command, secrets, monkeypatch, tmp_path):
    """The file goes on to fit: ids and tokens are those of the seed."""
    for name in secrets:
        monkeypatch.delenv(name)
    with Emulator.demo(seed=3) as running:
        port = int(running.url.rpartition(":")[2])
        code, printed = command("--emulator", "--port", port, "--seed", 3)
        assert code == 0, printed
        assert "would change 12" in printed
        code, printed = command("--emulator", "--port", port, "--overwrite")
        assert (code, "is no emulator that was started with --seed 0" in " ".join(printed.split())) == (2, True)
    with Emulator.demo(seed=3, port=port):
        code, printed = command("--emulator", "--port", port, "--seed", 3, "--overwrite")
        assert (code, "would change 12" in printed) == (0, True), printed
    code, printed = command("--emulator", "--port", port, "--overwrite")
    assert (code, f"No emulator answers on port {port}" in printed) == (2, True)
