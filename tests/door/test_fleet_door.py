"""`flows/fleet.py`: all pairs that are due in one flow run, a task run for each that changed something or failed."""

import json
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from typer import Typer
from typer.testing import CliRunner

import fleet as door
from emulator import Emulator, Fault
from leadsync.core.ledger import flow_run_of
from leadsync.state.store import StateStore
from runs import pair_block, reported
from runs.pair_block import LeadsyncPair

OWN = ("AIRTABLE_API_TOKEN", "AIRTABLE_BASE_ID", "TRELLO_API_KEY", "TRELLO_API_TOKEN", "TRELLO_BOARD_ID")
PLACES = ("AIRTABLE_ENDPOINT_URL", "TRELLO_ENDPOINT_URL")
NAMES = ("east", "north", "west")


@pytest.fixture
def teams():
    """Each with a base and a board of its own: name -> its services."""
    running = {name: Emulator(seed=number) for number, name in enumerate(NAMES, start=2)}
    for each in running.values():
        each.start()
    yield running
    for each in running.values():
        each.stop()


@pytest.fixture
def saved(prefect_server, configured, teams):
    """The teams' pairs as blocks, and no others; returns the store of the state."""
    LeadsyncPair.register_type_and_schema()
    forget()
    for name, services in teams.items():
        settings = services.settings()
        LeadsyncPair(**{each.lower(): settings[each] for each in (*OWN, *PLACES)}).save(name)
    store = StateStore(configured["SYNC_STATE_URL"])
    yield store
    store.close()
    forget()


def forget():
    for name in pair_block.saved_pairs():
        LeadsyncPair.delete(name)


@pytest.fixture
def command(prefect_server, configured, monkeypatch):
    """`flows/fleet.py` in this process. Returns: a function from arguments to (exit code, output)."""
    monkeypatch.setattr(reported, "nothing_to_stop", lambda: None)
    app = Typer()
    app.command()(door.fleet)

    def run(*arguments):
        result = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200"})
        return result.exit_code, result.stdout

    return run


def task_runs():
    """Of the last run of the fleet: name -> the name of its state."""
    with get_client(sync_client=True) as client:
        of_fleet = FlowRunFilter(name={"like_": "fleet"})
        (run,) = client.read_flow_runs(flow_run_filter=of_fleet, limit=1, sort="START_TIME_DESC")
        of_run = FlowRunFilter(id={"any_": [run.id]})
        return {each.name: each.state.name for each in client.read_task_runs(flow_run_filter=of_run)}


def test_all_pairs_are_synced_and_what_changed_has_a_run_of_its_own(saved, command, teams):
    leads = {name: teams[name].airtable.add_lead("Ada", f"ada@{name}.org", "NEW", "web") for name in ("east", "west")}
    code, printed = command("--json")
    report = json.loads(printed)
    assert (code, report["exit_code"], [row["pair"] for row in report["pairs"]]) == (0, 0, [*NAMES])
    assert (report["counts"]["synced"], report["counts"]["changed"]) == (3, 2)
    for name, lead in leads.items():
        assert [lead in card["desc"] for card in teams[name].trello.cards().values()] == [True]
    assert {*task_runs()} == {"east", "west"}
    made = {flow_run_of(run.run_id) for pair in saved.ends.load_all() for run in saved.history.runs(pair)}
    with get_client(sync_client=True) as client:
        assert [client.read_flow_run(UUID(flow_run)).name.split()[0] for flow_run in made] == ["fleet"]
    assert all(run.due > 0 and run.failures == 0 for run in saved.pair_runs.load_all().values())


def test_nothing_is_due_twice_and_who_is_asked_for_is_synced(saved, command, teams):
    command()
    for services in teams.values():
        services.clear_requests()
    assert "0 of 3 pairs synced" in command()[1]
    code, printed = command("--only", "north", "--json")
    assert (code, [row["pair"] for row in json.loads(printed)["pairs"]]) == (0, ["north"])
    assert [bool(services.calls("airtable")) for services in teams.values()] == [False, True, False]
    assert task_runs() == {}


def test_pair_that_fails_is_listed_backs_off_and_stops_no_other(saved, command, teams):
    teams["east"].inject(Fault("status", path="/v0/", status=403, times=50))
    lead = teams["west"].airtable.add_lead("Ada", "a@b.c", "NEW", "web")
    code, printed = command("--json")
    rows = {row["pair"]: row for row in json.loads(printed)["pairs"]}
    assert (code, rows["east"]["exit_code"] > 0, rows["north"]["exit_code"]) == (1, True, 0)
    assert [lead in card["desc"] for card in teams["west"].trello.cards().values()] == [True]
    assert saved.pair_runs.load(pair="east").failures == 1
    assert {*task_runs()} == {"east", "west"}
    assert "east" in command()[1] or saved.pair_runs.load(pair="east").failures == 1  # it waits


def test_no_more_than_asked_for(saved, command):
    code, printed = command("--limit", "2", "--json")
    counts = json.loads(printed)["counts"]
    assert (code, counts["synced"], counts["due"]) == (0, 2, 3)


def test_each_pair_that_was_synced_gives_a_sign_of_life_of_its_own(saved, command, teams, monkeypatch):
    """One that failed does not, so that its silence is noticed."""
    given = []
    monkeypatch.setattr("runs.signs.give_sign", lambda sign, pair, name, *_more: given.append((sign, name)))
    teams["north"].airtable.revoke()
    command()
    assert sorted(given) == [("leadsync.synced", "east"), ("leadsync.synced", "west")]


def test_dry_run_writes_nothing(saved, command, teams):
    teams["east"].airtable.add_lead("Ada", "a@b.c", "NEW", "web")
    code, printed = command("--dry-run", "--json")
    assert (code, json.loads(printed)["counts"]["changes"]) == (0, 1)
    assert (teams["east"].trello.cards(), saved.pair_runs.load_all()) == ({}, {})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--only", "nort"], "There is no pair 'nort'; there are: east, north, west; did you mean 'north'?"),
        (["--every", "often"], "every: "),
    ],
)
def test_wrong_option_is_a_sentence(saved, command, arguments, told):
    code, printed = command(*arguments, "--json")
    assert (code, told in json.loads(printed)["message"]) == (2, True)


def test_damaged_block_is_its_pairs_failure(saved, command, teams, monkeypatch):
    block = LeadsyncPair.load("north")
    block.airtable_base_id = "no base"
    block.save("north", overwrite=True)
    code, printed = command("--json")
    rows = {row["pair"]: row for row in json.loads(printed)["pairs"]}
    assert (code, rows["north"]["exit_code"], rows["west"]["exit_code"]) == (1, 2, 0)
    assert "AIRTABLE_BASE_ID" in rows["north"]["message"]


def test_no_pair_at_all_says_how_to_save_one(prefect_server, configured, command):
    forget()
    code, printed = command("--json")
    assert (code, "flows/pairs.py" in json.loads(printed)["message"]) == (2, True)


def test_more_pairs_than_a_page_holds(saved, command, monkeypatch):
    monkeypatch.setattr(pair_block, "BLOCKS_A_PAGE", 2)
    assert {*pair_block.saved_pairs()} == {*NAMES} == {member.pair for member in pair_block.members()}


def test_pair_whose_plan_is_to_be_reviewed_is_listed_and_stops_no_other(saved, command, teams):
    """With the command that shows its plan; an idle one needs no review."""
    teams["east"].airtable.add_lead("Ada", "a@b.c", "NEW", "web")
    code, printed = command("--review", "risky", "--json")
    rows = {row["pair"]: row for row in json.loads(printed)["pairs"]}
    assert (code, rows["east"]["exit_code"], rows["west"]["exit_code"]) == (1, 3, 0)
    assert "flows/sync.py --pair east --review always" in rows["east"]["message"]
    assert (teams["east"].trello.cards(), task_runs()) == ({}, {"east": rows["east"]["outcome"]})
    code, _ = command("--only", "east")
    assert (code, len(teams["east"].trello.cards())) == (0, 1)
