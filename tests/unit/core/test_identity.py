"""Which card is which lead's: copies, unclear markers, templates; and a plan that does not hang on the rows' order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadsync.core.plan_rows import build_plan
from leadsync.core.reconcile import reconcile
from support.rows import (
    LISTS,
    World,
    agreed_world,
    base_row,
    card,
    card_id,
    is_idle,
    lead_id,
    one_lead,
    record,
    render,
    rules,
)

LEAD, CARD = lead_id(1), card_id(1)


def aside(plan):
    """Card -> reason and remedy."""
    return {row.card_id: f"{row.reason}. {row.remedy}" for row in plan.quarantine}


def copy_of(number, of=1, **columns):
    """Another card with the same marker."""
    return card(number, of=of, **columns)


# --- copies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copy", [0, 2], ids=["older-id", "newer-id"])
def test_copy_of_a_known_card_is_set_aside(copy):
    """The card the base knows goes on; the copy is listed with the remedy and is not written."""
    world = one_lead(record=record(status="LOST"), card=card(), base=base_row())
    world.with_lead(card=copy_of(copy, stage="IN_PROGRESS"))
    plan = world.sync()
    assert [write.card_id for write in plan.card_writes] == [CARD]
    assert not plan.lead_writes
    assert list(aside(plan)) == [card_id(copy)]
    assert "Remove the LeadID line from the copy" in aside(plan)[card_id(copy)]
    assert is_idle(world.plan())


def test_oldest_of_unknown_cards_is_the_card():
    """Without a base the oldest by id is adopted, and only the others are set aside."""
    world = one_lead(record=record(), card=copy_of(7))
    world.with_lead(card=copy_of(5)).with_lead(card=copy_of(9))
    plan = world.sync()
    assert plan.writes == 0
    assert world.base[LEAD]["card_id"] == card_id(5)
    assert set(aside(plan)) == {card_id(7), card_id(9)}


@pytest.mark.parametrize("state", [{"closed": True}, {"idBoard": "c" * 24}], ids=["archived", "moved-away"])
def test_copy_does_not_replace_a_known_card_that_is_out_of_sight(state):
    """The known card still exists; its copy must not take its place unasked."""
    world = one_lead(record=record(), card=card(**state), base=base_row()).with_lead(card=copy_of(2))
    plan = world.sync()
    assert plan.writes == 0
    assert world.base[LEAD]["card_id"] == CARD
    assert list(aside(plan)) == [card_id(2)]


def test_copy_takes_the_place_of_a_deleted_card():
    """The known card is gone for good: the next one with the marker is the card, and no new one is made."""
    world = one_lead(record=record(), base=base_row()).with_lead(card=copy_of(2))
    assert world.sync().writes == 0
    assert world.base[LEAD]["card_id"] == card_id(2)
    assert is_idle(world.plan())


def test_copy_without_its_marker_is_nobodys():
    """Once the remedy is followed nothing is listed."""
    world = one_lead(record=record(), card=card(), base=base_row())
    world.with_lead(card=copy_of(2, desc="a copy"))
    plan = world.plan()
    assert is_idle(plan)
    assert not plan.quarantine


# --- unclear markers ------------------------------------------------------------------------------------------


def two_markers():
    return f"{render(lead_id(1), 'ada@example.com', 'fair')}\nLeadID: {lead_id(2)}"


def test_unknown_card_with_two_markers_is_not_guessed_about():
    """Neither lead gets a second card, and neither is tied to this one."""
    world = one_lead(record=record(1), card=card(desc=two_markers())).with_lead(record=record(2))
    plan = world.sync()
    assert is_idle(plan)
    assert "two different leads" in aside(plan)[CARD]


def test_known_card_with_two_markers_is_left():
    """Its lead waits until a person has put it right; then it is compared as usual."""
    world = one_lead(record=record(status="LOST"), card=card(desc=two_markers()), base=base_row())
    assert world.sync().writes == 0
    world.cards[CARD] = card()
    assert [write.stage for write in world.sync().card_writes] == ["DONE"]


def test_card_with_two_markers_does_not_stop_leads_with_known_cards():
    """The base knows whose card is whose; a third card that names both is set aside, and the leads go on."""
    world = agreed_world(2).with_lead(card=card(3, desc=two_markers()))
    world.records[lead_id(1)]["fields"]["status"] = "LOST"
    plan = world.sync()
    assert [write.card_id for write in plan.card_writes] == [CARD]


def test_changed_marker_is_set_aside_with_the_line_to_put_back():
    """A person typed another lead's id into a known card: nothing is written to it, nor does its lead get a new one."""
    world = one_lead(record=record(status="LOST"), card=card(of=2), base=base_row())
    plan = world.sync()
    assert is_idle(plan)
    assert f"LeadID: {LEAD}" in aside(plan)[CARD]


def test_changed_marker_does_not_stop_the_other_lead():
    """The lead whose id was typed in has a card of its own, which the base knows."""
    world = agreed_world(2)
    world.cards[CARD] = card(1, of=2)
    world.records[lead_id(2)]["fields"]["status"] = "LOST"
    assert [write.card_id for write in world.sync().card_writes] == [card_id(2)]


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        pytest.param({"isTemplate": True}, "template", id="template"),
        pytest.param({"cardRole": "mirror"}, "mirror", id="mirror"),
        pytest.param({"cardRole": "separator"}, "separator", id="separator"),
    ],
)
def test_special_card_is_skipped_with_a_reason(columns, kind):
    """It is no lead's card: its lead gets one of its own, and the special card is never written."""
    world = one_lead(record=record(), card=card(**columns))
    plan = world.sync()
    assert [write.card_id for write in plan.card_writes] == [""]
    assert kind in aside(plan)[CARD]
    assert is_idle(world.plan())


@pytest.mark.parametrize("columns", [{"isTemplate": True}, {"cardRole": "mirror"}], ids=["template", "mirror"])
def test_known_card_turned_special_is_left(columns):
    """A known card made a template: no write, no second card."""
    world = one_lead(record=record(status="LOST"), card=card(**columns), base=base_row())
    assert is_idle(world.sync())


def test_card_without_a_marker_is_not_ours():
    """Not read, not listed."""
    world = agreed_world(1).with_lead(card=card(2, desc="Buy milk. LeadID: none"))
    plan = world.plan()
    assert is_idle(plan)
    assert not plan.quarantine


# --- whole and ordered ----------------------------------------------------------------------------------------


def mixed_world(seed):
    """Leads and cards in every state, chosen by `seed`."""
    choose = random.Random(seed)
    world = World()
    for number in range(1, 9):
        cells = {"status": choose.choice(["NEW", "LOST", "HOT", ""]), "name": choose.choice(["Ada", "", "Bo"])}
        columns = {"stage": choose.choice(list(LISTS)), "name": choose.choice(["Ada", "", "Bo"])}
        columns |= choose.choice([{}, {"closed": True}, {"isTemplate": True}, {"desc": two_markers()}, {"of": 3}])
        lead = record(number, **cells) if choose.random() < 0.8 else None
        on_board = card(number, **columns) if choose.random() < 0.8 else None
        base = base_row(number) if lead and choose.random() < 0.6 else None
        world.with_lead(record=lead, card=on_board, base=base)
        if choose.random() < 0.3:
            world.with_lead(card=copy_of(100 - number, of=number))
    return world


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_plan_does_not_hang_on_the_order_of_rows(seed, shuffle):
    """The same rows in any order give the same plan, to the last list."""
    by = rules()
    frames = mixed_world(seed).frames(by)
    shuffled = [frame.iloc[shuffle.sample(range(len(frame)), len(frame))] for frame in frames]
    plans = [build_plan(reconcile(*each, by), by) for each in (frames, shuffled)]
    assert plans[0] == plans[1]


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_every_lead_is_decided_once_in_order(seed):
    """Each lead and each base row has exactly one decision; decisions and writes are sorted by lead."""
    world = mixed_world(seed)
    decisions = world.decisions()
    assert decisions.index.is_unique
    assert decisions.index.is_monotonic_increasing
    assert set(decisions.index) >= set(world.records) | set(world.base)
    plan = world.plan()
    for writes in (plan.card_writes, plan.lead_writes):
        leads = [write.lead_id for write in writes]
        assert leads == sorted(set(leads))
    cards = [write.card_id for write in plan.card_writes if write.card_id]
    assert len(set(cards)) == len(cards)


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_any_world_settles_in_one_sync(seed):
    """Whatever was found, a second sync has nothing to do."""
    world = mixed_world(seed)
    world.sync()
    again = world.plan()
    assert is_idle(again), (again.changes, again.base_updates, again.forget)


def test_planner_leaves_its_input_as_it_was():
    """Pure: frames in, plan out."""
    by = rules()
    frames = mixed_world(4).frames(by)
    before = [frame.copy(deep=True) for frame in frames]
    build_plan(reconcile(*frames, by), by)
    for frame, copy in zip(frames, before, strict=True):
        assert frame.equals(copy)


def test_plan_of_nothing_is_empty():
    """Two empty sides and no base."""
    plan = World().plan()
    assert is_idle(plan)
    assert plan.changes == []


def test_plan_counts_and_orders_its_changes():
    """Trello's first, each in the order of the leads."""
    world = agreed_world(3)
    world.records[lead_id(2)]["fields"]["name"] = "Bo"
    world.records[lead_id(3)]["fields"]["status"] = "LOST"
    world.cards[CARD]["idList"] = LISTS["DONE"]
    plan = world.plan()
    assert plan.writes == 3
    assert [(change.lead_id, change.direction) for change in plan.changes] == [
        (lead_id(2), "to_trello"),
        (lead_id(3), "to_trello"),
        (lead_id(1), "to_airtable"),
    ]
