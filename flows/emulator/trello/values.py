"""
What a parameter may hold, and the refusal when it does not.

Nothing here knows which call it serves.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from emulator.clock import iso_milliseconds, parse_iso
from emulator.ids import OBJECT_ID, is_object_id
from emulator.knobs import Knobs
from emulator.trello.refusals import invalid, plain
from emulator.wire.messages import unsupported
from emulator.wire.routing import OFF

TEXT_LIMIT = 16_384

Given = dict[str, Any]
"""Query and body parameters of one call, the body winning."""


def text(value: Any, field: str, knobs: Knobs) -> str:
    """A text of at most 16,384 characters; a JSON number is refused."""
    if not isinstance(value, str):
        raise invalid(field)
    if len(value) > TEXT_LIMIT:
        raise plain(400, knobs.trello_too_long_text.format(field=field))
    return value


def description(value: Any, knobs: Knobs) -> str:
    """A description, normalised only as far as the knobs say."""
    stored = text(value, "desc", knobs)
    if knobs.trello_normalises_newlines:
        stored = stored.replace("\r\n", "\n").replace("\r", "\n")
    return stored.rstrip() if knobs.trello_trims_desc else stored


def boolean(value: Any, field: str) -> bool:
    """true or false, as JSON or as text in any case."""
    if isinstance(value, bool):
        return value
    lowered = str(value).lower()
    if lowered not in ("true", "false"):
        raise invalid(field)
    return lowered == "true"


def asked(given: Given, name: str, *ways: str) -> bool:
    """Whether something nested is asked for, in one of the ways (true) that are known; raises Refused for others."""
    value = str(given.get(name)).lower()
    if value in OFF:
        return False
    if value not in (ways or ("true",)):
        raise unsupported(f"{name}={value}")
    return True


def date(value: Any, field: str, empty_clears: bool = True) -> str | None:
    """
    A time as `…:SS.000Z`, in whole seconds.

    null and the text "null" mean none. Whether an empty text does is told in two ways: `empty_clears`.
    """
    if value in (None, "null") or (value == "" and empty_clears):
        return None
    if value == "":
        raise plain(400, "Invalid date")
    at = parse_iso(value.removesuffix(" UTC")) if isinstance(value, str) else None
    if at is None:
        raise invalid(field)
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def card_position(value: Any, field: str = "pos") -> float | str:
    """`top`, `bottom` or a positive number; an empty text behaved as top."""
    if value in ("top", ""):
        return "top"
    if value == "bottom":
        return "bottom"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise invalid(field) from None
    if not 0 < number < float("inf"):
        raise invalid(field)
    return number


def object_id(value: Any, field: str) -> str:
    """A 24-hex id; short links are not accepted in parameters."""
    if not is_object_id(value):
        raise invalid(field)
    return str(value).lower()


def id_list(value: Any, field: str) -> list[str]:
    """Ids as a comma list or a JSON array; empty means none."""
    if value in (None, ""):
        return []
    parts = value if isinstance(value, list) else str(value).split(",")
    return [object_id(part, field) for part in parts]


def whole_number(given: Given, name: str, default: int, least: int, most: int) -> int:
    """A number in a range, or 400."""
    value = given.get(name)
    if value in (None, ""):
        return default
    try:
        number = int(str(value))
    except ValueError:
        raise invalid(name) from None
    if not least <= number <= most:
        raise invalid(name)
    return number


def boundary(given: Given, name: str) -> Callable[[str], int] | None:
    """
    `before` or `since` as a comparison: -1, 0 or 1 for an id's place relative to it.

    The value is an id or an ISO date; a date is compared with the creation second in the id.
    """
    value = given.get(name)
    if value in (None, "", "null"):
        return None
    if OBJECT_ID.fullmatch(str(value)):
        wanted = str(value).lower()
        return lambda each: (each > wanted) - (each < wanted)
    at = parse_iso(str(value))
    if at is None:
        raise invalid(name)
    moment = at
    return lambda each: (int(each[:8], 16) > moment) - (int(each[:8], 16) < moment)


def action_boundary(given: Given, name: str) -> Callable[[dict[str, Any]], int] | None:
    """Like `boundary` for actions, which carry milliseconds of their own."""
    value = given.get(name)
    if value in (None, "", "null") or OBJECT_ID.fullmatch(str(value)):
        by_id = boundary(given, name)
        return None if by_id is None else lambda action: by_id(action["id"])
    at = parse_iso(str(value))
    if at is None:
        raise invalid(name)
    wanted = iso_milliseconds(at)
    return lambda action: (action["date"] > wanted) - (action["date"] < wanted)
