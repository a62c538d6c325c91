"""What was agreed about a lead as a row of the base, and back. Never here: what it means."""

from __future__ import annotations

import json
from typing import Any, Final

import sqlalchemy as sa

from leadsync.frames.agreed import BASE_COLUMNS, CELLS, Agreed
from leadsync.mapping.lenses import Value
from leadsync.state.database import json_object
from leadsync.state.tables import base_table

OWN: Final = [column for column in BASE_COLUMNS if column not in CELLS]


def agreed_query() -> sa.Select[Any]:
    """Rows as agreed_of takes them; of which pair and leads is still to be said."""
    return sa.select(base_table.c.lead_id, *(base_table.c[column] for column in OWN), base_table.c.cells)


def agreed_of(row: sa.Row[Any]) -> Agreed:
    """A row of the base."""
    lead_id, *values, cells = tuple(row)
    both = json_object(cells)
    lead, card = ({name: value_of(sides[side]) for name, sides in both.items()} for side in (0, 1))
    return Agreed(lead_id, **dict(zip(OWN, values, strict=True)), lead_cells=lead, card_cells=card)


def write_row(connection: sa.Connection, pair: str, agreed: Agreed, is_new: bool = False) -> None:
    """Put a row into the base, or in the place of the one it has."""
    both = {name: [agreed.lead_cells[name], agreed.card_cells[name]] for name in sorted(agreed.lead_cells)}
    values: dict[str, Any] = {column: getattr(agreed, column) for column in OWN} | {"cells": json_of(both)}
    if is_new:
        connection.execute(sa.insert(base_table).values(pair=pair, lead_id=agreed.lead_id, **values))
        return
    ours = (base_table.c.pair == pair) & (base_table.c.lead_id == agreed.lead_id)
    connection.execute(sa.update(base_table).where(ours).values(**values))


def json_of(found: object) -> str:
    """JSON, of a set the list of its elements."""
    return json.dumps(found, default=sorted)


def value_of(stored: Any) -> Value:
    """A value out of JSON, a list as the set that it was."""
    found: Value = frozenset(stored) if isinstance(stored, list) else stored
    return found
