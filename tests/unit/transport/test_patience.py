"""Waits are told where people look, and not for ever."""

from __future__ import annotations

import logging
import threading

import pytest

from leadsync.transport.pacing import Pace, Pacing
from leadsync.transport.patience import TOLD_AGAIN, Patience


class Clock:
    """Stands, unless it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def patience(clock):
    return Patience("Airtable", Pacing(Pace(0, 1, 30), clock), clock)


@pytest.fixture
def told(caplog):
    """What has been told so far."""
    caplog.set_level(logging.WARNING, "leadsync")
    return lambda: [line.getMessage() for line in caplog.records if line.name == "leadsync"]


def test_longer_waits_of_one_request_are_told_with_what_came(patience, told):
    """Not the first, which is over before anybody has read of it."""
    for seconds in (0.5, 1.1, 2.0, 4.2):
        patience.tell("an answer of 500", seconds)
    assert told() == [f"Airtable: an answer of 500, again in {seconds} s." for seconds in (1, 2, 4)]


def test_waits_of_many_threads_are_told_once(patience, told):
    threads = [threading.Thread(target=patience.tell, args=("too many requests (429)", 30)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told() == ["Airtable: too many requests (429), again in 30 s."]


def test_wait_that_goes_on_is_told_now_and_then(patience, told, clock):
    """An hour of a service that is away is no thousand lines."""
    for _ in range(3600 // 4):
        patience.tell("an answer of 503", 4.0)
        clock.now += 4
    assert 3600 / TOLD_AGAIN / 2 < len(told()) <= 3600 / TOLD_AGAIN
