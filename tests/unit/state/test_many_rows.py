"""What the state keeps by rows, so that a run need not load nor write what does not concern it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from leadsync.core.lookups import Check
from leadsync.frames.snapshot import Concerned, Snapshot
from leadsync.state.noted import Noted
from leadsync.state.snapshots import CARDS, RECORDS
from leadsync.state.store import StateStore
from support.rows import base_row, card_id, lead_id

PAIR, OTHERS = "appA/Leads/board", "appB/Leads/board"


@pytest.fixture
def store(tmp_path):
    opened = StateStore(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    yield opened
    opened.close()


def a_card(number: int, lead: str = "") -> dict[str, str]:
    return {"id": card_id(number), "desc": f"text\nLeadID: {lead}" if lead else "text"}


def seen(*cards: int, leads: tuple[int, ...] = (), **more: object) -> Snapshot:
    records = {lead_id(each): {"id": lead_id(each)} for each in leads}
    return Snapshot(records, {card_id(each): a_card(each, lead_id(each)) for each in cards}, full_at=1.0, **more)


@pytest.fixture
def statements(store):
    """What is asked of the database, with how many rows each, from now on."""
    told: list[tuple[str, int]] = []

    def tell(_connection, cursor, statement, *_):
        told.append((statement.split()[0], cursor.rowcount))

    sa.event.listen(store.database.engine, "after_cursor_execute", tell)
    yield told
    sa.event.remove(store.database.engine, "after_cursor_execute", tell)


# --- base and journal -----------------------------------------------------------------------------------------


def test_thousands_of_rows_are_agreed_in_a_few_statements(store, statements):
    """Those that are new and those that are known; a first match of 50,000 must not take a statement a lead."""
    rows = {lead_id(number): base_row() for number in range(3_000)}
    store.journal.enter(PAIR, Noted(rows))
    store.journal.enter(PAIR, Noted({lead: {"title": "Ada"} for lead in rows}))
    assert len(statements) < 40
    assert set(store.journal.load_base(PAIR)["title"]) == {"Ada"}


def test_base_is_found_by_lead_and_by_card(store):
    rows = {lead_id(number): base_row() | {"card_id": card_id(number)} for number in (1, 2, 3)}
    store.journal.enter(PAIR, Noted(rows))
    store.journal.enter(OTHERS, Noted({lead_id(4): base_row() | {"card_id": card_id(1)}}))
    assert [*store.base.load(PAIR, leads=[lead_id(1)], cards=[card_id(3)]).index] == [lead_id(1), lead_id(3)]
    assert store.base.load(PAIR).empty


def test_known_leads_and_cards_are_counted_by_the_database(store):
    rows = {lead_id(number): base_row() for number in range(5)}
    rows[lead_id(1)]["card_presence"] = "archived"
    rows[lead_id(2)]["lead_presence"] = "gone"
    store.journal.enter(PAIR, Noted(rows))
    counted = store.base.counted(PAIR)
    assert (counted.any, counted.leads, counted.cards) == (True, 4, 4)
    assert not store.base.counted(OTHERS).any


# --- snapshots ------------------------------------------------------------------------------------------------


def test_cards_seen_are_found_by_id_and_by_the_lead_that_they_name(store):
    store.snapshots.save(PAIR, seen(1, 2, 3))
    assert store.snapshots.load_items(PAIR, CARDS, [card_id(1), card_id(9)]) == {card_id(1): a_card(1, lead_id(1))}
    assert store.snapshots.load_cards_of(PAIR, [lead_id(2)]).keys() == {card_id(2)}
    moved = seen(1, 2)
    moved.cards[card_id(2)] = a_card(2, lead_id(7))
    store.snapshots.save(PAIR, moved)
    assert store.snapshots.load_cards_of(PAIR, [lead_id(2), lead_id(3), lead_id(7)]).keys() == {card_id(2)}


def test_snapshot_of_a_part_leaves_the_others_as_they_are(store):
    """What is concerned is replaced, or deleted if it is no more; what is new is added; marks count for all."""
    store.snapshots.save(PAIR, seen(1, 2, 3, leads=(1, 2, 3)))
    concerned = Concerned(frozenset({lead_id(1), lead_id(2)}), frozenset({card_id(1)}))
    store.snapshots.save(PAIR, seen(4, leads=(1,), concerned=concerned, newest=5.0))
    kept = store.snapshots.load(PAIR)
    assert (kept.records.keys(), kept.cards.keys()) == ({lead_id(1), lead_id(3)}, {card_id(2), card_id(3), card_id(4)})
    assert (kept.newest, kept.concerned) == (5.0, None)


@pytest.mark.parametrize(("whole", "gone"), [(False, set()), (True, {lead_id(3)})])
def test_what_differs_from_what_was_seen_is_told(store, whole, gone):
    """What is not among the items is gone only if they are all there are."""
    store.snapshots.save(PAIR, seen(leads=(1, 2, 3)))
    now = seen(leads=(1, 2, 4)).records
    now[lead_id(2)] = {**now[lead_id(2)], "fields": {"name": "another"}}
    assert store.snapshots.differing(PAIR, RECORDS, now, whole) == {lead_id(2), lead_id(4)} | gone
    assert store.snapshots.differing(PAIR, RECORDS, {}, False) == set()


def test_idle_part_touches_no_row(store, statements):
    store.snapshots.save(PAIR, seen(1, leads=(1,)))
    del statements[:]
    store.snapshots.save(PAIR, seen(concerned=Concerned()))
    assert [told for told in statements if told[0] != "SELECT"] == [("INSERT", 1)], "marks alone"
    assert store.snapshots.load_items(PAIR, RECORDS).keys() == {lead_id(1)}


# --- what stands ----------------------------------------------------------------------------------------------


def test_what_does_not_rest_stands_until_it_does(store):
    standing = Concerned(frozenset({lead_id(1), lead_id(2)}), frozenset({card_id(1)}))
    store.snapshots.save(PAIR, seen(), standing)
    assert store.standing.load(PAIR) == standing
    later = Concerned(frozenset({lead_id(2), lead_id(3)}))
    store.snapshots.save(PAIR, seen(), later)
    store.snapshots.save(OTHERS, seen())
    assert (store.standing.load(PAIR), store.standing.load(OTHERS)) == (later, Concerned())


def test_checks_are_replaced_as_a_whole_or_of_some_cards(store):
    checks = {card_id(number): Check(float(number), "NEW") for number in (1, 2, 3)}
    store.checks.save(PAIR, checks)
    store.checks.save(PAIR, {card_id(1): Check(9.0, "LOST")}, {card_id(1), card_id(2)})
    assert store.checks.load(PAIR) == {card_id(1): Check(9.0, "LOST"), card_id(3): Check(3.0, "NEW")}
    assert store.checks.load(PAIR, [card_id(3)]) == {card_id(3): Check(3.0, "NEW")}
    store.checks.save(PAIR, {})
    assert store.checks.load(PAIR) == {}


# --- what a database of schema 4 held -------------------------------------------------------------------------


def test_checks_and_markers_of_schema_4_become_rows(store, tmp_path):
    """The checks were one fact, and nothing told which lead a card names."""
    store.snapshots.save(PAIR, seen(1, 2))
    store.facts.save(f"checks {PAIR}", {card_id(5): [3.5, "LOST"]})
    with store.database.writing() as connection:
        for index in ("leadsync_seen_by_marker", "leadsync_base_by_card"):
            connection.exec_driver_sql(f"DROP INDEX {index}")
        connection.exec_driver_sql("ALTER TABLE leadsync_seen DROP COLUMN marker")
        for table in ("leadsync_check", "leadsync_standing"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql("UPDATE leadsync_schema SET version = 4")
    store.close()
    again = StateStore(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    assert again.checks.load(PAIR) == {card_id(5): Check(3.5, "LOST")}
    assert again.facts.load(f"checks {PAIR}") is None
    assert again.snapshots.load_cards_of(PAIR, [lead_id(2)]).keys() == {card_id(2)}
    with again.database.reading() as connection:
        names = {index["name"] for index in sa.inspect(connection).get_indexes("leadsync_base")}
        assert names == {"leadsync_base_by_card"}
    again.close()
