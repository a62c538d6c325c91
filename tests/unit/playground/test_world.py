"""The playground without its page: a link leads to the same state, and a fault does what its button says."""

import contextlib

import pytest

from playground.boards import board_of, table_of
from playground.steps import StepError, steps_of
from playground.world import World

STORY = ["sync", "move 3 DONE", "status 1 LOST", "title 2 Bruno K.", "add Zoë", "copy 4", "archive 6", "sync"]


@pytest.fixture
def world(tmp_path):
    with contextlib.closing(World(tmp_path)) as made:
        yield made


def looks(world):
    return table_of(world), [(name, cards) for name, cards in board_of(world)], world.last["changes"]


def ids(changes):
    return [change["lead_id"] for change in changes]


def test_link_leads_to_the_same_state(world, tmp_path):
    """In another process, and in this one after others."""
    world.become(7, steps_of(STORY))
    table, board, changes = looks(world)
    (tmp_path / "other").mkdir()
    with contextlib.closing(World(tmp_path / "other")) as other:
        other.become(1, steps_of(["sync", "move 1 DONE"]))
        other.become(7, steps_of(STORY))
        assert looks(other)[:2] == (table, board)
        assert ids(other.last["changes"]) == ids(changes)
    assert [row.status for row in table][:3] == ["LOST", "NEW", "QUALIFIED"]
    assert {card.title: name for name, cards in board for card in cards}["Zoë"] == "TODO"


def test_another_seed_has_other_ids(world):
    first = [*world.leads]
    world.become(8, [])
    assert not {*first} & {*world.leads}


def test_going_back_undoes_a_step_and_going_on_does_not_begin_anew(world):
    world.become(0, steps_of(["sync", "move 3 DONE"]))
    emulator = world.emulator
    world.become(0, steps_of(["sync", "move 3 DONE", "sync"]))
    assert world.emulator is emulator
    world.become(0, steps_of(["sync"]))
    assert world.name(3) == "Chiara Rossi"
    assert [card.title for card in board_of(world)[1][1]].count("Chiara Rossi") == 1


def test_both_sides_edited_is_a_conflict_that_waits(world):
    """Or a newcomer would have nothing to settle."""
    world.become(0, steps_of(["sync", "move 1 DONE", "status 1 CONTACTED", "sync"]))
    (conflict,) = world.last["conflicts"]
    assert (conflict["lead_id"], conflict["field"]) == (world.leads[0], "status")
    assert table_of(world)[0].status == "CONTACTED"
    assert [card.number for card in board_of(world)[2][1]].count(1) == 1


@pytest.mark.parametrize("edit", ["add Zoë", "move 3 DONE", "status 1 LOST"])
def test_lost_answer_loses_and_doubles_nothing(world, edit):
    """The write took effect, its answer is lost, and only that one is: by the next sync both sides agree."""
    world.become(0, steps_of(["sync", edit, "lost", "sync"]))
    later = ["sync", "status 2 LOST", "move 6 DONE", "add Di", "sync", "sync"]
    world.become(0, [*world.steps, *steps_of(later)])
    lost = [request for request in world.emulator.requests if request.is_write and request.status is None]
    assert len(lost) == 1
    assert world.last["exit_code"] == 0
    assert world.last["changes"] == []
    assert sum(len(cards) for _, cards in board_of(world)) == len(world.leads)


def test_429_is_waited_out_without_waiting(world):
    world.become(0, steps_of(["sync", "limit", "sync"]))
    assert world.last["exit_code"] == 0
    assert world.waited >= 10
    assert [request.status for request in world.emulator.requests].count(429) == 1


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        ("move 1 DONE", "Lead 1 has no card yet; sync first."),
        ("name 99 x", "There is no lead 99; the table has 12."),
        ("status 1 Maybe", "cannot be done"),
        ("move 1 Nowhere", "There is no list 'Nowhere'|has no card"),
    ],
)
def test_step_that_cannot_be_done_is_a_sentence(world, step, wrong):
    with pytest.raises(StepError, match=wrong):
        world.become(0, steps_of([step]))
    assert world.steps == []
