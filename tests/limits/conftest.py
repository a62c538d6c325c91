"""Clocks for worlds in which limits are enforced, and runs at the product's own pace."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import pytest

from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options
from leadsync.transport.pacing import Pace
from leadsync.transport.service import Service
from leadsync.transport.wire import Wire
from support.harness import World
from support.told import Told

DEFAULT_PACE = {"AIRTABLE_REQUESTS_PER_SECOND": None, "TRELLO_REQUESTS_PER_10_SECONDS": None}


class SharedClock:
    """One clock for both ends of the wire; waiting for a service's sake moves it and takes no time."""

    def __init__(self) -> None:
        self.waited, self._lock = 0.0, threading.Lock()

    def now(self) -> float:
        return time.time() + self.waited

    def advance(self, seconds: float) -> None:
        with self._lock:
            self.waited += seconds

    monotonic, sleep = now, advance


class FastClock:
    """One clock for both ends of the wire, `factor` times as fast as the machine's; threads wait for real."""

    def __init__(self, factor: float) -> None:
        self.factor, self.started = factor, time.time()

    def now(self) -> float:
        return self.started + (time.time() - self.started) * self.factor

    monotonic = now

    def advance(self, seconds: float) -> None:
        raise AssertionError("this clock goes by itself")

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self.factor)


class Limited(World):
    """A world with limits and, unless settings say otherwise, the product's default pace."""

    def paced_sync(self, clock: Any = time, **changes: str | None) -> Told:
        """One run at the pace of the settings; `clock` is what its waits go by."""
        self.emulator.clear_requests()
        factor = getattr(clock, "factor", 1)

        def wire(service: Service, pace: Pace, **more: Any) -> Wire:
            paced = Pace(pace.limit, pace.seconds / factor, pace.penalty, pace.allowed)
            return Wire(service, paced, clock=clock, **more)

        return Told(run_sync(self.settings(**(DEFAULT_PACE | changes)), Options(), transport=wire))

    def arrivals(self, service: str, writes: bool | None = None) -> list[float]:
        """When the requests of the last run arrived."""
        seen = [each for each in self.emulator.requests if each.service == service]
        return [each.at for each in seen if writes in (None, each.is_write)]

    def answers(self, status: int, service: str | None = None) -> list[float]:
        """When the requests arrived that were answered so."""
        seen = [each for each in self.emulator.requests if service in (None, each.service)]
        return [each.at for each in seen if each.status == status]


@pytest.fixture
def limited(tmp_path):
    """`limited(leads, **emulator)`: a world with so many leads and strict limits."""
    made = []

    def make(leads: int, **emulator: Any) -> Limited:
        made.append(Limited(tmp_path, **({"strict": True} | emulator)))
        for number in range(leads):
            made[-1].lead(f"Lead {number}")
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def small_pages(monkeypatch):
    """`small_pages(n)`: Airtable is read n leads at a time."""
    return partial(monkeypatch.setattr, "leadsync.airtable.client.PAGE")


@pytest.fixture
def shared_clock():
    return SharedClock()


@pytest.fixture
def fast_clock():
    """`fast_clock(factor)`: see FastClock."""
    return FastClock
