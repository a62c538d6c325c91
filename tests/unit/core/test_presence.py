"""Who is there: base, lead and card, with what the look-ups tell; what is written, recorded and listed."""

from __future__ import annotations

import itertools

import pytest

from leadsync.core.lookups import to_look_up
from support.rows import (
    BOARD,
    LINES,
    LISTS,
    POLICIES,
    STATUS_MAP,
    World,
    agreed_world,
    base_row,
    card,
    card_id,
    is_idle,
    lead_id,
    one_lead,
    record,
    rules,
)

LEAD, CARD = lead_id(1), card_id(1)
ELSEWHERE = {"idBoard": "c" * 24}


def listed(plan):
    """Everything a person is told, in one list."""
    return [*plan.conflicts, *plan.quarantine, *plan.notes]


def row_of(world):
    return world.base[LEAD]


# --- no base --------------------------------------------------------------------------------------------------


def test_lead_alone_gets_a_card_with_its_marker():
    """One POST holds list, title and block; nothing is written to Airtable."""
    world = one_lead(record=record(status="CONTACTED"))
    plan = world.sync()
    [write] = plan.card_writes
    assert (write.card_id, write.stage, write.title) == ("", "IN_PROGRESS", "Ada")
    assert tuple(write.block.values()) == ("ada@example.com", "fair")
    assert not plan.lead_writes
    assert not listed(plan)
    [created] = world.cards.values()
    assert f"LeadID: {LEAD}" in created["desc"].split("\n")
    assert row_of(world) == base_row(card_id=created["id"], status="CONTACTED", stage="IN_PROGRESS")


def test_lead_with_unknown_status_gets_no_card():
    """The map cannot say where it would go; the remedy names the statuses and the setting."""
    plan = one_lead(record=record(status="HOT")).plan()
    assert is_idle(plan)
    [row] = plan.quarantine
    assert "'HOT'" in row.reason
    assert "NEW, CONTACTED, QUALIFIED, LOST" in row.remedy
    assert "SYNC_STATUS_MAP" in row.remedy


def test_first_match_of_equals_is_only_recorded():
    """Both are there, equal, and were never agreed: adopted without a write."""
    world = one_lead(record=record(), card=card())
    plan = world.sync()
    assert plan.writes == 0
    assert not listed(plan)
    assert row_of(world) == base_row()


def test_first_match_records_no_line_that_is_still_to_be_written():
    """Until the block is written, nothing says what it shows; a bare marker that may stay needs no write."""
    stale = one_lead(record=record(email="new@example.com", source="web"), card=card()).plan()
    ahead = {*LINES.values()}
    assert not ahead & set(stale.base_updates[LEAD])
    [write] = stale.card_writes
    assert ahead <= set(write.record)
    bare = one_lead(record=record(), card=card(desc=f"LeadID: {LEAD}")).plan()
    assert not bare.card_writes
    assert bare.base_updates[LEAD][LINES["email_line"]] == "ada@example.com"


@pytest.mark.parametrize("policy", POLICIES)
def test_first_match_of_unequals_goes_by_the_policy(policy):
    """Status and name differ: both are listed as first match, with both values."""
    world = one_lead(record=record(status="CONTACTED", name="Ada L."), card=card(stage="DONE"))
    plan = world.sync(conflict=policy)
    assert {(found.field, found.airtable, found.trello, found.kind) for found in plan.conflicts} == {
        ("status", "CONTACTED", "DONE", "first match"),
        ("name", "Ada L.", "Ada", "first match"),
    }
    lead, [on_board] = world.records[LEAD]["fields"], world.cards.values()
    outcome = (lead["status"], lead["name"], on_board["idList"], on_board["name"])
    assert (
        outcome
        == {
            "airtable": ("CONTACTED", "Ada L.", LISTS["IN_PROGRESS"], "Ada L."),
            "trello": ("QUALIFIED", "Ada", LISTS["DONE"], "Ada"),
            "hold": ("CONTACTED", "Ada L.", LISTS["DONE"], "Ada"),
        }[policy]
    )


def test_first_match_of_an_archived_card_makes_no_second_card():
    """A card that a person archived is the lead's card all the same."""
    world = one_lead(record=record(), card=card(closed=True))
    plan = world.sync()
    assert plan.writes == 0
    assert row_of(world)["card_presence"] == "archived"
    assert is_idle(world.plan())


def test_orphan_is_listed_and_left():
    """A marker whose lead is not in the table."""
    world = one_lead(card=card())
    plan = world.sync()
    assert is_idle(plan)
    [row] = plan.quarantine
    assert (row.lead_id, row.card_id) == (LEAD, CARD)
    assert row.remedy


def test_archived_orphan_is_silent():
    """An archived card of a lead that is gone is how it should be."""
    plan = one_lead(card=card(closed=True)).plan()
    assert is_idle(plan)
    assert not listed(plan)


# --- card missing ---------------------------------------------------------------------------------------------


def archived_world(**cells):
    """A lead whose card a person has archived, after the sync that noticed it."""
    status = cells.get("status", "NEW")
    base = base_row(status=status, stage=STATUS_MAP.stage_of[status])
    world = one_lead(record=record(**cells), card=card(stage=base["stage"], closed=True), base=base)
    world.sync()
    return world


def test_archived_card_is_noted_once_and_nothing_comes_back():
    """No status is written back, whatever list and tick the archived card has."""
    shut = card(stage="DONE", closed=True, dueComplete=True)
    world = one_lead(record=record(), card=shut, base=base_row())
    plan = world.sync()
    assert plan.writes == 0
    assert len(plan.notes) == 1
    assert (row_of(world)["card_presence"], row_of(world)["seen_status"]) == ("archived", "NEW")
    again = world.plan()
    assert is_idle(again)
    assert not listed(again)


def test_card_archived_by_us_stays_so_called():
    """Who archived it decides what happens when its lead comes back."""
    world = one_lead(record=record(), card=card(), base=base_row())
    del world.records[LEAD]
    world.sync()
    world.sync()
    assert row_of(world)["card_presence"] == "archived_by_us"


@pytest.mark.parametrize(("seen", "now"), list(itertools.product(STATUS_MAP.stage_of, repeat=2)))
def test_archived_card_comes_back_when_the_stage_becomes_an_open_one(seen, now):
    """TODO and IN_PROGRESS bring it back, into their list; DONE, or the stage it had, leaves it archived."""
    stage = STATUS_MAP.stage_of[now]
    comes_back = stage != "DONE" and stage != STATUS_MAP.stage_of[seen]
    world = archived_world(status=seen)
    world.records[LEAD]["fields"]["status"] = now
    plan = world.sync()
    assert [write.closed for write in plan.card_writes] == [False] * comes_back
    assert not plan.lead_writes
    [on_board] = world.cards.values()
    assert on_board["closed"] is not comes_back
    assert not comes_back or on_board["idList"] == LISTS[stage]


def test_archived_card_that_waits_in_done_comes_back_later():
    """Archived as NEW, then QUALIFIED, then NEW again: the last step brings it back without its tick."""
    world = archived_world()
    [on_board] = world.cards.values()
    on_board |= {"idList": LISTS["DONE"], "dueComplete": True}
    for status, closed in (("QUALIFIED", True), ("NEW", False)):
        world.records[LEAD]["fields"]["status"] = status
        world.sync()
        assert on_board["closed"] is closed
    assert (on_board["idList"], on_board["dueComplete"]) == (LISTS["TODO"], False)


def test_other_edits_leave_an_archived_card_archived():
    """Only the stage brings it back."""
    world = archived_world()
    world.records[LEAD]["fields"] |= {"name": "Ada L.", "email": "new@example.com"}
    assert world.sync().writes == 0


def test_archived_card_is_looked_up_only_when_it_is_wanted():
    """An idle run costs no look-ups."""
    world = archived_world()
    assert to_look_up(*world.read(), rules()) == ([], [])
    world.records[LEAD]["fields"]["status"] = "CONTACTED"
    assert to_look_up(*world.read(), rules()) == ([], [CARD])


def test_card_that_a_person_brings_back_is_compared():
    """Un-archived by hand, and moved: the move reaches the lead."""
    world = archived_world()
    [on_board] = world.cards.values()
    on_board |= {"closed": False, "idList": LISTS["DONE"]}
    world.sync()
    assert world.records[LEAD]["fields"]["status"] == "QUALIFIED"
    assert row_of(world)["card_presence"] == "open"


def test_archived_parked_card_is_moved_when_it_comes_back():
    """What comes back lies in the list of its lead's stage."""
    world = archived_world()
    [on_board] = world.cards.values()
    on_board["idList"] = LISTS[""]
    world.records[LEAD]["fields"]["status"] = "CONTACTED"
    world.sync()
    assert (on_board["closed"], on_board["idList"]) == (False, LISTS["IN_PROGRESS"])


def deleted_world(**cells):
    """A lead whose card a person has deleted, after the sync that noticed it."""
    world = one_lead(record=record(**cells), base=base_row())
    world.sync()
    return world


def test_deleted_card_is_a_tombstone():
    """Not created again, noted once."""
    world = one_lead(record=record(), base=base_row())
    plan = world.sync()
    assert plan.writes == 0
    assert len(plan.notes) == 1
    assert (row_of(world)["card_presence"], row_of(world)["seen_status"]) == ("deleted", "NEW")
    again = world.plan()
    assert is_idle(again)
    assert not listed(again)


@pytest.mark.parametrize(
    ("cells", "created"),
    [
        pytest.param({"status": "CONTACTED"}, True, id="status-edited"),
        pytest.param({"status": "QUALIFIED"}, True, id="status-edited-to-done"),
        pytest.param({"status": ""}, False, id="emptied-which-means-new"),
        pytest.param({"name": "Ada L.", "source": "web"}, False, id="another-cell-edited"),
    ],
)
def test_deleted_card_is_created_again_by_a_status_edit(cells, created):
    """An edit of the status beats the delete; nothing else does."""
    world = deleted_world()
    world.records[LEAD] = record(**cells)
    plan = world.sync()
    assert [write.card_id for write in plan.card_writes] == [""] * created
    assert len(world.cards) == created
    assert is_idle(world.plan())


def test_deleted_card_of_an_edited_lead_is_created_at_once():
    """Deleted and edited between two syncs: the edit beats the delete."""
    world = one_lead(record=record(status="CONTACTED"), base=base_row())
    [write] = world.sync().card_writes
    assert (write.card_id, write.stage) == ("", "IN_PROGRESS")
    assert write.changes[0].note == "created again"


def test_deleted_card_is_created_at_once_if_the_user_chose_so():
    """SYNC_ON_CARD_DELETED=recreate."""
    world = one_lead(record=record(), base=base_row())
    assert len(world.sync(on_card_deleted="recreate").card_writes) == 1
    assert is_idle(world.plan(on_card_deleted="recreate"))


def test_card_moved_to_another_board_is_left():
    """Noted once; the lead goes on without a card, and gets no second one."""
    world = one_lead(record=record(), card=card(**ELSEWHERE), base=base_row())
    plan = world.sync()
    assert plan.writes == 0
    assert len(plan.notes) == 1
    assert row_of(world)["card_presence"] == "moved_away"
    world.records[LEAD]["fields"]["status"] = "CONTACTED"
    again = world.sync()
    assert (again.writes, listed(again)) == (0, [])
    assert row_of(world)["seen_status"] == "CONTACTED"
    assert is_idle(world.plan())


def test_card_that_returns_from_another_board_is_compared():
    """Back on the board, its list counts again."""
    world = one_lead(record=record(), card=card(**ELSEWHERE), base=base_row())
    world.sync()
    world.cards[CARD] |= {"idBoard": BOARD, "idList": LISTS["DONE"]}
    world.sync()
    assert world.records[LEAD]["fields"]["status"] == "QUALIFIED"


# --- lead missing ---------------------------------------------------------------------------------------------


def gone_world(**card_columns):
    """A lead that is gone from Airtable while its card lies open."""
    return one_lead(card=card(**card_columns), base=base_row())


def test_card_of_a_deleted_lead_is_archived():
    """Reversible, and the base keeps what brings it back."""
    world = gone_world()
    plan = world.sync()
    [write] = plan.card_writes
    assert (write.closed, write.stage, write.title, write.block) == (True, None, None, None)
    assert not plan.lead_writes
    assert (row_of(world)["lead_presence"], row_of(world)["card_presence"]) == ("gone", "archived_by_us")
    assert is_idle(world.plan())


@pytest.mark.parametrize(
    "moved",
    [
        pytest.param({"stage": "DONE"}, id="moved-to-another-list"),
        pytest.param({"stage": ""}, id="parked"),
        pytest.param({"name": "Ada L."}, id="retitled"),
        pytest.param({"dueComplete": True}, id="marked-done"),
    ],
)
def test_card_of_a_deleted_lead_that_moved_is_a_conflict(moved):
    """A person is at work on it: nothing is written, and it is listed every time."""
    world = gone_world(**moved)
    plan = world.sync()
    again = world.plan()
    assert plan.writes == again.writes == 0
    assert [(found.field, found.kind) for found in plan.conflicts] == [("card", "lead deleted")]
    assert len(again.conflicts) == 1


def test_card_of_a_deleted_lead_is_left_if_the_user_chose_so():
    """SYNC_ON_LEAD_DELETED=leave."""
    world = gone_world()
    plan = world.sync(on_lead_deleted="leave")
    assert plan.writes == 0
    assert len(plan.notes) == 1
    assert is_idle(world.plan(on_lead_deleted="leave"))


def test_lead_that_left_the_view_is_left():
    """Still in the table: neither archived nor written, noted once; back in view it is compared as usual."""
    world = one_lead(record=record(), card=card(stage="DONE"), base=base_row())
    world.out_of_view.add(LEAD)
    plan = world.sync()
    assert plan.writes == 0
    assert len(plan.notes) == 1
    assert is_idle(world.plan())
    world.out_of_view.clear()
    world.sync()
    assert world.records[LEAD]["fields"]["status"] == "QUALIFIED"


@pytest.mark.parametrize("on_lead_deleted", ["archive", "leave"])
def test_lead_and_card_both_missing_are_forgotten(on_lead_deleted):
    """Nothing is left to agree on."""
    world = one_lead(base=base_row())
    plan = world.sync(on_lead_deleted=on_lead_deleted)
    assert plan.forget == [LEAD]
    assert plan.writes == 0
    assert not world.base


def test_deleted_card_of_a_lead_deleted_later_is_forgotten():
    """A tombstone whose other half goes too."""
    world = deleted_world()
    del world.records[LEAD]
    assert world.sync().forget == [LEAD]


def test_archived_card_of_a_deleted_lead_is_recorded():
    """Both went their way in one interval: nothing is written."""
    world = one_lead(card=card(closed=True), base=base_row())
    assert world.sync().writes == 0
    assert (row_of(world)["lead_presence"], row_of(world)["card_presence"]) == ("gone", "archived")
    assert is_idle(world.plan())


def test_status_seen_last_outlasts_an_absence_of_the_lead():
    """Archived as NEW, seen as QUALIFIED, out of view, back as NEW: its stage has become an open one."""
    world = archived_world()
    for status, hidden in (("QUALIFIED", set()), ("QUALIFIED", {LEAD}), ("NEW", set())):
        world.records[LEAD]["fields"]["status"] = status
        world.out_of_view = hidden
        world.sync()
    [on_board] = world.cards.values()
    assert on_board["closed"] is False


# --- tombstones -----------------------------------------------------------------------------------------------


def test_returned_lead_gets_back_the_card_we_archived():
    """Airtable's undo brings the lead back: the same card is un-archived, no second one made."""
    world = gone_world()
    world.sync()
    world.records[LEAD] = record(status="CONTACTED")
    plan = world.sync()
    assert [write.closed for write in plan.card_writes] == [False]
    assert world.cards[CARD]["idList"] == LISTS["IN_PROGRESS"]
    assert (row_of(world)["lead_presence"], row_of(world)["card_presence"]) == ("present", "open")
    assert is_idle(world.plan())


def test_returned_done_lead_gets_back_the_card_we_archived():
    """Also a lead whose stage is DONE: we archived the card for the lead's sake only."""
    world = one_lead(card=card(stage="DONE"), base=base_row(status="LOST", stage="DONE"))
    world.sync()
    world.records[LEAD] = record(status="LOST")
    world.sync()
    assert world.cards[CARD]["closed"] is False
    assert world.records[LEAD]["fields"]["status"] == "LOST"
    assert is_idle(world.plan())


def test_returned_lead_leaves_a_card_archived_by_a_person():
    """It is linked again and stays archived."""
    world = one_lead(card=card(closed=True), base=base_row())
    world.sync()
    world.records[LEAD] = record()
    assert world.sync().writes == 0
    assert (row_of(world)["lead_presence"], row_of(world)["card_presence"]) == ("present", "archived")


def test_returned_lead_whose_archived_card_was_deleted_gets_a_new_one():
    """Nothing to un-archive: a card is created."""
    world = gone_world()
    world.sync()
    world.cards.clear()
    world.records[LEAD] = record()
    assert [write.card_id for write in world.sync().card_writes] == [""]
    assert is_idle(world.plan())


def test_returned_lead_of_a_left_card_is_linked_again():
    """The card was left open; what differs is compared."""
    world = gone_world()
    world.sync(on_lead_deleted="leave")
    world.records[LEAD] = record(status="CONTACTED")
    world.sync(on_lead_deleted="leave")
    assert world.cards[CARD]["idList"] == LISTS["IN_PROGRESS"]
    assert row_of(world)["lead_presence"] == "present"


# --- all of them ----------------------------------------------------------------------------------------------

BASES = {
    "no-base": None,
    "agreed": {},
    "never-agreed": {"stage": "", "status": "", "title": "", "name": ""},
    **{presence: {"card_presence": presence, "seen_status": "NEW"} for presence in ("archived", "deleted")},
    "moved-away": {"card_presence": "moved_away"},
    "out-of-view": {"lead_presence": "out_of_view"},
    "gone-left": {"lead_presence": "gone"},
    "gone-archived-by-us": {"lead_presence": "gone", "card_presence": "archived_by_us", "seen_status": "NEW"},
    "gone-archived": {"lead_presence": "gone", "card_presence": "archived", "seen_status": "NEW"},
}
LEADS = {"no-lead": None, "same": {}, "edited": {"status": "CONTACTED"}, "unknown": {"status": "HOT"}}
CARDS = {
    "no-card": None,
    "open": {},
    "moved": {"stage": "DONE"},
    "parked": {"stage": ""},
    "archived": {"closed": True},
    "elsewhere": ELSEWHERE,
    "unmarked": {"desc": "a person's text"},
}


def is_possible(base, shown):
    """A deleted card never comes back; one that somebody archived before there was a base is read then only."""
    return not (base == "deleted" and shown in ("archived", "elsewhere"))


def every_presence(bases):
    """A world with every case, and the cases by lead."""
    space = itertools.product(bases, LEADS, CARDS)
    cases = {number: case for number, case in enumerate(space, start=1) if is_possible(case[0], case[2])}
    world = World()
    for number, (base, lead, shown) in cases.items():
        world.with_lead(
            record=None if LEADS[lead] is None else record(number, **LEADS[lead]),
            card=None if CARDS[shown] is None else card(number, **CARDS[shown]),
        )
        if BASES[base] is not None:
            world.base[lead_id(number)] = base_row(number, **BASES[base])
    return world, {lead_id(number): case for number, case in cases.items()}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("bases", [["no-base"], [base for base in BASES if base != "no-base"]], ids=["first", "later"])
def test_any_presence_settles_in_one_sync(bases, policy):
    """No case is without a rule, none makes a second card or touches a missing lead, none asks to be redone."""
    world, cases = every_presence(bases)
    no_card_to_find = {lead for lead, (base, _, shown) in cases.items() if shown == "no-card"}
    if bases == ["no-base"]:
        no_card_to_find |= {lead for lead, (_, _, shown) in cases.items() if shown in ("elsewhere", "unmarked")}
    plan = world.sync(conflict=policy)
    created = {write.lead_id for write in plan.card_writes if not write.card_id}
    assert created <= no_card_to_find
    assert {write.lead_id for write in plan.lead_writes} <= set(world.records)
    again = world.plan(conflict=policy)
    redone = {*again.base_updates, *again.forget, *(change.lead_id for change in again.changes)}
    assert {cases[lead] for lead in redone} == set()


def test_agreed_leads_cost_nothing():
    """An idle sync plans nothing and says nothing."""
    plan = agreed_world(25).plan()
    assert is_idle(plan)
    assert not listed(plan)
