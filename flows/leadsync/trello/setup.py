"""What only the check of a set-up and the first resolution ask: token, board, lists. Never here: a card."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from leadsync.errors import ConfigurationError, ServiceRefusedError
from leadsync.frames.actions import Item
from leadsync.model import STAGES
from leadsync.texts import did_you_mean
from leadsync.trello.board import Board, Token
from leadsync.trello.client import TOKEN_IN_PATH, Trello
from leadsync.trello.names import ASKED, names_on, query_of
from leadsync.trello.refusals import misconfigured

LIST_ID = re.compile(r"[0-9a-f]{24}")
LISTS = "TRELLO_LIST_…_ID"
"""The settings that say which lists there are, or else the map."""


def fetch_board(trello: Trello) -> Board:
    """
    Resolve board and lists. Cost: 1 request.

    Raises: ConfigurationError naming the setting if the board is closed or out of reach, or if lists of the map are
    not on it, archived, or cannot be told by their names.
    """
    return resolved(*describe(trello), trello)


def describe(trello: Trello) -> tuple[Board, list[Item]]:
    """
    The board, each list of the map standing for itself, and all its lists as Trello sends them, archived ones too.

    Cost: 1 request. Raises: ConfigurationError if the board is closed or out of reach.
    """
    board, lists = _board_and_lists(trello)
    if board.get("closed"):
        raise ConfigurationError(
            f"TRELLO_BOARD_ID: the board {board.get('name')!r} is closed; re-open it.", setting="TRELLO_BOARD_ID"
        )
    known: dict[str, Any] = {
        "board_id": str(board["id"]),
        "name": str(board.get("name", "")),
        "url": str(board.get("url", "")),
        "lists": {stage: stage for stage in trello.settings.list_ids},
        "all_lists": sorted(str(item["id"]) for item in lists),
    }
    return Board(**known, **names_on(board, trello)), lists


def resolved(board: Board, lists: Sequence[Item], trello: Trello) -> Board:
    """The board with the ids of its lists. Raises: ConfigurationError as fetch_board."""
    meant = trello.settings.list_ids
    problems = [problem for stage, list_id in meant.items() if (problem := _problem(stage, list_id, lists))]
    if problems:
        shown = ", ".join(f"{item['name']} = {item['id']}" for item in lists if not item.get("closed")) or "none"
        raise ConfigurationError(
            f"{' '.join(problems)} Correct the settings or the board, whose open lists are {shown}.", setting=LISTS
        )
    stages = {stage: str(_found(stage, list_id, lists)[0]["id"]) for stage, list_id in meant.items()}
    ids = [*stages.values()]
    if alike := [stage for stage, list_id in stages.items() if ids.count(list_id) > 1]:
        raise ConfigurationError(
            f"SYNC_STATUS_MAP: {' and '.join(alike)} are no lists of their own; call each by one name in the map, and "
            "give no two settings TRELLO_LIST_…_ID the same id.",
            setting=LISTS,
        )
    return replace(board, lists=stages)


def fetch_boards(trello: Trello) -> list[Item]:
    """
    The open boards of the token's user. Cost: 1 request. Raises: ConfigurationError if key or token is not accepted.
    """
    try:
        boards: list[Item] = trello.get("members/me/boards", filter="open", fields="id,name,closed,url")
    except ServiceRefusedError as refused:
        raise misconfigured(refused, trello.settings) from None
    return boards


def fetch_named_board(trello: Trello) -> tuple[Board, dict[str, str]]:
    """
    The board with whatever a column could be tied to, and its open lists from left to right, id -> name.

    No stage is known yet. Cost: 1 request. Raises: ConfigurationError if the board is out of reach.
    """
    board, lists = _board_and_lists(trello, ASKED)
    names = {str(item["id"]): str(item["name"]) for item in lists if not item.get("closed")}
    found = Board(
        str(board["id"]), str(board.get("name", "")), str(board.get("url", "")), {}, [*names], **names_on(board, trello)
    )
    return found, names


def fetch_token(trello: Trello) -> Token:
    """Scopes and expiry. Cost: 1 request. Raises: ConfigurationError if the key or the token is not accepted."""
    try:
        token = trello.get(f"tokens/{TOKEN_IN_PATH}")
    except ServiceRefusedError as refused:
        if refused.status == 404:
            refused = ServiceRefusedError("Trello", 401, "", "invalid token")
        raise misconfigured(refused, trello.settings) from None
    expires = token.get("dateExpires")
    boards = [item for item in token.get("permissions", []) if item.get("modelType") == "Board"]
    return Token(
        may_write=any(item.get("write") for item in boards),
        expires=datetime.datetime.fromisoformat(expires.replace("Z", "+00:00")) if expires else None,
    )


def add_list(trello: Trello, board_id: str, name: str) -> None:
    """Create a list at the right end of the board."""
    trello.send("POST", "lists", {"name": name, "idBoard": board_id, "pos": "bottom"})


def _board_and_lists(
    trello: Trello, properties: Collection[str] | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """`properties`: of cards, of which the board's names are asked along; None = those that are mapped."""
    path = f"boards/{trello.settings.trello_board_id}"
    query = {"fields": "id,name,closed,url", "lists": "all", "list_fields": "id,name,closed,idBoard"}
    query |= query_of(trello.settings.mapping.properties if properties is None else properties)
    try:
        board: dict[str, Any] = trello.get(path, **query)
        lists = board.get("lists")
        if lists is None:  # a proxy or a stand-in that knows no nested resources
            lists = trello.get(f"{path}/lists", filter="all", fields=query["list_fields"])
    except ServiceRefusedError as refused:
        raise misconfigured(refused, trello.settings) from None
    return board, lists


def absent_lists(trello: Trello, lists: Sequence[Item]) -> list[str]:
    """Lists that the map calls by a name which no open list of the board has."""
    named = (stage for stage, configured in trello.settings.list_ids.items() if configured is None)
    return [stage for stage in named if not LIST_ID.fullmatch(stage) and not _found(stage, None, lists)]


def _found(stage: str, configured: str | None, lists: Sequence[Item]) -> list[Item]:
    """
    The lists that the map may mean: open ones of that name, else the one of that id.

    Of a setting's value first the one of that id, and if no open one is called so an archived one, to be told.
    """
    wanted = configured or stage
    named = [item for item in lists if item["name"].strip() == wanted]
    called = [item for item in named if not item.get("closed")]
    by_id = [item for item in lists if item["id"] == wanted]
    return by_id or called or named[:1] if configured else called or by_id


def _problem(stage: str, configured: str | None, lists: Sequence[Item]) -> str:
    """What is wrong with a list of the map, "" if nothing is."""
    setting = f"TRELLO_LIST_{stage}_ID" if stage in STAGES else "SYNC_STATUS_MAP"
    found = _found(stage, configured, lists)
    if len(found) > 1:
        to_id = f"set {setting} to an id" if configured else f"set {setting}"
        remedy = to_id if stage in STAGES else f"name the one that is meant by its id in {setting}"
        return f"{len(found)} lists are called {configured or stage}; {remedy}."
    if found:
        archived = f"{setting}: the list {found[0]['name']!r} is archived; un-archive it or choose another."
        return archived if found[0].get("closed") else ""
    if configured:
        problem = f"{setting} {configured} is no list of the board, by id or name"
    elif stage in STAGES:
        problem = f"{setting} is not set and no open list is called {stage}"
    else:
        problem = f"{setting}: no open list of the board is called {stage!r} or has that id"
    names = [str(item[key]).strip() for key in ("name", "id") for item in lists if not item.get("closed")]
    return f"{problem}{did_you_mean(names, configured or stage) or '.'}"
