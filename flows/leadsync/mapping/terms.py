"""Values that are called otherwise on the other side, and the law that makes going there and back safe. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadsync.model import TODO, StatusMap


@dataclass(frozen=True)
class Terms:
    """
    The values of one side, and the terms in which both sides are compared.

    `of`: value -> term; several values may share one. `back`: term -> the value that stands for it where none does yet.
    Raises: ValueError naming the value that breaks the law of[back[term]] == term, or of whose term nothing comes back.
    """

    of: Mapping[str, str]
    back: Mapping[str, str]

    def __post_init__(self) -> None:
        for value, term in self.of.items():
            if term not in self.back:
                raise ValueError(f"{value!r} is called {term!r}, which gives nothing back")
        for term, value in self.back.items():
            if self.of.get(value) != term:
                raise ValueError(f"{term!r} gives {value!r} back, which is called {self.of.get(value)!r}")

    @classmethod
    def first(cls, of: Mapping[str, str]) -> Terms:
        """The terms of which the first value named for each is the one it gives back."""
        back: dict[str, str] = {}
        for value, term in of.items():
            back.setdefault(term, value)
        return cls(of, back)

    def with_nothing(self) -> Terms:
        """The same, and an empty value means that there is none on the other side either."""
        return Terms({**self.of, "": ""}, {**self.back, "": ""})

    def counting_nothing_as(self, term: str) -> Terms:
        """The same, and an empty value counts as `term`, without standing for it: it stays empty until one is given."""
        return Terms({**self.of, "": term}, self.back)


def status_terms(status_map: StatusMap) -> Terms:
    """The status map as terms, the lists' names or stages: an empty status counts as the first and stays empty."""
    first = status_map.stage_of[status_map.empty_means]
    return Terms(status_map.stage_of, status_map.status_for).counting_nothing_as(first)


def list_terms(list_of: Mapping[str, str]) -> Terms:
    """
    As status_terms, for any number of lists. `list_of`: status -> list.

    The first status of a list is the one it gives back; an empty one counts as TODO, without that as the first list.
    """
    lists = list(list_of.values())
    return Terms.first(list_of).counting_nothing_as(TODO if TODO in lists else lists[0])


def as_map(status_map: StatusMap) -> dict[str, str]:
    """A status map as the `map` of a row: its order says which status a list gives back, and which list is first."""
    return {status: stage for stage, status in status_map.status_for.items()} | status_map.stage_of


def checked_map(given: object) -> dict[str, str]:
    """
    The user's `map`, column value -> card value, without blanks around them.

    Raises: ValueError naming the value that is empty, no text, or the same as another but for blanks.
    """
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"{given!r} names no values")
    bare: dict[str, str] = {}
    named: dict[str, str] = {}
    for value, called in given.items():
        if not isinstance(called, str):
            raise ValueError(f"{value!r} is called {called!r}, which is no text")
        if not value.strip() or not called.strip():
            raise ValueError(f"{value!r} = {called!r} names an empty value, and an empty cell is empty on both sides")
        if named.setdefault(value.strip(), value) != value:
            raise ValueError(f"{named[value.strip()]!r} and {value!r} are the same but for blanks")
        bare[value.strip()] = called.strip()
    return bare
