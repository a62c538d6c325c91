"""
Cells as text, for cellFormat=string: as a person sees them in the web client.

What a cell holds as JSON is in `cells`.
"""

from datetime import UTC, date, datetime
from typing import Any

from emulator.airtable.cell_dates import zone_of
from emulator.airtable.model import Base, Field
from emulator.wire.messages import unsupported

DATE_FORMS = {"iso": "{0:%Y-%m-%d}", "us": "{0.month}/{0.day}/{0:%Y}", "european": "{0.day}/{0.month}/{0:%Y}"}
MOMENTS = frozenset({"createdTime", "lastModifiedTime", "dateTime"})


def cell_text(base: Base, column: Field, value: Any, zone: str) -> str:
    """
    A cell that is not empty, as text; `zone` is what the call names as its own.

    Raises: Refused with 501 for what depends on a locale.
    """
    options = column.options or {}
    if column.type in MOMENTS:
        return _moment_text(options.get("result", {}).get("options") or options, value, zone)
    if column.type == "date":
        return _date_text(options, date.fromisoformat(value))
    if column.type == "multipleRecordLinks":
        return ", ".join(base.name_of(each) for each in value)
    if column.type == "percent":
        return f"{value * 100:.{options.get('precision', 0)}f}%"
    if column.type == "currency":
        return f"{options.get('symbol', '$')}{value:.{options.get('precision', 2)}f}"
    if column.type == "duration":
        raise unsupported("a duration as text")
    if column.type == "number":
        return f"{value:.{options.get('precision', 0)}f}"
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, dict):
        if "filename" in value:
            return f"{value['filename']} ({value['url']})"
        return str(next((value[key] for key in ("name", "email", "text", "error") if key in value), value))
    return "checked" if value is True else str(value)


def _date_text(options: dict[str, Any], day: date) -> str:
    name = (options.get("dateFormat") or {}).get("name", "iso")
    if name not in DATE_FORMS:
        raise unsupported(f"a date as text in format {name}")
    return DATE_FORMS[name].format(day)


def _moment_text(options: dict[str, Any], value: str, zone: str) -> str:
    own = str(options.get("timeZone", "client"))
    moment = datetime.fromisoformat(value).astimezone(zone_of(zone if own == "client" else own) or UTC)
    if (options.get("timeFormat") or {}).get("name") == "12hour":
        time = f"{moment.hour % 12 or 12}:{moment:%M}{'am' if moment.hour < 12 else 'pm'}"
    else:
        time = f"{moment:%H:%M}"
    return f"{_date_text(options, moment.date())} {time}"
