"""At its own pace the sync never hears a 429, and it is hardly slower than its settings allow."""

from __future__ import annotations

import time

import pytest
from limits.conftest import DEFAULT_PACE
from requests.adapters import HTTPAdapter

from leadsync.pipeline.fleet import shared_transport
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options
from leadsync.transport.budgets import Budgets

LEADS = 125
PAGE = 5
PER_SECOND, PER_WINDOW = 4.75, 95
"""The default settings."""


def test_default_pace_is_kept_and_used(limited, small_pages):
    """
    25 Airtable requests in a row, then more cards than fit into one of Trello's windows; in real time.

    Half the pace, and a second window left out, are more than a slow machine explains.
    """
    world = limited(LEADS)
    small_pages(PAGE)
    report = world.paced_sync()
    assert (report.exit_code, report.counts["created"], world.answers(429)) == (0, LEADS, [])
    reads, writes = world.arrivals("airtable"), world.arrivals("trello", writes=True)
    assert (len(reads), len(writes)) == (LEADS // PAGE, LEADS)
    assert (len(reads) - 1) / (reads[-1] - reads[0]) >= 0.5 * PER_SECOND
    (wait,) = [later - first for first, later in zip(writes, writes[PER_WINDOW:], strict=False)][:1]
    assert 10 - 0.1 <= wait < 19


def test_request_that_arrives_late_does_not_bring_on_a_429(limited, small_pages, shared_clock, monkeypatch):
    """A quarter of a second on the way is nothing unusual, and 30 s is what a 429 costs."""
    world, send, sent = limited(40, clock=shared_clock), HTTPAdapter.send, []

    def late_once(self, request, *args, **kwargs):
        if "/v0/" in request.url:
            sent.append(request)
            time.sleep(0.25 if len(sent) == 1 else 0)
        return send(self, request, *args, **kwargs)

    monkeypatch.setattr(HTTPAdapter, "send", late_once)
    small_pages(PAGE)
    assert (world.paced_sync(shared_clock).exit_code, world.answers(429)) == (0, [])


def test_runs_one_after_the_other_keep_the_pace_of_their_base_together(limited, small_pages):
    """As those of a fleet do: a run goes on where another has ended. In real time."""
    world, transport = limited(2 * PAGE), shared_transport(Budgets())
    small_pages(PAGE)
    reports = [run_sync(world.settings(**DEFAULT_PACE), Options(), transport=transport) for _ in range(5)]
    assert ([report.exit_code for report in reports], world.answers(429)) == ([0] * 5, [])
    reads = world.arrivals("airtable")
    assert len(reads) == 2 * len(reports)
    assert [later - first for first, later in zip(reads, reads[5:], strict=False) if later - first < 1] == []


@pytest.mark.exhaustive
def test_initial_load_of_300_leads_hears_no_429(limited):
    world = limited(300)
    report = world.paced_sync()
    assert (report.exit_code, report.counts["created"], world.answers(429)) == (0, 300, [])
    world.assert_one_card_each()


@pytest.mark.exhaustive
def test_default_pace_is_kept_over_several_windows_of_both_directions(limited, small_pages):
    """A second run that moves every card and every lead."""
    world = limited(220)
    world.paced_sync()
    for number, lead in enumerate(list(world.airtable.records())):
        if number % 2:
            world.airtable.edit(lead, status="CONTACTED")
        else:
            world.trello.move(world.card(lead)["id"], "DONE")
    small_pages(20)
    report = world.paced_sync()
    assert (report.exit_code, report.failures, world.answers(429)) == (0, [], [])
    world.assert_equal()
