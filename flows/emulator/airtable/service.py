"""Airtable's Web API under /v0: routing, tokens, limits and the record calls."""

import zlib
from collections.abc import Sequence
from typing import Any

from emulator.airtable.account import Token
from emulator.airtable.call import Call
from emulator.airtable.cells import MERGEABLE
from emulator.airtable.listing import Listing, OutputOptions, list_options, output_options, record_model
from emulator.airtable.model import Base, Field, Record, Table
from emulator.airtable.refusals import (
    NOT_PERMITTED_OR_MISSING,
    bare_refusal,
    missing_row,
    refusal,
    too_many_requests,
    unknown_field,
)
from emulator.airtable.schema_calls import SchemaCalls
from emulator.airtable.webhook_calls import WebhookCalls
from emulator.airtable.world import AirtableWorld, rules_for
from emulator.ids import is_airtable_id
from emulator.rate_limits import PenaltyWindow, SlidingWindow
from emulator.wire.messages import Refused, Reply, Request, json_reply, truthy
from emulator.wire.routing import RouteMatch, RouteTable, route

HEADERS = {
    "Server": "Tengine",
    "access-control-allow-origin": "*",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
}
READ, WRITE = "data.records:read", "data.records:write"
CALLS_PER_SECOND_AND_BASE, CALLS_PER_SECOND_AND_USER = 5, 50


class AirtableService:
    """Answers requests; the caller holds the emulator's lock."""

    def __init__(self, world: AirtableWorld, strict: bool, monthly_quota: int | None) -> None:
        self._world = world
        self._strict = strict
        self._quota = monthly_quota
        self.calls_this_month = 0
        self.listing = Listing(world)
        self._base_windows: dict[str, PenaltyWindow] = {}
        self._user_windows: dict[str, SlidingWindow] = {}
        self._routes = RouteTable(self._route_list())

    def _route_list(self) -> list[Any]:
        schema, webhooks = SchemaCalls(self._world), WebhookCalls(self._world)
        return [
            *schema.routes(),
            *webhooks.routes(),
            route("GET", "{base}/{table}", self._list, READ),
            route("POST", "{base}/{table}/listRecords", self._list, READ),
            route("GET", "{base}/{table}/{record}", self._get, READ),
            route("POST", "{base}/{table}", self._create, WRITE),
            route("PATCH", "{base}/{table}", self._update_batch, WRITE),
            route("PUT", "{base}/{table}", self._update_batch, WRITE),
            route("PATCH", "{base}/{table}/{record}", self._update, WRITE),
            route("PUT", "{base}/{table}/{record}", self._update, WRITE),
            route("DELETE", "{base}/{table}", self._delete_batch, WRITE),
            route("DELETE", "{base}/{table}/{record}", self._delete, WRITE),
        ]

    def answer(self, request: Request) -> Reply:
        """The reply to a request, with the headers of section 3.4."""
        try:
            reply = self._routed(request)
        except Refused as refused:
            reply = refused.reply
        headers = HEADERS | {"ETag": f'W/"{len(reply.body):x}-{zlib.crc32(reply.body):08x}"'} | dict(reply.headers)
        return Reply(reply.status, reply.body, reply.content_type, headers)

    def foreign_calls(self, count: int, base_id: str) -> None:
        """Other programs' calls: they use up the base's limit and the month's quota."""
        self.calls_this_month += count
        for _ in range(count):
            self._base_window(base_id).add(self._world.clock.now())

    def _routed(self, request: Request) -> Reply:
        if request.url_length > self._world.knobs.airtable_url_limit:
            raise Refused(json_reply({"error": "REQUEST_URI_TOO_LONG"}, self._world.knobs.airtable_url_limit_status))
        match = self._routes.match(request.method, request.segments) if request.path.startswith("/v0/") else None
        if match is None:
            raise bare_refusal(404, "NOT_FOUND")
        token = self._token(request)
        self._check_limits(token, match)
        self._check_base(token, match)
        self._check_scopes(token, match)
        if request.malformed_body:
            raise bare_refusal(400, "BAD_REQUEST")
        reply: Reply = match.route.endpoint(Call(request, token, match.values))
        return reply

    def _token(self, request: Request) -> Token:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise refusal(401, "AUTHENTICATION_REQUIRED")
        token = self._world.tokens.get(text.strip())
        if token is None:
            raise refusal(401, "AUTHENTICATION_REQUIRED", self._world.knobs.airtable_unknown_token_message)
        return token

    def _check_limits(self, token: Token, match: RouteMatch) -> None:
        is_meta = match.route.pattern[0] == "meta"
        if not is_meta or self._world.knobs.airtable_quota_covers_meta:
            self._spend_quota()
        if not self._strict:
            return
        now = self._world.clock.now()
        user = self._user_windows.setdefault(token.user_id, SlidingWindow(CALLS_PER_SECOND_AND_USER, 1.0))
        base_id = match.values.get("base")
        if not user.add(now) or (base_id is not None and not self._base_window(base_id).add(now)):
            raise self._too_many("RATE_LIMIT_REACHED")

    def _spend_quota(self) -> None:
        self.calls_this_month += 1
        if self._quota is not None and self.calls_this_month > self._quota:
            raise self._too_many("PUBLIC_API_BILLING_LIMIT_EXCEEDED")

    def _base_window(self, base_id: str) -> PenaltyWindow:
        knobs = self._world.knobs
        fresh = PenaltyWindow(
            CALLS_PER_SECOND_AND_BASE, 1.0, knobs.airtable_penalty_seconds, knobs.airtable_penalty_extends
        )
        return self._base_windows.setdefault(base_id, fresh)

    def _too_many(self, kind: str) -> Refused:
        knobs = self._world.knobs
        reply = too_many_requests(kind, knobs.airtable_429_envelope).reply
        if knobs.airtable_retry_after is None:
            return Refused(reply)
        headers = {"Retry-After": f"{knobs.airtable_retry_after:g}"}
        return Refused(Reply(reply.status, reply.body, reply.content_type, headers))

    def _check_base(self, token: Token, match: RouteMatch) -> None:
        """Section 3.3: a missing base is 404 on the data API and 403 on the meta API."""
        base_id = match.values.get("base")
        if base_id is None:
            return
        if self._world.base(base_id) is not None and token.reaches(base_id):
            return
        is_data_call = match.route.pattern[0] == "{base}"
        if is_data_call and (
            not is_airtable_id("app", base_id) or self._world.knobs.airtable_missing_base_status == 404
        ):
            raise bare_refusal(404, "NOT_FOUND")
        raise refusal(403, NOT_PERMITTED_OR_MISSING)

    def _check_scopes(self, token: Token, match: RouteMatch) -> None:
        if not set(match.route.scopes) <= token.scopes:
            raise refusal(403, self._world.knobs.airtable_missing_scope_type)
        if WRITE in match.route.scopes and not token.has_level("edit"):
            raise refusal(403, "INVALID_PERMISSIONS")
        if "schema.bases:write" in match.route.scopes and not token.has_level("create"):
            raise refusal(403, "INVALID_PERMISSIONS")

    # Looking things up

    def _base(self, call: Call) -> Base:
        base = self._world.base(call.values["base"])
        if base is None:
            raise bare_refusal(404, "NOT_FOUND")
        return base

    def _table(self, call: Call) -> Table:
        key = call.values["table"]
        table = self._base(call).table(key)
        if table is not None:
            return table
        if self._world.knobs.airtable_key_era_errors:
            words = f"Could not find table {key} in application {call.values['base']}"
            raise refusal(404, "TABLE_NOT_FOUND", words)
        raise refusal(403, NOT_PERMITTED_OR_MISSING)

    def _record(self, call: Call, table: Table) -> Record:
        record_id = call.values["record"]
        if not is_airtable_id("rec", record_id):
            raise bare_refusal(404, "NOT_FOUND")
        if record_id in table.records:
            return table.records[record_id]
        if self._world.knobs.airtable_key_era_errors:
            raise refusal(404, "MODEL_ID_NOT_FOUND", "Record not found")
        raise refusal(403, NOT_PERMITTED_OR_MISSING)

    # Reading

    def _list(self, call: Call) -> Reply:
        return json_reply(self.listing.page(self._table(call), list_options(call.request)))

    def _get(self, call: Call) -> Reply:
        table = self._table(call)
        for other in self._base(call).tables:
            if call.values["record"] in other.records:
                table = other  # section 2.2: the lookup falls back to the whole base
        options = output_options(call.request.query)
        plain = OutputOptions(options.by_field_id, options.as_text)
        return json_reply(record_model(self._world, table, self._record(call, table), plain))

    # Writing

    def _create(self, call: Call) -> Reply:
        table, body = self._table(call), _object(call.request.body)
        if "records" in body:
            rows = [_fields(row) for row in self._batch(body["records"], "create")]
        else:
            rows = [_fields(body)]
        rules = rules_for(self._world, call.token, truthy(body.get("typecast")))
        records = self._world.create(table, rows, rules, "publicApi", call.token.user_id)
        models = self._models(table, records, body)
        return json_reply({"records": models} if "records" in body else models[0])

    def _update(self, call: Call) -> Reply:
        table, body = self._table(call), _object(call.request.body)
        record = self._record(call, table)
        self._apply(call, table, [(record, _fields(body))], body)
        return json_reply(self._models(table, [record], body)[0])

    def _update_batch(self, call: Call) -> Reply:
        table, body = self._table(call), _object(call.request.body)
        rows = self._batch(body.get("records"), "update")
        if "performUpsert" in body:
            return self._upsert(call, table, rows, body)
        pairs = [(self._row_to_update(table, row), _fields(row)) for row in rows]
        self._apply(call, table, pairs, body)
        return json_reply({"records": self._models(table, [record for record, _ in pairs], body)})

    def _apply(
        self, call: Call, table: Table, rows: Sequence[tuple[Record, dict[str, Any]]], body: dict[str, Any]
    ) -> None:
        rules = rules_for(self._world, call.token, truthy(body.get("typecast")))
        replaces = call.request.method == "PUT"
        self._world.update(table, rows, rules, "publicApi", call.token.user_id, clear_others=replaces)

    def _row_to_update(self, table: Table, row: dict[str, Any]) -> Record:
        record_id = row.get("id")
        if not isinstance(record_id, str):
            raise refusal(422, "INVALID_RECORDS", UPDATE_RECORDS_MESSAGE)
        if record_id not in table.records:
            raise missing_row(record_id)
        return table.records[record_id]

    def _upsert(self, call: Call, table: Table, rows: Sequence[dict[str, Any]], body: dict[str, Any]) -> Reply:
        """Section 2.5; the whole batch is refused before anything is written."""
        columns = self._merge_columns(table, _object(body["performUpsert"]).get("fieldsToMergeOn"))
        matched = [self._match(table, columns, row) for row in rows]
        rules = rules_for(self._world, call.token, truthy(body.get("typecast")))
        fresh = [_fields(row) for row, record in zip(rows, matched, strict=True) if record is None]
        changes = [(record, _fields(row)) for row, record in zip(rows, matched, strict=True) if record is not None]
        self._world.check(table, [cells for _, cells in changes], rules)
        created = self._world.create(table, fresh, rules, "publicApi", call.token.user_id)
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
        table = self._table(call)
        record = self._record(call, table)
        self._world.delete(table, [record.id], "publicApi", call.token.user_id)
        return json_reply({"deleted": True, "id": record.id})

    def _delete_batch(self, call: Call) -> Reply:
        table = self._table(call)
        record_ids = [value for name, value in call.request.parameters if name.startswith("records")]
        self._batch([{"id": record_id} for record_id in record_ids], "delete")
        for record_id in record_ids:
            if record_id not in table.records:
                raise refusal(404, "NOT_FOUND", f'Could not find a record with ID "{record_id}".')
        self._world.delete(table, list(dict.fromkeys(record_ids)), "publicApi", call.token.user_id)
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


UPDATE_RECORDS_MESSAGE = (
    'You must provide an array of up to 10 record objects, each with an "id" ID field and a "fields" object '
    "for cell values."
)


def _object(body: Any) -> dict[str, Any]:
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise refusal(422, "INVALID_REQUEST_UNKNOWN")
    return body


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    fields = row.get("fields")
    if not isinstance(fields, dict):
        raise refusal(422, "INVALID_REQUEST_MISSING_FIELDS")
    return fields
