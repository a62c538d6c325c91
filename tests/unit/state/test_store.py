"""The state database on SQLite: what goes in comes out, and every fault is a sentence."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
import sqlalchemy as sa

from leadsync.core.journal import CARD, LEAD, Intent, IntentState, Sent, intents_of
from leadsync.core.settling import Verdict
from leadsync.errors import StateStoreError
from leadsync.frames.agreed import BASE_COLUMNS, NEVER_AGREED, base_frame
from leadsync.state import database
from leadsync.state.noted import Noted
from leadsync.state.store import StateStore
from support.rows import agreed_world, base_row, by_lead, card_id, lead_id, record

PAIR = "appA/board"
LEAD_1 = lead_id(1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.sqlite3"


@pytest.fixture
def store(path):
    opened = StateStore(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture
def _short_wait(monkeypatch):
    monkeypatch.setattr(database, "LOCK_WAIT", 0.05)


def intent(number=1, side=CARD):
    return Intent(side, lead_id(number), card_id(number), {"stage": "DONE", "due_complete": False, "name": "Zoë 🦊"})


def journal(store, updates=None, forget=(), intents=()):
    store.journal.enter(PAIR, Noted(updates or {}, forget, intents))


# --- what goes in comes out -----------------------------------------------------------------------------------


def test_new_database_knows_nothing(store):
    """And its folder is made."""
    assert store.journal.load_base(PAIR).equals(base_frame())
    assert dict(store.journal.load_base(PAIR).dtypes) == dict(base_frame().dtypes)
    assert store.journal.load_intents(PAIR) == []
    assert store.facts.load(PAIR) is None
    assert store.holders.load(PAIR) == {}


def test_folder_is_made(tmp_path):
    """The user's data folder need not exist."""
    StateStore(f"sqlite:///{tmp_path / 'a' / 'b' / 'state.sqlite3'}").close()
    assert (tmp_path / "a" / "b" / "state.sqlite3").is_file()


def test_base_survives_a_restart(store, path):
    """Row by row, with its types, in the order of the leads."""
    rows = {lead_id(2): base_row(2, name="Zoë 🦊"), LEAD_1: base_row(due_complete=True)}
    journal(store, rows)
    store.close()
    again = StateStore(f"sqlite:///{path}")
    loaded = again.journal.load_base(PAIR)
    assert by_lead(loaded) == rows
    assert list(loaded.index) == sorted(rows)
    assert {type(each) for each in loaded["due_complete"]} == {bool}
    again.close()


def test_base_updates_may_be_partial(store):
    """Only the named columns change; a lead without a row gets one, the rest of it empty."""
    journal(store, {LEAD_1: base_row()})
    journal(store, {LEAD_1: {"status": "LOST"}, lead_id(2): {"card_id": card_id(2)}, lead_id(3): {}})
    base = by_lead(store.journal.load_base(PAIR))
    assert base[LEAD_1] == base_row(status="LOST")
    empty = {column: getattr(NEVER_AGREED, column) for column in BASE_COLUMNS}
    assert base[lead_id(2)] == empty | {"card_id": card_id(2)}
    assert lead_id(3) not in base


def test_forgotten_rows_are_gone(store):
    """And only they."""
    journal(store, {LEAD_1: base_row(1), lead_id(2): base_row(2)})
    journal(store, forget=[LEAD_1, lead_id(9)])
    assert list(store.journal.load_base(PAIR).index) == [lead_id(2)]


def test_intents_come_back_in_order(store):
    """Oldest first; those of an earlier run stay until it is known what became of them."""
    journal(store, intents=[intent(3)])
    several = [intent(2), intent(1), intent(1, LEAD)]
    journal(store, intents=several)
    assert store.journal.load_intents(PAIR) == [intent(3), *several]
    (oldest, *_) = store.journal.load_intents(PAIR)
    store.journal.enter(PAIR, Noted({}, [], [], [Verdict(oldest, took_effect=False, is_late=True, became=None)]))
    assert store.journal.load_intents(PAIR) == several


def test_record_ends_the_intents_of_its_side(store):
    """The API answered: what it returned is the base, and that intent is done, also if there is nothing to record."""
    journal(store, {LEAD_1: base_row()}, intents=[intent(1), intent(1, LEAD), intent(2)])
    store.journal.record(PAIR, CARD, {LEAD_1: {"title": "Ada L."}})
    assert store.journal.load_intents(PAIR) == [intent(1, LEAD), intent(2)]
    assert store.journal.load_base(PAIR).at[LEAD_1, "title"] == "Ada L."
    store.journal.record(PAIR, LEAD, {LEAD_1: {}})
    assert store.journal.load_intents(PAIR) == [intent(2)]


def test_record_leaves_all_writes_of_a_lead_to_be_checked(store):
    """An earlier one that nobody could judge may have landed on an edit before the newest was begun."""
    former, sent = Sent({"name": "older"}, {"name": "old"}), Sent({"name": "old"}, {"name": "new"})
    journal(store, {LEAD_1: base_row()}, intents=[replace(intent(1), sent=former, since=1.0)])
    journal(store, intents=[replace(intent(1), sent=sent, since=3.0)])
    store.journal.record(PAIR, CARD, {LEAD_1: {"title": "Ada L."}}, {LEAD_1: sent}, answered=5.0)
    rows = store.journal.load_intents(PAIR, *IntentState)
    assert [(row.state, row.sent, row.answered) for row in rows] == [
        (IntentState.UNCHECKED, former, 3.0),
        (IntentState.UNCHECKED, sent, 5.0),
    ]
    store.journal.end_intents(rows)
    assert store.journal.load_intents(PAIR, *IntentState) == []


def test_pairs_do_not_mix(store):
    """One database may serve several bases and boards."""
    journal(store, {LEAD_1: base_row()}, intents=[intent()])
    store.journal.enter("other", Noted({LEAD_1: base_row(status="LOST")}))
    store.journal.enter("other", Noted({}, [LEAD_1]))
    store.journal.record("other", CARD, {LEAD_1: {"status": "NEW"}})
    assert by_lead(store.journal.load_base(PAIR)) == {LEAD_1: base_row()}
    assert store.journal.load_intents(PAIR) == [intent()]


def test_plan_goes_into_the_journal_and_back(store):
    """What the planner makes, with pandas' own types in it, is what a database takes."""
    world = agreed_world(3).with_lead(record=record(4))
    world.records[LEAD_1]["fields"] |= {"status": "LOST", "email": "new@example.com", "name": "Ada L."}
    world.cards[card_id(2)] |= {"idList": "list-done", "dueComplete": True}
    world.cards[card_id(3)]["dueComplete"] = True
    plan = world.plan()
    journal(store, world.base | plan.base_updates, plan.forget, intents_of(plan, 0.0))
    assert store.journal.load_intents(PAIR) == intents_of(plan, 0.0)
    for write in plan.card_writes:
        store.journal.record(PAIR, CARD, {write.lead_id: write.record})
        store.journal.record(PAIR, CARD, {write.lead_id: write.undo})
    assert by_lead(store.journal.load_base(PAIR))[LEAD_1] == base_row()


def test_resolved_and_holder_are_replaced(store):
    """The newest counts."""
    for value in ({"a": "1"}, {"b": {"c": "ü"}}):
        store.facts.save("digest", value)
        store.holders.save(PAIR, value)
        assert store.facts.load("digest") == value
        assert store.holders.load(PAIR) == value


def test_journal_is_one_transaction(store):
    """Cut off in its middle, nothing of it is there."""
    journal(store, {LEAD_1: base_row()}, intents=[intent(1)])
    with pytest.raises(StateStoreError):
        journal(store, {LEAD_1: {"status": "LOST"}, lead_id(2): {"status": None}}, [LEAD_1], [intent(2)])
    assert by_lead(store.journal.load_base(PAIR)) == {LEAD_1: base_row()}
    assert store.journal.load_intents(PAIR) == [intent(1)]


def test_database_in_memory_works():
    """It has no file, and serves one process."""
    store = StateStore("sqlite://")
    assert store.database.path is None
    assert store.database.is_sqlite
    journal(store, {LEAD_1: base_row()})
    assert len(store.journal.load_base(PAIR)) == 1
    store.close()


# --- faults ---------------------------------------------------------------------------------------------------


def test_later_schema_is_refused(store, path):
    """An older program must not write into it."""
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE leadsync_schema SET version = 99")
    connection.close()
    with pytest.raises(StateStoreError, match="schema version 99.*nothing was written.*SYNC_STATE_URL"):
        StateStore(f"sqlite:///{path}")


def test_file_that_is_no_database_is_refused(path):
    """And is left as it was."""
    path.write_bytes(b"my novel, chapter one. " * 100)
    with pytest.raises(StateStoreError, match="could not be opened.*SYNC_STATE_URL"):
        StateStore(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"my novel")


def test_damaged_database_is_a_sentence(store, path):
    """Also when the damage shows only later."""
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE leadsync_base")
    connection.close()
    with pytest.raises(StateStoreError, match="could not be read"):
        StateStore(f"sqlite:///{path}").journal.load_base(PAIR)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://u:hushhush/x", "is no address of a database"),
        ("postgresql://u:hushhush", "is no address of a database"),
        ("postgresql://u:p@127.0.0.1:1/x?sslmode=hushhush", "could not be opened"),
        ("postgresql://u:p@127.0.0.1:1/x?port=hushhush", "could not be opened"),
        ("mysql://u:hushhush@127.0.0.1/x", "no such kind of database"),
        ("oracle+nobody://u:hushhush@127.0.0.1/x", "no such kind of database"),
        ("hushhush", "is no address of a database"),
    ],
)
def test_address_that_is_none_is_a_sentence_without_what_may_be_a_password(url, sentence):
    with pytest.raises(StateStoreError, match=sentence) as raised:
        StateStore(url)
    assert "hush" not in str(raised.value)


def test_folder_instead_of_a_file_is_a_sentence(tmp_path):
    """The path names a folder."""
    with pytest.raises(StateStoreError, match="could not be opened"):
        StateStore(f"sqlite:///{tmp_path}")


def test_folder_that_cannot_be_made_is_a_sentence(path):
    """A file stands in the way."""
    path.write_text("")
    with pytest.raises(StateStoreError, match="could not be opened"):
        StateStore(f"sqlite:///{path / 'below' / 'state.sqlite3'}")


def test_read_only_database_is_a_sentence(store, path):
    """It may be read; a write says why it cannot be."""
    store.close()
    read_only = sa.create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    store.database.engine = read_only
    assert store.journal.load_intents(PAIR) == []
    with pytest.raises(StateStoreError, match="could not be written.*readonly"):
        journal(store, {LEAD_1: base_row()})
    read_only.dispose()


@pytest.mark.usefixtures("_short_wait")
def test_database_held_by_another_program_is_a_sentence(path):
    """After a short wait."""
    store = StateStore(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StateStoreError, match="could not be written.*locked.*no other program"):
        journal(store, {LEAD_1: base_row()})
    other.execute("ROLLBACK")
    other.close()
    journal(store, {LEAD_1: base_row()})
    store.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        pytest.param("state.sqlite3", "SYNC_STATE_URL", id="a-bare-path"),
        pytest.param("", "SYNC_STATE_URL", id="empty"),
        pytest.param("nosuch://host/db", "use sqlite:///… or postgresql://…", id="unknown-kind"),
        pytest.param("postgresql+nosuch://host/db", "use sqlite:///… or postgresql://…", id="unknown-driver"),
        pytest.param(
            "postgresql://user:hushhush@host:54x2/db",
            "SYNC_STATE_URL",
            id="port-that-is-no-number",
        ),
    ],
)
def test_malformed_url_is_a_sentence(url, told):
    """With the setting's name, and without the password."""
    with pytest.raises(StateStoreError) as caught:
        StateStore(url)
    assert told in str(caught.value)
    assert "hushhush" not in str(caught.value)


def test_missing_driver_names_the_package(monkeypatch):
    """PostgreSQL needs one package more."""

    def no_driver(*_args, **_more):
        raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")

    monkeypatch.setattr(sa, "create_engine", no_driver)
    with pytest.raises(StateStoreError, match="needs psycopg; start with `uv run --extra postgres`"):
        StateStore("postgresql://user:hushhush@host/db")


def test_password_is_not_in_errors(monkeypatch):
    """The address is told without it; the driver is the one that is installed with the extra."""
    seen = []

    def refused(url, **more):
        seen.append((url.drivername, more))
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("connection refused\nmore"))

    monkeypatch.setattr(sa, "create_engine", refused)
    with pytest.raises(StateStoreError, match=r"user:\*\*\*@host/db.*\(connection refused\)") as caught:
        StateStore("postgresql://user:hushhush@host/db")
    assert "hushhush" not in str(caught.value)
    assert seen == [("postgresql+psycopg", {"connect_args": {"connect_timeout": 10}})]
