"""
Does the mapping fit table and board? Its rows as a table, what does not fit, and values that no row can read.

Never here: a request, a rule of how a row is tied (see mapping/).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from leadsync.frames.actions import Item
from leadsync.frames.leads import WRITABLE_AS
from leadsync.frames.shown import LINKED_NAMES, Unreadable
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import NAMED, LensKind
from leadsync.mapping.names import Weight, listed
from leadsync.mapping.properties import Way
from leadsync.mapping.rows import SPECIAL, CellMapping
from leadsync.mapping.tied import Tied, tie
from leadsync.pipeline.findings import Finding, Level, MappingRow
from leadsync.pipeline.ties import elements_of, lacking_labels
from leadsync.trello.board import Board
from leadsync.trello.names import ASKED

Models = Mapping[str, Mapping[str, Any]]
"""Columns of the schema, by name and by id."""
SHOWN_AS: Final = {
    "multipleAttachments": "the files' names",
    "singleCollaborator": "the person's name",
    "multipleCollaborators": "the people's names",
    "createdBy": "the person's name",
    "lastModifiedBy": "the person's name",
}
NEVER_WRITTEN: Final = {
    "title": "a card renamed on the board never reaches its lead",
    "list": "a card moved on the board never reaches its lead",
}
MEND: Final = "Mend what is said of {side}, then check again."
ROWS_NAMED = 5


@dataclass
class ReadSoFar:
    """
    What one check has read and another needs too; None where it could not be read.

    `described`: the board whose lists stand for themselves. `board`: the same with the lists resolved. `tied`: the
    mapping, as far as it fits and that is known.
    """

    tied: Tied
    leads: pd.DataFrame | None = None
    records: dict[str, Item] = field(default_factory=dict)
    models: Models | None = None
    described: Board | None = None
    board: Board | None = None


def rows_of(mapping: CellMapping, so_far: ReadSoFar) -> list[MappingRow]:
    """The rows as a person reads them; what does not fit, or is not known, is ""."""
    cells = {str(cell.card): cell for cell in so_far.tied.cells}
    shown = []
    for row in mapping.fields:
        model, cell = (so_far.models or {}).get(row.airtable, {}), cells.get(str(row.card))
        way = (cell.way if cell else row.way) or ""
        kind = model.get("type") or row.kind or ""
        name = str(model.get("name") or row.airtable)
        shown.append(MappingRow(name, str(kind), str(row.card), str(way), str(cell.kind) if cell else ""))
    return shown


def check_fit(mapping: CellMapping, so_far: ReadSoFar) -> Iterator[Finding]:
    """
    Each row against the table's columns and against what is on the board, as far as they could be read.

    Afterwards `so_far.tied` is what fits.
    """
    rows, board = mapping.fields, so_far.described
    if so_far.models is None:
        away = so_far.leads is None
        remedy = MEND.format(side="Airtable") if away else "Add the scope schema.bases:read."
        yield Finding("Airtable columns", Level.WARN, "types and options not checked", remedy)
        rows = tuple(row for row in rows if not away or row.kind or row.card.assumed)
    if board is None:
        board = Board("", "", "", {name: name for row in rows for name in row.map.values()})
        rows = tuple(row for row in rows if row.card.name not in ASKED)
        if unasked := [str(row) for row in mapping.fields if row.card.name in ASKED]:
            detail = f"not compared with the board, which could not be read: {listed(unasked)}"
            yield Finding("mapping", Level.WARN, detail, MEND.format(side="Trello"))
    so_far.tied = tied = tie(replace(mapping, fields=rows), so_far.models, board.names)
    for row, misfit in tied.misfits:
        level = Level.WARN if misfit.weight is Weight.WARNING else Level.FAIL
        yield Finding("mapping", level, f"{row}: {misfit.detail}", misfit.remedy)
    for cell in tied.cells:
        yield from _check_column(cell)
    if len(tied.cells) == len(mapping.fields):
        yield Finding("mapping", Level.OK, f"all {len(tied.cells)} rows can be tied")


def _check_column(cell: Cell) -> Iterator[Finding]:
    """Whether the column takes what the row, if it says nothing else, writes to it, and what cards show of it."""
    column = cell.column
    if cell.way is not cell.row.default_way:
        is_special = cell.card.name in SPECIAL
        what = NEVER_WRITTEN.get(cell.card.name, "what people do there is undone")
        detail = f"column {column.name!r} is of type {column.type}, into which {cell.card} cannot be written: {what}"
        say = 'say direction = "to_trello" in its row'
        remedy = f"Make it a {WRITABLE_AS[cell.field]}, or {say}." if is_special else f"If that is meant, {say}."
        yield Finding("Airtable columns", Level.FAIL if is_special else Level.WARN, detail, remedy)
    elif cell.kind is LensKind.TEXT and column.type == "multipleRecordLinks":
        remedy = LINKED_NAMES.format(setting=cell.row.where)
        detail = f"column {column.name!r} holds linked records: no card shows it"
        yield Finding("Airtable columns", Level.WARN, detail, remedy)
    elif cell.kind is LensKind.TEXT and column.type in SHOWN_AS:
        detail = f"column {column.name!r} is of type {column.type}: cards show {SHOWN_AS[column.type]}"
        yield Finding("Airtable columns", Level.OK, detail)


def check_values(leads: pd.DataFrame, so_far: ReadSoFar) -> Iterator[Finding]:
    """What leads hold that a sync sets aside, cell by cell, and labels that it creates. `leads`: by these cells."""
    yield from _check_readable(leads)
    for cell in so_far.tied.cells:
        if cell.card.name in SPECIAL and cell.way is not Way.TO_TRELLO and not cell.column.type:
            yield from _check_texts(cell, so_far.records)
        elif cell.kind in NAMED and cell.card.name not in SPECIAL and cell.way is not Way.TO_AIRTABLE:
            strange = sorted(each for each in elements_of(cell, leads["cells"]) if _is_strange(cell, each))
            if strange:
                detail = f"column {cell.column.name!r} holds what {cell.card} has not: {listed(strange)}"
                remedy = f"Name it in map of {cell.row.where}, or choose another."
                yield Finding("Airtable cells", Level.WARN, detail, remedy)
    if so_far.described is not None:
        for name in lacking_labels(replace(so_far.described, cells=so_far.tied.generic), leads):
            yield Finding("labels", Level.OK, f"the board has no label {name!r}: the next sync creates it")


def _is_strange(cell: Cell, element: str) -> bool:
    value = frozenset({element}) if cell.kind is LensKind.SET else element
    return element not in cell.lacking and not cell.airtable.get(value)


def _check_readable(leads: pd.DataFrame) -> Iterator[Finding]:
    """Columns of which some cells cannot be read."""
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


def _check_texts(cell: Cell, records: Mapping[str, Item]) -> Iterator[Finding]:
    """Without the schema: a value that is no text stands in a column that takes none."""
    fields = {lead_id: record["fields"] for lead_id, record in records.items() if isinstance(record["fields"], dict)}
    held = {lead_id: cells.get(cell.row.airtable) for lead_id, cells in fields.items()}
    odd = [lead_id for lead_id, value in held.items() if not isinstance(value, str | None)]
    if odd:
        detail = f"column {cell.column.name!r} holds no text, for example in {odd[0]}: {NEVER_WRITTEN[cell.card.name]}"
        yield Finding("Airtable columns", Level.FAIL, detail, f"Make it a {WRITABLE_AS[cell.field]}.")
