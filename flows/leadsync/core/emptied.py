"""
Cells that a read shows to be empty although they held something: many at once stop the run, for the other side may be
the last place that knows. Pure. Never here: what becomes of a single one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from leadsync.core.guards import SHARE_GUARD_FROM, named_in, way_out
from leadsync.errors import GuardError
from leadsync.frames.agreed import Columns, sides_of
from leadsync.frames.schema import Column, cell_in, column, places
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
    """One cell of all `rows`, which are leads or cards: what was known of it, and what it holds now, row by row."""

    where: str
    rows: str
    ids: Column
    known: Column
    now: Column
    titles: Column
    name_of: Callable[[str], str] = str

    @cached_property
    def lost(self) -> list[tuple[str, str]]:
        """Of each row what it held and holds no more: its value if it is empty now, or elements of a set."""
        differs = np.flatnonzero(self.known != self.now)
        rows = zip(self.ids[differs], self.known[differs], self.now[differs], strict=True)
        return [(row, value) for row, was, left in rows for value in _lost(was, left)]


def _all_held(
    base: pd.DataFrame, meant: Mapping[str, Columns], airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules
) -> Iterator[_Held]:
    rows, at = _there(airtable, base.index, "present")
    ids, titles = base.index.to_numpy()[rows], column(base, "title")[rows]
    for field in ("status", "name"):
        now = column(airtable, field)[at]
        known = _as_meant(field, ids, column(base, field)[rows], now, meant)
        yield _Held(_called(field, rules), "leads", ids, known, now, titles)
    were, are = column(base, "lead_cells")[rows], column(airtable, "cells")[at]
    for cell in rules.cells:
        known, now = _cell(were, cell.name), _cell(are, cell.name)
        known = _as_meant(sides_of(cell.name)[0], ids, known, now, meant)
        yield _Held(_called(cell.field, rules), "leads", ids, known, now, titles)
    rows, at = _there(trello, column(base, "card_id"), "open")
    first = np.unique(at, return_index=True)[1]  # of two rows with one card
    rows, at = rows[first], at[first]
    ids, titles = column(base, "card_id")[rows], column(base, "title")[rows]
    yield _Held("The title on Trello", "cards", ids, titles, column(trello, "title")[at], titles)
    were, are = column(base, "card_cells")[rows], column(trello, "cells")[at]
    for cell in rules.cells:
        known, now = _cell(were, cell.name), _cell(are, cell.name)
        where = f"The {f'{cell.card.label.lower()} line' if cell.is_line else cell.field} on Trello"
        yield _Held(where, "cards", ids, known, now, titles, cell.element_told)


def _there(frame: pd.DataFrame, ids: Any, presence: str) -> tuple[Column, Column]:
    """Which of these ids the frame has, and so, and where."""
    at = places(frame, ids)
    rows = np.flatnonzero(np.append(column(frame, "presence") == presence, False)[at])
    return rows, at[rows]


def _called(field: str, rules: Rules) -> str:
    return f"Column {rules.columns.get(field, field)!r} in Airtable"


def _cell(cells: Column, name: str) -> Column:
    """The values of one cell, "" where there is nothing."""
    return np.fromiter((cell_in(held, name) or "" for held in cells), dtype=object, count=len(cells))


def _as_meant(of: str, ids: Column, known: Column, now: Column, meant: Mapping[str, Columns]) -> Column:
    """What a lead that is empty now held, if a write took effect that was not recorded."""
    held = known.copy()
    for at in np.flatnonzero(now == "") if meant else ():
        held[at] = meant.get(ids[at], {}).get(of) or known[at]
    return held


def _refuse(held: _Held, rules: Rules) -> None:
    known = held.known != ""
    emptied = held.ids[known & (held.now == "")]
    before = Counter(value for was in held.known[known] for value in _lost(was, ""))
    gone = Counter(value for _, value in held.lost)
    wiped = sorted(value for value, count in gone.items() if count == before[value] and count >= ONE_VALUE_FROM)
    many = len(emptied) >= SHARE_GUARD_FROM and len(emptied) * 100 > rules.max_archive_percent * known.sum()
    if not many and not wiped:
        return
    which = {*emptied} if many else {row for row, value in held.lost if value in wiped}
    total = int(known.sum()) if many else len(which)
    values = "" if many else f" that held {', '.join(repr(held.name_of(value)[:80]) for value in wiped)}"
    examples = named_in(sorted(which), held.ids, held.titles)
    raise GuardError(
        f"{held.where} is empty for {len(which)} of {total} {held.rows}{values}, for example {examples}; nothing was "
        f"written. An option or a text may have been wiped: put it back. {way_out(rules)}"
    )


def _lost(was: Value, left: Value) -> list[str]:
    if isinstance(was, frozenset):
        return sorted(was - (left if isinstance(left, frozenset) else {told(left)}))
    return [told(was)] if was != "" and left == "" else []
