"""
Trello as the sync sees it: fetch, look up, create, update. The only file that imports py-trello.

What is never here: a decision, a frame of leads, a retry (see wire.py).
"""

from __future__ import annotations

import datetime
import hashlib
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from typing import Any

import pandas as pd
import trello as py_trello

from leadsync.errors import ConfigurationError, IncompleteReadError, LeadsyncError, ServiceRefusedError
from leadsync.frames.actions import FEED, Action, Item
from leadsync.frames.cards import cards_frame, deleted_cards
from leadsync.frames.replay import SAME_MOMENT, replay
from leadsync.frames.schema import overlay
from leadsync.frames.snapshot import Seen, pages_of
from leadsync.settings import Settings
from leadsync.transport.pacing import Pace
from leadsync.transport.wire import Wire, session
from leadsync.trello.board import Board, CardsRead, Token


def client_identifier(trello_token: str) -> str:
    """What our calls to Trello carry as X-Trello-Client-Identifier, and the deliveries that they cause carry back."""
    return f"leadsync-{hashlib.sha256(trello_token.encode()).hexdigest()[:12]}"


PAGE = 1_000
"""Cards in one page [reference/trello-api.md 2.2]."""
FEED_PAGES = 50
"""Pages of the feed that are read at most."""
WINDOW = 10.2
"""Seconds in which we send what Trello takes in 10: what was long on the way arrives in the next window."""
PENALTY = 10.0
"""Seconds of Trello's rate window [reference/trello-api.md 2.1]."""
HOSTS = ("https://api.trello.com", "https://trello.com")
CARD_FIELDS = "id,name,desc,closed,idList,idBoard,dueComplete,isTemplate,cardRole,shortUrl"


def refused_setting(refused: ServiceRefusedError) -> str:
    """The setting that Trello says it does not accept, "" if the refusal is about a card, a board or a value."""
    words = f"{refused.kind} {refused.text}"
    if refused.status != 401 or re.search("unauthorized .*requested", words):
        return ""
    if re.search(r"\bkey\b", words):
        return "TRELLO_API_KEY"
    return "TRELLO_API_TOKEN" if re.search(r"\btoken\b|missing scopes", words) else ""


class Trello:
    """The board. `calls`: requests sent so far."""

    def __init__(self, settings: Settings, wire: Wire | None = None) -> None:
        key, token = (secret.get_secret_value() for secret in (settings.trello_api_key, settings.trello_api_token))
        pace = Pace(limit=settings.trello_requests_per_10_seconds, seconds=WINDOW, penalty=PENALTY)
        hosts = dict.fromkeys(HOSTS, settings.trello_endpoint_url)
        self.wire = wire or Wire("Trello", pace, secrets=(token, key), hosts=hosts, credential=refused_setting)
        self._settings = settings
        header = f'OAuth oauth_consumer_key="{key}", oauth_token="{token}"'
        # No key is given to the client: it would put key and token into every URL.
        headers = {"Authorization": header, "X-Trello-Client-Identifier": client_identifier(token)}
        self._client = py_trello.TrelloClient(None, http_service=session(self.wire, headers))

    @property
    def calls(self) -> int:
        """Requests sent so far, retries included."""
        return self.wire.calls

    @property
    def clock(self) -> float:
        """Trello's clock at its last answer [s since 1970], 0 if it never said."""
        return self.wire.server_time

    def fetch_board(self) -> Board:
        """
        Resolve board and lists. Cost: 1 request.

        Raises: ConfigurationError naming the setting if the board is closed or out of reach, or if a list is
        not on it, archived, or cannot be told by its name.
        """
        board, lists = self._board_and_lists(self._settings.trello_board_id)
        if board.get("closed"):
            raise ConfigurationError(f"TRELLO_BOARD_ID: the board {board.get('name')!r} is closed; re-open it.")
        stages = {
            stage: self._list_id(stage, configured, lists) for stage, configured in self._settings.list_ids.items()
        }
        self._refuse_shared_lists(stages)
        all_lists = sorted(str(item["id"]) for item in lists)
        return Board(str(board["id"]), str(board.get("name", "")), str(board.get("url", "")), stages, all_lists)

    def fetch_token(self) -> Token:
        """Scopes and expiry. Cost: 1 request. Raises: ConfigurationError if the key or the token is not accepted."""
        try:
            token = self._get(f"tokens/{self._settings.trello_api_token.get_secret_value()}")
        except ServiceRefusedError as refused:
            if refused.status == 404:
                refused = ServiceRefusedError("Trello", 401, "", "invalid token")
            raise self._misconfigured(refused) from None
        expires = token.get("dateExpires")
        boards = [item for item in token.get("permissions", []) if item.get("modelType") == "Board"]
        return Token(
            may_write=any(item.get("write") for item in boards),
            expires=datetime.datetime.fromisoformat(expires.replace("Z", "+00:00")) if expires else None,
        )

    def fetch_lists(self) -> tuple[str, list[dict[str, Any]]]:
        """The board's id and all its lists, archived ones too. Cost: 1 request."""
        board, lists = self._board_and_lists(self._settings.trello_board_id)
        return str(board["id"]), lists

    def add_list(self, board_id: str, name: str) -> None:
        """Create a list at the right end of the board."""
        cells = {"name": name, "idBoard": board_id, "pos": "bottom"}
        self._client.fetch_json("lists", http_method="POST", post_args=cells)

    def fetch_cards(
        self,
        board: Board,
        known: Collection[str],
        expected: Collection[str] = (),
        total: int = -1,
        archived: bool = False,
    ) -> CardsRead:
        """
        The board's open cards, or with `archived` all of them.

        `known`: card ids the base knows. `expected`: those that should be open. `total`: how many open cards the
        board had last time, -1 if unknown. Cost: max(1, ceil(open / 1000)) requests: a full page ends the read if it
        shows all that is expected and makes up just that total, and the answer then is not `whole`. With `archived`
        only an empty page ends it: a page cut short shows.
        """
        cards: dict[str, Any] = {}
        asked, began = time.monotonic(), 0.0
        query = {"filter": "all" if archived else "open", "fields": CARD_FIELDS, "limit": str(PAGE)}
        while True:
            page = self._card_page(board, query)
            began = began or max(0.0, self.clock - (time.monotonic() - asked))
            news = {card["id"]: card for card in page if card["id"] not in cards}
            cards |= news
            if not news or (len(page) < PAGE and not archived):
                whole = True
                break
            if len(cards) == total and not archived and not set(expected) - cards.keys():
                whole = False
                break
            query["before"] = min(cards)
        frame = self.cards_of(board, cards.values(), known)
        still_open = [card_id for card_id, card in cards.items() if _is_open(card, board)]
        items = _by_id(cards[card_id] for card_id in still_open if card_id in frame.index)
        return CardsRead(frame, len(still_open), whole, items, began)

    def fetch_changed_cards(self, board: Board, seen: Seen, known: Collection[str]) -> CardsRead | None:
        """
        The open cards as last `seen`, brought up to date with the board's activity since then.

        Cost: 1 request, and 1 for each card that came from elsewhere. Returns: None if the feed cannot be had or does
        not tell enough
        (longer than a page, an action of an unknown kind, a write of ours not in it, no card of ours left), or a full
        read costs less.
        """
        since = datetime.datetime.fromtimestamp(seen.trello_at - SAME_MOMENT, datetime.UTC)
        try:
            feed = self._feed(board, ",".join(FEED), PAGE, since=since.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
        except ServiceRefusedError:  # what is wrong, the full read says better
            return None
        replayed = replay(seen, feed, known) if len(feed) < PAGE else None
        if replayed is None or len(replayed.unknown) > pages_of(seen.open_cards, PAGE):
            return None
        found = (card for card_id in replayed.unknown if (card := self._look_up(card_id)))
        cards = replayed.cards | {card["id"]: card for card in found}
        here = [card for card in cards.values() if _is_open(card, board)]
        frame = self.cards_of(board, here, known)
        if frame.empty:
            return None
        return CardsRead(
            cards=frame,
            total=replayed.total,
            items=_by_id(card for card in here if card["id"] in frame.index),
            at=replayed.at,
            delta=True,
            lists_told=replayed.lists_told,
            deleted=replayed.deleted,
            actions=replayed.actions,
        )

    def look_up_cards(self, board: Board, card_ids: Sequence[str]) -> pd.DataFrame:
        """
        Cards that were missing from a read, asked for by id: archived, moved_away or deleted, 1 request each.

        Raises: IncompleteReadError if one is open on the board after all: then the read was not whole.
        """
        cards = self.find_cards(board, card_ids)
        open_after_all = cards.index[cards["presence"] == "open"]
        if len(open_after_all):
            raise IncompleteReadError(
                f"Trello's list left out {len(open_after_all)} cards that are open on the board, for example "
                f"{open_after_all[0]}; nothing was written. Run again."
            )
        return cards

    def find_cards(self, board: Board, card_ids: Sequence[str]) -> pd.DataFrame:
        """Cards asked for by id, with whatever presence they have, 1 request each."""
        found = {card_id: self._look_up(card_id) for card_id in card_ids}
        there = self.cards_of(board, filter(None, found.values()), card_ids)
        return overlay(there, deleted_cards(card_id for card_id, card in found.items() if card is None))

    def fetch_archived(self, board: Board, wanted: Set[str]) -> pd.DataFrame:
        """
        Those of the `wanted` cards that are archived on the board.

        Cost: 1 request for each 1,000 archived cards, until all are found or only older cards are left.
        """
        cards: dict[str, Item] = {}
        query = {"filter": "closed", "fields": CARD_FIELDS, "limit": str(PAGE)}
        while page := [card for card in self._card_page(board, query) if card["id"] not in cards]:
            cards |= {card["id"]: card for card in page}
            if len(page) < PAGE or wanted <= cards.keys() or min(cards) <= min(wanted):
                break
            query["before"] = min(cards)
        frame = self.cards_of(board, (cards[card_id] for card_id in wanted if card_id in cards), wanted)
        return frame[frame["presence"] == "archived"]

    def fetch_deleted(self, board: Board) -> set[str]:
        """Ids of the cards of whose deletion the board's activity tells, the latest thousand. Cost: 1 request."""
        return {action.card_id for action in self._feed(board, "deleteCard", PAGE)}

    def get_card(self, board: Board, card_id: str) -> pd.DataFrame:
        """One card as it is now; presence deleted if it is gone. Cost: 1 request."""
        card = self._look_up(card_id)
        if card is None:
            return deleted_cards([card_id])
        return self.cards_of(board, [card], (card_id,))

    def create_card(self, cells: Mapping[str, Any]) -> Item:
        """POST one card. Returns: the card as Trello returned it. Raises: UnclearWriteError if no answer came."""
        return _item(self._client.fetch_json("cards", http_method="POST", post_args=dict(cells)))

    def update_card(self, card_id: str, cells: Mapping[str, Any]) -> Item:
        """One PUT with just the given cells. Returns: the card as Trello returned it."""
        return _item(self._client.fetch_json(f"cards/{card_id}", http_method="PUT", post_args=dict(cells)))

    def cards_of(self, board: Board, cards: Iterable[Mapping[str, Any]], known: Collection[str]) -> pd.DataFrame:
        """Cards as Trello sent them, as the forms of leads; see frames.cards_frame."""
        return cards_frame(cards, board.board_id, board.stages, known)

    def fetch_actions(self, board: Board, since: float) -> list[Action]:
        """
        The changes of the board's cards since then [s since 1970], newest first, with former values; older ones too.

        Creations are among them: they tell whether this service names the programs that write.

        Cost: 1 request per 1,000 actions. Raises: IncompleteReadError if there are more than FEED_PAGES pages.
        """
        actions: dict[str, Action] = {}
        bounds: dict[str, str] = {}
        for _ in range(FEED_PAGES):
            page = self._feed(board, "createCard,updateCard", PAGE, **bounds)
            news = {action.action_id: action for action in page if action.action_id not in actions}
            actions |= news
            if len(page) < PAGE or not news or page[-1].at < since:
                return list(actions.values())
            bounds["before"] = page[-1].action_id
        raise IncompleteReadError(f"The board's activity since the last write is longer than {FEED_PAGES} pages.")

    def fetch_webhooks(self) -> list[dict[str, Any]]:
        """The token's webhooks: id, callbackURL, idModel, description, active … Cost: 1 request."""
        try:
            hooks = self._get(f"tokens/{self._settings.trello_api_token.get_secret_value()}/webhooks")
        except ServiceRefusedError as refused:
            raise self._misconfigured(refused) from None
        return [hook for hook in hooks if isinstance(hook, dict) and hook.get("id")]

    def add_webhook(self, callback_url: str, board_id: str, description: str) -> str:
        """
        Watch the board. Trello first sends HEAD to the callback, which must answer 200.

        Returns: the webhook's id. Raises: ConfigurationError if the callback cannot be reached. Cost: 1 request.
        """
        wanted = {"callbackURL": callback_url, "idModel": board_id, "description": description, "active": True}
        try:
            return str(self._client.fetch_json("webhooks", http_method="POST", post_args=wanted)["id"])
        except ServiceRefusedError as refused:
            if "did not return 200" in refused.text or refused.kind == "VALIDATOR_URL_RETURNED_ERROR":
                raise ConfigurationError(
                    f"Trello could not reach {callback_url}: {refused.text}. It has to answer HEAD with 200 from the "
                    "internet; check SYNC_PUBLIC_URL, and the proxy or tunnel in front of the gateway."
                ) from None
            raise self._misconfigured(refused) from None

    def delete_webhook(self, webhook_id: str) -> None:
        """Stop it; one that is gone already is no error. Cost: 1 request."""
        try:
            self._client.fetch_json(f"webhooks/{webhook_id}", http_method="DELETE")
        except ServiceRefusedError as refused:
            if refused.status != 404:
                raise

    def explain(self, refused: ServiceRefusedError) -> tuple[str, str]:
        """Why a card could not be written, and what to do about it."""
        if refused.status == 401:
            return (
                f"the token may not write to the card ({refused.text or 'unauthorized'})",
                "Give the user of TRELLO_API_TOKEN the right to edit the card's board.",
            )
        if refused.status == 404:
            return "the card or its list is gone", "Nothing to do; the next run sees what became of it."
        if refused.status == 403:
            return f"Trello refused it ({refused})", "A board or list may be full: archive cards that are done."
        return str(refused), "Correct the lead's text; Trello takes at most 16,384 characters."

    def _feed(self, board: Board, kinds: str, limit: int, **bounds: str) -> list[Action]:
        path = f"boards/{board.board_id}/actions"
        feed: list[dict[str, Any]] = self._get(path, filter=kinds, limit=str(limit), **bounds)
        if not isinstance(feed, list) or not all(isinstance(action, dict) and action.get("id") for action in feed):
            raise IncompleteReadError("Trello sent a feed without actions; nothing was written. Run again.")
        return [Action.of(action) for action in feed]

    def _get(self, path: str, **query: str) -> Any:
        return self._client.fetch_json(path, query_params=dict(query))

    def _board_and_lists(self, board_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        query = {"fields": "id,name,closed,url", "lists": "all", "list_fields": "id,name,closed,idBoard"}
        try:
            board: dict[str, Any] = self._get(f"boards/{board_id}", **query)
            lists = board.get("lists")
            if lists is None:  # a proxy or a stand-in that knows no nested resources
                lists = self._get(f"boards/{board_id}/lists", filter="all", fields=query["list_fields"])
        except ServiceRefusedError as refused:
            raise self._misconfigured(refused) from None
        return board, lists

    def _card_page(self, board: Board, query: Mapping[str, str]) -> list[dict[str, Any]]:
        try:
            page = self._get(f"boards/{board.board_id}/cards", **query)
        except ServiceRefusedError as refused:
            raise self._misconfigured(refused) from None
        if not isinstance(page, list) or not all(isinstance(card, dict) and card.get("id") for card in page):
            raise IncompleteReadError("Trello sent a page without cards; nothing was written. Run again.")
        return page

    def _look_up(self, card_id: str) -> dict[str, Any] | None:
        try:
            card: dict[str, Any] = self._get(f"cards/{card_id}", fields=CARD_FIELDS)
        except ServiceRefusedError as refused:
            if refused.status == 404:
                return None
            if refused.status == 401:  # moved out of the token's sight
                return {"id": card_id, "idBoard": "out of sight"}
            raise
        return card

    def _list_id(self, stage: str, configured: str | None, lists: Sequence[Mapping[str, Any]]) -> str:
        setting = f"TRELLO_LIST_{stage}_ID"
        shown = ", ".join(f"{item['name']} = {item['id']}" for item in lists if not item.get("closed")) or "none"
        by_name = [item for item in lists if item["name"] == stage and not item.get("closed")]
        found = [item for item in lists if item["id"] == configured] if configured else by_name
        if not found and configured:
            raise ConfigurationError(f"{setting} {configured} is not a list of the board. Its open lists: {shown}.")
        if not found:
            raise ConfigurationError(f"{setting} is not set and no open list is called {stage}. Open lists: {shown}.")
        if len(found) > 1:
            raise ConfigurationError(f"{len(found)} lists are called {stage}; set {setting}. Open lists: {shown}.")
        if found[0].get("closed"):
            raise ConfigurationError(
                f"{setting}: the list {found[0]['name']!r} is archived; un-archive it or choose one of {shown}."
            )
        return str(found[0]["id"])

    def _refuse_shared_lists(self, stages: Mapping[str, str]) -> None:
        if len(set(stages.values())) < len(stages):
            raise ConfigurationError("Two of TRELLO_LIST_*_ID name the same list; each stage needs a list of its own.")

    def _misconfigured(self, refused: ServiceRefusedError) -> LeadsyncError:
        """Which setting a refused read points to [reference/trello-api.md 1.3]."""
        board = self._settings.trello_board_id
        if setting := refused_setting(refused):
            mend = "copy the key again" if setting == "TRELLO_API_KEY" else "make a new token (read and write)"
            return ConfigurationError(f"{setting} was not accepted by Trello; {mend}.")
        if refused.status == 401:
            return ConfigurationError(
                f"TRELLO_BOARD_ID {board} is out of reach for TRELLO_API_TOKEN; add its user to the board."
            )
        if refused.status in (400, 404):
            return ConfigurationError(
                f"TRELLO_BOARD_ID {board} is not a board; give its id, short link or address ({refused.text})."
            )
        return ConfigurationError(f"Trello refused to list board {board}: {refused}.")


def _by_id(cards: Iterable[Item]) -> dict[str, Item]:
    return {str(card["id"]): _item(card) for card in cards}


def _item(card: Item) -> Item:
    """A card cut down to what the sync reads."""
    return {name: card[name] for name in CARD_FIELDS.split(",") if name in card}


def _is_open(card: Item, board: Board) -> bool:
    return not card.get("closed") and card.get("idBoard") in (None, "", board.board_id)
