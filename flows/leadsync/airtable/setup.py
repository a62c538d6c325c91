"""What only the check of a set-up and the first resolution ask: rights, columns, ids. Never here: a lead."""

from __future__ import annotations

from leadsync.airtable.client import Airtable
from leadsync.airtable.columns import Schema, is_id
from leadsync.airtable.refusals import misconfigured, refused_setting
from leadsync.errors import IncompleteReadError, ReadAgainError, ServiceRefusedError
from leadsync.frames.actions import Item

EDITED_BY_HAND = frozenset(
    {
        *("singleLineText", "multilineText", "richText", "email", "url", "phoneNumber", "barcode", "checkbox"),
        *("number", "currency", "percent", "duration", "rating", "date", "dateTime", "createdTime"),
        *("singleSelect", "multipleSelects", "singleCollaborator", "multipleCollaborators"),
        *("multipleRecordLinks", "multipleAttachments"),
    }
)
"""Types of which every change of a cell moves the record's LAST_MODIFIED_TIME; what is computed does not."""
MOST_PAGES = 100
"""Pages of 1,000 bases from which on a list is no longer believed."""


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


def fetch_bases(airtable: Airtable) -> list[Item] | None:
    """
    The bases that the token sees; None without schema.bases:read. Cost: 1 request for each 1,000.

    Raises: ConfigurationError if the token is not accepted.
    """
    api, found, asked = airtable.api, list[Item](), dict[str, str]()
    for _ in range(MOST_PAGES):
        try:
            page = api.get(api.build_url("meta", "bases"), params=asked)
        except ServiceRefusedError as refused:
            if refused_setting(refused):
                raise misconfigured(refused, airtable.settings) from None
            return None
        found += page["bases"]
        if not page.get("offset"):
            return found
        asked = {"offset": str(page["offset"])}
    raise IncompleteReadError("Airtable's list of bases does not end; nothing was written. Run again.")


def fetch_tables(airtable: Airtable) -> list[Item] | None:
    """The base's tables with their columns; None without schema.bases:read. Cost: 1 request."""
    api = airtable.api
    try:
        told = api.get(api.build_url("meta", "bases", airtable.settings.airtable_base_id, "tables"))
    except ServiceRefusedError:
        return None
    return list(told.get("tables", [])) if isinstance(told, dict) else []


def fetch_columns(airtable: Airtable) -> Schema | None:
    """The table's columns; None without schema.bases:read. Cost: 1 request."""
    settings, tables = airtable.settings, fetch_tables(airtable)
    for table in tables or []:
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
