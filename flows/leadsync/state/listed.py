"""
Leads as a page lists them: searched for, counted, and a page of rows at a time.

Never here: what a row means for a person, a row that is changed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from leadsync.frames.agreed import Agreed
from leadsync.frames.cards import CardPresence
from leadsync.frames.leads import LeadPresence
from leadsync.state.base_rows import AGREED, agreed_of
from leadsync.state.database import Database, json_object
from leadsync.state.tables import base_table, snapshot_table

Item = dict[str, Any]
MOST_AMONG = 10_000
"""Ids in one query, of which a database takes so many."""
ESCAPE: Final = "\\u"
"""Begins a letter beyond ASCII in JSON of ours."""
RECORDS, CARDS = "records", "cards"


class Show(StrEnum):
    """Which leads are listed."""

    ALL = "all"
    DECIDE = "decide"
    SHUT = "shut"
    GONE = "gone"
    NEW = "new"


SHUT: Final = (CardPresence.ARCHIVED, CardPresence.ARCHIVED_BY_US, CardPresence.MOVED_AWAY)
LOST: Final = (LeadPresence.GONE, LeadPresence.OUT_OF_VIEW)


@dataclass(frozen=True)
class Listed:
    """One lead: what was agreed, and its record and card as they were last read; {} if they were not."""

    agreed: Agreed
    record: Item = field(default_factory=dict)
    card: Item = field(default_factory=dict)

    @property
    def lead_id(self) -> str:
        """Airtable's id."""
        return self.agreed.lead_id


@dataclass(frozen=True)
class LeadsListed:
    """Some leads of `total` that were looked for."""

    rows: list[Listed]
    total: int


class LeadList:
    """The leads of a pair, by the names that people know them by."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(
        self,
        pair: str,
        search: str = "",
        show: Show = Show.ALL,
        among: Collection[str] = (),
        start: int = 0,
        count: int = 50,
    ) -> LeadsListed:
        """
        `search`: part of a name, title, address or id, in any case. `among`: lead ids that wait for a person.

        Returns: rows `start` to `start + count` in the order of their titles, and how many there are.
        """
        found = _found(pair, search, show, sorted(among)[:MOST_AMONG]).subquery()
        order = (found.c.title == "", sa.func.lower(found.c.title), found.c.lead_id)
        with self._database.reading() as connection:
            if search:
                rows, wanted = connection.execute(sa.select(found)), search.casefold()
                like = [(not row[1], row[1].lower(), row[0]) for row in rows if _is_in(wanted, *row)]
                ids = [lead_id for *_, lead_id in sorted(like)]  # few, as a rule: quicker than to have all put in order
                return LeadsListed(_rows(connection, pair, ids[start : start + count]), len(ids))
            total = connection.execute(sa.select(sa.func.count()).select_from(found)).scalar_one()
            query = sa.select(found.c.lead_id).order_by(*order).offset(start).limit(count)
            return LeadsListed(_rows(connection, pair, list(connection.execute(query).scalars())), total)

    def load_some(self, pair: str, lead_ids: Collection[str]) -> dict[str, Listed]:
        """Leads by their ids; those of which nothing is known are left out."""
        with self._database.reading() as connection:
            rows = _rows(connection, pair, sorted(lead_ids))
        return {row.lead_id: row for row in rows if row.agreed != Agreed(row.lead_id) or row.record or row.card}


def _found(pair: str, search: str, show: Show, among: Collection[str]) -> sa.CompoundSelect[Any] | sa.Select[Any]:
    """Rows of lead_id and title; of a search also what is searched, which may hold it in words of ours only."""
    of, seen, nothing = base_table.c, snapshot_table.c, sa.literal("")
    known = sa.select(of.lead_id, of.title, *((of.name, of.card_id, of.cells) if search else ())).where(of.pair == pair)
    in_base = sa.exists().where((of.pair == pair) & (of.lead_id == seen.id))
    columns = (nothing.label("name"), nothing.label("card_id"), seen.item.label("cells")) if search else ()
    new = sa.select(seen.id.label("lead_id"), nothing.label("title"), *columns)
    new = new.where(seen.pair == pair, seen.side == RECORDS, ~in_base)
    if show is Show.NEW:
        return new
    if show is Show.SHUT:
        return known.where(of.card_presence.in_(SHUT))
    if show is Show.GONE:
        return known.where(of.lead_presence.in_(LOST) | (of.card_presence == CardPresence.DELETED))
    if show is Show.DECIDE:
        known, new = known.where(of.lead_id.in_(among)), new.where(seen.id.in_(among))
    return sa.union_all(known, new)


def _is_in(wanted: str, lead_id: str, title: str, name: str, card_id: str, cells: str) -> bool:
    """
    Whether a value of the row holds the text, in any case, and not only what we call it; of an id the whole counts.

    Here, since databases differ in which letters are the same in another case.
    """
    if wanted in title.casefold() or wanted in name.casefold() or wanted in (lead_id.casefold(), card_id):
        return True
    if ESCAPE not in cells and json.dumps(wanted)[1:-1] not in cells.casefold():
        return False
    return any(wanted in text.casefold() for text in _texts(json_object(cells)))


def _texts(found: Any) -> Iterator[str]:
    """All texts in a JSON value that are no names of ours."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        yield from _texts([value for key, value in found.items() if key not in ("id", "createdTime")])
    elif isinstance(found, list):
        for each in found:
            yield from _texts(each)


def _rows(connection: sa.Connection, pair: str, lead_ids: list[str]) -> list[Listed]:
    ours = (base_table.c.pair == pair) & base_table.c.lead_id.in_(lead_ids)
    agreed = {row.lead_id: agreed_of(row) for row in connection.execute(AGREED.where(ours))}
    card_ids = [each.card_id for each in agreed.values() if each.card_id]
    of = snapshot_table.c
    records, cards = (
        {
            item_id: json_object(item)
            for item_id, item in connection.execute(
                sa.select(of.id, of.item).where((of.pair == pair) & (of.side == side) & of.id.in_(ids))
            )
        }
        for side, ids in ((RECORDS, lead_ids), (CARDS, card_ids))
    )
    return [
        Listed(row := agreed.get(lead_id, Agreed(lead_id)), records.get(lead_id, {}), cards.get(row.card_id, {}))
        for lead_id in lead_ids
    ]
