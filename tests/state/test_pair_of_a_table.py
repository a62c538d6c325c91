"""A pair is a base, a table and a board: another table is another pair, and a table renamed stays itself."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from emulator.airtable.desk import LEAD_FIELDS
from emulator.airtable.model import Base
from emulator.airtable.schema import build_field, build_table
from leadsync.core.journal import CARD, Intent
from leadsync.gateway.webhooks import Webhooks
from leadsync.pipeline.checks import check_setup
from leadsync.pipeline.clients import open_clients
from leadsync.state.lock import pair_lock
from leadsync.state.noted import Noted
from leadsync.state.pair import Pair
from leadsync.state.store import StateStore
from leadsync.state.webhooks import Known, load_known
from support.harness import World, findings
from support.past import DRAGGED, EDITED, NEW, tell
from support.rows import by_lead

OTHER = "Customers"


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=["1", "2"], ids=lambda version: f"schema-{version}")
def released(request, tmp_path):
    """A world at rest whose state was left by a program that did not name the table in its keys."""
    made = tell(f"schema_{request.param}_at_rest", tmp_path)
    yield made
    made.close()


@pytest.fixture
def crowd(world):
    """Eight leads of the first table, with cards: too few for the share guard."""
    world.leads = {f"Lead {number}": world.lead(f"Lead {number}", "CONTACTED") for number in range(8)}
    world.sync()
    return world


@contextmanager
def in_table(world, table_id, base_id=None):
    """People's edits go to another table, or one of another base."""
    before = world.airtable.table_id, world.airtable.base_id
    world.airtable.table_id, world.airtable.base_id = table_id, base_id or before[1]
    yield
    world.airtable.table_id, world.airtable.base_id = before


def other_table(world, count, name=OTHER):
    """Another table of the base, with so many leads. Returns: its id, and its leads."""
    table_id = world.airtable.add_table(name)
    with in_table(world, table_id):
        return table_id, [world.lead(f"Customer {number}", "NEW") for number in range(count)]


def other_base(world, name="Leads"):
    """A table of that name in another base. Returns: the ids of base and table."""
    ids = world.airtable._world.ids
    table = build_table(ids, name, [build_field(ids, dict(each)) for each in LEAD_FIELDS])
    base = Base(ids.airtable("app"), "Other", [table])
    world.airtable._world.bases.append(base)
    return base.id, table.id


def cards(world):
    return dict(world.trello.cards())


def rows(world, key):
    store = StateStore(world.settings().sync_state_url.get_secret_value())
    found = set(store.journal.load_base(key).index)
    store.close()
    return found


def key_of(world, table):
    return Pair(world.airtable.base_id, table, world.trello.board_id).key


# --- another table --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", ["full", "delta", "auto"])
def test_other_table_leaves_the_first_tables_cards_alone(crowd, read):
    """Though all known leads are missing from it; its own leads get cards, and the first one is at rest again."""
    before = cards(crowd)
    _, customers = other_table(crowd, 3)
    report = crowd.sync(AIRTABLE_TABLE_NAME=OTHER, read=read)
    assert {card_id: card for card_id, card in cards(crowd).items() if card_id in before} == before
    assert [len(crowd.cards_of(customer)) for customer in customers] == [1, 1, 1]
    assert (report.quarantine, report.conflicts, len(report.changes)) == ([], [], 3)
    for table in ("Leads", OTHER, "Leads"):
        report = crowd.sync(AIRTABLE_TABLE_NAME=table, read=read)
        assert (crowd.writes(), report.changes, report.quarantine, report.conflicts) == (0, [], [], [])


@pytest.mark.parametrize("count", [0, 3, 12])
def test_other_table_after_an_upgrade_leaves_the_first_tables_cards_alone(released, count):
    """Rows of before name no table; they wait for the one whose leads they know."""
    before = cards(released)
    _, customers = other_table(released, count)
    report = released.sync(AIRTABLE_TABLE_NAME=OTHER, exit_code=0 if count else 3)
    assert {card_id: card for card_id, card in cards(released).items() if card_id in before} == before
    assert [len(released.cards_of(customer)) for customer in customers] == [1] * count
    assert (report.quarantine, report.conflicts) == ([], [])
    released.trello.move(released.card(released.leads["Dan"])["id"], "TODO")
    assert released.sync().conflicts == []
    assert released.status(released.leads["Dan"]) == "NEW"
    released.assert_idle()


def test_each_table_hears_of_its_own_edits_alone(crowd):
    """Edits, deletions on both sides, and copies, of both tables, synced in turn."""
    table_id, (customer, left, struck) = other_table(crowd, 3)
    crowd.sync(AIRTABLE_TABLE_NAME=OTHER)
    first, gone = crowd.leads["Lead 0"], crowd.leads["Lead 1"]
    crowd.trello.move(crowd.card(first)["id"], "DONE")
    crowd.trello.move(crowd.card(customer)["id"], "DONE")
    crowd.airtable.delete(gone)
    with in_table(crowd, table_id):
        crowd.airtable.delete(left)
    copy = crowd.trello.copy(crowd.card(struck)["id"])
    report = crowd.sync()
    assert (crowd.status(first), crowd.card(gone)["closed"], crowd.card(left)["closed"]) == ("QUALIFIED", True, False)
    assert report.quarantine == []
    report = crowd.sync(AIRTABLE_TABLE_NAME=OTHER)
    with in_table(crowd, table_id):
        assert crowd.status(customer) == "QUALIFIED"
    assert crowd.card(left)["closed"]
    assert [row["card_id"] for row in report.quarantine] == [copy]
    for table in ("Leads", OTHER):
        crowd.assert_idle(AIRTABLE_TABLE_NAME=table)


def test_orphan_of_no_table_is_still_listed(crowd):
    """What no pair knows may be a lead that was lost."""
    orphan = crowd.trello.add_card("TODO", "Lost", "LeadID: recAAAAAAAAAAAAAA")
    other_table(crowd, 1)
    for table in ("Leads", OTHER):
        report = crowd.sync(AIRTABLE_TABLE_NAME=table)
        assert [(row["card_id"], row["reason"]) for row in report.quarantine] == [
            (orphan, "its LeadID names no lead in the table")
        ]


def test_card_that_names_leads_of_both_tables_is_listed_by_both(crowd):
    """Which of the two it belongs to, only a person can say."""
    _, (customer,) = other_table(crowd, 1)
    crowd.sync(AIRTABLE_TABLE_NAME=OTHER)
    both = crowd.trello.add_card("TODO", "Both", f"LeadID: {customer}\nLeadID: {crowd.leads['Lead 0']}")
    for table in ("Leads", OTHER):
        report = crowd.sync(AIRTABLE_TABLE_NAME=table)
        assert [row["card_id"] for row in report.quarantine] == [both]
    assert crowd.writes() == 0


def test_share_guard_judges_the_rows_of_its_own_table(crowd):
    """Four of twelve are too many, whatever the other table knows; one of its eight is not."""
    table_id, customers = other_table(crowd, 12)
    crowd.sync(AIRTABLE_TABLE_NAME=OTHER)
    with in_table(crowd, table_id):
        for customer in customers[:4]:
            crowd.airtable.delete(customer)
    crowd.airtable.delete(crowd.leads["Lead 0"])
    assert "4 of 12 known leads are missing" in crowd.sync(AIRTABLE_TABLE_NAME=OTHER, exit_code=3).message
    crowd.sync()
    assert crowd.writes() == 1


def test_lead_that_another_pair_is_just_creating_is_no_orphan(crowd):
    """A run of the other table that was cut has made cards which only its journal knows."""
    _, (customer,) = other_table(crowd, 1)
    crowd.sync(AIRTABLE_TABLE_NAME=OTHER)
    store = StateStore(crowd.env["SYNC_STATE_URL"])
    key = key_of(crowd, OTHER)
    row = by_lead(store.journal.load_base(key))[customer]
    store.journal.enter(key, Noted({}, [customer]))
    assert [found["lead_id"] for found in crowd.sync().quarantine] == [customer]
    store.journal.enter(key, Noted({}, [], [Intent(CARD, customer, "", row)]))
    store.close()
    assert crowd.sync().quarantine == []
    crowd.sync(AIRTABLE_TABLE_NAME=OTHER)
    assert (crowd.writes(), len(crowd.cards_of(customer))) == (0, 1)


def test_tables_of_one_name_in_two_bases_share_a_board(crowd):
    """They know nothing of each other, and leave each other alone."""
    base_id, table_id = other_base(crowd)
    with in_table(crowd, table_id, base_id):
        lead = crowd.lead("Elsewhere", "LOST")
    report = crowd.sync(AIRTABLE_BASE_ID=base_id)
    assert (report.quarantine, len(crowd.cards_of(lead)), len(cards(crowd))) == ([], 1, 9)
    report = crowd.assert_idle()
    assert report.quarantine == []
    assert crowd.assert_idle(AIRTABLE_BASE_ID=base_id).quarantine == []


def test_tables_on_one_board_do_not_run_at_the_same_time(crowd):
    store = StateStore(crowd.env["SYNC_STATE_URL"])
    with pair_lock(store, f"{crowd.airtable.base_id}/{crowd.trello.board_id}"):
        crowd.sync(exit_code=4)
        crowd.sync(exit_code=4, AIRTABLE_TABLE_NAME=OTHER)
    store.close()


def test_checklist_takes_no_card_of_another_table_for_an_orphan(crowd):
    other_table(crowd, 2)
    crowd.sync(AIRTABLE_TABLE_NAME=OTHER)
    settings = crowd.settings()
    with open_clients(settings) as clients:
        findings = check_setup(settings, clients, 60).findings
    assert [finding for finding in findings if finding.check == "cards" and finding.remedy] == []


def test_empty_table_beside_another_writes_nothing(crowd):
    other_table(crowd, 0)
    crowd.assert_idle(AIRTABLE_TABLE_NAME=OTHER)
    crowd.assert_idle()


# --- the same table -------------------------------------------------------------------------------------------


def test_rows_of_before_get_a_key_with_the_table(released):
    """Once, and without a call more but for the board's lists, of which more is kept now."""
    known = rows(released, released.pair)
    released.assert_idle()
    assert released.calls() == (1, 2)
    assert (rows(released, released.pair), rows(released, key_of(released, "Leads"))) == (set(), known)
    released.assert_idle()
    assert released.calls() == (1, 1)


def test_what_was_seen_follows(world):
    """A delta goes on from the last read of before."""
    world.linked("Ada")
    world.assert_idle()
    store = StateStore(world.env["SYNC_STATE_URL"])
    named, unnamed = Pair.of(key_of(world, "Leads")), Pair(world.airtable.base_id, "", world.trello.board_id)
    store.keys.take_over(named, unnamed, world.env["TRELLO_BOARD_ID"])
    store.close()
    world.sync(read="delta")  # the leads are read whole to tell whose rows these are
    report = world.sync(read="delta")
    assert report.read == {"airtable": "delta", "trello": "delta"}


@pytest.mark.parametrize("how", ["by-id", "renamed"])
def test_table_renamed_or_named_by_its_id_stays_itself(crowd, how):
    """There and back: what was agreed is known, so a card's move is a move."""
    if how == "renamed":
        crowd.airtable.rename_table("Prospects")
    table = crowd.airtable.table_id if how == "by-id" else "Prospects"
    first, second = crowd.leads["Lead 0"], crowd.leads["Lead 1"]
    crowd.trello.move(crowd.card(first)["id"], "TODO")
    report = crowd.sync(AIRTABLE_TABLE_NAME=table)
    assert (report.conflicts, crowd.status(first)) == ([], "NEW")
    assert "'Leads'" in report.notes[0]["note"]
    if how == "renamed":
        crowd.airtable.rename_table("Leads")
    crowd.trello.move(crowd.card(second)["id"], "TODO")
    assert crowd.sync().conflicts == []
    assert crowd.status(second) == "NEW"
    crowd.assert_idle()


def test_table_named_by_its_id_beside_another_table_finds_its_own_rows(crowd):
    table_id, (customer,) = other_table(crowd, 1)
    crowd.sync(AIRTABLE_TABLE_NAME=OTHER)
    for table in (crowd.airtable.table_id, table_id, "Leads", OTHER):
        report = crowd.assert_idle(AIRTABLE_TABLE_NAME=table)
        assert (report.conflicts, report.quarantine) == ([], [])
    assert rows(crowd, key_of(crowd, OTHER)) == {customer}


@pytest.mark.parametrize("name", ["Leads", "tbl"])
def test_dry_run_plans_on_the_rows_of_before_and_renames_nothing(released, name):
    table = released.airtable.table_id if name == "tbl" else name
    known = rows(released, released.pair)
    released.trello.move(released.card(released.leads["Dan"])["id"], "TODO")
    for _ in range(2):
        report = released.sync(dry_run=True, AIRTABLE_TABLE_NAME=table)
        assert [(row["field"], row["after"], row["direction"]) for row in report.changes] == [
            ("status", "NEW", "to_airtable")
        ]
        assert report.conflicts == []
    assert (rows(released, released.pair), rows(released, key_of(released, table))) == (known, set())
    assert released.writes() == 0


@pytest.mark.parametrize("version", ["1", "2"])
def test_key_is_taken_over_while_writes_are_unrecorded(version, tmp_path):
    """Of a run that was cut, and under the table's id."""
    world = tell(f"schema_{version}_cut", tmp_path)
    report = world.sync(AIRTABLE_TABLE_NAME=world.airtable.table_id)
    assert (report.conflicts, len(world.cards_of(world.leads[NEW]))) == ([], 1)
    assert (world.place(world.leads[EDITED]), world.status(world.leads[DRAGGED])) == ("IN_PROGRESS", "QUALIFIED")
    world.assert_idle(AIRTABLE_TABLE_NAME=world.airtable.table_id)
    world.close()


def test_first_run_that_was_cut_is_known_by_its_journal(world):
    """It has no base yet, only cards it was about to make; the table is then named by its id."""
    lead = world.linked("Ada")
    store, key = StateStore(world.env["SYNC_STATE_URL"]), key_of(world, "Leads")
    row = by_lead(store.journal.load_base(key))[lead]
    store.journal.enter(key, Noted({}, [lead], [Intent(CARD, lead, "", {**row, "card_id": ""})]))
    store.close()
    world.trello.move(world.card(lead)["id"], "DONE")
    report = world.sync(AIRTABLE_TABLE_NAME=world.airtable.table_id)
    assert (findings(report.conflicts, lead), world.status(lead)) == ([], "QUALIFIED")


@pytest.fixture
def struck(crowd):
    """
    What a program that named no table in its keys left behind it once it had met another, smaller table: the first
    one's cards archived by it, and the rows of both under one key.
    """
    first = StateStore(crowd.env["SYNC_STATE_URL"])
    key = f"{crowd.airtable.base_id}/{crowd.trello.board_id}"
    _, (customer,) = other_table(crowd, 1)
    crowd.sync(AIRTABLE_TABLE_NAME=OTHER)
    for table in ("Leads", OTHER):
        known = by_lead(first.journal.load_base(key_of(crowd, table)))
        gone = {"lead_presence": "gone", "card_presence": "archived_by_us", "seen_status": "CONTACTED"}
        known = {lead: row | (gone if table == "Leads" else {}) for lead, row in known.items()}
        first.journal.enter(key_of(crowd, table), Noted({}, list(known)))
        first.journal.enter(key, Noted(known))
    first.close()
    for lead in crowd.leads.values():
        crowd.trello.archive(crowd.card(lead)["id"])
    return crowd, customer, key


@pytest.mark.parametrize("order", [("Leads", OTHER), (OTHER, "Leads")], ids=["first-table-first", "other-table-first"])
def test_cards_that_a_former_program_archived_for_another_table_come_back(struck, order):
    """The rows say who archived them, and each table takes its own."""
    crowd, customer, key = struck
    for table in order:
        dry = crowd.sync(AIRTABLE_TABLE_NAME=table, dry_run=True)
        assert len(dry.changes) == (8 if table == "Leads" else 0)
        report = crowd.sync(AIRTABLE_TABLE_NAME=table)
        assert (len(report.changes), report.conflicts) == (len(dry.changes), [])
    assert {crowd.card(lead)["closed"] for lead in (*crowd.leads.values(), customer)} == {False}
    assert rows(crowd, key) == set()
    for table in order:
        crowd.assert_idle(AIRTABLE_TABLE_NAME=table)


@pytest.mark.parametrize("dry_run", [True, False])
def test_leads_left_in_a_table_that_lost_most_while_it_was_renamed_stay_known(crowd, dry_run):
    """Half of them is no proof that it is the same table; of those that are left a card's move is still a move."""
    stay, gone = list(crowd.leads.values())[:4], list(crowd.leads.values())[4:]
    for lead in gone:
        crowd.airtable.delete(lead)
    crowd.trello.move(crowd.card(stay[0])["id"], "DONE")
    report = crowd.sync(AIRTABLE_TABLE_NAME=crowd.airtable.table_id, dry_run=dry_run)
    assert (report.conflicts, [row["field"] for row in report.changes]) == ([], ["status"])
    assert {crowd.card(lead)["closed"] for lead in gone} == {False}
    assert rows(crowd, key_of(crowd, "Leads")) == set(crowd.leads.values()) - (set() if dry_run else set(stay))


def test_empty_read_after_an_upgrade_is_refused_and_nothing_is_forgotten(released):
    """The rows of before stay until a lead shows whose they are."""
    leads = list(released.airtable.records())
    for lead in leads:
        released.airtable.delete(lead)
    known = rows(released, released.pair)
    report = released.sync(exit_code=3)
    assert "came back empty" in report.message
    assert (released.writes(), rows(released, released.pair)) == (0, known)
    for lead in leads:
        released.airtable.restore(lead)
    assert released.assert_idle().conflicts == []


def test_deleted_leads_that_come_back_to_a_renamed_table_are_linked_again(world):
    """A key that knows no lead as present is this table's if one of its leads returns."""
    world.airtable.add_select_option("status", "PAUSED")
    world.lead("Without a card", "PAUSED")
    lead = world.linked("Ada")
    world.airtable.delete(lead)
    world.sync()
    world.airtable.restore(lead)
    world.airtable.rename_table("Prospects")
    world.sync(AIRTABLE_TABLE_NAME="Prospects")
    assert (world.card(lead)["closed"], rows(world, key_of(world, "Prospects"))) == (False, {lead})


def test_view_is_not_part_of_the_pair(crowd):
    """A lead that leaves it is left alone; without it everything is at rest."""
    crowd.airtable.add_view("Few", lambda cells: cells["name"] in ("Lead 0", "Lead 1", "Lead 2", "Lead 3", "Lead 4"))
    crowd.assert_idle(AIRTABLE_VIEW="Few")
    crowd.assert_idle()


def test_table_named_by_its_id_is_known_behind_a_view(released):
    """The view shows one of its leads, and the table holds all."""
    released.airtable.add_view("One", lambda cells: cells["name"] == "Dan")
    released.trello.move(released.card(released.leads["Dan"])["id"], "TODO")
    changes = {"AIRTABLE_VIEW": "One", "AIRTABLE_TABLE_NAME": released.airtable.table_id}
    report = released.sync(**changes)
    assert (report.conflicts, released.status(released.leads["Dan"])) == ([], "NEW")
    assert len(rows(released, key_of(released, released.airtable.table_id))) == 8
    released.assert_idle(**changes)


@pytest.mark.parametrize("board", ["id", "short-link"])
def test_webhook_of_a_table_named_by_its_id_is_still_known(crowd, board):
    """Its secret judges every ping; forgotten, each would be a forgery."""
    if board == "short-link":
        crowd.env["TRELLO_BOARD_ID"] = crowd.trello.board()["shortLink"]
    by_name, by_id = crowd.settings(), crowd.settings(AIRTABLE_TABLE_NAME=crowd.airtable.table_id)
    with open_clients(by_name) as clients:
        hooks = Webhooks(by_name, clients.airtable, clients.trello, clients.store, "http://127.0.0.1:1")
        hooks._remember(Known("achA", "c2VjcmV0"))
    crowd.sync(AIRTABLE_TABLE_NAME=crowd.airtable.table_id)
    store = StateStore(crowd.env["SYNC_STATE_URL"])
    assert load_known(store, by_id).airtable_id == "achA"
    store.close()
