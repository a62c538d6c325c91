"""
What each type of column accepts, and the refusal when it does not.

Nothing here stores: `record_changes` does. What a cell shows is in `cells`.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

from emulator.airtable.cell_dates import stored_date, stored_moment
from emulator.airtable.model import Base, Field, add_choice
from emulator.airtable.refusals import (
    computed_field,
    locked_field,
    missing_row,
    unknown_choice,
    unparsable_value,
    wrong_value,
)
from emulator.ids import IdSource
from emulator.knobs import Knobs
from emulator.wire.messages import unsupported

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

    def stored(self, column: Field, value: Any, base: Base) -> Any:
        """The value to store, None for empty; raises Refused in the service's words."""
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
            return list(dict.fromkeys(self._choice(column, each) for each in self._list(column, value)))
        if column.type == "checkbox":
            return self._checkbox(column, value)
        if column.type == "date":
            takes_times = self.by_hand or self.typecast or self.knobs.airtable_date_takes_times
            return stored_date(column, value, takes_times)
        if column.type == "dateTime":
            return stored_moment(column, value)
        if column.type == "multipleRecordLinks":
            return self._links(column, value, base)
        if column.type == "singleCollaborator":
            return self._collaborator(column, value, base)
        if column.type == "multipleCollaborators":
            return [self._collaborator(column, each, base) for each in self._list(column, value)]
        if column.type == "multipleAttachments":
            return [self._attachment(column, each) for each in self._list(column, value)]
        if not self.by_hand:
            raise unsupported(f"a cell of type {column.type}")
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
        """A percent of 12 % is 0.12, a duration is in seconds; whole numbers have no point."""
        if isinstance(value, str) and self.typecast:
            try:
                value = float(value)
            except ValueError:
                raise unparsable_value(column.name, value) from None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise wrong_value(column.name)
        options = column.options or {}
        if column.type == "rating" and value not in range(1, options.get("max", 5) + 1):
            raise wrong_value(column.name)
        if self.knobs.airtable_number_rounds and "precision" in options:
            value = round(value, options["precision"] + (2 if column.type == "percent" else 0))
        return int(value) if float(value).is_integer() else value

    def _choice(self, column: Field, value: Any) -> Any:
        if not isinstance(value, str):
            raise wrong_value(column.name)
        wanted = value.strip() if self.knobs.airtable_choice_trims or self.typecast else value
        for choice in column.choices:
            if choice["name"] == wanted or (self.knobs.airtable_choice_ids_writable and choice["id"] == wanted):
                return choice["name"]
        if not self.typecast or not self.may_add_choices or not wanted:
            raise unknown_choice(value)
        add_choice(column, wanted, self.ids)
        return wanted

    def _list(self, column: Field, value: Any) -> list[Any]:
        """An array; typecast also takes a text with commas for the names of options and people."""
        if isinstance(value, str) and self.typecast and column.type in ("multipleSelects", "multipleCollaborators"):
            return [each.strip() for each in value.split(",") if each.strip()]
        if not isinstance(value, list):
            raise wrong_value(column.name)
        return value

    def _checkbox(self, column: Field, value: Any) -> bool:
        if isinstance(value, str) and self.typecast and value.lower() in ("true", "checked", "false", ""):
            return value.lower() in ("true", "checked")
        if not isinstance(value, bool):
            raise wrong_value(column.name)
        return value

    def _links(self, column: Field, value: Any, base: Base) -> list[str]:
        links = self._list(column, value)
        there = (column.options or {}).get("linkedTableId")
        for record_id in links:
            if not isinstance(record_id, str):
                raise wrong_value(column.name)
            if not base.has_record(record_id, there):
                if self.typecast:
                    raise unsupported("a linked record by its name")
                raise missing_row(record_id)
        return links

    def _collaborator(self, column: Field, value: Any, base: Base) -> dict[str, Any]:
        """Given by id or by e-mail, by typecast also by name; by hand a person may be new to the base."""
        if isinstance(value, str) and self.typecast:
            value = next((each for each in base.collaborators if value in each.values()), None)
        if not isinstance(value, dict) or not isinstance(value.get("id", value.get("email")), str):
            raise wrong_value(column.name)
        key = "id" if "id" in value else "email"
        for known in base.collaborators:
            if known.get(key) == value[key] and not self.by_hand:
                return dict(known)
        if not self.by_hand:
            raise wrong_value(column.name)
        given = {key: value[key] for key in ("email", "name") if key in value}
        person = {"id": value.get("id") or self.ids.airtable("usr")} | given
        base.meet(person)
        return person

    def _attachment(self, column: Field, value: Any) -> dict[str, Any]:
        """Given by an address to fetch it from; here nothing is fetched."""
        if isinstance(value, dict) and "id" in value and not self.by_hand:
            raise unsupported("an attachment by its id")
        if not isinstance(value, dict) or not isinstance(value.get("url"), str):
            raise wrong_value(column.name)
        filename = value.get("filename") or value["url"].rpartition("/")[2]
        return {"id": self.ids.airtable("att"), "url": "", "filename": filename, "size": 1024, "type": "text/plain"}
