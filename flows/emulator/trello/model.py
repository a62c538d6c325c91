"""
Boards, lists, cards and their JSON.

Nothing here refuses anything, and nothing is recorded as an action.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from emulator.clock import iso_milliseconds
from emulator.trello.positions import whole

COLOURS = ("green", "yellow", "orange", "red", "purple", "blue", "sky", "lime", "pink", "black")
ORGANIZATION = "5f0000000000000000000001"
"""The workspace of every board; one belongs to each since 2020."""
LABEL_NAMES = [colour + shade for colour in COLOURS for shade in ("", "_light", "_dark")]


@dataclass
class Board:
    """One board; its lists and cards point at it."""

    id: str
    name: str
    short_link: str
    created: float
    desc: str = ""
    closed: bool = False
    visible: bool = True
    """Whether the tokens' member may see it."""
    member_ids: list[str] = field(default_factory=list)
    next_short: int = 0
    last_activity: float | None = None

    def model(self) -> dict[str, Any]:
        """All fields that can be asked for."""
        url = f"https://trello.com/b/{self.short_link}"
        activity = None if self.last_activity is None else iso_milliseconds(self.last_activity)
        return {
            "id": self.id,
            "name": self.name,
            "desc": self.desc,
            "descData": None,
            "closed": self.closed,
            "idOrganization": ORGANIZATION,
            "idEnterprise": None,
            "pinned": False,
            "starred": False,
            "url": f"{url}/{slug(self.name)}",
            "shortUrl": url,
            "shortLink": self.short_link,
            "prefs": {
                "permissionLevel": "private",
                "voting": "disabled",
                "comments": "members",
                "isTemplate": False,
            }
            | {"selfJoin": True, "cardCovers": True, "cardAging": "regular", "background": "blue"},
            "labelNames": dict.fromkeys(LABEL_NAMES, ""),
            "dateLastActivity": activity,
            "dateLastView": None,
            "memberships": self.memberships(),
            "limits": {
                "cards": {
                    "openPerBoard": {"status": "ok", "disableAt": 5000, "warnAt": 4000},
                    "totalPerBoard": {"status": "ok", "disableAt": 2_000_000, "warnAt": 1_600_000},
                },
                "lists": {"openPerBoard": {"status": "ok", "disableAt": 500, "warnAt": 400}},
                "labels": {"perBoard": {"status": "ok", "disableAt": 1000, "warnAt": 800}},
            },
        }

    def memberships(self) -> list[dict[str, Any]]:
        """Who is on the board; the first one made it, and is its admin."""
        plain = {"unconfirmed": False, "deactivated": False}
        return [
            # an id of its own, which stays the same
            {"id": self.id[:12] + each[12:], "idMember": each, "memberType": "normal" if place else "admin"} | plain
            for place, each in enumerate(self.member_ids)
        ]


@dataclass
class CardList:
    """A list on a board (`list` in Trello's words)."""

    id: str
    name: str
    board_id: str
    pos: float
    closed: bool = False
    subscribed: bool = False
    soft_limit: int | None = None

    def model(self) -> dict[str, Any]:
        """All fields."""
        return {
            "id": self.id,
            "name": self.name,
            "closed": self.closed,
            "color": None,
            "idBoard": self.board_id,
            "pos": whole(self.pos),
            "subscribed": self.subscribed,
            "softLimit": self.soft_limit,
            "type": None,
            "datasource": {"filter": False},
        }


@dataclass
class Label:
    """A label of a board; names are not unique."""

    id: str
    board_id: str
    name: str
    color: str | None

    def model(self) -> dict[str, Any]:
        """All fields."""
        return {"id": self.id, "idBoard": self.board_id, "name": self.name, "color": self.color}


@dataclass
class Card:
    """A card; `values` holds the fields a client may write, by their JSON names."""

    id: str
    short_link: str
    id_short: int
    values: dict[str, Any]
    last_activity: float
    labels: list[Label] = field(default_factory=list)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What it has in its board's custom fields, by the field's id."""
    comments: int = 0
    texts: list[tuple[float, str]] = field(default_factory=list)
    """(time, searchable text): what the search index gets to see later."""

    @property
    def board_id(self) -> str:
        """The board the card is on."""
        return str(self.values["idBoard"])

    @property
    def list_id(self) -> str:
        """The list the card is in."""
        return str(self.values["idList"])

    def model(self) -> dict[str, Any]:
        """All fields."""
        values = self.values
        url = f"https://trello.com/c/{self.short_link}"
        return {
            "id": self.id,
            "badges": self._badges(),
            "checkItemStates": [],
            "closed": values["closed"],
            "dueComplete": values["dueComplete"],
            "dateLastActivity": iso_milliseconds(self.last_activity),
            "desc": values["desc"],
            "descData": {"emoji": {}},
            "due": values["due"],
            "dueReminder": values["dueReminder"],
            "email": None,
            "idBoard": values["idBoard"],
            "idChecklists": [],
            "idList": values["idList"],
            "idMembers": list(values["idMembers"]),
            "idMembersVoted": [],
            "idShort": self.id_short,
            "idAttachmentCover": None,
            "labels": [label.model() for label in self.labels],
            "idLabels": [label.id for label in self.labels],
            "manualCoverAttachment": False,
            "name": values["name"],
            "pos": whole(values["pos"]),
            "shortLink": self.short_link,
            "shortUrl": url,
            "start": values["start"],
            "subscribed": values["subscribed"],
            "url": f"{url}/{self.id_short}-{slug(values['name'])}",
            "cover": {"idAttachment": None, "color": None, "idUploadedBackground": None, "size": "normal"}
            | {"brightness": "light", "idPlugin": None},
            "isTemplate": values["isTemplate"],
            "cardRole": values["cardRole"],
            "mirrorSourceId": values["mirrorSourceId"],
            "pinned": False,
        }

    def _badges(self) -> dict[str, Any]:
        values = self.values
        return {
            "attachmentsByType": {"trello": {"board": 0, "card": 0}},
            "location": False,
            "votes": 0,
            "viewingMemberVoted": False,
            "subscribed": values["subscribed"],
            "start": values["start"],
            "fogbugz": "",
            "checkItems": 0,
            "checkItemsChecked": 0,
            "checkItemsEarliestDue": None,
            "comments": self.comments,
            "attachments": 0,
            "description": bool(values["desc"]),
            "due": values["due"],
            "dueComplete": values["dueComplete"],
        }


def slug(name: str) -> str:
    """The readable tail of a URL."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
