"""
What there is to connect: bases, tables and their columns, boards and their lists, as far as the tokens may see.

Never here: a choice, a question to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from leadsync.airtable.client import Airtable
from leadsync.airtable.setup import fetch_bases, fetch_tables
from leadsync.environment import settings_with
from leadsync.frames.actions import Item
from leadsync.settings import Settings
from leadsync.trello.board import Board
from leadsync.trello.client import Trello
from leadsync.trello.setup import fetch_boards, fetch_named_board

NOT_YET = {
    "airtable_api_token": "not-yet",
    "airtable_base_id": "app0",
    "trello_api_key": "not-yet",
    "trello_api_token": "not-yet",
    "trello_board_id": "0",
}
"""What stands for settings that are still to be found; nothing that needs one is asked before it is."""


def bases(known: Mapping[str, str]) -> list[Item] | None:
    """
    The bases that the token sees; None without schema.bases:read. `known`: settings so far, by environment name.

    Raises: ConfigurationError if the token is not accepted; TransientServiceError.
    """
    airtable = Airtable(_settings(known))
    with closing(airtable.wire):
        return fetch_bases(airtable)


def tables(known: Mapping[str, str]) -> list[Item] | None:
    """The base's tables with their columns; None without schema.bases:read. Raises: as bases."""
    airtable = Airtable(_settings(known))
    with closing(airtable.wire):
        return fetch_tables(airtable)


def boards(known: Mapping[str, str]) -> list[Item]:
    """The open boards of the token's user. Raises: as bases."""
    trello = Trello(_settings(known))
    with closing(trello.wire):
        return fetch_boards(trello)


def named_board(known: Mapping[str, str]) -> tuple[Board, dict[str, str]]:
    """The board and its open lists, id -> name, see fetch_named_board. Raises: as bases."""
    trello = Trello(_settings(known))
    with closing(trello.wire):
        return fetch_named_board(trello)


def _settings(known: Mapping[str, str]) -> Settings:
    given: dict[str, Any] = {name.lower(): value for name, value in known.items()}
    return settings_with(NOT_YET | given)
