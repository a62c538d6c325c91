"""What only the check of a set-up and the first resolution ask: token, board, lists. Never here: a card."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from leadsync.errors import ConfigurationError, ServiceRefusedError
from leadsync.trello.board import Board, Token
from leadsync.trello.client import TOKEN_IN_PATH, Trello
from leadsync.trello.refusals import misconfigured


def fetch_board(trello: Trello) -> Board:
    """
    Resolve board and lists. Cost: 1 request.

    Raises: ConfigurationError naming the setting if the board is closed or out of reach, or if a list is
    not on it, archived, or cannot be told by its name.
    """
    board, lists = _board_and_lists(trello)
    if board.get("closed"):
        raise ConfigurationError(f"TRELLO_BOARD_ID: the board {board.get('name')!r} is closed; re-open it.")
    stages = {stage: _list_id(stage, configured, lists) for stage, configured in trello.settings.list_ids.items()}
    if len(set(stages.values())) < len(stages):
        raise ConfigurationError("Two of TRELLO_LIST_*_ID name the same list; each stage needs a list of its own.")
    all_lists = sorted(str(item["id"]) for item in lists)
    return Board(str(board["id"]), str(board.get("name", "")), str(board.get("url", "")), stages, all_lists)


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


def fetch_lists(trello: Trello) -> tuple[str, list[dict[str, Any]]]:
    """The board's id and all its lists, archived ones too. Cost: 1 request."""
    board, lists = _board_and_lists(trello)
    return str(board["id"]), lists


def add_list(trello: Trello, board_id: str, name: str) -> None:
    """Create a list at the right end of the board."""
    trello.send("POST", "lists", {"name": name, "idBoard": board_id, "pos": "bottom"})


def _board_and_lists(trello: Trello) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    path = f"boards/{trello.settings.trello_board_id}"
    query = {"fields": "id,name,closed,url", "lists": "all", "list_fields": "id,name,closed,idBoard"}
    try:
        board: dict[str, Any] = trello.get(path, **query)
        lists = board.get("lists")
        if lists is None:  # a proxy or a stand-in that knows no nested resources
            lists = trello.get(f"{path}/lists", filter="all", fields=query["list_fields"])
    except ServiceRefusedError as refused:
        raise misconfigured(refused, trello.settings) from None
    return board, lists


def _list_id(stage: str, configured: str | None, lists: Sequence[Mapping[str, Any]]) -> str:
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
