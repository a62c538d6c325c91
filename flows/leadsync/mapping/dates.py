"""
Days and moments: their canonical texts, and the lenses between a column of days and a moment on a card. Pure.

A day is YYYY-MM-DD, a moment YYYY-MM-DDTHH:MM:SS.000Z as both services write it, in whole seconds. The zone decides
what day a moment is on. Never here: the time it is now.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from leadsync.mapping.lenses import Lens

NOON: Final = time(12)
YEARS: Final = range(2, 9999)
"""Years of which every moment is one in every zone."""


def day(stated: str) -> str:
    """A day as a service states it, be it with a time behind. Raises: ValueError."""
    return _known(date.fromisoformat(stated.partition("T")[0])).isoformat()


def moment(stated: str) -> str:
    """A moment as a service states it; without a zone it is taken as UTC. Raises: ValueError."""
    found = datetime.fromisoformat(stated)
    _known(found)
    return _in_utc(found if found.tzinfo else found.replace(tzinfo=UTC))


def _known(found: date) -> date:
    if found.year not in YEARS:
        raise ValueError(f"the year {found.year} is too far away")
    return found


def zone_named(name: object) -> ZoneInfo:
    """A time zone by its name in the IANA list. Raises: ValueError if there is none."""
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):  # unknown; no name at all; a folder of names
        raise ValueError(f"{name!r} is no time zone") from None


@cache  # lenses of one zone are equal
def day_on_calendar(zone: tzinfo) -> Lens:
    """A column of days; a day that the zone skipped as a whole counts as the next one, and stays as it is."""
    return Lens(lambda side: side and _day_of(_moment_at(side, NOON, zone), zone), lambda term, _: term)


@cache
def day_of_moment(zone: tzinfo) -> Lens:
    """A moment of which only the local day is compared: its time of day stays, and is noon for a new one."""

    def make(term: str, side: str) -> str:
        if not term:
            return ""
        clock = datetime.fromisoformat(side).astimezone(zone).time() if side else NOON
        found = _moment_at(term, clock, zone)  # a time that was skipped may be on the morrow
        return found if _day_of(found, zone) == term else _moment_at(term, NOON, zone)

    return Lens(lambda side: side and _day_of(side, zone), make)


def _moment_at(on: str, clock: time, zone: tzinfo) -> str:
    """A local time that the clock skips is as much later, one that it shows twice is the first."""
    return _in_utc(datetime.combine(date.fromisoformat(on), clock, zone))


def _day_of(stated: str, zone: tzinfo) -> str:
    return datetime.fromisoformat(stated).astimezone(zone).date().isoformat()


def _in_utc(found: datetime) -> str:
    return f"{found.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}.000Z"
