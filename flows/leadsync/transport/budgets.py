"""
What all who ask with one credential may ask for together, and whose turn it is: first come, first served.

Never here: a pair's own pace (see pacing.py), where what is shared between machines is kept (see state/budgets.py).
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from pyrate_limiter import InMemoryBucket, Rate

from leadsync.errors import TransientServiceError
from leadsync.transport.pacing import Clock, taken

HEAD_ROOM: Final = 0.95
"""Of what a credential is allowed; the rest is for what other programs ask."""
TOO_LONG: Final = 600.0
"""Seconds in which nobody's turn came, after which it is given up."""
TOO_MANY: Final = "Too many others ask with the same credential. Run again later."


@dataclass(frozen=True)
class Limit:
    """
    `name`: of the credential, which cannot be told from it. At most `allowed` requests in any `seconds`.

    `refusals`: kinds of a 429 that are about this one; any other kind is about all that a request counts against.
    """

    name: str
    allowed: int
    seconds: float
    refusals: Collection[str] = ()

    @property
    def rates(self) -> list[Rate]:
        """As pyrate-limiter has it, with head-room."""
        return [Rate(max(1, int(self.allowed * HEAD_ROOM)), int(self.seconds * 1000))]


@dataclass(frozen=True)
class Allowance:
    """What a service gives to a credential: see Limit. `what`: which of a client's secrets it is, from 0."""

    what: int
    called: str
    allowed: int
    seconds: float
    refusals: Collection[str] = ()

    def limit(self, service: str, secrets: Sequence[str]) -> Limit:
        """That of the credential among `secrets`."""
        name = hashlib.sha256(f"{service} {self.called} {secrets[self.what]}".encode()).hexdigest()[:24]
        return Limit(name, self.allowed, self.seconds, self.refusals)


ALLOWANCES: Final[Mapping[str, tuple[Allowance, ...]]] = {
    "Airtable": (Allowance(0, "token", 50, 1.0),),
    "Trello": (
        Allowance(1, "key", 300, 10.0, ("API_KEY_LIMIT_EXCEEDED",)),
        Allowance(0, "token", 100, 10.0, ("API_TOKEN_LIMIT_EXCEEDED",)),
    ),
}
"""
By the service's name, first what more of them share: who waits there has not been counted by the next yet, which has
less room for what is sent later than counted.

A base's five requests a second are not among them: it is read by one process at a time.
"""


class Shared(Protocol):
    """Where a budget is kept: in this process, or where other machines see it too."""

    def turn(self) -> AbstractContextManager[Callable[[], float]]:
        """
        Inside nobody else asks; in the order in which they came.

        What is yielded takes room for one request. Returns: 0, or in how many seconds there may be some.
        """

    def pause(self, seconds: float) -> None:
        """Nobody is to ask the service for so long."""


class Budget:
    """The requests that one credential may make. Safe for threads."""

    def __init__(self, limit: Limit, shared: Shared, clock: Clock = time) -> None:
        self.refusals, self._shared, self._clock, self._line = limit.refusals, shared, clock, Line()

    def take(self) -> None:
        """
        Return once one more request may be sent.

        Raises: TransientServiceError if that takes too long; StateStoreError if what is shared cannot be reached.
        """
        begun = self._clock.monotonic()
        with self._line.turn(TOO_LONG), self._shared.turn() as room:
            while (wait := room()) > 0:
                if self._clock.monotonic() + wait - begun > TOO_LONG:
                    raise TransientServiceError(TOO_MANY)
                self._clock.sleep(wait)

    def pause(self, seconds: float) -> None:
        """The service refused a request because of too many, be it of another program; nobody asks for so long."""
        self._shared.pause(seconds)


class Line:
    """Who came first goes first; a lock of `threading` lets in whoever is quickest."""

    def __init__(self) -> None:
        self._changed, self._waiting, self._numbers = threading.Condition(), deque[int](), itertools.count()

    @contextmanager
    def turn(self, within: float) -> Iterator[None]:
        """Inside nobody else's. Raises: TransientServiceError if it has not come `within` so many seconds."""
        with self._changed:
            number = next(self._numbers)
            self._waiting.append(number)
            if not self._changed.wait_for(lambda: self._waiting[0] == number, within):
                self._waiting.remove(number)
                raise TransientServiceError(TOO_MANY)
        try:
            yield
        finally:
            with self._changed:
                self._waiting.popleft()
                self._changed.notify_all()


class InProcess:
    """A budget of this process alone."""

    def __init__(self, limit: Limit, clock: Clock = time) -> None:
        self._bucket, self._clock, self._until = InMemoryBucket(limit.rates), clock, 0.0

    @contextmanager
    def turn(self) -> Iterator[Callable[[], float]]:
        """Nobody else asks anyway."""
        yield self._wait

    def pause(self, seconds: float) -> None:
        """By the process's clock."""
        self._until = max(self._until, self._clock.monotonic() + seconds)

    def _wait(self) -> float:
        now = self._clock.monotonic()
        return self._until - now if self._until > now else taken(self._bucket, int(now * 1000))


class Budgets:
    """The budgets of all credentials that this process uses, each once. `shared`: where one is kept."""

    def __init__(self, shared: Callable[[Limit], Shared] = lambda limit: InProcess(limit)) -> None:
        self._lock, self._shared, self._known = threading.Lock(), shared, dict[str, Budget]()

    def of(self, service: str, secrets: Sequence[str]) -> list[Budget]:
        """Those that a request of a client counts against. `service`: its name; `secrets`: as the client has them."""
        limits = [allowance.limit(service, secrets) for allowance in ALLOWANCES.get(service, ())]
        with self._lock:
            for limit in limits:
                if limit.name not in self._known:
                    self._known[limit.name] = Budget(limit, self._shared(limit))
            return [self._known[limit.name] for limit in limits]
