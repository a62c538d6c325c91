"""
Counting calls in time windows.

What is limited, and what the refusal says, is for each service.
"""

from collections import deque


class SlidingWindow:
    """At most `allowed` calls in any `seconds`."""

    def __init__(self, allowed: int, seconds: float) -> None:
        self.allowed, self.seconds = allowed, seconds
        self._calls: deque[float] = deque()

    def count(self, now: float) -> int:
        """Calls within the window that ends now."""
        while self._calls and self._calls[0] <= now - self.seconds:
            self._calls.popleft()
        return len(self._calls)

    def add(self, now: float) -> bool:
        """Record one call; False when it is over the limit (it is not recorded then)."""
        if self.count(now) >= self.allowed:
            return False
        self._calls.append(now)
        return True


class PenaltyWindow:
    """Airtable's limit: over the limit, every call fails until `penalty` has passed."""

    def __init__(self, allowed: int, seconds: float, penalty: float, extends: bool) -> None:
        self._window = SlidingWindow(allowed, seconds)
        self._penalty, self._extends = penalty, extends
        self._blocked_until = float("-inf")

    def add(self, now: float) -> bool:
        """Record one call; False when it is refused."""
        blocked = now < self._blocked_until
        if not blocked and self._window.add(now):
            return True
        if not blocked or self._extends:
            self._blocked_until = now + self._penalty
        return False


class FixedWindow:
    """Trello's limit: a window opens with the first call and everything is forgotten when it closes."""

    def __init__(self, allowed: int, seconds: float) -> None:
        self.allowed, self.seconds = allowed, seconds
        self._opened = float("-inf")
        self._used = 0

    def used(self, now: float) -> int:
        """Calls in the current window."""
        if now >= self._opened + self.seconds:
            self._opened, self._used = now, 0
        return self._used

    def fits(self, now: float, cost: int = 1) -> bool:
        """Whether `cost` more calls are within the limit."""
        return self.used(now) + cost <= self.allowed

    def add(self, now: float, cost: int = 1) -> None:
        """Record `cost` calls, whether they fit or not."""
        self._used = self.used(now) + cost

    def remaining(self, now: float) -> int:
        """Calls left in the current window, never negative."""
        return max(0, self.allowed - self.used(now))
