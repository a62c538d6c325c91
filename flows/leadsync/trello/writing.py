"""A card is written: a POST, or a PUT of some cells. Never here: which, a re-read, a retry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadsync.frames.actions import Item
from leadsync.trello.client import Trello


def create_card(trello: Trello, cells: Mapping[str, Any]) -> Item:
    """POST one card. Returns: the card as Trello returned it. Raises: UnclearWriteError if no answer came."""
    lacking: Item = {part: [] for part in trello.shape.beside_fields}  # a new card has no custom fields yet
    return trello.item_of(lacking | trello.send("POST", "cards", cells))


def update_card(trello: Trello, card_id: str, cells: Mapping[str, Any]) -> Item:
    """One PUT with just the given cells. Returns: the card as Trello returned it."""
    return trello.item_of(trello.send("PUT", f"cards/{card_id}", cells))


def update_custom_fields(trello: Trello, card_id: str, items: Mapping[str, Any]) -> None:
    """Set custom fields of a card in one PUT. `items`: id of the field -> its item."""
    body = {"customFieldItems": [{"idCustomField": field_id, **item} for field_id, item in items.items()]}
    trello.send("PUT", f"cards/{card_id}/customFields", body)


def update_custom_field(trello: Trello, card_id: str, field_id: str, item: Mapping[str, Any]) -> None:
    """Set one custom field of a card."""
    trello.send("PUT", f"cards/{card_id}/customField/{field_id}/item", item)


def set_member(trello: Trello, card_id: str, member_id: str, there: bool) -> None:
    """Put one member on a card, or take them off; the others stay, whoever they are by now."""
    if there:
        trello.send("POST", f"cards/{card_id}/idMembers", {"value": member_id})
    else:
        trello.send("DELETE", f"cards/{card_id}/idMembers/{member_id}")
