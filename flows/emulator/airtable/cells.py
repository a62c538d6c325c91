"""Tables, fields and records, and what each field type accepts (Airtable reference, sections 1.3 and 2.8)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator.airtable.refusals import (
    computed_field,
    locked_field,
    missing_row,
    unknown_choice,
    unparsable_value,
    wrong_value,
)
from emulator.clock import iso_milliseconds, parse_iso
from emulator.ids import IdSource
from emulator.knobs import Knobs

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
TEXTS = frozenset({"singleLineText", "multilineText", "richText", "email", "url", "phoneNumber"})
NUMBERS = frozenset({"number", "currency", "percent", "rating", "duration"})
MERGEABLE = TEXTS - {"email", "url", "phoneNumber"} | NUMBERS | {"singleSelect", "multipleSelects", "date"}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


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

    def table(self, key: str) -> Table | None:
        """A table by name or id."""
        return next((each for each in self.tables if key in (each.name, each.id)), None)


def is_empty(value: Any) -> bool:
    """Values that Airtable never sends: null, empty text, empty list, false."""
    return value is None or value is False or value == "" or value == []


@dataclass(frozen=True)
class CellRules:
    """Turns what a client sent into what a cell stores, or refuses it."""

    ids: IdSource
    knobs: Knobs
    typecast: bool = False
    may_add_choices: bool = True
    """Whether the writer may change the field, which typecast needs to add a choice."""
    by_hand: bool = True
    """A person in the web client writes, not the user of a token."""

    def stored(self, column: Field, value: Any, has_record: Callable[[str], bool]) -> Any:
        """The value to store, None for empty; raises Refused with the texts of section 2.8."""
        if column.is_locked and not self.by_hand:
            raise locked_field(column.name, self.knobs.airtable_locked_field_message)
        if column.is_computed:
            raise computed_field(column.name)
        if value is None:
            return None
        if column.type in TEXTS:
            return self._text(column, value)
        if column.type in NUMBERS:
            return self._number(column, value)
        if column.type == "singleSelect":
            return self._choice(column, value)
        if column.type == "multipleSelects":
            return [self._choice(column, each) for each in self._list(column, value)]
        if column.type == "checkbox":
            return self._checkbox(column, value)
        if column.type in ("dateTime", "date"):
            return self._date(column, value)
        if column.type == "multipleRecordLinks":
            return self._links(column, value, has_record)
        if column.type == "singleCollaborator":
            return self._collaborator(column, value)
        if column.type == "multipleCollaborators":
            return [self._collaborator(column, each) for each in self._list(column, value)]
        if column.type == "multipleAttachments":
            return [self._attachment(column, each) for each in self._list(column, value)]
        return value

    def _text(self, column: Field, value: Any) -> Any:
        if not isinstance(value, str):
            if not self.typecast or isinstance(value, dict | list):
                raise wrong_value(column.name)
            value = str(value)
        if len(value) > self.knobs.airtable_text_limit:
            raise wrong_value(column.name)
        must_match = column.type == "email" and self.knobs.airtable_rejects_malformed_email and value
        if must_match and EMAIL.fullmatch(value) is None:
            raise unparsable_value(column.name, value)
        return value

    def _number(self, column: Field, value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        if not isinstance(value, str) or not self.typecast:
            raise wrong_value(column.name)
        try:
            return float(value)
        except ValueError:
            raise unparsable_value(column.name, value) from None

    def _choice(self, column: Field, value: Any) -> Any:
        if not isinstance(value, str):
            raise wrong_value(column.name)
        wanted = value.strip() if self.knobs.airtable_choice_trims or self.typecast else value
        for choice in column.choices:
            if choice["name"] == wanted or (self.knobs.airtable_choice_ids_writable and choice["id"] == wanted):
                return choice["name"]
        if not self.typecast or not self.may_add_choices:
            raise unknown_choice(value)
        add_choice(column, wanted, self.ids)
        return wanted

    def _list(self, column: Field, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise wrong_value(column.name)
        return value

    def _checkbox(self, column: Field, value: Any) -> bool:
        if not isinstance(value, bool):
            raise wrong_value(column.name)
        return value

    def _date(self, column: Field, value: Any) -> Any:
        if not isinstance(value, str):
            raise wrong_value(column.name)
        if not value:
            return None
        at = parse_iso(value)
        if at is None:
            raise unparsable_value(column.name, value)
        return iso_milliseconds(at)[:10] if column.type == "date" else iso_milliseconds(at)

    def _links(self, column: Field, value: Any, has_record: Callable[[str], bool]) -> list[str]:
        links = self._list(column, value)
        for record_id in links:
            if not isinstance(record_id, str):
                raise wrong_value(column.name)
            if not has_record(record_id):
                raise missing_row(record_id)
        return links

    def _collaborator(self, column: Field, value: Any) -> dict[str, Any]:
        """Given by id or by e-mail; here everybody has access to the base, and is called as given."""
        if not isinstance(value, dict) or not isinstance(value.get("id", value.get("email")), str):
            raise wrong_value(column.name)
        known = {key: value[key] for key in ("email", "name") if key in value}
        return {"id": value.get("id") or self.ids.airtable("usr")} | known

    def _attachment(self, column: Field, value: Any) -> dict[str, Any]:
        """Given by an address to fetch it from; here nothing is fetched."""
        if not isinstance(value, dict) or not isinstance(value.get("url"), str):
            raise wrong_value(column.name)
        filename = value.get("filename") or value["url"].rpartition("/")[2]
        return {"id": self.ids.airtable("att"), "url": "", "filename": filename, "size": 1024, "type": "text/plain"}


def signed(attachments: list[dict[str, Any]], now: float) -> list[dict[str, Any]]:
    """Attachments with the addresses under which they can be had for some two hours."""
    place, until = "https://v5.airtableusercontent.com/v3/u", int(now // 7200 + 1) * 7200
    return [each | {"url": f"{place}/{until}/signature{until:x}/{each['id']}"} for each in attachments]


def new_choice(ids: IdSource, name: str, place: int) -> dict[str, Any]:
    """A select option; colours go round by place."""
    colours = ("blueLight2", "cyanLight2", "tealLight2", "greenLight2", "yellowLight2", "redLight2")
    return {"id": ids.airtable("sel"), "name": name, "color": colours[place % len(colours)]}


def add_choice(column: Field, name: str, ids: IdSource) -> None:
    """Add a select option with the next colour."""
    choices = column.choices
    choices.append(new_choice(ids, name, len(choices)))
    column.options = (column.options or {}) | {"choices": choices}
