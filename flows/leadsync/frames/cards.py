"""Trello's cards in, the frame of cards out. Pure. Never here: a request, a decision about a card."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import pandas as pd

from leadsync.errors import IncompleteReadError
from leadsync.frames.block import parse
from leadsync.frames.schema import frame_of
from leadsync.frames.texts import text

CARD_COLUMNS: Final = {
    "presence": "object",  # open | archived | moved_away | deleted
    "lead_id": "object",  # from the marker, "" if none
    "markers": "int64",  # number of different markers
    "stage": "object",  # from the list, "" if the list is outside the mapping
    "list_id": "object",
    "title": "object",
    "due_complete": "bool",
    "block": "bool",  # has a managed block, not only a bare marker
    "email_line": "object",
    "source_line": "object",
    "description": "object",
    "kind": "object",  # template, mirror, separator, link, else ""
    "url": "object",
}

SKIPPED_ROLES = ("mirror", "separator")


def cards_frame(
    cards: Iterable[Mapping[str, Any]], board_id: str, stages: Mapping[str, str], known: Collection[str]
) -> pd.DataFrame:
    """
    Trello cards as the forms of leads; cards with neither a marker nor an id in `known` are not ours and left out.

    `stages` maps list ids to stages. Returns: index `card_id` (unique, sorted). Raises: IncompleteReadError
    when an item is not a card.
    """
    rows: dict[str, tuple[object, ...]] = {}
    for card in cards:
        if not isinstance(card, dict) or not isinstance(card.get("id"), str):
            raise IncompleteReadError("Trello sent something that is not a card; nothing was written. Run again.")
        if card["id"] in known or "LeadID:" in str(card.get("desc")):
            row = _card_row(card, board_id, stages)
            if card["id"] in known or row[2]:
                rows[card["id"]] = row
    return frame_of(rows, CARD_COLUMNS, "card_id")


def _card_row(card: Mapping[str, Any], board_id: str, stages: Mapping[str, str]) -> tuple[object, ...]:
    description = card["desc"] if isinstance(card.get("desc"), str) else ""
    parsed = parse(description)
    away = card.get("idBoard") not in (None, "", board_id)
    role = card.get("cardRole") or ""
    kind = "template" if card.get("isTemplate") else role if role in SKIPPED_ROLES else ""
    return (
        "moved_away" if away else "archived" if card.get("closed") else "open",
        parsed.markers[0] if parsed.markers else "",
        len(parsed.markers),
        stages.get(str(card.get("idList")), ""),
        str(card.get("idList") or ""),
        text(card.get("name")),
        bool(card.get("dueComplete")),
        parsed.block,
        parsed.email_line,
        parsed.source_line,
        description,
        kind,
        str(card.get("shortUrl") or ""),
    )


def deleted_cards(card_ids: Iterable[str]) -> pd.DataFrame:
    """Rows for cards that were looked up and exist no more."""
    empty = ("deleted", "", 0, "", "", "", False, False, "", "", "", "", "")
    return frame_of(dict.fromkeys(card_ids, empty), CARD_COLUMNS, "card_id")
