"""What settles after a cut: a cut-off run's own traces are not mistaken for a person's edits."""

from __future__ import annotations

import json

import pytest

from leadsync.core.journal import CARD, LEAD, Intent, intents_of
from leadsync.core.plan_rows import build_plan
from leadsync.core.reconcile import reconcile
from leadsync.core.settling import settle
from leadsync.core.witness import Proof
from leadsync.frames.agreed import base_frame
from support.rows import (
    LISTS,
    World,
    base_row,
    by_lead,
    card,
    card_id,
    is_idle,
    lead_id,
    one_lead,
    record,
    render,
    rules,
)

LEAD_1, CARD_1 = lead_id(1), card_id(1)


def cut(world, writes=(), **choices):
    """Plan, journal, carry out only the writes whose number is in `writes`, record nothing. Returns: the intents."""
    plan = world.plan(**choices)
    base, intents = dict(world.base), intents_of(plan, 0.0)
    everything = [*plan.card_writes, *plan.lead_writes]
    done = [everything[number] for number in writes]
    plan.card_writes = [write for write in plan.card_writes if write in done]
    plan.lead_writes = [write for write in plan.lead_writes if write in done]
    updates, plan.base_updates = plan.base_updates, {}
    world.apply(plan)
    world.base = base
    for lead, columns in updates.items():  # these are journalled with the intents
        world.base[lead] = {**base_row(), **world.base.get(lead, {}), **columns}
    return [Intent(item.side, item.lead_id, item.card_id, json.loads(json.dumps(item.record))) for item in intents]


def next_plan(world, intents, proven=(), **choices):
    """The next run's plan: settle first."""
    by = rules(**choices)
    base, airtable, trello = world.read()
    settled = settle(base, intents, airtable, trello, Proof(frozenset(proven)))
    world.base = by_lead(settled)
    frames = world.frames(by)
    return build_plan(reconcile(*frames, by), by)


def told(plan):
    """What a plan writes, shortly."""
    cards = [(write.lead_id, "card", write.stage, write.title) for write in plan.card_writes]
    return cards + [(write.lead_id, "lead", *write.fields.values()) for write in plan.lead_writes]


# --- one cell, to Trello --------------------------------------------------------------------------------------

MOVED, WRITTEN, EDITED = "CONTACTED", "IN_PROGRESS", "DONE"


def edit_lead(world, status):
    world.records[LEAD_1]["fields"]["status"] = status


def move_card(world, stage):
    world.cards[CARD_1]["idList"] = LISTS[stage]


def cut_while_moving_a_card(took_effect):
    """The lead went from NEW to CONTACTED, and the run was cut before it recorded the card's move."""
    world = one_lead(record=record(status=MOVED), card=card(), base=base_row())
    return world, cut(world, [0] if took_effect else [])


@pytest.mark.parametrize(
    ("took_effect", "lead", "on_board", "written"),
    [
        pytest.param(True, MOVED, WRITTEN, [], id="written-nobody-edited"),
        pytest.param(True, "QUALIFIED", WRITTEN, [(LEAD_1, "card", "DONE", None)], id="written-source-edited"),
        pytest.param(False, MOVED, "TODO", [(LEAD_1, "card", WRITTEN, None)], id="not-written-nobody-edited"),
        pytest.param(False, "QUALIFIED", "TODO", [(LEAD_1, "card", "DONE", None)], id="not-written-source-edited"),
        pytest.param(False, "NEW", "TODO", [], id="not-written-source-put-back"),
        pytest.param(True, "NEW", WRITTEN, [(LEAD_1, "card", "TODO", None)], id="written-source-put-back"),
    ],
)
def test_card_move_cut_off_by_what_became_of_it(took_effect, lead, on_board, written):
    """Neither our own trace nor an edit of the source afterwards is a conflict."""
    world, intents = cut_while_moving_a_card(took_effect)
    edit_lead(world, lead)
    move_card(world, on_board)
    plan = next_plan(world, intents)
    assert told(plan) == written
    assert not plan.conflicts
    world.apply(plan)
    assert is_idle(world.plan())


@pytest.mark.parametrize("stage", ["TODO", "DONE"], ids=["put-back", "elsewhere"])
def test_card_edited_after_our_write_is_an_edit_if_the_feed_proves_it(stage):
    """The feed shows that somebody replaced the value we wrote: the write took effect, and the rest is an edit."""
    world, intents = cut_while_moving_a_card(took_effect=True)
    move_card(world, stage)
    plan = next_plan(world, intents, proven={(LEAD_1, "stage")})
    assert told(plan) == [(LEAD_1, "lead", {"TODO": "NEW", "DONE": "QUALIFIED"}[stage])]
    assert not plan.conflicts


def test_card_edited_after_an_unproven_write_is_listed_as_a_conflict():
    """Nothing proves that we wrote: then both sides left the base, and a person is told."""
    world, intents = cut_while_moving_a_card(took_effect=False)
    move_card(world, "DONE")
    plan = next_plan(world, intents)
    assert [(found.field, found.airtable, found.trello) for found in plan.conflicts] == [("status", MOVED, "DONE")]


def test_both_sides_edited_after_our_write_are_a_conflict():
    """The card still has what we wrote, or was moved on; the lead moved, too."""
    world, intents = cut_while_moving_a_card(took_effect=True)
    edit_lead(world, "QUALIFIED")
    move_card(world, "TODO")
    plan = next_plan(world, intents, proven={(LEAD_1, "stage")})
    assert len(plan.conflicts) == 1


# --- one cell, to Airtable ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("took_effect", "lead", "on_board", "written"),
    [
        pytest.param(True, "CONTACTED", "IN_PROGRESS", [], id="written-nobody-edited"),
        pytest.param(True, "CONTACTED", "DONE", [(LEAD_1, "lead", "QUALIFIED")], id="written-source-edited"),
        pytest.param(True, "CONTACTED", "TODO", [(LEAD_1, "lead", "NEW")], id="written-source-put-back"),
        pytest.param(False, "NEW", "IN_PROGRESS", [(LEAD_1, "lead", "CONTACTED")], id="not-written-nobody-edited"),
        pytest.param(False, "NEW", "DONE", [(LEAD_1, "lead", "QUALIFIED")], id="not-written-source-edited"),
        pytest.param(False, "NEW", "TODO", [], id="not-written-source-put-back"),
    ],
)
def test_lead_write_cut_off_by_what_became_of_it(took_effect, lead, on_board, written):
    """The mirror image: the card was moved, the lead was to follow."""
    world = one_lead(record=record(), card=card(stage="IN_PROGRESS"), base=base_row())
    intents = cut(world, [0] if took_effect else [])
    edit_lead(world, lead)
    move_card(world, on_board)
    plan = next_plan(world, intents)
    assert told(plan) == written
    assert not plan.conflicts


def test_lead_edited_after_an_unproven_write_is_listed_as_a_conflict():
    """Airtable has no feed: what cannot be told apart is said, not guessed."""
    world = one_lead(record=record(), card=card(stage="IN_PROGRESS"), base=base_row())
    intents = cut(world)
    edit_lead(world, "LOST")
    assert len(next_plan(world, intents).conflicts) == 1


@pytest.mark.parametrize("took_effect", [True, False])
def test_name_write_cut_off_is_settled(took_effect):
    """Names go the same way, in either direction."""
    world = one_lead(record=record(name="Ada L."), card=card(), base=base_row())
    intents = cut(world, [0] if took_effect else [])
    world.records[LEAD_1]["fields"]["name"] = "Countess"
    plan = next_plan(world, intents)
    assert told(plan) == [(LEAD_1, "card", None, "Countess")]
    assert not plan.conflicts
    world = one_lead(record=record(), card=card(name="Ada L."), base=base_row())
    intents = cut(world, [0] if took_effect else [])
    world.cards[CARD_1]["name"] = "Countess"
    plan = next_plan(world, intents)
    assert told(plan) == [(LEAD_1, "lead", "Countess")]
    assert not plan.conflicts


def test_mark_done_cut_between_card_and_lead_goes_on():
    """The card went to DONE, the lead was not yet written."""
    world = one_lead(record=record(), card=card(dueComplete=True), base=base_row())
    intents = cut(world, [0])
    assert world.cards[CARD_1]["idList"] == LISTS["DONE"]
    plan = next_plan(world, intents)
    assert told(plan) == [(LEAD_1, "lead", "QUALIFIED")]
    assert not plan.conflicts


def test_tick_taken_away_is_settled_with_the_list():
    """Moved out of DONE with its tick cleared, then ticked by a person: that is a new mark."""
    base = base_row(status="LOST", stage="DONE", due_complete=True)
    world = one_lead(record=record(), card=card(stage="DONE", dueComplete=True), base=base)
    intents = cut(world, [0])
    assert world.cards[CARD_1]["dueComplete"] is False
    world.cards[CARD_1]["dueComplete"] = True
    plan = next_plan(world, intents)
    assert told(plan) == [(LEAD_1, "card", "DONE", None), (LEAD_1, "lead", "QUALIFIED")]


@pytest.mark.parametrize("took_effect", [True, False])
@pytest.mark.parametrize("cell", ["email", "source"])
def test_block_write_cut_off_is_settled(cell, took_effect):
    """If the block holds the new line it was written; an edit of the lead since goes on as usual."""
    world = one_lead(record=record(**{cell: "new"}), card=card(), base=base_row())
    intents = cut(world, [0] if took_effect else [])
    world.records[LEAD_1]["fields"][cell] = "newer"
    plan = next_plan(world, intents)
    [change] = plan.changes
    assert (change.field, change.after, change.note) == (cell, "newer", "")
    world.apply(plan)
    assert is_idle(world.plan())


# --- whole cards ----------------------------------------------------------------------------------------------


def test_created_card_cut_off_is_found_by_its_marker():
    """The POST took effect: no second card, and edits since are edits."""
    world = one_lead(record=record())
    intents = cut(world, [0])
    [made] = world.cards
    edit_lead(world, "CONTACTED")
    plan = next_plan(world, intents)
    assert told(plan) == [(LEAD_1, "card", "IN_PROGRESS", None)]
    assert world.base[LEAD_1]["card_id"] == made
    assert not plan.conflicts


def test_created_card_that_never_came_to_be_is_created():
    """The POST did not take effect."""
    world = one_lead(record=record())
    intents = cut(world)
    plan = next_plan(world, intents)
    assert [write.card_id for write in plan.card_writes] == [""]


def test_created_card_moved_by_a_person_is_an_edit():
    """Between the cut and the next run the new card was moved: that reaches the lead, and is no conflict."""
    world = one_lead(record=record())
    intents = cut(world, [0])
    [made] = world.cards.values()
    made["idList"] = LISTS["DONE"]
    plan = next_plan(world, intents)
    assert told(plan) == [(LEAD_1, "lead", "QUALIFIED")]
    assert not plan.conflicts


@pytest.mark.parametrize("source", ["fair", "by hand"])
def test_created_card_that_a_person_gave_to_another_lead_meets_that_for_the_first_time(source):
    """Nobody has typed the name of the one, nor its status, for the other, whose own card was about to be made."""
    world = one_lead(record=record()).with_lead(record=record(2, name="Bob", email="bob@example.com", status="LOST"))
    intents = cut(world, [0])
    [made] = world.cards.values()
    made["desc"] = made["desc"].replace(LEAD_1, lead_id(2)).replace("Source: fair", f"Source: {source}")
    plan = next_plan(world, intents)
    assert not plan.lead_writes
    listed = [(each.lead_id, each.field, each.kind, each.resolution) for each in plan.conflicts]
    assert listed == [(lead_id(2), field, "first match", "Airtable wins") for field in ("status", "name")]
    assert [(write.lead_id, write.card_id) for write in plan.card_writes] == [(LEAD_1, ""), (lead_id(2), made["id"])]


def test_card_created_again_for_a_tombstone_is_found():
    """The base had it as deleted."""
    world = one_lead(record=record(status="LOST"), base=base_row(card_presence="deleted", seen_status="NEW"))
    intents = cut(world, [0])
    edit_lead(world, "CONTACTED")
    plan = next_plan(world, intents)
    assert told(plan) == [(LEAD_1, "card", "IN_PROGRESS", None)]
    assert not plan.conflicts


def test_card_created_again_at_once_is_found():
    """Deleted and re-created within one run, which was cut: an edit since then is an edit and no conflict."""
    world = one_lead(record=record(status="CONTACTED"), base=base_row())
    intents = cut(world, [0])
    edit_lead(world, "QUALIFIED")
    plan = next_plan(world, intents)
    assert not plan.conflicts
    assert told(plan) == [(LEAD_1, "card", "DONE", None)]


@pytest.mark.parametrize("took_effect", [True, False])
def test_archived_card_cut_off_is_settled(took_effect):
    """We archived it, so it comes back with its lead."""
    world = one_lead(card=card(), base=base_row())
    intents = cut(world, [0] if took_effect else [])
    world.records[LEAD_1] = record()
    plan = next_plan(world, intents)
    assert [write.closed for write in plan.card_writes] == [False] * took_effect
    world.apply(plan)
    assert world.cards[CARD_1]["closed"] is False
    assert is_idle(world.plan())


@pytest.mark.parametrize("took_effect", [True, False])
def test_unarchived_card_cut_off_is_settled(took_effect):
    """Back on the board in its list, whether the answer came or not."""
    base = base_row(card_presence="archived", seen_status="NEW")
    world = one_lead(record=record(status=MOVED), card=card(closed=True), base=base)
    intents = cut(world, [0] if took_effect else [])
    plan = next_plan(world, intents)
    assert not plan.conflicts
    world.apply(plan)
    assert (world.cards[CARD_1]["closed"], world.cards[CARD_1]["idList"]) == (False, LISTS[WRITTEN])
    assert is_idle(world.plan())


# --- what settles nothing -------------------------------------------------------------------------------------


def test_no_intents_leave_the_base_alone():
    """Not even a copy is made."""
    base, airtable, trello = one_lead(record=record(), card=card(), base=base_row()).read()
    assert settle(base, [], airtable, trello) is base


def test_intents_of_forgotten_or_missing_rows_change_nothing():
    """A row, a lead or a card that is no more cannot prove a write."""
    changed = {"status": "LOST", "stage": "DONE", "due_complete": False}
    intents = [
        Intent(LEAD, lead_id(8), card_id(8), changed),
        Intent(CARD, lead_id(8), card_id(8), changed),
        Intent(CARD, lead_id(9), "", changed),
        Intent(LEAD, LEAD_1, CARD_1, changed),
        Intent(CARD, LEAD_1, CARD_1, changed),
    ]
    base, airtable, trello = one_lead(base=base_row()).read()
    assert settle(base, intents, airtable, trello).equals(base)


def test_card_that_is_not_open_proves_nothing_about_cells():
    """An archived card was not moved by us."""
    world = one_lead(record=record(status="LOST"), card=card(stage="DONE"), base=base_row())
    base, airtable, trello = world.read()
    trello["presence"] = "archived"
    intent = Intent(CARD, LEAD_1, CARD_1, {"status": "LOST", "stage": "DONE", "due_complete": False})
    assert settle(base, [intent], airtable, trello).equals(base)


def test_settled_base_is_a_base():
    """Same columns, same types."""
    world = World().with_lead(record=record())
    intents = cut(world, [0])
    base, airtable, trello = world.read()
    settled = settle(base, intents, airtable, trello)
    assert dict(settled.dtypes) == dict(base_frame().dtypes)
    assert settled.index.name == "lead_id"


def test_block_of_the_builders_is_ours():
    """The tests' own ground."""
    assert card()["desc"] == render(LEAD_1, "ada@example.com", "fair")
