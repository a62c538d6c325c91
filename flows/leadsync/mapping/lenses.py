"""
How the value of one side and the term in which both are compared correspond: the lenses, and the merging of sets. Pure.

A cell has two of them, one for each end, onto the same terms. Those of dates are in dates.py. Never here: JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from leadsync.mapping.terms import Terms
from leadsync.texts import fit, text

Value = str | bool | frozenset[str]
"""A cell in canonical form; "" and the empty set stand for nothing. A number is its shortest text, a time is in UTC."""


class LensKind(StrEnum):
    """What a cell is to whoever compares it."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    CHECKBOX = "checkbox"
    CHOICE = "choice"
    SET = "set"


NAMED: Final = (LensKind.CHOICE, LensKind.SET)
"""Kinds of cells whose values have names that somebody may add, change, or delete."""


class CellError(ValueError):
    """A value that cannot be read as what its cell should hold. `holds`: shortly what it is; `remedy`: what to do."""

    def __init__(self, holds: str, remedy: str) -> None:
        super().__init__(holds, remedy)
        self.holds, self.remedy = holds, remedy


@dataclass(frozen=True)
class Lens:
    """
    One end of a cell. Laws: put(get(side), side) == side and get(put(term, side)) == term.

    `get`: what a value means in the terms of comparison; None if nothing can be decided of it. `make`: a value that
    means another term and keeps what the term does not say of `side`, its complement.
    """

    get: Callable[[Any], Any]
    make: Callable[[Any, Any], Any]

    def put(self, term: Any, side: Any) -> Any:
        """The value as it is if it means `term` already, else one that does."""
        return side if self.get(side) == term else self.make(term, side)


SAME: Final = Lens(lambda side: side, lambda term, _: term)
"""A value that is its own term: numbers, ticks, moments."""
ONE_LINE: Final = Lens(lambda side: fit(text(side)), lambda term, _: term)
"""A text as one line, cut to what a card can hold; its line ends and outer blanks stay while it reads alike."""


def choice(terms: Terms) -> Lens:
    """One of several values; of a value without a term, as an unknown option, nothing is decided."""
    return Lens(terms.of.get, lambda term, _: terms.back[term])


def elements(terms: Terms) -> Lens:
    """A set, element by element; one without a term is nobody else's business, and stays."""
    of, back = terms.of, terms.back

    def get(side: frozenset[str]) -> frozenset[str]:
        return frozenset(of[each] for each in side if each in of)

    def make(term: frozenset[str], side: frozenset[str]) -> frozenset[str]:
        kept = frozenset(each for each in side if each not in of or of[each] in term)
        return kept | {back[each] for each in term - get(side)}

    return Lens(get, make)


def among(terms: Terms) -> Lens:
    """A set that shows one choice, the first of the terms that are in it, "" if none is; others than these stay."""

    def get(side: frozenset[str]) -> str:
        shown = {terms.of.get(each) for each in side}
        return next((term for term in terms.back if term in shown), "")

    def make(term: str, side: frozenset[str]) -> frozenset[str]:
        others = frozenset(each for each in side if each not in terms.of)
        return others | {terms.back[term]} if term else others

    return Lens(get, make)


def merge(base: Set[str] | None, airtable: Set[str], trello: Set[str]) -> frozenset[str]:
    """
    Both sides' edits of a set, element by element, in its terms: what either added is in, what either removed is out.

    `base`: None where nothing was agreed yet; then all that either side has.
    """
    if base is None:
        return frozenset(airtable | trello)
    return frozenset((base & airtable & trello) | (airtable - base) | (trello - base))
