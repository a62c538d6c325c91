"""What the history says of a write: what the service took, as the service returned it."""

from __future__ import annotations

import pytest

from leadsync.core.decisions import Direction
from leadsync.core.ledger import WORDS, Entry, Rule, Told, proven, written

NAME = Entry(
    "name",
    Direction.TO_TRELLO,
    Rule.EDIT,
    Told("Ada", "Bob"),
    Told("Ada", "Ada"),
    now={"name": "Ada", "title": "Ada"},
)
MARK = Entry("marker", Direction.TO_TRELLO, Rule.TIED, Told("", ""), Told("", "LeadID: rec1"))


def test_entry_of_a_write_holds_what_was_returned():
    """Trello may give back another title than it was sent."""
    (entry,) = written([NAME, MARK], ["name"], {"name": "Ada", "title": "Ada…", "card_id": "1"})
    assert entry.now == {"name": "Ada", "title": "Ada…"}


@pytest.mark.parametrize(
    ("settled", "told"),
    [
        pytest.param({"name": "Ada", "title": "Ada"}, 1, id="both columns"),
        pytest.param({"name": "Ada"}, 0, id="half of it"),
        pytest.param({"name": "Ada", "title": ""}, 0, id="doubted, so that nothing is agreed"),
        pytest.param({}, 0, id="nothing"),
    ],
)
def test_unrecorded_write_is_history_if_all_it_brought_is_agreed(settled, told):
    assert len(proven([NAME, MARK], {"name": "Ada", "title": "Ada"}, settled)) == told


def test_every_rule_has_words_for_both_ways():
    assert {rule: set(words) for rule, words in WORDS.items()} == {rule: {*Direction} for rule in Rule}
