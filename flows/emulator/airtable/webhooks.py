"""
Webhooks: when the payloads that they collect can be read, and the signed pings that say so.

What stands in a payload is in `payloads`.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from emulator.airtable.payloads import Transaction, payloads_of
from emulator.clock import iso_milliseconds
from emulator.knobs import Knobs
from emulator.wire.courier import Attempt, Post

LIFETIME = 7 * 86_400.0
LIMIT_PER_BASE = 10
RETRIES = tuple(10.0 * 2**number for number in range(13))
"""Seconds after a failed ping: 13 retries over roughly a day, then notifications are switched off."""


@dataclass
class Webhook:
    """A subscription and all payloads it ever collected."""

    id: str
    base_id: str
    specification: dict[str, Any]
    url: str | None
    secret: bytes
    expires: float
    knobs: Knobs = field(default_factory=Knobs)
    notifies: bool = True
    is_enabled: bool = True
    """Until a table, view or field that the specification names is deleted."""
    payloads: list[dict[str, Any]] = field(default_factory=list)
    """All payloads since creation, also those that are too old, or too fresh, to be read."""
    times: list[float] = field(default_factory=list)
    last_result: dict[str, Any] | None = None
    last_success: str | None = None

    def created_model(self) -> dict[str, Any]:
        """Answer of the create call, the only one with the secret."""
        secret = base64.b64encode(self.secret).decode()
        return {"id": self.id, "macSecretBase64": secret, "expirationTime": iso_milliseconds(self.expires)}

    def listed_model(self, now: float) -> dict[str, Any]:
        """Entry of the list call."""
        return {
            "id": self.id,
            "specification": self.specification,
            "notificationUrl": self.url,
            "cursorForNextPayload": self._told(now) + 1,
            "lastNotificationResult": self.last_result,
            "areNotificationsEnabled": self.notifies,
            "lastSuccessfulNotificationTime": self.last_success,
            "isHookEnabled": self.is_enabled,
            "expirationTime": iso_milliseconds(self.expires),
        }

    def page(self, cursor: int, limit: int, now: float) -> dict[str, Any]:
        """Payloads from number `cursor` (1 is the first) on; those older than seven days are gone."""
        start, told = max(cursor, 1), self._told(now)
        while start <= told and self.times[start - 1] < now - LIFETIME:
            start += 1
        page = self.payloads[start - 1 : min(start - 1 + limit, told)]
        following = start + len(page)
        return {"payloads": page, "cursor": following, "mightHaveMore": following <= told, "payloadFormat": "v0"}

    def _told(self, now: float) -> int:
        """How many payloads can be read by now."""
        return sum(at + self.knobs.airtable_payload_lag <= now for at in self.times)

    def fail(self, number: int, now: float) -> None:
        """What the specification names is no more: the last payload says so, and no other follows."""
        told = {"timestamp": iso_milliseconds(now), "baseTransactionNumber": number, "payloadFormat": "v0"}
        self._append(told | {"error": True, "code": "INVALID_FILTERS"}, now)
        self.is_enabled = False

    def names(self) -> set[str]:
        """Ids of the table or view and the fields that the specification names."""
        options = self.specification["options"]
        filters, also = options["filters"], (options.get("includes") or {}).get("includeCellValuesInFieldIds", [])
        named = [filters.get("recordChangeScope"), *filters.get("watchDataInFieldIds", [])]
        return {each for each in [*named, *(also if isinstance(also, list) else [])] if each}

    def _append(self, payload: dict[str, Any], now: float) -> None:
        self.payloads.append(payload)
        self.times.append(now)

    def ping(self, now: float) -> Post:
        """What is sent to `url`: no change data, only that there are payloads to fetch."""
        told = {"base": {"id": self.base_id}, "webhook": {"id": self.id}, "timestamp": iso_milliseconds(now)}
        body = json.dumps(told, separators=(",", ":")).encode()
        mac = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        headers = {"content-type": "application/json", "x-airtable-content-mac": f"hmac-sha256={mac}"}
        return Post(str(self.url), headers, body, self._judged)

    def _judged(self, attempt: Attempt) -> float | None:
        when, fine = iso_milliseconds(attempt.at), attempt.status in (200, 204)
        again = not fine and attempt.number < len(RETRIES) and self.notifies
        result = {"success": fine, "completionTimestamp": when, "durationMs": 1.0, "retryNumber": attempt.number}
        if fine:
            self.last_success, self.last_result = when, result
            return None
        answer = f"returned a {attempt.status} status code instead of 200 or 204" if attempt.status else "failed"
        self.last_result = result | {"error": {"message": f"The HTTP request {answer}."}, "willBeRetried": again}
        self.notifies = again
        return RETRIES[attempt.number] if again else None

    def collect(self, transaction: Transaction, number: int, now: float) -> bool:
        """
        Append the payload of a transaction, if the specification asks for any part of it.

        Returns: whether the callback is to be told.
        """
        if not self.is_enabled or now >= self.expires:
            return False
        payloads = payloads_of(transaction, self.specification["options"], self.knobs, number, now)
        for payload in payloads:
            self._append(payload, now)
        return bool(payloads) and self.notifies and self.url is not None
