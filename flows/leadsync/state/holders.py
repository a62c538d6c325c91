"""Who took a pair's lock last, to be told to whoever finds it taken. Never here: the lock itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from leadsync.state.database import Database, json_object
from leadsync.state.tables import holder_table

PUT: Final = sa.text(
    f"INSERT INTO {holder_table.name} (pair, holder) VALUES (:pair, :holder) "
    "ON CONFLICT (pair) DO UPDATE SET holder = excluded.holder"
)


class Holders:
    """Host, process and time by the lock's key, that of base and board."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, pair: str) -> dict[str, Any]:
        """Who last took the lock of `pair`, and when; {} if nobody did."""
        with self._database.reading() as connection:
            query = sa.select(holder_table.c.holder).where(holder_table.c.pair == pair)
            found = connection.execute(query).scalar_one_or_none()
            return {} if found is None else json_object(found)

    def load_all(self, base_id: str) -> dict[str, dict[str, Any]]:
        """As `load`, for every pair of an Airtable base."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(holder_table.c.pair, holder_table.c.holder)).all()
            return {pair: json_object(holder) for pair, holder in rows if pair.startswith(f"{base_id}/")}

    def save(self, pair: str, holder: Mapping[str, Any]) -> None:
        """Called by the one who has just taken the lock."""
        with self._database.writing() as connection:
            connection.execute(PUT, {"pair": pair, "holder": json.dumps(dict(holder))})
