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

LIST_PARAMETERS = frozenset(
    {"pageSize", "maxRecords", "offset", "view", "sort", "filterByFormula", "fields", "cellFormat", "timeZone"}
    | {"userLocale", "returnFieldsByFieldId", "recordMetadata"}
)
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
    given = dict(request.query)
    if request.method == "POST" and isinstance(request.body, dict):
        placed = {key: value for key, value in given.items() if key in ("timeZone", "userLocale")}
        given = {key: value for key, value in request.body.items() if key not in ("timeZone", "userLocale")} | placed
    unknown = sorted(name for name in given if name.partition("[")[0] not in LIST_PARAMETERS)
    if unknown:
        raise unsupported(f"parameter {', '.join(unknown)}")
    output = output_options(given)
    size = _whole_number(given.get("pageSize"))
    if size is not None and not 0 <= size <= 100:
        raise refusal(422, "INVALID_PAGE_SIZE_ARGUMENT")
    return ListOptions(
        page_size=100 if size is None else size,
        max_records=_whole_number(given.get("maxRecords")),
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


def _whole_number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _sort(given: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    if isinstance(given.get("sort"), list):
        return tuple((str(each.get("field")), str(each.get("direction", "asc"))) for each in given["sort"])
    keys: dict[str, dict[str, str]] = {}
    for name, value in given.items():
        match = SORT_KEY.fullmatch(name)
        if match:
            keys.setdefault(match[1], {})[match[2]] = value
    ordered = [keys[key] for key in sorted(keys, key=lambda text: int(text or 0))]
    return tuple((key.get("field", ""), key.get("direction", "asc")) for key in ordered)
