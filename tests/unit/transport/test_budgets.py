"""One budget for all who ask with a credential: never more than allowed, in the order in which they came."""

from __future__ import annotations

import threading
import time

import pytest

from leadsync.errors import TransientServiceError
from leadsync.transport.budgets import ALLOWANCES, Budget, Budgets, InProcess, Limit, Line
from leadsync.transport.pacing import Pace, Pacing


class Hours:
    """A clock that goes as fast as it is waited for."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Hours()


def budget(clock, allowed=20, seconds=10.0, refusals=()):
    limit = Limit("token", allowed, seconds, refusals)
    return Budget(limit, InProcess(limit, clock), clock)


def test_no_window_holds_more_than_its_share_and_none_is_wasted(clock):
    shared, times = budget(clock), []
    for _ in range(95):
        shared.take()
        times.append(clock.now)
    in_window = [sum(begin <= each < begin + 10 for each in times) for begin in times]
    assert max(in_window) == 19  # of 20, with head-room
    assert times[-1] - times[0] <= 4 * 10.2


def test_who_came_first_goes_first():
    """Of threads that ask again at once nobody gets a second turn before the others have had theirs."""
    line, order, begin = Line(), [], threading.Barrier(5)

    def ask(name):
        begin.wait()
        for _ in range(20):
            with line.turn(60):
                order.append(name)
                time.sleep(0.002)

    threads = [threading.Thread(target=ask, args=(name,)) for name in range(5)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert all(abs(order[:50].count(name) - 10) <= 2 for name in range(5)), order


def test_refusal_pauses_all_who_share_what_it_is_about(clock):
    token, key = budget(clock, refusals=("TOKEN",)), budget(clock, refusals=("KEY",))
    one, other = (Pacing(Pace(0, 0, 10), clock, [token, key]), Pacing(Pace(0, 0, 10), clock, [key]))
    one.pause(10, "TOKEN")
    before = clock.now
    assert other.take_turn(patient=True)
    assert clock.now == before
    one.pause(10, "KEY")
    assert other.take_turn(patient=True)
    assert clock.now == before + 10
    other.pause(5, "429")  # whatever it is about
    before = clock.now
    token.take(), key.take()
    assert clock.now == before + 5


def test_pause_that_nobody_refused_is_ones_own(clock):
    shared = budget(clock)
    Pacing(Pace(0, 0, 10), clock, [shared]).pause(60)
    before = clock.now
    shared.take()
    assert clock.now == before


def test_wait_has_an_end(clock):
    shared = budget(clock)
    shared.pause(5000)
    with pytest.raises(TransientServiceError, match="same credential"):
        shared.take()


def test_each_credential_has_one_budget_and_cannot_be_told_from_its_name():
    budgets = Budgets()
    one, other = budgets.of("Trello", ("token-1", "key")), budgets.of("Trello", ("token-2", "key"))
    assert (one[0] is other[0], one[1] is other[1]) == (True, False)
    assert budgets.of("Airtable", ("token-1",))[0] not in one
    assert budgets.of("Trello", ("token-1", "key")) == one
    names = [allowance.limit("Trello", ("token-1", "key")).name for allowance in ALLOWANCES["Trello"]]
    assert not any(secret in name for name in names for secret in ("token-1", "key"))


def test_token_is_counted_when_a_request_leaves_and_not_while_it_waits_for_the_key(clock):
    """Else what three tokens had waiting at their key left at once: 108 requests of one were seen in ten seconds."""
    key, token = (InProcess(allowance.limit("Trello", ("token", "key")), clock) for allowance in ALLOWANCES["Trello"])
    counted = []

    class Seen:
        refusals = ()

        def __init__(self, shared):
            self._shared = shared

        def take(self):
            Budget(Limit("", 1, 1.0), self._shared, clock).take()
            counted.append((self._shared, clock.now))

    begun = clock.now
    key.pause(5)
    Pacing(Pace(0, 0, 10), clock, [Seen(key), Seen(token)]).take_turn(patient=True)
    assert counted == [(key, begun + 5), (token, begun + 5)]
    assert [allowance.called for allowance in ALLOWANCES["Trello"]] == ["key", "token"]


def test_one_thread_of_a_pair_waits_in_line(clock):
    """Or a pair that writes with many would get more than the others."""
    most, waiting, go = [0], [], threading.Event()

    class Slow:
        refusals = ()

        def take(self):
            waiting.append(1)
            most[0] = max(most[0], len(waiting))
            go.wait(5)
            waiting.pop()

        def pause(self, seconds):
            pass

    pacing = Pacing(Pace(0, 0, 10), clock, [Slow()])
    threads = [threading.Thread(target=pacing.take_turn, args=(True,)) for _ in range(4)]
    [thread.start() for thread in threads]
    go.set()
    [thread.join() for thread in threads]
    assert most == [1]
