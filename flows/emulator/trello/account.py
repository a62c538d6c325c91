"""
Who acts, and with which token.

Whether a call is allowed is decided by `service`.
"""

from dataclasses import dataclass
from typing import Any


@dataclass
class Member:
    """Somebody who has an account."""

    id: str
    full_name: str
    username: str

    def model(self) -> dict[str, Any]:
        """As actions, boards and cards show members."""
        return {
            "id": self.id,
            "activityBlocked": False,
            "avatarHash": None,
            "avatarUrl": None,
            "fullName": self.full_name,
            "idMemberReferrer": None,
            "initials": "".join(word[0] for word in self.full_name.split()[:2]).upper(),
            "nonPublic": {},
            "nonPublicAvailable": True,
            "username": self.username,
        }


@dataclass(frozen=True)
class Actor:
    """Who acts: a member, and the app whose key was used; no app means a person at the web client."""

    member_id: str
    app_id: str | None = None
    identifier: str | None = None
    """X-Trello-Client-Identifier of the request, which comes back on the deliveries that it causes."""


@dataclass
class TrelloToken:
    """A token of the one member, made for one key."""

    text: str
    id: str
    key: str
    writes: bool
    created: float
    expires: float | None = None
