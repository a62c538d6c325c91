"""
Record calls: list, read, create, update, upsert, delete.

What a cell accepts is in `cell_rules`, what changes is in `record_changes`; here only a request is read and answered.
"""

from collections.abc import Sequence
from typing import Any

from emulator.airtable.call import Call, base_of, record_of, table_of
from emulator.airtable.cell_rules import MERGEABLE
from emulator.airtable.listing import Listing, record_model
from emulator.airtable.model import Field, Record, Table
from emulator.airtable.record_changes import (
    check_rows,
    create_records,
    delete_records,
    rules_for,
    update_records,
)
from emulator.airtable.refusals import missing_row, refusal, unknown_field
from emulator.airtable.values import LISTED_BY, ZONE, OutputOptions, list_options, output_options
from emulator.airtable.world import AirtableWorld
from emulator.wire.messages import Reply, json_reply, truthy, unsupported
from emulator.wire.routing import Route, refuse_unknown, route

READ, WRITE = "data.records:read", "data.records:write"
ONE = "fields typecast returnFieldsByFieldId"
UPDATED = ("id", "fields")
IGNORED = "typecast"
"""Airtable itself minds it in the body alone."""
SEVERAL = "records performUpsert typecast returnFieldsByFieldId"
UPDATE_RECORDS_MESSAGE = (
    'You must provide an array of up to 10 record objects, each with an "id" ID field and a "fields" object '
    "for cell values."
)


class RecordCalls:
    """Endpoints under /v0/{base}/{table}."""

    def __init__(self, world: AirtableWorld, listing: Listing) -> None:
        self._world, self._listing = world, listing

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("GET", "{base}/{table}", self._list, READ, takes=f"{LISTED_BY} {ZONE}"),
            route("POST", "{base}/{table}/listRecords", self._list, READ, takes=ZONE, holds=LISTED_BY),
            route("GET", "{base}/{table}/{record}", self._get, READ, takes=f"cellFormat returnFieldsByFieldId {ZONE}"),
            route("POST", "{base}/{table}", self._create, WRITE, takes=IGNORED, holds=f"records {ONE}"),
            route("PATCH", "{base}/{table}", self._update_batch, WRITE, takes=IGNORED, holds=SEVERAL),
            route("PUT", "{base}/{table}", self._update_batch, WRITE, takes=IGNORED, holds=SEVERAL),
            route("PATCH", "{base}/{table}/{record}", self._update, WRITE, takes=IGNORED, holds=ONE),
            route("PUT", "{base}/{table}/{record}", self._update, WRITE, takes=IGNORED, holds=ONE),
            route("DELETE", "{base}/{table}", self._delete_batch, WRITE, takes="records"),
            route("DELETE", "{base}/{table}/{record}", self._delete, WRITE),
        ]

    # Reading

    def _list(self, call: Call) -> Reply:
        return json_reply(self._listing.page(table_of(self._world, call), list_options(call.request)))

    def _get(self, call: Call) -> Reply:
        table = table_of(self._world, call)
        for other in base_of(self._world, call).tables:
            if call.values["record"] in other.records:
                table = other  # the lookup falls back to the whole base
        options = output_options(call.request.query)
        plain = OutputOptions(options.by_field_id, options.as_text, time_zone=options.time_zone)
        return json_reply(record_model(self._world, table, record_of(self._world, call, table), plain))

    # Writing

    def _create(self, call: Call) -> Reply:
        table, body = table_of(self._world, call), _object(call.request.body)
        if "records" in body and "fields" in body:
            raise unsupported("one record and several in one body")
        if "records" in body:
            rows = [_fields(row, "fields") for row in self._batch(body["records"], "create")]
        else:
            rows = [_fields(body)]
        rules = rules_for(self._world, call.token, truthy(body.get("typecast")))
        records = create_records(self._world, table, rows, rules, "publicApi", call.token.user_id)
        models = self._models(table, records, body)
        return json_reply({"records": models} if "records" in body else models[0])

    def _update(self, call: Call) -> Reply:
        table, body = table_of(self._world, call), _object(call.request.body)
        record = record_of(self._world, call, table)
        self._apply(call, table, [(record, _fields(body))], body)
        return json_reply(self._models(table, [record], body)[0])

    def _update_batch(self, call: Call) -> Reply:
        table, body = table_of(self._world, call), _object(call.request.body)
        rows = self._batch(body.get("records"), "update")
        if "performUpsert" in body:
            return self._upsert(call, table, rows, body)
        pairs = [(self._row_to_update(table, row), _fields(row, *UPDATED)) for row in rows]
        self._apply(call, table, pairs, body)
        return json_reply({"records": self._models(table, [record for record, _ in pairs], body)})

    def _apply(
        self, call: Call, table: Table, rows: Sequence[tuple[Record, dict[str, Any]]], body: dict[str, Any]
    ) -> None:
        rules = rules_for(self._world, call.token, truthy(body.get("typecast")))
        replaces = call.request.method == "PUT"
        update_records(self._world, table, rows, rules, "publicApi", call.token.user_id, clear_others=replaces)

    def _row_to_update(self, table: Table, row: dict[str, Any]) -> Record:
        record_id = row.get("id")
        if not isinstance(record_id, str):
            raise refusal(422, "INVALID_RECORDS", UPDATE_RECORDS_MESSAGE)
        if record_id not in table.records:
            raise missing_row(record_id)
        return table.records[record_id]

    def _upsert(self, call: Call, table: Table, rows: Sequence[dict[str, Any]], body: dict[str, Any]) -> Reply:
        """The whole batch is refused before anything is written."""
        upsert = _object(body["performUpsert"])
        refuse_unknown(upsert, ("fieldsToMergeOn",), (), "performUpsert")
        columns = self._merge_columns(table, upsert.get("fieldsToMergeOn"))
        matched = [self._match(table, columns, row) for row in rows]
        rules = rules_for(self._world, call.token, truthy(body.get("typecast")))
        cells = [_fields(row, *UPDATED) for row in rows]
        fresh = [each for each, record in zip(cells, matched, strict=True) if record is None]
        changes = [(record, each) for each, record in zip(cells, matched, strict=True) if record is not None]
        check_rows(self._world, table, [each for _, each in changes], rules)
        created = create_records(self._world, table, fresh, rules, "publicApi", call.token.user_id)
        self._apply(call, table, changes, body)
        remaining = iter(created)
        records = [record if record is not None else next(remaining) for record in matched]
        answer = {
            "records": self._models(table, records, body),
            "updatedRecords": [record.id for record, _ in changes],
            "createdRecords": [record.id for record in created],
        }
        return json_reply(answer)

    def _merge_columns(self, table: Table, names: Any) -> list[Field]:
        if not isinstance(names, list) or not 1 <= len(names) <= 3:
            raise refusal(422, "INVALID_REQUEST_UNKNOWN")
        columns = []
        for name in names:
            column = table.field(str(name))
            if column is None:
                raise unknown_field(str(name))
            allowed = MERGEABLE | ({"email"} if self._world.knobs.airtable_upsert_on_email else set())
            if column.type not in allowed:
                raise refusal(422, "INVALID_REQUEST_UNKNOWN")
            columns.append(column)
        return columns

    def _match(self, table: Table, columns: Sequence[Field], row: dict[str, Any]) -> Record | None:
        if "id" in row:
            return self._row_to_update(table, row)
        fields = _fields(row)
        wanted = [self._merge_key(fields.get(column.name, fields.get(column.id))) for column in columns]
        if all(value is None for value in wanted):
            return None
        found = [
            record
            for record in table.records.values()
            if [self._merge_key(record.cells.get(column.id)) for column in columns] == wanted
        ]
        if len(found) > 1:
            raise refusal(422, "INVALID_REQUEST_UNKNOWN")
        return found[0] if found else None

    def _merge_key(self, value: Any) -> Any:
        if isinstance(value, str) and self._world.knobs.airtable_upsert_ignores_case:
            return value.casefold()
        return None if value == "" else value

    def _delete(self, call: Call) -> Reply:
        table = table_of(self._world, call)
        record = record_of(self._world, call, table)
        delete_records(self._world, table, [record.id], "publicApi", call.token.user_id)
        return json_reply({"deleted": True, "id": record.id})

    def _delete_batch(self, call: Call) -> Reply:
        table = table_of(self._world, call)
        record_ids = [value for name, value in call.request.parameters if name.partition("[")[0] == "records"]
        self._batch([{"id": record_id} for record_id in record_ids], "delete")
        for record_id in record_ids:
            if record_id not in table.records:
                raise refusal(404, "NOT_FOUND", f'Could not find a record with ID "{record_id}".')
        delete_records(self._world, table, list(dict.fromkeys(record_ids)), "publicApi", call.token.user_id)
        return json_reply({"records": [{"deleted": True, "id": record_id} for record_id in record_ids]})

    def _batch(self, rows: Any, verb: str) -> list[dict[str, Any]]:
        limit = self._world.knobs.airtable_batch_limit
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise refusal(422, "INVALID_RECORDS", UPDATE_RECORDS_MESSAGE)
        if limit is not None and len(rows) > limit:
            message = f"A maximum of {limit} records can be {verb}d per request but you have provided {len(rows)}."
            raise refusal(422, "INVALID_RECORDS", UPDATE_RECORDS_MESSAGE if verb == "update" else message)
        return rows

    def _models(self, table: Table, records: Sequence[Record], body: dict[str, Any]) -> list[dict[str, Any]]:
        options = OutputOptions(by_field_id=truthy(body.get("returnFieldsByFieldId")))
        return [record_model(self._world, table, record, options) for record in records]


def _object(body: Any) -> dict[str, Any]:
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise refusal(422, "INVALID_REQUEST_UNKNOWN")
    return body


def _fields(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    """The cells of a row of a batch, which holds no other `keys`; or, without keys, of a body."""
    refuse_unknown(row, keys or row, (), "a record")
    fields = row.get("fields")
    if not isinstance(fields, dict):
        raise refusal(422, "INVALID_REQUEST_MISSING_FIELDS")
    return fields
