"""
What was agreed about a lead as a row of the base, and back. A conflict about it ends where something else is agreed.

Never here: what it means.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from leadsync.core.conflicts import Key
from leadsync.frames.agreed import BASE_COLUMNS, CELLS, Agreed, Columns, Rename
from leadsync.mapping.lenses import Value
from leadsync.state.database import json_object
from leadsync.state.tables import base_table
from leadsync.state.waiting import close_settled, forget_conflicts, leads_in_conflict, rename_conflicts

Updates = Mapping[str, Columns]
"""Lead id -> columns of its base row, and what they become."""
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


def load_agreed(connection: sa.Connection, pair: str, lead_id: str) -> Agreed | None:
    """What was agreed about one lead, None if nothing."""
    row = connection.execute(agreed_query().where(_of(pair, lead_id))).one_or_none()
    return None if row is None else agreed_of(row)


def update_base(connection: sa.Connection, pair: str, updates: Updates, held: Collection[Key] = ()) -> None:
    """Set the given columns; a lead without a row gets one. `held`: cells whose conflict is not settled by that."""
    contested = leads_in_conflict(connection, pair) if updates else ()
    for lead_id, columns in updates.items():
        if columns:
            known = load_agreed(connection, pair, lead_id)
            was = known or Agreed(lead_id)
            now = was.updated(columns)
            write_row(connection, pair, now, is_new=known is None)
            if lead_id in contested:
                close_settled(connection, pair, was, now, {cell for of, cell in held if of == lead_id})


def forget_leads(connection: sa.Connection, pair: str, lead_ids: Iterable[str]) -> None:
    """Nothing is known of them any more."""
    for lead_id in lead_ids:
        connection.execute(sa.delete(base_table).where(_of(pair, lead_id)))
        forget_conflicts(connection, pair, lead_id)


def rename_cells(connection: sa.Connection, pair: str, now: Rename) -> None:
    """The mapping's cells are called otherwise, or are in it no more."""
    rows = connection.execute(agreed_query().where(base_table.c.pair == pair)).all()
    for agreed in map(agreed_of, rows):
        if (renamed := agreed.renamed(now)) != agreed:
            write_row(connection, pair, renamed)
    rename_conflicts(connection, pair, now)


def _of(pair: str, lead_id: str) -> sa.ColumnElement[bool]:
    return (base_table.c.pair == pair) & (base_table.c.lead_id == lead_id)


def write_row(connection: sa.Connection, pair: str, agreed: Agreed, is_new: bool = False) -> None:
    """Put a row into the base, or in the place of the one it has."""
    both = {name: [agreed.lead_cells[name], agreed.card_cells[name]] for name in sorted(agreed.lead_cells)}
    values: dict[str, Any] = {column: getattr(agreed, column) for column in OWN} | {"cells": json_of(both)}
    if is_new:
        connection.execute(sa.insert(base_table).values(pair=pair, lead_id=agreed.lead_id, **values))
        return
    connection.execute(sa.update(base_table).where(_of(pair, agreed.lead_id)).values(**values))


def json_of(found: object) -> str:
    """JSON, of a set the list of its elements."""
    return json.dumps(found, default=sorted)


def value_of(stored: Any) -> Value:
    """A value out of JSON, a list as the set that it was."""
    found: Value = frozenset(stored) if isinstance(stored, list) else stored
    return found
