"""Calls are counted over runs, and a paced run that would outspend the month's quota waits."""

import datetime

import pytest

from leadsync.pipeline import clients, run
from leadsync.state.store import StateStore

QUOTA = {"AIRTABLE_MONTHLY_CALLS": "1000"}


@pytest.fixture
def day(monkeypatch):
    """Set the day of 2026, in November by default, on which the run takes place."""

    def it_is(day, month=11):
        for module in (clients, run):
            monkeypatch.setattr(module, "now_utc", lambda: datetime.datetime(2026, month, day, tzinfo=datetime.UTC))

    it_is(1)
    return it_is


def test_paced_run_waits_until_the_pace_has_caught_up(world, day):
    """Skipped without a request; it counts as done, says when, and later goes."""
    world.sync(**QUOTA)
    spend(world, 499)
    skipped = world.sync(paced=True, **QUOTA)
    assert (skipped.exit_code, skipped.title, world.calls()) == (0, "Skipped", (0, 0))
    assert "500 of 1,000 Airtable calls of this month are used" in skipped.message
    assert "due at 2026-11-16 00:00 UTC" in skipped.message
    day(16)
    assert world.sync(paced=True, **QUOTA).title == "Completed"


def test_run_on_demand_warns_and_goes(world, day):
    """A person who asks for a sync gets one."""
    spend(world, 1000)
    lead = world.lead("Ada")
    report = world.sync(**QUOTA)
    assert world.cards_of(lead)
    assert any("ahead of its pace" in note["note"] for note in report.notes)


def test_quota_is_new_with_the_month(world, day):
    """What November spent does not count in December."""
    spend(world, 5000)
    assert world.sync(paced=True, **QUOTA).title == "Skipped"
    day(1, month=12)
    assert world.sync(paced=True, **QUOTA).title == "Completed"


def test_each_workspace_has_a_quota_of_its_own(world, day):
    """What another one's pairs have used up is not this one's; without a name all are one."""
    spend(world, 5000)
    assert world.sync(paced=True, **QUOTA).title == "Skipped"
    assert world.sync(paced=True, AIRTABLE_WORKSPACE="North", **QUOTA).title == "Completed"
    world.sync(AIRTABLE_WORKSPACE="North")
    store = StateStore(world.env["SYNC_STATE_URL"])
    assert (store.calls.load("2026-11"), store.calls.load("2026-11 North")) == (5000, 2)
    store.close()


def test_count_is_that_of_the_service(world, day):
    """Every request of every run, dry runs and refused ones too."""
    total = 0
    for number in range(3):
        world.lead(f"Lead {number}")
        world.sync(dry_run=number == 1)
        total += world.calls()[0]
    world.airtable.revoke(world.airtable.token)
    world.sync(exit_code=2)
    total += world.calls()[0]
    store = StateStore(world.env["SYNC_STATE_URL"])
    assert store.calls.load("2026-11") == total > 3
    store.close()


def spend(world, calls):
    """What other runs have used up."""
    store = StateStore(world.env["SYNC_STATE_URL"])
    store.calls.add("2026-11", calls)
    store.close()
