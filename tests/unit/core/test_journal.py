"""The journal names every write before it is sent."""

from __future__ import annotations

import json

from leadsync.core.journal import CARD, LEAD, intents_of
from support.rows import base_row, card, card_id, lead_id, one_lead, record

LEAD_1, CARD_1 = lead_id(1), card_id(1)


def test_intents_name_every_write():
    """In the order of the writes, cards first, and as JSON can hold them."""
    world = one_lead(record=record(1, status="CONTACTED"), card=card(1), base=base_row(1))
    world.with_lead(record=record(2)).with_lead(record=record(3), card=card(3, stage="DONE"), base=base_row(3))
    intents = intents_of(world.plan(), 0.0)
    assert [(item.side, item.lead_id, item.card_id) for item in intents] == [
        (CARD, LEAD_1, CARD_1),
        (CARD, lead_id(2), ""),
        (LEAD, lead_id(3), card_id(3)),
    ]
    assert json.loads(json.dumps([item.record for item in intents]))
