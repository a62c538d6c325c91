"""
What a column of the table can hold: how its cells are read and written, by the field type that Airtable states. Pure.

Reading gives canonical values, of a text column from what frames.shown made of the cell. Writing gives JSON, null to
clear. Never here: what a cell means on a card.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from leadsync.mapping.dates import day, moment
from leadsync.mapping.lenses import CellError, Value
from leadsync.texts import storable, text


class ColumnKind(StrEnum):
    """How a column's cells are read and written; the words that `as` takes."""

    TEXT = "text"
    NUMBER = "number"
    CHECKBOX = "checkbox"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    SET = "set"
    PERSON = "person"
    PEOPLE = "people"


WRITABLE: Final[Mapping[str, ColumnKind]] = {
    **dict.fromkeys(("singleLineText", "multilineText", "richText", "email", "url", "phoneNumber"), ColumnKind.TEXT),
    **dict.fromkeys(("number", "currency", "percent", "duration", "rating"), ColumnKind.NUMBER),
    "checkbox": ColumnKind.CHECKBOX,
    "date": ColumnKind.DATE,
    "dateTime": ColumnKind.DATETIME,
    "singleSelect": ColumnKind.CHOICE,
    "multipleSelects": ColumnKind.SET,
    "singleCollaborator": ColumnKind.PERSON,
    "multipleCollaborators": ColumnKind.PEOPLE,
}
COMPUTED: Final[Mapping[str, ColumnKind]] = {
    **dict.fromkeys(("count", "autoNumber"), ColumnKind.NUMBER),
    **dict.fromkeys(("createdTime", "lastModifiedTime"), ColumnKind.DATETIME),
    **dict.fromkeys(("createdBy", "lastModifiedBy"), ColumnKind.PERSON),
    "externalSyncSource": ColumnKind.CHOICE,
}
"""Field type -> kind; a type in neither is read as text, and never written. What has a result is of that one's type."""
KINDS: Final = {**WRITABLE, **COMPUTED}


@dataclass(frozen=True)
class Column:
    """
    A column as the table has it, or as a row of the mapping says.

    `is_computed`: nothing can be written into it. `options`: of a select, spelled exactly; None if they are not known.
    `type`: as Airtable calls what it holds, `table`: the table's name; "" if they are not known.
    """

    name: str
    kind: ColumnKind
    column_id: str = ""
    is_computed: bool = False
    options: tuple[str, ...] | None = None
    type: str = field(default="", compare=False)
    table: str = field(default="", compare=False)

    @property
    def where(self) -> str:
        """Where a person finds it."""
        return f"column {self.name!r}" + (f" of table {self.table!r}" if self.table else "")

    @classmethod
    def of(cls, model: Mapping[str, Any], kind: ColumnKind | None = None) -> Column:
        """A column of the schema, that is its id, name, type and options. `kind`: as what a row wants it read."""
        options = model.get("options") or {}
        result = options.get("result") or model
        choices = (result.get("options") or {}).get("choices")
        return cls(
            name=model["name"],
            kind=kind or KINDS.get(str(result.get("type")), ColumnKind.TEXT),
            column_id=model["id"],
            is_computed=model.get("type") not in WRITABLE,
            options=None if choices is None else tuple(choice["name"] for choice in choices),
            type=str(model.get("type") or ""),
            table=str(model.get("table") or ""),
        )

    def read(self, cell: Any, people: Collection[str] = ()) -> Value:
        """
        A cell's JSON in canonical form. `people`: the ids or e-mail addresses by which the map knows them.

        Raises: CellError.
        """
        try:
            return READ[self.kind](cell, people)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            holds = f"an object ({', '.join(map(str, cell))})" if isinstance(cell, dict) else repr(cell)
            raise CellError(holds[:80], f"Correct it, or have {self.name!r} read as something else.") from None

    def read_nothing(self) -> Value:
        """The canonical value of an empty cell."""
        return READ[self.kind](None, ())

    def write(self, value: Value) -> Any:
        """The JSON of a canonical value; null clears, and an option is spelled as it is in the column."""
        exact = {option.strip(): option for option in self.options or ()}
        if isinstance(value, frozenset):
            return [exact.get(each, each) for each in sorted(value)] or None
        if isinstance(value, bool) or not value:
            return value or None
        if self.kind is ColumnKind.NUMBER:
            return int(value) if value.removeprefix("-").isdigit() else float(value)
        if self.kind is ColumnKind.PERSON:
            return {"email" if "@" in value else "id": value}
        return exact.get(value, value) if self.kind is ColumnKind.CHOICE else value


def number(stated: float | str) -> str:
    """The shortest text of a number, as a double has it: alike if and only if the numbers are. Raises: ValueError."""
    found = float(stated)
    if isinstance(stated, bool) or not math.isfinite(found):
        raise ValueError(f"{stated!r} is no number")
    return f"{Decimal(repr(found)).normalize():f}" if found else "0"


def _text(cell: Any) -> str:
    return storable(cell) if isinstance(cell, str) else text(cell)


def _tick(cell: Any) -> bool:
    if not isinstance(cell, bool | None):
        raise TypeError("no tick")
    return bool(cell)


def _option(cell: Any) -> str:
    """By its name; webhooks state it as an object. Blanks around it mean nothing."""
    return _text(cell["name"] if isinstance(cell, dict) else cell).strip()


def _each(cell: Any) -> Sequence[Any]:
    if not isinstance(cell, list | None):
        raise TypeError("no list")
    return cell or ()


def _person(cell: Any, people: Collection[str]) -> str:
    """By what the map names it, else by its id."""
    return str(next((cell[key] for key in ("email", "id") if cell.get(key) in people), cell["id"]))


READ: Final[Mapping[ColumnKind, Callable[[Any, Collection[str]], Value]]] = {
    ColumnKind.TEXT: lambda cell, _: _text(cell),
    ColumnKind.NUMBER: lambda cell, _: "" if cell is None else number(cell),
    ColumnKind.CHECKBOX: lambda cell, _: _tick(cell),
    ColumnKind.DATE: lambda cell, _: day(cell) if cell else "",
    ColumnKind.DATETIME: lambda cell, _: moment(cell) if cell else "",
    ColumnKind.CHOICE: lambda cell, _: _option(cell),
    ColumnKind.SET: lambda cell, _: frozenset(filter(None, map(_option, _each(cell)))),
    ColumnKind.PERSON: lambda cell, people: _person(cell, people) if cell else "",
    ColumnKind.PEOPLE: lambda cell, people: frozenset(_person(each, people) for each in _each(cell)),
}
