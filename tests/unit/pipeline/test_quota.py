"""The month's calls against the quota: when the next run fits."""

import datetime

import pytest

from leadsync.pipeline.quota import Month, start_of_month

NOVEMBER = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("spent", "due"),
    [
        pytest.param(0, "2026-11-01 00:00", id="nothing-spent"),
        pytest.param(500, "2026-11-16 00:00", id="half"),
        pytest.param(999, "2026-11-30 23:16", id="one-left"),
        pytest.param(1000, "2026-12-01 00:00", id="used-up"),
        pytest.param(4000, "2026-12-01 00:00", id="overdrawn"),
    ],
)
def test_next_run_is_due_when_the_pace_has_caught_up(spent, due):
    """The quota is spent evenly over the month; beyond it, the next month."""
    assert f"{Month(NOVEMBER, spent, 1000).due():%Y-%m-%d %H:%M}" == due


@pytest.mark.parametrize(("month", "next_month"), [(1, 2), (2, 3), (12, 1)])
def test_month_ends_where_the_next_begins(month, next_month):
    """28 to 31 days, and at the end of a year."""
    end = Month(datetime.datetime(2026, month, 1, tzinfo=datetime.UTC), 0, 1).end
    assert (end.month, end.day, end.year) == (next_month, 1, 2027 if month == 12 else 2026)


def test_month_begins_by_utc():
    """Whatever the machine's zone."""
    berlin = datetime.timezone(datetime.timedelta(hours=1))
    assert start_of_month(datetime.datetime(2026, 12, 1, 0, 30, tzinfo=berlin)) == NOVEMBER
