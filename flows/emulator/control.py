"""
The emulator: both services behind one port, with the controls a test needs.

What a service answers is in its folder; here it is only counted, broken on purpose, and passed on.
"""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from emulator.airtable.person import AirtablePerson
from emulator.airtable.service import AirtableService
from emulator.airtable.world import AirtableWorld
from emulator.clock import Clock, RealTimeClock
from emulator.demo_leads import add_demo_leads
from emulator.ids import BEGINNING, IdSource
from emulator.knobs import Knobs
from emulator.trello.person import TrelloPerson
from emulator.trello.service import TrelloService
from emulator.trello.world import TrelloWorld
from emulator.wire.courier import Attempt, Courier
from emulator.wire.faults import BEFORE_EXECUTION, Fault, FaultScript, false_reply
from emulator.wire.messages import Reply, Request, text_reply
from emulator.wire.server import Delivery, HttpServer

BeforeRequest = Callable[[Request, int], None]


class Emulator:
    """
    Airtable under /v0 and Trello under /1, on one loopback port.

    strict: rate limits are enforced. clock: `now()` and `advance(seconds)`; the machine's time by default.
    port: 0 takes a free one. latency: real time before each answer [s]. trello_page_cap: see `Knobs`.
    monthly_quota: Airtable calls before PUBLIC_API_BILLING_LIMIT_EXCEEDED. Further keywords: see `Knobs`;
    an unknown one raises TypeError.
    """

    def __init__(
        self,
        *,
        strict: bool = False,
        clock: Clock | None = None,
        port: int = 0,
        latency: float = 0.0,
        trello_page_cap: int | None = 1000,
        monthly_quota: int | None = None,
        **knobs: Any,
    ) -> None:
        self.clock = clock or RealTimeClock()
        self.knobs = Knobs(trello_page_cap=trello_page_cap, **knobs)
        self.requests: list[Request] = []
        self.errors: list[Exception] = []
        """What callbacks, or the emulator itself, raised while answering; leaving the `with` block raises the first."""
        self._lock = threading.RLock()
        self._faults = FaultScript()
        self._callbacks: list[BeforeRequest] = []
        ids = IdSource(self.knobs.seed, BEGINNING if clock is None else None)
        airtable = AirtableWorld(self.knobs, self.clock, ids)
        trello = TrelloWorld(self.knobs, self.clock, ids)
        self._courier = Courier(self.clock, self._lock)
        airtable.send = trello.send = self._courier.send
        airtable.is_waiting = self._courier.waits
        self._airtable_service = AirtableService(airtable, strict, monthly_quota)
        self._trello_service = TrelloService(trello, strict)
        self.airtable = AirtablePerson(airtable, self._airtable_service, self._lock)
        self.trello = TrelloPerson(trello, self._trello_service, self._lock)
        ids.begin()
        self._server = HttpServer(self._answer, self.clock.now, port, latency, self.knobs.date_header)

    @classmethod
    def demo(cls, **options: Any) -> "Emulator":
        """An emulator with believable leads and no cards; `options` as for the constructor."""
        emulator = cls(**options)
        emulator.load_demo()
        return emulator

    def load_demo(self) -> list[str]:
        """Add the demo leads; returns their record ids."""
        return add_demo_leads(self.airtable)

    # Life

    def start(self) -> "Emulator":
        """Listen; a second start takes the same port again. Raises: OSError when the port is taken."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Close every connection and free the port; the data stays, undelivered notifications do not."""
        self._courier.stop()
        self._server.stop()

    def __enter__(self) -> "Emulator":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if kind is None and self.errors:
            raise self.errors[0]

    @property
    def url(self) -> str:
        """The endpoint of both services, without a slash at the end; known once started (or with a fixed port)."""
        return f"http://127.0.0.1:{self._server.port}"

    def settings(self) -> dict[str, str]:
        """Environment variables that point a program at this emulator."""
        return {
            "AIRTABLE_ENDPOINT_URL": self.url,
            "AIRTABLE_API_TOKEN": self.airtable.token,
            "AIRTABLE_BASE_ID": self.airtable.base_id,
            "AIRTABLE_TABLE_NAME": "Leads",
            "TRELLO_ENDPOINT_URL": self.url,
            "TRELLO_API_KEY": self.trello.key,
            "TRELLO_API_TOKEN": self.trello.token,
            "TRELLO_API_SECRET": self.trello.secret,
            "TRELLO_BOARD_ID": self.trello.board_id,
            "TRELLO_LIST_TODO_ID": self.trello.list_id("TODO"),
            "TRELLO_LIST_IN_PROGRESS_ID": self.trello.list_id("IN_PROGRESS"),
            "TRELLO_LIST_DONE_ID": self.trello.list_id("DONE"),
        }

    # Watching and disturbing

    def calls(self, service: str, writes: bool | None = None) -> int:
        """Requests to a service so far; only writes, or only reads, when `writes` says so."""
        with self._lock:
            return sum(r.service == service and writes in (None, r.is_write) for r in self.requests)

    def clear_requests(self) -> None:
        """Forget all requests; indices and counts start anew."""
        with self._lock:
            self.requests.clear()

    @property
    def deliveries(self) -> list[Attempt]:
        """Every attempt to deliver to a webhook so far, oldest first (the last 5,000)."""
        with self._lock:
            return list(self._courier.attempts)

    def settle(self, timeout: float = 10.0) -> bool:
        """Wait until all that is due was delivered; False if that took longer than `timeout` [s, real time]."""
        return self._courier.settle(timeout)

    def inject(self, fault: Fault) -> None:
        """Schedule a fault; counting starts with the next request."""
        with self._lock:
            self._faults.add(fault)

    def clear_faults(self) -> None:
        """Forget the faults that have not fired."""
        with self._lock:
            self._faults.clear()

    def before_request(self, callback: BeforeRequest) -> Callable[[], None]:
        """
        Call `callback(request, index)` before each request takes effect; returns a function that removes it.

        `index` counts from 0 since `clear_requests`. The callback may edit through the person-API, send
        requests of its own, stop the emulator, or end a process. What it raises is answered with status 500 and
        kept in `errors`.
        """
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback) if callback in self._callbacks else None

    def _answer(self, request: Request) -> Delivery:
        with self._lock:
            self.requests.append(request)
            index = len(self.requests) - 1
            fault = self._faults.take(request)
        try:
            for callback in list(self._callbacks):
                callback(request, index)
            delivery = self._delivery(request, fault)
        except Exception as error:
            self.errors.append(error)
            delivery = Delivery(text_reply(f"emulator: {type(error).__name__}: {error}", 500))
        request.status = None if delivery.reply is None else delivery.reply.status
        return delivery

    def _delivery(self, request: Request, fault: Fault | None) -> Delivery:
        if fault is None:
            return Delivery(self._executed(request))
        reply = None if fault.kind in BEFORE_EXECUTION else self._executed(request)
        if fault.kind.startswith(("drop", "timeout")):
            return Delivery(None, fault.seconds if fault.kind.startswith("timeout") else 0.0)
        if fault.kind == "truncate":
            return Delivery(reply, cut=True)
        return Delivery(false_reply(fault, request))

    def _executed(self, request: Request) -> Reply:
        with self._lock:
            service = self._trello_service if request.service == "trello" else self._airtable_service
            return service.answer(request)
