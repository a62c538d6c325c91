"""
What both sides looked like when they were last read: the items, and the marks that say how far that is.

Marks are facts, items are rows. Never here: what is read, or whether a snapshot may be relied on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from leadsync.frames.snapshot import Mark, Snapshot
from leadsync.state.database import Database, json_object
from leadsync.state.facts import Facts, put_facts
from leadsync.state.tables import snapshot_table


class Snapshots:
    """The last snapshot of each pair."""

    def __init__(self, database: Database) -> None:
        self._database, self._facts = database, Facts(database)

    def load(self, pair: str) -> Snapshot:
        """What both sides looked like when they were last read; nothing if it is not known for certain."""
        marks = self._facts.load(marks_key(pair))
        if not marks:
            return Snapshot()
        snapshot = Snapshot.of_marks(marks)
        if marks.keys() == {"feed"}:
            return snapshot
        query = sa.select(snapshot_table.c.side, snapshot_table.c.id, snapshot_table.c.item).where(
            snapshot_table.c.pair == pair
        )
        with self._database.reading() as connection:
            for side, item_id, item in connection.execute(query):
                getattr(snapshot, side)[item_id] = json_object(item)
        return snapshot

    def forget(self, pair: str, feed: Mark | None = None) -> None:
        """
        Before the first write: until `save` it is not certain what both sides look like.

        `feed`, where the change feed goes on, is kept: it tells of our writes even if this run is cut off.
        """
        self._facts.save(marks_key(pair), {"feed": vars(feed)} if feed else {})

    def save(self, pair: str, snapshot: Snapshot) -> None:
        """In one transaction; of the items only those that are not as they were kept."""
        with self._database.writing() as connection:
            _update_items(connection, pair, {"records": snapshot.records, "cards": snapshot.cards})
            put_facts(connection, marks_key(pair), snapshot.marks())


def marks_key(pair: str) -> str:
    """The facts under which the marks of a snapshot are kept."""
    return f"seen {pair}"


def _update_items(connection: sa.Connection, pair: str, sides: Mapping[str, Mapping[str, Any]]) -> None:
    """Replace what differs from what is kept, and delete what is no more."""
    now = {
        (side, item_id): json.dumps(item, sort_keys=True)
        for side, items in sides.items()
        for item_id, item in items.items()
    }
    ours = snapshot_table.c.pair == pair
    query = sa.select(snapshot_table.c.side, snapshot_table.c.id, snapshot_table.c.item).where(ours)
    kept = {(side, item_id): item for side, item_id, item in connection.execute(query)}
    stale = [{"s": side, "i": item_id} for (side, item_id), item in kept.items() if now.get((side, item_id)) != item]
    if stale:
        which = ours & (snapshot_table.c.side == sa.bindparam("s")) & (snapshot_table.c.id == sa.bindparam("i"))
        connection.execute(sa.delete(snapshot_table).where(which), stale)
    news = [
        {"pair": pair, "side": side, "id": item_id, "item": item}
        for (side, item_id), item in now.items()
        if kept.get((side, item_id)) != item
    ]
    if news:
        connection.execute(sa.insert(snapshot_table), news)
