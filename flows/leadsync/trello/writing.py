"""A card is written: a POST, or a PUT of some cells. Never here: which, a re-read, a retry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadsync.frames.actions import Item
from leadsync.trello.client import Trello, item_of


def create_card(trello: Trello, cells: Mapping[str, Any]) -> Item:
    """POST one card. Returns: the card as Trello returned it. Raises: UnclearWriteError if no answer came."""
    return item_of(trello.send("POST", "cards", cells))


def update_card(trello: Trello, card_id: str, cells: Mapping[str, Any]) -> Item:
    """One PUT with just the given cells. Returns: the card as Trello returned it."""
    return item_of(trello.send("PUT", f"cards/{card_id}", cells))
