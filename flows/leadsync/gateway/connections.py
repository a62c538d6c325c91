"""
One connection to the gateway: how long a caller may take to send and to fetch, and how many connections are open.

uvicorn waits for the rest of a head, for the rest of a body that is answered already, and for an answer to be fetched
for as long as the caller likes. Never here: a route, who may ask.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from enum import Enum, auto

import h11
from urllib3.util.wait import wait_for_read
from uvicorn.protocols.http.h11_impl import H11Protocol

from leadsync.gateway.problems import BODY_TIMEOUT

HEAD_WITHIN = 10.0
"""Seconds in which the head of a request has to be whole, from the connection or the answer before on."""
GRACE = 2.0
"""Seconds for the rest of a body once it is answered, or more than BODY_TIMEOUT, which is answered with a problem."""
FETCH_WITHIN = 30.0
"""Seconds in which an answer that does not fit into the buffers has to be fetched."""
MOST_OPEN = 400
"""Open connections; fewer where a process may have few files, since a sync needs some too."""
ACCEPTED_AT_ONCE = 128
"""So many connections may come on top before the eldest are closed."""


class Phase(Enum):
    """What a connection waits for; only in ANSWER it is not the caller."""

    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    REST = auto()
    FETCH = auto()


class Connection(H11Protocol):
    """A connection that is closed when its caller takes too long, or is the eldest to do so while too many are open."""

    phase, since, is_known = Phase.ANSWER, 0.0, False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As asyncio has it."""
        super().connection_made(transport)
        self._look()
        if len(self.connections) > most_open():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio has it."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """As asyncio has it."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """The answer is written; the next request may have been received before."""
        super().on_response_complete()
        self.is_known = True
        self._look()

    def pause_writing(self) -> None:
        """As asyncio has it."""
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        """As asyncio has it."""
        super().resume_writing()
        self._look()

    def hang_up(self) -> None:
        """Close at once; an answer that was not fetched is dropped."""
        self.connections.discard(self)
        self.transport.abort()

    def _look(self) -> None:
        phase = self._current()
        if phase is self.phase:
            return
        self.phase, self.since = phase, self.loop.time()
        if self._deadline is not None:
            self._deadline.cancel()
        within = WITHIN[phase]()
        self._deadline = None if within is None else self.loop.call_later(within, self.hang_up)

    def _current(self) -> Phase:
        if self.transport.is_closing() or self.flow.write_paused:
            return Phase.FETCH
        if self.conn.their_state is h11.IDLE:
            return Phase.HEAD
        if self.conn.their_state is h11.SEND_BODY:
            return Phase.REST if self.cycle.response_complete else Phase.BODY
        return Phase.ANSWER

    def _make_room(self) -> None:
        """
        A caller who sends at once is the youngest; if all are being answered, the newcomer has to go.

        Of those who wait strangers go first while they are the most: a connection that is kept between two requests is
        an old one, and would be closed as the next is on its way.
        """
        open_ones = [each for each in self.connections if isinstance(each, Connection) and each is not self]
        waiting = sorted((each for each in open_ones if each.phase is not Phase.ANSWER), key=lambda each: each.since)
        strangers = [each for each in waiting if not each.is_known]
        those = strangers if 2 * len(strangers) > len(waiting) else waiting
        next((each for each in those if not each._has_sent()), those[0] if those else self).hang_up()

    def _has_sent(self) -> bool:
        """Whether a head, or more of it, has come in that was not looked at: accepting a crowd takes its time."""
        return self.phase is Phase.HEAD and wait_for_read(self.transport.get_extra_info("socket"), timeout=0)


WITHIN: dict[Phase, Callable[[], float | None]] = {
    Phase.HEAD: lambda: HEAD_WITHIN,
    Phase.BODY: lambda: BODY_TIMEOUT + GRACE,
    Phase.ANSWER: lambda: None,
    Phase.REST: lambda: GRACE,
    Phase.FETCH: lambda: FETCH_WITHIN,
}


def most_open() -> int:
    """MOST_OPEN, or half of the files that this process may have open."""
    if sys.platform == "win32":
        return MOST_OPEN
    import resource

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_OPEN if files == resource.RLIM_INFINITY else min(MOST_OPEN, files // 2)
