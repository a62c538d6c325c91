"""Airtable's records in, the frame of leads out. Pure. Never here: a request, a decision about a lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import pandas as pd

from leadsync.errors import IncompleteReadError
from leadsync.frames.block import one_line, plain
from leadsync.frames.schema import frame_of
from leadsync.frames.shown import NotText, Unreadable, shown
from leadsync.texts import storable, text, title_for


class LeadPresence(StrEnum):
    """Where a lead is, as far as a read or a look-up says."""

    PRESENT = "present"
    OUT_OF_VIEW = "out_of_view"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Lead:
    """
    One lead as Airtable has it; with its defaults, one that was not read.

    `title`: the card title it asks for; `email_line`, `source_line`: e-mail and source as the block shows them.
    `unreadable`: the cells that cannot be read; those are "" here.
    """

    lead_id: str = ""
    presence: str = ""  # LeadPresence
    name: str = ""
    email: str = ""
    status: str = ""
    source: str = ""
    title: str = ""
    email_line: str = ""
    source_line: str = ""
    unreadable: tuple[Unreadable, ...] = ()

    def is_readable(self, cell: str) -> bool:
        """Whether this cell can be read."""
        return not any(each.cell == cell for each in self.unreadable)


NO_LEAD: Final = Lead()
WRITABLE_AS = {"name": "single line text", "status": "single select"}
"""Columns that the sync writes, and the type that takes what it writes."""


def leads_frame(records: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """
    Airtable records as leads.

    `columns` maps our field names to the table's columns. Returns: index `lead_id` (unique, sorted).
    Raises: IncompleteReadError when an item is not a record.
    """
    return frame_of((_lead(record, columns) for record in map(_checked_record, records)), Lead)


def _checked_record(record: Any) -> Mapping[str, Any]:
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise IncompleteReadError("Airtable sent something that is not a record; nothing was written. Run again.")
    return record


def _lead(record: Mapping[str, Any], columns: Mapping[str, str]) -> Lead:
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
    return Lead(
        lead_id=record["id"],
        presence=LeadPresence.PRESENT,
        **texts,
        title=title_for(record["id"], texts["name"], texts["email"]),
        email_line=plain(one_line(texts["email"])),
        source_line=plain(one_line(texts["source"])),
        unreadable=tuple(unreadable),
    )


def _remedy(ours: str, found: NotText) -> str:
    """What is written back needs a column that takes it, whatever the value is."""
    setting = f"AIRTABLE_{ours.upper()}_FIELD"
    if ours in WRITABLE_AS:
        return f"Make it a {WRITABLE_AS[ours]} column, or point {setting} to one."
    return found.remedy.format(setting=setting)


def absent_leads(presence: Mapping[str, str]) -> pd.DataFrame:
    """Leads that were looked up and not found in the read. `presence`: lead id -> LeadPresence."""
    return frame_of((Lead(lead_id, found) for lead_id, found in presence.items()), Lead)
