"""
Did a write of ours land on top of a person's edit? Read from Trello's action feed, after the writes.

Neither API has conditional writes, but each action tells the value it replaced. Pure. What is never here: the
feed's request, the repair (see apply/repair_cards.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from leadsync.core.journal import COLUMN_OF, Intent, digest
from leadsync.frames.actions import Action
from leadsync.texts import text

DATES: Final = ("due", "start")
"""Cells whose former value may be null: there was none."""
TOLD: Final = (*COLUMN_OF, "closed", *DATES)
"""Cells of which an action tells what they held before."""
IN_USE: Final = ("idList", "name")
"""Cells by which a person shows that a card is still in use; such a card is not archived."""
WHOLE_SECOND: Final = 1.0
"""How exact the service's clock is, if it does not tell thousandths."""


@dataclass(frozen=True)
class Overwritten:
    """
    `value` is what a person had put into `cell` (a wire name) just before the write of `intent` replaced it.

    `at`: when that was [s since 1970].
    """

    intent: Intent
    cell: str
    value: Any
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class _Change:
    """One cell of a card that went from one value to another. `by_hand`: through no program, as far as that is told."""

    time: float
    before: Any
    after: Any
    by_hand: bool = False


class Feed:
    """
    The changes of each card's cells. `actions`: newest first, as fetch_actions.

    An action that names no program is by hand, if others name one: there are keys whose writes bear no name.
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        self._changes: dict[tuple[str, str], list[_Change]] = {}  # oldest first
        programs_named = any(action.program for action in actions)
        oldest_first = actions[::-1]  # of one moment, too
        for action in sorted(oldest_first, key=lambda action: action.at):
            by_hand = programs_named and action.program == ""
            for cell in TOLD:
                if action.former.get(cell) is not None or (cell in DATES and cell in action.former):
                    change = _Change(action.at, action.former[cell], action.card.get(cell), by_hand)
                    self._changes.setdefault((action.card_id, cell), []).append(change)

    def ours(self, intent: Intent, cell: str) -> _Change | None:
        """
        What our write did to `cell`, None if it is not in the feed.

        If its answer is known, it is the latest of its kind up to then: a PUT that was sent twice counts by the
        second. If not, it is the first: what follows may be a person who chose the same.
        """
        alike = self._alike(intent, cell)
        return alike[-1] if alike else None

    def replaced(self, intent: Intent, cell: str) -> list[Overwritten]:
        """
        What people had put into `cell` before our write replaced it, the latest first.

        What a PUT replaced that was sent a second time was put there after the first: be it what had been read. By a
        clock of whole seconds, the first may be a write from before this one.
        """
        alike = self._alike(intent, cell)
        begun = intent.since + (WHOLE_SECOND if intent.since.is_integer() else 0.0)
        return [
            Overwritten(intent, cell, change.before, change.time)
            for former, change in reversed([*zip([None, *alike], alike, strict=False)])
            if (former and former.time >= begun) or digest(cell, change.before) != intent.sent.planned_from.get(cell)
        ]

    def set_by_hand(self, intent: Intent, cell: str) -> bool:
        """Whether what our write was to put into `cell` was put there by hand, every time."""
        equal = self._equal(intent, cell)
        return bool(equal) and all(change.by_hand for change in equal)

    def _equal(self, intent: Intent, cell: str) -> list[_Change]:
        """Changes to what was sent, while that may have arrived; whoever made them."""
        return [
            change
            for change in self._changes.get((intent.card_id, cell), ())
            if digest(cell, change.after) == intent.sent.cells.get(cell)
            and intent.since <= change.time <= (intent.answered or math.inf)
        ]

    def _alike(self, intent: Intent, cell: str) -> list[_Change]:
        alike = self._equal(intent, cell)
        if not intent.answered:
            return alike[:1]
        return alike if intent.sent.resent else alike[-1:]

    def latest(self, card_id: str, cell: str, until: float) -> _Change | None:
        """The newest change of a card's cell up to then."""
        earlier = [change for change in self._changes.get((card_id, cell), ()) if change.time <= until]
        return earlier[-1] if earlier else None

    def was_replaced(self, card_id: str, cell: str, value: str, since: float) -> bool:
        """Whether somebody put something else in the place of this value since then."""
        changes = self._changes.get((card_id, cell), ())
        return any(change.time >= since and text(change.before) == value for change in changes)

    def shows(self, intent: Intent) -> bool:
        """Whether all that a PUT sent is in the feed, as far as that tells of it."""
        return all(self.ours(intent, cell) for cell in TOLD if cell in intent.sent.cells)


def find_overwritten(feed: Feed, intents: Iterable[Intent]) -> list[Overwritten]:
    """For each cell sent, the values of people that our write replaced, the latest first."""
    found = []
    for intent in intents:
        for cell in (*COLUMN_OF, *DATES):
            if cell in intent.sent.cells:
                found += feed.replaced(intent, cell)
        found += _archived_in_use(feed, intent)
    return found


def _archived_in_use(feed: Feed, intent: Intent) -> list[Overwritten]:
    """A card that was moved or renamed just before we archived it: as if that had come before the run."""
    ours = feed.ours(intent, "closed")
    if ours is None or not ours.after:
        return []
    edits = ((cell, feed.latest(intent.card_id, cell, ours.time)) for cell in IN_USE)
    return [
        Overwritten(intent, "closed", edit.after, ours.time)
        for cell, edit in edits
        if edit and digest(cell, edit.after) != intent.sent.planned_from.get(cell)
    ][:1]
