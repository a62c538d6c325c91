"""Further pairs as Prefect blocks: each has its own base, board, lock and run; the one in `.env` stays as it is."""

from datetime import timedelta

import pytest
from prefect.client.orchestration import get_client
from typer import Typer
from typer.testing import CliRunner

import pairs as door
from emulator import Emulator
from leadsync.environment import OF_THE_INSTALLATION, OF_THE_PAIR
from leadsync.settings import Settings
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore
from runs import pair_block
from sync import sync_leads

OWN = ("AIRTABLE_API_TOKEN", "AIRTABLE_BASE_ID", "TRELLO_API_KEY", "TRELLO_API_TOKEN", "TRELLO_BOARD_ID")
PLACES = ("AIRTABLE_ENDPOINT_URL", "TRELLO_ENDPOINT_URL")


@pytest.fixture
def command(prefect_server, configured):
    """`flows/pairs.py` in this process. Returns: a function from arguments to (exit code, output)."""
    app = Typer()
    app.command()(door.pairs)

    def run(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
        return result.exit_code, result.output

    return run


@pytest.fixture
def north():
    """The base and the board of another team."""
    with Emulator(seed=2) as running:
        yield running


@pytest.fixture
def env_file(north, tmp_path):
    """What that team's `.env` would hold."""
    settings = north.settings()
    file = tmp_path / "north.env"
    file.write_text("".join(f"{name}={settings[name]}\n" for name in (*OWN, *PLACES)))
    return file


def test_saved_pair_is_synced_by_its_name(command, emulator, north, env_file):
    """Its own lead gets a card on its own board; the first pair hears nothing."""
    assert command("north", "--env", env_file)[0] == 0
    lead = north.airtable.add_lead("Nora", "nora@example.com", "NEW", "web")
    ended = sync_leads(pair="north", return_state=True)
    assert ended.is_completed(), ended.message
    assert [lead in card["desc"] for card in north.trello.cards().values()] == [True]
    assert emulator.calls("airtable") + emulator.calls("trello") == 0


def test_list_tells_base_table_and_board(command, north, env_file):
    """Two tables may share a board; a pair that names none has the default one."""
    command("north", "--env", env_file)
    env_file.write_text(f"{env_file.read_text()}AIRTABLE_TABLE_NAME=Customers\n")
    command("customers", "--env", env_file)
    known = pair_block.saved_pairs()
    assert known["north"] == (north.airtable.base_id, "Leads", north.trello.board_id)
    assert known["customers"] == (north.airtable.base_id, "Customers", north.trello.board_id)
    assert "Customers" in command()[1]


def test_pair_inherits_nothing_that_describes_another_board(command, north, env_file, monkeypatch):
    """The environment's lists and table are those of the first pair."""
    command("north", "--env", env_file)
    monkeypatch.setenv("TRELLO_LIST_TODO_ID", "0" * 24)
    monkeypatch.setenv("AIRTABLE_TABLE_NAME", "Kunden")
    assert sync_leads(pair="north", return_state=True).is_completed()
    assert pair_block.settings_of("").airtable_table_name == "Kunden"


def test_pair_without_own_credentials_takes_those_of_the_worker(command, configured, tmp_path):
    """Tokens, pace and policies may stay in the environment."""
    file = tmp_path / "thin.env"
    file.write_text("AIRTABLE_BASE_ID=appOTHER\nTRELLO_BOARD_ID=abcd1234\nSYNC_CONFLICT=hold\nSYNC_FULL_EVERY=90m\n")
    assert command("thin", "--env", file)[0] == 0
    settings = pair_block.settings_of("thin")
    assert (settings.airtable_base_id, settings.sync_conflict) == ("appOTHER", "hold")
    assert settings.airtable_api_token.get_secret_value() == configured["AIRTABLE_API_TOKEN"]
    assert settings.airtable_requests_per_second == 50
    assert settings.sync_full_every == timedelta(minutes=90)


def test_lock_of_one_pair_does_not_block_another(command, emulator, configured, env_file):
    """Pairs neither wait for nor cancel each other."""
    command("north", "--env", env_file)
    store = StateStore(configured["SYNC_STATE_URL"])
    with pair_lock(store, f"{configured['AIRTABLE_BASE_ID']}/{emulator.trello.board_id}"):
        assert sync_leads(return_state=True).is_cancelled()
        assert sync_leads(pair="north", return_state=True).is_completed()
    store.close()


def test_unknown_pair_is_refused_with_those_there_are(command, env_file):
    """Exit code 2's state, and the names to choose from."""
    command("north", "--env", env_file)
    ended = sync_leads(pair="nroth", return_state=True)
    assert ended.name == "Misconfigured"
    assert "There is no pair 'nroth'; known are: " in ended.message
    assert "north" in ended.message


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        pytest.param("North Pole", "", "is no name for a pair", id="name"),
        pytest.param("north", "TRELLO_BORD_ID=x", "Did you mean TRELLO_BOARD_ID?", id="typo"),
        pytest.param("north", "SYNC_STATE_URL=sqlite:///x", "which all pairs share", id="of-the-installation"),
        pytest.param("north", "AIRTABLE_BASE_ID=tblX", "AIRTABLE_BASE_ID: 'tblX' is not a base id", id="value"),
    ],
)
def test_wrong_pair_is_refused_with_a_sentence(command, env_file, name, line, words):
    """Nothing is saved that could not be run."""
    env_file.write_text(f"{env_file.read_text()}{line}\n")
    code, printed = command(name, "--env", env_file)
    assert code == 2
    assert words in " ".join(printed.split())


def test_file_of_a_pair_in_another_encoding_is_refused(command, env_file):
    """As for `.env`."""
    env_file.write_text(env_file.read_text(), encoding="utf-16")
    code, printed = command("north", "--env", env_file)
    assert code == 2
    assert "north.env is not UTF-8 text (it looks like UTF-16); save it as UTF-8." in " ".join(printed.split())


def test_secrets_of_a_pair_stay_secret(command, north, env_file):
    """In the list, in the API's answer, and in the run's parameters."""
    printed = command("north", "--env", env_file)[1]
    sync_leads(pair="north", return_state=True)
    with get_client(sync_client=True) as client:
        told = printed + str([block.data for block in client.read_block_documents(include_secrets=False)])
        told += str([run.parameters for run in client.read_flow_runs()])
        told += str([artifact.data for artifact in client.read_artifacts()])
    assert north.settings()["AIRTABLE_BASE_ID"] in told
    secrets = [north.settings()[name] for name in ("AIRTABLE_API_TOKEN", "TRELLO_API_KEY", "TRELLO_API_TOKEN")]
    assert not [secret for secret in secrets if secret in told]


def test_block_offers_every_setting_a_pair_can_have(command):
    """With logo, description, and help for each field, as the UI's form shows them."""
    command()
    with get_client(sync_client=True) as client:
        kind = client.read_block_type_by_slug("leadsync-pair")
    fields = pair_block.LeadsyncPair.model_json_schema()["properties"]
    assert kind.logo_url
    assert "kept equal" in kind.description
    assert set(fields) == set(Settings.model_fields) - set(OF_THE_INSTALLATION)
    assert set(OF_THE_PAIR) < set(fields)
    assert [name for name, field in fields.items() if not field.get("description")] == []
