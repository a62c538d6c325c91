"""What only the check of a set-up and the first resolution ask: rights, columns, ids. Never here: a lead."""

from __future__ import annotations

from leadsync.airtable.client import Airtable
from leadsync.airtable.columns import Schema, is_id
from leadsync.errors import ReadAgainError, ServiceRefusedError

EDITED_BY_HAND = frozenset(
    {
        *("singleLineText", "multilineText", "richText", "email", "url", "phoneNumber", "barcode", "checkbox"),
        *("number", "currency", "percent", "duration", "rating", "date", "dateTime", "createdTime"),
        *("singleSelect", "multipleSelects", "singleCollaborator", "multipleCollaborators"),
        *("multipleRecordLinks", "multipleAttachments"),
    }
)
"""Types of which every change of a cell moves the record's LAST_MODIFIED_TIME; what is computed does not."""


def may_write(airtable: Airtable) -> bool:
    """Whether the token may write records; asked with an empty batch, which changes nothing. Cost: 1 request."""
    tries = 0
    while True:
        try:
            airtable.api.patch(airtable.table.urls.records, json={"records": []})
        except ServiceRefusedError as refused:
            return refused.status not in (401, 403)
        except ReadAgainError as again:
            tries += again.sent
            airtable.wire.wait_again(again, tries)
        else:
            return True


def fetch_columns(airtable: Airtable) -> Schema | None:
    """The table's columns; None without schema.bases:read. Cost: 1 request."""
    api, settings = airtable.api, airtable.settings
    try:
        tables = api.get(api.build_url("meta", "bases", settings.airtable_base_id, "tables"))
    except ServiceRefusedError:
        return None
    for table in tables.get("tables", []) if isinstance(tables, dict) else []:
        if settings.airtable_table_name in (table["id"], table["name"]):
            fields = [{**column, "table_id": table["id"], "table": table["name"]} for column in table["fields"]]
            return {column[key]: column for column in fields for key in ("name", "id")}
    return None


def fetch_mapped(airtable: Airtable) -> Schema | None:
    """
    The mapped columns that the table has, by name or id as the mapping has it.

    Returns: None if that cannot be told, as without schema.bases:read. Cost: 1 request.
    """
    columns = fetch_columns(airtable)
    return None if columns is None else {name: columns[name] for name in airtable.columns.asked if name in columns}


def fetch_role(airtable: Airtable) -> str:
    """What the token's user is: read, comment, edit or create; "" without schema.bases:read. Cost: 1 request."""
    try:
        bases = airtable.api.get(airtable.api.build_url("meta", "bases")).get("bases", [])
    except ServiceRefusedError:
        return ""
    levels = {base["id"]: str(base.get("permissionLevel", "")) for base in bases}
    return levels.get(airtable.settings.airtable_base_id, "")


def fetch_table_id(airtable: Airtable) -> str | None:
    """The table's id; None if it was given by name and may not be looked up. Cost: at most 1 request."""
    name = airtable.settings.airtable_table_name
    if is_id(name, "tbl"):
        return name
    columns = fetch_columns(airtable) or {}
    return next((str(column["table_id"]) for column in columns.values()), None)


def fetch_ids(airtable: Airtable) -> tuple[str, dict[str, str]] | None:
    """
    Ids of the table and of the columns (our field -> fld…), which payloads speak of.

    Returns: None if they were given by name and may not be looked up. Cost: at most 1 request.
    """
    name, names = airtable.settings.airtable_table_name, airtable.columns.names
    if is_id(name, "tbl") and airtable.columns.by_id:
        return name, dict(names)
    columns = fetch_columns(airtable) or {}
    if not all(column in columns for column in names.values()):
        return None
    table_id = str(columns[names["status"]]["table_id"])
    return table_id, {ours: str(columns[column]["id"]) for ours, column in names.items()}
