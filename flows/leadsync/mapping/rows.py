"""The rows of the mapping: a column, a property, which way, who wins. Pure. Never here: how they are written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from leadsync.mapping.columns import ColumnKind
from leadsync.mapping.dates import zone_named
from leadsync.mapping.properties import Property, Way, property_named
from leadsync.mapping.terms import as_map
from leadsync.model import ConflictPolicy, StatusMap


class CellKey(NamedTuple):
    """
    What a cell's base and journal rows are kept under: the column's id, else its name, and the property.

    `column`: "" in rows of before, when nothing but the settings named it.
    """

    column: str
    property: str

    def __str__(self) -> str:
        return f"{self.property}\t{self.column}"

    def names_line(self) -> bool:
        """Whether it is of a line of the managed block."""
        return self.property.startswith("line:")

    @classmethod
    def of(cls, stated: str) -> CellKey:
        """The key that is written so."""
        card, _, column = stated.partition("\t")
        return cls(column, card)


@dataclass(frozen=True)
class Field:
    """
    One row. `airtable`: a column's name or id. `way`: None = what both ends allow. `conflict`: None = as set for all.

    `map`: column value -> what it is called on the card. `kind`: what the column is to be read as, None = as it is.
    """

    airtable: str
    card: Property
    way: Way | None = None
    conflict: ConflictPolicy | None = None
    map: Mapping[str, str] = field(default_factory=dict)
    kind: ColumnKind | None = None

    def __str__(self) -> str:
        return f"{self.airtable!r} = {self.card}"

    @property
    def field(self) -> str:
        """What reports call the cell: one of each property of a card."""
        return NAMED_AS.get(str(self.card), str(self.card))

    @property
    def where(self) -> str:
        """Where its column is chosen."""
        ours = self.field if self.field in DEFAULT_CARDS else ""
        return f"AIRTABLE_{ours.upper()}_FIELD" if ours else f"the row for {self.card} in the mapping"

    @property
    def default_way(self) -> Way:
        """The way it goes, as far as the row alone can tell: a computed column narrows it."""
        return self.way or self.card.ways_from(self.kind)[0]


@dataclass(frozen=True)
class CellMapping:
    """All rows in order, no two of them for one property, and the zone in which a day is a day."""

    fields: tuple[Field, ...]
    timezone: str = "UTC"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return zone_named(self.timezone)

    @cached_property
    def properties(self) -> frozenset[str]:
        """What kinds of properties are mapped."""
        return frozenset(row.card.name for row in self.fields)

    @property
    def needs_names(self) -> bool:
        """Whether more must be known of table and board than the settings say: else it is what it is without a file."""
        return not self.properties <= {*SPECIAL, "line"}

    def of(self, name: str) -> Field | None:
        """The row that owns a property, by the name as in `line:E-mail`; None if nothing is tied to it."""
        return next((row for row in self.fields if str(row.card) == name), None)


DEFAULT_CARDS: Final[Mapping[str, str]] = {
    "status": "list",
    "name": "title",
    "email": "line:E-mail",
    "source": "line:Source",
}
"""What is tied without a mapping file: the cell's name in settings and reports -> the property."""
SPECIAL: Final = ("list", "title")
"""Properties that every pair has tied, to columns status and name; each has rules of its own."""
NAMED_AS: Final = {card: ours for ours, card in DEFAULT_CARDS.items()}


def default_mapping(columns: Mapping[str, str], status_map: StatusMap) -> CellMapping:
    """The four cells there are without a mapping file. `columns`: the cell's name in the settings -> the column."""
    maps = {"status": as_map(status_map)}
    rows = (Field(columns[ours], property_named(card), map=maps.get(ours, {})) for ours, card in DEFAULT_CARDS.items())
    return CellMapping(tuple(rows))
