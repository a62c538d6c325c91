"""
Meta calls: who am I, bases, tables and fields.

Records and their cells are never touched here.
"""

from typing import Any

from emulator.airtable.call import Call
from emulator.airtable.field_options import check_options
from emulator.airtable.model import COMPUTED, Base, Field, Table
from emulator.airtable.refusals import NOT_PERMITTED_OR_MISSING, refusal
from emulator.airtable.schema import build_field, build_table, table_model
from emulator.airtable.values import check_types
from emulator.airtable.world import AirtableWorld
from emulator.wire.messages import Reply, json_reply, unsupported
from emulator.wire.routing import Route, refuse_unknown, route

FIELD = "name type description options"
READ_SCHEMA, WRITE_SCHEMA = "schema.bases:read", "schema.bases:write"

FIXED_TYPE = "Changing a field's type or number precision is not currently supported."
"""Refused so even if only choices would be added to a select."""


class SchemaCalls:
    """Endpoints under /v0/meta."""

    def __init__(self, world: AirtableWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        tables = "meta/bases/{base}/tables"
        return [
            route("GET", "meta/whoami", self._whoami),
            route("GET", "meta/bases", self._bases, READ_SCHEMA),
            route("GET", tables, self._tables, READ_SCHEMA, takes="include"),
            route("POST", tables, self._create_table, WRITE_SCHEMA, holds="name description fields"),
            route("PATCH", tables + "/{table}", self._update_table, WRITE_SCHEMA, holds="name description"),
            route("POST", tables + "/{table}/fields", self._create_field, WRITE_SCHEMA, holds=FIELD),
            route("PATCH", tables + "/{table}/fields/{field}", self._update_field, WRITE_SCHEMA, holds=FIELD),
        ]

    def _whoami(self, call: Call) -> Reply:
        email = {"email": "owner@example.com"} if "user.email:read" in call.token.scopes else {}
        return json_reply({"id": call.token.user_id} | email)

    def _bases(self, call: Call) -> Reply:
        level = call.token.role
        seen = [base for base in self._world.bases if call.token.reaches(base.id)]
        return json_reply({"bases": [{"id": b.id, "name": b.name, "permissionLevel": level} for b in seen]})

    def _tables(self, call: Call) -> Reply:
        included = [value for name, value in call.request.parameters if name in ("include", "include[]")]
        if unknown := sorted(set(included) - {"visibleFieldIds"}):
            raise unsupported(f"including {', '.join(unknown)}")
        return json_reply({"tables": [table_model(table, bool(included)) for table in self._base(call).tables]})

    def _create_table(self, call: Call) -> Reply:
        body, base = call.request.body or {}, self._base(call)
        _check_named(body)
        name, fields = body.get("name"), body.get("fields")
        taken = {table.name.lower() for table in base.tables}
        if not name or not isinstance(fields, list) or not fields or name.lower() in taken:
            raise refusal(422, "INVALID_REQUEST_UNKNOWN")
        table = build_table(self._world.ids, name, [self._built(each) for each in fields])
        table.description = body.get("description")
        base.tables.append(table)
        return json_reply(table_model(table))

    def _update_table(self, call: Call) -> Reply:
        table, body = self._table(call), call.request.body or {}
        _check_named(body)
        table.name = body.get("name", table.name)
        table.description = body.get("description", table.description)
        return json_reply(table_model(table))

    def _create_field(self, call: Call) -> Reply:
        table = self._table(call)
        field = self._built(call.request.body or {})
        if field.name.lower() in {each.name.lower() for each in table.fields}:
            raise refusal(422, "DUPLICATE_OR_EMPTY_FIELD_NAME", "")
        table.fields.append(field)
        return json_reply(field.schema())

    def _update_field(self, call: Call) -> Reply:
        table, body = self._table(call), call.request.body or {}
        field = next((each for each in table.fields if each.id == call.values["field"]), None)
        if field is None:
            raise refusal(403, NOT_PERMITTED_OR_MISSING)
        if "options" in body or "type" in body:
            raise refusal(422, "INVALID_REQUEST_UNKNOWN", FIXED_TYPE)
        _check_named(body)
        field.name = body.get("name", field.name)
        field.description = body.get("description", field.description)
        return json_reply(field.schema())

    def _built(self, given: Any) -> Field:
        """A column that calls can make; its options have to be given."""
        if not isinstance(given, dict):
            raise refusal(422, "INVALID_REQUEST_UNKNOWN")
        _check_named(given)
        check_types(given, str, "type")
        check_types(given, dict, "options")
        refuse_unknown(given, FIELD.split(), (), "a field")
        name, kind = str(given.get("name")), str(given.get("type"))
        if kind in COMPUTED - {"createdTime", "lastModifiedTime"}:
            raise unsupported(f"making a field of type {kind}")
        check_options(name, kind, given.get("options"))
        return build_field(self._world.ids, given)

    def _base(self, call: Call) -> Base:
        base = self._world.base(call.values["base"])
        if base is None:
            raise refusal(403, NOT_PERMITTED_OR_MISSING)
        return base

    def _table(self, call: Call) -> Table:
        """By id only: the meta API does not take names."""
        for table in self._base(call).tables:
            if table.id == call.values["table"]:
                return table
        raise refusal(403, NOT_PERMITTED_OR_MISSING)


def _check_named(given: dict[str, Any]) -> None:
    """Whether name and description are texts, and a name that is given is none of blanks. Raises: Refused."""
    check_types(given, str, "name", "description")
    if not (given.get("name", "left out") or "").strip():
        raise refusal(422, "INVALID_REQUEST_UNKNOWN")
