"""Which side is read whole, and which by what changed. Never here: the read itself."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Final

from leadsync.airtable.client import PAGE as LEADS_PAGE
from leadsync.airtable.client import LeadsRead
from leadsync.frames.snapshot import Snapshot, sides_by_delta
from leadsync.mapping.lenses import NAMED
from leadsync.model import CreateLeads, Read
from leadsync.pipeline.change_feed import ChangeFeed
from leadsync.pipeline.mapped import identities
from leadsync.pipeline.past import Past
from leadsync.settings import Settings
from leadsync.trello.board import Board


@dataclass(frozen=True)
class Scope:
    """Which sides are asked only for what changed."""

    leads_delta: bool = False
    cards_delta: bool = False


WHOLE_READ: Final = Scope()


def question(settings: Settings, board: Board) -> str:
    """A digest of what a read asks for; what was seen under another one says nothing."""
    asked = [settings.airtable_endpoint_url, settings.airtable_base_id, settings.airtable_table_name]
    asked += [settings.airtable_view or "", *settings.columns.values(), board.board_id, *board.lists.values()]
    asked += [settings.airtable_card_id_field] if settings.sync_create_leads is CreateLeads.ON else []
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:24]


def ruling(settings: Settings, board: Board) -> str:
    """
    A digest of what decides about a lead at rest; "" if some cell has values whose names may come and go, which is told
    from all leads and cards together.
    """
    if any(not cell.is_line and (cell.kind in NAMED or cell.card.field_id) for cell in board.cells):
        return ""
    stages, others = settings.status_map, settings.mapping
    decides = [stages.stage_of, stages.status_for, settings.sync_done_lists, settings.columns, others.timezone]
    decides += [settings.sync_on_lead_deleted, settings.sync_on_card_deleted, settings.sync_fields]
    decides += [identities(board.cells), board.facts]
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:24]


def scope_of(read: Read, past: Past, settings: Settings, board: Board, feed: ChangeFeed | None = None) -> Scope:
    """
    What is read whole, and what is not.

    A delta needs a last read under the same settings and nothing unfinished. With a view leads are always read whole:
    one that leaves it is not told as a change. The change feed costs no more than a page of leads, and shows deletions.
    Cards that may become leads are no lead's as yet, of which the board's activity is not followed.
    """
    snapshot = past.snapshot
    if past.intents or past.is_new or snapshot.question != question(settings, board):
        return WHOLE_READ
    full_every = settings.sync_full_every.total_seconds()
    page = 0 if feed is not None and feed.follows(snapshot.feed) else LEADS_PAGE
    leads, cards = sides_by_delta(read.value, snapshot, time.time(), full_every, page)
    told = not labels_mapped(settings) and settings.sync_create_leads is CreateLeads.OFF
    return Scope(leads_delta=leads and not settings.airtable_view, cards_delta=cards and told)


def labels_mapped(settings: Settings) -> bool:
    """Whether labels are mapped, of which the activity does not tell every change: cards are read whole then."""
    return "labels" in settings.mapping.properties


def next_by_delta(read: Read, leads: LeadsRead, settings: Settings) -> bool:
    """Whether a read of leads is whole, and a next one as `read` says would be by delta."""
    snapshot = Snapshot(leads=leads.number, full_at=time.time(), airtable_at=leads.at)
    full_every = settings.sync_full_every.total_seconds()
    by_delta, _ = sides_by_delta(read.value, snapshot, snapshot.full_at, full_every, LEADS_PAGE)
    return leads.whole and by_delta and not settings.airtable_view
