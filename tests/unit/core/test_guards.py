"""Reads that look wrong stop the run before anything is written."""

from __future__ import annotations

import pytest

from leadsync.core.emptied import check_emptied
from leadsync.core.guards import KnownIn, Reads, check_plan, check_reads
from leadsync.core.reconcile import as_last_agreed
from leadsync.errors import GuardError
from leadsync.frames.cards import cards_frame, deleted_cards
from leadsync.frames.schema import overlay
from support.rows import (
    BOARD,
    CELLS,
    EMAIL,
    STAGES_BY_LIST,
    World,
    agreed_world,
    base_row,
    card,
    card_id,
    lead_id,
    record,
    rules,
)


def refuse(world, cards_read=None, **choices):
    """Check the world's read."""
    base, airtable, trello = world.read()
    check(base, airtable, trello, len(trello) if cards_read is None else cards_read, **choices)


def check(base, airtable, trello, cards_read, **choices):
    check_reads(base, airtable, trello, rules(**choices), KnownIn(base), Reads(len(airtable), cards_read))


def without(world, side, missing):
    """The world with its first `missing` leads or cards gone."""
    held = world.records if side == "leads" else world.cards
    for key in sorted(held)[:missing]:
        del held[key]
    return world


@pytest.mark.parametrize("size", [1, 9, 10])
@pytest.mark.parametrize(("side", "named"), [("leads", "Airtable"), ("cards", "Trello")])
def test_empty_side_is_refused(side, named, size):
    """However few rows were known: an empty answer is a fault until somebody says otherwise."""
    with pytest.raises(GuardError, match=f"{named} came back empty.*nothing was written"):
        refuse(without(agreed_world(size), side, size))


@pytest.mark.parametrize("side", ["leads", "cards"])
@pytest.mark.parametrize(
    ("size", "missing", "percent", "refused"),
    [
        pytest.param(10, 3, 30, False, id="just-30-percent-of-10"),
        pytest.param(10, 4, 30, True, id="more-of-10"),
        pytest.param(9, 8, 30, False, id="nearly-all-of-9"),
        pytest.param(40, 12, 30, False, id="just-30-percent-of-40"),
        pytest.param(40, 13, 30, True, id="more-of-40"),
        pytest.param(10, 1, 0, True, id="none-allowed"),
        pytest.param(10, 9, 100, False, id="any-share-allowed"),
        pytest.param(16, 2, 12.5, False, id="a-fraction-exactly"),
        pytest.param(16, 3, 12.5, True, id="more-than-a-fraction"),
    ],
)
def test_share_of_missing_rows_is_guarded(side, size, missing, percent, refused):
    """More than the allowed share, once there are ten rows, and with the setting's name."""
    world = without(agreed_world(size), side, missing)
    if not refused:
        refuse(world, max_archive_percent=percent)
        return
    with pytest.raises(GuardError, match=f"{missing} of {size} known {side}.*SYNC_MAX_ARCHIVE_PERCENT") as caught:
        refuse(world, max_archive_percent=percent)
    assert "--allow-mass-change" in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("side", ["leads", "cards"])
def test_share_guard_is_lifted_for_one_run(side):
    """--allow-mass-change."""
    refuse(without(agreed_world(10), side, 9), allow_mass_change=True)


@pytest.mark.parametrize("side", ["leads", "cards"])
def test_empty_side_is_refused_even_if_a_mass_change_is_allowed(side):
    """--allow-mass-change lifts the share guards, and those alone."""
    with pytest.raises(GuardError):
        refuse(without(agreed_world(12), side, 12), allow_mass_change=True)


def test_share_of_cards_to_be_archived_is_guarded():
    """Leads known to be gone, whose cards were left, and now SYNC_ON_LEAD_DELETED=archive: 10 of 15 cards at once."""
    world = agreed_world(15)
    for number in range(1, 11):
        del world.records[lead_id(number)]
        world.base[lead_id(number)]["lead_presence"] = "gone"
    plan = world.plan()
    base, _, _ = world.read()
    assert len(plan.card_writes) == 10
    with pytest.raises(GuardError, match="10 of 15 known cards would be archived"):
        check_plan(base, plan, rules(), KnownIn(base))
    check_plan(base, plan, rules(allow_mass_change=True), KnownIn(base))


def test_first_run_is_not_guarded():
    """Without a base nothing is known that could be missing."""
    world = agreed_world(12)
    world.base.clear()
    refuse(without(without(world, "leads", 12), "cards", 12))


def test_rows_known_to_be_away_do_not_count():
    """Tombstones, archived cards and leads out of view are no part of the share."""
    world = without(agreed_world(20), "cards", 12)
    for number in range(1, 13):
        world.base[lead_id(number)]["card_presence"] = "archived"
    refuse(world)


def test_board_with_foreign_cards_only_is_not_empty():
    """What counts is that the read held cards, ours or not; the share guard sees to the rest."""
    refuse(without(agreed_world(2), "cards", 2), cards_read=5)


def test_everything_there_is_not_refused():
    """A new lead and a new card do no harm."""
    world = agreed_world(12).with_lead(record=record(13)).with_lead(card=card(14))
    assert card(14)["idBoard"] == BOARD
    refuse(world)


@pytest.mark.parametrize(("side", "item_id"), [("leads", lead_id), ("cards", card_id)])
def test_refusal_names_examples(side, item_id):
    """Three to start looking from, with the titles by which people know them."""
    shown = ", ".join(rf"{item_id(number)} \(Ada\)" for number in (1, 2, 3))
    with pytest.raises(GuardError, match=f"for example {shown}; nothing was written"):
        refuse(without(agreed_world(10), side, 5))


# --- what explains an absence -----------------------------------------------------------------------------------


def looked_up(world, **columns):
    """The world's read, with its first cards away and asked for by id; None is a card that exists no more."""
    base, airtable, trello = world.read()
    gone = [key for key in sorted(base["card_id"]) if key not in trello.index]
    if columns:
        shown = [card(int(key, 16), **columns) for key in gone]
        return base, airtable, overlay(trello, cards_frame(shown, BOARD, STAGES_BY_LIST, gone, CELLS))
    return base, airtable, overlay(trello, deleted_cards(gone))


@pytest.mark.parametrize("size", [1, 12])
@pytest.mark.parametrize("columns", [{"closed": True}, {}], ids=["archived", "deleted"])
def test_cards_known_to_be_put_away_are_not_missing(columns, size):
    """All of them, so that the board is empty; a lead is missing whatever became of it."""
    base, airtable, trello = looked_up(without(agreed_world(size), "cards", size), **columns)
    check(base, airtable, trello, 0)
    with pytest.raises(GuardError):
        check(base, airtable.iloc[:0], trello, 0)


def test_cards_on_another_board_are_missing():
    """That they are known to be there explains nothing."""
    base, airtable, trello = looked_up(without(agreed_world(10), "cards", 4), idBoard="c" * 24)
    with pytest.raises(GuardError, match="4 of 10 known cards are missing"):
        check(base, airtable, trello, 6)


# --- emptied cells ------------------------------------------------------------------------------------------------


def world_of(size, **cells):
    """Leads that agree, with values of their own in every text; `cells`: field -> value of each by number."""
    world = World()
    for number in range(1, size + 1):
        own = {"name": f"Ada {number}", "email": f"{number}@example.com", "source": f"fair {number}"}
        own |= {field: values[number - 1] for field, values in cells.items()}
        world.with_lead(record=record(number, **own))
    world.sync()
    return world


def refuse_emptied(world, meant=None, **choices):
    base, airtable, trello = world.read()
    airtable = as_last_agreed(base, airtable, EMAIL)
    check_emptied(base, meant or {}, airtable, trello, rules(**choices))


@pytest.mark.parametrize(
    ("statuses", "emptied", "refused"),
    [
        pytest.param(["QUALIFIED"] * 10 + ["NEW"] * 30, 10, True, id="a-quarter-but-all-of-one-value"),
        pytest.param(["QUALIFIED"] * 10 + ["NEW"] * 30, 9, False, id="nine-of-ten-of-one-value"),
        pytest.param(["QUALIFIED"] * 5 + ["NEW"] * 30, 5, True, id="all-five-of-one-value"),
        pytest.param(["QUALIFIED"] * 4 + ["NEW"] * 30, 4, False, id="four-may-be-an-accident"),
        pytest.param(["NEW", "LOST", "QUALIFIED"] * 12, 12, True, id="a-third-of-all"),
        pytest.param(["NEW", "LOST", "QUALIFIED"] * 14, 12, False, id="less-than-a-third-of-all"),
        pytest.param(["NEW", "LOST", "QUALIFIED"] * 7, 9, False, id="many-but-nine"),
        pytest.param(["", "", "", "", ""] + ["NEW"] * 9, 5, False, id="empty-before"),
    ],
)
def test_emptied_status_by_share_and_by_value(statuses, emptied, refused):
    """Of the first `emptied` leads the cell is empty now."""
    world = world_of(len(statuses), status=statuses)
    for number in range(1, emptied + 1):
        world.records[lead_id(number)]["fields"].pop("status", None)
    if not refused:
        refuse_emptied(world)
        return
    with pytest.raises(GuardError, match=f"Column 'Stage' in Airtable is empty for {emptied} of .*Ada 1\\).*nothing"):
        refuse_emptied(world, columns={"status": "Stage"})
    refuse_emptied(world, allow_mass_change=True)


@pytest.mark.parametrize(("field", "column"), [("name", "name"), ("email", "email"), ("source", "source")])
def test_emptied_texts_are_guarded_like_the_status(field, column):
    world = world_of(12)
    for number in range(1, 11):
        del world.records[lead_id(number)]["fields"][field]
    with pytest.raises(GuardError, match=f"Column '{column}' in Airtable is empty for 10 of 12 leads, for example"):
        refuse_emptied(world)


@pytest.mark.parametrize(("wiped", "told"), [({"name": ""}, "title"), ({"desc": ""}, "e-mail line")])
def test_texts_wiped_on_the_board_are_guarded(wiped, told):
    world = world_of(12)
    for key in sorted(world.cards)[:10]:
        world.cards[key] |= wiped
    with pytest.raises(GuardError, match=f"The {told} on Trello is empty for 10 of 12 cards, for example .*Ada"):
        refuse_emptied(world)


def test_bare_markers_have_no_lines_that_could_be_emptied():
    """Cards marked by hand never showed e-mail and source."""
    world = World()
    for number in range(1, 13):
        world.with_lead(record=record(number), card=card(number, desc=f"LeadID: {lead_id(number)}"))
    world.sync()
    refuse_emptied(world)


def test_leads_that_are_gone_or_cannot_be_read_are_not_emptied():
    """The one has the guard of the missing, the other is set aside."""
    world = world_of(12, status=["LOST"] * 12)
    for number in range(1, 7):
        world.records[lead_id(number)]["fields"] |= {"status": {"error": "#ERROR!"}, "email": {"error": "#ERROR!"}}
    for number in range(7, 13):
        del world.records[lead_id(number)]
    refuse_emptied(world)


def test_values_that_a_cut_off_run_wrote_are_known_too():
    """The base holds what was agreed before; the lead held what was meant to be written, until it was emptied."""
    world = world_of(20, status=["NEW"] * 20)
    meant = {lead_id(number): {"status": "QUALIFIED"} for number in range(1, 6)}
    for lead in meant:
        del world.records[lead]["fields"]["status"]
    refuse_emptied(world)
    with pytest.raises(GuardError, match="held 'QUALIFIED'"):
        refuse_emptied(world, meant)
    world.records[lead_id(6)]["fields"]["status"] = "NEW"
    with pytest.raises(GuardError, match="5 of 5 leads"):
        refuse_emptied(world, meant | {lead_id(6): {"status": "QUALIFIED"}})


def test_base_row_of_the_builders_is_what_a_sync_records():
    """The tests' own ground: a new lead's base is the builders' base."""
    world = agreed_world(0).with_lead(record=record())
    world.sync()
    [created] = world.cards
    assert world.base[lead_id(1)] == base_row(card_id=created)


def test_refused_archiving_names_the_cards():
    world = without(agreed_world(10), "leads", 4)
    base, airtable, trello = world.read()
    plan = world.plan()
    with pytest.raises(GuardError, match=rf"4 of 10 known cards would be archived.*{card_id(1)} \(.+\)"):
        check_plan(base, plan, rules(), KnownIn(base))
