"""Settings: each wrong value is one sentence with the setting's name, and no secret is ever shown."""

from __future__ import annotations

import json
import pickle
import re

import pytest

from leadsync.environment import load_settings
from leadsync.errors import ConfigurationError
from leadsync.mapping.closing import Closing
from leadsync.model import ConflictPolicy, StatusMap
from leadsync.setting_values import default_state_url
from leadsync.settings import Settings
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
@pytest.mark.parametrize("value", [None, ""], ids=["missing", "empty"])
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
        ("AIRTABLE_BASE_ID", "https://airtable.com/appXXXXXXXXXXXXXX/tbl", "app"),
        ("AIRTABLE_ENDPOINT_URL", "api.airtable.com", "http"),
        ("TRELLO_ENDPOINT_URL", "ftp://api.trello.com", "http"),
        ("AIRTABLE_REQUESTS_PER_SECOND", "fast", "number"),
        ("AIRTABLE_REQUESTS_PER_SECOND", "0", "greater than 0"),
        ("AIRTABLE_REQUESTS_PER_SECOND", "nan", ""),
        ("TRELLO_REQUESTS_PER_10_SECONDS", "301", "300"),
        ("TRELLO_REQUESTS_PER_10_SECONDS", "9.5", "integer"),
        ("TRELLO_BOARD_ID", "https://trello.com/c/AbCd1234", "short link"),
        ("TRELLO_BOARD_ID", "my board", "24 hex"),
        ("AIRTABLE_API_TOKEN", "pat with blank", "paste it again"),
        ("TRELLO_API_TOKEN", 'ATTA"quoted"', "paste it again"),
        ("TRELLO_API_KEY", "schlüssel", "paste it again"),
        ("TRELLO_API_KEY", "   ", "paste it again"),
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


def test_values_are_trimmed(load):
    """Blanks around a pasted value do no harm."""
    settings = load(AIRTABLE_BASE_ID=" appAAAAAAAAAAAAAA ", TRELLO_API_KEY=" k1 ", TRELLO_ENDPOINT_URL="http://h:1/")
    assert settings.airtable_base_id == "appAAAAAAAAAAAAAA"
    assert settings.trello_api_key.get_secret_value() == "k1"
    assert settings.trello_endpoint_url == "http://h:1"


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


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SYNC_CONFLICTS", "Did you mean SYNC_CONFLICT?"),
        ("AIRTABLE_TOKEN", "Did you mean AIRTABLE_API_TOKEN?"),
        ("TRELLO_LIST_TODO", "Did you mean TRELLO_LIST_TODO_ID?"),
        ("trello_bord_id", "Did you mean TRELLO_BOARD_ID?"),
        ("SYNC_XYZQQQQQQQQQQQ", "Known are AIRTABLE_API_TOKEN"),
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


def test_env_file_in_another_encoding_is_refused(tmp_path):
    """With a sentence instead of a traceback."""
    path = tmp_path / ".env"
    path.write_bytes("AIRTABLE_TABLE_NAME=Käufer\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_settings((path,))


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


@pytest.mark.parametrize("name", ["AIRTABLE_API_TOKEN", "TRELLO_API_KEY", "TRELLO_API_TOKEN"])
def test_wrong_secret_is_not_repeated(load, name):
    """Only its name is."""
    with pytest.raises(ConfigurationError, match=name) as caught:
        load(**{name: "sEcr3t with a blank"})
    assert "sEcr3t" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert b"sEcr3t" not in pickle.dumps(caught.value)


# --- names ----------------------------------------------------------------------------------------------------


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


def test_readme_names_every_setting_and_no_other():
    """Names are equal in code and README."""
    named = set(re.findall(r"\b(?:AIRTABLE|TRELLO|SYNC)_[A-Z0-9_]*[A-Z0-9]\b", documented("README.md")))
    assert named == set(NAMES)


def test_every_setting_says_what_it_is():
    """A sentence for each."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
