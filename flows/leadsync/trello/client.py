"""
Trello as the sync sees it: the connection, and what is read of the board's cards.

What is never here: a write (see writing.py), a decision, a frame of leads, a retry (see transport/).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import trello as py_trello

from leadsync.errors import IncompleteReadError, ServiceRefusedError
from leadsync.frames.actions import Item
from leadsync.frames.cards import Card, CardPresence, cards_frame, deleted_cards
from leadsync.frames.schema import column, overlay, rows_of
from leadsync.mapping.rows import CellMapping
from leadsync.settings import Settings
from leadsync.transport.lines import session
from leadsync.transport.pacing import Pace
from leadsync.transport.wire import Transport, Wire
from leadsync.trello.board import Board, CardsRead
from leadsync.trello.refusals import TRELLO, misconfigured

PAGE = 1_000
"""Cards in one page."""
MOST_CARDS = 500_000
"""Cards of a board, archived ones too, from which on a list is no longer believed."""
WINDOW = 10.2
"""Seconds in which we send what Trello takes in 10: what was long on the way arrives in the next window."""
PENALTY = 10.0
"""Seconds of Trello's rate window."""
HOSTS = ("https://api.trello.com", "https://trello.com")
TOKEN_IN_PATH = "TRELLO_API_TOKEN"
"""What stands for the token in a path, until the request leaves: addresses get into logs."""
CARD_FIELDS = ("id", "name", "desc", "closed", "idList", "idBoard", "dueComplete", "isTemplate", "cardRole", "shortUrl")
"""What every card is asked for; what else is mapped comes with the mapping."""
CUSTOM_ITEMS: Final = "customFieldItems"


@dataclass(frozen=True)
class CardShape:
    """What a card is asked for. `parts`: its keys that are kept; `query`: how they are asked for."""

    parts: tuple[str, ...]
    query: Mapping[str, str]

    @classmethod
    def of(cls, mapping: CellMapping, also: Sequence[str] = ()) -> CardShape:
        """By the mapping's properties; custom fields are a parameter of their own. `also`: fields that are not kept."""
        mapped = dict.fromkeys(row.card.wire for row in mapping.fields)
        fields = [*CARD_FIELDS, *(wire for wire in mapped if wire not in (*CARD_FIELDS, CUSTOM_ITEMS))]
        items = {CUSTOM_ITEMS: "true"} if CUSTOM_ITEMS in mapped else {}
        return cls((*fields, *items), {"fields": ",".join([*fields, *also]), **items})

    @property
    def beside_fields(self) -> Set[str]:
        """Parts that no answer to a write has."""
        return self.query.keys() - {"fields"}


class Trello:
    """
    The board: reads of its cards, and what the other files here ask with.

    `wire`: the path to it, closed by whoever opened the client. `shape`: what cards are asked for.
    """

    def __init__(self, settings: Settings, transport: Transport = Wire) -> None:
        key, token = (secret.get_secret_value() for secret in (settings.trello_api_key, settings.trello_api_token))
        pace = Pace(limit=settings.trello_requests_per_10_seconds, seconds=WINDOW, penalty=PENALTY)
        hosts = dict.fromkeys(HOSTS, settings.trello_endpoint_url)
        in_path = {TOKEN_IN_PATH: token}
        named = ("labels",) if settings.sync_create_leads_label else ()
        self.settings, self.shape = settings, CardShape.of(settings.mapping, named)
        self.wire = transport(TRELLO, pace, secrets=(token, key), hosts=hosts, in_path=in_path)
        header = f'OAuth oauth_consumer_key="{key}", oauth_token="{token}"'
        # No key is given to the client: it would put key and token into every URL.
        headers = {"Authorization": header, "X-Trello-Client-Identifier": client_identifier(token)}
        self._client = py_trello.TrelloClient(None, http_service=session(self.wire, headers))

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
        while True:
            page = self._card_page(board, "all" if archived else "open", cards)
            began = began or max(0.0, self.wire.server_time - (time.monotonic() - asked))
            news = {card["id"]: card for card in page if card["id"] not in cards}
            cards |= news
            whole = not news or (len(page) < PAGE and not archived)
            if whole or (len(cards) == total and not archived and not set(expected) - cards.keys()):
                break
        frame = self.cards_of(board, cards.values(), known)
        still_open = [card_id for card_id, card in cards.items() if is_open(card, board)]
        items = self.by_id(cards[card_id] for card_id in still_open if card_id in frame.index)
        strangers = tuple(cards[card_id] for card_id in still_open if card_id not in items)
        return CardsRead(frame, len(still_open), whole, items, began, strangers=strangers)

    def look_up_cards(self, board: Board, card_ids: Sequence[str]) -> pd.DataFrame:
        """
        Cards that were missing from a read, asked for by id: archived, moved_away or deleted, 1 request each.

        Raises: IncompleteReadError if one is open on the board after all: then the read was not whole.
        """
        cards = self.find_cards(board, card_ids)
        open_after_all = cards.index[column(cards, "presence") == "open"]
        if len(open_after_all):
            raise IncompleteReadError(
                f"Trello's list left out {len(open_after_all)} cards that are open on the board, for example "
                f"{open_after_all[0]}; nothing was written. Run again."
            )
        return cards

    def find_cards(self, board: Board, card_ids: Sequence[str]) -> pd.DataFrame:
        """Cards asked for by id, with whatever presence they have, 1 request each."""
        found = {card_id: self.look_up(card_id) for card_id in card_ids}
        there = self.cards_of(board, filter(None, found.values()), card_ids)
        return overlay(there, deleted_cards(card_id for card_id, card in found.items() if card is None))

    def fetch_archived(self, board: Board, wanted: Set[str]) -> pd.DataFrame:
        """
        Those of the `wanted` cards that are archived on the board.

        Cost: 1 request for each 1,000 archived cards, until all are found or only older cards are left.
        """
        cards: dict[str, Item] = {}
        while page := [card for card in self._card_page(board, "closed", cards) if card["id"] not in cards]:
            cards |= {card["id"]: card for card in page}
            if len(page) < PAGE or wanted <= cards.keys() or min(cards) <= min(wanted):
                break
        frame = self.cards_of(board, (cards[card_id] for card_id in wanted if card_id in cards), wanted)
        return frame[frame["presence"] == "archived"]

    def get_card(self, board: Board, card_id: str) -> Card:
        """One card as it is now; presence deleted if it is gone. Cost: 1 request."""
        card = self.look_up(card_id)
        if card is None:
            return Card(card_id, CardPresence.DELETED)
        return rows_of(self.cards_of(board, [card], (card_id,)), Card)[0]

    def cards_of(self, board: Board, cards: Iterable[Mapping[str, Any]], known: Collection[str]) -> pd.DataFrame:
        """Cards as Trello sent them, as the forms of leads; see frames.cards_frame."""
        return cards_frame(cards, board.board_id, board.stages, known, board.cells)

    def by_id(self, cards: Iterable[Item]) -> dict[str, Item]:
        """Cards cut down to what the sync reads, by id."""
        return {str(card["id"]): self.item_of(card) for card in cards}

    def item_of(self, card: Item) -> Item:
        """A card cut down to what the sync reads."""
        return {name: card[name] for name in self.shape.parts if name in card}

    def is_whole(self, card: Item) -> bool:
        """Whether a card has all that cards are asked for, as from a question and not from a write."""
        return card.keys() >= self.shape.beside_fields

    def get(self, path: str, **query: str) -> Any:
        """What is there now. Cost: 1 request."""
        return self._client.fetch_json(path, query_params=dict(query))

    def send(self, method: str, path: str, cells: Mapping[str, Any] | None = None) -> Any:
        """A write; `cells` is its body. Returns: the answer. Cost: 1 request."""
        body = None if cells is None else dict(cells)
        return self._client.fetch_json(path, http_method=method, post_args=body)

    def look_up(self, card_id: str) -> dict[str, Any] | None:
        """One card as Trello sends it, None if it is gone."""
        try:
            card: dict[str, Any] = self.get(f"cards/{card_id}", **self.shape.query)
        except ServiceRefusedError as refused:
            if refused.status == 404:
                return None
            if refused.status == 401:  # moved out of the token's sight
                return {"id": card_id, "idBoard": "out of sight"}
            raise
        return card

    def _card_page(self, board: Board, which: str, read: Collection[str]) -> list[dict[str, Any]]:
        """The page that follows on those `read` so far."""
        query = {"filter": which, **self.shape.query, "limit": str(PAGE)} | ({"before": min(read)} if read else {})
        if len(read) > MOST_CARDS:
            raise IncompleteReadError(f"Trello's list has more than {MOST_CARDS} cards; nothing was written.")
        try:
            page: list[dict[str, Any]] = self.get(f"boards/{board.board_id}/cards", **query)
        except ServiceRefusedError as refused:
            raise misconfigured(refused, self.settings) from None
        if any(card["id"] > query.get("before", card["id"]) for card in page):
            raise IncompleteReadError("Trello's pages go in a circle; nothing was written. Run again.")
        return page


def client_identifier(trello_token: str) -> str:
    """What our calls to Trello carry as X-Trello-Client-Identifier, and the deliveries that they cause carry back."""
    return f"leadsync-{hashlib.sha256(trello_token.encode()).hexdigest()[:12]}"


def is_open(card: Item, board: Board) -> bool:
    """Whether the card, as Trello sent it, is open on the board."""
    return not card.get("closed") and card.get("idBoard") in (None, "", board.board_id)
