"""The action feed tells whether a write of ours landed on a person's edit."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from leadsync.core.digests import digests_of
from leadsync.core.feed import Feed
from leadsync.core.journal import CARD, Intent, Sent, digests_of_card
from leadsync.core.overwrites import find_overwritten
from leadsync.frames.actions import Action, moment
from support.rows import LISTS, base_row, card, card_id, one_lead, record

TODO, IN_PROGRESS, DONE = (LISTS[stage] for stage in ("TODO", "IN_PROGRESS", "DONE"))


def action(cell, old, new, number=1):
    """As the feed has it: one action for each changed cell, with the card's name always beside it."""
    changed = {"id": card_id(number), "name": "Ada", "shortLink": "Yd9ScoJS"} | {cell: new}
    return {"type": "updateCard", "data": {"card": changed, "old": {cell: old}}, "appCreator": None}


def written(sent, based_on=None):
    """A PUT of ours that was planned from the card as it stands in the frame."""
    world = one_lead(record=record(status="LOST", name="Ada L."), card=card(), base=base_row())
    [write] = world.plan().card_writes
    sent_and_read = Sent(digests_of_card(based_on or write.planned_from), digests_of(sent))
    return Intent(CARD, write.lead_id, write.card_id, write.record, answered=math.inf, sent=sent_and_read)


def feed_of(items):
    """Actions as the service sends them."""
    return Feed([Action.of(item) for item in items])


def found(feed, **sent):
    """(cell, value) of what was overwritten."""
    return [(item.cell, item.value) for item in find_overwritten(feed_of(feed), [written(sent)])]


@pytest.mark.parametrize(
    ("feed", "overwritten"),
    [
        pytest.param([action("idList", TODO, DONE)], [], id="nobody-edited"),
        pytest.param(
            [action("idList", IN_PROGRESS, DONE), action("idList", TODO, IN_PROGRESS)],
            [("idList", IN_PROGRESS)],
            id="edited-just-before",
        ),
        pytest.param([action("idList", TODO, DONE), action("idList", DONE, TODO)], [], id="an-older-story"),
        pytest.param([action("idList", DONE, TODO), action("idList", TODO, DONE)], [], id="edited-afterwards"),
        pytest.param([action("idList", IN_PROGRESS, DONE, number=2)], [], id="another-card"),
        pytest.param([action("pos", 1, 2), {"type": "updateCard", "data": {}}, {}], [], id="other-actions"),
        pytest.param([], [], id="nothing-in-the-feed"),
    ],
)
def test_moved_card_by_what_the_feed_shows(feed, overwritten):
    """Our action names the list it replaced; if that is not the one we had read, somebody moved it in between."""
    assert found(feed, idList=DONE) == overwritten


@pytest.mark.parametrize(
    ("replaced", "overwritten"),
    [("Ada", []), (" Ada ", []), ("Countess", [("name", "Countess")]), ("", [("name", "")])],
    ids=["as-read", "as-read-but-for-blanks", "retitled", "emptied"],
)
def test_title_by_what_it_replaced(replaced, overwritten):
    """Titles compare as the frames hold them."""
    assert found([action("name", replaced, "Ada L.")], name="Ada L.") == overwritten


@pytest.mark.parametrize(
    ("replaced", "lost"),
    [
        pytest.param(card()["desc"], False, id="as-read"),
        pytest.param(card()["desc"].replace("\n", "\r\n") + " \n", False, id="as-read-but-for-line-ends"),
        pytest.param("a note\n" + card()["desc"], True, id="a-note-typed-meanwhile"),
    ],
)
def test_description_by_what_it_replaced(replaced, lost):
    """Line ends and blanks at the end are no edit."""
    assert found([action("desc", replaced, "new")], desc="new") == [("desc", replaced)] * lost


def test_every_cell_of_a_put_is_looked_at():
    """One PUT makes one action a cell, a few milliseconds apart."""
    feed = [action("name", "Countess", "Ada L."), action("idList", IN_PROGRESS, DONE)]
    assert found(feed, idList=DONE, name="Ada L.", dueComplete=False) == [("idList", IN_PROGRESS), ("name", "Countess")]


def test_description_compares_with_what_was_reread():
    """A description is read again just before it is written; that is what the write is based on."""
    world = one_lead(record=record(email="new@example.com"), card=card(), base=base_row())
    [write] = world.plan().card_writes
    fresh = replace(write.planned_from, description="typed meanwhile")
    feed = [action("desc", "typed meanwhile", "new")]
    assert find_overwritten(feed_of(feed), [written({"desc": "new"}, fresh)]) == []


def test_move_by_a_person_after_ours_is_not_taken_for_ours():
    """We moved TODO to DONE; afterwards a person moved it on and back: nothing was overwritten by us."""
    feed = [action("idList", IN_PROGRESS, DONE), action("idList", DONE, IN_PROGRESS), action("idList", TODO, DONE)]
    times = ("2026-11-02T09:00:05.000Z", "2026-11-02T09:00:03.000Z", "2026-11-02T09:00:01.100Z")
    dated = [item | {"date": time} for item, time in zip(feed, times, strict=True)]
    ours = replace(written({"idList": DONE}), answered=moment("2026-11-02T09:00:01.200Z"))
    assert find_overwritten(feed_of(dated), [ours]) == []
