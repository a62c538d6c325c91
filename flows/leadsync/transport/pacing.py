"""How fast a service may be asked, and whose turn it is. Never here: a request."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from pyrate_limiter import AbstractBucket, InMemoryBucket, Rate, RateItem

ARRIVALS = 1.02
"""Seconds in which no more than a pace's `allowed` requests may arrive."""
TRIPS = 5
"""Round trips from which on the quickest one says something."""
BETWEEN: Final = 0.02
"""Seconds between two looks at a bucket that does not say when it has room."""
OFTEN: Final = 50
"""One take in so many clears away what is over."""


@dataclass(frozen=True)
class Pace:
    """
    At most `limit` requests in any `seconds`, 0: as many as come; `penalty`: a pause of which no length is told [s].

    `allowed`: how many may arrive in one second at `place`, which counts them whoever asks; 0 if nothing counts so.
    """

    limit: int
    seconds: float
    penalty: float
    allowed: int = 0
    place: str = ""


class Clock(Protocol):
    """What is needed of the module `time`; tests bring their own."""

    def monotonic(self) -> float:
        """Seconds."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""


class Budget(Protocol):
    """What a request counts against besides, together with those of others: see budgets.py."""

    refusals: Collection[str]

    def take(self) -> None:
        """Return once one more request may be sent."""

    def pause(self, seconds: float) -> None:
        """Nobody who shares it asks for so long."""


def taken(bucket: AbstractBucket, now: int) -> float:
    """Take room for one request. `now`: by the bucket's clock [ms]. Returns: 0, or in how many seconds to try again."""
    item = RateItem("", now)
    if bucket.put(item):
        if now % OFTEN == 0:
            bucket.leak(now)
        return 0.0
    wait = bucket.waiting(item)
    return max(BETWEEN, wait / 1000 if isinstance(wait, int) else 0.0)


class Window:
    """
    What may arrive at one place in a second, and the pause that it asks for. Safe for threads.

    The limiter counts requests when they are sent, and one that was long on the way would arrive close to the next
    ones. When it arrived nobody knows; at the latest it was the quickest round trip before its answer, if ours takes as
    long as that.
    """

    def __init__(self, allowed: int, clock: Clock) -> None:
        self._allowed, self._clock, self._lock = allowed, clock, threading.Lock()
        self._paused_until = 0.0
        self._arrived: list[float] = []
        self._under_way = 0
        self._trips: list[float] = []

    def enter(self) -> None:
        """Wait until one more may arrive; note_answer must follow."""
        while True:
            with self._lock:
                now = self._clock.monotonic()
                self._arrived = [moment for moment in self._arrived if moment > now - ARRIVALS]
                if not self._allowed or len(self._arrived) + self._under_way < self._allowed:
                    self._under_way += 1
                    return
                wait = min(self._arrived) + ARRIVALS - now if self._arrived else 0.01
            self._clock.sleep(max(wait, 0.001))

    def note_answer(self, sent: float, answered: float) -> None:
        """A request that had entered was sent and answered, or given up, at these times [s]."""
        with self._lock:
            self._trips = sorted([*self._trips, answered - sent])[:TRIPS]
            quickest = self._trips[0] if len(self._trips) == TRIPS else 0.0
            self._arrived.append(answered - quickest)
            self._under_way -= 1

    def pause(self, seconds: float) -> None:
        """Nobody is to ask for so long."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    def wait_out_pause(self) -> None:
        """Return once there is no pause."""
        while (wait := self._paused_until - self._clock.monotonic()) > 0:
            self._clock.sleep(wait)

    @property
    def pauses(self) -> bool:
        """Whether nobody is to ask now."""
        return self._paused_until > self._clock.monotonic()


class Windows:
    """Those of all places that this process asks, each once: a run that follows another goes on where that ended."""

    def __init__(self) -> None:
        self._lock, self._known = threading.Lock(), dict[tuple[str, str], Window]()

    def of(self, service: str, pace: Pace, clock: Clock = time) -> Window | None:
        """That of the pace's place at a service, None if nothing counts there."""
        if not pace.place:
            return None
        with self._lock:
            return self._known.setdefault((service, pace.place), Window(pace.allowed, clock))


class Pacing:
    """
    The turns of all threads that ask one service at one `pace`. `taken`: turns so far.

    `window`: of the pace's place; one's own, unless others ask there as well.
    """

    def __init__(self, pace: Pace, clock: Clock, budgets: Sequence[Budget] = (), window: Window | None = None) -> None:
        self.pace, self.taken, self._clock, self._budgets = pace, 0, clock, budgets
        self.window = window or Window(pace.allowed, clock)
        self._in_line, self._lock = threading.Lock(), threading.Lock()
        rates = [Rate(pace.limit, int(pace.seconds * 1000))] if pace.limit else []
        self._bucket = InMemoryBucket(rates) if rates else None

    def take_turn(self, patient: bool) -> bool:
        """
        Wait until a request may be sent; the window's note_answer must follow.

        Returns: False in a pause, if not `patient`; another thread's request may begin one while this one queues.
        """
        if patient:
            self.window.wait_out_pause()
        elif self.window.pauses:
            return False
        with self._in_line:  # one of ours at a time, or a pair with many threads would get more than others
            while self._bucket is not None and (wait := taken(self._bucket, int(self._clock.monotonic() * 1000))) > 0:
                self._clock.sleep(wait)
            for budget in self._budgets:
                budget.take()
        if not patient and self.window.pauses:
            return False
        self.window.enter()
        with self._lock:
            self.taken += 1
        return True

    def pause(self, seconds: float, refusal: str = "") -> None:
        """Nobody's turn for so long. `refusal`: the kind of a 429, by which others who share a budget wait, too."""
        if refusal:
            for budget in [each for each in self._budgets if refusal in each.refusals] or self._budgets:
                budget.pause(seconds)
        self.window.pause(seconds)
