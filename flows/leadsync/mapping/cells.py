"""
A row of the mapping tied to its column and its board: what its values mean on either side. Pure.

Never here: how a row is written down or tied (see tied.py), a decision about a lead.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from leadsync.mapping.columns import Column
from leadsync.mapping.lenses import Lens, LensKind, Value
from leadsync.mapping.properties import Property, Way
from leadsync.mapping.rows import CellKey, Field


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
    airtable: Lens = field(compare=False)  # made anew whenever a row is tied
    trello: Lens = field(compare=False)
    lacking: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> CellKey:
        """What its base and journal rows are kept under."""
        return CellKey(self.column.column_id or self.row.airtable, str(self.card))

    @cached_property
    def name(self) -> str:
        """The key in one text: what its values are found under in rows of all three sides."""
        return sys.intern(str(self.key))

    @cached_property
    def field(self) -> str:
        """What reports call it."""
        return self.row.field

    @cached_property
    def is_line(self) -> bool:
        """Whether the managed block shows it."""
        return self.card.name == "line"

    def without_lacking(self, value: Value) -> Value:
        """A lead's value without what the board has not; one choice, which has no term then, as it is."""
        return value.difference(self.lacking) if isinstance(value, frozenset) else value

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


def told(value: Value) -> str:
    """A canonical value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else ", ".join(sorted(value))
