"""What earlier runs left, read at the beginning of a pass. Never here: a request to a service."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from leadsync.apply.repair_cards import Checkup
from leadsync.core.journal import Intent, IntentState
from leadsync.core.lookups import Check
from leadsync.core.witness import NO_PROOF, Proof, doubtful, unclear, witnessed
from leadsync.frames.agreed import Agreed, Rename
from leadsync.frames.schema import frame_of, overlay, rows_of
from leadsync.frames.snapshot import Snapshot
from leadsync.state.pair import Pair
from leadsync.state.store import StateStore
from leadsync.trello.board import Board

NOTHING_LENT: Final[Mapping[Pair, Collection[str]]] = {}


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
    snapshot: Snapshot
    checks: Mapping[str, Check] = field(default_factory=dict)
    checkup: Checkup = Checkup()
    patched: Proof = NO_PROOF
    asks: bool = False

    def proof(self, cards: pd.DataFrame, board: Board) -> Proof:
        """What the feeds say of writes, see settling.settle."""
        feed, shown = self.checkup.feed, self.checkup.shown
        if feed is None:
            return self.patched
        proven = witnessed(unclear(self.base, self.intents, cards), feed, board.lists)
        closed = {(intent.lead_id, "closed") for intent in self.intents if intent.number in shown}
        return self.patched | Proof(frozenset(proven | closed), frozenset(doubtful(self.intents, feed)))


def recall(
    store: StateStore,
    pair: str,
    checkup: Checkup,
    lent: Mapping[Pair, Collection[str]] = NOTHING_LENT,
    rename: Rename | None = None,
    rename_lent: Rename | None = None,
) -> Memory:
    """
    The memory of a pair. `lent`: by other keys, leads of theirs whose rows count as well.

    `rename`, `rename_lent`: what the mapping's cells are called now, None if they are kept so.
    """
    kept = store.facts.load(_checks_key(pair)) or {}
    checks = {card_id: Check(float(at), str(status)) for card_id, (at, status) in kept.items()}
    intents = store.journal.load_intents(pair, IntentState.PENDING, IntentState.UNCHECKED)
    pending = [intent for intent in intents if intent.state is IntentState.PENDING]
    asks = any(intent.is_patch for intent in intents)
    base, pending = _renamed(store.journal.load_base(pair), pending, rename)
    for former, lead_ids in lent.items():
        rows, theirs = store.journal.load_base(former.key), store.journal.load_intents(former.key)
        rows, theirs = _renamed(rows[rows.index.isin(lead_ids)], theirs, rename_lent)
        base = overlay(base, rows)
        pending += [intent for intent in theirs if intent.lead_id in lead_ids]
    return Memory(base, pending, store.snapshots.load(pair), checks, checkup, asks=asks)


def _renamed(base: pd.DataFrame, intents: list[Intent], rename: Rename | None) -> tuple[pd.DataFrame, list[Intent]]:
    if rename is None:
        return base, intents
    rows = frame_of((agreed.renamed(rename) for agreed in rows_of(base, Agreed)), Agreed)
    return rows, [intent.renamed(rename) for intent in intents]


def keep_checks(store: StateStore, pair: str, checks: Mapping[str, Check]) -> None:
    """For the next run's memory; nothing is written if they are kept already."""
    key, facts = _checks_key(pair), {card_id: [check.at, check.status] for card_id, check in checks.items()}
    if facts != (store.facts.load(key) or {}):
        store.facts.save(key, facts)


def _checks_key(pair: str) -> str:
    return f"checks {pair}"
