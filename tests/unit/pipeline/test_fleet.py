"""The fleet by itself: who is next, who is left alone, and what becomes of pairs that fail or that others have."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from leadsync.errors import ConfigurationError, Exit, TransientServiceError
from leadsync.pipeline import fleet as fleets
from leadsync.pipeline.fleet import AT_ONCE, LONGEST, Fleet, after
from leadsync.pipeline.members import Member, Waiting, due_members
from leadsync.pipeline.steps import Options
from leadsync.report.report import Report
from leadsync.state.kept import PairRun
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore

NOW, HOUR = 1_700_000_000.0, 3600.0


@pytest.fixture
def store(tmp_path):
    made = StateStore(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    yield made
    made.close()


def member(number, *, base=None, shares="", due=0.0):
    base_id = f"app{base if base is not None else number:014d}"
    return Member(f"pair-{number}", base_id, shares, lambda: SimpleNamespace(airtable_base_id=base_id), due)


def fleet(store, run, **more):
    return Fleet(store, Options(), HOUR, None, run=run, clock=lambda: NOW, **more)


def done(*_args, **_more):
    return Report()


def failed(*_args, **_more):
    report = Report()
    report.fail(TransientServiceError("Trello answered 500."))
    return report


def test_longest_overdue_is_first_and_no_credential_waits_for_another():
    members = [member(1, due=3), member(2, due=1), member(3, due=2, base=2), member(4, shares="b", due=9)]
    waiting = Waiting(members)
    first, second = waiting.next(), waiting.next()
    assert (first.pair, second.pair) == ("pair-2", "pair-4")
    assert waiting.next().pair == "pair-1"  # the base of pair 3 is at work
    waiting.end(first)
    assert [waiting.next().pair, waiting.next()] == ["pair-3", None]


def test_pair_that_went_well_is_due_again_and_no_sooner(store):
    members = [member(number) for number in range(5)]
    synced = [*fleet(store, done).sync(members)]
    assert {each.pair for each in synced} == {each.pair for each in members}
    assert {run.due for run in store.pair_runs.load_all().values()} == {NOW + HOUR}
    again = [*fleet(store, done).sync(members)]  # as another process would that has read the list before
    assert {each.report for each in again} == {None}


def test_pair_that_fails_backs_off_until_it_goes_well():
    known, waits = PairRun("pair"), []
    for _ in range(8):
        known = after(known, failed(), NOW, HOUR)
        waits.append(known.due - NOW)
    assert waits == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, LONGEST, LONGEST, LONGEST]
    assert (known.failures, known.succeeded, known.message) == (8, None, "Trello answered 500.")
    well = after(known, Report(), NOW, HOUR)
    assert (well.failures, well.due, well.succeeded) == (0, NOW + HOUR, NOW)


@pytest.mark.parametrize("wrong", ["settings", "run", "unexpected"])
def test_pair_that_fails_stops_no_other(store, wrong):
    def run(given, *_args, **_more):
        if given.airtable_base_id == f"app{2:014d}":
            if wrong == "unexpected":
                raise ZeroDivisionError
            return failed()
        return Report()

    def no_settings():
        raise ConfigurationError("AIRTABLE_BASE_ID is not set.")

    members = [member(number) for number in range(4)]
    if wrong == "settings":
        members[2] = Member("pair-2", "app", "", no_settings)
    synced = {each.pair: each.report for each in fleet(store, run).sync(members)}
    assert {pair: report.exit_code for pair, report in synced.items() if report.exit_code} == {
        "pair-2": Exit.MISCONFIGURED if wrong == "settings" else Exit.INCOMPLETE
    }
    assert (store.pair_runs.load(pair="pair-2").failures, store.pair_runs.load(pair="pair-3").failures) == (1, 0)


def test_dry_run_leaves_nothing(store):
    assert len([*replace(fleet(store, done), options=Options(dry_run=True)).sync([member(1)])]) == 1
    assert store.pair_runs.load_all() == {}


def test_two_pairs_of_one_base_are_never_synced_at_the_same_time(store):
    """Its five requests a second are counted in one process, and by one run."""
    at_work, most, lock = [], [0], threading.Lock()

    def run(*_args, **_more):
        with lock:
            at_work.append(1)
            most[0] = max(most[0], len(at_work))
        time.sleep(0.05)
        with lock:
            at_work.pop()
        return Report()

    synced = [*fleet(store, run).sync([member(number, base=7) for number in range(3)])]
    assert ([each.report is not None for each in synced], most) == ([True] * 3, [1])


def test_pair_that_another_process_has_in_hand_is_its_own(store, monkeypatch):
    """It is waited for; should the other end without it, it is taken up, and else left alone."""
    monkeypatch.setattr(fleets, "LOOK_AGAIN", 0.01)
    synced, held = [], pair_lock(store, f"fleet app{1:014d}")
    held.__enter__()
    thread = threading.Thread(target=lambda: synced.extend(fleet(store, done).sync([member(1), member(2)])))
    thread.start()
    while not synced:
        time.sleep(0.01)
    assert [each.pair for each in synced] == ["pair-2"]
    held.__exit__(None, None, None)
    thread.join(20)
    assert [each.pair for each in synced] == ["pair-2", "pair-1"]


def test_pair_that_another_process_lets_go_does_not_wait_for_the_longest_run(store, monkeypatch):
    """As when the other is killed, while one with thousands of leads to load is at work here."""
    monkeypatch.setattr(fleets, "LOOK_AGAIN", 0.01)
    held, taken_up = pair_lock(store, f"fleet app{1:014d}"), threading.Event()
    held.__enter__()

    def run(given, *_args, **_more):
        if given.airtable_base_id == f"app{1:014d}":
            taken_up.set()
        else:
            held.__exit__(None, None, None)
            assert taken_up.wait(20)
        return Report()

    synced = fleet(store, run, at_once=2).sync([member(1), member(2)])
    assert {each.pair: each.report.exit_code for each in synced} == {"pair-1": Exit.DONE, "pair-2": Exit.DONE}


def test_pair_that_stays_in_others_hands_is_left(store, monkeypatch):
    monkeypatch.setattr(fleets, "LOOK_AGAIN", 0.0)
    times = iter(range(0, 100_000, 20))
    waiting = replace(fleet(store, done), clock=lambda: NOW + next(times))
    with pair_lock(store, f"fleet app{1:014d}"):
        assert [each.report for each in waiting.sync([member(1)])] == [None]
    assert store.pair_runs.load_all() == {}


def test_as_many_are_at_work_as_are_asked_for_and_no_more(store):
    together, at_work, most = threading.Barrier(3), set(), []

    def run(given, *_args, **_more):
        at_work.add(given.airtable_base_id)
        together.wait(60)
        most.append(len(at_work))
        together.wait(60)
        at_work.discard(given.airtable_base_id)
        return Report()

    assert len([*fleet(store, run, at_once=3).sync([member(number) for number in range(12)])]) == 12
    assert max(most) == 3 < AT_ONCE


def test_what_is_known_of_a_pair_goes_with_it(store):
    [*fleet(store, done).sync([member(1), member(2)])]
    assert [each.pair for each in due_members([member(2), member(3)], store, NOW)] == ["pair-3"]
    assert [*store.pair_runs.load_all()] == ["pair-2"]


def test_pairs_that_are_due_and_those_that_are_asked_for(store):
    store.pair_runs.save(PairRun("pair-1", due=NOW - 1))
    store.pair_runs.save(PairRun("pair-2", due=NOW + 1))
    there = [member(1), member(2), member(3)]
    assert [each.pair for each in due_members(there, store, NOW)] == ["pair-3", "pair-1"]
    assert [each.pair for each in due_members(there, store, NOW, ["pair-2"])] == ["pair-2"]
    near = "no pair 'pair-9'; there are: pair-1, pair-2, pair-3; did you mean 'pair-"
    with pytest.raises(ConfigurationError, match=near):
        due_members(there, store, NOW, ["pair-9"])
    asked_for = due_members(there, store, NOW, ["pair-2"])
    assert [each.report is None for each in fleet(store, done).sync(asked_for)] == [False]
