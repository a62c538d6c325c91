"""
Did a write of ours land on top of a person's edit? Read from Trello's action feed, after the writes.

Neither API has conditional writes, but each action tells the value it replaced. Pure. What is never here: the
feed's request, the repair (see apply/repair_cards.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from leadsync.core.digests import digest
from leadsync.core.feed import Feed, is_element
from leadsync.core.journal import COLUMN_OF, Intent
from leadsync.mapping.cells import Cell


@dataclass(frozen=True)
class Overwritten:
    """`value` is what a person had put into `cell` (a wire name) just before the write of `intent` replaced it."""

    intent: Intent
    cell: str
    value: Any

    def in_words(self, mapped: Cell | None, stages: Mapping[str, str]) -> str:
        """The value as a person reads it. `mapped`: the cell of the mapping, if it is of one; `stages`: by list id."""
        if self.cell == "idList":
            return stages.get(str(self.value or ""), "another list")
        if self.cell == "closed":
            return "open"
        if mapped and is_element(self.cell):
            member = self.cell.partition(" ")[2]
            told = mapped.element_told(member)
            return told if self.value else f"without {told}"
        return mapped.told_by_trello(self.value or mapped.card.read_nothing()) if mapped else str(self.value or "")


def find_overwritten(feed: Feed, intents: Iterable[Intent]) -> list[Overwritten]:
    """For each cell sent, the values of people that our write replaced, the latest first."""
    found = []
    for intent in intents:
        found += _archived_in_use(feed, intent)  # first: nothing else is given back to a card that is archived
        found += [
            Overwritten(intent, cell, value) for cell in feed.cells_of(intent) for value in feed.replaced(intent, cell)
        ]
    return found


def _archived_in_use(feed: Feed, intent: Intent) -> list[Overwritten]:
    """A card that a person edited just before we archived it: as if that had come before the run."""
    ours = feed.ours(intent, "closed")
    if not (ours and ours.after):
        return []
    is_used = any(_was_edited(feed, intent, cell, ours.time) for cell in feed.cells_in_use(intent))
    return [Overwritten(intent, "closed", False)] if is_used else []


def _was_edited(feed: Feed, intent: Intent, cell: str, until: float) -> bool:
    """
    By somebody else than the PUT itself.

    What is mapped comes and goes without an action, too: then the latest one is from before the read, and no edit.
    """
    if intent.sent.put(cell) is not None:
        return bool(feed.replaced(intent, cell))
    edit = feed.latest(intent.card_id, cell, until)
    if edit is None or digest(cell, edit.after) == intent.sent.planned_on(cell):
        return False
    return cell in COLUMN_OF or edit.time >= intent.sent.read_at
