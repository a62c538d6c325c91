"""Reads that look wrong stop the run before anything is written."""

from __future__ import annotations

import pytest
from frames_for_tests import BOARD, agreed_world, base_row, card, card_id, lead_id, record, rules

from leadsync.errors import GuardError
from leadsync.guards import check_plan, check_reads


def refuse(world, cards_read=None, **choices):
    """Check the world's read."""
    base, airtable, trello = world.read()
    check_reads(base, airtable, trello, len(trello) if cards_read is None else cards_read, rules(**choices))


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
        check_plan(base, plan, rules())
    check_plan(base, plan, rules(allow_mass_change=True))


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


def test_refusal_names_examples():
    """Three ids to start looking from."""
    with pytest.raises(GuardError, match=f"for example {card_id(1)}, {card_id(2)}, {card_id(3)}"):
        refuse(without(agreed_world(10), "cards", 5))


def test_base_row_of_the_builders_is_what_a_sync_records():
    """The tests' own ground: a new lead's base is the builders' base."""
    world = agreed_world(0).with_lead(record=record())
    world.sync()
    [created] = world.cards
    assert world.base[lead_id(1)] == base_row(card_id=created)
