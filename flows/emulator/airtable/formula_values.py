"""
What formulas compute with: the row they ask, blank, numbers, texts, times, and the operators between two of them.

Nothing here reads a formula's text.
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from emulator.clock import iso_milliseconds, parse_iso


class FormulaValueError(ValueError):
    """The formula gives `#ERROR!` for this record, which filters it out."""


class Row(Protocol):
    """What a formula asks of a record; times are aware datetimes."""

    def record_id(self) -> str:
        """What RECORD_ID() gives."""

    def cell(self, field_id: str) -> Any:
        """A cell's value, None when empty."""

    def created(self) -> datetime | None:
        """What CREATED_TIME() gives."""

    def modified(self, field_ids: Sequence[str]) -> datetime | None:
        """What LAST_MODIFIED_TIME() gives for these fields; none means all."""

    def now(self) -> datetime:
        """What NOW() gives."""


Node = Callable[[Row], Any]


def is_true(value: Any) -> bool:
    """Airtable keeps a record unless the result is 0, false, empty, NaN or an empty list."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value)


def number(value: Any) -> float:
    """A number; blank is 0, a text that is none is an error."""
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        raise FormulaValueError(f"{value!r} is no number") from None


def text(value: Any) -> str:
    """Text as formulas see it: blank is empty, dates are ISO, whole numbers have no point."""
    if value is None or value is False:
        return ""
    if isinstance(value, datetime):
        return iso_milliseconds(value.timestamp())
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(text(item) for item in value)
    return "1" if value is True else str(value)


def moment(value: Any) -> datetime | None:
    """A time, or None for blank; a text that is no ISO time is an error."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value
    seconds = parse_iso(value) if isinstance(value, str) else None
    if seconds is None:
        raise FormulaValueError(f"{value!r} is no time")
    return datetime.fromtimestamp(seconds, tz=UTC)


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, datetime) or isinstance(right, datetime):
        return moment(left), moment(right)
    if isinstance(left, int | float) or isinstance(right, int | float):
        return number(left), number(right)
    return text(left), text(right)


def _equal(left: Any, right: Any) -> bool:
    try:
        first, second = _comparable(left, right)
    except FormulaValueError:
        return False
    return bool(first == second)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def operation(left: Any, right: Any) -> bool:
        first, second = _comparable(left, right)
        return first is not None and second is not None and compare(first, second)

    return operation


def _divide(left: Any, right: Any) -> float:
    divisor = number(right)
    return number(left) / divisor if divisor else math.nan


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "=": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda left, right: left < right),
    ">": _ordered(lambda left, right: left > right),
    "<=": _ordered(lambda left, right: left <= right),
    ">=": _ordered(lambda left, right: left >= right),
    "&": lambda left, right: text(left) + text(right),
    "+": lambda left, right: number(left) + number(right),
    "-": lambda left, right: number(left) - number(right),
    "*": lambda left, right: number(left) * number(right),
    "/": _divide,
}
