"""Webhooks: the payloads they collect, and the signed pings that say so (Airtable reference, section 6)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.airtable_cells import Field, Record, Table
from emulator.clock import iso_milliseconds, iso_whole_seconds
from emulator.deliveries import Attempt, Post

LIFETIME = 7 * 86_400.0
LIMIT_PER_BASE = 10
RETRIES = tuple(10.0 * 2**number for number in range(13))
"""Seconds after a failed ping: 13 retries over roughly a day, then notifications are switched off."""


@dataclass
class Transaction:
    """What one request or one edit in the web client did to one table."""

    table: Table
    source: str
    """`publicApi` or `client`."""
    user_id: str
    created: list[Record] = field(default_factory=list)
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Record id to the former values of the changed fields, by field id."""
    destroyed: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.created or self.changed or self.destroyed)


@dataclass
class Webhook:
    """A subscription and all payloads it ever collected."""

    id: str
    base_id: str
    specification: dict[str, Any]
    url: str | None
    secret: bytes
    expires: float
    notifies: bool = True
    payloads: list[dict[str, Any]] = field(default_factory=list)
    """All payloads since creation; `first_kept` says which are still readable."""
    times: list[float] = field(default_factory=list)
    last_result: dict[str, Any] | None = None
    last_success: str | None = None

    def created_model(self) -> dict[str, Any]:
        """Answer of the create call, the only one with the secret."""
        secret = base64.b64encode(self.secret).decode()
        return {"id": self.id, "macSecretBase64": secret, "expirationTime": iso_milliseconds(self.expires)}

    def listed_model(self) -> dict[str, Any]:
        """Entry of the list call."""
        return {
            "id": self.id,
            "specification": self.specification,
            "notificationUrl": self.url,
            "cursorForNextPayload": len(self.payloads) + 1,
            "lastNotificationResult": self.last_result,
            "areNotificationsEnabled": self.notifies,
            "lastSuccessfulNotificationTime": self.last_success,
            "isHookEnabled": True,
            "expirationTime": iso_milliseconds(self.expires),
        }

    def page(self, cursor: int, limit: int, now: float) -> dict[str, Any]:
        """Payloads from number `cursor` (1 is the first) on; those older than seven days are gone."""
        start = max(cursor, 1)
        while start <= len(self.payloads) and self.times[start - 1] < now - LIFETIME:
            start += 1
        page = self.payloads[start - 1 : start - 1 + limit]
        following = start + len(page)
        more = following <= len(self.payloads)
        return {"payloads": page, "cursor": following, "mightHaveMore": more, "payloadFormat": "v0"}

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
        filters = self.specification["options"]["filters"]
        if now >= self.expires or "tableData" not in filters.get("dataTypes", []):
            return False
        if filters.get("recordChangeScope", transaction.table.id) not in _scopes(transaction.table):
            return False
        if transaction.source not in filters.get("fromSources", [transaction.source]):
            return False
        changes = self._changes(transaction, filters)
        if changes:
            payload = _envelope(transaction, number, now) | {"changedTablesById": {transaction.table.id: changes}}
            self.payloads.append(payload)
            self.times.append(now)
        return bool(changes) and self.notifies and self.url is not None

    def _changes(self, transaction: Transaction, filters: dict[str, Any]) -> dict[str, Any]:
        wanted = filters.get("changeTypes", ["add", "remove", "update"])
        changes: dict[str, Any] = {}
        if transaction.created and "add" in wanted:
            changes["createdRecordsById"] = {
                record.id: {
                    "createdTime": iso_whole_seconds(record.created),
                    "cellValuesByFieldId": _cells(transaction.table.fields, record),
                }
                for record in transaction.created
            }
        if "update" in wanted:
            changed = self._changed_records(transaction, filters.get("watchDataInFieldIds"))
            changes |= {"changedRecordsById": changed} if changed else {}
        if transaction.destroyed and "remove" in wanted:
            changes["destroyedRecordIds"] = list(transaction.destroyed)
        return changes

    def _changed_records(self, transaction: Transaction, watched: Sequence[str] | None) -> dict[str, Any]:
        includes = self.specification["options"].get("includes", {})
        also = includes.get("includeCellValuesInFieldIds", [])
        changed = {}
        for record_id, former in transaction.changed.items():
            seen = [each for each in transaction.table.fields if each.id in former]
            if watched is not None:
                seen = [each for each in seen if each.id in watched]
            if not seen:
                continue
            record = transaction.table.records[record_id]
            change: dict[str, Any] = {"current": {"cellValuesByFieldId": _cells(seen, record, with_empty=True)}}
            if includes.get("includePreviousCellValues"):
                before = {each.id: webhook_value(each, former[each.id]) for each in seen}
                change["previous"] = {"cellValuesByFieldId": before}
            rest = [f for f in transaction.table.fields if f not in seen and (also == "all" or f.id in also)]
            if rest:
                change["unchanged"] = {"cellValuesByFieldId": _cells(rest, record)}
            changed[record_id] = change
        return changed


def _scopes(table: Table) -> set[str]:
    return {table.id} | {view.id for view in table.views}


def _envelope(transaction: Transaction, number: int, now: float) -> dict[str, Any]:
    user = {
        "id": transaction.user_id,
        "email": "owner@example.com",
        "permissionLevel": "create",
        "name": "Owner",
    }
    return {
        "timestamp": iso_milliseconds(now),
        "baseTransactionNumber": number,
        "payloadFormat": "v0",
        "actionMetadata": {"source": transaction.source, "sourceMetadata": {"user": user}},
    }


def _cells(fields: Sequence[Field], record: Record, with_empty: bool = False) -> dict[str, Any]:
    values = {each.id: webhook_value(each, record.cells.get(each.id)) for each in fields if not each.is_computed}
    return {key: value for key, value in values.items() if with_empty or value is not None}


def webhook_value(column: Field, value: Any) -> Any:
    """Cell format V2: a select is an object here, not a text (section 6.4)."""
    if column.type == "singleSelect" and value is not None:
        return next((choice for choice in column.choices if choice["name"] == value), None)
    return value
