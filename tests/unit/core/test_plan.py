"""What a plan holds knows its order."""

from __future__ import annotations

import itertools

from leadsync.core.decisions import Direction
from leadsync.core.plan import Change

NAMES = [
    ("rec1", "name", Direction.TO_TRELLO),
    ("rec1", "status", Direction.TO_AIRTABLE),
    ("rec2", "card", Direction.TO_TRELLO),
]


def test_changes_are_in_order_by_lead_and_within_one_by_field():
    """Whatever they go from and to, and whichever was written first."""
    told = [Change(lead, f"card of {lead}", field, "z", "a", way) for lead, field, way in NAMES]
    assert all(sorted(shuffled) == told for shuffled in itertools.permutations(told))
