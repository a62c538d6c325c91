"""
Trello's webhooks: which actions they are told of, the signature, retries, and their end.

When an action is made is decided elsewhere; the courier delivers.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.clock import iso_milliseconds
from emulator.wire.courier import Attempt, Post

RETRIES = (30.0, 60.0, 120.0)
"""Seconds after a failed attempt."""
DISABLED_AFTER_DAYS, DISABLED_AFTER_FAILURES = 30, 1_000
GONE = 410


@dataclass
class TrelloWebhook:
    """A webhook; `values` are description, idModel, callbackURL and active."""

    id: str
    token: str
    values: dict[str, Any]
    failures: int = 0
    """In a row, retries included."""
    first_failure: float | None = None

    @property
    def url(self) -> str:
        """Where it delivers to."""
        return str(self.values["callbackURL"])

    def model(self) -> dict[str, Any]:
        """All fields."""
        since = None if self.first_failure is None else iso_milliseconds(self.first_failure)
        return {"id": self.id, **self.values, "consecutiveFailures": self.failures, "firstConsecutiveFailDate": since}

    def hears(self, action: dict[str, Any]) -> bool:
        """Whether the action concerns the watched board, list, card or member."""
        data = action["data"]
        named = {str(part["id"]) for part in data.values() if isinstance(part, dict) and "id" in part}
        return bool(self.values["active"]) and self.values["idModel"] in named | {action["idMemberCreator"]}

    def post(
        self,
        action: dict[str, Any],
        model: dict[str, Any],
        secret: str,
        identifier: str | None,
        delete: Callable[[], None],
    ) -> Post:
        """The delivery of one action; `identifier` is the X-Trello-Client-Identifier of the request that caused it."""
        told = {"model": model, "action": action, "webhook": self.model()}
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"content-type": "application/json", "user-agent": "Trello"}
        headers["x-trello-webhook"] = signature(secret, body, self.url)
        if identifier is not None:
            headers["x-trello-client-identifier"] = identifier
        return Post(self.url, headers, body, lambda attempt: self._judged(attempt, delete))

    def _judged(self, attempt: Attempt, delete: Callable[[], None]) -> float | None:
        if attempt.status == 200:
            self.failures, self.first_failure = 0, None
            return None
        if attempt.status == GONE:
            delete()
            return None
        self.failures += 1
        self.first_failure = attempt.at if self.first_failure is None else self.first_failure
        days = (attempt.at - self.first_failure) / 86_400
        if days > DISABLED_AFTER_DAYS and self.failures > DISABLED_AFTER_FAILURES:
            self.values["active"] = False
        again = bool(self.values["active"]) and attempt.number < len(RETRIES)
        return RETRIES[attempt.number] if again else None


def signature(secret: str, body: bytes, url: str) -> str:
    """What stands in X-Trello-Webhook."""
    return base64.b64encode(hmac.new(secret.encode(), body + url.encode(), hashlib.sha1).digest()).decode()
