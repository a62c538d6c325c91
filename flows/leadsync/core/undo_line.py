"""
The LeadID line of a card that was adopted: taken off with the rest of our lines, or put back. Pure.

Never here: a cell, what becomes of the base once the card is nobody's (see pipeline/first_contact.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from leadsync.core.undo_sides import EDITED
from leadsync.frames.agreed import Columns, sides_of
from leadsync.frames.cards import Card, CardPresence, labels_of
from leadsync.frames.leads import Lead, LeadPresence
from leadsync.mapping.rules import Rules


@dataclass(frozen=True)
class Line:
    """
    What is `sent` of a CardWrite, what the base says with that (`record`) and without (`agreed`), and the line `before`
    and `after`. `reason`: why it is left as it is, "" if it is not.
    """

    reason: str = ""
    sent: Mapping[str, Any] = field(default_factory=dict)
    record: Columns = field(default_factory=dict)
    agreed: Columns = field(default_factory=dict)
    before: str = ""
    after: str = ""


def loosened(lead_id: str, card: Card, gap: str, is_all: bool, rules: Rules) -> Line:
    """An adopted card is nobody's again. `gap`: see CardWrite; `is_all`: nothing else of it is left as it is."""
    if rules.makes_leads:
        return Line("without its LeadID line the card would become another lead, for SYNC_CREATE_LEADS is on")
    if card.presence != CardPresence.OPEN:
        return Line("its card is not on the board")
    if not is_all:
        return Line("lead and card stay tied, for not all of it can be taken back")
    if not card.lead_id:
        return Line()
    return Line("", {"block": dict.fromkeys(labels_of(rules.cells), ""), "gap": gap}, before=f"LeadID: {lead_id}")


def tied_again(lead_id: str, lead: Lead, card: Card, rules: Rules) -> Line:
    """And the lead's once more."""
    if card.presence != CardPresence.OPEN:
        return Line("its card is not on the board")
    if lead.presence != LeadPresence.PRESENT:
        return Line("its lead is not there")
    if card.lead_id not in ("", lead_id):
        return Line(EDITED)
    agreed: Columns = {"lead_presence": LeadPresence.PRESENT, "card_presence": CardPresence.OPEN}
    agreed["card_id"] = card.card_id
    if card.lead_id:
        return Line(agreed=agreed)
    lines = [cell for cell in rules.cells if cell.is_line]
    block = {cell.card.label: lead.lines.get(cell.name, "") for cell in lines}
    record: Columns = {column: lead.cells.get(cell.name, "") for cell in lines for column in sides_of(cell.name)}
    return Line("", {"block": block}, record, agreed, after=f"LeadID: {lead_id}")
