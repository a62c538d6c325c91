"""
The extract steps: both sides read whole, or brought up to date with what changed since the last read.

What is never here: a decision about a lead, a write to a service.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from leadsync.airtable.client import PAGE as LEADS_PAGE
from leadsync.airtable.client import Airtable, LeadsRead
from leadsync.core.decisions import SHUT
from leadsync.errors import TransientServiceError
from leadsync.frames.payloads import named
from leadsync.frames.snapshot import Snapshot, newest_lead, pages_of
from leadsync.pipeline.change_feed import ChangeFeed, News
from leadsync.pipeline.memory import Memory
from leadsync.pipeline.scope import WHOLE_READ, Scope
from leadsync.trello.board import Board, CardsRead
from leadsync.trello.client import Trello
from leadsync.trello.feed import fetch_changed_cards

OVERLAP = 10.0
"""Seconds before the last read, by the service's clock, from which on changes are asked for again."""
FEED_OVERLAP = 2.0
"""The same for the activity after a full read of the cards."""
LONG_FEED = 900
"""Cards written in one run from which on their activity would hardly fit into one page."""


def extract_leads(airtable: Airtable, memory: Memory, scope: Scope, feed: ChangeFeed | None = None) -> LeadsRead:
    """
    The leads, see Airtable.fetch_leads; by delta if `scope` says so and the answer can be relied on.

    With a change feed that goes on where the last read ended, the delta is what it names; else what Airtable's formulas
    say was changed. A full read begins where the feed's next payloads do, so that nothing falls in between; those so
    far are read first if a run was cut off, since they tell which of its writes took effect.
    """
    if feed is None:
        read = _changed_leads(airtable, memory.snapshot) if scope.leads_delta else None
        return read or airtable.fetch_leads()
    if scope.leads_delta and feed.follows(memory.snapshot.feed):
        with suppress(TransientServiceError):  # of the feed alone, or the full read fails too
            news = feed.read(memory.snapshot.feed)
            if news is not None:
                return _named_leads(airtable, memory.snapshot, feed, news)
    elif scope.leads_delta and feed.note:
        return _changed_leads(airtable, memory.snapshot) or airtable.fetch_leads()
    if memory.asks and feed.follows(memory.snapshot.feed):
        with suppress(TransientServiceError):
            if news := feed.read(memory.snapshot.feed):
                return _all_leads(airtable, news)
    mark = feed.begin(memory.snapshot.feed)
    return replace(airtable.fetch_leads(), feed=mark, feed_asked=mark.webhook != memory.snapshot.feed.webhook)


def _changed_leads(airtable: Airtable, snapshot: Snapshot) -> LeadsRead | None:
    """
    The leads as last seen, and what Airtable's formulas say has changed.

    A delta begins at the second in which the newest lead known was created, a time that Airtable itself has told: one
    before it, or one after it if the last read was certainly later. Only once too much has changed since then is it
    the clock of the last answer.
    """
    newest = newest_lead(snapshot.records.values())
    since = newest + 0.999 if snapshot.airtable_at >= newest + 2 else max(0.0, newest - 1)
    if snapshot.recent > LEADS_PAGE:
        since = max(since, snapshot.airtable_at - OVERLAP)
    return airtable.fetch_changed_leads(snapshot.records, since, snapshot.written)


def _named_leads(airtable: Airtable, snapshot: Snapshot, feed: ChangeFeed, news: News) -> LeadsRead:
    """
    The leads as last seen, and those that the change feed names read again by id: a payload is only a hint.

    A known lead that is not there leaves; the pipeline confirms by a look-up that it is gone. All is read if the feed
    is not whole, lacks a write of ours, or tells of a new lead that is not there; and if that is cheaper.
    Cost: 1 request for each 100 leads named.
    """
    told = {change.lead_id for change in news.changes}
    new = named(news.changes, feed.cells_of(snapshot.records, told))
    to_read = list(dict.fromkeys([*snapshot.feed.unread, *new.to_read]))
    whole = not news.whole or not told >= {*snapshot.written} & snapshot.records.keys()
    whole |= pages_of(len(to_read), LEADS_PAGE) > pages_of(len(snapshot.records), LEADS_PAGE)
    found = {} if whole else airtable.fetch_records(to_read)
    lacking = set(to_read) - found.keys()
    if whole or lacking - new.gone - snapshot.records.keys():
        return _all_leads(airtable, news)
    now = {lead_id: record for lead_id, record in snapshot.records.items() if lead_id not in lacking} | found
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
    trello: Trello, board: Board, memory: Memory, scope: Scope = WHOLE_READ, to_the_end: bool = False
) -> CardsRead:
    """
    The board's cards; archived ones too if there is no base yet, or a card may have been created unrecorded.

    By delta if `scope` says so and the feed tells enough. `to_the_end`: read on although as many cards were seen as
    there were last time (a card is to be created). So it is, too, while a card may come back behind the last page.
    """
    known = set(memory.base["card_id"])
    if scope.cards_delta:
        read = fetch_changed_cards(trello, board, memory.snapshot, known)
        if read is not None:
            return read
    returning = memory.base["card_presence"].isin(SHUT).any()
    total = -1 if to_the_end or returning else memory.snapshot.open_cards
    expected = memory.base["card_id"][memory.base["card_presence"] == "open"]
    unrecorded = any(intent.side == "card" and not intent.card_id for intent in memory.intents)
    return trello.fetch_cards(board, known, set(expected), total, archived=memory.base.empty or unrecorded)
