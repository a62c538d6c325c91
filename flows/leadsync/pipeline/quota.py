"""
The month's API calls against the plan's quota: may a scheduled run go now, and if not, when.

Pure; the state keeps the count. What is never here: a clock, a request.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

UTC = datetime.UTC


@dataclass(frozen=True)
class Month:
    """A calendar month, UTC, in which `spent` of `allowed` calls were made."""

    start: datetime.datetime
    spent: int
    allowed: int

    @property
    def end(self) -> datetime.datetime:
        """The first moment of the next month, when the count begins anew."""
        return start_of_month(self.start + datetime.timedelta(days=31))

    def due(self) -> datetime.datetime:
        """When the next run fits the pace that spends the quota evenly; the next month if it is used up."""
        if self.spent >= self.allowed:
            return self.end
        return self.start + (self.end - self.start) * (self.spent / self.allowed)

    @property
    def told(self) -> str:
        """How far the quota is used, for people."""
        return f"{self.spent:,} of {self.allowed:,} Airtable calls of this month are used"


def start_of_month(now: datetime.datetime) -> datetime.datetime:
    """The first moment of the month, UTC."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
