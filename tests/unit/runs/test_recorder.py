"""What a flow leaves beside its record, and how it ends where nobody records."""

import pytest
from prefect.exceptions import Abort
from prefect.states import Completed

from runs import recorder
from runs.recorder import conclude, kept_beside

OUTCOME, FINAL = object(), Completed()


def never():
    raise AssertionError("published though nobody listens")


@pytest.fixture
def server(monkeypatch):
    """What the server answers each time it is asked for its health; None: it is well."""
    answers = []
    monkeypatch.setattr(recorder, "why_silent", lambda: answers.pop(0))
    return answers


def test_recorded_flow_ends_in_its_state(server):
    server += [None, None]
    with kept_beside() as beside:
        assert conclude(OUTCOME, lambda: None, FINAL) is FINAL
    assert (beside.outcome, server) == (OUTCOME, [])


@pytest.mark.parametrize("healthy", [0, 1], ids=["gone-before-the-report", "gone-since-the-report"])
def test_flow_whose_server_went_away_ends_at_once_and_has_left_its_outcome(server, healthy):
    """An Abort: for any other error Prefect would wait for its server once more."""
    server += [*[None] * healthy, ConnectionError()]
    with kept_beside() as beside:
        with pytest.raises(Abort):
            conclude(OUTCOME, [never, lambda: None][healthy], FINAL)
    assert (beside.outcome, server) == (OUTCOME, [])


def test_publishing_that_fails_changes_nothing(server):
    server += [None, None]
    with kept_beside():
        assert conclude(OUTCOME, lambda: 1 / 0, FINAL) is FINAL


def test_flow_at_a_worker_does_not_ask(server):
    """Prefect itself waits there, for as long as a restart of its server takes."""
    assert conclude(OUTCOME, lambda: 1 / 0, FINAL) is FINAL


def test_outcomes_of_two_flows_do_not_meet(server):
    server += [None] * 2
    with kept_beside() as first:
        with kept_beside() as second:
            conclude(OUTCOME, lambda: None, FINAL)
    assert (first.outcome, second.outcome) == (None, OUTCOME)
