"""
What a custom field takes as the value of a card, and the refusal when it does not.

All values are texts inside an object that names their type; a dropdown has the id of an option instead.
"""

import math
from typing import Any

from emulator.clock import iso_milliseconds, parse_iso
from emulator.trello.custom_fields import CustomField
from emulator.trello.refusals import plain
from emulator.trello.values import Given
from emulator.wire.messages import Refused

MEMBER_OF_TYPE = {"text": "text", "number": "number", "date": "date", "checkbox": "checked"}
TEXT_LIMIT = 16_384

Content = dict[str, Any]
"""What an item holds: `{"value":{…}}` or `{"idValue":…}`."""


def refused() -> Refused:
    """400 for a value that the field does not take."""
    return plain(400, "Invalid custom field item value.")


def given_content(field: CustomField, given: Given, false_removes: bool = False) -> Content | None:
    """
    The content that a body asks for, None to clear.

    A form holds `value[text]`, JSON an object. A dropdown is cleared by an empty idValue, every other type by an
    empty value. Raises: Refused.
    """
    if field.type == "list":
        return _option(field, given)
    if given.get("idValue"):
        raise refused()
    value = given["value"] if "value" in given else _unflattened(given)
    if value in ("", {}, None):
        if "value" not in given:
            raise refused()
        return None
    name = MEMBER_OF_TYPE[field.type]
    if not isinstance(value, dict) or set(value) != {name} or not isinstance(value[name], str):
        raise refused()
    if not value[name]:
        return None
    checked = _checked(field.type, value[name])
    return None if false_removes and checked == "false" else {"value": {name: checked}}


def words(field: CustomField, item: dict[str, Any]) -> str:
    """What an item says to a person: its value, or the words of its option."""
    if field.type == "list":
        return next(each.text for each in field.options if each.id == item["idValue"])
    return str(item["value"][MEMBER_OF_TYPE[field.type]])


def _option(field: CustomField, given: Given) -> Content | None:
    wanted = given.get("idValue")
    if "idValue" not in given or given.get("value"):
        raise refused()
    if wanted in ("", None):
        return None
    if wanted not in [each.id for each in field.options]:
        raise refused()
    return {"idValue": wanted}


def _unflattened(given: Given) -> dict[str, Any]:
    """`value[text]=x` of a form as `{"text": "x"}`."""
    inner = {name: value for name, value in given.items() if name.startswith("value[") and name.endswith("]")}
    return {name[len("value[") : -1]: value for name, value in inner.items()}


def _checked(kind: str, value: str) -> str:
    if kind == "number":
        try:
            finite = math.isfinite(float(value))
        except ValueError:
            raise refused() from None
        if not finite:
            raise refused()
    elif kind == "date":
        at = parse_iso(value)
        if at is None:
            raise refused()
        return iso_milliseconds(at)
    elif kind == "checkbox":
        if value not in ("true", "false"):
            raise refused()
    elif len(value) > TEXT_LIMIT:
        raise refused()
    return value
