"""
The extract steps: both sides read whole, or what changed since the last read.

What is never here: a decision about a lead, a write to a service.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np

from leadsync.airtable.client import PAGE as LEADS_PAGE
from leadsync.airtable.client import Airtable, LeadsRead
from leadsync.core.decisions import SHUT
from leadsync.errors import TransientServiceError
from leadsync.frames.payloads import named
from leadsync.frames.schema import column
from leadsync.frames.snapshot import pages_of
from leadsync.pipeline.change_feed import ChangeFeed, News
from leadsync.pipeline.past import Past
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


def extract_leads(airtable: Airtable, past: Past, scope: Scope, feed: ChangeFeed | None = None) -> LeadsRead:
    """
    The leads, see Airtable.fetch_leads; those that changed if `scope` says so and the answer can be relied on.

    With a change feed that goes on where the last read ended, the delta is what it names; else what Airtable's formulas
    say was changed. A full read begins where the feed's next payloads do, so that nothing falls in between; those so
    far are read first if a run was cut off, since they tell which of its writes took effect.
    """
    if feed is None:
        read = _changed_leads(airtable, past) if scope.leads_delta else None
        return read or airtable.fetch_leads()
    if scope.leads_delta and feed.follows(past.snapshot.feed):
        with suppress(TransientServiceError):  # of the feed alone, or the full read fails too
            news = feed.read(past.snapshot.feed)
            if news is not None:
                return _named_leads(airtable, past, feed, news)
    elif scope.leads_delta and feed.note:
        return _changed_leads(airtable, past) or airtable.fetch_leads()
    if past.asks and feed.follows(past.snapshot.feed):
        with suppress(TransientServiceError):
            if news := feed.read(past.snapshot.feed):
                return _all_leads(airtable, news)
    mark = feed.begin(past.snapshot.feed)
    return replace(airtable.fetch_leads(), feed=mark, feed_asked=mark.webhook != past.snapshot.feed.webhook)


def _changed_leads(airtable: Airtable, past: Past) -> LeadsRead | None:
    """
    What Airtable's formulas say has changed.

    A delta begins at the second in which the newest lead known was created, a time that Airtable itself has told: one
    before it, or one after it if the last read was certainly later. Only once too much has changed since then is it
    the clock of the last answer.
    """
    snapshot, newest = past.snapshot, past.newest
    since = newest + 0.999 if snapshot.airtable_at >= newest + 2 else max(0.0, newest - 1)
    if snapshot.recent > LEADS_PAGE:
        since = max(since, snapshot.airtable_at - OVERLAP)
    return airtable.fetch_changed_leads(since, past.records(snapshot.written).keys())


def _named_leads(airtable: Airtable, past: Past, feed: ChangeFeed, news: News) -> LeadsRead:
    """
    The leads that the change feed names, read again by id: a payload is only a hint.

    A known lead that is not there leaves; the pipeline confirms by a look-up that it is gone. All is read if the feed
    is not whole, lacks a write of ours, or tells of a new lead that is not there; and if that is cheaper.
    Cost: 1 request for each 100 leads named.
    """
    snapshot, told = past.snapshot, {change.lead_id for change in news.changes}
    known = past.records({*told, *snapshot.feed.unread, *snapshot.written})
    new = named(news.changes, feed.cells_of(known, told))
    to_read = list(dict.fromkeys([*snapshot.feed.unread, *new.to_read]))
    whole = not news.whole or not told >= {*snapshot.written} & known.keys()
    whole |= pages_of(len(to_read), LEADS_PAGE) > pages_of(snapshot.leads, LEADS_PAGE)
    found = {} if whole else airtable.fetch_records(to_read)
    lacking = set(to_read) - found.keys()
    if whole or lacking - new.gone - known.keys():
        return _all_leads(airtable, news)
    return LeadsRead(
        leads=airtable.leads_of(()),
        records=found,
        at=news.mark.at,
        whole=False,
        changed=frozenset(found),
        gone=frozenset(lacking),
        feed=news.mark,
        feed_asked=True,
        told=tuple(news.changes),
    )


def _all_leads(airtable: Airtable, news: News) -> LeadsRead:
    return replace(airtable.fetch_leads(), feed=news.mark, feed_asked=True, told=tuple(news.changes))


def extract_cards(
    trello: Trello, board: Board, past: Past, scope: Scope = WHOLE_READ, to_the_end: bool = False
) -> CardsRead:
    """
    The board's cards; archived ones too if there is no base yet, or a card may have been created unrecorded.

    Those that changed if `scope` says so and the feed tells enough. `to_the_end`: read on although as many cards were
    seen as there were last time (a card is to be created). So it is, too, while a card may come back behind the last
    page.
    """
    if scope.cards_delta:
        read = fetch_changed_cards(trello, board, past.snapshot, past.cards)
        if read is not None:
            return read
    memory = past.whole
    ids, presence = column(memory.base, "card_id"), column(memory.base, "card_presence")
    total = -1 if to_the_end or np.isin(presence, SHUT).any() else memory.snapshot.open_cards
    expected = {*ids[presence == "open"]}
    unrecorded = any(intent.side == "card" and not intent.card_id for intent in memory.intents)
    return trello.fetch_cards(board, {*ids}, expected, total, archived=memory.base.empty or unrecorded)
