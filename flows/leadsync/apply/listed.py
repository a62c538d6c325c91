"""What a write to a card landed on, as a report lists it. Never here: a request, what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leadsync.apply.give_back import Repair
from leadsync.apply.target import Target
from leadsync.core.conflicts import Conflict
from leadsync.core.feed import is_element
from leadsync.core.journal import Intent
from leadsync.core.overwrites import Overwritten
from leadsync.frames.agreed import sides_of
from leadsync.frames.cards import Card, CardPresence
from leadsync.frames.leads import LeadPresence
from leadsync.mapping.cells import Cell

TEXT_LISTED: Final = 1_000
NAMED_AS: Final = {"idList": "status", "dueComplete": "status", "name": "name", "desc": "description", "closed": "card"}
"""Cell on the wire -> what it is called in a report."""
LEFT_SHUT: Final = "archived all the same; open the card again if it is to stay"


def mapped_as(cell: str, mapped: Sequence[Cell]) -> Cell | None:
    """The cell of the mapping which one on the wire, or an element of it, is of."""
    key = cell.partition(" ")[0] if is_element(cell) else cell
    return next((each for each in mapped if not each.is_line and each.card.key == key), None)


def as_conflict(found: Overwritten, card: Card, target: Target, became: Repair) -> Conflict | None:
    """
    The finding as it is listed; a description or a member given back is none, nor a card, which the next pass lists.
    """
    intent, cell = found.intent, found.cell
    is_merged = cell in ("desc", "closed") or is_element(cell)
    if became is Repair.IN_FORCE or (is_merged and became is Repair.GIVEN_BACK):
        return None
    if cell == "closed":
        return _as_left_shut(intent, card)
    mapped = mapped_as(cell, target.board.cells)
    field = mapped.field if mapped else NAMED_AS[cell]
    value = found.in_words(mapped, target.board.stages)
    if cell == "desc":
        value = _lacking(value, card.description) or value
    ours = intent.record.get(sides_of(mapped.name)[1] if mapped else field)
    told = mapped.told_by_trello(ours) if mapped and ours is not None else str(ours or "")
    return Conflict(intent.lead_id, intent.card_id, field, told, value[:TEXT_LISTED], "edited meanwhile", became.value)


def _as_left_shut(intent: Intent, card: Card) -> Conflict | None:
    """A card that somebody had edited just before we archived it, and that could not be opened again."""
    if card.presence != CardPresence.ARCHIVED:
        return None
    lead = "deleted" if intent.record.get("lead_presence") == LeadPresence.GONE else ""  # else its creation was undone
    field = NAMED_AS["closed"]
    return Conflict(intent.lead_id, intent.card_id, field, lead, card.in_words, "edited meanwhile", LEFT_SHUT)


def _lacking(former: str, now: str) -> str:
    """The lines that are there no more: a note may stand behind much that nobody has touched."""
    there = {line.rstrip() for line in now.splitlines()}
    return "\n".join(line for line in former.splitlines() if line.rstrip() not in there)
