"""Webhooks: the payloads they collect, and the signed pings that say so (Airtable reference, section 6)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.airtable.model import Field, Record, Table
from emulator.clock import iso_milliseconds, iso_whole_seconds
from emulator.knobs import Knobs
from emulator.wire.courier import Attempt, Post

LIFETIME = 7 * 86_400.0
SOURCES = (
    "client",
    "publicApi",
    "formSubmission",
    "formPageSubmission",
    "automation",
    "system",
    "sync",
    "anonymousUser",
    "unknown",
)
LIMIT_PER_BASE = 10
RETRIES = tuple(10.0 * 2**number for number in range(13))
"""Seconds after a failed ping: 13 retries over roughly a day, then notifications are switched off."""


@dataclass
class Transaction:
    """What one request or one edit in the web client did to one table."""

    table: Table
    source: str
    """One of SOURCES."""
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
        filters = self.specification["options"]["filters"]
        if not self.is_enabled or now >= self.expires or "tableData" not in filters.get("dataTypes", []):
            return False
        if filters.get("recordChangeScope", transaction.table.id) not in _scopes(transaction.table):
            return False
        if transaction.source not in filters.get("fromSources", [transaction.source]):
            return False
        changes = self._changes(transaction, filters)
        for part in _parts(changes, self.knobs.airtable_payload_records):
            payload = _envelope(transaction, number, now) | {"changedTablesById": {transaction.table.id: part}}
            self._append(payload, now)
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
            silent = transaction.source == "publicApi" and not self.knobs.airtable_previous_of_api_writes
            if includes.get("includePreviousCellValues") and not silent:
                before = {each.id: webhook_value(each, former[each.id]) for each in seen}
                change["previous"] = {"cellValuesByFieldId": before}
            rest = [f for f in transaction.table.fields if f not in seen and (also == "all" or f.id in also)]
            if rest:
                change["unchanged"] = {"cellValuesByFieldId": _cells(rest, record)}
            changed[record_id] = change
        return changed


def _scopes(table: Table) -> set[str]:
    return {table.id} | {view.id for view in table.views}


def _parts(changes: dict[str, Any], records: int | None) -> list[dict[str, Any]]:
    """The changes of one action, with at most so many records in each part (None: all in one)."""
    if records is None or not changes:
        return [changes] if changes else []
    parts: list[dict[str, Any]] = []
    for kind, of_records in changes.items():
        ids = list(of_records)
        for start in range(0, len(ids), records):
            some = ids[start : start + records]
            parts.append({kind: some if isinstance(of_records, list) else {each: of_records[each] for each in some}})
    return parts


def _envelope(transaction: Transaction, number: int, now: float) -> dict[str, Any]:
    metadata = _source_metadata(transaction)
    return {
        "timestamp": iso_milliseconds(now),
        "baseTransactionNumber": number,
        "payloadFormat": "v0",
        "actionMetadata": {"source": transaction.source} | ({"sourceMetadata": metadata} if metadata else {}),
    }


def _source_metadata(transaction: Transaction) -> dict[str, Any]:
    """Who or what acted; nothing for system, sync and the anonymous."""
    user = {
        "id": transaction.user_id,
        "email": "owner@example.com",
        "permissionLevel": "create",
        "name": "Owner",
    }
    of_source: dict[str, dict[str, Any]] = {
        "client": {"user": user},
        "publicApi": {"user": user},
        "automation": {"automationId": "wflEmulated000000"},
        "formSubmission": {"viewId": transaction.table.views[0].id},
        "formPageSubmission": {"pageId": "pagEmulated000000"},
    }
    return of_source.get(transaction.source, {})


def _cells(fields: Sequence[Field], record: Record, with_empty: bool = False) -> dict[str, Any]:
    values = {each.id: webhook_value(each, record.cells.get(each.id)) for each in fields if not each.is_computed}
    return {key: value for key, value in values.items() if with_empty or value is not None}


def webhook_value(column: Field, value: Any) -> Any:
    """Cell format V2: a select is an object here, not a text (section 6.4)."""
    if column.type == "singleSelect" and value is not None:
        return next((choice for choice in column.choices if choice["name"] == value), {"name": value})
    if column.type == "multipleSelects" and isinstance(value, list):
        return [choice for name in value for choice in column.choices if choice["name"] == name]
    return value
