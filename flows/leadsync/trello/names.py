"""What labels, members and custom fields of the board are called, as far as the mapping asks. Never here: a card."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from leadsync.frames.actions import Item
from leadsync.trello.client import Trello

MOST_LABELS: Final = 1_000
"""Labels that a board can hold, and that are told at once."""
TOLD_UNASKED: Final = 50
"""Labels after which a list ends that was not told how long it may be."""
ASKED: Final[Mapping[str, Mapping[str, str]]] = {
    "labels": {"labels": "all"},
    "members": {"members": "all", "member_fields": "id,username,fullName"},
    "custom": {"customFields": "true"},
}
"""Property of a card -> what is asked of the board along with its lists, so that it costs no request."""


def query_of(properties: Collection[str]) -> dict[str, str]:
    """What is asked of the board for these properties."""
    return {key: value for name in ASKED if name in properties for key, value in ASKED[name].items()}


def names_on(board: Item, trello: Trello) -> dict[str, Any]:
    """Fields of Board, out of the board as Trello sends it. Cost: 1 request, if some labels may have been left out."""
    labels, members = board.get("labels") or (), board.get("members") or ()
    if len(labels) == TOLD_UNASKED:
        labels = trello.get(f"boards/{board['id']}/labels", limit=str(MOST_LABELS))
    return {
        "labels": {str(each["id"]): str(each.get("name") or "") for each in labels},
        "members": {
            str(each["id"]): [name for name in (each.get("username"), each.get("fullName")) if name] for each in members
        },
        "custom_fields": {str(each["name"]): _custom(each) for each in board.get("customFields") or ()},
    }


def _custom(field: Item) -> Item:
    options = {str(each["id"]): str((each.get("value") or {}).get("text", "")) for each in field.get("options") or ()}
    return {"field_id": str(field["id"]), "kind": str(field.get("type")), "options": options}


def add_label(trello: Trello, board_id: str, name: str) -> None:
    """Create a label without a colour."""
    trello.send("POST", f"boards/{board_id}/labels", {"name": name, "color": None})
