"""Limits that are met all the same: other programs on the same budget, one shared pause, and the month's quota."""

from __future__ import annotations

from itertools import pairwise

import pytest

from emulator import Fault

SECONDS = {"airtable": 30.0, "trello": 10.0}
FACTOR = {"airtable": 10.0, "trello": 4.0}
"""How much faster than real time: a busy machine that stalls for a second must not look like a pause."""


# Other programs


def test_program_on_the_same_base_causes_waits_and_no_failure(limited, small_pages, shared_clock):
    """It takes half as many calls as Airtable allows, so that both together are too many."""
    world = limited(40, clock=shared_clock)
    small_pages(5)
    world.emulator.before_request(
        lambda request, index: request.service == "airtable" and index % 2 and world.airtable.foreign_calls(1)
    )
    report = world.paced_sync(shared_clock)
    refusals = len(world.answers(429, "airtable"))
    assert (report.exit_code, report.failures, report.counts["created"]) == (0, [], 40)
    assert 1 <= refusals <= shared_clock.waited / SECONDS["airtable"]
    assert world.emulator.calls("airtable") == 8 + refusals


def test_program_with_the_same_token_causes_waits_and_no_failure(limited, shared_clock):
    """Trello tells what is left of the window; what four writers have under way may still be refused."""
    world = limited(80, clock=shared_clock)
    eaten = []

    def eat_half(request, index):
        if request.method == "POST" and not eaten:
            eaten.append(index)
            world.trello.foreign_calls(50)

    world.emulator.before_request(eat_half)
    report = world.paced_sync(shared_clock)
    assert (report.exit_code, report.failures, report.counts["created"]) == (0, [], 80)
    assert shared_clock.waited >= SECONDS["trello"] - 1
    assert len(world.answers(429)) <= 3
    world.assert_one_card_each()


# After a 429


def pauses(times, at_least):
    return [later - earlier for earlier, later in pairwise(times) if later - earlier > at_least]


@pytest.mark.parametrize(
    ("service", "first", "times"),
    [
        pytest.param("airtable", 3, 1, id="airtable"),
        pytest.param("trello", 3, 1, id="trello"),
        pytest.param("trello", 1, 4, id="trello-refuses-all-writers"),
    ],
)
def test_429_is_followed_by_one_pause_of_everybody(limited, small_pages, fast_clock, service, first, times):
    """The window is waited out once, however many writers were refused; only what was under way still arrives."""
    clock, window = fast_clock(FACTOR[service]), SECONDS[service]
    world = limited(32, strict=False, clock=clock, latency=0.03)
    small_pages(8)
    method = {"airtable": "GET", "trello": "POST"}[service]
    world.emulator.inject(Fault("status", service=service, method=method, status=429, nth=first, times=times))
    report = world.paced_sync(clock)
    assert (report.exit_code, report.failures, len(world.answers(429))) == (0, [], times)
    (pause,) = pauses(world.arrivals(service), 0.7 * window)
    assert window - 1 <= pause < 2 * window - 1
    refused = world.answers(429)[-1]
    assert sum(refused < at < refused + window for at in world.arrivals(service)) <= 3
    world.assert_one_card_each()


def test_stated_retry_after_is_waited_for_instead(limited, fast_clock):
    clock = fast_clock(FACTOR["trello"])
    world = limited(8, strict=False, clock=clock)
    fault = Fault("status", service="trello", method="POST", status=429, nth=3, headers={"Retry-After": "20"})
    world.emulator.inject(fault)
    report = world.paced_sync(clock)
    (pause,) = pauses(world.arrivals("trello"), 15)
    assert (report.exit_code, 20 - 1 <= pause < 30) == (0, True)


# The month's quota

ENVELOPES = pytest.mark.parametrize("envelope", ["plural", "single"])


def assert_told(report):
    assert (report.exit_code, "monthly API quota" in f"{report.message} {report.failures}") == (1, True)


@ENVELOPES
def test_used_up_quota_ends_the_run_at_the_first_request(limited, shared_clock, envelope):
    world = limited(3, clock=shared_clock, monthly_quota=0, airtable_429_envelope=envelope)
    before = world.trello.cards()
    report = world.paced_sync(shared_clock)
    assert_told(report)
    assert (world.emulator.calls("airtable"), world.writes(), shared_clock.waited) == (1, 0, 0.0)
    assert world.trello.cards() == before


@pytest.fixture
def dragged(limited, shared_clock):
    """`dragged(**emulator)`: so many leads, whose cards were all moved."""

    def make(leads, **emulator):
        world = limited(leads, clock=shared_clock, **emulator)
        world.paced_sync(shared_clock, AIRTABLE_REQUESTS_PER_SECOND="50")
        for lead in world.airtable.records():
            world.trello.move(world.card(lead)["id"], "DONE")
        return world

    return make


@ENVELOPES
@pytest.mark.parametrize("left", [1, 2], ids=["at-the-re-read", "at-the-write"])
def test_quota_used_up_half_way_is_not_asked_again(dragged, shared_clock, envelope, left):
    """The leads wait for the next month; each of them is listed."""
    world = dragged(15, monthly_quota=1 + left, airtable_429_envelope=envelope)
    report = world.paced_sync(shared_clock)
    assert_told(report)
    assert {failure["lead_id"] for failure in report.failures} == set(world.airtable.records())
    assert (world.emulator.calls("airtable"), world.writes("airtable")) == (1 + left, left - 1)
    assert (world.writes("trello"), shared_clock.waited) == (0, 0.0)


def test_airtable_that_stays_away_while_written_to_is_given_up(dragged, shared_clock):
    """As Trello is: else each further batch costs five tries, and with a silent service minutes."""
    world = dragged(20)
    world.emulator.inject(Fault("status", service="airtable", method="PATCH", status=503, times=99))
    report = world.paced_sync(shared_clock)
    assert (report.exit_code, len(report.failures)) == (1, 20)
    assert world.writes("airtable") == 5
