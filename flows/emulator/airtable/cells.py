"""
What a cell shows, and what each type of column accepts.

Nothing here stores: `record_changes` does.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.airtable.model import Field, Record, Table, add_choice
from emulator.airtable.refusals import (
    computed_field,
    locked_field,
    missing_row,
    unknown_choice,
    unparsable_value,
    wrong_value,
)
from emulator.clock import iso_milliseconds, iso_whole_seconds, parse_iso
from emulator.ids import IdSource
from emulator.knobs import Knobs

TEXTS = frozenset({"singleLineText", "multilineText", "richText", "email", "url", "phoneNumber"})
NUMBERS = frozenset({"number", "currency", "percent", "rating", "duration"})
MERGEABLE = TEXTS - {"email", "url", "phoneNumber"} | NUMBERS | {"singleSelect", "multipleSelects", "date"}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


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
        """The value to store, None for empty; raises Refused in Airtable's words."""
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


def modified_at(table: Table, record: Record, field_ids: Sequence[str] | None, knobs: Knobs) -> float | None:
    """Last change of the given fields (None: all editable ones), or None when that is blank [s]."""
    watched = field_ids or [each.id for each in table.fields if not each.is_computed]
    times = [record.modified[field_id] for field_id in watched if field_id in record.modified]
    if times:
        return max(times)
    return None if knobs.airtable_modified_blank_until_edit else record.created


def cell_value(table: Table, record: Record, column: Field, knobs: Knobs) -> Any:
    """A cell as JSON, None when empty; times are whole seconds."""
    if column.type == "createdTime":
        return iso_whole_seconds(record.created)
    if column.type == "lastModifiedTime":
        at = modified_at(table, record, (column.options or {}).get("referencedFieldIds"), knobs)
        return None if at is None else iso_whole_seconds(at)
    return record.cells.get(column.id)
