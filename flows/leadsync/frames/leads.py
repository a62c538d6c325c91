"""Airtable's records in, the frame of leads out. Pure. Never here: a request, a decision about a lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pandas as pd

from leadsync.errors import IncompleteReadError
from leadsync.frames.block import one_line, plain
from leadsync.frames.schema import frame_of
from leadsync.frames.shown import NotText, Unreadable, shown
from leadsync.frames.texts import storable, text, title_for

# A missing text is "" in every frame: comparing never meets NaN, and Airtable itself knows no empty text.
LEAD_COLUMNS: Final = {
    "presence": "object",  # present | out_of_view | gone
    "name": "object",
    "email": "object",
    "status": "object",
    "source": "object",
    "title": "object",  # the card title this lead asks for
    "email_line": "object",  # e-mail and source as the managed block shows them
    "source_line": "object",
    "unreadable": "object",  # tuple of cells.Unreadable; such a cell is "" here
}

WRITABLE_AS = {"name": "single line text", "status": "single select"}
"""Columns that the sync writes, and the type that takes what it writes."""


def leads_frame(records: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """
    Airtable records as leads.

    `columns` maps our field names to the table's columns. Returns: index `lead_id` (unique, sorted).
    Raises: IncompleteReadError when an item is not a record.
    """
    rows = {str(record["id"]): _lead_row(record, columns) for record in map(_checked_record, records)}
    return frame_of(rows, LEAD_COLUMNS, "lead_id")


def _checked_record(record: Any) -> Mapping[str, Any]:
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise IncompleteReadError("Airtable sent something that is not a record; nothing was written. Run again.")
    return record


def _lead_row(record: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[object, ...]:
    fields = record["fields"] if isinstance(record.get("fields"), dict) else {}
    texts: dict[str, str] = {}
    unreadable = []
    for ours, column in columns.items():
        try:
            texts[ours] = text(shown(fields.get(column)))
        except NotText as found:
            texts[ours] = ""
            unreadable.append(Unreadable(ours, column, found.holds, _remedy(ours, found)))
    status = fields.get(columns["status"])
    if isinstance(status, str):  # one of the options, as it is but for the blanks around it
        texts["status"] = storable(status).strip()
    name, email, source = (texts[ours] for ours in ("name", "email", "source"))
    lines = (plain(one_line(email)), plain(one_line(source)))
    title = title_for(record["id"], name, email)
    return ("present", name, email, texts["status"], source, title, *lines, tuple(unreadable))


def _remedy(ours: str, found: NotText) -> str:
    """What is written back needs a column that takes it, whatever the value is."""
    setting = f"AIRTABLE_{ours.upper()}_FIELD"
    if ours in WRITABLE_AS:
        return f"Make it a {WRITABLE_AS[ours]} column, or point {setting} to one."
    return found.remedy.format(setting=setting)


def absent_leads(presence: Mapping[str, str]) -> pd.DataFrame:
    """Rows for leads that were looked up and not found in the read: lead_id -> out_of_view | gone."""
    rows = {lead_id: (found, *[""] * (len(LEAD_COLUMNS) - 2), ()) for lead_id, found in presence.items()}
    return frame_of(rows, LEAD_COLUMNS, "lead_id")
