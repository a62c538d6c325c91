"""Facts: small JSON objects under a key, so that an idle run need not ask again. Never here: what a fact means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from leadsync.state.database import Database, json_object
from leadsync.state.tables import facts_table

_of_key = facts_table.c.key == sa.bindparam("of")
FACTS = sa.select(facts_table.c.facts).where(_of_key)
PUT_FACTS = sa.text(
    f"INSERT INTO {facts_table.name} (key, facts) VALUES (:key, :facts) "
    "ON CONFLICT (key) DO UPDATE SET facts = excluded.facts"
)
"""Made once: a run asks a dozen times, and to make a query takes longer than to ask."""


class Facts:
    """What settings resolved to, and what else is kept of a pair under a key that ends in the pair's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, key: str) -> dict[str, Any] | None:
        """What an earlier run found out about `key`: a digest of settings, or a pair."""
        with self._database.reading() as connection:
            found = connection.execute(FACTS, {"of": key}).scalar_one_or_none()
            return None if found is None else json_object(found)

    def load_all(self, beginning: str) -> dict[str, dict[str, Any]]:
        """As `load`, of every key that begins so."""
        with self._database.reading() as connection:
            query = sa.select(facts_table.c.key, facts_table.c.facts)
            rows = connection.execute(query.where(facts_table.c.key.startswith(beginning, autoescape=True))).all()
            return {key: json_object(found) for key, found in rows}

    def save(self, key: str, facts: Mapping[str, Any]) -> None:
        """In place of those of the same key."""
        with self._database.writing() as connection:
            put_facts(connection, key, facts)


def put_facts(connection: sa.Connection, key: str, facts: Mapping[str, Any]) -> None:
    """As `Facts.save`, in a transaction with something else."""
    connection.execute(PUT_FACTS, {"key": key, "facts": json.dumps(dict(facts))})


def rename_facts(connection: sa.Connection, former: str, pair: str) -> None:
    """Of facts kept for a pair, whose keys end in the pair's; those that it has already under its new key stay."""
    query = sa.select(facts_table.c.key).where(facts_table.c.key.endswith(former, autoescape=True))
    for key in connection.execute(query).scalars().all():
        kind = key.removesuffix(former)
        taken = sa.select(facts_table.c.key).where(facts_table.c.key == kind + pair)
        if kind.endswith((" ", ":")) and connection.execute(taken).first() is None:
            connection.execute(sa.update(facts_table).where(facts_table.c.key == key).values(key=kind + pair))
