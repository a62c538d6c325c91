"""
The options of each type of column: which it must have, and what the web client gives it at first.

Columns are built in `schema`.
"""

from typing import Any

from emulator.airtable.cell_dates import zone_of
from emulator.airtable.model import new_choice
from emulator.airtable.refusals import refusal
from emulator.ids import IdSource

DATE_FORMATS = {"iso": "YYYY-MM-DD", "us": "M/D/YYYY", "european": "D/M/YYYY", "local": "l", "friendly": "LL"}
TIME_FORMATS = {"12hour": "h:mma", "24hour": "HH:mm"}
ISO_DATE = {"name": "iso", "format": "YYYY-MM-DD"}
ISO_TIME = {"name": "24hour", "format": "HH:mm"}
FIRST_OPTIONS: dict[str, dict[str, Any]] = {
    "singleSelect": {"choices": []},
    "multipleSelects": {"choices": []},
    "number": {"precision": 0},
    "percent": {"precision": 0},
    "currency": {"precision": 2, "symbol": "$"},
    "rating": {"icon": "star", "max": 5, "color": "yellowBright"},
    "duration": {"durationFormat": "h:mm"},
    "checkbox": {"icon": "check", "color": "greenBright"},
    "date": {"dateFormat": ISO_DATE},
    "dateTime": {"dateFormat": ISO_DATE, "timeFormat": ISO_TIME, "timeZone": "utc"},
    "multipleRecordLinks": {"isReversed": False, "prefersSingleRecordLink": False},
    "multipleAttachments": {"isReversed": False},
    "formula": {"isValid": True, "formula": "", "referencedFieldIds": [], "result": {"type": "singleLineText"}},
    "rollup": {"isValid": True, "referencedFieldIds": [], "result": {"type": "singleLineText"}},
    "multipleLookupValues": {"isValid": True, "result": {"type": "singleLineText"}},
    "count": {"isValid": True},
}
REQUIRED = {
    **dict.fromkeys(("singleSelect", "multipleSelects"), ("choices",)),
    **dict.fromkeys(("number", "percent"), ("precision",)),
    "currency": ("precision", "symbol"),
    "rating": ("icon", "max", "color"),
    "duration": ("durationFormat",),
    "checkbox": ("icon", "color"),
    "date": ("dateFormat",),
    "dateTime": ("dateFormat", "timeFormat", "timeZone"),
    "multipleRecordLinks": ("linkedTableId",),
}


def first_options(kind: str, table_id: str) -> dict[str, Any] | None:
    """What the web client gives a new column, None for a type that has no options; links go to the same table."""
    if kind not in FIRST_OPTIONS:
        return None
    return FIRST_OPTIONS[kind] | ({"linkedTableId": table_id} if kind == "multipleRecordLinks" else {})


def check_options(name: str, kind: str, options: Any) -> None:
    """Whether a call gives all the options that a type must have. Raises: Refused."""
    given = options if isinstance(options, dict) else {}
    missing = [each for each in REQUIRED.get(kind, ()) if each not in given]
    if missing:
        words = f"Invalid options for {name}: {', '.join(missing)} missing"
        raise refusal(422, "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE", words)


def filled_options(ids: IdSource, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Options as the schema shows them: choices have ids, formats their pattern. Raises: Refused."""
    filled = dict(options)
    if "choices" in options:
        given = options["choices"] if isinstance(options["choices"], list) else [None]
        if not all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in given):
            raise _invalid(name, "choices")
        filled["choices"] = [new_choice(ids, e["name"], place) | e for place, e in enumerate(given)]
    for key, known in (("dateFormat", DATE_FORMATS), ("timeFormat", TIME_FORMATS)):
        if key in options:
            form = options[key].get("name") if isinstance(options[key], dict) else None
            if not isinstance(form, str) or form not in known:
                raise _invalid(name, key)
            filled[key] = {"name": form, "format": known[form]}
    if "timeZone" in options and zone_of(str(options["timeZone"])) is None:
        raise _invalid(name, "timeZone")
    return filled


def _invalid(name: str, key: str) -> Exception:
    return refusal(422, "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE", f"Invalid options for {name}: {key}")
