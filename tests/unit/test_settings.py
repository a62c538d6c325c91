"""Settings: each wrong value is one sentence with the setting's name, and no secret is ever shown."""

from __future__ import annotations

import json
import pickle
import re

import pytest

from leadsync import environment
from leadsync.environment import load_settings
from leadsync.errors import ConfigurationError
from leadsync.mapping.closing import Closing
from leadsync.model import ConflictPolicy, StatusMap
from leadsync.setting_addresses import default_state_url
from leadsync.settings import Settings
from support.pages import PAGES, text_of
from support.places import ROOT

NAMES = [name.upper() for name in Settings.model_fields]
NEEDED = {
    "AIRTABLE_API_TOKEN": "patSecretToken.0123456789",
    "AIRTABLE_BASE_ID": "appAAAAAAAAAAAAAA",
    "TRELLO_API_KEY": "0123456789abcdef0123456789abcdef",
    "TRELLO_API_TOKEN": "ATTASecretToken0123456789",
    "TRELLO_BOARD_ID": "AbCd1234",
}
SECRETS = {
    "TRELLO_API_SECRET": "webhookSecret0123",
    "SYNC_STATE_URL": "postgresql://leadsync:hushhush@db.example/leads",
} | {name: NEEDED[name] for name in ("AIRTABLE_API_TOKEN", "TRELLO_API_KEY", "TRELLO_API_TOKEN")}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch, tmp_path):
    """No setting from outside, and a working directory without a `.env`."""
    for name in (*NAMES, *map(str.lower, NAMES), "LEADSYNC_ENV_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def load(monkeypatch):
    """`load(NAME=value)`: settings from the environment, with all that is needed; None leaves one out."""

    def loaded(**values):
        for name, value in (NEEDED | values).items():
            if value is not None:
                monkeypatch.setenv(name, value)
        return load_settings(())

    return loaded


def refusal(load, **values):
    """The sentence with which values are refused."""
    with pytest.raises(ConfigurationError) as caught:
        load(**values)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_needed_settings_suffice(load):
    """Everything else has a default."""
    settings = load()
    assert settings.airtable_table_name == "Leads"
    assert settings.sync_conflict is ConflictPolicy.AIRTABLE
    assert settings.sync_state_url.get_secret_value() == default_state_url()
    assert settings.columns == {cell: cell for cell in ("name", "email", "status", "source")}
    assert settings.list_ids == {"TODO": None, "IN_PROGRESS": None, "DONE": None}


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("value", [None, "", "   ", '" "'], ids=["missing", "empty", "blank", "quoted-blank"])
def test_missing_setting_is_named(load, name, value):
    """Not set, or set to nothing; `.env.sample` says how."""
    sentence = refusal(load, **{name: value})
    assert f"{name} is not set." in sentence
    assert ".env.sample" in sentence


def test_all_wrong_settings_are_named_at_once(load):
    """Nobody should have to mend them one run at a time."""
    sentence = refusal(load, TRELLO_API_KEY=None, SYNC_CONFLICT="newest", AIRTABLE_BASE_ID="tblX")
    assert all(name in sentence for name in ("TRELLO_API_KEY", "SYNC_CONFLICT", "AIRTABLE_BASE_ID"))


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("AIRTABLE_BASE_ID", "tblXXXXXXXXXXXXXX", "app"),
        ("AIRTABLE_BASE_ID", "https://airtable.com/apps/tblXXXXXXXXXXXXXX", "app"),
        ("AIRTABLE_BASE_ID", f"https://airtable.com/{'app' + 'X' * 14}/{'app' + 'Y' * 14}", "app"),
        ("AIRTABLE_TABLE_NAME", f"https://airtable.com/{'app' + 'X' * 14}", "tbl"),
        ("AIRTABLE_VIEW", f"https://airtable.com/{'app' + 'X' * 14}/{'tbl' + 'X' * 14}", "viw"),
        ("AIRTABLE_ENDPOINT_URL", "http://[", "http"),
        ("AIRTABLE_ENDPOINT_URL", "http://h:99999", "http"),
        ("TRELLO_ENDPOINT_URL", "https://:8080", "http"),
        ("TRELLO_LIST_DONE_ID", "https://trello.com/b/AbCd1234/sales", "24 hex"),
        ("TRELLO_LIST_DONE_ID", f"https://elsewhere.example/lists/{'a' * 24}", "24 hex"),
        ("SYNC_FULL_EVERY", f"1{' ' * 100_000}x", "24h"),
        ("SYNC_FULL_EVERY", "9" * 400 + "d", "24h"),
        ("SYNC_FULL_EVERY", "1000000000d", "24h"),
        ("AIRTABLE_ENDPOINT_URL", "api.airtable.com", "http"),
        ("TRELLO_ENDPOINT_URL", "ftp://api.trello.com", "http"),
        ("AIRTABLE_REQUESTS_PER_SECOND", "fast", "number"),
        ("AIRTABLE_REQUESTS_PER_SECOND", "0", "greater than 0"),
        ("AIRTABLE_REQUESTS_PER_SECOND", "nan", ""),
        ("TRELLO_REQUESTS_PER_10_SECONDS", "301", "300"),
        ("TRELLO_REQUESTS_PER_10_SECONDS", "9.5", "integer"),
        ("TRELLO_BOARD_ID", "https://trello.com/c/AbCd1234", "short link"),
        ("TRELLO_BOARD_ID", "https://elsewhere.example/b/AbCd1234", "short link"),
        ("TRELLO_BOARD_ID", "https://trello.com/b/", "short link"),
        ("TRELLO_BOARD_ID", "my board", "24 hex"),
        ("AIRTABLE_TABLE_NAME", "Le\x1b[2Jads", "control character"),
        ("SYNC_STATUS_MAP", "[" * 100_000, "nested too deeply"),
        ("AIRTABLE_API_TOKEN", "pat with blank", "paste it again"),
        ("TRELLO_API_TOKEN", 'ATTA"quoted"', "paste it again"),
        ("TRELLO_API_KEY", "schlüssel", "paste it again"),
        ("SYNC_CONFLICT", "newest", "'airtable', 'trello' or 'hold'"),
        ("SYNC_ON_LEAD_DELETED", "delete", "'archive' or 'leave'"),
        ("SYNC_ON_CARD_DELETED", "delete", "'leave' or 'recreate'"),
        ("SYNC_MAX_ARCHIVE_PERCENT", "-1", "0"),
        ("SYNC_MAX_ARCHIVE_PERCENT", "101", "100"),
        ("SYNC_MAX_ARCHIVE_PERCENT", "30 %", "number"),
        ("SYNC_STATUS_MAP", "NEW=TODO", "JSON"),
        ("SYNC_STATUS_MAP", "[1]", "object"),
        ("SYNC_STATUS_MAP", "{}", "it maps no status"),
        ("SYNC_STATUS_MAP", '{"NEW": "TODO", "NEW": "DONE"}', "'NEW' is mapped twice"),
        ("SYNC_STATUS_MAP", '{"NEW": "TODO", " NEW": "DONE"}', "'NEW' and ' NEW' are the same"),
        ("SYNC_STATUS_MAP", '{"NEW": " "}', "a list's name or id"),
        ("SYNC_STATUS_MAP", '{"NEW": 1}', "a list's name or id"),
        ("SYNC_STATUS_MAP", '{"NEW": ["TODO"]}', "a list's name or id"),
        ("SYNC_DONE_LISTS", "Done", "no status is mapped to 'Done'; allowed are TODO, IN_PROGRESS, DONE"),
        ("SYNC_DONE_LISTS", "DONE, Won", "no status is mapped to 'Won'"),
        ("SYNC_DONE_LISTS", "DONE,,TODO", "[] for none"),
        ("SYNC_DONE_LISTS", '["DONE"', "not JSON"),
        ("SYNC_DONE_LISTS", '["DONE", 1]', "no list of names"),
    ],
)
def test_malformed_value_is_refused_with_what_is_allowed(load, name, value, allowed):
    """One sentence that begins with the setting's name, and says what would do."""
    sentence = refusal(load, **{name: value})
    assert sentence.startswith(f"{name}: ")
    assert allowed in sentence
    assert sentence.count(name) == 1


@pytest.mark.parametrize(
    "address",
    [
        "AbCd1234",
        "https://trello.com/b/AbCd1234",
        "https://trello.com/b/AbCd1234/sales-leads",
        "https://www.trello.com/b/AbCd1234/x?filter=a#b",
        " AbCd1234 ",
    ],
)
def test_board_by_any_of_its_addresses(load, address):
    """Id, short link or the address in the browser."""
    assert load(TRELLO_BOARD_ID=address).trello_board_id == "AbCd1234"


def test_board_by_its_id(load):
    """24 hex digits stay as they are."""
    assert load(TRELLO_BOARD_ID="0123456789abcdef01234567").trello_board_id == "0123456789abcdef01234567"


BASE, TABLE, VIEW, HEX = "app" + "B" * 14, "tbl" + "T" * 14, "viw" + "V" * 14, "0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("name", "address", "value"),
    [
        ("AIRTABLE_BASE_ID", f"https://airtable.com/{BASE}/{TABLE}/{VIEW}?blocks=hide", BASE),
        ("AIRTABLE_BASE_ID", f"airtable.com/{BASE}", BASE),
        ("AIRTABLE_BASE_ID", f"https://airtable.com/{BASE}/api/docs#curl/table:leads", BASE),
        ("AIRTABLE_BASE_ID", f"https://api.airtable.com/v0/{BASE}/Leads", BASE),
        ("AIRTABLE_BASE_ID", f"{BASE}/{TABLE}", BASE),
        ("AIRTABLE_TABLE_NAME", f"https://airtable.com/{BASE}/{TABLE}/{VIEW}", TABLE),
        ("AIRTABLE_TABLE_NAME", f"{BASE}/{TABLE}", TABLE),
        ("AIRTABLE_TABLE_NAME", TABLE, TABLE),
        ("AIRTABLE_TABLE_NAME", "Leads / 2", "Leads / 2"),
        ("AIRTABLE_VIEW", f"https://airtable.com/{BASE}/{TABLE}/{VIEW}?x=1#y", VIEW),
        ("AIRTABLE_VIEW", "Open / new", "Open / new"),
        ("TRELLO_BOARD_ID", "trello.com/b/AbCd1234/sales", "AbCd1234"),
        ("TRELLO_BOARD_ID", "https://trello.com/b/AbCd1234.json", "AbCd1234"),
        ("TRELLO_BOARD_ID", "https://trello.com/invite/b/AbCd1234/ATTIxyz/sales", "AbCd1234"),
        ("TRELLO_BOARD_ID", f"https://api.trello.com/1/boards/{HEX}?fields=id", HEX),
        ("TRELLO_LIST_DONE_ID", f"https://api.trello.com/1/lists/{HEX}/cards", HEX),
        ("TRELLO_LIST_DONE_ID", f"https://trello.com/1/boards/{'a' * 24}/lists/{HEX}", HEX),
        ("TRELLO_LIST_DONE_ID", HEX, HEX),
        ("TRELLO_LIST_DONE_ID", "Closed: won/lost", "Closed: won/lost"),
    ],
)
def test_id_comes_out_of_a_pasted_address(load, name, address, value):
    """As the browser shows it, or as a program's documentation does; a name stays one."""
    assert getattr(load(**{name: address}), name.lower()) == value


@pytest.mark.parametrize("around", [" {} ", '"{}"', "'{}'", ' "{} " ', "\t{}\u00a0"], ids=repr)
@pytest.mark.parametrize("door", ["environment", "file", "pair"])
def test_values_are_bare(load, tmp_path, around, door):
    """A shell takes away blanks and quotes around a value; a service manager and a web form leave them there."""
    given = {"AIRTABLE_BASE_ID": BASE, "TRELLO_API_KEY": "k1", "TRELLO_API_TOKEN": "t1"}
    given |= {"TRELLO_ENDPOINT_URL": "http://127.0.0.1:1/"}
    given |= {"AIRTABLE_TABLE_NAME": "My leads", "SYNC_MAX_ARCHIVE_PERCENT": "12", "SYNC_CONFLICT": "hold"}
    given |= {"SYNC_FULL_EVERY": "7d"}
    wrapped = {name: around.format(value) for name, value in given.items()}
    if door == "environment":
        settings = load(**wrapped)
    elif door == "file":
        settings = load_settings((env_file(tmp_path, **wrapped),))
    else:
        load()
        settings = load_settings((), pair={name.lower(): value for name, value in wrapped.items()})
    assert (settings.airtable_base_id, settings.airtable_table_name) == (BASE, "My leads")
    assert (settings.trello_api_key.get_secret_value(), settings.trello_endpoint_url) == ("k1", "http://127.0.0.1:1")
    assert (settings.sync_max_archive_percent, settings.sync_conflict) == (12, "hold")
    assert settings.sync_full_every.days == 7


def test_quotes_of_a_value_itself_stay(load):
    """They are no pair around it."""
    status_map = '{"Open": "TODO", "Talks": "IN_PROGRESS", "Sold": "DONE"}'
    settings = load(AIRTABLE_TABLE_NAME="'90s leads", AIRTABLE_VIEW='My "best"', SYNC_STATUS_MAP=f"'{status_map}'")
    assert (settings.airtable_table_name, settings.airtable_view) == ("'90s leads", 'My "best"')
    assert settings.sync_status_map.status_for["TODO"] == "Open"


def test_blank_value_is_not_set(load, tmp_path):
    """It hides neither the default nor what a file says."""
    assert load(AIRTABLE_VIEW="  ", SYNC_CONFLICT="''").airtable_view is None
    assert load_settings((env_file(tmp_path, AIRTABLE_VIEW="Open"),)).airtable_view == "Open"


def test_status_map_may_be_given_as_such(monkeypatch):
    """By a program instead of a person."""
    status_map = StatusMap.from_stages({"A": "TODO", "B": "IN_PROGRESS", "C": "DONE"})
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    assert Settings(sync_status_map=status_map).sync_status_map is status_map


def test_status_map_is_read_in_order(load):
    """The first status of a list is what a card moved there gives."""
    text = '{"Open": "TODO", "Neu": "TODO", "Kontakt": "IN_PROGRESS", "Ja": "DONE", "Nein": "DONE"}'
    status_map = load(SYNC_STATUS_MAP=text).sync_status_map
    assert status_map.status_for == {"TODO": "Open", "IN_PROGRESS": "Kontakt", "DONE": "Ja"}


SIX_LISTS = {
    "New": "Inbox",
    "Called": "Talking",
    "Offer": "Offer",
    "Won": "Won",
    "Lost": "Lost",
    "Idea": "Later, maybe",
}


@pytest.mark.parametrize(
    ("status_map", "done_lists", "expected"),
    [
        pytest.param(None, None, Closing(("DONE",), "DONE"), id="default"),
        pytest.param(SIX_LISTS, None, Closing((), ""), id="no-list-is-called-done"),
        pytest.param(SIX_LISTS, " Won , Lost ", Closing(("Won", "Lost"), "Won"), id="names"),
        pytest.param(SIX_LISTS, '["Later, maybe", "Won"]', Closing(("Later, maybe", "Won"), "Later, maybe"), id="json"),
        pytest.param(None, "[]", Closing((), ""), id="none"),
        pytest.param({"A": "TODO"}, "TODO,TODO", Closing(("TODO",), "TODO"), id="named-twice"),
    ],
)
def test_closed_lists_are_those_named(load, status_map, done_lists, expected):
    """By commas or as JSON, as the map names them."""
    text = status_map and json.dumps(status_map)
    assert load(SYNC_STATUS_MAP=text, SYNC_DONE_LISTS=done_lists).rules().closing == expected


@pytest.mark.parametrize("stage", ["TODO", "IN_PROGRESS", "DONE"])
def test_id_of_a_list_that_the_map_lacks_is_refused(load, stage):
    """It would silently mean nothing."""
    setting = f"TRELLO_LIST_{stage}_ID"
    sentence = refusal(load, SYNC_STATUS_MAP='{"New": "Inbox"}', **{setting: "0" * 24})
    assert sentence.startswith(f"SYNC_STATUS_MAP: no status is mapped to {stage}, whose list is {setting}; ")
    chosen = load(SYNC_STATUS_MAP=json.dumps({"New": "Inbox", "Old": stage}), **{setting: "0" * 24})
    assert chosen.list_ids == {"Inbox": None, stage: "0" * 24}


def test_further_pair_has_lists_of_its_own(load):
    """Those of the first one are lists of another board."""
    load(SYNC_STATUS_MAP=json.dumps(SIX_LISTS), SYNC_DONE_LISTS="Won")
    pair = {"airtable_base_id": "appBBBBBBBBBBBBBB", "trello_board_id": "BcDe2345"}
    assert load_settings((), pair=pair).rules().closing == Closing(("DONE",), "DONE")
    pair |= {"sync_status_map": json.dumps(SIX_LISTS), "sync_done_lists": "Lost"}
    assert load_settings((), pair=pair).rules().closing == Closing(("Lost",), "Lost")


def test_rules_are_the_users_choices(load):
    """With those of this one run."""
    choices = {"SYNC_CONFLICT": "hold", "SYNC_MAX_ARCHIVE_PERCENT": "12.5", "SYNC_ON_CARD_DELETED": "recreate"}
    chosen = load(**choices, AIRTABLE_VIEW="Open")
    rules = chosen.rules(allow_mass_change=True)
    assert (rules.conflict, rules.max_archive_percent, rules.on_card_deleted) == ("hold", 12.5, "recreate")
    assert rules.allow_mass_change
    assert chosen.rules(conflict=ConflictPolicy.TRELLO).conflict == "trello"


def test_settings_are_frozen(load):
    """Read once at the door."""
    settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.sync_conflict = ConflictPolicy.HOLD


# --- .env -----------------------------------------------------------------------------------------------------


def env_file(folder, **values):
    """A `.env` file with all that is needed."""
    path = folder / ".env"
    path.write_text("".join(f"{name}={value}\n" for name, value in (NEEDED | values).items()), encoding="utf-8")
    return path


def test_env_file_is_read(tmp_path):
    """Names in any case."""
    path = env_file(tmp_path, sync_conflict="hold")
    assert load_settings((path,)).sync_conflict is ConflictPolicy.HOLD


def test_env_file_of_the_working_directory_is_read(tmp_path):
    """Without being told where it is."""
    env_file(tmp_path, AIRTABLE_TABLE_NAME="Kunden")
    assert load_settings().airtable_table_name == "Kunden"


def test_environment_beats_the_env_file(tmp_path, monkeypatch):
    """As in any other program; and the last file beats the first."""
    (tmp_path / "other").mkdir()
    first, last = env_file(tmp_path, SYNC_CONFLICT="hold"), env_file(tmp_path / "other", SYNC_CONFLICT="trello")
    assert load_settings((first, last)).sync_conflict is ConflictPolicy.TRELLO
    monkeypatch.setenv("SYNC_CONFLICT", "airtable")
    assert load_settings((first, last)).sync_conflict is ConflictPolicy.AIRTABLE


def test_another_env_file_can_be_named(tmp_path, monkeypatch):
    """LEADSYNC_ENV_FILE: that file instead of the usual two; empty: none."""
    env_file(tmp_path, SYNC_CONFLICT="hold")
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("LEADSYNC_ENV_FILE", str(env_file(tmp_path / "other", SYNC_CONFLICT="trello")))
    assert load_settings().sync_conflict is ConflictPolicy.TRELLO
    monkeypatch.setenv("LEADSYNC_ENV_FILE", "")
    with pytest.raises(ConfigurationError, match="AIRTABLE_API_TOKEN is not set"):
        load_settings()


@pytest.mark.parametrize("named", ["~nobody-of-this-name/leads.env", "/" + "x" * 5000], ids=["home", "long"])
def test_env_file_that_no_file_can_be_is_refused(monkeypatch, named):
    """The home of nobody, a name longer than any: a sentence as for any other that is not there."""
    monkeypatch.setenv("LEADSYNC_ENV_FILE", named)
    with pytest.raises(ConfigurationError, match="LEADSYNC_ENV_FILE names [~/]"):
        load_settings()


def test_state_may_be_named_as_no_file_can_be(load):
    """It is refused when it is opened."""
    assert load(SYNC_STATE_URL="sqlite:////" + "x" * 5000).sync_state_url.get_secret_value().endswith("x")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SYNC_CONFLICTS", "; did you mean 'SYNC_CONFLICT'?"),
        ("AIRTABLE_TOKEN", "; did you mean 'AIRTABLE_API_TOKEN'?"),
        ("TRELLO_LIST_TODO", "; did you mean 'TRELLO_LIST_TODO_ID'?"),
        ("trello_bord_id", "; did you mean 'TRELLO_BOARD_ID'?"),
        ("SYNC_XYZQQQQQQQQQQQ", "; there are: AIRTABLE_API_TOKEN, "),
    ],
)
def test_unknown_name_in_env_file_is_refused_with_a_hint(tmp_path, name, hint):
    """A typo must not be a setting that silently is not there."""
    path = env_file(tmp_path, **{name: "tellnobody"})
    with pytest.raises(ConfigurationError) as caught:
        load_settings((path,))
    assert name in str(caught.value)
    assert hint in str(caught.value)
    assert "tellnobody" not in str(caught.value)


def test_foreign_names_in_env_file_are_left_alone(tmp_path):
    """A `.env` may serve other programs, too."""
    load_settings((env_file(tmp_path, DATABASE_URL="x", PREFECT_API_URL="y"),))


TEXT = "".join(f"{name}={value}\r\n" for name, value in (NEEDED | {"AIRTABLE_TABLE_NAME": "Käufer"}).items())


@pytest.mark.parametrize(
    "encoding", ["latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "cp037", "shift-jis", "nul"]
)
def test_env_file_in_another_encoding_is_refused(tmp_path, encoding):
    """With a sentence instead of a traceback, or of settings that are said not to be there."""
    path = tmp_path / ".env"
    text = TEXT.replace("ä", "ア") if encoding == "shift-jis" else TEXT
    path.write_bytes(text.encode() + b"\0" if encoding == "nul" else text.encode(encoding))
    with pytest.raises(ConfigurationError, match=r"\.env is not UTF-8 text.*save it as UTF-8"):
        load_settings((path,))


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A project with an `.env`, and a working directory elsewhere. Returns: both folders."""
    project, here = tmp_path / "project", tmp_path / "here"
    project.mkdir()
    here.mkdir()
    monkeypatch.setattr("leadsync.environment.PROJECT", project)
    monkeypatch.chdir(here)
    return project, here


def test_env_file_of_the_project_goes_before_that_of_the_working_directory(places):
    """Whoever fills a folder must not decide what a sync that is started in it does."""
    project, here = places
    env_file(project, SYNC_CONFLICT="hold")
    (here / ".env").write_text("SYNC_CONFLICT=trello\nAIRTABLE_BASE_ID=appBBBBBBBBBBBBBB\nAIRTABLE_VIEW=Open\n")
    settings = load_settings()
    assert (settings.sync_conflict, settings.airtable_base_id) == (ConflictPolicy.HOLD, NEEDED["AIRTABLE_BASE_ID"])
    assert settings.airtable_view == "Open"


ELSEWHERE = "http://127.0.0.1:9"
BROUGHT = {
    "AIRTABLE_ENDPOINT_URL": {"AIRTABLE_API_TOKEN": "patOfTheirs"},
    "TRELLO_ENDPOINT_URL": {"TRELLO_API_KEY": "k2", "TRELLO_API_TOKEN": "t2"},
}
LESS = [
    pytest.param("AIRTABLE_ENDPOINT_URL", [], id="airtable-nothing"),
    pytest.param("TRELLO_ENDPOINT_URL", [], id="trello-nothing"),
    pytest.param("TRELLO_ENDPOINT_URL", ["TRELLO_API_KEY"], id="trello-key-alone"),
    pytest.param("TRELLO_ENDPOINT_URL", ["TRELLO_API_TOKEN"], id="trello-token-alone"),
]


def refused_to_lend(load, endpoint, brought):
    with pytest.raises(ConfigurationError) as caught:
        load()
    told = str(caught.value)
    assert endpoint in told
    assert all((name in told) == (name not in brought) for name in BROUGHT[endpoint])
    assert not [secret for secret in SECRETS.values() if secret in told]


@pytest.mark.parametrize(("endpoint", "brought"), LESS)
def test_pair_with_another_endpoint_gets_no_credentials_of_the_installation(load, endpoint, brought):
    """Whoever may save a block could have them sent anywhere."""
    load()
    pair = {"airtable_base_id": "appB", "trello_board_id": "abcd1234", endpoint.lower(): ELSEWHERE}
    pair |= {name.lower(): BROUGHT[endpoint][name] for name in brought}
    refused_to_lend(lambda: load_settings((), pair=pair), endpoint, brought)
    pair |= {name.lower(): value for name, value in BROUGHT[endpoint].items()}
    assert getattr(load_settings((), pair=pair), endpoint.lower()) == ELSEWHERE


def test_pair_may_name_the_endpoint_that_the_installation_has(load):
    """Nothing goes where it would not go anyway; the installation's own may be a proxy."""
    load(TRELLO_ENDPOINT_URL=ELSEWHERE)
    pair = {"airtable_base_id": "appB", "trello_board_id": "abcd1234", "trello_endpoint_url": f"{ELSEWHERE}/"}
    assert load_settings((), pair=pair).trello_endpoint_url == ELSEWHERE
    refused_to_lend(
        lambda: load_settings((), pair=pair | {"trello_endpoint_url": "https://api.trello.com"}),
        "TRELLO_ENDPOINT_URL",
        [],
    )


@pytest.mark.parametrize(("endpoint", "brought"), LESS)
@pytest.mark.parametrize("tokens", ["in-the-project", "in-the-environment"])
def test_working_directory_with_another_endpoint_gets_no_credentials(load, places, endpoint, brought, tokens):
    """Nor if it brings some that others go before."""
    project, here = places
    if tokens == "in-the-project":
        env_file(project)
    else:
        load()
    lines = {endpoint: ELSEWHERE} | {name: BROUGHT[endpoint][name] for name in brought}
    (here / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    refused_to_lend(load_settings, endpoint, [])


def test_working_directory_with_credentials_of_its_own_may_have_its_endpoint(places):
    _, here = places
    brought = {name: value for each in BROUGHT.values() for name, value in each.items()}
    env_file(here, **brought, **dict.fromkeys(BROUGHT, ELSEWHERE))
    assert load_settings().trello_endpoint_url == ELSEWHERE


def test_env_file_with_the_mark_of_utf_8_is_read(tmp_path):
    """As editors on Windows begin it; the first line is a setting like the others."""
    path = tmp_path / ".env"
    path.write_bytes(TEXT.encode("utf-8-sig"))
    settings = load_settings((path,))
    assert settings.airtable_api_token.get_secret_value() == NEEDED["AIRTABLE_API_TOKEN"]
    assert settings.airtable_table_name == "Käufer"


@pytest.mark.parametrize(
    "line",
    [
        "AIRTABLE_VIEW",
        "AIRTABLE_VIEW: tellnobody",
        "set AIRTABLE_VIEW=tellnobody",
        'sync_conflict="tellnobody',
        "SYNC_X y",
    ],
)
def test_line_that_sets_nothing_is_refused(tmp_path, line):
    """It would be left out in silence; its text may be a secret, so that only its number is told."""
    path = env_file(tmp_path)
    path.write_text(f"{path.read_text()}\n# SYNC_ is ours\nnot ours at all\n\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=rf"line {len(NEEDED) + 5}; allowed is NAME=") as told:
        load_settings((path,))
    assert "tellnobody" not in str(told.value)


def test_file_sets_nothing_but_settings(tmp_path):
    """Whatever else is in it, and be it a word of the library that makes the settings."""
    assert load_settings((env_file(tmp_path, _env_prefix="x", _cli_parse_args="1", model_config="2"),))


# --- unknown names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("SYNC_CONFLICTS", "SYNC_CONFLICT"),
        ("sync_conflicts", "SYNC_CONFLICT"),
        ("AIRTABLE_TOKEN", "AIRTABLE_API_TOKEN"),
        ("AIRTABLE_BASE", "AIRTABLE_BASE_ID"),
        ("TRELLO_BORD_ID", "TRELLO_BOARD_ID"),
        ("TRELLO_LIST_TODO", "TRELLO_LIST_TODO_ID"),
        ("TRELO_BOARD_ID", "TRELLO_BOARD_ID"),
        ("SYNCCONFLICT", "SYNC_CONFLICT"),
        ("LEADSYNC_ENVFILE", "LEADSYNC_ENV_FILE"),
        ("LEADSYNC_ENV", "LEADSYNC_ENV_FILE"),
        ("LEAD_SYNC_ENV_FILE", "LEADSYNC_ENV_FILE"),
        ("leadsync_env_file", "LEADSYNC_ENV_FILE"),
    ],
)
@pytest.mark.parametrize("door", ["environment", "file"])
def test_name_like_a_setting_is_refused_with_the_nearest(load, tmp_path, monkeypatch, name, near, door):
    """In the environment as in a file: what it sets is not read."""
    monkeypatch.delenv(near, raising=False)
    with pytest.raises(ConfigurationError) as caught:
        load(**{name: "tellnobody"}) if door == "environment" else load_settings((env_file(tmp_path, **{name: "x"}),))
    told = str(caught.value)
    assert f"holds an unknown setting {name}; did you mean {near!r}?" in told or f"holds {name}, which is only" in told
    assert "tellnobody" not in told


@pytest.mark.parametrize("name", ["SYNC_XYZQQQQQQQQQQQ", "LEADSYNC_QQQQQQQQQQQQQQQQ"])
def test_name_of_ours_like_no_setting_is_refused(load, name):
    """With all there are."""
    assert f"{name}; there are: AIRTABLE_API_TOKEN, " in refusal(load, **{name: "x"})


@pytest.mark.parametrize("name", ["LEADSYNC_ENV_FILE", "LEADSYNC_FOLDER"])
def test_name_of_the_environment_has_no_effect_in_a_file(tmp_path, name):
    """And says so."""
    with pytest.raises(ConfigurationError, match=f"holds {name}, which is only read from the environment"):
        load_settings((env_file(tmp_path, **{name: "elsewhere"}),))


@pytest.mark.parametrize(
    "name", ["AIRTABLE_CLIENT_ID", "AIRTABLE_API_KEY", "AIRTABLE_REGION", "TRELLO_TOKEN", "TRELLO_WEBHOOK_SECRET"]
)
def test_name_of_another_program_is_a_warning(load, caplog, name):
    """Told once, by its name; the settings are read all the same."""
    environment._warn_once.cache_clear()
    load(**{name: "tellnobody"})
    load()
    (record,) = caplog.records
    assert (record.levelname, record.getMessage().count(name), "tellnobody" in caplog.text) == ("WARNING", 1, False)


@pytest.mark.parametrize("name", ["PATH", "JIRA_API_TOKEN", "PREFECT_API_URL", "LEADSYNC_FOLDER", "ASANA_API_TOKEN"])
def test_foreign_name_in_the_environment_is_no_matter(load, caplog, name):
    """Nothing is told of it."""
    load(**{name: "x"})
    assert caplog.records == []


def test_all_unknown_and_wrong_settings_are_named_at_once(monkeypatch, tmp_path):
    """In the environment, in each file, names and values alike: nobody mends them one run at a time."""
    (tmp_path / "other").mkdir()
    files = (
        env_file(tmp_path, SYNC_CONFLICTS="x", TRELLO_BORD_ID="x"),
        env_file(tmp_path / "other", AIRTABLE_TABLE="x"),
    )
    outside = {"SYNC_FULL_EVRY": "x", "SYNC_FULL_EVERY": "soon", "AIRTABLE_API_KEY": "x", "TRELLO_API_KEY": "ö"}
    for name, value in outside.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(files)
    named = [
        "SYNC_CONFLICTS",
        "TRELLO_BORD_ID",
        "AIRTABLE_TABLE;",
        "SYNC_FULL_EVRY",
        "SYNC_FULL_EVERY: ",
        "TRELLO_API_KEY: ",
    ]
    assert not [name for name in [*named, "AIRTABLE_API_KEY"] if name not in str(caught.value)]


# --- secrets --------------------------------------------------------------------------------------------------


def test_secrets_are_not_shown(load):
    """Not by repr, str, or a dump for the log."""
    settings = load(**SECRETS)
    told = f"{settings!r} {settings} {settings.model_dump()} {settings.rules()}"
    assert not [secret for secret in SECRETS.values() if secret in told]
    assert "hushhush" not in told


@pytest.mark.parametrize(
    "wrong", [{"SYNC_CONFLICT": "newest"}, {"TRELLO_BOARD_ID": None}], ids=["malformed", "missing"]
)
def test_secrets_are_not_in_errors(load, wrong):
    """Neither the wrong secret nor those beside another wrong setting."""
    sentence = refusal(load, **(SECRETS | wrong))
    assert not [secret for secret in SECRETS.values() if secret in sentence]


@pytest.mark.parametrize("name", ["AIRTABLE_BASE_ID", "TRELLO_BOARD_ID", "SYNC_FULL_EVERY", "SYNC_PUBLIC_URL"])
@pytest.mark.parametrize(
    "secret",
    [
        f"pat{'A' * 14}.{'0f' * 32}",
        "ATTA-" + "0" * 72,
        "0123456789abcdef" * 2 + "-",
        "https://me:hush/hush@more@h.example",
    ],
    ids=["airtable-token", "trello-token", "trello-key", "password"],
)
def test_secret_in_the_wrong_line_is_not_repeated(load, name, secret):
    """Two lines mixed up, or a password in an address."""
    sentence = refusal(load, **{name: secret})
    assert name in sentence
    assert not [part for part in (secret, "hush", "more") if part in sentence]


@pytest.mark.parametrize("name", ["AIRTABLE_API_TOKEN", "TRELLO_API_KEY", "TRELLO_API_TOKEN"])
def test_wrong_secret_is_not_repeated(load, name):
    """Only its name is."""
    with pytest.raises(ConfigurationError, match=name) as caught:
        load(**{name: "sEcr3t with a blank"})
    assert "sEcr3t" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert b"sEcr3t" not in pickle.dumps(caught.value)


# --- names ----------------------------------------------------------------------------------------------------


SETTING = re.compile(r"\b(?:AIRTABLE|TRELLO|SYNC)_[A-Z0-9_]*[A-Z0-9]\b")


def documented(file):
    """The settings that a file names; skips while there is no such file."""
    path = ROOT / file
    if not path.is_file():
        pytest.skip(f"{file} is not there yet")
    return path.read_text(encoding="utf-8")


def test_env_sample_names_every_setting_and_no_other():
    """Names are equal in code and sample."""
    sampled = re.findall(r"^[#\s]*([A-Z][A-Z0-9_]+)=", documented(".env.sample"), flags=re.MULTILINE)
    assert sorted({name for name in sampled if name.startswith(("AIRTABLE_", "TRELLO_", "SYNC_"))}) == sorted(NAMES)
    assert len(sampled) == len(set(sampled))


def test_the_page_of_the_commands_names_every_setting_and_no_page_another():
    """Names are equal in code and on the pages."""
    named = {page: set(SETTING.findall(text_of(page))) for page in PAGES}
    assert named[ROOT / "flows" / "README.md"] == set(NAMES)
    assert set().union(*named.values()) == set(NAMES)


OF_A_TABLE = re.compile(r"^\| (`(?:AIRTABLE|TRELLO|SYNC)_[^|]*) \|([^|]*)\|", flags=re.MULTILINE)
IN_WORDS = ("the lists of that name", "an SQLite file in your data folder", "leadsync.toml beside", "DONE, if the map")


def test_the_page_of_the_commands_tells_each_default(load):
    """Typed, it is what nothing gives; one in words, or none at all, is no value."""
    plain, rows = load(), OF_A_TABLE.findall(text_of(ROOT / "flows" / "README.md"))
    assert sorted(SETTING.findall(" ".join(names for names, _ in rows))) == sorted(NAMES)
    for names, cell in rows:
        settings, told = SETTING.findall(names), cell.strip()
        values = [told.strip("`")] if len(settings) == 1 else told.split(", ")
        for name, value in zip(settings, values if told and not told.startswith(IN_WORDS) else settings, strict=True):
            field = Settings.model_fields[name.lower()]
            if value == name:
                assert field.is_required() or field.default_factory or field.default in (None, ""), name
            else:
                assert getattr(load(**{name: value}), name.lower()) == getattr(plain, name.lower()), name
                assert field.default or field.default_factory, name


def test_every_setting_says_what_it_is():
    """A sentence for each."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
