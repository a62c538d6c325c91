"""
The board and its lists as the settings name them: asked for once, then known until something contradicts that.

What is never here: what a list means for a lead.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace

import pandas as pd

from leadsync.errors import ConfigurationError
from leadsync.frames.schema import column
from leadsync.frames.snapshot import Snapshot
from leadsync.pasted_ids import OBJECT_ID
from leadsync.pipeline.clients import Clients
from leadsync.pipeline.scope import question
from leadsync.pipeline.ties import strange_values, tied
from leadsync.settings import Settings
from leadsync.state.pair import Pair
from leadsync.state.store import StateStore
from leadsync.trello.board import Board, CardsRead
from leadsync.trello.setup import fetch_board


@dataclass(frozen=True)
class Lists:
    """The board as a pass knows it. `fresh`: it was asked for in this pass."""

    board: Board
    fresh: bool = False


def resolve(settings: Settings, clients: Clients) -> Board:
    """
    The board as it is known; asked for anew if the mapping does not fit what is known, for that may be mended by now.

    Cost: 1 request if it is not known. Raises: as tied.
    """
    board = known = known_board(settings, clients.store)
    if board is not None:
        with suppress(ConfigurationError):
            return tied(board, question(settings, board), settings, clients)
    board = fetch_board(clients.trello)
    clients.store.facts.save(_key(settings), board.facts)
    return tied(board, question(settings, board), settings, clients, at_once=known is not None)


def known_board(settings: Settings, store: StateStore) -> Board | None:
    """The board as an earlier run found it, its cells not tied; None if none did. Cost: no request."""
    known = store.facts.load(_key(settings)) or {}
    whole = known.keys() == Board.__dataclass_fields__.keys() - {"cells"} and isinstance(known["lists"], dict)
    return Board(**known) if whole else None


def named_pair(settings: Settings) -> Pair:
    """The pair as the settings name it, the board perhaps by another name than its id."""
    return Pair(settings.airtable_base_id, settings.airtable_table_name, settings.trello_board_id)


def known_pair(settings: Settings, store: StateStore) -> Pair | None:
    """The pair that the settings name, None while no run has asked for its board; no request."""
    pair = named_pair(settings)
    if OBJECT_ID.fullmatch(pair.board_id):
        return pair
    boards = store.keys.boards_of(pair.base_id, pair.table)
    board_id = (store.facts.load(_key(settings)) or {}).get("board_id") or (boards[0] if len(boards) == 1 else "")
    return replace(pair, board_id=board_id) if board_id else None


def resolve_again(known: Board, settings: Settings, clients: Clients, besides: Collection[str] = ()) -> Lists:
    """Ask in the middle of a run. `besides`: lists that were met, and are not shown. Cost: 1 request."""
    board = fetch_board(clients.trello)
    called = board.labels | {label_id: known.labels[label_id] for label_id in known.tied_labels & board.labels.keys()}
    board = replace(board, all_lists=sorted({*board.all_lists, *besides}), labels=called)
    if board != known:
        clients.store.facts.save(_key(settings), board.facts)
    return Lists(_retied(board, known, settings, clients), fresh=True)


def _retied(board: Board, known: Board, settings: Settings, clients: Clients, at_once: bool = False) -> Board:
    """
    The board with its cells tied anew. What they are called stays for this run: base and both reads call them so.
    """
    found = tied(board, question(settings, board), settings, clients, at_once)
    if [cell.name for cell in found.cells] == [cell.name for cell in known.cells]:
        return found
    clients.airtable.columns.tie(known.cells)
    return replace(board, cells=known.cells)


def mind_names(
    lists: Lists,
    pair: str,
    base: pd.DataFrame,
    leads: pd.DataFrame,
    cards: pd.DataFrame,
    settings: Settings,
    clients: Clients,
) -> Lists:
    """
    Ask again what options, labels and the like there are, if what was read contradicts what is known of them.

    A contradiction that an answer has not resolved is remembered, and asked about no more. Cost: at most 1 request a
    side. Raises: as tied.
    """
    key = f"strange {pair}"
    strange, told = strange_values(lists.board, base, leads, cards), clients.store.facts.load(key) or {}
    news = {*strange} - {*told.get("values", ())}
    if {*strange} != {*told.get("values", ())}:
        clients.store.facts.save(key, {"values": strange})
    if not lists.fresh and any(each.startswith("trello") for each in news):
        lists = resolve_again(lists.board, settings, clients)
    if any(each.startswith("airtable") for each in news):
        lists = replace(lists, board=_retied(lists.board, lists.board, settings, clients, at_once=True))
    return lists


def mind_lists(lists: Lists, snapshot: Snapshot, cards: CardsRead, settings: Settings, clients: Clients) -> Lists:
    """
    Resolve the lists again if the read contradicts them. `snapshot`: the read before.

    So it does if a card lies in a list that was not there then, has newly come into one outside the mapping, or
    if the activity tells of lists. A card that rests outside the mapping costs nothing. Raises: ConfigurationError
    if a card lies in an unknown list and the settings fit the board no more; else what is known goes on to serve
    until a card is written.
    """
    where = column(cards.cards, "list_id")
    outside = (column(cards.cards, "stage") == "") & (where != "")
    unknown = {*where[outside]} - {*lists.board.all_lists}
    lies = zip(cards.cards.index.to_numpy()[outside], where[outside], strict=True)
    came = any(snapshot.cards.get(card_id, {}).get("idList") != list_id for card_id, list_id in lies)
    if lists.fresh or not (unknown or came or cards.lists_told):
        return lists
    try:
        return resolve_again(lists.board, settings, clients, unknown)
    except ConfigurationError:
        if unknown:
            raise
        return lists


def _key(settings: Settings) -> str:
    named = [settings.trello_endpoint_url, settings.trello_board_id, settings.list_ids]
    named += [sorted(settings.mapping.properties)] if settings.mapping.needs_names else []
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:24]
