"""
A look at what may be silent for long: whoever asks is told within a moment, be it that nothing is known.

Never here: what is looked at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from leadsync.errors import LeadsyncError

WAIT = 2.0
"""Seconds that a caller waits; the state database itself is given up on after a minute."""
T = TypeVar("T")


class Glance(Generic[T]):
    """
    One look at a time, in a thread of its own; those who ask meanwhile share it. Safe to share between threads.

    silent: what is said of a look that has not come to its end.
    """

    def __init__(self, look: Callable[[], T], silent: str) -> None:
        self._look, self._silent = look, silent
        self._lock = threading.Lock()
        self._began = 0.0
        self._found: Future[T] | None = None

    def __call__(self) -> T:
        """Returns: what the look found. Raises: LeadsyncError WAIT after it began; what the look raises."""
        with self._lock:
            if self._found is None or self._found.done():
                self._began, self._found = time.monotonic(), Future()
                threading.Thread(target=self._fill, args=(self._found,), name="leadsync-glance", daemon=True).start()
            found, left = self._found, self._began + WAIT - time.monotonic()
        try:
            return found.result(max(0.0, left))
        except TimeoutError:
            raise LeadsyncError(self._silent) from None

    def _fill(self, found: Future[T]) -> None:
        try:
            found.set_result(self._look())
        except Exception as error:
            found.set_exception(error)
