"""How long a service is waited for, and when it is not asked any more. Never here: a request, whose turn it is."""

from __future__ import annotations

import logging
import threading

from leadsync.errors import TransientServiceError
from leadsync.transport.pacing import Clock, Pacing

LONGEST_WAIT = 120.0
"""Seconds that a service may ask us to wait; a run that waits longer keeps the pair's lock for nothing."""
STUCK_AFTER = 600.0
"""Seconds in which a service has answered nothing, after which it is not asked any more."""
SHORTEST_TOLD, TOLD_AGAIN = 1.0, 30.0
"""Seconds: a wait that is told of, and after which one is that is not longer than the last one told."""
LONGER = 1.5
"""How many times the last wait told; each wait is a little random."""
log = logging.getLogger("leadsync")


class Patience:
    """That of all threads that ask one service."""

    def __init__(self, service: str, pacing: Pacing, clock: Clock) -> None:
        self._service, self._pacing, self._clock = service, pacing, clock
        self._ended = ""
        self._silent_since: float | None = None
        self._told, self._told_at, self._telling = 0.0, 0.0, threading.Lock()

    def pause(self, seconds: float, more: float = 0.0, refusal: str = "") -> bool:
        """
        The service asks for a pause, everybody's; `more`: what we add to it; `refusal`: the kind of a 429.

        Returns: whether it is waited out. One that is too long ends the side: what was answered counts, and nothing
        more is asked.
        """
        if seconds <= LONGEST_WAIT:
            self._pacing.pause(seconds + more, refusal)
            return True
        self._ended = (
            f"{self._service} asks for a wait of {seconds:.0f} s, and a run waits {LONGEST_WAIT:.0f} s at most. Run "
            "again when it is over."
        )
        return False

    def note(self, answered: bool) -> None:
        """A request was answered, be it by a refusal, or got nothing that counts."""
        if answered:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = self._clock.monotonic()

    def tell(self, what: str, seconds: float) -> None:
        """
        Whoever looks on learns why nothing happens.

        Many threads wait, again and again: of their waits the longer ones are told, and now and then another.
        """
        now = self._clock.monotonic()
        with self._telling:
            known = seconds < LONGER * self._told and now - self._told_at < TOLD_AGAIN
            if known or seconds < SHORTEST_TOLD:
                return
            self._told, self._told_at = seconds, now
        log.warning("%s: %s, again in %.0f s.", self._service, what, seconds)

    def check(self) -> None:
        """Raises: TransientServiceError if nothing more is to be asked."""
        since = self._silent_since
        if since is not None and self._clock.monotonic() - since > STUCK_AFTER:
            self._ended = f"{self._service} has answered nothing for {STUCK_AFTER / 60:.0f} minutes. Run again later."
        if self._ended:
            raise TransientServiceError(self._ended)
