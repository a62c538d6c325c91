"""Whole runs with their state on PostgreSQL: the same syncs, a lock that is lost half-way, and wrong addresses."""

from __future__ import annotations

import logging

import pytest

from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore
from support.harness import World

LEADS = 12


def test_first_run_edits_on_both_sides_and_idle_run(team):
    ada, bob = team.linked("Ada", "NEW"), team.linked("Bob", "LOST")
    team.assert_idle()
    team.airtable.edit(ada, status="CONTACTED", email="ada@example.com")
    team.trello.edit(team.card(bob)["id"], name="Bob B.", list_name="TODO")
    team.sync()
    assert (team.place(ada), team.status(bob), team.cells(bob)["name"]) == ("IN_PROGRESS", "NEW", "Bob B.")
    assert "ada@example.com" in team.card(ada)["desc"]
    team.assert_equal()
    team.assert_one_card_each()
    assert (team.assert_idle().conflicts, team.calls()) == ([], (1, 1))


def test_deletions_are_remembered_on_the_server(team):
    gone, struck = team.linked("Gone"), team.linked("Struck")
    team.airtable.delete(gone)
    team.trello.delete(team.card(struck)["id"])
    team.sync()
    team.assert_idle()
    assert ([card["closed"] for card in team.cards_of(gone)], team.cards_of(struck)) == ([True], [])
    team.airtable.restore(gone)
    team.airtable.edit(struck, status="CONTACTED")
    team.sync()
    team.assert_one_card_each()
    team.assert_equal()


def test_run_while_another_holds_the_lock_is_exit_code_4(team, cluster, database):
    team.linked("Ada")
    store = StateStore(cluster.url(database))
    with pair_lock(store, f"{team.airtable.base_id}/{team.trello.board_id}"):
        report = team.sync(exit_code=4)
    assert ("process" in report.message, "since" in report.message, team.writes()) == (True, True, 0)
    store.close()
    team.assert_idle()


def test_other_table_and_a_table_named_by_its_id_on_a_server(team):
    """The first table's cards are left alone, and it finds everything at rest, whatever it is called."""
    ada = team.linked("Ada", "CONTACTED")
    first, other = team.airtable.table_id, team.airtable.add_table("Customers")
    team.airtable.table_id = other
    customer = team.lead("Customer", "NEW")
    assert team.sync(AIRTABLE_TABLE_NAME="Customers").quarantine == []
    assert (team.card(ada)["closed"], team.place(customer)) == (False, "TODO")
    team.airtable.table_id = first
    team.trello.move(team.card(ada)["id"], "DONE")
    assert team.sync(AIRTABLE_TABLE_NAME=first).conflicts == []
    assert team.status(ada) == "QUALIFIED"
    for table in ("Leads", other, "Customers", first):
        assert team.assert_idle(AIRTABLE_TABLE_NAME=table).quarantine == []


# The lock is lost half-way


@pytest.fixture
def crowd(tmp_path, cluster, database):
    """Leads, one half edited at Airtable and the other moved at Trello, and some new; one request at a time."""
    world = World(tmp_path, ordered=True, latency=0.003)
    world.env["SYNC_STATE_URL"] = cluster.url(database)
    leads = [world.lead(f"Lead {number}") for number in range(2 * LEADS)]
    world.sync()
    for edited, moved in zip(leads[:LEADS], leads[LEADS:], strict=True):
        world.airtable.edit(edited, status="CONTACTED")
        world.trello.move(world.card(moved)["id"], "DONE")
    for number in range(3):
        world.lead(f"New {number}", "LOST")
    yield world
    world.close()


CUTS = pytest.mark.parametrize("only_the_lock", [True, False], ids=["lock-only", "all-connections"])
AT = {"trello": 3, "airtable": 1}


def run_cut_off(world, cluster, database, service, only_the_lock):
    """A run whose connections are ended at the third card, or at the first batch of leads. Returns: its report."""
    writes = []

    def cut(request, index):
        if request.is_write and request.service == service:
            writes.append(index)
            if len(writes) == AT[service]:
                cluster.cut(database, only_the_lock)

    remove = world.emulator.before_request(cut)
    report = world.sync(exit_code=None)
    remove()
    return report


@CUTS
@pytest.mark.parametrize("service", AT)
def test_run_that_lost_the_lock_stops_writing_and_the_next_finishes(crowd, cluster, database, service, only_the_lock):
    """The write that was under way is the last one; the next run finds what it did and doubles nothing."""
    report = run_cut_off(crowd, cluster, database, service, only_the_lock)
    assert report.exit_code in (1, 2)
    assert "Run again" in report.message or "SYNC_STATE_URL" in report.message
    assert crowd.writes(service) == AT[service]
    assert (service == "airtable") == bool(crowd.writes("airtable"))
    assert crowd.sync().conflicts == []
    crowd.assert_one_card_each()
    crowd.assert_equal()
    crowd.assert_idle()


@CUTS
@pytest.mark.parametrize("service", AT)
def test_run_that_lost_the_lock_after_writing_is_incomplete(crowd, cluster, database, service, only_the_lock):
    """Exit code 2 would say that nothing was written."""
    report = run_cut_off(crowd, cluster, database, service, only_the_lock)
    assert (report.exit_code, report.title, bool(report.changes)) == (1, "Incomplete", True)


# Wrong addresses


@pytest.fixture
def refused(team, caplog):
    """Run with an address that must not work. Returns: a function from the address to the run's message."""
    team.lead("Ada")

    def run(url):
        with caplog.at_level(logging.DEBUG):
            report = team.sync(exit_code=2, SYNC_STATE_URL=url)
        told = report.as_json() + "".join(f"{record.getMessage()}{record.exc_text}" for record in caplog.records)
        assert (team.calls(), report.changes) == ((0, 0), [])
        assert not [secret for secret in ("hush", "wrongword") if secret in told]
        assert "SYNC_STATE_URL" in report.message
        assert len(report.message.splitlines()) == 1
        return report.message

    return run


def test_wrong_password_is_a_sentence(refused, cluster, database):
    assert "authentication failed" in refused(cluster.url(database).replace("hush%2F", "wrongword%2F"))


def test_wrong_database_is_a_sentence(refused, cluster):
    assert '"nosuch" does not exist' in refused(cluster.url("nosuch"))


def test_wrong_user_is_a_sentence(refused, cluster, database):
    assert "authentication failed" in refused(cluster.url(database).replace("//leadsync", "//somebody"))


def test_port_without_a_server_is_a_sentence(refused):
    assert "refused" in refused("postgresql://leadsync:hush%2Fhush@127.0.0.1:9/state")


@pytest.mark.parametrize("host", ["nosuch.invalid", "host..invalid"])
def test_host_that_does_not_exist_is_a_sentence(refused, host):
    refused(f"postgresql://leadsync:hush%2Fhush@{host}/state")


def test_unknown_option_is_a_sentence(refused, cluster, database):
    refused(cluster.url(database) + "?sslmode=sometimes")


def test_scheme_of_old_is_a_sentence(refused, cluster, database):
    assert "postgresql://" in refused(cluster.url(database).replace("postgresql://", "postgres://"))


def test_password_among_the_options_is_not_told(refused, cluster):
    """The driver takes it there too."""
    refused(f"postgresql://leadsync@127.0.0.1:{cluster.port}/nosuch?password=wrongword")


@pytest.mark.parametrize("known", [False, True], ids=["fresh", "known"])
def test_database_that_may_only_be_read_is_a_sentence(team, cluster, database, known):
    team.lead("Ada")
    if known:
        team.sync()
    team.lead("Bob")
    cluster.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    report = team.sync(exit_code=2)
    assert (team.writes(), "read-only" in report.message) == (0, True)
    cluster.execute(f"ALTER DATABASE {database} RESET default_transaction_read_only")
    team.sync()
    team.assert_one_card_each()
