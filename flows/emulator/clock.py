"""
Time under test control: rate windows, iterator expiry, created and modified times all ask one clock.

Nothing here sleeps.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the emulator asks of a clock; times are seconds since the Unix epoch [s]."""

    def now(self) -> float:
        """Seconds since the epoch [s]."""

    def advance(self, seconds: float) -> None:
        """Jump forward without sleeping [s]."""


class RealTimeClock:
    """The machine's clock, plus whatever a test has skipped with `advance`."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def now(self) -> float:
        """The machine's time plus what was skipped [s]."""
        return time.time() + self._skipped

    def advance(self, seconds: float) -> None:
        """Jump forward by `seconds` [s] without sleeping."""
        self._skipped += seconds


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: float = 1_767_225_600.0) -> None:
        self._now = start

    def now(self) -> float:
        """The time it was last set to [s]."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds` [s]; a negative value is refused with ValueError."""
        if seconds < 0:
            raise ValueError(f"a clock cannot go back, got {seconds} s")
        self._now += seconds


def iso_milliseconds(at: float) -> str:
    """`2026-01-01T00:00:00.123Z`, as Trello dates and Airtable webhook payloads are written."""
    moment = datetime.fromtimestamp(int(at * 1000) / 1000, tz=UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def iso_whole_seconds(at: float) -> str:
    """`2026-01-01T00:00:00.000Z`: Airtable cuts record times to the second."""
    return iso_milliseconds(float(int(at)))


def parse_iso(text: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 text (no zone means UTC), or None when it is not one."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
