"""
Rows of one pair under another key: found, told apart, taken over.

A pair's key names base, table and board. What is never here: which key is whose (see pair.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

import sqlalchemy as sa

from leadsync.state.database import Database
from leadsync.state.facts import rename_facts
from leadsync.state.pair import Pair, Rows
from leadsync.state.parts import in_parts
from leadsync.state.snapshots import marks_key
from leadsync.state.tables import base_table, conflict_table, facts_table, holder_table, intent_table, metadata

ANY: Final = [
    sa.select(sa.literal(1)).select_from(table).where(table.c.pair == sa.bindparam("of")).limit(1)
    for table in (base_table, intent_table)
]
"""Whether a pair has any row."""


class PairKeys:
    """Which keys know which leads, in base and journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load_former(self, pair: Pair) -> list[Rows]:
        """What other keys of the same base and board know; nothing once `pair` has rows of its own."""
        with self._database.reading() as connection:
            if any(connection.execute(query, {"of": pair.key}).first() for query in ANY):
                return []
            present: dict[str, set[str]] = {}
            absent: dict[str, set[str]] = {}
            ours = base_table.c.pair.startswith(f"{pair.base_id}/", autoescape=True)
            query = sa.select(base_table.c.pair, base_table.c.lead_id, base_table.c.lead_presence).where(ours)
            for key, lead_id, presence in connection.execute(query):
                (present if presence == "present" else absent).setdefault(key, set()).add(lead_id)
            ours = intent_table.c.pair.startswith(f"{pair.base_id}/", autoescape=True)
            for key, lead_id in connection.execute(sa.select(intent_table.c.pair, intent_table.c.lead_id).where(ours)):
                present.setdefault(key, set()).add(lead_id)
        keys = sorted(present.keys() | absent.keys())
        rows = [Rows(Pair.of(key), frozenset(present.get(key, ())), frozenset(absent.get(key, ()))) for key in keys]
        return [each for each in rows if each.pair.lock == pair.lock]

    def take_over(self, former: Pair, pair: Pair, board: str) -> None:
        """
        Rename a key, in one transaction: base, intents, items seen, and facts. `board` as the settings name it.

        The holder stays: it is the lock's, which both keys share.
        """
        with self._database.writing() as connection:
            for table in metadata.sorted_tables:
                if "pair" in table.c and table is not holder_table:
                    connection.execute(sa.delete(table).where(table.c.pair == pair.key))
                    connection.execute(sa.update(table).where(table.c.pair == former.key).values(pair=pair.key))
            connection.execute(sa.delete(facts_table).where(facts_table.c.key == marks_key(pair.key)))
            for of, to in ((former, pair), (replace(former, board_id=board), replace(pair, board_id=board))):
                rename_facts(connection, of.key, to.key)

    def take_leads(self, leads_of: Mapping[Pair, Collection[str]], pair: Pair) -> None:
        """In one transaction: rows of base, journal and conflicts that other keys hold of these leads."""
        with self._database.writing() as connection:
            for former, lead_ids in leads_of.items():
                for table in (base_table, intent_table, conflict_table):
                    for some in in_parts(lead_ids):
                        theirs = (table.c.pair == former.key) & table.c.lead_id.in_(some)
                        connection.execute(sa.update(table).where(theirs).values(pair=pair.key))

    def boards_of(self, base_id: str, table: str) -> list[str]:
        """Ids of the boards with which this table has rows."""
        ours = base_table.c.pair.startswith(f"{base_id}/{table}/", autoescape=True)
        with self._database.reading() as connection:
            keys = connection.execute(sa.select(base_table.c.pair).where(ours).distinct()).scalars()
            return [found.board_id for found in map(Pair.of, keys) if found.table == table]

    def known_elsewhere(self, pair: str, lead_ids: Collection[str]) -> set[str]:
        """Those of the leads that other pairs on the same board know, be it of another base."""
        return self._elsewhere(pair, "lead_id", lead_ids)

    def cards_elsewhere(self, pair: str, card_ids: Collection[str]) -> set[str]:
        """Those of the cards that other pairs on the same board know, likewise."""
        return self._elsewhere(pair, "card_id", card_ids)

    def _elsewhere(self, pair: str, column: str, ids: Collection[str]) -> set[str]:
        found: set[str] = set()
        with self._database.reading() as connection:
            for some in in_parts(ids):
                for table in (base_table, intent_table):
                    others = table.c.pair.endswith(f"/{Pair.of(pair).board_id}", autoescape=True)
                    query = sa.select(table.c[column]).where(others, table.c.pair != pair, table.c[column].in_(some))
                    found |= set(connection.execute(query).scalars())
        return found
