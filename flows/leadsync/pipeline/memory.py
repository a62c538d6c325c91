"""What earlier runs left, read at the beginning of a pass. Never here: a request to a service."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pandas as pd

from leadsync.apply.repair_cards import Checkup
from leadsync.core.journal import Intent, IntentState
from leadsync.core.lookups import Check
from leadsync.core.taken_back import TakenBack
from leadsync.core.witness import NO_PROOF, Proof, doubtful, unclear, witnessed
from leadsync.frames.agreed import Agreed, Columns, Rename
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
    `asks`: there are some of which it has not told yet. `called`: stages of the base whose lists the map calls
    otherwise by now -> what it calls them. `undo`: what of an earlier run is to be taken back, and nothing else is
    planned; None if none is.
    """

    base: pd.DataFrame
    intents: list[Intent]
    snapshot: Snapshot
    checks: Mapping[str, Check] = field(default_factory=dict)
    checkup: Checkup = Checkup()
    patched: Proof = NO_PROOF
    asks: bool = False
    called: Mapping[str, str] = field(default_factory=dict)
    undo: Sequence[TakenBack] | None = None

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
        closed = {(intent.lead_id, "closed") for intent in self.intents if intent.number in shown}
        return self.patched | Proof(frozenset(proven | closed), frozenset(doubtful(self.intents, feed)))


def recall(
    store: StateStore,
    pair: str,
    checkup: Checkup,
    lent: Mapping[Pair, Collection[str]] = NOTHING_LENT,
    rename: Rename | None = None,
    rename_lent: Rename | None = None,
    lists: Mapping[str, str] | None = None,
) -> Memory:
    """
    The memory of a pair. `lent`: by other keys, leads of theirs whose rows count as well. `lists`: list id -> stage.

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
    snapshot = store.snapshots.load(pair)
    now = lists or {}
    then = store.journal.load_lists(pair) or _lists_then(base, snapshot, now.values())
    called = {was: now[list_id] for list_id, was in then.items() if now.get(list_id, was) != was}
    pending = [_in_lists(intent, called) for intent in pending] if called else pending
    return Memory(base, pending, snapshot, checks, checkup, asks=asks, called=called)


def _lists_then(base: pd.DataFrame, snapshot: Snapshot, named: Collection[str]) -> dict[str, str]:
    """Of a state that does not tell: where all cards lay that were agreed to be in a stage no more `named`."""
    lay: dict[str, set[str]] = {}
    agreed = base[(base["stage"] != "") & ~base["stage"].isin([*named]) & (base["seen_status"] == "")]
    for card_id, stage in zip(agreed["card_id"], agreed["stage"], strict=True):
        if card_id in snapshot.cards:
            lay.setdefault(stage, set()).add(str(snapshot.cards[card_id].get("idList")))
    return {list_id: stage for stage, (list_id, *others) in lay.items() if not others}


def _in_lists(intent: Intent, called: Mapping[str, str]) -> Intent:
    def columns(of: Columns) -> Columns:
        return of | {"stage": called.get(str(of["stage"]), of["stage"])} if "stage" in of else of

    return replace(intent, record=columns(intent.record), undo=columns(intent.undo))


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
