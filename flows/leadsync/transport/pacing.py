"""How fast a service may be asked, and the clocks by which that is judged. Never here: a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

ARRIVALS = 1.02
"""Seconds in which no more than a pace's `allowed` requests may arrive."""
TRIPS = 5
"""Round trips from which on the quickest one says something."""


@dataclass(frozen=True)
class Pace:
    """
    At most `limit` requests in any `seconds`; after a 429 without Retry-After a pause of `penalty` seconds.

    `allowed`: how many may arrive at the service in one second, 0 if it does not count so.
    """

    limit: int
    seconds: float
    penalty: float
    allowed: int = 0


class Clock(Protocol):
    """What is needed of the module `time`; tests bring their own."""

    def monotonic(self) -> float:
        """Seconds."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
