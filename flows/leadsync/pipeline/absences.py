"""Cards that a read did not show, explained by look-ups. Never here: what follows from it."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

import pandas as pd

from leadsync.core.guards import unexplained
from leadsync.core.lookups import Check, due_checks, shut_cards
from leadsync.errors import ServiceRefusedError
from leadsync.frames.cards import deleted_cards
from leadsync.frames.schema import overlay
from leadsync.pipeline.memory import Memory
from leadsync.trello.board import Board
from leadsync.trello.client import Trello
from leadsync.trello.feed import fetch_deleted

ASKED_SINGLY = 50
"""Missing cards from which on the archived ones are listed, and the deletions read, instead of asking for each."""
CHECKS = 20
"""Cards known to be archived or away that are asked for in one run."""


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
            trello = overlay(trello, deleted_cards(fetch_deleted(client, board) & {*missing}))
        missing = unexplained(base, trello)
    return trello if len(missing) >= ASKED_SINGLY else overlay(trello, client.look_up_cards(board, sorted(missing)))


def archived_cards(card_ids: Collection[str], client: Trello, board: Board) -> pd.DataFrame:
    """
    Cards that are said to be archived: no read shows them.

    Cost: 1 request for each while they are few, else 1 for each 1,000 archived cards.
    """
    if len(card_ids) >= ASKED_SINGLY:
        return client.fetch_archived(board, {*card_ids})
    return client.find_cards(board, sorted(card_ids))


@dataclass(frozen=True)
class Shut:
    """
    After a look for cards that are archived or away: the cards with those found to be deleted or elsewhere.

    `checks`: to be kept, by card id; of one found to be deleted the former one, so that it is looked for again should
    nothing come of this. `unsettled`: those whose lead was edited, and that could not be looked for yet.
    """

    cards: pd.DataFrame
    checks: dict[str, Check]
    unsettled: frozenset[str]


def check_shut(
    base: pd.DataFrame,
    leads: pd.DataFrame,
    trello: pd.DataFrame,
    memory: Memory,
    client: Trello,
    board: Board,
    daily: bool,
) -> Shut:
    """
    Look for cards known to be archived or away: no read shows that one is deleted.

    A card becomes due a day, by our own clock, after it was last known to exist, first when it was found to be away;
    and at once when its lead is edited. `daily`: whether those due by time are looked for, as a full read does. Of
    those the archived ones are listed, the others, and what is not listed, are asked for, at most CHECKS a run.
    """
    shut, now = shut_cards(base, leads, trello), time.time()
    if not shut:
        return Shut(trello, {}, frozenset())
    unread = {card_id: status for card_id, status in shut.items() if card_id not in trello.index}
    edited, old = due_checks(unread, memory.checks, now, daily)
    to_list = {*old, *(edited if len(edited) > CHECKS else ())}
    to_list &= {*base["card_id"][base["card_presence"] != "moved_away"]}
    found = client.fetch_archived(board, to_list) if to_list else trello.iloc[:0]
    asked = [card_id for card_id in (*edited, *old) if card_id not in found.index][:CHECKS]
    found = overlay(found, client.find_cards(board, asked))
    elsewhere = found["presence"].isin(("deleted", "moved_away"))
    news = found[elsewhere | (found.index.isin(edited) & (found["presence"] == "archived"))]
    there = {*found.index[found["presence"] != "deleted"]}
    kept = {card_id: memory.checks[card_id] for card_id in unread.keys() & memory.checks.keys() - there}
    checks = {card_id: kept.get(card_id) or Check(now, status or "") for card_id, status in shut.items()}
    unseen = shut.keys() - {*found.index}
    unsettled = (card_id for card_id in unseen if shut[card_id] not in (None, checks[card_id].status))
    return Shut(overlay(trello, news), checks, frozenset(unsettled))
