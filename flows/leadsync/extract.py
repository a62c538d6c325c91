"""
The extract steps: both sides read whole, or brought up to date with what changed since the last read.

What is never here: a decision about a lead, a write to a service.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import dataclass, replace

import pandas as pd

from leadsync.airtable import PAGE as LEADS_PAGE
from leadsync.airtable import Airtable, LeadsRead
from leadsync.change_feed import ChangeFeed, News
from leadsync.errors import TransientServiceError
from leadsync.intents import Intent
from leadsync.payloads import named
from leadsync.reconcile import ARCHIVED
from leadsync.seen import Item, Seen, newest_lead, pages_of, sides_by_delta
from leadsync.settings import Read, Settings
from leadsync.trello import Board, CardsRead, Trello

OVERLAP = 10.0
"""Seconds before the last read, by the service's clock, from which on changes are asked for again."""
FEED_OVERLAP = 2.0
"""The same for the activity after a full read of the cards."""
LONG_FEED = 900
"""Cards written in one run from which on their activity would hardly fit into one page."""


@dataclass(frozen=True)
class Memory:
    """What earlier runs left: what was agreed, what was about to be written when one was cut off, what was seen."""

    base: pd.DataFrame
    intents: list[Intent]
    seen: Seen


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


def extract_leads(airtable: Airtable, memory: Memory, scope: Scope, feed: ChangeFeed | None = None) -> LeadsRead:
    """
    The leads, see Airtable.fetch_leads; by delta if `scope` says so and the answer can be relied on.

    With a change feed that goes on where the last read ended, the delta is what it names; else what Airtable's formulas
    say was changed. A full read begins where the feed's next payloads do, so that nothing falls in between.
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
        return replace(airtable.fetch_leads(), feed=news.mark, feed_asked=True)
    now = {lead_id: record for lead_id, record in seen.records.items() if lead_id not in lacking} | found
    leads = airtable.leads_of(now.values())
    return LeadsRead(leads, now, news.mark.at, False, len(found), news.mark, feed_asked=True)


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
    returning = memory.base["card_presence"].isin((*ARCHIVED, "moved_away")).any()
    total = -1 if to_the_end or returning else memory.seen.open_cards
    expected = memory.base["card_id"][memory.base["card_presence"] == "open"]
    unrecorded = any(intent.side == "card" and not intent.card_id for intent in memory.intents)
    return trello.fetch_cards(board, known, set(expected), total, archived=memory.base.empty or unrecorded)


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
        recent=0 if leads.whole else max(before.recent, leads.returned),
        actions=cards.actions,
        lists_checked=cards.lists_checked,
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
