"""What Trello tells of changes: the board's activity. Never here: what an action means for a lead."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from leadsync.errors import IncompleteReadError, ServiceRefusedError
from leadsync.frames.actions import Action, Item, changes_of, feed_of
from leadsync.frames.replay import SAME_MOMENT, replay
from leadsync.frames.snapshot import Snapshot, pages_of
from leadsync.trello.board import Board, CardsRead
from leadsync.trello.client import PAGE as CARDS_PAGE
from leadsync.trello.client import Trello, is_open

PAGE = 1_000
"""Actions in one page."""
FEED_PAGES = 50
"""Pages of the feed that are read at most."""
BEFORE, OF_A_WRITE = 300, 10
"""Actions that are expected of people and of earlier runs in the time that is asked for, and of one write, at most."""


@dataclass(frozen=True)
class Remembered:
    """Cards as they were last seen, by id, and the ids of those that the base knows."""

    items: dict[str, Item]
    known: frozenset[str]


def fetch_changed_cards(
    trello: Trello, board: Board, snapshot: Snapshot, recall: Callable[[set[str]], Remembered]
) -> CardsRead | None:
    """
    Those of the open cards that are not as in `snapshot`, by the board's activity since then.

    `recall`: what is remembered of cards, by their ids. Cost: 1 request, and 1 for each card that came from elsewhere.
    Returns: None if the feed cannot be had or does not tell enough (longer than a page, an action of an unknown kind,
    a write of ours not in it, no card of ours left), or a full read costs less.
    """
    kinds = ",".join(feed_of(trello.settings.mapping.properties))
    since = datetime.datetime.fromtimestamp(snapshot.trello_at - SAME_MOMENT, datetime.UTC)
    try:
        feed = _actions(trello, board, kinds, since=since.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    except ServiceRefusedError:  # what is wrong, the full read says better
        return None
    if len(feed) >= PAGE:
        return None
    were = recall({action.card_id for action in feed} | {*snapshot.written})
    replayed = replay(snapshot, were.items, feed, were.known)
    if replayed is None:
        return None
    opened_again = {card_id for card_id, card in replayed.cards.items() if not trello.is_whole(card)}
    unknown = sorted({*replayed.unknown} | opened_again)
    if len(unknown) > pages_of(snapshot.open_cards, CARDS_PAGE):
        return None
    found = (card for card_id in unknown if (card := trello.look_up(card_id)))
    cards = replayed.cards | {card["id"]: card for card in found}
    here = [card for card in cards.values() if is_open(card, board)]
    frame = trello.cards_of(board, here, were.known)
    items = trello.by_id(card for card in here if card["id"] in frame.index)
    held = snapshot.held + len(items) - len(were.items)
    if not held:
        return None
    only_ours = snapshot.open_cards == snapshot.held and len(here) == len(frame)
    return CardsRead(
        cards=frame,
        total=held if only_ours else replayed.total,
        items={card_id: card for card_id, card in items.items() if card != were.items.get(card_id)},
        at=replayed.at,
        delta=True,
        lists_told=replayed.lists_told,
        deleted=replayed.deleted,
        left=frozenset(were.items.keys() - items.keys()),
        held=held,
        actions=replayed.actions,
    )


def with_remembered(trello: Trello, board: Board, read: CardsRead, remembered: Remembered) -> CardsRead:
    """A read of the feed alone, completed by cards as they were last seen."""
    if not read.delta:
        return read
    now = {card_id: card for card_id, card in remembered.items.items() if card_id not in read.left} | read.items
    return replace(read, cards=trello.cards_of(board, now.values(), remembered.known), items=now)


def fetch_deleted(trello: Trello, board: Board) -> set[str]:
    """Ids of the cards of whose deletion the board's activity tells, the latest thousand. Cost: 1 request."""
    return {action.card_id for action in _actions(trello, board, "deleteCard")}


def fetch_actions(trello: Trello, board: Board, since: float, writes: int) -> list[Action]:
    """
    The changes of the board's cards since then [s since 1970], newest first, with former values; older ones too.

    Creations are among them: they tell whether this service names the programs that write. `writes`: how many of ours
    are looked for; the first page is not longer than they need, however old the board.

    Cost: 1 request, and 1 per 1,000 actions beyond what is expected. Raises: IncompleteReadError if there are more
    than FEED_PAGES pages.
    """
    actions: dict[str, Action] = {}
    bounds: dict[str, str] = {}
    kinds = ",".join(changes_of(trello.settings.mapping.properties))
    limit = min(PAGE, BEFORE + OF_A_WRITE * writes)
    for _ in range(FEED_PAGES):
        page = _actions(trello, board, kinds, limit, **bounds)
        news = {action.action_id: action for action in page if action.action_id not in actions}
        actions |= news
        if len(page) < limit or not news or page[-1].at < since:
            return list(actions.values())
        limit, bounds["before"] = PAGE, page[-1].action_id
    raise IncompleteReadError(f"The board's activity since the last write is longer than {FEED_PAGES} pages.")


def _actions(trello: Trello, board: Board, kinds: str, limit: int = PAGE, **bounds: str) -> list[Action]:
    """The latest `limit` within the bounds."""
    path = f"boards/{board.board_id}/actions"
    feed: list[dict[str, Any]] = trello.get(path, filter=kinds, limit=str(limit), **bounds)
    return [Action.of(action) for action in feed]
