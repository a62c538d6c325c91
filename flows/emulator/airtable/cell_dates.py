"""
Dates and times as cells take and hold them.

How they are written out as text is in `cell_texts`.
"""

import re
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from emulator.airtable.model import Field
from emulator.airtable.refusals import unparsable_value, wrong_value
from emulator.clock import iso_milliseconds

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def zone_of(name: str) -> tzinfo | None:
    """A zone by its IANA name, None if there is no such; `utc` is one, and so is `client`, which a call has not."""
    if name.lower() in ("utc", "client"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def stored_date(column: Field, value: Any, takes_times: bool) -> str:
    """`YYYY-MM-DD`. A time is refused, or cut off in UTC. Raises: Refused."""
    if not isinstance(value, str):
        raise wrong_value(column.name)
    try:
        if DAY.fullmatch(value):
            return date.fromisoformat(value).isoformat()
        if takes_times:
            return _moment(value, UTC).astimezone(UTC).date().isoformat()
    except ValueError:
        pass
    raise unparsable_value(column.name, value)


def stored_moment(column: Field, value: Any) -> str:
    """`YYYY-MM-DDTHH:MM:SS.sssZ`; a text without offset is meant in the column's own zone. Raises: Refused."""
    if not isinstance(value, str):
        raise wrong_value(column.name)
    zone = zone_of((column.options or {}).get("timeZone", "utc")) or UTC
    try:
        return iso_milliseconds(_moment(value, zone).timestamp())
    except (ValueError, OverflowError):
        raise unparsable_value(column.name, value) from None


def _moment(value: str, zone: tzinfo) -> datetime:
    if DAY.match(value) is None:
        raise ValueError(value)
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
