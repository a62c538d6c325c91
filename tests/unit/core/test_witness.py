"""The feed as a witness: what it proves of a write that was cut off, and what it does not."""

from __future__ import annotations

import pytest

from leadsync.core.feed import Feed
from leadsync.core.journal import CARD, LEAD, Intent
from leadsync.core.witness import unclear, witnessed
from leadsync.frames.actions import Action, moment
from support.rows import LISTS, base_row, card, card_id, lead_id, one_lead, record

LEAD_1, CARD_1 = lead_id(1), card_id(1)
MOVED, WRITTEN, EDITED = "CONTACTED", "IN_PROGRESS", "DONE"
CUT_AT = "2026-11-02T09:00:00.000Z"
YESTERDAY = "2026-11-01T09:00:00.000Z"


def action(cell, old, new, number=1, date="2026-11-02T09:00:01.000Z"):
    """An updateCard as the feed has it."""
    data = {"card": {"id": card_id(number), cell: new}, "old": {cell: old}}
    return {"type": "updateCard", "data": data, "date": date}


def feed_of(items):
    """Actions as the service sends them."""
    return Feed([Action.of(item) for item in items])


def move_intent(stage="IN_PROGRESS"):
    record = {"status": MOVED, "stage": stage, "due_complete": False}
    return Intent(CARD, LEAD_1, CARD_1, record, since=moment(CUT_AT))


@pytest.mark.parametrize(
    ("stage", "asked"),
    [
        pytest.param("IN_PROGRESS", False, id="as-intended"),
        pytest.param("DONE", True, id="a-third-list"),
        pytest.param("", True, id="parked"),
        pytest.param(
            "TODO",
            True,
            id="as-the-base",
        ),
    ],
)
def test_feed_is_asked_whenever_the_card_does_not_hold_what_we_wrote(stage, asked):
    """Never written, or written and moved on, also back to where it was: only the feed can tell."""
    world = one_lead(record=record(), card=card(stage=stage), base=base_row())
    base, _, trello = world.read()
    assert bool(unclear(base, [move_intent()], trello)) is asked


def test_writes_to_leads_and_new_cards_are_never_unclear():
    """The feed knows nothing of them."""
    world = one_lead(record=record(), card=card(stage="DONE"), base=base_row())
    base, _, trello = world.read()
    record_of = move_intent().record
    others = [Intent(LEAD, LEAD_1, CARD_1, record_of), Intent(CARD, LEAD_1, "", record_of)]
    others += [Intent(CARD, lead_id(2), card_id(2), record_of)]
    assert unclear(base, others, trello) == []


def test_feed_witnesses_a_value_that_was_replaced():
    """Somebody took away what we had written: so it had been written."""
    todo, ours, done = (LISTS[stage] for stage in ("TODO", "IN_PROGRESS", "DONE"))
    feed = [action("idList", ours, done), action("idList", todo, ours)]
    assert witnessed([move_intent()], feed_of(feed), LISTS) == {(LEAD_1, "stage")}
    named = Intent(CARD, LEAD_1, CARD_1, {"name": "Ada L.", "title": "Ada L."})
    assert witnessed([named], feed_of([action("name", "Ada L. ", "Countess")]), LISTS) == {(LEAD_1, "title")}


@pytest.mark.parametrize(
    "feed",
    [
        pytest.param([], id="empty"),
        pytest.param([action("idList", LISTS["TODO"], LISTS["DONE"])], id="another-value-replaced"),
        pytest.param([action("idList", LISTS["IN_PROGRESS"], LISTS["DONE"], number=2)], id="another-card"),
        pytest.param([{"type": "updateCard", "data": {}}, {"type": "deleteCard"}], id="other-actions"),
        pytest.param([action("desc", LISTS["IN_PROGRESS"], "x")], id="another-cell"),
    ],
)
def test_feed_does_not_witness_what_it_does_not_show(feed):
    """No proof without the value itself."""
    assert witnessed([move_intent()], feed_of(feed), LISTS) == set()


def test_feed_does_not_witness_by_an_older_story():
    """Yesterday a person moved the card from IN_PROGRESS to TODO; today from TODO to DONE; we wrote nothing."""
    today = action("idList", LISTS["TODO"], LISTS["DONE"])
    feed = [today, action("idList", LISTS["IN_PROGRESS"], LISTS["TODO"], date=YESTERDAY)]
    assert witnessed([move_intent()], feed_of(feed), LISTS) == set()
