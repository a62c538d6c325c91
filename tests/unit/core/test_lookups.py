"""Cards that are archived or away, and may be deleted: which they are, and when one is looked up."""

from __future__ import annotations

import pytest

from leadsync.core.lookups import CHECK_EVERY, Check, due_checks, shut_cards
from leadsync.frames.cards import cards_frame
from support.rows import BOARD, CELLS, base_row, card, card_id, one_lead, record

CARD = card_id(1)
ELSEWHERE = {"idBoard": "c" * 24}


@pytest.mark.parametrize(
    ("card_presence", "in_read", "shut"),
    [
        ("archived", None, {CARD: "NEW"}),
        ("archived_by_us", None, {CARD: "NEW"}),
        ("moved_away", None, {CARD: "NEW"}),
        ("open", None, {}),
        ("deleted", None, {}),
        ("archived", {}, {}),
        ("open", {"closed": True}, {CARD: "NEW"}),
        ("open", ELSEWHERE, {CARD: "NEW"}),
    ],
)
def test_shut_cards_are_those_of_the_read_else_of_the_base(card_presence, in_read, shut):
    """What this read shows counts; a card of which it shows nothing is as the base has it."""
    base, airtable, trello = one_lead(record=record(), base=base_row(card_presence=card_presence)).read()
    if in_read is not None:
        trello = cards_frame([card(**in_read)], BOARD, {}, [CARD], CELLS)
    assert shut_cards(base, airtable, trello) == shut
    assert set(shut_cards(base, airtable.iloc[:0], trello).values()) <= {None}


@pytest.mark.parametrize("daily", [True, False])
def test_checks_are_due_a_day_later_and_at_once_after_an_edit(daily):
    """The oldest first; one that was never checked has only just become known. A clock set back makes all due."""
    now = 10 * CHECK_EVERY
    ages = {"young": 0.5, "old": 1.0, "older": 2.0, "ahead": -1.0, "edited": 0.1, "unread": 0.2}
    checks = {card: Check(now - age * CHECK_EVERY, "NEW") for card, age in ages.items()}
    shut = dict.fromkeys(ages, "NEW") | {"edited": "LOST", "unread": None, "new": "NEW"}
    edited, old = due_checks(shut, checks, now, daily)
    assert (edited, old) == (["edited"], ["older", "old", "ahead"] if daily else [])
