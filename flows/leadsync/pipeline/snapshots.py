"""The snapshot after a read, and after the writes. Never here: the database that keeps it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from leadsync.airtable.client import LeadsRead
from leadsync.frames.actions import Item
from leadsync.frames.snapshot import Snapshot, newest_lead
from leadsync.pipeline.extract import FEED_OVERLAP, LONG_FEED
from leadsync.trello.board import Board, CardsRead


def snapshot_now(
    before: Snapshot, leads: LeadsRead, cards: CardsRead, asked: str, decides: str = "", options: Sequence[str] = ()
) -> Snapshot:
    """What is known of both sides after a read. `asked`, `decides`: see scope.question and scope.ruling."""
    whole = leads.whole and not cards.delta
    newest = newest_lead(leads.records.values())
    if not leads.whole or before.concerned is not None:  # these are not all
        newest = max(before.newest, newest)
    return Snapshot(
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
        leads=leads.number,
        held=cards.marked,
        theirs=sorted(cards.theirs),
        newest=newest,
        options=[*options],
        ruling=decides,
        concerned=before.concerned,
    )


def snapshot_after(snapshot: Snapshot, records: dict[str, Item], cards: dict[str, Item], board: Board) -> Snapshot:
    """What is known once our writes have been answered; a card that is no longer open on the board leaves."""
    now = {card_id: {**snapshot.cards.get(card_id, {}), **card} for card_id, card in cards.items()}
    gone = {card_id for card_id, card in now.items() if card.get("closed") or card.get("idBoard") != board.board_id}
    made = len(now.keys() - snapshot.cards.keys() - gone)
    lost = len(gone & snapshot.cards.keys())
    kept = {card_id: card for card_id, card in {**snapshot.cards, **now}.items() if card_id not in gone}
    return replace(
        snapshot,
        records={**snapshot.records, **records},
        cards=kept,
        open_cards=snapshot.open_cards + made - lost if snapshot.open_cards >= 0 else -1,
        held=snapshot.held + made - lost,
        trello_at=snapshot.trello_at if len(cards) < LONG_FEED else 0.0,
        recent=snapshot.recent + len(records),
        written=[*snapshot.written, *list(records)[:50], *list(cards)[:50]],
    )
