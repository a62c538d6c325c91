"""When cards that are archived or away were last known to exist. Never here: when one is due to be looked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import sqlalchemy as sa

from leadsync.core.lookups import Check
from leadsync.state.database import Database
from leadsync.state.parts import rows_among
from leadsync.state.tables import check_table

_of_card = (check_table.c.pair == sa.bindparam("of_pair")) & (check_table.c.card_id == sa.bindparam("of_card"))
DELETE: Final = sa.delete(check_table).where(_of_card)
INSERT: Final = sa.insert(check_table)
CHECKS: Final = sa.select(check_table.c.card_id, check_table.c.at, check_table.c.status).where(
    check_table.c.pair == sa.bindparam("of_pair")
)
OF_CARDS: Final = CHECKS.where(check_table.c.card_id.in_(sa.bindparam("ids", expanding=True)))


class Checks:
    """Those of each pair, by card id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, pair: str, card_ids: Collection[str] | None = None) -> dict[str, Check]:
        """All of them, or those of these cards."""
        with self._database.reading() as connection:
            return _load(connection, pair, card_ids)

    def save(self, pair: str, checks: Mapping[str, Check], card_ids: Collection[str] | None = None) -> None:
        """In place of all there are, or of those of these cards; what is kept already is not written again."""
        kept = self.load(pair, card_ids)
        if kept == checks:
            return
        ended = [{"of_pair": pair, "of_card": card_id} for card_id, was in kept.items() if checks.get(card_id) != was]
        news = [
            {"pair": pair, "card_id": card_id, "at": check.at, "status": check.status}
            for card_id, check in checks.items()
            if kept.get(card_id) != check
        ]
        with self._database.writing() as connection:
            if ended:
                connection.execute(DELETE, ended)
            if news:
                connection.execute(INSERT, news)


def _load(connection: sa.Connection, pair: str, card_ids: Collection[str] | None) -> dict[str, Check]:
    rows = rows_among(connection, CHECKS, OF_CARDS, {"of_pair": pair}, card_ids)
    return {card_id: Check(at, status) for card_id, at, status in rows}
