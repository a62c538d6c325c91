"""Which lists mean closed, and what ticks mean."""

from __future__ import annotations

import itertools

import pytest

from leadsync.mapping.closing import Closing
from leadsync.model import DEFAULT_STAGE_OF, DONE, STAGES, TODO

SIX = {"New": "Inbox", "Called": "Talking", "Offer": "Offer", "Won": "Won", "Lost": "Lost", "Old": "Lost"}


def closing_of(list_of: dict[str, str], named: tuple[str, ...] | None, **more: bool) -> Closing:
    return Closing.of(tuple(dict.fromkeys(list_of.values())), named, **more)


@pytest.mark.parametrize(
    ("list_of", "named", "ticks_mapped", "expected"),
    [
        pytest.param(DEFAULT_STAGE_OF, None, False, Closing((DONE,), DONE), id="done-by-default"),
        pytest.param(SIX, None, False, Closing((), ""), id="none-if-there-is-no-done"),
        pytest.param(SIX, ("Won", "Lost"), False, Closing(("Won", "Lost"), "Won"), id="named"),
        pytest.param(SIX, (), False, Closing((), ""), id="none-named"),
        pytest.param(DEFAULT_STAGE_OF, (), False, Closing((), ""), id="none-named-though-there-is-done"),
        pytest.param(DEFAULT_STAGE_OF, None, True, Closing((DONE,), ""), id="ticks-have-a-row-of-their-own"),
    ],
)
def test_closed_lists(list_of, named, ticks_mapped, expected):
    """DONE if the map has it, else what the user names; a row for `done` takes the ticks."""
    assert closing_of(list_of, named, ticks_mapped=ticks_mapped) == expected


def test_closed_list_outside_the_map_is_named():
    """With what is allowed."""
    with pytest.raises(
        ValueError, match="no status is mapped to 'Archive'; allowed are Inbox, Talking, Offer, Won, Lost"
    ):
        closing_of(SIX, ("Archive",))


def test_ticks_of_the_default_map_are_judged_as_ever():
    """In every combination of where a card was and is, and of its tick."""
    closing = closing_of(DEFAULT_STAGE_OF, None)
    places = (*STAGES, "")
    for was, now, was_ticked, ticked in itertools.product(places, places, (False, True), (False, True)):
        judged = DONE if ticked and not was_ticked and now == was != "" else now
        assert closing.judged(was, now, was_ticked, ticked) == judged
        for to in STAGES:
            assert closing.clears_tick(judged, now, to) == (to != DONE and DONE in (now, judged))


@pytest.mark.parametrize(
    ("closing", "was", "now", "expected"),
    [
        pytest.param(Closing(("Won", "Lost"), "Won"), "Inbox", "Inbox", "Won", id="goes-to-the-first"),
        pytest.param(Closing(("Won", "Lost"), "Won"), "Lost", "Lost", "Lost", id="closed-already"),
        pytest.param(Closing(("Won", "Lost"), "Won"), "Inbox", "Talking", "Talking", id="moved-by-hand"),
        pytest.param(Closing(("Won", "Lost"), "Won"), "", "", "", id="outside-the-mapping"),
        pytest.param(Closing((), ""), "Inbox", "Inbox", "Inbox", id="no-list-means-closed"),
        pytest.param(Closing((DONE,), ""), TODO, TODO, TODO, id="ticks-have-a-row-of-their-own"),
    ],
)
def test_card_ticked_since_the_base(closing, was, now, expected):
    """It counts to lie in the first closed list, unless it was moved, is closed, or ticks say nothing."""
    assert closing.judged(was, now, was_ticked=False, ticked=True) == expected
    assert closing.judged(was, now, was_ticked=True, ticked=True) == now
    assert closing.judged(was, now, was_ticked=False, ticked=False) == now


def test_tick_with_a_row_of_its_own_is_not_cleared():
    """It is that row's cell."""
    assert Closing((DONE,), DONE).clears_tick(DONE, DONE, TODO)
    assert not Closing((DONE,), "").clears_tick(DONE, DONE, TODO)
    assert not Closing(("Won", "Lost"), "Won").clears_tick("Won", "Won", "Lost")
