"""Callers of a gateway that never come to an end, beside good ones at a steady pace; and what the gateway holds."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from support.gateway_bench import Bench
from support.gateway_world import trello_delivery

HALF_HEAD = b"POST /webhooks/trello HTTP/1.1\r\nHost: localhost\r\n"
HALF_BODY = HALF_HEAD + b"Content-Length: 120000\r\n\r\n" + b"x" * 100_000
DRIP_EVERY, CALL_AGAIN = 2.0, 10.0
"""Seconds between two bytes, and until one whom the gateway closed is there again."""
GOOD_CALLERS = 5


@dataclass(frozen=True)
class Moment:
    """The gateway at some time of a soak [s]; `good` and `failed`: requests so far, `slowest` since the last [s]."""

    seconds: float
    rss_kib: int
    threads: int
    files: int
    good: int
    failed: int
    slowest: float
    slow_callers: int
    edits: int


class SlowCallers:
    """So many at once who send half a head, and who send half a body; `came`: how often one connected."""

    def __init__(self, url: str, heads: int, bodies: int) -> None:
        self._place = urlsplit(url)
        self._begun = [HALF_HEAD] * heads + [HALF_BODY] * bodies
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._call()), daemon=True)
        self.came = 0

    def __enter__(self) -> SlowCallers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(30)

    async def _call(self) -> None:
        callers = [asyncio.create_task(self._caller(begun)) for begun in self._begun]
        while not self._stopping.is_set():
            await asyncio.sleep(0.1)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)

    async def _caller(self, begun: bytes) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(self._place.hostname, self._place.port)
                self.came += 1
                try:
                    writer.write(begun)
                    await self._drip(reader, writer, b"X: y\r\n" if begun is HALF_HEAD else b"x")
                finally:
                    writer.close()
            await asyncio.sleep(CALL_AGAIN)

    async def _drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, drop: bytes) -> None:
        """Until the gateway closes."""
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(DRIP_EVERY):
                    if not await reader.read(1000):
                        return
            except TimeoutError:
                writer.write(drop)


class GoodCallers:
    """So many requests a second: health, and deliveries that are signed, most of them repeated."""

    def __init__(self, bench: Bench, rate: float) -> None:
        self._bench, self._rate = bench, rate
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(n,), daemon=True) for n in range(GOOD_CALLERS)]
        self.good, self.failed, self.slowest = [0] * GOOD_CALLERS, [0] * GOOD_CALLERS, [0.0] * GOOD_CALLERS

    def __enter__(self) -> GoodCallers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)

    def slowest_since(self) -> float:
        """Since it was last asked for [s]."""
        found, self.slowest = max(self.slowest), [0.0] * GOOD_CALLERS
        return found

    def _call(self, caller: int) -> None:
        url, every, begun = self._bench.gateway.url, GOOD_CALLERS / self._rate, time.monotonic()
        secret, number = self._bench.emulator.trello.secret, 0
        with requests.Session() as session:
            while not self._stopping.wait(max(0.0, begun + number * every - time.monotonic())):
                number += 1
                started = time.perf_counter()
                try:
                    if number % 2:
                        answer = session.get(f"{url}/health", timeout=30)
                    else:
                        answer = session.post(**trello_delivery(url, f"soak {caller}", secret), timeout=30)
                    fine = answer.status_code == 200
                except requests.RequestException:
                    fine = False
                self.good[caller] += fine
                self.failed[caller] += not fine
                self.slowest[caller] = max(self.slowest[caller], time.perf_counter() - started)


def soak(bench: Bench, seconds: float, heads: int, bodies: int, rate: float, looks: int) -> Iterator[Moment]:
    """
    Slow and good callers at once, and an edit now and then that a sync has to carry over. Linux.

    Yields: the gateway before, `looks` times meanwhile, and after the slow ones have gone.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))  # ours; the gateway has what it has
    edits, begun = 0, time.monotonic()

    def now() -> Moment:
        held, at = bench.gateway.resources(), time.monotonic() - begun
        good, failed = sum(calling.good), sum(calling.failed)
        return Moment(
            at, **held, good=good, failed=failed, slowest=calling.slowest_since(), slow_callers=slow.came, edits=edits
        )

    try:
        with GoodCallers(bench, rate) as calling:
            slow = SlowCallers(bench.gateway.url, heads, bodies)
            yield now()
            with slow:
                for look in range(1, looks + 1):
                    while time.monotonic() - begun < seconds * look / looks:
                        bench.edit(edits)
                        edits += 1
                        time.sleep(2)
                    yield now()
            time.sleep(11)  # a limiter's thread takes up to ten seconds to end
            yield now()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
