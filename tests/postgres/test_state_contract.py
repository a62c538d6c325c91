"""What the state store promises holds on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import sqlalchemy as sa

from leadsync.core.journal import CARD, LEAD, Intent
from leadsync.errors import StateStoreError
from leadsync.frames.agreed import BASE_COLUMNS, NEVER_AGREED, base_frame
from leadsync.frames.snapshot import Snapshot
from leadsync.state.listed import Show
from leadsync.state.noted import Noted
from leadsync.state.pair import Pair, Rows
from leadsync.state.store import StateStore
from leadsync.state.tables import metadata
from support.rows import by_lead

PAIR = "appA/board"
ADA, BOB = (f"rec{number:014d}" for number in (1, 2))
EMPTY = {column: getattr(NEVER_AGREED, column) for column in BASE_COLUMNS}
ROW = EMPTY | {"card_id": "c" * 24, "status": "NEW", "stage": "TODO", "name": "Zoë 🦊", "title": "Zoë 🦊"}
TEXTS = {
    "emoji": "👩‍💻🦊",
    "right-to-left": "\u202eשלום",
    "controls": "\x01\x1b\x7f\x85\u2028",
    "quotes": "'; DROP TABLE leadsync_base; -- \" % %s :name \\",
    "long": "x" * 16_384,
    "blanks": " a\tb\r\nc ",
}


@pytest.fixture
def store(url):
    opened = StateStore(url)
    yield opened
    opened.close()


def journal(store, updates=None, forget=(), intents=()):
    store.journal.enter(PAIR, Noted(updates or {}, forget, intents))


def intent(lead=ADA, side=CARD, **record):
    return Intent(side, lead, "c" * 24, record or {"stage": "DONE", "due_complete": False, "name": "Zoë 🦊"})


def test_new_database_knows_nothing(store):
    assert store.journal.load_base(PAIR).equals(base_frame())
    assert (store.journal.load_intents(PAIR), store.facts.load(PAIR), store.holders.load(PAIR)) == ([], None, {})


def test_everything_survives_a_restart(store, url):
    journal(store, {BOB: ROW, ADA: ROW | {"due_complete": True}}, intents=[intent()])
    store.facts.save("digest", {"lists": {"TODO": "ü"}})
    store.holders.save(PAIR, {"pid": 1})
    store.close()
    again = StateStore(url)
    base = again.journal.load_base(PAIR)
    assert (list(base.index), base["due_complete"].tolist()) == ([ADA, BOB], [True, False])
    assert tuple(base.columns) == BASE_COLUMNS
    assert by_lead(base)[BOB] == ROW
    assert again.journal.load_intents(PAIR) == [intent()]
    assert (again.facts.load("digest"), again.holders.load(PAIR)) == ({"lists": {"TODO": "ü"}}, {"pid": 1})
    again.close()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_any_text_comes_back_as_it_went_in(store, text):
    journal(store, {ADA: ROW | {"name": text}}, intents=[intent(name=text)])
    assert store.journal.load_base(PAIR).at[ADA, "name"] == text
    assert store.journal.load_intents(PAIR)[0].record == {"name": text}


def test_update_may_be_partial(store):
    journal(store, {ADA: ROW})
    journal(store, {ADA: {"status": "LOST"}, BOB: {"card_id": "d" * 24}})
    assert by_lead(store.journal.load_base(PAIR)) == {
        ADA: ROW | {"status": "LOST"},
        BOB: EMPTY | {"card_id": "d" * 24},
    }


def test_record_ends_the_intents_of_its_side_only(store):
    journal(store, {ADA: ROW}, intents=[intent(), intent(side=LEAD), intent(BOB)])
    store.journal.record(PAIR, CARD, {ADA: {"title": "Ada"}})
    assert store.journal.load_intents(PAIR) == [intent(side=LEAD), intent(BOB)]
    store.journal.record(PAIR, LEAD, {ADA: {}})
    assert store.journal.load_intents(PAIR) == [intent(BOB)]
    assert store.journal.load_base(PAIR).at[ADA, "title"] == "Ada"


def test_intents_keep_their_order(store):
    several = [intent(f"rec{number:014d}") for number in (7, 3, 9, 1, 5)]
    journal(store, intents=[intent(BOB)])
    journal(store, intents=several)
    assert store.journal.load_intents(PAIR) == [intent(BOB), *several]


def test_forgotten_row_is_gone(store):
    journal(store, {ADA: ROW, BOB: ROW})
    journal(store, forget=[ADA, "rec" + "X" * 14])
    assert list(store.journal.load_base(PAIR).index) == [BOB]


def test_pairs_do_not_mix(store):
    journal(store, {ADA: ROW}, intents=[intent()])
    store.journal.enter("other", Noted({ADA: ROW | {"status": "LOST"}}))
    store.journal.record("other", CARD, {ADA: {"status": "NEW"}})
    store.journal.enter("other", Noted({}, [ADA]))
    assert (by_lead(store.journal.load_base(PAIR)), store.journal.load_intents(PAIR)) == (
        {ADA: ROW},
        [intent()],
    )


def test_facts_and_holder_are_replaced(store):
    for value in ({"a": 1}, {"b": {"c": "ü"}}):
        store.facts.save("digest", value)
        store.holders.save(PAIR, value)
        assert (store.facts.load("digest"), store.holders.load(PAIR)) == (value, value)


def test_journal_is_one_transaction(store):
    journal(store, {ADA: ROW}, intents=[intent()])
    with pytest.raises(StateStoreError, match="could not be written"):
        journal(store, {ADA: {"status": "LOST"}, BOB: {"status": None}}, [ADA], [intent(BOB)])
    assert (by_lead(store.journal.load_base(PAIR)), store.journal.load_intents(PAIR)) == (
        {ADA: ROW},
        [intent()],
    )


def test_record_is_one_transaction(store):
    journal(store, {ADA: ROW}, intents=[intent()])
    with pytest.raises(StateStoreError, match="could not be written"):
        store.journal.record(PAIR, CARD, {ADA: {"status": "LOST"}, BOB: {"status": None}})
    assert (by_lead(store.journal.load_base(PAIR)), store.journal.load_intents(PAIR)) == (
        {ADA: ROW},
        [intent()],
    )


def test_later_schema_is_refused(store, url):
    with store.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE leadsync_schema SET version = 99"))
    with pytest.raises(StateStoreError, match="schema version 99.*nothing was written.*SYNC_STATE_URL"):
        StateStore(url)


def test_dropped_table_is_a_sentence(store):
    with store.database.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE leadsync_base"))
    with pytest.raises(StateStoreError, match="could not be read.*SYNC_STATE_URL"):
        store.journal.load_base(PAIR)


@pytest.fixture
def _opened_in_step():
    """Whoever makes the tables waits for a second one who found none either, and then takes a while for each."""
    barrier = threading.Barrier(2, timeout=1)

    def meet(*_args, **_more):
        with suppress(threading.BrokenBarrierError):
            barrier.wait()

    def dawdle(*_args, **_more):
        time.sleep(0.03)

    sa.event.listen(metadata, "before_create", meet)
    for table in metadata.tables.values():
        sa.event.listen(table, "after_create", dawdle)
    yield
    for table in metadata.tables.values():
        sa.event.remove(table, "after_create", dawdle)
    sa.event.remove(metadata, "before_create", meet)


@pytest.mark.usefixtures("_opened_in_step")
def test_two_programs_may_open_a_fresh_database_at_once(url):
    """The first two runs of a pair: one of them syncs, and the other is told that it does."""
    with ThreadPoolExecutor(2) as pool:
        for opening in [pool.submit(StateStore, url) for _ in range(2)]:
            opening.result().close()


def seen(**more):
    cards = {"c" * 24: {"id": "c" * 24, "desc": "\0\ud800 'quoted' %s", "closed": False}}
    return Snapshot(
        records={ADA: {"id": ADA, "fields": {"name": "Zoë 🦊"}}}, cards=cards, full_at=1.5, actions=["a"], **more
    )


def test_what_was_seen_survives_a_restart_whole(store, url):
    """Items and marks as they went in; texts that no column could hold included."""
    store.snapshots.save(PAIR, seen())
    store.snapshots.save("another/pair", Snapshot(records={BOB: {"id": BOB}}, full_at=1.0))
    store.close()
    again = StateStore(url)
    assert again.snapshots.load(PAIR) == seen()
    assert again.snapshots.load("a third") == Snapshot()
    again.close()


def test_seen_items_are_replaced_one_by_one(store):
    """What changed is replaced, what left is deleted, what stayed stays."""
    store.snapshots.save(PAIR, seen())
    later = seen(open_cards=2)
    later.cards = {"d" * 24: {"id": "d" * 24}}
    later.records[BOB] = {"id": BOB}
    store.snapshots.save(PAIR, later)
    assert store.snapshots.load(PAIR) == later


def test_forgotten_seen_is_not_relied_on(store):
    """Between the first write and the end of a run it is not certain what both sides look like."""
    store.snapshots.save(PAIR, seen())
    store.snapshots.forget(PAIR)
    assert store.snapshots.load(PAIR) == Snapshot()


def test_calls_add_up_from_several_runs_at_once(store):
    """No count is lost, not even of those that begin the month together."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.calls.add("2026-11", 3), range(16)))
    assert (store.calls.load("2026-11"), store.calls.load("2026-12")) == (48, 0)


def test_database_of_the_first_schema_is_taken_over(store, url):
    """Its base stays; the tables that came later are added."""
    journal(store, {ADA: ROW})
    with store.database.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE leadsync_seen"))
        connection.execute(sa.text("DROP TABLE leadsync_calls"))
        connection.execute(sa.text("UPDATE leadsync_schema SET version = 1"))
    store.close()
    again = StateStore(url)
    again.snapshots.save(PAIR, seen())
    assert by_lead(again.journal.load_base(PAIR))[ADA] == ROW
    again.close()


# Rows of one pair under another key

UNNAMED, LEADS = Pair.of(PAIR), Pair("appA", "Leads/2026 🦊 %_", "board")


def test_renamed_key_keeps_everything(store):
    """Base, journal, items seen, and facts; the holder is the lock's, and what lay under the new key is replaced."""
    journal(store, {ADA: ROW}, intents=[intent()])
    store.snapshots.save(PAIR, seen())
    store.facts.save("webhook:appA/Leads/board", {"kept": 1})
    store.holders.save(PAIR, {"pid": 1})
    store.snapshots.save(LEADS.key, Snapshot(records={BOB: {"id": BOB}}, full_at=1.0))
    store.keys.take_over(UNNAMED, LEADS, "board")
    assert by_lead(store.journal.load_base(LEADS.key)) == {ADA: ROW}
    assert (store.journal.load_intents(LEADS.key), store.snapshots.load(LEADS.key)) == ([intent()], seen())
    assert (len(store.journal.load_base(PAIR)), store.journal.load_intents(PAIR), store.snapshots.load(PAIR)) == (
        0,
        [],
        Snapshot(),
    )
    assert (store.holders.load(PAIR), store.facts.load("webhook:appA/Leads/board")) == ({"pid": 1}, {"kept": 1})


def test_renamed_key_takes_facts_along_by_either_name_of_the_board(store):
    """And no other pair's."""
    named = Pair("appA", "tblA", "board")
    for board in ("board", "AbCd1234", "other"):
        store.facts.save(f"webhook:appA/tblA/{board}", {"at": board})
    store.keys.take_over(named, LEADS, "AbCd1234")
    assert [store.facts.load(f"webhook:appA/{LEADS.table}/{board}") for board in ("board", "AbCd1234", "other")] == [
        {"at": "board"},
        {"at": "AbCd1234"},
        None,
    ]
    assert store.facts.load("webhook:appA/tblA/other") == {"at": "other"}


def test_facts_under_the_new_key_outlive_a_renaming(store):
    """A webhook made since has the secret that counts; what was seen under it belongs to no rows."""
    store.facts.save("webhook:appA/tblA/board", {"at": "before"})
    store.facts.save(f"webhook:{LEADS.key}", {"at": "now"})
    store.snapshots.save(LEADS.key, seen())
    store.keys.take_over(Pair("appA", "tblA", "board"), LEADS, "board")
    assert store.facts.load(f"webhook:{LEADS.key}") == {"at": "now"}
    assert store.snapshots.load(LEADS.key) == Snapshot()


def test_leads_are_taken_one_by_one(store):
    """Their rows of base and journal; what a key knows of other leads stays."""
    journal(store, {ADA: ROW, BOB: ROW}, intents=[intent(ADA), intent(BOB)])
    store.keys.take_leads({UNNAMED: {ADA}}, LEADS)
    for key, lead in ((LEADS.key, ADA), (PAIR, BOB)):
        assert by_lead(store.journal.load_base(key)) == {lead: ROW}
        assert store.journal.load_intents(key) == [intent(lead)]


def test_renaming_a_key_is_one_transaction(store, monkeypatch):
    journal(store, {ADA: ROW}, intents=[intent()])

    def fail(*_args):
        raise ValueError("cut")

    monkeypatch.setattr("leadsync.state.keys.rename_facts", fail)
    with pytest.raises(StateStoreError, match="could not be written"):
        store.keys.take_over(UNNAMED, LEADS, "board")
    assert (len(store.journal.load_base(PAIR)), len(store.journal.load_base(LEADS.key))) == (1, 0)
    assert store.journal.load_intents(PAIR) == [intent()]


def test_former_keys_are_those_of_the_same_base_and_board(store):
    """With what they know as present, or are about to make; none once a pair has rows, be they of its journal only."""
    gone = ROW | {"lead_presence": "gone"}
    journal(store, {ADA: ROW | {"lead_presence": "present"}, BOB: gone})
    for key in ("appA/Leads/other", "appAB/Leads/board", "appB/board"):
        store.journal.enter(key, Noted({ADA: ROW}))
    store.journal.enter("appA/tblA/board", Noted({}, [], [intent(BOB)]))
    known = [
        Rows(UNNAMED, frozenset({ADA}), frozenset({BOB})),
        Rows(Pair("appA", "tblA", "board"), frozenset({BOB}), frozenset()),
    ]
    assert store.keys.load_former(LEADS) == known
    store.journal.enter(LEADS.key, Noted({}, [], [intent()]))
    assert store.keys.load_former(LEADS) == []


def test_leads_known_elsewhere_are_those_of_other_pairs_on_the_board(store):
    """Of any base; known by base or journal."""
    cid, dan, eve = (f"rec{number:014d}" for number in (3, 4, 5))
    store.journal.enter("appB/Leads/board", Noted({BOB: ROW}, [], [intent(cid)]))
    store.journal.enter("appB/Leads/other", Noted({dan: ROW}))
    journal(store, {ADA: ROW})
    wanted = {ADA, BOB, cid, dan, eve, *(f"rec{number:014d}" for number in range(100, 1300))}
    assert store.keys.known_elsewhere(PAIR, wanted) == {BOB, cid}
    assert store.keys.known_elsewhere("appB/Leads/board", {ADA, BOB}) == {ADA}
    assert store.keys.known_elsewhere(PAIR, set()) == set()


def test_leads_are_listed_and_found_alike(store):
    """Page by page in the order of titles, those without a card last; in any case, whichever letters."""
    known = {"Ada": ADA, "Özge": BOB}
    for name, lead in known.items():
        cells = {"airtable line:E-mail\temail": f"{name}@x.example", "trello line:E-mail\temail": ""}
        journal(store, {lead: ROW | cells | {"name": name, "title": name, "card_id": lead.ljust(24, "0")}})
    journal(store, {BOB: {"card_presence": "archived", "lead_presence": "gone"}})
    new = {"id": f"rec{3:014d}", "createdTime": "", "fields": {"name": "Zoë"}}
    store.snapshots.save(PAIR, Snapshot(records={new["id"]: new}))

    def found(search="", show=Show.ALL, **more):
        listed = store.listed.load(PAIR, search, show, **more)
        return [row.lead_id for row in listed.rows], listed.total

    assert found() == ([ADA, BOB, new["id"]], 3)
    assert found(start=1, count=1) == ([BOB], 3)
    assert found("öZGE") == found("ÖZGE@X") == found(BOB) == ([BOB], 1)
    assert found("zoË") == found(show=Show.NEW) == ([new["id"]], 1)
    assert found("mail") == found("%") == found("x", Show.NEW) == ([], 0)
    assert found(show=Show.SHUT) == found(show=Show.GONE) == found(show=Show.DECIDE, among=[BOB]) == ([BOB], 1)
    assert [row.agreed.name for row in store.listed.load_some(PAIR, [ADA, "recNobody"]).values()] == ["Ada"]
