"""The board's cards brought up to date with the actions of a feed. Pure. Never here: a request."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from leadsync.frames.actions import MAPPED_FEED, MEMBERS, WHOLESALE, Action, Item, feed_of
from leadsync.frames.snapshot import Snapshot
from leadsync.mapping.properties import TOLD

CELLS: Final = ("desc", "isTemplate", "cardRole", *TOLD)
"""Cells of a card that an action tells, with the new value beside the former one."""
ALL_KINDS: Final = feed_of(MAPPED_FEED)
SAME_MOMENT: Final = 10.0
"""Seconds by which actions may come out of order; they are asked for again and told apart by their ids."""


@dataclass(frozen=True)
class Replayed:
    """
    Some of the board's cards after the actions of a feed.

    `unknown`: ids of cards that must be asked for by id. `deleted`: ids that the base knows and that exist no more.
    `total`: open cards on the board, -1 if it can no longer be told. `lists_told`: something about lists is new. `at`,
    `actions`: where the next feed begins, see Snapshot.
    """

    cards: dict[str, Item]
    unknown: list[str]
    deleted: list[str]
    total: int
    lists_told: bool
    at: float
    actions: list[str]


def replay(
    snapshot: Snapshot, were: Mapping[str, Item], feed: Sequence[Action], known: Collection[str]
) -> Replayed | None:
    """
    Bring cards up to date. `feed`: newest first. `were`: as they were in `snapshot`, all that the feed tells of and all
    that we wrote. `known`: ids that the base knows.

    Of a card of which anything is new, all that the feed tells is applied again, in order: the end of a card's
    history ends in how it is now, wherever it begins. Returns: None if the feed does not tell enough: a list moved with
    its cards, an action is of a kind that was not asked for, or a card that we wrote is not in it.
    """
    told = set(snapshot.actions)
    oldest_first = feed[::-1]  # of one moment, too
    history = sorted(oldest_first, key=lambda action: action.at)
    news = [action for action in history if action.action_id not in told]
    if any(action.kind not in ALL_KINDS or action.kind in WHOLESALE for action in news):
        return None
    if not {action.card_id for action in feed} >= {*snapshot.written} & were.keys():
        return None
    of_card: dict[str, list[Action]] = {}
    for action in history:
        of_card.setdefault(action.card_id, []).append(action)
    cards, unknown = dict(were), []
    for card_id in sorted({action.card_id for action in news if not action.is_of_lists}):
        card, ask = _replay_card(cards.pop(card_id, None), of_card[card_id], told, card_id in known)
        if card is not None:
            cards[card_id] = card
        if ask:
            unknown.append(card_id)
    at = max([snapshot.trello_at, *(action.at for action in news)])
    return Replayed(
        cards=cards,
        unknown=unknown,
        deleted=sorted({action.card_id for action in news if action.kind == "deleteCard"} & {*known}),
        total=snapshot.open_cards if all(_was_counted(action, were, known) for action in news) else -1,
        lists_told=any(action.is_of_lists for action in news),
        at=at,
        actions=[action.action_id for action in feed if action.at >= math.floor(at - SAME_MOMENT)],
    )


def _replay_card(
    card: Item | None, history: Sequence[Action], told: Collection[str], known: bool
) -> tuple[Item | None, bool]:
    """
    One card after its actions, oldest first; None if it is not open on the board, or not ours as far as is known.

    Returns also: whether it must be asked for by id, because the feed does not tell enough of it.
    """
    gone = ask = False
    for action in history:
        now, former = action.card, action.former
        is_news = action.action_id not in told
        if action.leaves_board or action.joins_board:
            gone = action.leaves_board
            ask |= not gone and is_news and (card is None or action.kind == "moveCardToBoard")
        elif card is None:
            untold = "desc" in former and "desc" not in now
            ask |= is_news and (known or untold or "LeadID:" in str(now.get("desc")))
        else:
            moved = [cell for cell in CELLS if cell in former]
            if action.kind in MEMBERS:
                card = _with_member(card, action)
            ask |= action.kind in MAPPED_FEED["custom"] and is_news
            card = {**card, **{cell: now[cell] for cell in moved if cell in now}}
            ask |= any(cell not in now for cell in moved)
    return (None, False) if gone else (card, ask)


def _with_member(card: Item, action: Action) -> Item:
    others = [member_id for member_id in card.get("idMembers") or () if member_id != action.member_id]
    return card | {"idMembers": others + ([action.member_id] if action.kind == MEMBERS[0] else [])}


def _was_counted(action: Action, were: Mapping[str, Item], known: Collection[str]) -> bool:
    """Whether `open_cards` has it already: it moves nothing in or out, or it is a card that we made or archived."""
    here = action.card_id in were
    ours = here if action.joins_board else action.card_id in known and not here
    return ours or not (action.joins_board or action.leaves_board)
