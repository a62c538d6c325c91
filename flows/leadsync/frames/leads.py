"""Airtable's records in, the frame of leads out. Pure. Never here: a request, a decision about a lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import pandas as pd

from leadsync.errors import IncompleteReadError
from leadsync.frames.block import one_line, plain
from leadsync.frames.payloads import cell_text
from leadsync.frames.schema import frame_of
from leadsync.frames.shown import NotText, Unreadable, shown
from leadsync.mapping.cells import Cell
from leadsync.mapping.columns import ColumnKind
from leadsync.mapping.lenses import CellError, Value
from leadsync.mapping.rules import TITLE_FALLBACK
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

    `title`: the card title it asks for. `cells`: of the mapping, by name, those of the block as it shows them; `lines`:
    the same as they are typed. `unreadable`: the cells that cannot be read; those are "", or not in `cells`.
    """

    lead_id: str = ""
    presence: str = ""  # LeadPresence
    name: str = ""
    email: str = ""
    status: str = ""
    title: str = ""
    cells: Mapping[str, Value] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()

    def value(self, cell: str) -> Value:
        """A cell that is written: status, name, or one of the mapping by its name."""
        return self.cells[cell] if cell in self.cells else str(getattr(self, cell))

    def stated(self, cell: str, field: str) -> Value:
        """A cell as `value`; of one that cannot be read, by what reports call it, the text in it."""
        broken = self.broken(field)
        return broken.text if broken else self.value(cell)

    def holds(self, cell: str) -> bool:
        """Whether it has such a cell, as `value`, that can be read."""
        return cell in self.cells or cell in WRITABLE_AS

    def is_readable(self, cell: str) -> bool:
        """Whether this cell can be read."""
        return self.broken(cell) is None

    def broken(self, cell: str) -> Unreadable | None:
        """What there is of a cell that cannot be read; None if it can."""
        return next((each for each in self.unreadable if each.cell == cell), None)


NO_LEAD: Final = Lead()
WRITABLE_AS = {"name": "single line text", "status": "single select"}
"""Columns that the sync writes, and the type that takes what it writes."""


def leads_frame(
    records: Iterable[Mapping[str, Any]], columns: Mapping[str, str], cells: Sequence[Cell]
) -> pd.DataFrame:
    """
    Airtable records as leads.

    `columns` maps name and status to the table's columns. `cells`: the others of the mapping. Returns: index `lead_id`
    (unique, sorted). Raises: IncompleteReadError when an item is not a record.
    """
    return frame_of((_lead(record, columns, cells) for record in map(_checked_record, records)), Lead)


def _checked_record(record: Any) -> Mapping[str, Any]:
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise IncompleteReadError("Airtable sent something that is not a record; nothing was written. Run again.")
    return record


def _lead(record: Mapping[str, Any], columns: Mapping[str, str], cells: Sequence[Cell]) -> Lead:
    fields = record["fields"] if isinstance(record.get("fields"), dict) else {}
    texts, values, lines = dict.fromkeys(WRITABLE_AS, ""), dict[str, Value](), dict[str, str]()
    unreadable = []
    for ours in WRITABLE_AS:
        try:
            texts[ours] = text(shown(fields.get(columns[ours])))
        except NotText as found:
            remedy = f"Make it a {WRITABLE_AS[ours]} column, or point AIRTABLE_{ours.upper()}_FIELD to one."
            unreadable.append(Unreadable(ours, columns[ours], found.holds, remedy, cell_text(fields[columns[ours]])))
    status = fields.get(columns["status"])
    if isinstance(status, str):  # one of the options, as it is but for the blanks around it
        texts["status"] = storable(status).strip()
    for cell in cells:
        held = fields.get(cell.row.airtable)
        try:
            if cell.is_line:
                lines[cell.name] = text(shown(held))
                values[cell.name] = plain(one_line(lines[cell.name]))
            else:
                values[cell.name] = value_of(cell, held)
        except (NotText, CellError) as problem:
            remedy = problem.remedy.format(setting=cell.row.where)
            unreadable.append(Unreadable(cell.field, cell.row.airtable, problem.holds, remedy, cell_text(held)))
    email = next((lines.get(cell.name, "") for cell in cells if cell.field == TITLE_FALLBACK), "")
    return Lead(
        lead_id=record["id"],
        presence=LeadPresence.PRESENT,
        **texts,
        email=email,
        title=title_for(record["id"], texts["name"], email),
        cells=values,
        lines=lines,
        unreadable=tuple(unreadable),
    )


def value_of(cell: Cell, held: Any) -> Value:
    """The JSON of a cell in canonical form. Raises: NotText, CellError."""
    return cell.column.read(shown(held) if cell.column.kind is ColumnKind.TEXT else held, cell.row.map)


def absent_leads(presence: Mapping[str, str]) -> pd.DataFrame:
    """Leads that were looked up and not found in the read. `presence`: lead id -> LeadPresence."""
    return frame_of((Lead(lead_id, found) for lead_id, found in presence.items()), Lead)
