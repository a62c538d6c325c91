"""Further pairs as Prefect blocks: each has its own base, board, lock and run; the one in `.env` stays as it is."""

from datetime import timedelta

import pytest
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import BlockDocumentUpdate
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
    assert "There is no pair 'nroth'; there are: " in ended.message
    assert "north" in ended.message


def test_deleted_pair_is_gone_and_the_others_stay(command, env_file):
    """Its block and the secrets in it; a schedule for it would fail with a sentence."""
    command("south", "--env", env_file)
    command("north", "--env", env_file)
    code, printed = command("north", "--delete")
    assert (code, "north" in pair_block.saved_pairs(), "south" in pair_block.saved_pairs()) == (0, False, True)
    assert "north" not in printed.replace("Pair north is deleted", "")
    assert sync_leads(pair="north", return_state=True).name == "Misconfigured"
    code, printed = command("north", "--delete")
    assert (code, "There is no pair 'north'" in printed) == (2, True)


@pytest.mark.parametrize("arguments", [["--delete"], ["north", "--env", "north.env", "--delete"]])
def test_delete_wants_a_name_and_nothing_else(command, arguments):
    code, printed = command(*arguments)
    assert (code, "--delete" in printed) == (2, True)


@pytest.mark.parametrize("board", ["{}", "https://trello.com/b/{}/sales"])
def test_pair_that_is_the_one_of_the_env_file_is_refused(command, configured, tmp_path, board):
    """Two schedules for one pair would only wait for each other."""
    file = tmp_path / "twin.env"
    lines = [f"AIRTABLE_BASE_ID={configured['AIRTABLE_BASE_ID']}", f"TRELLO_BOARD_ID={board}"]
    file.write_text("\n".join(lines).format(configured["TRELLO_BOARD_ID"]) + "\n")
    code, printed = command("twin", "--env", file)
    assert code == 2
    assert "is the pair that the settings describe without a name" in " ".join(printed.split())
    assert "twin" not in pair_block.saved_pairs()
    file.write_text(f"{file.read_text()}AIRTABLE_TABLE_NAME=Customers\n")
    assert command("twin", "--env", file)[0] == 0
    command("twin", "--delete")


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        pytest.param("North Pole", "", "is no name for a pair", id="name"),
        pytest.param("north", "TRELLO_BORD_ID=x", "; did you mean 'TRELLO_BOARD_ID'?", id="typo"),
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


WRONG_NAMES = ["..", ".", "north\n", "\nnorth", "nor/../th", "north/", "%2e%2e", "[/red]", " ", "NORTH", "n\x1b[2J"]
WRONG_NAMES += ["schön", "a" * 5000, "-", "north?x=1", "north#", "\x00", "ｎorth"]


@pytest.mark.parametrize("name", WRONG_NAMES, ids=lambda name: ascii(name)[:20])
def test_name_that_no_pair_can_have_is_refused_with_a_sentence(command, env_file, name):
    """Whether it is saved or synced; it would be part of an address at Prefect's server."""
    ended = sync_leads(pair=name, return_state=True)
    assert ended.name == "Misconfigured"
    assert "is no name for a pair" in ended.message
    code, printed = command("--env", env_file, "--", name)
    assert (code, "is no name for a pair" in " ".join(printed.split())) == (2, True)
    assert not {"\x1b", "\x00"} & {*ended.message, *printed}


@pytest.mark.parametrize("name", ["north", "a--b", "7", "north-2"])
def test_name_that_prefects_page_takes_is_taken(command, env_file, name):
    assert command(name, "--env", env_file)[0] == 0
    assert pair_block.settings_of(name).airtable_base_id.startswith("app")


def damage(name, change):
    """Change what the server keeps of a pair, as a person or another version might."""
    with get_client(sync_client=True) as client:
        found = client.read_block_document_by_name(name, "leadsync-pair")
        data = dict(found.data)
        change(data)
        client.update_block_document(
            found.id, BlockDocumentUpdate(data=data, merge_existing_data=False, block_schema_id=found.block_schema_id)
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda data: data.pop("airtable_base_id"), "AIRTABLE_BASE_ID", id="no-base"),
        pytest.param(lambda data: data.pop("trello_board_id"), "TRELLO_BOARD_ID", id="no-board"),
        pytest.param(dict.clear, "AIRTABLE_BASE_ID", id="empty"),
        pytest.param(lambda data: data.update(airtable_base_id=5), "AIRTABLE_BASE_ID", id="number"),
        pytest.param(lambda data: data.update(airtable_base_id=None), "AIRTABLE_BASE_ID", id="null"),
        pytest.param(lambda data: data.update(trello_board_id=["x"]), "TRELLO_BOARD_ID", id="list"),
        pytest.param(lambda data: data.update(airtable_requests_per_second="fast"), "REQUESTS_PER", id="no-number"),
        pytest.param(lambda data: data.update(sync_conflict="newest"), "SYNC_CONFLICT", id="no-choice"),
        pytest.param(lambda data: data.update(sync_status_map="{"), "SYNC_STATUS_MAP", id="no-json"),
        pytest.param(lambda data: data.update(trello_board_id="[/red]"), "TRELLO_BOARD_ID", id="markup"),
        pytest.param(lambda data: data.update(airtable_endpoint_url="gopher://x"), "ENDPOINT_URL", id="address"),
    ],
)
def test_damaged_block_is_a_sentence_that_names_pair_and_setting(command, env_file, change, words):
    """And it is listed, so that it can be found and saved again."""
    assert command("broken", "--env", env_file)[0] == 0
    damage("broken", change)
    ended = sync_leads(pair="broken", return_state=True)
    assert ended.name == "Misconfigured"
    assert "'broken'" in ended.message
    assert words in ended.message
    code, printed = command()
    assert (code, "broken" in printed) == (0, True)
    assert command("broken", "--env", env_file)[0] == 0
    assert pair_block.settings_of("broken").airtable_base_id.startswith("app")


def test_schema_of_the_block_is_as_prefect_makes_it_whoever_has_changed_one():
    pair_block.LeadsyncPair.model_json_schema()["properties"].clear()
    made = Block.model_json_schema.__func__(pair_block.LeadsyncPair)
    assert made["properties"]
    assert pair_block.LeadsyncPair.model_json_schema() == made


def test_mistyped_pair_is_no_damaged_one(command, env_file):
    assert command("north", "--env", env_file)[0] == 0
    assert "There is no pair 'nroth'" in sync_leads(pair="nroth", return_state=True).message


@pytest.mark.parametrize(
    "error", [RuntimeError("secret"), OSError("secret"), TypeError("secret"), ValueError("secret")]
)
def test_server_that_gives_no_pair_is_a_sentence(command, monkeypatch, error):
    """Such as one that cannot decrypt it; without its words, which may hold anything."""

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(pair_block.LeadsyncPair, "load", fails)
    ended = sync_leads(pair="north", return_state=True)
    assert (ended.is_failed(), "did not give pair 'north'" in ended.message) == (True, True)
    monkeypatch.setattr(door, "saved_pairs", fails)
    code, printed = command()
    assert (code, "Prefect's server" in printed) == (1, True)
    assert "secret" not in ended.message + printed


@pytest.mark.parametrize("lacks", ["AIRTABLE_API_TOKEN", "TRELLO_API_KEY", "TRELLO_API_TOKEN"])
def test_pair_with_another_endpoint_is_not_saved_without_its_credentials(command, env_file, lacks):
    """The installation's are for the installation's endpoint."""
    lines = env_file.read_text().splitlines()
    env_file.write_text("\n".join(line for line in lines if not line.startswith(f"{lacks}=")))
    code, printed = command("north", "--env", env_file)
    assert (code, lacks in printed) == (2, True)


@pytest.mark.parametrize("where", ["missing[/red].env", "a-folder[/]"])
def test_file_that_cannot_be_read_is_a_sentence(command, tmp_path, where):
    (tmp_path / "a-folder[").mkdir()
    (tmp_path / "a-folder[/]").mkdir()
    code, printed = command("north", "--env", tmp_path / where)
    assert (code, "is not there" in " ".join(printed.split())) == (2, True)


def test_file_in_another_encoding_is_a_sentence(command, env_file):
    env_file.write_bytes(env_file.read_text().encode("utf-16"))
    code, printed = command("north", "--env", env_file)
    assert (code, "UTF-8" in printed) == (2, True)


def test_pair_saved_without_credentials_takes_those_of_the_projects_env_file(
    command, configured, tmp_path, monkeypatch
):
    """As a run will."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.setattr("leadsync.environment.PROJECT", project)
    monkeypatch.delenv("LEADSYNC_ENV_FILE")
    (project / ".env").write_text("".join(f"{name}={configured[name]}\n" for name in (*OWN, *PLACES)))
    for name in (*OWN, *PLACES):
        monkeypatch.delenv(name)
    file = tmp_path / "thin.env"
    file.write_text("AIRTABLE_BASE_ID=appOTHER\nTRELLO_BOARD_ID=abcd1234\n")
    assert command("thin", "--env", file)[0] == 0
    settings = pair_block.settings_of("thin")
    assert settings.airtable_api_token.get_secret_value() == configured["AIRTABLE_API_TOKEN"]


def test_secrets_of_a_pair_stay_secret(command, north, env_file):
    """In the list, in the API's answer, and in the run's parameters."""
    printed = command("north", "--env", env_file)[1]
    sync_leads(pair="north", return_state=True)
    with get_client(sync_client=True) as client:
        told = printed + str([block.data for block in client.read_block_documents(include_secrets=False)])
        told += str([run.parameters for run in client.read_flow_runs(sort="START_TIME_DESC")])
        told += str([artifact.data for artifact in client.read_artifacts(sort="CREATED_DESC")])
    assert north.settings()["AIRTABLE_BASE_ID"] in told
    secrets = [north.settings()[name] for name in ("AIRTABLE_API_TOKEN", "TRELLO_API_KEY", "TRELLO_API_TOKEN")]
    assert not [secret for secret in secrets if secret in told]


def test_block_offers_every_setting_a_pair_can_have(command):
    """With description and help for each field, as the UI's form shows them; no picture from elsewhere."""
    command()
    with get_client(sync_client=True) as client:
        kind = client.read_block_type_by_slug("leadsync-pair")
    fields = pair_block.LeadsyncPair.model_json_schema()["properties"]
    assert kind.logo_url is None
    assert "kept equal" in kind.description
    assert set(fields) == set(Settings.model_fields) - set(OF_THE_INSTALLATION)
    assert set(OF_THE_PAIR) < set(fields)
    assert [name for name, field in fields.items() if not field.get("description")] == []
