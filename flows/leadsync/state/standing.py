"""
Leads and cards that do not rest: every run decides about them anew, whether or not anything has changed.

Never here: why one does not rest; what waits for a person, see waiting.py.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from leadsync.frames.snapshot import Concerned
from leadsync.state.database import Database
from leadsync.state.tables import standing_table

_of_pair = standing_table.c.pair == sa.bindparam("of_pair")
STANDING: Final = sa.select(standing_table.c.side, standing_table.c.id).where(_of_pair)
DELETE: Final = sa.delete(standing_table).where(
    _of_pair, standing_table.c.side == sa.bindparam("of_side"), standing_table.c.id == sa.bindparam("of")
)
"""Made once: every run asks, and to make a query takes longer than to ask."""
LEAD: Final = "lead"
CARD: Final = "card"


class Standing:
    """Those of each pair."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, pair: str) -> Concerned:
        """Those that the last run left."""
        with self._database.reading() as connection:
            rows = _load(connection, pair)
        leads, cards = (frozenset(row_id for side, row_id in rows if side == wanted) for wanted in (LEAD, CARD))
        return Concerned(leads, cards)


def put_standing(connection: sa.Connection, pair: str, now: Concerned) -> None:
    """In place of those so far, in a transaction with something else."""
    kept = _load(connection, pair)
    wanted = {*((LEAD, lead_id) for lead_id in now.leads), *((CARD, card_id) for card_id in now.cards)}
    if ended := [{"of_pair": pair, "of_side": side, "of": row_id} for side, row_id in kept - wanted]:
        connection.execute(DELETE, ended)
    if news := [{"pair": pair, "side": side, "id": row_id} for side, row_id in wanted - kept]:
        connection.execute(sa.insert(standing_table), news)


def _load(connection: sa.Connection, pair: str) -> set[tuple[str, str]]:
    return {(side, row_id) for side, row_id in connection.execute(STANDING, {"of_pair": pair})}
