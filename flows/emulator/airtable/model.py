"""
Bases, tables, columns, rows and views, as they are held.

What a cell shows and accepts is in `cells`; nothing here refuses anything.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator.ids import IdSource

COMPUTED = frozenset(
    {
        "createdTime",
        "lastModifiedTime",
        "createdBy",
        "lastModifiedBy",
        "formula",
        "rollup",
        "count",
        "autoNumber",
        "multipleLookupValues",
        "button",
        "aiText",
        "externalSyncSource",
    }
)


@dataclass
class Field:
    """One column."""

    id: str
    name: str
    type: str
    options: dict[str, Any] | None = None
    description: str | None = None
    is_locked: bool = False
    """Edited by some people only, none of whom owns a token."""

    @property
    def is_computed(self) -> bool:
        """Whether clients may only read it."""
        return self.type in COMPUTED

    @property
    def choices(self) -> list[dict[str, Any]]:
        """Select options, `{"id","name","color"}` each."""
        return list((self.options or {}).get("choices", []))

    def schema(self) -> dict[str, Any]:
        """The field model, keys in the order recorded in 2026."""
        model: dict[str, Any] = {"type": self.type}
        if self.options is not None:
            model["options"] = self.options
        model |= {"id": self.id, "name": self.name}
        return model | ({"description": self.description} if self.description else {})


@dataclass
class Record:
    """One row; `cells` by field id, empty cells left out."""

    id: str
    created: float
    cells: dict[str, Any] = field(default_factory=dict)
    modified: dict[str, float] = field(default_factory=dict)
    """Last change per field id [s]."""
    by_hand: bool = False
    """Added in the web client, not through the API."""


@dataclass
class View:
    """A grid view, as far as filtering goes."""

    id: str
    name: str
    shows: Callable[[dict[str, Any]], bool]
    """Given the cells by field name."""


@dataclass
class Table:
    """One table with its rows, and the rows in the trash."""

    id: str
    name: str
    fields: list[Field]
    primary_id: str
    views: list[View] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    deleted: dict[str, Record] = field(default_factory=dict)
    description: str | None = None

    def field(self, key: str) -> Field | None:
        """A field by name or id."""
        return next((each for each in self.fields if key in (each.name, each.id)), None)

    def all_ids(self) -> set[str]:
        """Ids of the table, its fields and its views."""
        return {self.id} | {each.id for each in self.fields} | {each.id for each in self.views}

    def field_ids(self) -> dict[str, str]:
        """Names and ids to ids."""
        return {each.id: each.id for each in self.fields} | {each.name: each.id for each in self.fields}


@dataclass
class Base:
    """One base."""

    id: str
    name: str
    tables: list[Table] = field(default_factory=list)
    collaborators: list[dict[str, Any]] = field(default_factory=list)
    """People who have access, `{"id","email"?,"name"?}` each."""

    def table(self, key: str) -> Table | None:
        """A table by name or id."""
        return next((each for each in self.tables if key in (each.name, each.id)), None)

    def has_record(self, record_id: str, table_id: str | None = None) -> bool:
        """Whether a table, or any table, holds the record."""
        return any(record_id in each.records for each in self.tables if table_id in (None, each.id))

    def name_of(self, record_id: str) -> str:
        """What the primary cell of a record shows, "" if there is no such record."""
        for table in self.tables:
            if record_id in table.records:
                return str(table.records[record_id].cells.get(table.primary_id, ""))
        return ""

    def meet(self, person: dict[str, Any]) -> None:
        """Give a person access; who is known already stays as known."""
        if person["id"] not in [each["id"] for each in self.collaborators]:
            self.collaborators.append(person)


def is_empty(value: Any) -> bool:
    """Values that Airtable never sends: null, empty text, empty list, false."""
    return value is None or value is False or value == "" or value == []


def new_choice(ids: IdSource, name: str, place: int) -> dict[str, Any]:
    """A select option; colours go round by place."""
    colours = ("blueLight2", "cyanLight2", "tealLight2", "greenLight2", "yellowLight2", "redLight2")
    return {"id": ids.airtable("sel"), "name": name, "color": colours[place % len(colours)]}


def add_choice(column: Field, name: str, ids: IdSource) -> None:
    """Add a select option with the next colour."""
    choices = column.choices
    choices.append(new_choice(ids, name, len(choices)))
    column.options = (column.options or {}) | {"choices": choices}
