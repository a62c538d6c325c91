"""
What a write of ours replaced is given back to the person who had entered it, on either side alike.

The next pass then decides about it. What is never here: how a service tells of it, the rule which value wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from leadsync.apply.target import Target
from leadsync.core.conflicts import Conflict
from leadsync.core.decisions import Direction
from leadsync.core.digests import digests_of
from leadsync.core.feed import Feed
from leadsync.core.journal import Intent, IntentState, Sent
from leadsync.core.lead_overwrites import Patched
from leadsync.core.told import Change, ChangeOutcome, Failure

GIVEN_UP: Final = 7 * 86_400.0
"""Seconds after which an unchecked write is listed as such and no longer asked for."""


class Repair(StrEnum):
    """What became of an edit that a write of ours had landed on, as it is listed."""

    GIVEN_BACK = "decided anew"
    TOO_LATE = "overwritten; enter it once more if it is to stand"
    IN_FORCE = "in force"  # the cell holds it again already


@dataclass
class Repairs:
    """
    `conflicts`: what was overwritten. `given_back`: leads to be decided anew; `wrote`: a cell of theirs was written.
    `changes`: cards that are open again. `failures`: what could not be given back. `unchecked`: rows nobody waits for.
    `silent`: cells of leads of which Airtable told that we wrote them, and not what that replaced.
    """

    conflicts: list[Conflict] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    given_back: list[str] = field(default_factory=list)
    wrote: bool = False
    failures: list[Failure] = field(default_factory=list)
    unchecked: list[Intent] = field(default_factory=list)
    silent: list[Patched] = field(default_factory=list)

    def add(self, lead_id: str, became: Repair, conflict: Conflict | None) -> list[Conflict]:
        """One finding. Returns: what stays in the journal until a report has listed it."""
        self.wrote |= became is Repair.GIVEN_BACK
        self.conflicts += [conflict] if conflict else []
        self.given_back += [lead_id] if conflict or became is Repair.GIVEN_BACK else []  # also if edited again since
        return [conflict] if conflict and became is Repair.TOO_LATE else []

    def opened(self, intent: Intent) -> None:
        """A card is open again; if it is left although its lead is gone, no pass lists it."""
        told, note = ("card", "archived", "un-archived"), "somebody had edited it just before"
        change = Change(intent.lead_id, intent.card_id, *told, Direction.TO_TRELLO, note, ChangeOutcome.DONE)
        self.changes.append(change)


@dataclass(frozen=True)
class Edit:
    """
    A person's edit of `cell`, which the write of `intent` replaced.

    `agreed_with`: the base columns that are agreed with the cell. `value`: what is written to give it back, `told` the
    same in words. `in_force`: the cell holds it again. `is_free`: the cell holds what we wrote, and can take the value.
    `feed`: the board's, that told of it.
    """

    intent: Intent
    cell: str
    agreed_with: Sequence[str]
    value: Any
    told: str
    in_force: bool
    is_free: bool
    feed: Feed | None = None

    def give_back(self, write: Callable[[], bool], since: float, target: Target) -> Repair:
        """
        The value goes back into the cell, while that and the base still hold our write.

        First the base forgets that we agreed, then the cell is written: cut in between, the next run comes here again.
        A cell that has gone on went on from our write, and so says the base then, also where a give-back that was cut
        off had taken it back: a person who chose just this value would seem not to have moved.

        `write`: False if the service refuses. `since`: the service's clock before it [s since 1970].
        """
        if self.in_force:
            return Repair.IN_FORCE
        target.still_held()
        intent, base = self.intent, target.store.journal.load_row(target.pair, self.intent.lead_id)
        before = {column: intent.undo[column] for column in self.agreed_with if column in intent.undo}
        ours = {column: intent.record.get(column) for column in before}
        agreed = {column: base.get(column) if base else None for column in before}
        if not self.is_free or agreed not in (ours, before):
            if before and agreed == before:
                target.store.journal.keep_ours(target.pair, ours, intent)
            return Repair.TOO_LATE
        sent = Sent({self.cell: intent.sent.put(self.cell) or ""}, digests_of({self.cell: self.value}))
        again = replace(
            intent, record={}, undo={}, conflicts=(), since=since, answered=0.0, state=IntentState.UNCHECKED, sent=sent
        )
        again = self.feed.sent_after(again) if self.feed else again
        target.store.journal.give_back(target.pair, before, again, self.told, target.begun)
        return Repair.GIVEN_BACK if write() else Repair.TOO_LATE
