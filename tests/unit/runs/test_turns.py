"""Runs that repeat: when a turn begins, what ends them, and how a pace may be written."""

import os
import signal

import pytest

from leadsync.errors import ConfigurationError, Exit
from runs.command import stoppable, undisturbed
from runs.turns import repeat, seconds_between

MINUTE = 60.0


class Clock:
    """A clock that only turns and pauses move. `pauses`: how long each was; the one after `enough` is stopped."""

    def __init__(self, enough):
        self.now, self.enough, self.pauses = 1000.0, enough, []

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds
        if len(self.pauses) >= self.enough:
            raise KeyboardInterrupt


def turns(clock, *, codes=(Exit.DONE,), lengths=(1.0,), every=MINUTE):
    """Repeat until the clock stops it. Returns: the exit code, and when each turn began, from the first one on."""
    begun = []

    def turn():
        began = len(begun)
        begun.append(clock.now - 1000.0)
        clock.now += lengths[min(began, len(lengths) - 1)]
        return codes[min(began, len(codes) - 1)]

    code = repeat(turn, lambda outcome: outcome, every, clock=clock, pause=clock.pause)
    return code, begun


def test_turns_keep_to_the_pace_however_long_they_take():
    """No drift: what a turn takes is no part of the pause."""
    assert turns(Clock(4), lengths=(1.0, 20.0, 7.0)) == (Exit.DONE, [0.0, 60.0, 120.0, 180.0])


def test_turns_that_a_long_one_outlasts_are_left_out():
    """No pile-up: after 150 s of one turn, the next begins at 180 s, and only once."""
    assert turns(Clock(3), lengths=(150.0, 1.0)) == (Exit.DONE, [0.0, 180.0, 240.0])


@pytest.mark.parametrize("failing", [Exit.INCOMPLETE, Exit.REFUSED, Exit.BUSY])
def test_turn_that_fails_ends_nothing(failing):
    """Services come back, and people mend what was refused."""
    code, begun = turns(Clock(3), codes=(failing, failing, Exit.DONE))
    assert (code, len(begun)) == (Exit.DONE, 3)


def test_first_turn_that_finds_the_set_up_wrong_ends_it():
    """Nothing cures that by itself, and nobody may look at the terminal again."""
    assert turns(Clock(3), codes=(Exit.MISCONFIGURED,)) == (Exit.MISCONFIGURED, [0.0])


def test_later_turn_that_finds_the_set_up_wrong_ends_nothing():
    """A renamed list, a token that died: what was mended is found by the turn after it."""
    code, begun = turns(Clock(3), codes=(Exit.DONE, Exit.MISCONFIGURED, Exit.DONE))
    assert (code, len(begun)) == (Exit.DONE, 3)


def test_stopped_between_turns_it_ends_as_the_last_turn_did():
    """Nothing was cut off."""
    assert turns(Clock(2), codes=(Exit.DONE, Exit.REFUSED)) == (Exit.REFUSED, [0.0, 60.0])


def it_goes_on(_seconds):
    """Where a signal should have ended it before."""
    pytest.fail("there was a pause")


def stopped_in_a_turn(send):
    """Turns of which the second gets a signal by `send`. Returns: how the command ended, and what was told."""
    told = []

    def turn():
        if told:
            send()
        return Exit.DONE

    def tell(outcome):
        if told:
            send()
        told.append(outcome)
        return outcome

    with stoppable():
        return repeat(turn, tell, MINUTE, pause=lambda _seconds: len(told) < 2 or it_goes_on(_seconds)), told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_turn_that_was_stopped_is_told_and_is_the_last(number):
    """A run in a flow makes a sentence of the signal itself; the turns see it all the same."""

    def stop_the_run():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)

    def once():
        if not stops:
            stops.append(number)
            stop_the_run()

    stops = []
    assert stopped_in_a_turn(once) == (Exit.DONE, [Exit.DONE, Exit.DONE])


def test_signal_while_a_turn_is_told_comes_after_its_line():
    """No half of a JSON object for whoever reads it."""
    told = []

    def tell(outcome):
        os.kill(os.getpid(), signal.SIGTERM)
        told.append(outcome)
        return outcome

    with stoppable():
        assert repeat(lambda: Exit.REFUSED, tell, MINUTE, pause=it_goes_on) is Exit.REFUSED
    assert told == [Exit.REFUSED]


def test_signal_that_is_put_off_is_felt():
    done = []

    def say_a_line():
        with undisturbed():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("line")

    with stoppable():
        with pytest.raises(KeyboardInterrupt):
            say_a_line()
    assert done == ["line"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("15m", 900), ("1h", 3600), ("2d", 172_800), (" 1.5 h ", 5400), ("1s", 1)]
)
def test_pace_is_a_number_and_a_unit(text, seconds):
    assert seconds_between(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "15", "m", "15 minutes", "-5m", "0s", "0.5s", "1w", "1e3s", "nan", "5m\n5m", "400d"]
)
def test_other_pace_is_refused_in_a_sentence(text):
    """Above all a number without a unit: 15 of what?"""
    with pytest.raises(ConfigurationError, match=r"--every .*30s, 15m, 1h or 1d"):
        seconds_between(text)
