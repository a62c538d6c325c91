"""
Webhook deliveries over real HTTP, from one background thread, to callbacks on the loopback interface alone.

Retries are due by the emulator's clock: on a `ManualClock` they wait until a test advances it.
What a delivery holds, and whether it is tried again, is for the service.
"""

import http.client
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from emulator.clock import Clock

LOOPBACK = ("127.0.0.1", "localhost", "::1")
TIMEOUT = 25.0
"""Seconds a callback has for its answer."""
LOOK_AGAIN = 0.01
"""Real seconds between two looks at the clock while a retry is outstanding."""
RECORDED = 5_000
"""Attempts kept for assertions."""


@dataclass(frozen=True)
class Attempt:
    """One POST that was made: what was sent, and the status that came back (None: no answer)."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    """On the emulator's clock [s]."""
    status: int | None
    number: int
    """0 is the first attempt, 1 the first retry."""


@dataclass
class Post:
    """
    Something to deliver.

    `told(attempt)` is called with the emulator's lock held, and says after how many seconds to try again (None: no
    more).
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    told: Callable[[Attempt], float | None]
    due: float = 0.0
    number: int = 0


class Courier:
    """Delivers what is due. `lock` is the emulator's; it is never held while a callback is waited for."""

    def __init__(self, clock: Clock, lock: threading.RLock) -> None:
        self._clock, self._lock = clock, lock
        self._changed = threading.Condition(lock)
        self._posts: list[Post] = []
        self._on_the_way = 0
        self._thread: threading.Thread | None = None
        self._closing = False
        self.attempts: list[Attempt] = []

    def send(self, post: Post) -> None:
        """Deliver as soon as possible, after those already waiting."""
        with self._changed:
            post.due = self._clock.now()
            self._posts.append(post)
            if self._thread is None:
                self._closing = False
                self._thread = threading.Thread(target=self._work, name="emulator-courier", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def waits(self, url: str) -> bool:
        """Whether something for this callback has not been delivered yet; the caller holds the lock."""
        return any(post.url == url for post in self._posts)

    def settle(self, timeout: float = 10.0) -> bool:
        """Wait until nothing is due or on the way; False if that took longer than `timeout` [s, real time]."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._on_the_way and self._due() is None, timeout)

    def stop(self) -> None:
        """Deliver nothing more; what has not been delivered is forgotten."""
        with self._changed:
            self._closing = True
            self._posts.clear()
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._closing and (post := self._due()) is None:
                    self._changed.notify_all()
                    self._changed.wait(LOOK_AGAIN if self._posts else None)
                if self._closing:
                    return
                assert post is not None
                self._posts.remove(post)
                self._on_the_way += 1
            self._deliver(post)

    def _due(self) -> Post | None:
        now = self._clock.now()
        return next((post for post in self._posts if post.due <= now), None)

    def _deliver(self, post: Post) -> None:
        at = self._clock.now()
        status = call(post.url, "POST", post.headers, post.body)
        with self._changed:
            attempt = Attempt(post.url, post.headers, post.body, at, status, post.number)
            self.attempts.append(attempt)
            del self.attempts[:-RECORDED]
            pause = post.told(attempt)
            if pause is not None and not self._closing:
                post.due, post.number = self._clock.now() + pause, post.number + 1
                self._posts.append(post)
            self._on_the_way -= 1
            self._changed.notify_all()


def is_loopback(url: str) -> bool:
    """Whether the emulator may call `url`: plain HTTP on this machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and parts.hostname in LOOPBACK and parts.port != 0
    except ValueError:
        return False


def call(url: str, method: str, headers: Mapping[str, str], body: bytes = b"", timeout: float = TIMEOUT) -> int | None:
    """Send one request. Returns: the status, None without an answer. Raises: ValueError if `url` is not loopback."""
    if not is_loopback(url):
        raise ValueError(f"the emulator calls http addresses of this machine alone, not {url}")
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=timeout)
    try:
        target = parts.path or "/"
        connection.request(method, f"{target}?{parts.query}" if parts.query else target, body, dict(headers))
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
