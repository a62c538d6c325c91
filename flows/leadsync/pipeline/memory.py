"""What earlier runs left, read at the beginning of a pass. Never here: a request to a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from leadsync.apply.repair import Checkup
from leadsync.core.journal import Intent, IntentState
from leadsync.core.lookups import Check
from leadsync.core.witness import NO_PROOF, Proof, doubtful, unclear, witnessed
from leadsync.frames.snapshot import Seen
from leadsync.state.store import StateStore
from leadsync.trello.board import Board


@dataclass(frozen=True)
class Memory:
    """
    What earlier runs left: what was agreed, what was about to be written when one was cut off, what was seen.

    `checks`: by card id, when those that are archived or away were last known to exist. `checkup`: what the feed said
    about earlier writes before this read; `patched`: what Airtable's told of those to leads.
    `asks`: there are some of which it has not told yet.
    """

    base: pd.DataFrame
    intents: list[Intent]
    seen: Seen
    checks: Mapping[str, Check] = field(default_factory=dict)
    checkup: Checkup = Checkup()
    patched: Proof = NO_PROOF
    asks: bool = False

    def proof(self, cards: pd.DataFrame, board: Board) -> Proof:
        """What the feeds say of writes, see settling.settle."""
        feed, shown = self.checkup.feed, self.checkup.shown
        if feed is None:
            return self.patched
        proven = witnessed(unclear(self.base, self.intents, cards), feed.actions, board.lists)
        closed = {(intent.lead_id, "closed") for intent in self.intents if intent.number in shown}
        return self.patched | Proof(frozenset(proven | closed), frozenset(doubtful(self.intents, feed)))


def recall(store: StateStore, pair: str, checkup: Checkup) -> Memory:
    """The memory of a pair."""
    kept = store.load_facts(_checks_key(pair)) or {}
    checks = {card_id: Check(float(at), str(status)) for card_id, (at, status) in kept.items()}
    intents = store.load_intents(pair, IntentState.PENDING, IntentState.UNCHECKED)
    pending = [intent for intent in intents if intent.state is IntentState.PENDING]
    asks = any(intent.is_patch for intent in intents)
    return Memory(store.load_base(pair), pending, store.load_seen(pair), checks, checkup, asks=asks)


def keep_checks(store: StateStore, pair: str, checks: Mapping[str, Check]) -> None:
    """For the next run's memory; nothing is written if they are kept already."""
    key, facts = _checks_key(pair), {card_id: [check.at, check.status] for card_id, check in checks.items()}
    if facts != (store.load_facts(key) or {}):
        store.save_facts(key, facts)


def _checks_key(pair: str) -> str:
    return f"checks {pair}"
