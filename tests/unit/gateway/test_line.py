"""When a run starts: settle time, coalescing, and what is tried again. No clock, no thread."""

import pytest

from leadsync.gateway.line import HINTED, KEPT, Line, Stage
from leadsync.pipeline.steps import Options

DONE = {"exit_code": 0}


@pytest.fixture
def line():
    return Line(settle=2.0)


def test_one_hint_runs_after_the_settle_time(line):
    line.hint(100.0)
    assert line.take(101.9) is None
    assert line.pause(101.0) == 1.0
    assert line.take(102.0).stage is Stage.RUNNING


def test_another_hint_starts_the_settle_time_anew(line):
    """Half-typed values do not travel."""
    line.hint(100.0)
    line.hint(101.5)
    assert line.take(103.0) is None
    assert line.take(103.5) is not None


def test_hints_without_end_put_a_run_off_by_five_settle_times_at_most(line):
    moments = [100.0 + 0.5 * number for number in range(40)]
    started = next(now for now in moments if (line.hint(now), line.take(now))[1])
    assert started == 110.0


def test_any_number_of_hints_during_a_run_make_one_more(line):
    line.hint(0.0)
    running = line.take(2.0)
    waiting = {line.hint(2.0 + number / 1000).id for number in range(500)}
    assert len(waiting) == 1
    assert running.id not in waiting
    assert line.take(10.0) is None
    line.end(10.0, DONE)
    assert line.take(10.0).id in waiting
    line.end(11.0, DONE)
    assert line.pause(11.0) is None


def test_somebody_who_asks_need_not_wait_for_the_settle_time(line):
    """The hint is answered by the same run."""
    hinted = line.hint(0.0)
    assert line.ask(0.1, HINTED) is hinted
    assert line.take(0.1) is hinted
    assert not line.waiting


def test_hint_does_not_put_off_what_somebody_asked_for(line):
    line.hint(0.0)
    line.take(2.0)
    asked = line.ask(3.0, HINTED)
    line.hint(4.0)
    line.end(4.1, DONE)
    assert line.take(4.1) is asked


def test_dry_run_is_not_answered_by_a_real_one(line):
    """Nor the other way round."""
    real, dry = line.ask(0.0, HINTED), line.ask(0.0, Options(dry_run=True))
    assert real is not dry
    assert line.ask(0.0, Options(dry_run=True)) is dry
    assert line.hint(0.0) is real


@pytest.mark.parametrize(("met_before", "pause"), [(0, 5), (1, 10), (2, 20), (3, 40), (4, 60), (9, 60)])
def test_hint_that_met_another_runs_lock_is_tried_again(line, met_before, pause):
    """It must not be lost; a hint meanwhile does not make it knock sooner."""
    line.hint(0.0)
    now = 0.0
    for wait in [2, *[5, 10, 20, 40, 60, 60, 60, 60, 60][:met_before]]:
        if now:
            line.hint(now)
        now += wait
        assert line.take(now - 0.1) is None
        assert line.take(now) is not None
        line.end(now, {"exit_code": 4})
    assert line.pause(now) == pause


def test_asked_run_that_met_the_lock_is_left_to_the_one_who_asked(line):
    line.ask(0.0, Options())
    line.take(0.0)
    line.end(1.0, {"exit_code": 4})
    assert line.pause(1.0) is None


def test_incomplete_run_has_one_second_try_after_a_minute(line):
    """Then it is left to the schedule."""
    line.hint(0.0)
    line.take(2.0)
    line.end(3.0, {"exit_code": 1})
    assert line.pause(3.0) == 60.0
    assert line.take(63.0) is not None
    line.end(64.0, {"exit_code": 1})
    assert line.pause(64.0) is None


def test_new_hint_does_not_wait_for_the_second_try(line):
    line.hint(0.0)
    line.take(2.0)
    line.end(3.0, {"exit_code": 1})
    line.hint(10.0)
    assert line.pause(10.0) == 2.0


@pytest.mark.parametrize("code", [2, 3])
def test_refused_run_is_not_tried_again(line, code):
    """Only a person can mend that."""
    line.hint(0.0)
    line.take(2.0)
    line.end(3.0, {"exit_code": code})
    assert line.pause(3.0) is None


def test_only_the_last_hundred_runs_are_kept(line):
    first = line.ask(0.0, Options())
    for number in range(3 * KEPT):
        line.ask(float(number), Options())
        line.take(float(number))
        line.end(float(number), DONE)
    assert len(line.runs) == KEPT
    assert line.find(first.id) is None


def test_dropped_run_says_so(line):
    run = line.hint(0.0)
    line.drop_waiting()
    assert (run.stage, run.ended.is_set(), line.waiting) == (Stage.DROPPED, True, {})


def test_run_is_found_by_prefects_id_too(line):
    run = line.ask(0.0, Options())
    run.flow_run_id = "prefect"
    assert line.find("prefect") is line.find(run.id) is run
