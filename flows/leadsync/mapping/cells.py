"""
The rows of the mapping tied to one table and one board: each with its two lenses, or why it cannot be tied. Pure.

Never here: how a row is written down, a decision about a lead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import cached_property
from typing import Any

from leadsync.mapping.columns import Column, ColumnKind
from leadsync.mapping.dates import day_of_moment, day_on_calendar
from leadsync.mapping.lenses import ONE_LINE, SAME, Lens, LensKind, Value, among, choice, elements
from leadsync.mapping.names import (
    BoardNames,
    Ends,
    Misfit,
    each_of,
    list_ends,
    listed,
    named_ends,
    raise_all,
    together,
    unknown_on,
)
from leadsync.mapping.properties import CUSTOM, Property, Way
from leadsync.mapping.rows import SPECIAL, CellKey, CellMapping, Field


@dataclass(frozen=True)
class Cell:
    """
    A row of the mapping tied to its column and its board.

    Both sides are compared in the terms that their lenses give, of which None means that nothing can be decided.
    `lacking`: option -> the label to create, after which the rows are tied anew; until then it is no term.
    """

    row: Field
    column: Column
    card: Property
    way: Way
    kind: LensKind
    airtable: Lens
    trello: Lens
    lacking: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> CellKey:
        """What its base and journal rows are kept under."""
        return CellKey(self.column.column_id or self.row.airtable, str(self.card))

    @cached_property
    def name(self) -> str:
        """The key in one text: what its values are found under in rows of all three sides."""
        return str(self.key)

    @cached_property
    def field(self) -> str:
        """What reports call it."""
        return self.row.field

    @cached_property
    def is_line(self) -> bool:
        """Whether the managed block shows it."""
        return self.card.name == "line"

    def told_by_airtable(self, value: Value) -> str:
        """A lead's value as a person reads it."""
        return told(value)

    def told_by_trello(self, value: Value) -> str:
        """A card's value as a person reads it: by what the table calls it, where the card has ids."""
        term = self.trello.get(value)
        ids = isinstance(value, frozenset) or self.kind is LensKind.CHOICE
        return told(self.airtable.put(term, self.column.read_nothing()) if ids and term is not None else value)

    def element_told(self, value: str) -> str:
        """One value of a card, of a set one element, as a person reads it; as it is if it has no name."""
        among_ids = isinstance(self.card.read_nothing(), frozenset)
        return self.told_by_trello(frozenset({value}) if among_ids else value) or value

    def is_of(self, key: CellKey) -> bool:
        """Whether this is the cell that was kept under `key`, be it under the column's other name."""
        known = ("", self.row.airtable, self.column.name, self.column.column_id)
        return key.property == str(self.card) and key.column in known


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
    return Tied(tuple(cells), tuple(misfits))


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
    if row.map and lens not in (LensKind.CHOICE, LensKind.SET):
        wrong.append(Misfit(f"{card} takes no map from a {column.kind}", "Take map out."))
    raise_all(wrong)
    return way or Way.BOTH


def _named(row: Field, column: Column, board: BoardNames, lens: LensKind) -> Ends | None:
    if lens not in (LensKind.CHOICE, LensKind.SET):
        return None
    return list_ends(row, column, board) if row.card.name == "list" else named_ends(row, column, board)


def _warnings(cell: Cell) -> Iterator[Misfit]:
    if cell.card.needs_paid_plan:
        yield Misfit(
            f"{cell.card} needs Trello Standard or above", "Nothing, if the board's workspace has it.", warns=True
        )
        if cell.lacking:
            detail = f"{cell.card} has no option {listed(cell.lacking.values())}: leads that hold it are set aside"
            yield Misfit(detail, "Add it to the custom field, or name it in map.", warns=True)


def _card(row: Field, board: BoardNames) -> Property:
    if row.card.name != "custom":
        raise_all(list(unknown_on(board, row)))
        return row.card
    found = board.custom_fields.get(row.card.label)
    if found is None or found.kind not in CUSTOM:
        raise Misfit(
            f"the board has no custom field {row.card.label!r}",
            f"Create it (Trello Standard or above), or correct the row; there are: {listed(board.custom_fields)}.",
        )
    return row.card.tied_to(found.field_id, found.kind)


def _column(row: Field, columns: Mapping[str, Mapping[str, Any]] | None, board: BoardNames) -> Column:
    if columns is not None:
        if row.airtable not in columns:
            names = {str(model["name"]) for model in columns.values()}
            raise Misfit(
                f"the table has no column {row.airtable!r}", f"Correct {row.where}; there are: {listed(sorted(names))}."
            )
        return Column.of(columns[row.airtable], row.kind)
    card = row.card if row.kind else _card(row, board)
    kind = row.kind or card.assumed
    if kind is None:
        remedy = f"Add the scope schema.bases:read to the token, or as = to the row, one of {listed(card.fits)}."
        raise Misfit(f"what column {row.airtable!r} holds cannot be read", remedy)
    return Column(row.airtable, kind)


def told(value: Value) -> str:
    """A canonical value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else ", ".join(sorted(value))
