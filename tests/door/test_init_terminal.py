"""`flows/init.py` as a person meets it: at a terminal, with two tokens and six answers."""

import os
import sys
import time

import pytest
from prefect.settings import get_current_settings

from leadsync.env_file import read_env_file
from support.places import ROOT

if sys.platform == "win32":
    pytest.skip("no pseudo-terminals", allow_module_level=True)

from support.terminal import Terminal

pytestmark = pytest.mark.installation

OURS = ("AIRTABLE_", "TRELLO_", "SYNC_", "LEADSYNC_")
MINUTES = 3


@pytest.fixture
def emulator(emulator):
    """Columns and lists as people call them."""
    airtable, trello = emulator.airtable, emulator.trello
    for name, status in {"Ada": "NEW", "Bob": "CONTACTED", "Cem": "LOST"}.items():
        airtable.add_lead(name, f"{name.lower()}@example.com", status, "web")
    for old, new in {"name": "Full name", "email": "E-mail", "status": "Stage"}.items():
        airtable.rename_field(old, new)
    airtable.add_field("Phone", "phoneNumber")
    trello.add_board("Kitchen")
    for old, new in {"TODO": "To do", "IN_PROGRESS": "Doing", "DONE": "Done"}.items():
        trello.rename_list(old, new)
    return emulator


@pytest.fixture
def terminal(prefect_server, emulator, tmp_path):
    """Start the command. Returns: a function from more arguments to its terminal."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    mine |= {"AIRTABLE_ENDPOINT_URL": emulator.url, "TRELLO_ENDPOINT_URL": emulator.url}
    mine |= {"SYNC_STATE_URL": f"sqlite:///{tmp_path}/state.sqlite3", "HOME": str(tmp_path)}
    mine |= {"PREFECT_API_URL": str(get_current_settings().api.url)}
    opened = []

    def start(*more, **env):
        arguments = [str(ROOT / "flows/init.py"), "--env", str(tmp_path / "one.env"), *more]
        opened.append(Terminal(arguments, mine | env, cwd=str(tmp_path)))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def written(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir() if path.suffix in (".env", ".toml"))


def test_two_tokens_and_six_answers_make_a_synced_pair(terminal, emulator, tmp_path):
    """Dry run included, in under three minutes; the tokens are never seen, and every page is a link."""
    began = time.monotonic()
    at = terminal()
    answers = [
        ("Airtable token: ", emulator.airtable.token),
        ("base (number, name or id) [1]: ", ""),
        ("table (number, name or id) [1]: ", "leads"),
        ("Trello API key: ", emulator.trello.key),
        ("Trello token: ", emulator.trello.token),
        ("board (number, name or id) [1]: ", "Sales"),
        ("Enter to go on, or the number of a line to change: ", ""),
        ("Sync now? (y or n) [n]: ", "y"),
    ]
    for question, answer in answers:
        at.wait_for(question)
        at.type(answer)
    assert at.end() == 0, at.screen
    assert time.monotonic() - began < 60 * MINUTES
    assert "would change 3 cells or cards" in at.screen
    lists = {each["id"]: each["name"] for each in emulator.trello.lists()}
    cards = {card["name"]: lists[card["idList"]] for card in emulator.trello.cards().values()}
    assert cards == {"Ada": "To do", "Bob": "Doing", "Cem": "Done"}
    assert written(tmp_path) == ["leadsync.toml", "one.env"]
    assert at.links[:3] == [  # those of the leads follow
        "https://airtable.com/create/tokens",
        "https://trello.com/power-ups/admin",
        "https://trello.com/1/authorize?expiration=never&name=leadsync&scope=read,write&response_type=token&key="
        + emulator.trello.key,
    ]
    for scope in ("data.records:read", "data.records:write", "schema.bases:read"):
        assert scope in at.screen
    for secret in (emulator.airtable.token, emulator.trello.token):
        assert secret not in at.screen


def test_wrong_answers_are_asked_again_and_lines_can_be_changed(terminal, emulator, tmp_path):
    at = terminal()
    told = [
        ("Airtable token: ", "patNobody.0", "AIRTABLE_API_TOKEN was not accepted by Airtable; make a new token."),
        ("Airtable token: ", emulator.airtable.token, ""),
        ("base (number, name or id) [1]: ", "2", "There is no base '2'; there are: CRM."),
        ("base (number, name or id) [1]: ", "CRM", ""),
        (
            "table (number, name or id) [1]: ",
            "Leeds",
            "There is no table 'Leeds'; there are: Leads; did you mean 'Leads'?",
        ),
        ("table (number, name or id) [1]: ", "1", ""),
        ("Trello API key: ", "0" * 32, ""),
        ("Trello token: ", emulator.trello.token, "TRELLO_API_KEY was not accepted by Trello; copy the key again."),
        ("Trello API key: ", emulator.trello.key, ""),
        ("Trello token: ", "ATTAnobody", "TRELLO_API_TOKEN was not accepted by Trello"),
        ("Trello token: ", emulator.trello.token, ""),
        ("board (number, name or id) [1]: ", "3", "There is no board '3'; there are: Sales, Kitchen."),
        ("board (number, name or id) [1]: ", "1", ""),
        ("number of a line to change: ", "99", "Say a number from 1 to"),
        ("number of a line to change: ", "5", ""),
        ("NEW (another list; one that the board lacks can be created afterwards; Enter leaves it): ", "Inbox", ""),
        ("number of a line to change: ", "13", ""),
        ("Phone (due, start, done, ", "due", "column 'Phone' holds a text. Choose another; due takes: date, datetime."),
        ("Phone (due, start, done, ", "-", ""),
        ("number of a line to change: ", "", ""),
        ("Create them now? [y/N]: ", "y", ""),
        ("Sync now? (y or n) [n]: ", "maybe", "Say y or n."),
        ("Sync now? (y or n) [n]: ", "", ""),
    ]
    for question, answer, sentence in told:
        at.wait_for(question)
        at.type(answer)
        if sentence:
            at.wait_for(sentence)
    assert at.end() == 0, at.screen
    assert not emulator.trello.cards()
    assert emulator.trello.list_id("Inbox")
    assert written(tmp_path) == ["one.env"]
    assert '"NEW": "Inbox"' in read_env_file(tmp_path / "one.env")["SYNC_STATUS_MAP"]


@pytest.mark.parametrize("question", ["Airtable token: ", "table (number", "Trello token: ", "line to change: "])
def test_ctrl_c_leaves_nothing(terminal, emulator, tmp_path, question):
    """Whichever question is open: a sentence, exit code 1, no file."""
    at = terminal("--base", "CRM", TRELLO_API_KEY=emulator.trello.key)
    answers = {
        "Airtable token: ": emulator.airtable.token,
        "table (number": "",
        "Trello token: ": emulator.trello.token,
        "board (number": "Sales",
        "line to change: ": "",
    }
    for asked, answer in answers.items():
        at.wait_for(asked)
        if asked == question:
            at.interrupt()
            break
        at.type(answer)
    assert at.end(30) == 1
    assert at.screen.count("Stopped; nothing was written.") == 1
    assert "Traceback" not in at.screen
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(("one.env", "leadsync"))]


@pytest.mark.parametrize(("answer", "code"), [("", 2), ("n", 2), ("y", 0)])
def test_file_that_is_there_is_asked_about_first(terminal, emulator, tmp_path, answer, code):
    file = tmp_path / "one.env"
    file.write_text("TRELLO_BOARD_ID=mine\n")
    secrets = {"AIRTABLE_API_TOKEN": emulator.airtable.token, "TRELLO_API_KEY": emulator.trello.key}
    secrets |= {"TRELLO_API_TOKEN": emulator.trello.token}
    at = terminal("--base", "CRM", "--table", "Leads", "--board", "Sales", **secrets)
    at.wait_for("Replace what describes a pair in it? (y or n) [n]: ")
    at.type(answer)
    if answer == "y":
        at.wait_for("line to change: ")
        at.type("")
        at.wait_for("Sync now? (y or n) [n]: ")
        at.type("n")
    assert at.end() == code, at.screen
    assert (read_env_file(file)["TRELLO_BOARD_ID"] == "mine") == (answer != "y")


@pytest.mark.parametrize(("choice", "doubled"), [("email", 0), ("none", 3)])
def test_board_that_holds_the_leads_already_is_asked_about(terminal, emulator, tmp_path, choice, doubled):
    """Whose the cards are; a dry run shows what that does, and the sync after it keeps to the choice."""
    for name in ("Ada", "Bob", "Cem"):
        emulator.trello.add_card("To do", name, desc=f"{name.lower()}@example.com")
    secrets = {"AIRTABLE_API_TOKEN": emulator.airtable.token, "TRELLO_API_KEY": emulator.trello.key}
    secrets |= {"TRELLO_API_TOKEN": emulator.trello.token}
    at = terminal("--base", "CRM", "--table", "Leads", "--board", "Sales", **secrets)
    told = {"line to change: ": "", "Enter leaves it: ": "mail", "or nothing to leave it": choice, "Sync now?": "y"}
    for asked, answer in told.items():
        at.wait_for(asked)
        at.type(answer)
    assert at.end() == 0, at.screen
    assert len(emulator.trello.cards()) == 3 + doubled
    assert sum("LeadID: rec" in card["desc"] for card in emulator.trello.cards().values()) == 3
