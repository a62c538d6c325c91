"""
What both sides looked like when they were last read: the items, and the marks that say how far that is.

Marks are facts, items are rows, by id and by the lead that a card names. Never here: what is read, or whether a
snapshot may be relied on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa

from leadsync.frames.actions import Item
from leadsync.frames.block import parse
from leadsync.frames.snapshot import Concerned, Mark, Snapshot
from leadsync.state.database import Database, json_object
from leadsync.state.facts import Facts, put_facts
from leadsync.state.parts import batched, rows_among
from leadsync.state.standing import put_standing
from leadsync.state.tables import snapshot_table

RECORDS: Final = "records"
CARDS: Final = "cards"
NOBODY: Final = Concerned()
_seen = snapshot_table.c
_of_item = (
    (_seen.pair == sa.bindparam("of_pair")) & (_seen.side == sa.bindparam("of_side")) & (_seen.id == sa.bindparam("of"))
)
INSERT: Final = sa.insert(snapshot_table)
UPDATE: Final = sa.update(snapshot_table).where(_of_item)
DELETE: Final = sa.delete(snapshot_table).where(_of_item)
_ids: sa.BindParameter[str] = sa.bindparam("ids", expanding=True)
_of_side = sa.select(_seen.id, _seen.item).where(
    _seen.pair == sa.bindparam("of_pair"), _seen.side == sa.bindparam("of_side")
)
ITEMS: Final = _of_side.execution_options(yield_per=1_000)
OF_IDS: Final = _of_side.where(_seen.id.in_(_ids))
OF_LEADS: Final = _of_side.where(_seen.marker.in_(_ids))


class Snapshots:
    """The last snapshot of each pair."""

    def __init__(self, database: Database) -> None:
        self._database, self._facts = database, Facts(database)

    def load_marks(self, pair: str) -> Snapshot:
        """How far both sides were last read, without what was seen; nothing if it is not known for certain."""
        return Snapshot.of_marks(self._facts.load(marks_key(pair)) or {})

    def load(self, pair: str) -> Snapshot:
        """What both sides looked like when they were last read; nothing if it is not known for certain."""
        snapshot = self.load_marks(pair)
        if snapshot.is_known:
            snapshot.records, snapshot.cards = (self.load_items(pair, side) for side in (RECORDS, CARDS))
        return snapshot

    def load_items(self, pair: str, side: str, ids: Collection[str] | None = None) -> dict[str, Item]:
        """The leads, or cards, that were seen, by id: those of these ids, or all."""
        if ids is not None and not ids:
            return {}
        with self._database.reading(piecemeal=ids is None) as connection:
            return {item_id: json_object(item) for item_id, item in _kept(connection, pair, side, ids)}

    def load_cards_of(self, pair: str, lead_ids: Collection[str]) -> dict[str, Item]:
        """The cards seen whose first LeadID line names one of these leads, by id."""
        with self._database.reading() as connection:
            found = rows_among(connection, ITEMS, OF_LEADS, {"of_pair": pair, "of_side": CARDS}, lead_ids)
            return {item_id: json_object(item) for item_id, item in found}

    def differing(self, pair: str, side: str, items: Mapping[str, Item], whole: bool) -> set[str]:
        """
        Ids of the items that are new, or not as they were seen. `whole`: these are all, so that those that were seen
        and are not among them are told as well.
        """
        kept, differing = set[str](), set[str]()
        with self._database.reading(piecemeal=whole) as connection:
            for item_id, text in _kept(connection, pair, side, None if whole else items.keys()):
                kept.add(item_id)
                if item_id not in items or _text(items[item_id]) != text:
                    differing.add(item_id)
        return differing | (items.keys() - kept)

    def forget(self, pair: str, feed: Mark | None = None) -> None:
        """
        Before the first write: until `save` it is not certain what both sides look like.

        `feed`, where the change feed goes on, is kept: it tells of our writes even if this run is cut off.
        """
        self._facts.save(marks_key(pair), {"feed": vars(feed)} if feed else {})

    def save(self, pair: str, snapshot: Snapshot, standing: Concerned | None = NOBODY) -> None:
        """
        In one transaction, with what does not rest, None: as before; of the items only what is not as it was kept.

        Of a snapshot that is not of all items the others stay as they are.
        """
        with self._database.writing() as connection:
            _put_items(connection, pair, snapshot)
            put_facts(connection, marks_key(pair), snapshot.marks())
            if standing is not None:
                put_standing(connection, pair, standing)

    def save_items(self, pair: str, snapshot: Snapshot) -> None:
        """For people to look at: the items alone. How far both sides were read stays as it is."""
        with self._database.writing() as connection:
            _put_items(connection, pair, snapshot)


def marks_key(pair: str) -> str:
    """The facts under which the marks of a snapshot are kept."""
    return f"seen {pair}"


def _put_items(connection: sa.Connection, pair: str, snapshot: Snapshot) -> None:
    of = snapshot.concerned
    _update_items(connection, pair, RECORDS, snapshot.records, None if of is None else of.leads)
    _update_items(connection, pair, CARDS, snapshot.cards, None if of is None else of.cards)


def _update_items(
    connection: sa.Connection, pair: str, side: str, items: Mapping[str, Item], among: Collection[str] | None
) -> None:
    """Replace what differs from what is kept, and delete what is no more. `among`: None = all ids there are."""
    kept, stale, changed = set[str](), list[dict[str, str]](), list[dict[str, str]]()
    for item_id, text in _kept(connection, pair, side, None if among is None else {*among, *items}):
        which = {"of_pair": pair, "of_side": side, "of": item_id}
        kept.add(item_id)
        if item_id not in items:
            stale.append(which)
        elif (now := _text(items[item_id])) != text:
            changed.append(which | {"item": now, "marker": _marker(side, items[item_id])})
    news = (
        {
            "pair": pair,
            "side": side,
            "id": item_id,
            "item": _text(item),
            "marker": _marker(side, item),
        }
        for item_id, item in items.items()
        if item_id not in kept
    )
    if stale:
        connection.execute(DELETE, stale)
    if changed:
        connection.execute(UPDATE, changed)
    for some in batched(news):
        connection.execute(INSERT, some)


def _kept(connection: sa.Connection, pair: str, side: str, ids: Collection[str] | None) -> Iterator[Any]:
    return rows_among(connection, ITEMS, OF_IDS, {"of_pair": pair, "of_side": side}, ids)


def _text(item: Item) -> str:
    return json.dumps(item, sort_keys=True)


def _marker(side: str, item: Item) -> str:
    markers = parse(str(item.get("desc") or "")).markers if side == CARDS else ()
    return markers[0] if markers else ""
