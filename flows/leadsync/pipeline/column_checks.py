"""Checks of the table's columns: their types and the values in them. Never here: a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from leadsync.airtable.client import Airtable
from leadsync.airtable.setup import fetch_columns
from leadsync.frames.actions import Item
from leadsync.frames.leads import WRITABLE_AS
from leadsync.frames.shown import LINKED_NAMES, Unreadable
from leadsync.pipeline.findings import Finding, Level
from leadsync.settings import Settings
from leadsync.trello.board import Board

WRITABLE_TYPES = {
    "name": ("singleLineText", "multilineText", "email", "phoneNumber", "url", "richText"),
    "status": ("singleSelect",),
}

COMPUTED_TYPES = (
    "aiText",
    "autoNumber",
    "button",
    "count",
    "createdBy",
    "createdTime",
    "externalSyncSource",
    "formula",
    "lastModifiedBy",
    "lastModifiedTime",
    "multipleLookupValues",
    "rollup",
)

SHOWN_AS = {
    "multipleAttachments": "the files' names",
    "singleCollaborator": "the person's name",
    "multipleCollaborators": "the people's names",
    "createdBy": "the person's name",
    "lastModifiedBy": "the person's name",
}

NEVER_WRITTEN = {
    "name": "a card renamed on the board never reaches its lead",
    "status": "a card moved on the board never reaches its lead",
}
ROWS_NAMED = 5


@dataclass
class ReadSoFar:
    """What one check has read and another needs too."""

    leads: pd.DataFrame | None = None
    records: dict[str, Item] = field(default_factory=dict)
    board: Board | None = None


def check_cells(leads: pd.DataFrame) -> Iterator[Finding]:
    """Columns of which some cells cannot be read: a sync sets these aside, one by one."""
    unreadable: dict[str, list[tuple[str, Unreadable]]] = {}
    for lead_id, several in leads["unreadable"].items():
        for cell in several:
            unreadable.setdefault(cell.column, []).append((str(lead_id), cell))
    for column, cells in unreadable.items():
        lead_id, first = cells[0]
        detail = (
            f"column {column!r}: {len(cells)} of {len(leads)} cannot be read; that of {lead_id} holds {first.holds}"
        )
        yield Finding("Airtable cells", Level.WARN, detail, first.remedy)


def check_table(settings: Settings, airtable: Airtable, so_far: ReadSoFar) -> Iterator[Finding]:
    """The columns that the settings name: there, of a fitting type, with the options of the status map."""
    fields = fetch_columns(airtable)
    if fields is None:
        remedy = "Add the scope schema.bases:read."
        yield Finding("Airtable columns", Level.WARN, "types and options not checked", remedy)
        yield from check_values(settings, so_far)
        return
    types = {ours: fields.get(column, {}).get("type") for ours, column in settings.columns.items()}
    for ours, kind in types.items():
        yield from check_type(ours, settings.columns[ours], kind)
    status = fields.get(settings.columns["status"], {})
    if types["status"] != "singleSelect":
        return
    options = [choice["name"].strip() for choice in status.get("options", {}).get("choices", [])]
    missing = [name for name in settings.status_map.status_for.values() if name not in options]
    if missing:
        where = f"column {status['name']!r} of table {settings.airtable_table_name!r}"
        remedy = f"In Airtable, edit {where} and add the options {', '.join(missing)}, spelled just so."
        yield Finding("status options", Level.FAIL, f"missing: {', '.join(missing)}", remedy)
    else:
        yield Finding("status options", Level.OK, f"{', '.join(options)}")


def check_type(ours: str, column: str, kind: str | None) -> Iterator[Finding]:
    """Whether a column of this type takes what is written to it, and what cards show of it."""
    if ours in WRITABLE_TYPES and kind not in WRITABLE_TYPES[ours]:
        computed = "is computed" if kind in COMPUTED_TYPES else "does not take it"
        detail = f"column {column!r} is of type {kind}, which {computed}: {NEVER_WRITTEN[ours]}"
        yield Finding("Airtable columns", Level.FAIL, detail, f"Make it a {WRITABLE_AS[ours]}.")
    elif kind == "multipleRecordLinks":
        remedy = LINKED_NAMES.format(setting=f"AIRTABLE_{ours.upper()}_FIELD")
        detail = f"column {column!r} holds linked records: no card shows it"
        yield Finding("Airtable columns", Level.WARN, detail, remedy)
    elif kind in SHOWN_AS:
        yield Finding("Airtable columns", Level.OK, f"column {column!r} is of type {kind}: cards show {SHOWN_AS[kind]}")


def check_values(settings: Settings, so_far: ReadSoFar) -> Iterator[Finding]:
    """Without the schema: a value that is no text stands in a column that takes none."""
    for ours in WRITABLE_TYPES:
        column = settings.columns[ours]
        fields = {lead_id: record["fields"] for lead_id, record in so_far.records.items()}
        cells = {lead_id: held.get(column) for lead_id, held in fields.items() if isinstance(held, dict)}
        odd = [lead_id for lead_id, value in cells.items() if not isinstance(value, str | None)]
        if odd:
            detail = f"column {column!r} holds no text, for example in {odd[0]}: {NEVER_WRITTEN[ours]}"
            yield Finding("Airtable columns", Level.FAIL, detail, f"Make it a {WRITABLE_AS[ours]}.")
