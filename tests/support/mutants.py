"""
Rules broken on purpose, each by a switch that breaks it while it is on; tests show that each is noticed.

What is never here: what notices it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

from leadsync.airtable import writing
from leadsync.airtable.client import Airtable
from leadsync.apply import card_parts, leads, repair_cards
from leadsync.core import cells, decide, plan, plan_cells, plan_mapped, taking
from leadsync.core.compared import Compared
from leadsync.core.decisions import (
    LINE_DECISIONS,
    ONE_WAY,
    ONE_WAY_FIRST,
    ROW_DECISIONS,
    CellDecision,
    RowDecision,
)
from leadsync.core.emptied import Emptied
from leadsync.core.identity import COPY, Claim, Identity
from leadsync.errors import UnclearWriteError
from leadsync.frames.agreed import sides_of
from leadsync.frames.cards import CardPresence, deleted_cards
from leadsync.frames.leads import LeadPresence, absent_leads
from leadsync.frames.snapshot import Concerned
from leadsync.mapping.properties import Way
from leadsync.model import StatusMap
from leadsync.pipeline import join
from leadsync.pipeline import run as pipeline
from leadsync.pipeline.telling import Telling
from leadsync.state.journal import Journal
from leadsync.state.standing import Standing
from leadsync.trello.board import CardsRead
from leadsync.trello.writing import create_card

Mutant = Callable[[], AbstractContextManager[Any]]


def post_again_blindly(write, cells, trello, board):
    """Without a look at the board."""
    for _ in range(3):
        try:
            return create_card(trello, cells)
        except UnclearWriteError:
            continue
    return create_card(trello, cells)


@contextmanager
def bare_reverse_map():
    """A list means one status and no other: what the well-known tools do."""

    def stage_of(status_map, status):
        reverse = {name: stage for stage, name in status_map.status_for.items()}
        return reverse.get(status, "none of the lists")

    with (
        patch.object(StatusMap, "put", lambda self, stage, status: self.status_for[stage]),
        patch.object(StatusMap, "stage_of_cell", stage_of),
    ):
        yield


create = card_parts._create_card


def searching(write, cells, trello, board):
    """As the rule has it, but by an index that lags: a card just made is not in it."""
    with patch.object(trello, "fetch_cards", lambda *_arguments, **_more: CardsRead(deleted_cards([]), 0)):
        return create(write, cells, trello, board)


def base_moved_before_the_write():
    journal = Journal.enter

    def early(self, pair, noted):
        was = noted.updates
        written = {intent.lead_id: {**was.get(intent.lead_id, {}), **intent.record} for intent in noted.intents}
        journal(self, pair, replace(noted, updates={**was, **written}, intents=[]))

    return patch.object(Journal, "enter", early)


def no_journal():
    journal = Journal.enter

    def without(self, pair, noted):
        journal(self, pair, replace(noted, intents=[]))

    return patch.object(Journal, "enter", without)


def put_of_all_fields():
    def put(airtable, updates):
        records = [
            {"id": lead_id, "fields": {airtable.columns.names[ours]: value for ours, value in cells.items()}}
            for lead_id, cells in updates.items()
        ]
        return [dict(record) for record in airtable.table.batch_update(records, replace=True)]

    return patch.object(writing, "_patch", put)


def deletion_from_a_short_page():
    return patch.object(Airtable, "look_up_leads", lambda self, lead_ids: absent_leads(dict.fromkeys(lead_ids, "gone")))


def lock_removed():
    return patch.object(pipeline, "pair_lock", lambda store, pair: nullcontext(lambda: None))


def no_settling():
    """What a run that was cut off has written stays unknown."""
    return patch.object(join, "settle", lambda base, *_, **__: base)


def copies_not_set_aside():
    listed = Identity.listed

    def without(identity):
        return listed(Identity(identity.owned, [(claim, reason) for claim, reason in identity.aside if reason != COPY]))

    return patch.object(Identity, "listed", without)


def youngest_card_is_the_leads():
    return patch.object(Claim, "rank", lambda claim: (claim.is_deleted, bool(claim.known), claim.card.card_id))


def row(lead: LeadPresence, card: CardPresence, decision: RowDecision) -> Mutant:
    """What becomes of a lead and a card is decided otherwise."""
    return lambda: patch.dict(ROW_DECISIONS, {(lead, card): decision})  # type: ignore[arg-type]


def unchecked_rows_dropped():
    """A write that is recorded counts as checked, though the feed was not read."""
    record = Journal.record
    return patch.object(
        Journal, "record", lambda self, pair, side, updates, sent=None, answered=0.0: record(self, pair, side, updates)
    )


def patch_sent_again_unread():
    """After a wait, without a look at what a person typed meanwhile."""
    drop_moved = leads._drop_moved

    def first_only(group, *others):
        if not group.tries and not group.unclear and not group.tried:
            drop_moved(group, *others)

    return patch.object(leads, "_drop_moved", first_only)


def own_text_tidied():
    with_block = plan.with_block

    def tidied(description, *block):
        return "\n".join(line.strip() for line in with_block(description, *block).split("\n"))

    return patch.object(plan, "with_block", tidied)


def merged_base_ahead():
    """A set that goes to both sides counts as agreed as soon as the card has it."""

    def to_both(held, row, draft):
        plan_mapped._to_trello(held, row, draft)
        plan_mapped._to_airtable(held, row, draft)
        lead = held.cell.airtable.put(held.target, held.lead)
        draft.card_record[sides_of(held.cell.name)[0]] = lead
        draft.card_record[sides_of(held.cell.name)[1]] = held.cell.trello.put(held.target, held.card)

    return patch.dict(plan_mapped.PLANNERS, {CellDecision.MERGED: to_both})


def one_way(table, towards_trello: CellDecision, towards_airtable: CellDecision) -> Mutant:
    """What becomes of an edit on the side that a cell does not come from; `table`: when both have met, or before."""
    to_trello = table[Way.TO_TRELLO] | {CellDecision.TO_AIRTABLE: towards_trello}
    to_airtable = table[Way.TO_AIRTABLE] | {CellDecision.TO_TRELLO: towards_airtable}
    return lambda: patch.dict(table, {Way.TO_TRELLO: to_trello, Way.TO_AIRTABLE: to_airtable})


MUTANTS: Final[Mapping[str, Mutant]] = {
    "bare-reverse-map": bare_reverse_map,
    "blind-post-retry": lambda: patch.object(card_parts, "_create_card", post_again_blindly),
    "search-instead-of-board-read": lambda: patch.object(card_parts, "_create_card", searching),
    "base-moved-before-the-write": base_moved_before_the_write,
    "no-guard": lambda: patch.multiple(join, check_reads=lambda *_: None, check_plan=lambda *_: None),
    "delete-inferred-from-a-short-page": deletion_from_a_short_page,
    "lock-removed": lock_removed,
    "put-of-all-fields": put_of_all_fields,
    "no-journal": no_journal,
    "no-re-read-of-leads": lambda: patch.object(leads, "_drop_moved", lambda *_: None),
    "feed-not-read": lambda: patch.object(repair_cards, "find_overwritten", lambda *_: []),
    "no-settling": no_settling,
    "copies-not-set-aside": copies_not_set_aside,
    "youngest-card-is-the-leads": youngest_card_is_the_leads,
    "fallback-title-written-back": lambda: patch.object(cells, "_is_fallback", lambda *_: False),
    "archived-card-made-again": row(LeadPresence.PRESENT, CardPresence.ARCHIVED, RowDecision.CREATE),
    "deleted-card-made-again": row(LeadPresence.PRESENT, CardPresence.DELETED, RowDecision.CREATE),
    "card-away-made-again": row(LeadPresence.PRESENT, CardPresence.MOVED_AWAY, RowDecision.CREATE),
    "card-of-a-deleted-lead-left": row(LeadPresence.GONE, CardPresence.OPEN, RowDecision.LEAVE),
    "lead-out-of-view-taken-for-deleted": row(LeadPresence.OUT_OF_VIEW, CardPresence.OPEN, RowDecision.ARCHIVE),
    "moved-card-of-a-deleted-lead-archived": lambda: patch.object(decide, "_was_moved", lambda *_: False),
    "unchecked-rows-dropped": unchecked_rows_dropped,
    "patch-sent-again-unread": patch_sent_again_unread,
    "own-text-tidied": own_text_tidied,
    "hand-edit-in-the-block-left": lambda: patch.dict(
        LINE_DECISIONS,  # type: ignore[arg-type]
        {(False, True, True): CellDecision.UNCHANGED},
    ),
    "parked-card-moved": lambda: patch.dict(
        plan_cells.STATUS_PLANNERS,  # type: ignore[arg-type]
        {CellDecision.PARKED: plan_cells._status_to_trello},
    ),
    "conflicts-not-listed": lambda: patch.object(Telling, "conflicts", lambda *_: None),
    "sets-not-merged-by-element": lambda: patch.object(Compared, "is_merged", False),
    "merged-base-ahead": merged_base_ahead,
    "loser-of-a-take-unchecked": lambda: patch.object(taking, "_check_loser", lambda *_: None),
    "one-way-edits-left": one_way(ONE_WAY, CellDecision.UNCHANGED, CellDecision.UNCHANGED),
    "empty-source-written-at-first-match": one_way(ONE_WAY_FIRST, CellDecision.TO_TRELLO, CellDecision.TO_AIRTABLE),
    "no-guard-of-emptied-cells": lambda: patch.object(join, "check_emptied", lambda *_: Emptied()),
    "what-stands-forgotten": lambda: patch.object(Standing, "load", lambda *_: Concerned()),
}
