"""
What a webhook delivery amounts to: a forgery, a repetition, an echo of our own write, about something or somewhere
else, or a hint that a sync is due.

What is never here: the sync, an answer to the caller, a wait.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from leadsync.errors import LeadsyncError
from leadsync.frames.actions import MEMBERS, SET_ITEM
from leadsync.gateway.signatures import is_from_airtable, is_from_trello

REMEMBERED = 10_000
"""Deliveries that are known again when they are repeated."""
ASK_AGAIN = 1.0
"""Seconds before the state database is asked once more for a secret that did not fit."""
ID_LENGTH = 24
"""Hex digits of a board's id; a short link has eight characters."""
SHORT_LINK = re.compile(r"/b/([0-9A-Za-z]{8})(?:[/?#]|$)")
"""In a board's address."""
BESIDE_THE_POINT = frozenset(
    {"pos", "due", "dueReminder", "start", "idLabels", "idMembers", "idAttachmentCover", "cover", "subscribed"}
)
"""Fields of a card that the sync does not look at if they are not mapped; a drag within a list is one of `pos`."""
TOLD_BY = {
    "due": frozenset({"due"}),
    "start": frozenset({"start"}),
    "labels": frozenset({"idLabels", "addLabelToCard", "removeLabelFromCard"}),
    "members": frozenset({"idMembers", *MEMBERS}),
    "custom": frozenset({SET_ITEM}),
}
"""Property that may be mapped -> the fields and types of actions, otherwise beside the point, that tell of it."""

ABOUT_SOMETHING_ELSE = (
    *("comment", "copyComment", "updateComment", "deleteComment", "addAttachment", "deleteAttachment"),
    *("addLabel", "removeLabel", "createLabel", "updateLabel", "deleteLabel"),
    *("addMember", "removeMember", "makeAdmin", "makeNormal", "voteOnCard"),
    *("addChecklist", "removeChecklist", "updateChecklist", "createCheckItem", "updateCheckItem", "deleteCheckItem"),
    *("updateCustomField", "enablePlugin", "disablePlugin"),
)
"""Beginnings of action types that change neither a card's list, title nor description, nor whether it is there."""


class Verdict(StrEnum):
    """What becomes of a delivery; only a hint starts anything. UNKNOWN: the secret could not be looked up."""

    FORGED = "forged"
    UNKNOWN = "unknown"
    MALFORMED = "malformed"
    REPLAY = "replay"
    ECHO = "echo"
    IRRELEVANT = "irrelevant"
    HINT = "hint"


class Inbox:
    """
    Judges deliveries. Safe to share between threads.

    trello_secret: TRELLO_API_SECRET, None if not set. callback_url: Trello's callback as it is registered, None if
    there is no public address. identifier: what our own calls to Trello carry. mac_secret: looks up Airtable's
    secret in the state database, None if no webhook is known; raises LeadsyncError if nobody can know. base_id, board
    (id or short link): whose changes matter. properties: of cards, that are mapped.
    """

    def __init__(
        self,
        trello_secret: str | None,
        callback_url: str | None,
        identifier: str,
        mac_secret: Callable[[], str | None],
        *,
        base_id: str,
        board: str,
        properties: frozenset[str] = frozenset(),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_id, self._board = base_id, board
        self._mapped = {told for name in properties for told in TOLD_BY.get(name, ())}
        self._trello_secret, self._callback_url, self._identifier = trello_secret, callback_url, identifier
        self._look_up, self._now = mac_secret, now
        self._mac_secret: str | None = None
        self._asked, self._asking, self._away = float("-inf"), False, False
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def judge_trello(self, body: bytes, headers: Mapping[str, str]) -> Verdict:
        """`headers` by lower-case names. A repeated action id is a replay: the signature covers no time."""
        if self._trello_secret is None or self._callback_url is None:
            return Verdict.FORGED
        if not is_from_trello(self._trello_secret, body, self._callback_url, headers.get("x-trello-webhook")):
            return Verdict.FORGED
        told = _json_object(body)
        if told is None:
            return Verdict.MALFORMED
        action = told.get("action")
        action = action if isinstance(action, dict) else {}
        if not _is_about_board(self._board, told.get("model"), action):
            return Verdict.IRRELEVANT
        if not self._is_new(f"trello {action.get('id') or hashlib.sha256(body).hexdigest()}"):
            return Verdict.REPLAY
        if headers.get("x-trello-client-identifier") == self._identifier:
            return Verdict.ECHO
        return Verdict.HINT if _matters(action, self._mapped) else Verdict.IRRELEVANT

    def judge_airtable(self, body: bytes, headers: Mapping[str, str]) -> Verdict:
        """As above. A ping says only that something changed; one with the same text is a replay."""
        given = headers.get("x-airtable-content-mac")
        if given is None:
            return Verdict.FORGED
        if self._mac_secret is None or not is_from_airtable(self._mac_secret, body, given):
            looked_up = self._look_up_again()
            if looked_up is not None:
                return looked_up
            if self._mac_secret is None or not is_from_airtable(self._mac_secret, body, given):
                return Verdict.FORGED
        told = _json_object(body)
        if told is None:
            return Verdict.MALFORMED
        if not _is_among(self._base_id, {_text_of(told.get("base"), "id")}):
            return Verdict.IRRELEVANT
        return Verdict.HINT if self._is_new(f"airtable {hashlib.sha256(body).hexdigest()}") else Verdict.REPLAY

    def _look_up_again(self) -> Verdict | None:
        """
        Ask for a secret that did not fit: the webhook may have been made anew. One thread asks, and none waits for it.

        Returns: None if it was asked for; else the verdict about what did not fit.
        """
        with self._lock:
            if self._asking:
                return Verdict.UNKNOWN
            if self._now() - self._asked < ASK_AGAIN:
                return Verdict.UNKNOWN if self._away else Verdict.FORGED
            self._asking, self._away, self._asked = True, True, self._now()
        try:
            self._mac_secret = self._look_up()
            self._away = False
        except LeadsyncError:
            return Verdict.UNKNOWN  # and the secret that is known stays known
        finally:
            self._asking = False
        return None

    def _is_new(self, key: str) -> bool:
        with self._lock:
            known = key in self._seen
            self._seen[key] = None
            self._seen.move_to_end(key)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return not known


def _matters(action: Mapping[str, Any], mapped: set[str]) -> bool:
    """Whether the sync would see a difference; what is not known to be beside the point counts."""
    kind, data = str(action.get("type", "")), action.get("data")
    old = data.get("old") if isinstance(data, dict) else None
    if kind == "updateCard" and isinstance(old, dict) and old:
        return not set(old) <= BESIDE_THE_POINT - mapped
    return kind in mapped or not kind.startswith(ABOUT_SOMETHING_ELSE)


def _is_about_board(board: str, model: Any, action: Mapping[str, Any]) -> bool:
    """`board`: id or short link. One Power-Up signs for all of its boards; what does not say where it was counts."""
    data = action.get("data")
    places = (model, data.get("board") if isinstance(data, dict) else None)
    if len(board) == ID_LENGTH:
        return _is_among(board.lower(), {_text_of(place, "id").lower() for place in places})
    links = {_text_of(place, "shortLink") for place in places}
    found = (SHORT_LINK.search(_text_of(place, name)) for place in places for name in ("shortUrl", "url"))
    return _is_among(board, links | {each.group(1) for each in found if each})


def _is_among(ours: str, told: set[str]) -> bool:
    return ours in told or not any(told)


def _text_of(place: Any, name: str) -> str:
    found = place.get(name) if isinstance(place, dict) else None
    return found if isinstance(found, str) else ""


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
