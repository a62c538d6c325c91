"""Threads take turns: a seed says whose it is, waiting takes no time, and nobody is left behind."""

import pytest

from emulator import ManualClock
from simulation.turns import Turns
from support.kills import Killed


def told_by(order, steps=3):
    """In which order two steps side by side come to their requests."""
    clock, told = ManualClock(0.0), []
    turns = Turns(order, clock)

    def step(name):
        for number in range(steps):
            turns.pass_on()
            told.append(f"{name}{number}")
        return name

    with turns.of_run(), turns.side_by_side() as submit:
        one, other = submit(step, "a"), submit(step, "b")
        assert (one.result(), other.result()) == ("a", "b")
    return told


def test_without_an_order_one_step_follows_the_other():
    assert told_by(0) == ["a0", "a1", "a2", "b0", "b1", "b2"]


def test_seed_says_whose_turn_it_is():
    orders = {order: told_by(order) for order in range(1, 20)}
    assert all(told_by(order) == told for order, told in orders.items())
    assert len({tuple(told) for told in orders.values()}) > 5
    assert all([each for each in told if each[0] == "a"] == ["a0", "a1", "a2"] for told in orders.values())


def test_others_go_on_while_one_waits():
    """The clock moves only when all wait."""
    clock = ManualClock(0.0)
    turns, told = Turns(1, clock), []

    def step(name, seconds):
        turns.sleep(seconds)
        told.append((name, clock.now()))

    with turns.of_run(), turns.side_by_side() as submit:
        for each in (submit(step, "late", 30.0), submit(step, "soon", 2.0)):
            each.result()
    assert told == [("soon", 2.0), ("late", 30.0)]


def test_step_that_dies_tells_who_waits_for_it():
    turns = Turns(1, ManualClock(0.0))

    def die():
        turns.pass_on()
        raise Killed

    with turns.of_run(), turns.side_by_side() as submit, pytest.raises(Killed):
        submit(die).result()


def test_run_that_ends_leaves_no_step_behind():
    turns, done = Turns(1, ManualClock(0.0)), []

    def step():
        turns.pass_on()
        done.append(True)

    with turns.of_run(), turns.side_by_side() as submit:
        submit(step)
    assert done
