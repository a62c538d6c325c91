"""
What stands until a person settles it, and is decided about by every run: cards and cells set aside with the reason, and
leads of which something is not as it should be, without one.

Never here: why a lead or a card is set aside.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import fields
from typing import Final

import sqlalchemy as sa

from leadsync.core.plan import SetAside
from leadsync.state.database import Database
from leadsync.state.tables import finding_table

PARTS: Final = [each.name for each in fields(SetAside)]
_of_pair = finding_table.c.pair == sa.bindparam("of_pair")
FINDINGS = sa.select(*(finding_table.c[part] for part in PARTS), finding_table.c.since).where(_of_pair)
DELETE = sa.delete(finding_table).where(
    _of_pair, *(finding_table.c[part] == sa.bindparam(f"of_{part}") for part in PARTS)
)
"""Made once: every run asks, and to make a query takes longer than to ask."""


class Findings:
    """Those of each pair."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, pair: str) -> dict[SetAside, float]:
        """What stands, and since when by our clock [s since 1970]. One without a reason only says which lead."""
        with self._database.reading() as connection:
            return _load(connection, pair)


def put_findings(connection: sa.Connection, pair: str, found: Iterable[SetAside]) -> None:
    """In place of those that stood so far, in a transaction with something else; what still stands keeps its time."""
    kept, now = _load(connection, pair), dict.fromkeys(found)
    ended = [{"of_pair": pair} | {f"of_{part}": getattr(each, part) for part in PARTS} for each in kept.keys() - now]
    news = [{"pair": pair, "since": time.time()} | vars(each) for each in now if each not in kept]
    if ended:
        connection.execute(DELETE, ended)
    if news:
        connection.execute(sa.insert(finding_table), news)


def _load(connection: sa.Connection, pair: str) -> dict[SetAside, float]:
    return {SetAside(*row): since for *row, since in connection.execute(FINDINGS, {"of_pair": pair})}
