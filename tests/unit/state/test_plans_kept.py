"""Plans in the state database: which were applied, and which wait until somebody has read them."""

import pytest

from leadsync.errors import StateStoreError
from leadsync.state.kept import Review, Spent
from leadsync.state.noted import Noted
from leadsync.state.store import StateStore

PAIR = "app1/Leads/board"
SPENT = Spent("plan", "run", "2026-11-26 09:00:00 UTC")


@pytest.fixture
def store(tmp_path):
    made = StateStore(f"sqlite:///{tmp_path}/state.sqlite3")
    yield made
    made.close()


def test_plan_is_spent_with_what_it_journals(store):
    assert store.spent_plans.load(id="plan") is None
    store.journal.enter(PAIR, Noted({"rec1": {"status": "NEW"}}, spent=SPENT))
    assert (store.spent_plans.load(id="plan"), len(store.journal.load_base(PAIR))) == (SPENT, 1)


def test_plan_is_not_spent_if_the_journal_was_not_written(store):
    with pytest.raises((StateStoreError, TypeError)):
        store.journal.enter(PAIR, Noted({"rec1": {"airtable x": object(), "trello x": ""}}, spent=SPENT))
    assert store.spent_plans.load(id="plan") is None


def test_plan_is_not_spent_twice(store):
    """Nor is anything journalled the second time."""
    store.journal.enter(PAIR, Noted({}, spent=SPENT))
    with pytest.raises(StateStoreError):
        store.journal.enter(PAIR, Noted({"rec1": {"status": "NEW"}}, spent=SPENT))
    assert store.journal.load_base(PAIR).empty


def test_one_plan_a_pair_waits(store):
    """Another takes its place; a pair beside it is left alone."""
    store.reviews.save(Review(PAIR, "run 1", "{}"))
    store.reviews.save(Review("app2/Leads/board", "run 2", "{}"))
    store.reviews.save(Review(PAIR, "run 3", "[]"))
    assert store.reviews.load(run="run 1") is None
    assert store.reviews.load(pair=PAIR) == store.reviews.load(run="run 3") == Review(PAIR, "run 3", "[]")
    store.reviews.drop(run=["run 3"])
    assert store.reviews.load(pair=PAIR) is None
    assert store.reviews.load(run="run 2") is not None


@pytest.mark.parametrize(("plan", "left"), [('{"lead_id": "rec1"}', False), ('{"lead_id": "rec2"}', True)])
def test_plan_with_a_lead_that_is_to_be_forgotten_waits_no_more(store, plan, left):
    """Its values stand in there."""
    store.reviews.save(Review(PAIR, "run", plan))
    store.history.forget("another pair", "rec1")
    assert store.reviews.load(pair=PAIR) is not None
    store.history.forget(PAIR, "rec1")
    assert (store.reviews.load(pair=PAIR) is not None) is left
