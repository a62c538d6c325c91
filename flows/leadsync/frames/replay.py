"""The board's cards brought up to date with the actions of a feed. Pure. Never here: a request."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadsync.frames.actions import (
    FEED,
    LIST_ACTIONS,
    WHOLESALE,
    Item,
    card_of,
    card_told,
    former_cells,
    joins_board,
    leaves_board,
    time_of,
)
from leadsync.frames.snapshot import Seen

CELLS: Final = ("name", "desc", "idList", "dueComplete", "isTemplate", "cardRole")
"""Cells of a card that an action tells, with the new value beside the former one."""
SAME_MOMENT: Final = 10.0
"""Seconds by which actions may come out of order; they are asked for again and told apart by their ids."""


@dataclass(frozen=True)
class Replayed:
    """
    The board's cards after the actions of a feed.

    `unknown`: ids of cards that must be asked for by id. `deleted`: ids that the base knows and that exist no more.
    `total`: open cards on the board, -1 if it can no longer be told. `lists_told`: something about lists is new. `at`,
    `actions`: where the next feed begins, see Seen.
    """

    cards: dict[str, Item]
    unknown: list[str]
    deleted: list[str]
    total: int
    lists_told: bool
    at: float
    actions: list[str]


def replay(seen: Seen, feed: Sequence[Mapping[str, Any]], known: Collection[str]) -> Replayed | None:
    """
    Bring the cards of `seen` up to date. `feed`: newest first. `known`: card ids that the base knows.

    Of a card of which anything is new, all that the feed tells is applied again, in order: the end of a card's
    history ends in how it is now, wherever it begins. Returns: None if the feed does not tell enough: a list moved with
    its cards, an action is of a kind that was not asked for, or a card that we wrote is not in it.
    """
    told = set(seen.actions)
    oldest_first = feed[::-1]
    history = sorted(oldest_first, key=time_of)
    news = [action for action in history if action.get("id") not in told]
    if any(action.get("type") not in FEED or action["type"] in WHOLESALE for action in news):
        return None
    if not {card_of(action) for action in feed} >= {*seen.written} & {*seen.cards}:
        return None
    of_card: dict[str, list[Mapping[str, Any]]] = {}
    for action in history:
        of_card.setdefault(card_of(action), []).append(action)
    cards, unknown = dict(seen.cards), []
    for card_id in sorted({card_of(action) for action in news if action["type"] not in LIST_ACTIONS}):
        card, ask = _replay_card(cards.pop(card_id, None), of_card[card_id], told, card_id in known)
        if card is not None:
            cards[card_id] = card
        if ask:
            unknown.append(card_id)
    at = max([seen.trello_at, *map(time_of, news)])
    return Replayed(
        cards=cards,
        unknown=unknown,
        deleted=sorted({card_of(action) for action in news if action["type"] == "deleteCard"} & {*known}),
        total=seen.open_cards if all(_was_counted(action, seen, known) for action in news) else -1,
        lists_told=any(action["type"] in LIST_ACTIONS for action in news),
        at=at,
        actions=[str(action["id"]) for action in feed if time_of(action) >= math.floor(at - SAME_MOMENT)],
    )


def _replay_card(
    card: Item | None, history: Sequence[Mapping[str, Any]], told: Collection[str], known: bool
) -> tuple[Item | None, bool]:
    """
    One card after its actions, oldest first; None if it is not open on the board, or not ours as far as is known.

    Returns also: whether it must be asked for by id, because the feed does not tell enough of it.
    """
    gone = ask = False
    for action in history:
        now, old = card_told(action), former_cells(action)
        is_news = action.get("id") not in told
        if leaves_board(action) or joins_board(action):
            gone = leaves_board(action)
            ask |= not gone and is_news and (card is None or action["type"] == "moveCardToBoard")
        elif card is None:
            untold = "desc" in old and "desc" not in now
            ask |= is_news and (known or untold or "LeadID:" in str(now.get("desc")))
        else:
            moved = [cell for cell in CELLS if cell in old]
            card = {**card, **{cell: now[cell] for cell in moved if cell in now}}
            ask |= any(cell not in now for cell in moved)
    return (None, False) if gone else (card, ask)


def _was_counted(action: Mapping[str, Any], seen: Seen, known: Collection[str]) -> bool:
    """Whether `open_cards` has it already: it moves nothing in or out, or it is a card that we made or archived."""
    card_id = card_of(action)
    ours = card_id in seen.cards if joins_board(action) else card_id in known and card_id not in seen.cards
    return ours or not (joins_board(action) or leaves_board(action))
