"""The snapshot after a read, and after the writes. Never here: the database that keeps it."""

from __future__ import annotations

import time
from dataclasses import replace

from leadsync.airtable.client import LeadsRead
from leadsync.frames.actions import Item
from leadsync.frames.snapshot import Seen
from leadsync.pipeline.extract import FEED_OVERLAP, LONG_FEED
from leadsync.trello.board import Board, CardsRead


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
