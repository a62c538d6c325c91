"""
What Trello's action feed tells of the cells of cards, and which of it a write of ours has done. Pure. Never here: a
request, what becomes of a person's value.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from leadsync.core.digests import digest
from leadsync.core.journal import COLUMN_OF, Intent
from leadsync.frames.actions import Action
from leadsync.mapping.properties import ELEMENTWISE
from leadsync.texts import text

DATES: Final = ("due", "start")
"""Cells whose former value may be null: there was none."""
TOLD: Final = (*COLUMN_OF, "closed", *DATES)
"""Cells of which an action tells what they held before, as of custom fields and of the elements of some sets."""
LABELS: Final = "idLabels"
"""A cell of which an action tells what it holds then, but not reliably what it held before."""
WHOLE_SECOND: Final = 1.0
"""How exact the service's clock is, if it does not tell thousandths."""


@dataclass(frozen=True)
class _Change:
    """One cell of a card that went from one value to another. `by_hand`: through no program, as far as that is told."""

    time: float
    before: Any
    after: Any
    by_hand: bool = False
    action_id: str = ""


class Feed:
    """
    The changes of each card's cells. `actions`: newest first, as fetch_actions.

    An action that names no program is by hand, if others name one: there are keys whose writes bear no name.
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        self._changes: dict[str, dict[str, list[_Change]]] = {}  # by card and cell, oldest first
        programs_named = any(action.program for action in actions)
        oldest_first = actions[::-1]  # of one moment, too
        for action in sorted(oldest_first, key=lambda action: action.at):
            by_hand = programs_named and action.program == ""
            for cell, before in action.former.items():
                if cell == LABELS or (is_told(cell) and (before is not None or cell in DATES)):
                    change = _Change(action.at, before, action.card.get(cell), by_hand, action.action_id)
                    self._changes.setdefault(action.card_id, {}).setdefault(cell, []).append(change)

    def ours(self, intent: Intent, cell: str) -> _Change | None:
        """
        What our write did to `cell`, None if it is not in the feed.

        If its answer is known, it is the latest of its kind up to then: a PUT that was sent twice counts by the
        second. If not, it is the first: what follows may be a person who chose the same.
        """
        alike = self._alike(intent, cell)
        return alike[-1] if alike else None

    def replaced(self, intent: Intent, cell: str) -> list[Any]:
        """
        What people had put into `cell` before our write replaced it, the latest first.

        What a PUT replaced that was sent a second time was put there after the first: be it what had been read. By a
        clock of whole seconds, the first may be a write from before this one.
        """
        alike = self._alike(intent, cell)
        begun = intent.since + (WHOLE_SECOND if intent.since.is_integer() else 0.0)
        return [
            change.before
            for former, change in reversed([*zip([None, *alike], alike, strict=False)])
            if (former and former.time >= begun) or digest(cell, change.before) != intent.sent.planned_on(cell)
        ]

    def set_by_hand(self, intent: Intent, cell: str) -> bool:
        """Whether what our write was to put into `cell` was put there by hand, every time."""
        equal = self._equal(intent, cell)
        return bool(equal) and all(change.by_hand for change in equal)

    def has_written(self, intent: Intent, cell: str) -> bool:
        """Whether a program has put into `cell` what our write was to put there, of a set into each of its elements."""
        if cell in ELEMENTWISE:
            sent = {*intent.sent.planned_from, *intent.sent.cells}
            cells = [each for each in sent if each.startswith(f"{cell} ") and not _is_as_it_was(intent, each)]
        else:
            cells = [cell]
        found = [self._equal(intent, each) for each in cells]
        return bool(found) and all(any(not change.by_hand for change in equal) for equal in found)

    def _equal(self, intent: Intent, cell: str) -> list[_Change]:
        """Changes to what was sent, while that may have arrived; whoever made them."""
        return [
            change
            for change in self._of(intent.card_id, cell)
            if digest(cell, change.after) == intent.sent.put(cell) and _may_be_of(intent, change)
        ]

    def _alike(self, intent: Intent, cell: str) -> list[_Change]:
        alike = self._equal(intent, cell)
        if is_element(cell):  # who comes and goes by hand while the write is on its way was not sent
            alike = [change for change in alike if not change.by_hand]
        if _is_as_it_was(intent, cell):  # sent along, it undoes at most what somebody did meanwhile
            pairs = itertools.pairwise(self._of(intent.card_id, cell))
            alike = [now for was, now in pairs if now in alike and _may_be_of(intent, was)]
        if not intent.answered:
            return alike[:1]
        return alike if intent.sent.resent else alike[-1:]

    def latest(self, card_id: str, cell: str, until: float) -> _Change | None:
        """The newest change of a card's cell up to then."""
        earlier = [change for change in self._of(card_id, cell) if change.time <= until]
        return earlier[-1] if earlier else None

    def was_replaced(self, intent: Intent, cell: str, value: str) -> bool:
        """Whether somebody put something else in the place of this value since the write began."""
        changes = self._of(intent.card_id, cell)
        return any(_is_since(intent, change) and text(change.before) == value for change in changes)

    def sent_after(self, intent: Intent) -> Intent:
        """A write that is sent once this was read: none of what is told here is its own, whatever the clock says."""
        changes = itertools.chain(*self._changes.get(intent.card_id, {}).values())
        earlier = sorted({change.action_id for change in changes if change.time >= intent.since} - {""})
        return replace(intent, sent=replace(intent.sent, earlier=earlier)) if earlier and intent.is_put else intent

    def shows(self, intent: Intent, times: int = 1) -> bool:
        """Whether all that a PUT sent is in the feed, as far as that tells of it, and so often."""
        changed = [cell for cell in intent.sent.cells if is_told(cell) and not _is_as_it_was(intent, cell)]
        return all(len(self._equal(intent, cell)) >= times for cell in changed)

    def shows_whole(self, intent: Intent) -> bool:
        """
        The same of each of its sendings: nothing more is to come.

        One that was sent again, or of which nobody knows, may have landed on an edit the second time.
        """
        return self.shows(intent, 2 if intent.sent.resent or not intent.answered else 1)

    def cells_of(self, intent: Intent) -> list[str]:
        """What a PUT has written, as far as the feed tells of it: of a set each element that came or went."""
        return sorted({*filter(is_told, intent.sent.cells), *self._elements(intent, intent.sent.cells)} - {"closed"})

    def cells_in_use(self, intent: Intent) -> list[str]:
        """By these a person shows that a card is still in use; what its description says is no lead's."""
        planned_from = intent.sent.planned_from
        return sorted({*planned_from, *self._elements(intent, planned_from)} - {"desc"})

    def _elements(self, intent: Intent, cells: Collection[str]) -> list[str]:
        """Of the sets among these cells, what came to the card or left it."""
        changed = filter(is_element, self._changes.get(intent.card_id, ()))
        return [cell for cell in changed if cell.partition(" ")[0] in cells]

    def _of(self, card_id: str, cell: str) -> Sequence[_Change]:
        return self._changes.get(card_id, {}).get(cell, ())


def is_element(cell: str) -> bool:
    """Whether a cell is one element of a set."""
    return cell.partition(" ")[0] in ELEMENTWISE and " " in cell


def is_told(cell: str) -> bool:
    """Whether an action tells what the cell held before."""
    return cell in TOLD or is_element(cell) or cell.startswith("custom:")


def _is_since(intent: Intent, change: _Change) -> bool:
    """Whether a change is not from before the write."""
    return change.time >= intent.since and change.action_id not in intent.sent.earlier


def _may_be_of(intent: Intent, change: _Change) -> bool:
    """Whether a change was made while the write may have arrived."""
    return _is_since(intent, change) and change.time <= (intent.answered or math.inf)


def _is_as_it_was(intent: Intent, cell: str) -> bool:
    """Whether an element of a set that was sent was there before."""
    return is_element(cell) and intent.sent.planned_on(cell) == intent.sent.put(cell)
