"""The actions of Trello's feed: which kinds there are, and what one tells. Pure. Never here: a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd


def time_of(action: Mapping[str, Any]) -> float:
    """When an action of the feed took place, by Trello's clock [s since 1970]; 0 if it does not say."""
    try:
        moment = pd.Timestamp(str(action.get("date")))
    except (ValueError, OverflowError):
        return 0.0
    return 0.0 if pd.isna(moment) else float(moment.timestamp())  # without a zone it is taken as UTC


Item = dict[str, Any]
"""A lead or a card as its service sent it, cut down to what the sync reads."""
ARRIVALS: Final = ("createCard", "copyCard", "convertToCardFromCheckItem", "emailCard", "moveCardToBoard")
DEPARTURES: Final = ("deleteCard", "moveCardFromBoard")
LIST_ACTIONS: Final = ("createList", "updateList", "updateBoard")
WHOLESALE: Final = ("moveListFromBoard", "moveListToBoard")
"""Cards come or go with their list, and no action of theirs tells."""
FEED: Final = (*ARRIVALS, *DEPARTURES, "updateCard", *LIST_ACTIONS, *WHOLESALE)
"""The kinds of action that can change what a full read would show [reference/trello-api.md 5]."""


def card_told(action: Mapping[str, Any]) -> Item:
    """The card as the action shows it."""
    return (action.get("data") or {}).get("card") or {}


def former_cells(action: Mapping[str, Any]) -> Item:
    """Former values of the cells that it changed."""
    return (action.get("data") or {}).get("old") or {}


def card_of(action: Mapping[str, Any]) -> str:
    """The id of the card that an action of the feed is about, "" if of none."""
    return str(card_told(action).get("id", ""))


def leaves_board(action: Mapping[str, Any]) -> bool:
    """Whether the card left the open cards of the board."""
    archived = "closed" in former_cells(action) and bool(card_told(action).get("closed"))
    return action["type"] in DEPARTURES or archived


def joins_board(action: Mapping[str, Any]) -> bool:
    """Whether the card came to the open cards of the board."""
    reopened = "closed" in former_cells(action) and not card_told(action).get("closed")
    return action["type"] in ARRIVALS or reopened
