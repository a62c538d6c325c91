"""
What one change tells the webhooks: the payload that each specification asks for.

When a payload can be read, and who is pinged, is in `webhooks`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.airtable.model import Field, Record, Table
from emulator.clock import iso_milliseconds, iso_whole_seconds
from emulator.knobs import Knobs

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


def payloads_of(
    transaction: Transaction, options: dict[str, Any], knobs: Knobs, number: int, now: float
) -> list[dict[str, Any]]:
    """The payloads of a transaction for a specification's `options`; none if they ask for no part of it."""
    filters = options["filters"]
    if "tableData" not in filters.get("dataTypes", []):
        return []
    if filters.get("recordChangeScope", transaction.table.id) not in _scopes(transaction.table):
        return []
    if transaction.source not in filters.get("fromSources", [transaction.source]):
        return []
    parts = _parts(_changes(transaction, options, knobs), knobs.airtable_payload_records)
    about = transaction.table.id
    return [_envelope(transaction, number, now) | {"changedTablesById": {about: part}} for part in parts]


def _changes(transaction: Transaction, options: dict[str, Any], knobs: Knobs) -> dict[str, Any]:
    filters = options["filters"]
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
        changed = _changed_records(transaction, options, knobs)
        changes |= {"changedRecordsById": changed} if changed else {}
    if transaction.destroyed and "remove" in wanted:
        changes["destroyedRecordIds"] = list(transaction.destroyed)
    return changes


def _changed_records(transaction: Transaction, options: dict[str, Any], knobs: Knobs) -> dict[str, Any]:
    watched: Sequence[str] | None = options["filters"].get("watchDataInFieldIds")
    includes = options.get("includes", {})
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
        silent = transaction.source == "publicApi" and not knobs.airtable_previous_of_api_writes
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
    """Cell format V2: a select is an object here, not a text."""
    if column.type == "singleSelect" and value is not None:
        return next((choice for choice in column.choices if choice["name"] == value), {"name": value})
    if column.type == "multipleSelects" and isinstance(value, list):
        return [choice for name in value for choice in column.choices if choice["name"] == name]
    return value
