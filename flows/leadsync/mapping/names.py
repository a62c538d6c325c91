"""
What is called alike on both sides, or otherwise by the map: the terms of choices and sets, by the board's ids. Pure.

A label is known by its id, so that renaming it changes nothing. Never here: a value, a lens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from leadsync.mapping.columns import Column
from leadsync.mapping.rows import Field
from leadsync.mapping.terms import Terms, list_terms
from leadsync.texts import there_are

One = TypeVar("One")
Two = TypeVar("Two")


@dataclass(frozen=True)
class CustomField:
    """A custom field of the board. `kind`: text, number, date, checkbox or list; `options`: of a list, id -> text."""

    field_id: str
    kind: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BoardNames:
    """
    What things on the board are called. `lists`: as the map names each -> id. `custom_fields`: by name.

    `labels`: id -> name; of one that was renamed since it was tied to an option, the name it was tied under, so that
    nothing is removed. `members`: id -> all that they are called.
    """

    lists: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    custom_fields: Mapping[str, CustomField] = field(default_factory=dict)

    def ids(self, card: str, label: str = "") -> dict[str, list[str]]:
        """What can be chosen for labels, members, or a custom field: name -> ids, for several may share one."""
        several: dict[str, Iterable[str]] = {each: (name,) for each, name in self.labels.items()}
        if card == "members":
            several = dict(self.members)
        elif card == "custom":
            several = {each: (name,) for each, name in self.custom_fields[label].options.items()}
        found: dict[str, list[str]] = {}
        for each in sorted(several):
            for name in filter(None, map(str.strip, several[each])):  # a label may have no name
                found.setdefault(name, []).append(each)
        return found


class Weight(StrEnum):
    """How much a misfit matters: the row is not tied; it is, but for cells that hold the value; or it may be meant."""

    ROW = "row"
    VALUE = "value"
    WARNING = "warning"


class Misfit(ValueError):
    """What does not fit in a row: what is found, and what to do."""

    def __init__(self, detail: str, remedy: str, weight: Weight = Weight.ROW) -> None:
        super().__init__(detail, remedy)
        self.detail, self.remedy, self.weight = detail, remedy, weight


def raise_all(wrong: Sequence[Misfit]) -> None:
    """Raises: a group of these, if there are any; each once."""
    if wrong:
        raise ExceptionGroup("misfits", list({misfit.args: misfit for misfit in wrong}.values()))


def each_of(wrong: ExceptionGroup[Misfit]) -> list[Misfit]:
    """The misfits of a group."""
    return [misfit for misfit in wrong.exceptions if isinstance(misfit, Misfit)]


def together(one: Callable[[], One], two: Callable[[], Two]) -> tuple[One, Two]:
    """What both give. Raises: the misfits of either, as a group."""
    wrong: list[Misfit] = []
    try:
        first = one()
    except* Misfit as group:
        wrong += each_of(group)
    try:
        second = two()
    except* Misfit as group:
        wrong += each_of(group)
    raise_all(wrong)
    return first, second


@dataclass(frozen=True)
class Ends:
    """The terms of both ends, alike; `lacking`: option -> what the board has not, so that it is no term."""

    airtable: Terms
    trello: Terms
    lacking: Mapping[str, str] = field(default_factory=dict)


def unknown_lists(board: BoardNames, row: Field) -> Iterator[Misfit]:
    """What the row's map calls lists of the board, and nothing there, or not just one thing, is called."""
    named = [*dict.fromkeys(row.map.values())]
    if missing := [name for name in named if name not in board.lists]:
        remedy = f"Create it, or correct map; {there_are(board.lists, *missing)}"
        yield Misfit(f"the board has no list {listed(missing)}", remedy)
    ids = [board.lists[name] for name in named if name in board.lists]
    if len(set(ids)) < len(ids):
        yield Misfit(f"of {listed(named)} two are the same list", "Call a list by one name in map.")


def unknown_members(board: BoardNames, row: Field) -> Iterator[Misfit]:
    """Whom the map names, and the board has not, or not just one: somebody has left it, or the name is misspelled."""
    found = board.ids(row.card.name)
    if unclear := [name for name in dict.fromkeys(row.map.values()) if len(found.get(name, ())) != 1]:
        remedy = f"Correct map; {there_are(found, *unclear)}"
        yield Misfit(f"the board has not one member {listed(unclear)}", remedy, Weight.VALUE)


def list_ends(row: Field, board: BoardNames) -> Ends:
    """Statuses, be they options of the column or not, and lists that are all there."""
    terms = list_terms(row.map)
    ids = {name: board.lists[name] for name in terms.back}
    return Ends(terms, Terms({list_id: name for name, list_id in ids.items()}, ids))


def named_ends(row: Field, column: Column, board: BoardNames) -> Ends:
    """
    Options and labels, members, or options of a custom field; members by the map only. The terms are the board's ids.
    """
    ids = board.ids(row.card.name, row.card.label)
    by_map, ours = row.card.needs_map, [option.strip() for option in column.options or ()]
    if column.options is None:
        ours = [*row.map, *(name for name in ids if name not in row.map.values())]
    called = {option: row.map.get(option, option) for option in ours if option in row.map or not by_map}
    tied = {option: ids[name] for option, name in called.items() if name in ids and not (by_map and len(ids[name]) > 1)}
    lacking = {option: name for option, name in called.items() if option not in tied}
    airtable = Terms.first({option: several[0] for option, several in tied.items()})
    of = {each: several[0] for several in tied.values() for each in several}
    return Ends(airtable, Terms(of, {term: term for term in airtable.back}), lacking)


def unknown_options(column: Column, row: Field) -> Iterator[Misfit]:
    """What would be written or is mapped, and the column has not: somebody has deleted it, or it is misspelled."""
    named = list_terms(row.map).back.values() if row.card.name == "list" else row.map
    options = [option.strip() for option in column.options or ()]
    if missing := [] if column.options is None else [option for option in named if option not in options]:
        remedy = (
            f"In Airtable, edit {column.where} and add {listed(missing)}, spelled just so, or correct the map; "
            f"{there_are(options, *missing)}"
        )
        yield Misfit(f"column {column.name!r} has no option {listed(missing)}", remedy, Weight.VALUE)


def listed(names: Iterable[str]) -> str:
    """Some names in a sentence."""
    return ", ".join(names) or "none"
