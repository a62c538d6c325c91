"""
Building columns and tables, and what the schema call shows of a table.

A column that is there is never changed here.
"""

from typing import Any

from emulator.airtable.field_options import filled_options
from emulator.airtable.model import Field, Table, View
from emulator.airtable.refusals import refusal
from emulator.ids import IdSource


def build_field(ids: IdSource, given: dict[str, Any]) -> Field:
    """A field from a create call; select choices get their ids here. Raises: Refused without name or type."""
    name, kind, options = given.get("name"), given.get("type"), given.get("options")
    if not isinstance(name, str) or not name or not isinstance(kind, str):
        raise refusal(422, "INVALID_REQUEST_UNKNOWN")
    if options:
        options = filled_options(ids, name, options)
    return Field(ids.airtable("fld"), name, kind, options, given.get("description"))


def build_table(ids: IdSource, name: str, fields: list[Field]) -> Table:
    """A table with its first field as primary and one grid view."""
    view = View(ids.airtable("viw"), "Grid view", lambda _: True)
    return Table(ids.airtable("tbl"), name, fields, fields[0].id, [view])


def table_model(table: Table, with_visible_fields: bool = False) -> dict[str, Any]:
    """One entry of the schema call."""
    views = []
    for view in table.views:
        model: dict[str, Any] = {"id": view.id, "name": view.name, "type": "grid"}
        views.append(model | ({"visibleFieldIds": [f.id for f in table.fields]} if with_visible_fields else {}))
    model = {"id": table.id, "name": table.name, "primaryFieldId": table.primary_id}
    if table.description:
        model["description"] = table.description
    return model | {"fields": [field.schema() for field in table.fields], "views": views}
