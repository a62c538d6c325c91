"""
What the parameters of a call may hold, in the query or in a body, and the refusal when they do not.

What a cell may hold is in `cell_rules`.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from emulator.airtable.cell_dates import zone_of
from emulator.airtable.refusals import refusal
from emulator.wire.messages import Request, truthy, unsupported

LISTED_BY = (
    "pageSize maxRecords offset view sort filterByFormula fields cellFormat returnFieldsByFieldId recordMetadata"
)
ZONE = "timeZone userLocale"
"""Always in the query, also of a list that is asked for by POST."""
SORTED_BY = {"field", "direction"}
SORT_KEY = re.compile(r"sort\[(\d*)\]\[(field|direction)\]")


@dataclass(frozen=True)
class ListOptions:
    """Parameters of a list call, from the query or from the body of POST listRecords."""

    page_size: int = 100
    max_records: int | None = None
    offset: str | None = None
    view: str | None = None
    formula: str | None = None
    sort: tuple[tuple[str, str], ...] = ()
    """(field, direction) pairs."""
    fields: tuple[str, ...] | None = None
    output: "OutputOptions" = field(default_factory=lambda: OutputOptions())


@dataclass(frozen=True)
class OutputOptions:
    """How records are written out; common to all record calls."""

    by_field_id: bool = False
    as_text: bool = False
    fields: tuple[str, ...] | None = None
    comment_count: bool = False
    time_zone: str = "utc"


def output_options(given: dict[str, Any]) -> OutputOptions:
    """Output options from a query or a body; raises Refused when cellFormat=string lacks its companions."""
    as_text = given.get("cellFormat") == "string"
    if set(_names(given, "recordMetadata") or ()) - {"commentCount"}:
        raise unsupported(f"recordMetadata {given.get('recordMetadata')}")
    if given.get("cellFormat") not in (None, "json", "string"):
        raise refusal(422, "INVALID_REQUEST_UNKNOWN")
    if as_text and not (given.get("timeZone") and given.get("userLocale")):
        raise refusal(422, "INVALID_REQUEST_UNKNOWN")
    fields = _names(given, "fields")
    metadata = _names(given, "recordMetadata") or ()
    zone = str(given.get("timeZone") or "utc")
    if zone_of(zone) is None:
        raise refusal(422, "INVALID_REQUEST_UNKNOWN")
    return OutputOptions(truthy(given.get("returnFieldsByFieldId")), as_text, fields, "commentCount" in metadata, zone)


def list_options(request: Request) -> ListOptions:
    """Read a list call of either form; raises Refused for a page size out of range."""
    given = (request.body or {}) | request.query
    check_types(given, str, "offset", "view", "filterByFormula")
    output = output_options(given)
    size = whole_number(given.get("pageSize"))
    if size is not None and not 0 <= size <= 100:
        raise refusal(422, "INVALID_PAGE_SIZE_ARGUMENT")
    most = whole_number(given.get("maxRecords"))
    if most is not None and most < 0:
        raise unsupported("maxRecords below 0")
    return ListOptions(
        page_size=100 if size is None else size,
        max_records=most,
        offset=given.get("offset") or None,
        view=given.get("view") or None,
        formula=given.get("filterByFormula") or None,
        sort=_sort(given),
        fields=output.fields,
        output=output,
    )


def _names(given: dict[str, Any], key: str) -> tuple[str, ...] | None:
    values = [value for name, value in given.items() if name == key or name.startswith(key + "[")]
    if not values:
        return None
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return tuple(str(one) for one in flat)


def check_types(given: dict[str, Any], kind: type, *names: str) -> None:
    """Refuse values of another type than the service takes; null is none. Raises: Refused."""
    if not all(isinstance(given.get(name), kind | None) for name in names):
        raise refusal(422, "INVALID_REQUEST_UNKNOWN")


def whole_number(value: Any) -> int | None:
    """None for what is no number."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _sort(given: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    stated = given.get("sort")
    if isinstance(stated, list) and all(isinstance(each, dict) and set(each) <= SORTED_BY for each in stated):
        return tuple(_sort_key(each) for each in stated)
    keys: dict[str, dict[str, str]] = {}
    for name, value in given.items():
        match = SORT_KEY.fullmatch(name)
        if name.startswith("sort") and not match:
            raise unsupported(f"{name}={value}")
        if match:
            keys.setdefault(match[1], {})[match[2]] = value
    ordered = [keys[key] for key in sorted(keys, key=lambda text: int(text or 0))]
    return tuple(_sort_key(key) for key in ordered)


def _sort_key(key: dict[str, Any]) -> tuple[str, str]:
    field, direction = str(key.get("field", "")), str(key.get("direction", "asc"))
    if direction not in ("asc", "desc"):
        raise unsupported(f"direction {direction} of a sort")
    return field, direction
