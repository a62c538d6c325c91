"""The actions of Trello's feed, parsed once: which kinds there are, and what one tells. Pure. Never here: a request."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from leadsync.mapping.lenses import Value
from leadsync.mapping.properties import CUSTOM, element, property_named

Item = dict[str, Any]
"""A lead or a card as its service sent it, cut down to what the sync reads."""
ARRIVALS: Final = ("createCard", "copyCard", "convertToCardFromCheckItem", "emailCard", "moveCardToBoard")
DEPARTURES: Final = ("deleteCard", "moveCardFromBoard")
LIST_ACTIONS: Final = ("createList", "updateList", "updateBoard")
WHOLESALE: Final = ("moveListFromBoard", "moveListToBoard")
"""Cards come or go with their list, and no action of theirs tells."""
FEED: Final = (*ARRIVALS, *DEPARTURES, "updateCard", *LIST_ACTIONS, *WHOLESALE)
"""The kinds of action that can change what a full read would show."""
MEMBERS: Final = ("addMemberToCard", "removeMemberFromCard")
SET_ITEM: Final = "updateCustomFieldItem"
MAPPED_FEED: Final[Mapping[str, tuple[str, ...]]] = {"members": MEMBERS, "custom": (SET_ITEM,)}
"""Property of a card -> the kinds that tell of it besides."""


def feed_of(properties: Collection[str]) -> tuple[str, ...]:
    """The kinds that are asked for if these properties are mapped."""
    return (*FEED, *_besides(properties))


def changes_of(properties: Collection[str]) -> tuple[str, ...]:
    """The kinds that tell what a card held before, if these properties are mapped."""
    return ("createCard", "updateCard", *_besides(properties))


def _besides(properties: Collection[str]) -> list[str]:
    return [kind for name, kinds in MAPPED_FEED.items() if name in properties for kind in kinds]


def moment(stated: Any) -> float:
    """A time as the services state it [s since 1970]; 0 if it is none. Without a zone it is taken as UTC."""
    try:
        parsed = pd.Timestamp(str(stated))
    except (ValueError, OverflowError):
        return 0.0
    return 0.0 if pd.isna(parsed) else float(parsed.timestamp())


@dataclass(frozen=True)
class Action:
    """
    One action of the feed.

    `at`: by Trello's clock [s since 1970], 0 if it does not say. `card_id`: "" if it is of no card. `card`: as it was
    after the action, as far as that is told; `former`: what the cells that it changed held before; both have members
    one by one, see properties.element, and custom fields by their names, in canonical form. `program`: the app
    that did it, "" for none, that is by hand; None if that is not told. `member_id`: who was put on the card or off it.
    """

    action_id: str = ""
    kind: str = ""
    at: float = 0.0
    card_id: str = ""
    card: Item = field(default_factory=dict)
    former: Item = field(default_factory=dict)
    program: str | None = None
    member_id: str = ""

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Action:
        """An action as Trello sends it."""
        data = item.get("data") or {}
        card = data.get("card") or {}
        program = str((item["appCreator"] or {}).get("id") or "") if "appCreator" in item else None
        member_id = str(data.get("idMember") or (data.get("member") or {}).get("id") or "")
        former, now = _told_besides(str(item.get("type")), data, member_id)
        return cls(
            action_id=str(item.get("id") or ""),
            kind=str(item.get("type") or ""),
            at=moment(item.get("date")),
            card_id=str(card.get("id") or ""),
            card=card | now,
            former=former or data.get("old") or {},
            program=program,
            member_id=member_id,
        )

    @property
    def leaves_board(self) -> bool:
        """Whether the card left the open cards of the board."""
        return self.kind in DEPARTURES or ("closed" in self.former and bool(self.card.get("closed")))

    @property
    def joins_board(self) -> bool:
        """Whether the card came to the open cards of the board."""
        return self.kind in ARRIVALS or ("closed" in self.former and not self.card.get("closed"))

    @property
    def is_of_lists(self) -> bool:
        """Whether it tells of lists, and of no card."""
        return self.kind in LIST_ACTIONS


def _told_besides(kind: str, data: Mapping[str, Any], member_id: str) -> tuple[dict[str, Value], dict[str, Value]]:
    """Who was put on a card or off it, or what became of a custom field: the cell before, and now."""
    if kind in MEMBERS and member_id:
        cell, comes = element(property_named("members").wire, member_id), kind == MEMBERS[0]
        return {cell: not comes}, {cell: comes}
    try:
        held = data["customField"]
        cell, form = f"custom:{held['name'].strip()}", CUSTOM[held["type"]][0]
        before, after = (
            form.read(item if any(item.get(key) for key in ("value", "idValue")) else None)
            for item in (data["old"], data["customFieldItem"])
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):  # another kind, or an unknown shape
        return {}, {}
    return {cell: before}, {cell: after}
