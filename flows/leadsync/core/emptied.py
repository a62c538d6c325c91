"""
Cells that a read shows to be empty although they held something: many at once stop the run, for the other side may be
the last place that knows. Pure. Never here: what becomes of a single one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from leadsync.core.guards import SHARE_GUARD_FROM, WAY_OUT, named_in
from leadsync.errors import GuardError
from leadsync.frames.agreed import Columns, sides_of
from leadsync.mapping.cells import told
from leadsync.mapping.lenses import Value
from leadsync.mapping.rules import Rules

ONE_VALUE_FROM = 5
"""Known cells of one value from which on it is no accident that all of them are empty."""


@dataclass(frozen=True)
class Emptied:
    """`leads`, `cards`: ids of those that hold no more, in some cell, what they held when it was agreed."""

    leads: frozenset[str] = frozenset()
    cards: frozenset[str] = frozenset()


def check_emptied(
    base: pd.DataFrame, meant: Mapping[str, Columns], airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules
) -> Emptied:
    """
    Refuse a read in which a cell has been emptied in bulk, on either side: an option, a column, or a text was wiped.

    So it is if that happened to more than the allowed share of the values known, and to ten at least, or to every
    occurrence of one value, five at least. Of `base` count the rows whose lead, or card, is in this read. `meant`: by
    lead id, what unrecorded writes meant to put there, which a lead may have held. Raises: GuardError, unless a mass
    change is allowed.
    """
    leads, cards = set[str](), set[str]()
    for held in _all_held(base, meant, airtable, trello, rules):
        (leads if held.rows == "leads" else cards).update(row for row, _ in held.lost)
        if held.lost and not rules.allow_mass_change:
            _refuse(held, rules)
    return Emptied(frozenset(leads), frozenset(cards))


def may_be_refused(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules) -> bool:
    """Whether so many cells are empty that all rows must be counted; those that rest may be left out of the frames."""
    return any(len(held.lost) >= ONE_VALUE_FROM for held in _all_held(base, {}, airtable, trello, rules))


@dataclass(frozen=True)
class _Held:
    """One cell of all `rows`, which are leads or cards: what was known of it, and what it holds now, by id."""

    where: str
    rows: str
    known: pd.Series
    now: pd.Series
    titles: pd.Series
    name_of: Callable[[str], str] = str

    @cached_property
    def lost(self) -> list[tuple[str, str]]:
        """Of each row what it held and holds no more: its value if it is empty now, or elements of a set."""
        differs = self.known.to_numpy() != self.now.to_numpy()
        known, now = self.known[differs], self.now[differs]
        rows = zip(known.index, known, now, strict=True)
        return [(str(row), value) for row, was, left in rows for value in _lost(was, left)]


def _all_held(
    base: pd.DataFrame, meant: Mapping[str, Columns], airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules
) -> Iterator[_Held]:
    leads = airtable[airtable["presence"] == "present"]
    of_lead = base[base.index.isin(leads.index)]
    leads = leads.reindex(of_lead.index)
    for column in ("status", "name"):
        known = _as_meant(of_lead[column], leads[column], meant)
        yield _Held(_column(column, rules), "leads", known, leads[column], of_lead["title"])
    cards = trello[trello["presence"] == "open"]
    of_card = base[base["card_id"].isin(cards.index)].drop_duplicates("card_id").set_index("card_id")
    cards = cards.reindex(of_card.index)
    yield _Held("The title on Trello", "cards", of_card["title"], cards["title"], of_card["title"])
    for cell in rules.cells:
        airtables, _ = sides_of(cell.name)
        was, now = (_cell(frame, cell.name) for frame in (of_lead["lead_cells"], leads["cells"]))
        known = _as_meant(was.rename(airtables), now, meant)
        yield _Held(_column(cell.field, rules), "leads", known, now, of_lead["title"])
        was, now = (_cell(frame, cell.name) for frame in (of_card["card_cells"], cards["cells"]))
        where = f"The {f'{cell.card.label.lower()} line' if cell.is_line else cell.field} on Trello"
        yield _Held(where, "cards", was, now, of_card["title"], cell.element_told)


def _column(field: str, rules: Rules) -> str:
    return f"Column {rules.columns.get(field, field)!r} in Airtable"


def _cell(cells: pd.Series, name: str) -> pd.Series:
    """The values of one cell, "" where there is nothing."""
    return pd.Series([held.get(name) or "" for held in cells], index=cells.index, dtype=object)


def _as_meant(known: pd.Series, now: pd.Series, meant: Mapping[str, Columns]) -> pd.Series:
    """What a lead that is empty now held, if a write took effect that was not recorded."""
    column = str(known.name)
    held = {lead: row[column] for lead, row in meant.items() if row.get(column) and now.get(lead) == ""}
    if not held:
        return known
    return pd.Series([held.get(str(lead), value) for lead, value in known.items()], index=known.index, dtype=object)


def _refuse(held: _Held, rules: Rules) -> None:
    known = held.known[held.known != ""]
    emptied = known[held.now[known.index] == ""]
    before = Counter(value for was in known for value in _lost(was, ""))
    gone = Counter(value for _, value in held.lost)
    wiped = sorted(value for value, count in gone.items() if count == before[value] and count >= ONE_VALUE_FROM)
    many = len(emptied) >= SHARE_GUARD_FROM and len(emptied) * 100 > rules.max_archive_percent * len(known)
    if not many and not wiped:
        return
    which = {*emptied.index} if many else {row for row, value in held.lost if value in wiped}
    total = len(known) if many else len(which)
    values = "" if many else f" that held {', '.join(repr(held.name_of(value)[:80]) for value in wiped)}"
    examples = named_in(sorted(which), held.titles.index, held.titles)
    raise GuardError(
        f"{held.where} is empty for {len(which)} of {total} {held.rows}{values}, for example {examples}; nothing was "
        f"written. An option or a text may have been wiped: put it back. {WAY_OUT}"
    )


def _lost(was: Value, left: Value) -> list[str]:
    if isinstance(was, frozenset):
        return sorted(was - (left if isinstance(left, frozenset) else {told(left)}))
    return [told(was)] if was != "" and left == "" else []
