"""
What is kept of a pair: recalled whole, or as far as it concerns what a delta has brought and what stands.

A lead that rests, and whose card rests, is decided to nothing whatever happens to others: so a delta need not recall
it. What concerns a lead or a card is all that shares its marker or its row of the base. Never here: a decision.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import pandas as pd

from leadsync.airtable.client import LeadsRead
from leadsync.apply.repair_cards import Checkup
from leadsync.core.journal import Intent, IntentState
from leadsync.frames.actions import Item
from leadsync.frames.agreed import Agreed, Columns, Rename
from leadsync.frames.block import parse
from leadsync.frames.schema import frame_of, overlay, rows_of
from leadsync.frames.snapshot import Concerned, Snapshot, newest_lead
from leadsync.pipeline.memory import Memory
from leadsync.state.pair import Pair
from leadsync.state.snapshots import CARDS, RECORDS
from leadsync.state.store import StateStore
from leadsync.trello.board import CardsRead
from leadsync.trello.feed import Remembered

NOTHING_LENT: Final[Mapping[Pair, Collection[str]]] = {}


@dataclass(frozen=True)
class Past:
    """
    What is kept of `pair`. `lent`: by other keys, leads of theirs whose rows count as well. `lists`: list id -> stage.

    `rename`, `rename_lent`: what the mapping's cells are called now, None if they are kept so. `ruling`: what decides
    about a lead now, see Snapshot; "" if everything is to be decided anew.
    """

    store: StateStore
    pair: str
    checkup: Checkup = Checkup()
    lent: Mapping[Pair, Collection[str]] = field(default_factory=lambda: NOTHING_LENT)
    rename: Rename | None = None
    rename_lent: Rename | None = None
    lists: Mapping[str, str] = field(default_factory=dict)
    ruling: str = ""

    @cached_property
    def may_be_part(self) -> bool:
        """Whether what rests under the rules of the last read rests now."""
        same = self._marks.ruling == self.ruling != "" and self.rename is None
        return same and not self.lent and bool(self._kept_lists) and not self._called(self._kept_lists)

    @cached_property
    def snapshot(self) -> Snapshot:
        """The marks of the last read, with its items if all are recalled."""
        return self._marks if self.may_be_part else self.whole.snapshot

    @cached_property
    def rows(self) -> list[Intent]:
        """Writes that were not recorded, and those that nobody has checked."""
        return self.store.journal.load_intents(self.pair, IntentState.PENDING, IntentState.UNCHECKED)

    @cached_property
    def intents(self) -> list[Intent]:
        """Writes that were not recorded, by runs that were cut off."""
        return self.whole.intents if self.lent else [each for each in self.rows if each.state is IntentState.PENDING]

    @property
    def asks(self) -> bool:
        """Whether there are writes to leads of which Airtable's change feed has not told yet."""
        return any(intent.is_patch for intent in self.rows)

    @cached_property
    def is_new(self) -> bool:
        """Whether nothing was ever agreed."""
        return self.whole.base.empty if not self.may_be_part else not self.store.base.counted(self.pair).any

    def records(self, lead_ids: Collection[str]) -> dict[str, Item]:
        """Those of these leads that were seen, as Airtable sent them."""
        return self.store.snapshots.load_items(self.pair, RECORDS, lead_ids)

    def cards(self, card_ids: Collection[str]) -> Remembered:
        """Those of these cards that were seen, as Trello sent them."""
        if self.may_be_part:
            base = self.store.base.load(self.pair, cards=card_ids)
            items = self.store.snapshots.load_items(self.pair, CARDS, card_ids)
            return Remembered(items, frozenset(base["card_id"]))
        memory, seen = self.whole, self.whole.snapshot.cards
        items = {card_id: seen[card_id] for card_id in card_ids if card_id in seen}
        return Remembered(items, frozenset({*memory.base["card_id"]} & {*card_ids}))

    @property
    def newest(self) -> float:
        """When the newest lead known was created; a state of before may not tell."""
        return self.snapshot.newest or newest_lead(self.all_records.values())

    @cached_property
    def all_records(self) -> dict[str, Item]:
        """All leads that were seen, as Airtable sent them: what only a delta of one side needs."""
        return self.store.snapshots.load_items(self.pair, RECORDS)

    @cached_property
    def whole(self) -> Memory:
        """All of it, but for the leads that were seen."""
        store, pair = self.store, self.pair
        pending = [intent for intent in self.rows if intent.state is IntentState.PENDING]
        base, pending = _renamed(store.journal.load_base(pair), pending, self.rename)
        for former, lead_ids in self.lent.items():
            rows, theirs = store.journal.load_base(former.key), store.journal.load_intents(former.key)
            rows, theirs = _renamed(rows[rows.index.isin(lead_ids)], theirs, self.rename_lent)
            base = overlay(base, rows)
            pending += [intent for intent in theirs if intent.lead_id in lead_ids]
        cards = store.snapshots.load_items(pair, CARDS) if self._marks.is_known else {}
        snapshot = replace(self._marks, cards=cards, held=len(cards))
        called = self._called(self._kept_lists or _lists_then(base, snapshot, self.lists.values()))
        pending = [_in_lists(intent, called) for intent in pending] if called else pending
        return Memory(base, pending, snapshot, store.checks.load(pair), self.checkup, called=called)

    def concerned_by(self, leads: LeadsRead, cards: CardsRead) -> Memory:
        """As far as it concerns what a delta of the cards has brought, what of the leads is new, and what stands."""
        store, pair, standing = self.store, self.pair, self.store.standing.load(self.pair)
        # Airtable tells again what has changed since the newest lead came
        news = store.snapshots.differing(pair, RECORDS, leads.records, leads.whole)
        new_leads = {*news, *leads.gone, *_named_by(cards.items.values())}
        new_leads |= standing.leads | {each.conflict.lead_id for each in store.waiting.conflicts(pair)}
        new_cards = {*cards.items, *cards.left, *cards.deleted}
        new_cards |= standing.cards
        of_leads, of_cards = set[str](), set[str]()
        base, seen = store.base.load(pair), dict[str, Item]()
        while new_leads or new_cards:
            of_leads |= new_leads
            of_cards |= new_cards
            rows = store.base.load(pair, leads=new_leads, cards=new_cards)
            found = store.snapshots.load_items(pair, CARDS, new_cards) | store.snapshots.load_cards_of(pair, new_leads)
            base, seen = overlay(base, rows), seen | found
            new_leads = ({*rows.index} | _named_by(found.values())) - of_leads
            new_cards = ({*rows["card_id"]} | found.keys()) - of_cards - {""}
        concerned = Concerned(frozenset(of_leads), frozenset(of_cards))
        records = store.snapshots.load_items(pair, RECORDS, of_leads)
        snapshot = replace(self._marks, records=records, cards=seen, concerned=concerned)
        checks = store.checks.load(pair, of_cards)
        return Memory(base, [], snapshot, checks, self.checkup, counted=store.base.counted(pair))

    @cached_property
    def _marks(self) -> Snapshot:
        return self.store.snapshots.load_marks(self.pair)

    @cached_property
    def _kept_lists(self) -> dict[str, str]:
        return self.store.journal.load_lists(self.pair)

    def _called(self, then: Mapping[str, str]) -> dict[str, str]:
        now = self.lists
        return {was: now[list_id] for list_id, was in then.items() if now.get(list_id, was) != was}


def _named_by(cards: Iterable[Item]) -> set[str]:
    """The leads whose LeadID lines these cards carry."""
    return {lead_id for card in cards for lead_id in parse(str(card.get("desc") or "")).markers}


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
