"""What a plan holds knows its order, and how to show itself."""

from __future__ import annotations

import itertools

import pytest

from leadsync.core.decisions import Direction
from leadsync.core.plan import CardWrite, CellWrite, LeadWrite
from leadsync.core.told import Change
from leadsync.frames.leads import NO_LEAD
from support.reported import change

NAMES = [
    ("rec1", "name", Direction.TO_TRELLO),
    ("rec1", "status", Direction.TO_AIRTABLE),
    ("rec2", "card", Direction.TO_TRELLO),
]
SENTENCES = {
    "cell-of-a-card": ({"field": "status", "before": "TODO", "after": "DONE"}, "status TODO → DONE on Trello"),
    "cell-of-a-lead": (
        {"field": "status", "before": "NEW", "after": "LOST", "direction": Direction.TO_AIRTABLE},
        "status NEW → LOST on Airtable",
    ),
    "filled": ({"field": "due", "after": "2026-12-01"}, "due (empty) → 2026-12-01 on Trello"),
    "emptied": ({"field": "phone", "before": "0"}, "phone 0 → (empty) on Trello"),
    "created": ({"field": "card", "after": "Zoë in TODO"}, "card created on Trello: Zoë in TODO"),
    "archived": ({"field": "card", "before": "open", "after": "archived"}, "card archived on Trello"),
    "marker": ({"field": "marker", "after": "LeadID: rec1"}, "LeadID: rec1 written on Trello"),
    "note": ({"before": "A", "after": "B", "note": "restored"}, "name A → B on Trello (restored)"),
}


def test_changes_are_in_order_by_lead_and_within_one_by_field():
    """Whatever they go from and to, and whichever was written first."""
    told = [Change(lead, f"card of {lead}", field, "z", "a", way) for lead, field, way in NAMES]
    assert all(sorted(shuffled) == told for shuffled in itertools.permutations(told))


@pytest.mark.parametrize(("more", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_change_shows_itself_as_a_sentence(more, sentence):
    assert str(change(**more)) == sentence


def lead_write(lead_id, *changes):
    return LeadWrite(lead_id, "", {each.field: CellWrite(each.after, {}, each) for each in changes}, NO_LEAD)


def test_writes_are_in_order_by_lead():
    """What they hold beside has no order."""
    for write in (lambda lead: CardWrite(lead, f"card of {lead}", record={"title": "x"}), lead_write):
        told = [write(lead) for lead in ("rec1", "rec2", "rec3")]
        assert all(sorted(shuffled) == told for shuffled in itertools.permutations(told))


def test_write_shows_itself_by_its_changes():
    moved = change(field="status", before="TODO", after="DONE")
    named = change(before="A", after="B")
    said = "status TODO → DONE on Trello; name A → B on Trello"
    assert str(CardWrite("rec1", "c1", changes=(moved, named))) == said
    assert str(lead_write("rec1", moved, named)) == said
