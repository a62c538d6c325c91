"""The base, that is what both sides agreed on last time, as typed rows and a frame. Pure. Never here: the database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from leadsync.frames.schema import columns_of, frame_of
from leadsync.mapping.lenses import Value

Columns = dict[str, Value | None]
"""
Some columns of one lead's row, with what is agreed in them. Those of a mapped cell are called as `sides_of` says; None
there stands for a cell that was never agreed.
"""
AIRTABLE, TRELLO = "airtable ", "trello "
Rename = Callable[[str], str | None]
"""What a cell of a former mapping is called now, None if it is in it no more."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """
    One lead as both sides agreed on it; with its defaults, a lead of which nothing is known.

    `stage`, `title`: "" while the status, the name was never agreed. `lead_cells`, `card_cells`: the cells of the
    mapping, by name, as either side had them; a cell that was never agreed is in neither. Of a line of the block
    `card_cells` has what Trello gave back. `seen_status`: the lead's status when its card that is shut, parked or in
    conflict was last looked at.
    """

    lead_id: str = ""
    card_id: str = ""
    lead_presence: str = ""  # LeadPresence
    card_presence: str = ""  # CardPresence
    status: str = ""
    stage: str = ""
    due_complete: bool = False
    name: str = ""
    title: str = ""
    lead_cells: Mapping[str, Value] = field(default_factory=dict)
    card_cells: Mapping[str, Value] = field(default_factory=dict)
    seen_status: str = ""

    def is_of_another(self, card_id: str) -> bool:
        """Whether all this was agreed with another card; what a card has never held nobody has taken off it."""
        return self.card_id not in ("", card_id)

    def get(self, column: str) -> Value | None:
        """What is agreed in a column; None in those of a cell that was never agreed."""
        if column in BASE_COLUMNS:
            found: Value = getattr(self, column)
            return found
        cells = self.lead_cells if column.startswith(AIRTABLE) else self.card_cells
        return cells.get(column.partition(" ")[2])

    def updated(self, columns: Mapping[str, Value | None]) -> Agreed:
        """The row with these columns; None takes the value of a cell away."""
        own = {column: value for column, value in columns.items() if column in BASE_COLUMNS}
        lead, card = own.get("lead_cells", self.lead_cells), own.get("card_cells", self.card_cells)
        sides: dict[str, Any] = {AIRTABLE: {**lead}, TRELLO: {**card}}  # type: ignore[dict-item]
        for column in columns.keys() - own.keys():
            side, _, name = column.partition(" ")
            cells, name = sides[f"{side} "], sys.intern(name)  # one text for all leads: compared at a glance
            if (value := columns[column]) is None:
                cells.pop(name, None)
            else:
                cells[name] = value
        values: dict[str, Any] = {**own, "lead_cells": sides[AIRTABLE], "card_cells": sides[TRELLO]}
        return replace(self, **values)

    def columns(self) -> Columns:
        """The whole row, its id left out."""
        own = {column: getattr(self, column) for column in BASE_COLUMNS if column not in CELLS}
        cells = ((AIRTABLE, self.lead_cells), (TRELLO, self.card_cells))
        return own | {f"{side}{name}": value for side, held in cells for name, value in held.items()}

    def renamed(self, now: Rename) -> Agreed:
        """The row with its cells as they are called now."""
        lead, card = (
            {to: held[name] for name in held if (to := now(name))} for held in (self.lead_cells, self.card_cells)
        )
        return replace(self, lead_cells=lead, card_cells=card)


CELLS: Final = ("lead_cells", "card_cells")
BASE_COLUMNS: Final = columns_of(Agreed)
NEVER_AGREED: Final = Agreed()


def sides_of(name: str) -> tuple[str, str]:
    """What the columns of a mapped cell are called, Airtable's first."""
    return f"{AIRTABLE}{name}", f"{TRELLO}{name}"


def columns_renamed(columns: Columns, now: Rename) -> Columns:
    """Some columns, with those of the mapped cells as they are called now."""
    kept: Columns = {}
    for column, value in columns.items():
        side, _, name = column.partition(" ")
        if f"{side} " not in (AIRTABLE, TRELLO):
            kept[column] = value
        elif (to := now(name)) is not None:
            kept[f"{side} {to}"] = value
    return kept


def base_frame(rows: Iterable[Agreed] = ()) -> pd.DataFrame:
    """Index `lead_id`, columns BASE_COLUMNS."""
    return frame_of(rows, Agreed)
