"""Ids grow with the clock, and a seed makes the same ones again."""

import time

from hypothesis import given
from hypothesis import strategies as st

from emulator import Emulator
from emulator.ids import IdSource


@given(st.lists(st.floats(0, 3, allow_nan=False), min_size=2, max_size=50))
def test_object_ids_grow_with_a_clock_that_does_not_go_back(steps):
    ids, now, made = IdSource(), 1.7e9, []
    for step in steps:
        now += step
        made.append(ids.object_id(now))
        assert int(made[-1][:8], 16) == int(now)
    assert made == sorted(set(made))


def test_equal_seeds_give_equal_worlds(make):
    first, second, other = make(), make(), make(seed=1)
    assert first.airtable.add_lead("Ada") == second.airtable.add_lead("Ada") != other.airtable.add_lead("Ada")
    assert first.trello.add_card() == second.trello.add_card()


def test_ids_at_the_start_are_the_same_after_a_restart(monkeypatch):
    """Also by the machine's time, so that an .env goes on to fit; a card tells when it was made."""
    first = Emulator.demo(port=8900)
    monkeypatch.setattr(time, "time", lambda: 1.9e9)
    second = Emulator.demo(port=8900)
    assert first.settings() == second.settings() != Emulator(port=8900, seed=1).settings()
    assert first.airtable.records() == second.airtable.records()
    assert int(second.trello.add_card()[:8], 16) == 1.9e9
