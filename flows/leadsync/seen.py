"""
What both sides looked like when they were last read, and how what has changed since brings that up to date.

Pure. What is never here: a request, a frame, a decision about a cell.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from leadsync.frames import time_of

Item = dict[str, Any]
"""A lead or a card as its service sent it, cut down to what the sync reads."""

ARRIVALS: Final = ("createCard", "copyCard", "convertToCardFromCheckItem", "emailCard", "moveCardToBoard")
DEPARTURES: Final = ("deleteCard", "moveCardFromBoard")
LIST_ACTIONS: Final = ("createList", "updateList", "updateBoard")
WHOLESALE: Final = ("moveListFromBoard", "moveListToBoard")
"""Cards come or go with their list, and no action of theirs tells."""
FEED: Final = (*ARRIVALS, *DEPARTURES, "updateCard", *LIST_ACTIONS, *WHOLESALE)
"""The kinds of action that can change what a full read would show [reference/trello-api.md 5]."""
CELLS: Final = ("name", "desc", "idList", "dueComplete", "isTemplate", "cardRole")
"""Cells of a card that an action tells, with the new value beside the former one."""
SAME_MOMENT: Final = 10.0
"""Seconds by which actions may come out of order; they are asked for again and told apart by their ids."""


@dataclass(frozen=True)
class Mark:
    """
    How far the payloads of a webhook have been taken in: the next is number `cursor`.

    `at`: Airtable's clock when it was last asked [s since 1970]. `unread`: leads that its payloads named and that no
    read has shown since.
    """

    webhook: str = ""
    cursor: int = 1
    at: float = 0.0
    unread: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether what it tells follows on what was seen; without Airtable's time a gap would go unnoticed."""
        return bool(self.webhook) and self.at > 0


@dataclass
class Seen:
    """
    The last read of a pair. `records` and `cards`: id -> item; cards are the open ones that are ours.

    Times in seconds since 1970: `full_at` by our clock, when both sides were last read whole; `airtable_at` and
    `trello_at` by the services' clocks, 0 if they never said. `question`: a digest of what was asked for; under other
    settings all this is void. `open_cards`: on the whole board, -1 if unknown. `recent`: leads known to have changed
    since the newest one was created. `written`: lead and card ids written since. `actions`: ids of the latest actions,
    told already. `lists_checked`: board and lists are known to be unchanged. `feed`: where Airtable's change feed goes
    on, kept with the items so that neither runs ahead of the other.
    """

    records: dict[str, Item] = field(default_factory=dict)
    cards: dict[str, Item] = field(default_factory=dict)
    open_cards: int = -1
    question: str = ""
    full_at: float = 0.0
    airtable_at: float = 0.0
    trello_at: float = 0.0
    recent: int = 0
    written: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    lists_checked: bool = False
    feed: Mark = Mark()

    def marks(self) -> Item:
        """All but the items, to be kept as JSON."""
        marks = {name: value for name, value in vars(self).items() if name not in ("records", "cards")}
        return marks | {"feed": vars(self.feed)}

    @classmethod
    def of_marks(cls, marks: Mapping[str, Any]) -> Seen:
        """What `marks` kept; the items are still to be added."""
        known = {name: value for name, value in marks.items() if name in cls.__dataclass_fields__}
        feed = known.pop("feed", {})
        return cls(**known, feed=Mark(**{**feed, "unread": tuple(feed.get("unread", ()))}))


def sides_by_delta(read: str, seen: Seen, now: float, full_every: float, page: int) -> tuple[bool, bool]:
    """
    Whether Airtable and Trello are asked only for what changed.

    `read`: full | delta | auto. `now`, `full_every`: our clock [s]. `page`: leads in a page. auto asks for everything
    when the last full read is too long ago, and for all leads where that costs no more: it shows the deleted ones. The
    board's feed costs no more than a page of cards, shows deletions, and saves the check of the lists.
    """
    if not seen.full_at or read == "full" or (read == "auto" and not 0 <= now - seen.full_at < full_every):
        return False, False
    return seen.airtable_at > 0 and (read == "delta" or len(seen.records) > page), seen.trello_at > 0


def newest_lead(records: Iterable[Item]) -> float:
    """When the newest lead was created, by Airtable's clock [s since 1970]; 0 if there is none."""
    return max((time_of({"date": record.get("createdTime")}) for record in records), default=0.0)


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
        now, old = _card(action), _old(action)
        is_news = action.get("id") not in told
        if _goes(action) or _comes(action):
            gone = _goes(action)
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
    ours = card_id in seen.cards if _comes(action) else card_id in known and card_id not in seen.cards
    return ours or not (_comes(action) or _goes(action))


def _card(action: Mapping[str, Any]) -> Item:
    return (action.get("data") or {}).get("card") or {}


def _old(action: Mapping[str, Any]) -> Item:
    """Former values of the cells that it changed."""
    return (action.get("data") or {}).get("old") or {}


def card_of(action: Mapping[str, Any]) -> str:
    """The id of the card that an action of the feed is about, "" if of none."""
    return str(_card(action).get("id", ""))


def _goes(action: Mapping[str, Any]) -> bool:
    """Whether the card left the open cards of the board."""
    archived = "closed" in _old(action) and bool(_card(action).get("closed"))
    return action["type"] in DEPARTURES or archived


def _comes(action: Mapping[str, Any]) -> bool:
    """Whether the card came to the open cards of the board."""
    reopened = "closed" in _old(action) and not _card(action).get("closed")
    return action["type"] in ARRIVALS or reopened


def pages_of(items: int, page: int) -> int:
    """Requests that a full read of so many items costs."""
    return max(1, math.ceil(items / page))
