"""
What a cell shows as JSON, and when it was last changed.

What a cell accepts is in `cell_rules`, how it looks as text in `cell_texts`.
"""

from collections.abc import Sequence
from typing import Any

from emulator.airtable.model import Field, Record, Table
from emulator.clock import iso_whole_seconds
from emulator.knobs import Knobs


def signed(attachments: list[dict[str, Any]], now: float) -> list[dict[str, Any]]:
    """Attachments with the addresses under which they can be had for some two hours."""
    place, until = "https://v5.airtableusercontent.com/v3/u", int(now // 7200 + 1) * 7200
    return [each | {"url": f"{place}/{until}/signature{until:x}/{each['id']}"} for each in attachments]


def modified_at(table: Table, record: Record, field_ids: Sequence[str] | None, knobs: Knobs) -> float | None:
    """Last change of the given fields (None: all editable ones), or None when that is blank [s]."""
    watched = field_ids or [each.id for each in table.fields if not each.is_computed]
    times = [record.modified[field_id] for field_id in watched if field_id in record.modified]
    if times:
        return max(times)
    return None if knobs.airtable_modified_blank_until_edit else record.created


def cell_value(table: Table, record: Record, column: Field, knobs: Knobs) -> Any:
    """A cell as JSON, None when empty; times are whole seconds."""
    if column.type == "createdTime":
        return iso_whole_seconds(record.created)
    if column.type == "lastModifiedTime":
        at = modified_at(table, record, (column.options or {}).get("referencedFieldIds"), knobs)
        return None if at is None else iso_whole_seconds(at)
    return record.cells.get(column.id)
