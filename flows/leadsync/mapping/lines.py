"""
A choice as the lines of a table, each of which can be changed by what a person types; and what is wrong with it. Pure.

Every function that takes what was typed raises ValueError that says what there is. Never here: a question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from leadsync.mapping.chosen import Chosen
from leadsync.mapping.dates import zone_named
from leadsync.mapping.names import listed
from leadsync.mapping.properties import property_named
from leadsync.mapping.proposals import Found, closed_lists, misfits, people, propose_lists
from leadsync.mapping.rows import DEFAULT_CARDS, Field
from leadsync.mapping.terms import checked_map
from leadsync.mapping.words import DATES
from leadsync.texts import there_are

NOTHING: Final = "-"
"""What ties a column to nothing."""
TO_CHOOSE: Final = "choose a column"


@dataclass(frozen=True)
class Line:
    """`kind`: own, status, closed, column or timezone; `key`: which of them. `airtable`, `card`: as it is shown."""

    kind: str
    key: str
    airtable: str
    card: str


def lines(chosen: Chosen, found: Found) -> list[Line]:
    """All that can be changed, in the order in which it is shown."""
    made = [
        Line("own", ours, chosen.columns[ours] or f"({TO_CHOOSE})", "list" if card == "list" else card)
        for ours, card in DEFAULT_CARDS.items()
    ]
    there = {name: found.lists[list_id] for list_id, name in found.called.items()}
    for status, to in chosen.list_of.items():
        shown = there.get(to, f"{to} (to be created)")
        made.append(Line("status", status, f"  {status}", f"  list {shown}"))
    made.append(Line("closed", "", "  lists that mean closed", f"  {listed(chosen.closed)}"))
    columns = [*found.columns] or [*chosen.rows]
    for column in (name for name in columns if name not in chosen.columns.values()):
        row = chosen.rows.get(column)
        made.append(Line("column", column, column, NOTHING if row is None else _told(row)))
    if any(column in found.columns and found.columns[column].kind in DATES for column in chosen.rows):
        made.append(Line("timezone", "", "  days are days in", f"  {chosen.timezone}"))
    return made


def _told(row: Field) -> str:
    people = "; ".join(f"{value} = {called}" for value, called in row.map.items())
    return f"{row.card} ({people})" if people else str(row.card)


def with_line(chosen: Chosen, found: Found, kind: str, key: str, said: str) -> Chosen:
    """The choice with one line changed to what was typed. Raises: ValueError."""
    return CHANGES[kind](chosen, found, key, said.strip())


def _with_own(chosen: Chosen, found: Found, ours: str, said: str) -> Chosen:
    if ours not in chosen.columns:
        raise ValueError(f"{ours!r} is no cell that every pair has; those are: {listed(chosen.columns)}.")
    column = _column(found, said)
    changed = chosen.with_column(ours, column)
    if ours == "status" and found.statuses(column) != tuple(chosen.list_of):
        changed = _proposed_again(changed, found)
    return changed


def _proposed_again(chosen: Chosen, found: Found) -> Chosen:
    """Another column holds the statuses: lists for those that are new."""
    list_of = propose_lists(found.statuses(chosen.columns["status"]), [*found.called.values()])
    return replace(chosen, list_of=list_of, closed=closed_lists(list_of))


def _with_status(chosen: Chosen, found: Found, status: str, said: str) -> Chosen:
    if status not in chosen.list_of:
        raise ValueError(f"There is no status {status!r}; {there_are(chosen.list_of, status)}")
    if not said:
        raise ValueError("Say the list's name; one that the board lacks can be created afterwards.")
    return chosen.with_list(status, _list(found, said))


def _with_closed(chosen: Chosen, found: Found, _key: str, said: str) -> Chosen:
    names = [_list(found, name.strip()) for name in said.split(",") if name.strip() not in ("", NOTHING)]
    if unknown := [name for name in names if name not in chosen.list_of.values()]:
        used = listed(dict.fromkeys(chosen.list_of.values()))
        raise ValueError(f"No status leads to {unknown[0]!r}; say some of {used}, parted by commas, or {NOTHING}.")
    return replace(chosen, closed=tuple(dict.fromkeys(names)))


def _with_column(chosen: Chosen, found: Found, key: str, said: str) -> Chosen:
    column = _column(found, key)
    if said in ("", NOTHING):
        return chosen.with_row(column, None)
    card, _, pairs = said.partition("(")
    try:
        row = Field(column, property_named(card))
    except ValueError as exc:
        raise ValueError(f"{card.strip()!r} is nothing of a card; {exc}, or {NOTHING} for nothing.") from None
    if column in chosen.columns.values():
        raise ValueError(f"{column!r} is tied already; choose another column there first.")
    if pairs:
        row = replace(row, map=_pairs(pairs.removesuffix(")")))
    elif row.card.needs_map:
        row = replace(row, map=people(found, column))
        if not row.map:
            raise ValueError(
                f"{row.card} needs to know who is who: {row.card} (value = member; value = member), where the board's "
                f"members are {listed(found.names.ids('members'))}."
            )
    if str(row.card) in DEFAULT_CARDS.values():
        raise ValueError(f"{row.card} has a line of its own in the table; choose its column there.")
    if wrong := misfits(found, (row,)):
        raise ValueError(wrong[0])
    return chosen.with_row(column, row)


def _pairs(said: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in said.split(";") if pair.strip()]
    return checked_map({value: called for value, _, called in pairs})


def _with_timezone(chosen: Chosen, _found: Found, _key: str, said: str) -> Chosen:
    try:
        zone_named(said)
    except ValueError as exc:
        raise ValueError(f"{exc}; say one as Europe/Berlin, or UTC.") from None
    return replace(chosen, timezone=said)


CHANGES: Final[Mapping[str, Callable[[Chosen, Found, str, str], Chosen]]] = {
    "own": _with_own,
    "status": _with_status,
    "closed": _with_closed,
    "column": _with_column,
    "timezone": _with_timezone,
}


def _column(found: Found, said: str) -> str:
    if found.models is None and said:
        return said
    ids = {column.column_id: name for name, column in found.columns.items()}
    alike = [name for name in found.columns if name.strip().casefold() == said.casefold()]
    exact = ids.get(said) or (said if said in found.columns else "")
    if exact or len(alike) == 1:
        return exact or alike[0]
    raise ValueError(f"There is no column {said!r}; {there_are(found.columns, said)}")


def _list(found: Found, said: str) -> str:
    """As the map calls it: one of the board by name or id, in any case; else one that is to be created."""
    called = found.called
    alike = [name for name in called.values() if name.casefold() == said.casefold()]
    return called.get(said) or (said if said in called.values() else alike[0] if len(alike) == 1 else said)


def problems(chosen: Chosen, found: Found) -> Iterator[str]:
    """What keeps a choice from being used, a sentence each."""
    missing = [ours for ours, column in chosen.columns.items() if not column]
    yield from (f"No column is plainly the one for {ours}: {TO_CHOOSE}." for ours in missing)
    own = (Field(chosen.columns[ours], property_named(card)) for ours, card in DEFAULT_CARDS.items())
    rows = [replace(row, map=chosen.list_of) if row.card.name == "list" else row for row in own if row.airtable]
    yield from misfits(found, (*rows, *chosen.rows.values()), [*chosen.list_of.values()])
