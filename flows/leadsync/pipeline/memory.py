"""
What earlier runs left, as one pass goes by it: all of it, or what concerns some leads and cards.

Never here: which those are (see past.py), a request to a service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from leadsync.apply.repair_cards import Checkup
from leadsync.core.guards import Known, KnownIn
from leadsync.core.journal import COPY, Intent
from leadsync.core.lookups import Check
from leadsync.core.taken_back import TakenBack
from leadsync.core.witness import NO_PROOF, Proof, doubtful, unclear, witnessed
from leadsync.frames.snapshot import Concerned, Snapshot
from leadsync.trello.board import Board


@dataclass(frozen=True)
class Memory:
    """
    What earlier runs left: what was agreed, what was about to be written when one was cut off, what was seen.

    `checks`: by card id, when those that are archived or away were last known to exist. `checkup`: what the feed said
    about earlier writes before this read; `patched`: what Airtable's told of those to leads. `called`: stages of the
    base whose lists the map calls otherwise by now -> what it calls them. `counted`: what the guards count by, if
    `base` is not all of it. `undo`: what of an earlier run is to be taken back, and nothing else is planned; None if
    none is.
    """

    base: pd.DataFrame
    intents: list[Intent]
    snapshot: Snapshot
    checks: Mapping[str, Check] = field(default_factory=dict)
    checkup: Checkup = Checkup()
    patched: Proof = NO_PROOF
    called: Mapping[str, str] = field(default_factory=dict)
    counted: Known | None = None
    undo: Sequence[TakenBack] | None = None

    @property
    def is_part(self) -> bool:
        """Whether it is only of what concerns some leads and cards."""
        return self.snapshot.concerned is not None

    @property
    def rests(self) -> bool:
        """Whether there is nothing to decide: what was left out rests, and nothing was left in."""
        return self.undo is None and self.snapshot.concerned == Concerned()

    @property
    def known(self) -> Known:
        """How many leads and cards there were."""
        return self.counted or KnownIn(self.base)

    @property
    def agreed(self) -> pd.DataFrame:
        """The base, its lists as the map calls them now: another name in the map moves no card."""
        if not self.called:
            return self.base
        return self.base.assign(stage=[self.called.get(stage, stage) for stage in self.base["stage"]])

    def proof(self, cards: pd.DataFrame, board: Board) -> Proof:
        """What the feeds say of writes, see settling.settle."""
        feed, shown = self.checkup.feed, self.checkup.shown
        if feed is None:
            return self.patched
        proven = witnessed(unclear(self.base, self.intents, cards), feed, board.lists)
        told = [intent for intent in self.intents if intent.number in shown]
        whole = {(each.card_id, "desc") if each.side == COPY else (each.lead_id, "closed") for each in told}
        return self.patched | Proof(frozenset(proven | whole), frozenset(doubtful(self.intents, feed)))
