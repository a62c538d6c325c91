"""
What a webhook delivery amounts to: a forgery, a repetition, an echo of our own write, or a hint that a sync is due.

What is never here: the sync, an answer to the caller, a wait.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from leadsync.gateway.signatures import is_from_airtable, is_from_trello

REMEMBERED = 10_000
"""Deliveries that are known again when they are repeated."""
ASK_AGAIN = 1.0
"""Seconds before the state database is asked once more for a secret that did not fit."""
BESIDE_THE_POINT = frozenset(
    {"pos", "due", "dueReminder", "start", "idLabels", "idMembers", "idAttachmentCover", "cover", "subscribed"}
)
"""Fields of a card that the sync does not look at; a drag within a list is one delivery of `pos`."""

ABOUT_SOMETHING_ELSE = (
    *("comment", "copyComment", "updateComment", "deleteComment", "addAttachment", "deleteAttachment"),
    *("addLabel", "removeLabel", "createLabel", "updateLabel", "deleteLabel"),
    *("addMember", "removeMember", "makeAdmin", "makeNormal", "voteOnCard"),
    *("addChecklist", "removeChecklist", "updateChecklist", "createCheckItem", "updateCheckItem", "deleteCheckItem"),
    *("updateCustomField", "enablePlugin", "disablePlugin"),
)
"""Beginnings of action types that change neither a card's list, title nor description, nor whether it is there."""


class Verdict(StrEnum):
    """What becomes of a delivery; only a hint starts anything."""

    FORGED = "forged"
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
    secret in the state database, None if no webhook is known.
    """

    def __init__(
        self,
        trello_secret: str | None,
        callback_url: str | None,
        identifier: str,
        mac_secret: Callable[[], str | None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._trello_secret, self._callback_url, self._identifier = trello_secret, callback_url, identifier
        self._look_up, self._now = mac_secret, now
        self._mac_secret: str | None = None
        self._asked = float("-inf")
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
        if not self._is_new(f"trello {action.get('id') or hashlib.sha256(body).hexdigest()}"):
            return Verdict.REPLAY
        if headers.get("x-trello-client-identifier") == self._identifier:
            return Verdict.ECHO
        return Verdict.HINT if _matters(action) else Verdict.IRRELEVANT

    def judge_airtable(self, body: bytes, headers: Mapping[str, str]) -> Verdict:
        """As above. A ping says only that something changed; one with the same text is a replay."""
        if not self._fits(body, headers.get("x-airtable-content-mac")):
            return Verdict.FORGED
        if _json_object(body) is None:
            return Verdict.MALFORMED
        return Verdict.HINT if self._is_new(f"airtable {hashlib.sha256(body).hexdigest()}") else Verdict.REPLAY

    def _fits(self, body: bytes, given: str | None) -> bool:
        """The secret is asked for again when it does not fit: the webhook may have been made anew."""
        if given is None:
            return False
        if self._mac_secret is not None and is_from_airtable(self._mac_secret, body, given):
            return True
        with self._lock:
            if self._now() - self._asked < ASK_AGAIN:
                return False
            self._asked = self._now()
        self._mac_secret = self._look_up()
        return self._mac_secret is not None and is_from_airtable(self._mac_secret, body, given)

    def _is_new(self, key: str) -> bool:
        with self._lock:
            known = key in self._seen
            self._seen[key] = None
            self._seen.move_to_end(key)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return not known


def _matters(action: Mapping[str, Any]) -> bool:
    """Whether the sync would see a difference; what is not known to be beside the point counts."""
    kind, data = str(action.get("type", "")), action.get("data")
    old = data.get("old") if isinstance(data, dict) else None
    if kind == "updateCard" and isinstance(old, dict) and old:
        return not set(old) <= BESIDE_THE_POINT
    return not kind.startswith(ABOUT_SOMETHING_ELSE)


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
