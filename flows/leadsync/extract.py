"""
The extract steps: both sides read whole, or brought up to date with what changed since the last read.

What is never here: a decision about a lead, a write to a service.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pandas as pd

from leadsync.airtable import PAGE as LEADS_PAGE
from leadsync.airtable import Airtable, LeadsRead
from leadsync.change_feed import ChangeFeed, News
from leadsync.errors import ServiceRefusedError, TransientServiceError
from leadsync.frames import deleted_cards, overlay
from leadsync.guards import unexplained
from leadsync.intents import Intent, IntentState
from leadsync.payloads import named
from leadsync.reconcile import SHUT, Check, due_checks, shut_cards
from leadsync.repair import Checkup
from leadsync.seen import Item, Seen, newest_lead, pages_of, sides_by_delta
from leadsync.settings import Read, Settings
from leadsync.settling import NO_PROOF, Proof, doubtful, unclear, witnessed
from leadsync.store import StateStore
from leadsync.trello import Board, CardsRead, Trello

OVERLAP = 10.0
"""Seconds before the last read, by the service's clock, from which on changes are asked for again."""
FEED_OVERLAP = 2.0
"""The same for the activity after a full read of the cards."""
ASKED_SINGLY = 50
"""Missing cards from which on the archived ones are listed, and the deletions read, instead of asking for each."""
CHECKS = 20
"""Cards known to be archived or away that are asked for in one run."""
LONG_FEED = 900
"""Cards written in one run from which on their activity would hardly fit into one page."""


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


@dataclass(frozen=True)
class Scope:
    """Which sides are asked only for what changed."""

    leads_delta: bool = False
    cards_delta: bool = False


def question(settings: Settings, board: Board) -> str:
    """A digest of what a read asks for; what was seen under another one says nothing."""
    asked = [settings.airtable_endpoint_url, settings.airtable_base_id, settings.airtable_table_name]
    asked += [settings.airtable_view or "", *settings.columns.values(), board.board_id, *board.lists.values()]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:24]


def scope_of(read: Read, memory: Memory, settings: Settings, board: Board, feed: ChangeFeed | None = None) -> Scope:
    """
    What is read whole, and what is not.

    A delta needs a last read under the same settings and nothing unfinished. With a view leads are always read whole:
    one that leaves it is not told as a change. The change feed costs no more than a page of leads, and shows deletions.
    """
    seen = memory.seen
    if memory.intents or memory.base.empty or seen.question != question(settings, board):
        return Scope()
    full_every = settings.sync_full_every.total_seconds()
    page = 0 if feed is not None and feed.follows(seen.feed) else LEADS_PAGE
    leads, cards = sides_by_delta(read.value, seen, time.time(), full_every, page)
    return Scope(leads_delta=leads and not settings.airtable_view, cards_delta=cards)


def next_by_delta(read: Read, leads: LeadsRead, settings: Settings) -> bool:
    """Whether a read of leads is whole, and a next one as `read` says would be by delta."""
    seen = Seen(records=leads.records, full_at=time.time(), airtable_at=leads.at)
    full_every = settings.sync_full_every.total_seconds()
    by_delta, _ = sides_by_delta(read.value, seen, seen.full_at, full_every, LEADS_PAGE)
    return leads.whole and by_delta and not settings.airtable_view


@dataclass(frozen=True)
class Columns:
    """
    Whether Airtable tells every change of the mapped columns, as far as its schema says.

    `asked_at`: by our clock [s since 1970]. `computed`: columns whose cells change without an edit of the lead, with
    their types; None if the schema may not be read.
    """

    asked_at: float
    computed: dict[str, str] | None

    @property
    def objection(self) -> str:
        """Why a delta of leads cannot be relied on, "" if it can."""
        if self.computed is None:
            return (
                "Leads were read whole: without the schema nobody can tell whether a column is computed, and of such a "
                "one Airtable tells no changes. Give AIRTABLE_API_TOKEN the scope schema.bases:read for delta reads."
            )
        named = ", ".join(f"{name!r} ({kind})" for name, kind in self.computed.items())
        return named and f"Leads were read whole: Airtable does not tell when a computed column changes: {named}."


def known_columns(airtable: Airtable, store: StateStore, asked: str, full_every: float, along: bool = False) -> Columns:
    """
    The kept answer for the question `asked` if it is younger than `full_every` [s], else the schema's.

    `along`: leads are read whole anyway, so that the next delta need not ask: an answer of half that age is renewed.
    Cost: at most 1 request.
    """
    key, now = f"columns {asked}", time.time()
    kept = store.load_facts(key)
    if kept and 0 <= now - kept["asked_at"] < (full_every / 2 if along else full_every):
        return Columns(**kept)
    try:
        columns = Columns(now, airtable.fetch_computed())
    except TransientServiceError:
        columns = Columns(now, None)
    store.save_facts(key, vars(columns))
    return columns


def extract_leads(airtable: Airtable, memory: Memory, scope: Scope, feed: ChangeFeed | None = None) -> LeadsRead:
    """
    The leads, see Airtable.fetch_leads; by delta if `scope` says so and the answer can be relied on.

    With a change feed that goes on where the last read ended, the delta is what it names; else what Airtable's formulas
    say was changed. A full read begins where the feed's next payloads do, so that nothing falls in between; those so
    far are read first if a run was cut off, since they tell which of its writes took effect.
    """
    if feed is None:
        read = _changed_leads(airtable, memory.seen) if scope.leads_delta else None
        return read or airtable.fetch_leads()
    if scope.leads_delta and feed.follows(memory.seen.feed):
        with suppress(TransientServiceError):  # of the feed alone, or the full read fails too
            news = feed.read(memory.seen.feed)
            if news is not None:
                return _named_leads(airtable, memory.seen, feed, news)
    elif scope.leads_delta and feed.note:
        return _changed_leads(airtable, memory.seen) or airtable.fetch_leads()
    if memory.asks and feed.follows(memory.seen.feed):
        with suppress(TransientServiceError):
            if news := feed.read(memory.seen.feed):
                return _all_leads(airtable, news)
    mark = feed.begin(memory.seen.feed)
    return replace(airtable.fetch_leads(), feed=mark, feed_asked=mark.webhook != memory.seen.feed.webhook)


def _changed_leads(airtable: Airtable, seen: Seen) -> LeadsRead | None:
    """
    The leads as last seen, and what Airtable's formulas say has changed.

    A delta begins at the second in which the newest lead known was created, a time that Airtable itself has told: one
    before it, or one after it if the last read was certainly later. Only once too much has changed since then is it
    the clock of the last answer.
    """
    newest = newest_lead(seen.records.values())
    since = newest + 0.999 if seen.airtable_at >= newest + 2 else max(0.0, newest - 1)
    if seen.recent > LEADS_PAGE:
        since = max(since, seen.airtable_at - OVERLAP)
    return airtable.fetch_changed_leads(seen.records, since, seen.written)


def _named_leads(airtable: Airtable, seen: Seen, feed: ChangeFeed, news: News) -> LeadsRead:
    """
    The leads as last seen, and those that the change feed names read again by id: a payload is only a hint.

    A known lead that is not there leaves; the pipeline confirms by a look-up that it is gone. All is read if the feed
    is not whole, lacks a write of ours, or tells of a new lead that is not there; and if that is cheaper.
    Cost: 1 request for each 100 leads named.
    """
    told = {change.lead_id for change in news.changes}
    new = named(news.changes, feed.cells_of(seen.records, told))
    to_read = list(dict.fromkeys([*seen.feed.unread, *new.to_read]))
    whole = not news.whole or not told >= {*seen.written} & seen.records.keys()
    whole |= pages_of(len(to_read), LEADS_PAGE) > pages_of(len(seen.records), LEADS_PAGE)
    found = {} if whole else airtable.fetch_records(to_read)
    lacking = set(to_read) - found.keys()
    if whole or lacking - new.gone - seen.records.keys():
        return _all_leads(airtable, news)
    now = {lead_id: record for lead_id, record in seen.records.items() if lead_id not in lacking} | found
    leads = airtable.leads_of(now.values())
    return LeadsRead(
        leads=leads,
        records=now,
        at=news.mark.at,
        whole=False,
        changed=frozenset(found),
        feed=news.mark,
        feed_asked=True,
        told=tuple(news.changes),
    )


def _all_leads(airtable: Airtable, news: News) -> LeadsRead:
    return replace(airtable.fetch_leads(), feed=news.mark, feed_asked=True, told=tuple(news.changes))


def extract_cards(
    trello: Trello, board: Board, memory: Memory, scope: Scope = Scope(), to_the_end: bool = False
) -> CardsRead:
    """
    The board's cards; archived ones too if there is no base yet, or a card may have been created unrecorded.

    By delta if `scope` says so and the feed tells enough. `to_the_end`: read on although as many cards were seen as
    there were last time (a card is to be created). So it is, too, while a card may come back behind the last page.
    """
    known = set(memory.base["card_id"])
    if scope.cards_delta:
        read = trello.fetch_changed_cards(board, memory.seen, known)
        if read is not None:
            return read
    returning = memory.base["card_presence"].isin(SHUT).any()
    total = -1 if to_the_end or returning else memory.seen.open_cards
    expected = memory.base["card_id"][memory.base["card_presence"] == "open"]
    unrecorded = any(intent.side == "card" and not intent.card_id for intent in memory.intents)
    return trello.fetch_cards(board, known, set(expected), total, archived=memory.base.empty or unrecorded)


def explain_missing(base: pd.DataFrame, trello: pd.DataFrame, client: Trello, board: Board) -> pd.DataFrame:
    """
    The cards, and what became of those that are missing, as far as that can be told at a bounded cost.

    Cost: 1 request for each that is missing while they are fewer than ASKED_SINGLY; else 1 for each 1,000 archived
    cards, 1 for the deletions, and 1 for each of what is left if that is fewer.
    """
    missing = unexplained(base, trello)
    if len(missing) >= ASKED_SINGLY:
        trello = overlay(trello, client.fetch_archived(board, {*missing}))
        missing = unexplained(base, trello)
    if len(missing) >= ASKED_SINGLY:
        with suppress(ServiceRefusedError):
            trello = overlay(trello, deleted_cards(client.fetch_deleted(board) & {*missing}))
        missing = unexplained(base, trello)
    return trello if len(missing) >= ASKED_SINGLY else overlay(trello, client.look_up_cards(board, sorted(missing)))


def check_shut(
    base: pd.DataFrame,
    leads: pd.DataFrame,
    trello: pd.DataFrame,
    memory: Memory,
    client: Trello,
    board: Board,
    daily: bool,
) -> tuple[pd.DataFrame, dict[str, Check]]:
    """
    Look for cards known to be archived or away: no read shows that one is deleted.

    A card becomes due a day, by our own clock, after it was last known to exist, first when it was found to be away;
    and at once when its lead is edited. `daily`: whether those due by time are looked for, as a full read does. Of
    those the archived ones are listed, the others, and what is not listed, are asked for, at most CHECKS a run.

    Returns: the cards with those found to be deleted or elsewhere, and the checks to keep.
    """
    shut, now = shut_cards(base, leads, trello), time.time()
    unread = {card_id: status for card_id, status in shut.items() if card_id not in trello.index}
    edited, old = due_checks(unread, memory.checks, now, daily)
    to_list = {*old, *(edited if len(edited) > CHECKS else ())}
    to_list &= {*base["card_id"][base["card_presence"] != "moved_away"]}
    found = client.fetch_archived(board, to_list) if to_list else trello.iloc[:0]
    asked = [card_id for card_id in (*edited, *old) if card_id not in found.index][:CHECKS]
    found = overlay(found, client.find_cards(board, asked))
    elsewhere = found["presence"].isin(("deleted", "moved_away"))
    news = found[elsewhere | (found.index.isin(edited) & (found["presence"] == "archived"))]
    kept = {card_id: memory.checks[card_id] for card_id in unread.keys() & memory.checks.keys() - {*found.index}}
    checks = {card_id: kept.get(card_id) or Check(now, status or "") for card_id, status in shut.items()}
    return overlay(trello, news), checks


def seen_now(before: Seen, leads: LeadsRead, cards: CardsRead, asked: str) -> Seen:
    """What is known of both sides after a read."""
    whole = leads.whole and not cards.delta
    return Seen(
        records=leads.records,
        cards=cards.items,
        open_cards=cards.total,
        question=asked,
        full_at=time.time() if whole else before.full_at,
        airtable_at=leads.at,
        trello_at=cards.at if cards.delta else max(0.0, cards.at - FEED_OVERLAP),
        recent=0 if leads.whole else max(before.recent, len(leads.changed)),
        actions=cards.actions,
        lists_checked=cards.delta and before.lists_checked and not cards.lists_told,
        feed=leads.feed,
    )


def seen_after(seen: Seen, records: dict[str, Item], cards: dict[str, Item], board: Board) -> Seen:
    """What is known once our writes have been answered; a card that is no longer open on the board leaves."""
    now = {card_id: {**seen.cards.get(card_id, {}), **card} for card_id, card in cards.items()}
    gone = {card_id for card_id, card in now.items() if card.get("closed") or card.get("idBoard") != board.board_id}
    made = len(now.keys() - seen.cards.keys() - gone)
    lost = len(gone & seen.cards.keys())
    kept = {card_id: card for card_id, card in {**seen.cards, **now}.items() if card_id not in gone}
    return replace(
        seen,
        records={**seen.records, **records},
        cards=kept,
        open_cards=seen.open_cards + made - lost if seen.open_cards >= 0 else -1,
        trello_at=seen.trello_at if len(cards) < LONG_FEED else 0.0,
        recent=seen.recent + len(records),
        written=[*seen.written, *list(records)[:50], *list(cards)[:50]],
    )
