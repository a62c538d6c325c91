"""
One uvicorn server in a daemon thread: HTTP in, `Request` out, and broken connections on demand.

Nothing here knows what is served.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from emulator.wire.messages import Reply, Request, parse_body, parse_query


@dataclass(frozen=True)
class Delivery:
    """How to send an answer: whole, cut in the middle, or not at all after some silence."""

    reply: Reply | None
    silence: float = 0.0
    """Wait before the connection is reset, if there is no reply [s]."""
    cut: bool = False


WORKERS = 16

Answer = Callable[[Request], Delivery]


class _LoopbackServer(uvicorn.Server):
    """Stops at once: uvicorn's own loop and shutdown poll every 0.1 s, which adds up over many tests."""

    def __init__(self, config: uvicorn.Config, transports: "Transports") -> None:
        super().__init__(config)
        self.closing = asyncio.Event()
        self._transports = transports

    async def main_loop(self) -> None:
        while not self.closing.is_set():
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.closing.wait(), 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for transport in list(self._transports.values()):
            transport.abort()
        for task in self.server_state.tasks:
            task.cancel()
        await asyncio.sleep(0)


Transports = dict[tuple[str, int], asyncio.Transport]


class HttpServer:
    """
    Serves `answer` on the loopback interface; it may be stopped and started again on the same port.

    The Date header tells `now`, not the machine's time; without `dated` there is none.
    """

    def __init__(self, answer: Answer, now: Callable[[], float], port: int, latency: float, dated: bool = True) -> None:
        self._answer, self._now, self._latency, self._dated = answer, now, latency, dated
        self.port = port
        self._transports: Transports = {}
        # Not the loop's own executor: closing the loop would wait for a callback that stops the emulator.
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="emulator")
        self._server: _LoopbackServer | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """
        Listen and return when requests are accepted.

        Raises: OSError when the port is taken; RuntimeError when already started.
        """
        if self._thread is not None:
            raise RuntimeError("the emulator is already running")
        # asyncio switches Nagle's algorithm off only for sockets that name their protocol; with it, each
        # answer waits 40 ms for an acknowledgement between head and body.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._server = _LoopbackServer(self._config(), self._transports)
        self._thread = threading.Thread(target=self._run, args=(self._server, listener), daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the emulator's server did not start")
            time.sleep(0.002)

    def stop(self) -> None:
        """Close every connection and return when the port is free; does nothing when not started."""
        if self._thread is None or self._server is None or self._loop is None:
            return
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._server.closing.set)
        self._thread.join(timeout=5)
        self._thread = self._server = None

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            _application(self._serve),
            http=_protocol(self._transports),
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level=60,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
        )

    def _run(self, server: _LoopbackServer, listener: socket.socket) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await server.serve(sockets=[listener])

        asyncio.run(serve())
        listener.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _request(scope, await _body(receive), self._now())
        if self._latency:
            await asyncio.sleep(self._latency)
        delivery = await asyncio.get_running_loop().run_in_executor(self._workers, self._answer, request)
        if delivery.reply is None:
            await self._break(scope, delivery.silence)
        else:
            date = {"date": formatdate(self._now(), usegmt=True)} if self._dated else {}
            await _send(send, delivery.reply, delivery.cut, date)

    async def _break(self, scope: Scope, silence: float) -> None:
        await asyncio.sleep(silence)
        transport = self._transports.get(tuple(scope["client"]))
        if transport is not None:
            transport.abort()
        await asyncio.sleep(0.01)


def _application(serve: Callable[[Scope, Receive, Send], Any]) -> Starlette:
    application = Starlette()
    application.router.default = serve
    return application


def _protocol(transports: Transports) -> type[asyncio.Protocol]:
    class TrackedProtocol(H11Protocol):
        """Lets a fault find the connection of its request."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            transports[transport.get_extra_info("peername")[:2]] = transport
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self.transport.get_extra_info("peername")[:2], None)
            super().connection_lost(exc)

    return TrackedProtocol


async def _body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _request(scope: Scope, raw_body: bytes, at: float) -> Request:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    raw_query = scope["query_string"].decode("latin-1")
    parameters, query = parse_query(raw_query)
    body, malformed = parse_body(raw_body, headers.get("content-type", ""))
    path = scope["raw_path"].decode("latin-1").split("?")[0]
    service = "trello" if path.startswith("/1/") else "airtable"
    return Request(service, scope["method"], path, query, body, headers, at, None, parameters, raw_query, malformed)


async def _send(send: Send, reply: Reply, cut: bool, date: dict[str, str]) -> None:
    headers = {"content-type": reply.content_type, "content-length": str(len(reply.body)), **date, **reply.headers}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    if cut:
        await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
        return  # returning before the body is complete makes uvicorn close the connection
    await send({"type": "http.response.body", "body": reply.body})
