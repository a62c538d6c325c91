"""
The rows of the mapping tied to one table and one board: each with its two lenses, or why it cannot be tied. Pure.

Never here: how a row is written down, what a value means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from leadsync.mapping.cells import Cell
from leadsync.mapping.columns import Column, ColumnKind
from leadsync.mapping.dates import day_of_moment, day_on_calendar
from leadsync.mapping.lenses import NAMED, ONE_LINE, SAME, LensKind, among, choice, elements
from leadsync.mapping.names import (
    BoardNames,
    Ends,
    Misfit,
    Weight,
    each_of,
    list_ends,
    listed,
    named_ends,
    raise_all,
    together,
    unknown_lists,
    unknown_members,
    unknown_options,
)
from leadsync.mapping.properties import CUSTOM, Property, Way
from leadsync.mapping.rows import SPECIAL, CellMapping, Field
from leadsync.texts import there_are


@dataclass(frozen=True)
class Tied:
    """The cells in the order of the mapping, and what does not fit, with the row that it is about."""

    cells: tuple[Cell, ...]
    misfits: tuple[tuple[Field, Misfit], ...]

    @property
    def generic(self) -> tuple[Cell, ...]:
        """All but status and name, whose rules are their own."""
        return tuple(cell for cell in self.cells if cell.card.name not in SPECIAL)


def tie(mapping: CellMapping, columns: Mapping[str, Mapping[str, Any]] | None, board: BoardNames) -> Tied:
    """`columns`: those of the table's schema, by name and by id; None if the token may not read the schema."""
    cells: list[Cell] = []
    misfits: list[tuple[Field, Misfit]] = []
    writers: dict[str, Field] = {}
    for row in mapping.fields:
        try:
            cell = _tie(row, columns, board, mapping.zone)
            if cell.way is not Way.TO_TRELLO and (owner := writers.setdefault(cell.key.column, row)) is not row:
                raise Misfit(f"{owner} writes into that column, too", 'Say direction = "to_trello" in one of the rows.')
        except* Misfit as wrong:
            misfits += [(row, each) for each in each_of(wrong)]
        else:
            cells.append(cell)
            misfits += [(row, warning) for warning in _warnings(cell)]
        misfits += [(row, each) for each in _unknown(row, columns, board)]
    return Tied(tuple(cells), tuple(misfits))


def _unknown(row: Field, columns: Mapping[str, Mapping[str, Any]] | None, board: BoardNames) -> Iterator[Misfit]:
    """Values that the map names and one end has not: cells that hold one are set aside, all others go on."""
    if row.card.name == "members":
        yield from unknown_members(board, row)
    with suppress(Misfit, ExceptionGroup):
        card, column = _card_alone(row, board), _column(row, columns, board)
        if card.fits.get(column.kind) in NAMED:
            yield from unknown_options(column, row)


def _tie(row: Field, columns: Mapping[str, Mapping[str, Any]] | None, board: BoardNames, zone: tzinfo) -> Cell:
    """Raises: Misfit, or a group of them: what is wrong with one end hides nothing of the other."""
    card, column = together(lambda: _card(row, board), lambda: _column(row, columns, board))
    lens = card.fits.get(column.kind)
    if lens is None:
        raise Misfit(
            f"column {column.name!r} holds a {column.kind}", f"Choose another; {card} takes: {listed(card.fits)}."
        )
    way, ends = together(lambda: _way(row, column, card, lens), lambda: _named(row, column, board, lens))
    if lens is LensKind.TEXT:  # whatever it is, it is read as a person sees it
        return Cell(row, replace(column, kind=ColumnKind.TEXT), card, way, lens, ONE_LINE, ONE_LINE)
    if column.kind is ColumnKind.TEXT:
        column = replace(column, kind=ColumnKind.CHOICE)
    if column.kind is ColumnKind.DATE:
        return Cell(row, column, card, way, lens, day_on_calendar(zone), day_of_moment(zone))
    if ends is None:
        return Cell(row, column, card, way, lens, SAME, SAME)
    if card.name == "list":
        return Cell(row, column, card, way, lens, choice(ends.airtable), choice(ends.trello))
    if lens is LensKind.SET:
        return Cell(row, column, card, way, lens, elements(ends.airtable), elements(ends.trello), ends.lacking)
    shown = choice(ends.trello.with_nothing()) if card.name == "custom" else among(ends.trello)
    return Cell(row, column, card, way, lens, choice(ends.airtable.with_nothing()), shown, ends.lacking)


def _way(row: Field, column: Column, card: Property, lens: LensKind) -> Way:
    ways = card.ways_from(column.kind, column.is_computed)
    way = row.way or next(iter(ways), None)
    wrong = []
    if way is None or way not in ways:
        why = "is computed" if column.is_computed else f"holds a {column.kind}, which {card} only shows"
        remedy = "Choose another column, or direction."
        wrong.append(Misfit(f"column {column.name!r} {why}: nothing can be written into it", remedy))
    if column.kind is ColumnKind.PEOPLE and way is not Way.TO_TRELLO and any("@" in key for key in row.map):
        remedy = 'Name them by their ids (usr…) in map, or say direction = "to_trello".'
        wrong.append(Misfit(f"into column {column.name!r} people are written by their ids", remedy))
    if row.map and lens not in NAMED:
        wrong.append(Misfit(f"{card} takes no map from a {column.kind}", "Take map out."))
    raise_all(wrong)
    return way or Way.BOTH


def _named(row: Field, column: Column, board: BoardNames, lens: LensKind) -> Ends | None:
    if lens not in NAMED:
        return None
    return list_ends(row, board) if row.card.name == "list" else named_ends(row, column, board)


def _warnings(cell: Cell) -> Iterator[Misfit]:
    if cell.card.needs_paid_plan:
        yield Misfit(
            f"{cell.card} needs Trello Standard or above",
            "Nothing, if the board's workspace has it.",
            Weight.WARNING,
        )
        if cell.lacking:
            detail = f"{cell.card} has no option {listed(cell.lacking.values())}: leads that hold it are set aside"
            yield Misfit(detail, "Add it to the custom field, or name it in map.", Weight.WARNING)


def _card(row: Field, board: BoardNames) -> Property:
    if row.card.name == "list":
        raise_all(list(unknown_lists(board, row)))
    return _card_alone(row, board)


def _card_alone(row: Field, board: BoardNames) -> Property:
    if row.card.name != "custom":
        return row.card
    found = board.custom_fields.get(row.card.label)
    if found is None or found.kind not in CUSTOM:
        raise Misfit(
            f"the board has no custom field {row.card.label!r}",
            "Create it (Trello Standard or above), or correct the row; "
            f"{there_are(board.custom_fields, row.card.label)}",
        )
    return row.card.tied_to(found.field_id, found.kind)


def _column(row: Field, columns: Mapping[str, Mapping[str, Any]] | None, board: BoardNames) -> Column:
    if columns is not None:
        if row.airtable not in columns:
            names = {str(model["name"]) for model in columns.values()}
            remedy = f"Correct {row.where}; {there_are(sorted(names), row.airtable)}"
            raise Misfit(f"the table has no column {row.airtable!r}", remedy)
        return Column.of(columns[row.airtable], row.kind)
    card = row.card if row.kind else _card(row, board)
    kind = row.kind or card.assumed
    if kind is None:
        remedy = f"Add the scope schema.bases:read to the token, or as = to the row, one of {listed(card.fits)}."
        raise Misfit(f"what column {row.airtable!r} holds cannot be read", remedy)
    return Column(row.airtable, kind)
