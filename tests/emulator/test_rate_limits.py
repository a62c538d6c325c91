"""Windows: what they let through, and for how long they refuse."""

from hypothesis import given
from hypothesis import strategies as st

from emulator.rate_limits import FixedWindow, PenaltyWindow, SlidingWindow


@given(st.lists(st.floats(0, 2, allow_nan=False), max_size=60))
def test_sliding_window_never_lets_more_through_than_allowed(steps):
    window, now, passed = SlidingWindow(5, 1.0), 0.0, []
    for step in steps:
        now += step
        if window.add(now):
            passed.append(now)
    assert all(sum(at - 1.0 < other <= at for other in passed) <= 5 for at in passed)


@given(st.lists(st.floats(0, 20, allow_nan=False), max_size=60))
def test_penalty_window_refuses_for_thirty_seconds(steps):
    window, now, blocked_until = PenaltyWindow(5, 1.0, 30.0, extends=False), 0.0, -1.0
    for step in steps:
        now += step
        passed = window.add(now)
        assert not (passed and now < blocked_until)
        if not passed and now >= blocked_until:
            blocked_until = now + 30.0


def test_fixed_window_forgets_everything_when_it_closes():
    window = FixedWindow(2, 10.0)
    shown = []
    for at in (0, 1, 2, 9.9, 10.0, 11):
        shown.append(window.fits(at))
        window.add(at)
    assert shown == [True, True, False, False, True, True]
    assert window.remaining(11) == 0
    assert window.remaining(20) == 2
