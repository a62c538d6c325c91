"""A run at a worker: how it ended, as its final state tells it."""

from contextlib import nullcontext
from types import SimpleNamespace

import httpx
import pytest
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Completed, Failed, Running

from leadsync.errors import BusyError, ConfigurationError, DeadTokenError, GuardError, LeadsyncError, StateStoreError
from runs import deployed
from runs.deployed import SILENT, outcome_of, run_remotely
from support.harness import SkippedTime

MAKE = {0: Completed, 4: Cancelled}
ERRORS = [LeadsyncError, ConfigurationError, DeadTokenError, StateStoreError, GuardError, BusyError]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_final_state_tells_the_exit_code_that_a_run_here_would_have(error):
    """By its type and its name: nothing else of the run comes back from a worker."""
    state = MAKE.get(error.exit_code, Failed)(name=error.title, message="why")
    assert outcome_of(state) == {"exit_code": error.exit_code, "message": "why", "state": error.title}


def test_final_state_of_a_run_that_is_done():
    assert outcome_of(Completed(message="2 changes"))["exit_code"] == 0


AWAY = httpx.ConnectError("refused")
UNDER_WAY = SimpleNamespace(state=Running(), start_time="now")
ENDED = SimpleNamespace(state=Completed(message="2 changes"), start_time="now")


@pytest.fixture
def remotely(monkeypatch):
    """Have a run made. Returns: a function from what the server answers, look by look, to the outcome."""
    clock = SkippedTime()
    monkeypatch.setattr(deployed, "time", clock)
    monkeypatch.setattr(deployed, "run_deployment", lambda *_, **__: SimpleNamespace(id="the-run"))

    def outcome(*answers):
        looks = iter(answers)

        def look(_run_id):
            answer = next(looks)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(deployed, "get_client", lambda **_: nullcontext(SimpleNamespace(read_flow_run=look)))
        return run_remotely("sync-leads/on-demand", {}, lambda _id: None, lambda: False)

    outcome.clock = clock
    return outcome


def test_server_that_comes_back_tells_how_the_run_ended(remotely):
    """The run goes on at its worker meanwhile; another one must not be started in its place."""
    outcome = remotely(UNDER_WAY, *[AWAY] * 60, UNDER_WAY, *[AWAY] * 60, ENDED)
    assert outcome == {"exit_code": 0, "message": "2 changes", "state": "Completed"}


def test_server_that_stays_away_is_given_up_on(remotely):
    outcome = remotely(UNDER_WAY, *[AWAY] * 1_000)
    assert outcome == {
        "exit_code": 1,
        "message": "Prefect's server tells nothing of the run any more (ConnectError).",
    }
    assert SILENT <= remotely.clock.waited <= SILENT + 5


def test_run_that_was_deleted_is_no_longer_waited_for(remotely):
    outcome = remotely(UNDER_WAY, ObjectNotFound(Exception()))
    assert (outcome["exit_code"], "deleted" in outcome["message"]) == (1, True)


def test_server_that_takes_no_run_is_a_sentence(remotely, monkeypatch):
    def refused(*_, **__):
        raise AWAY

    monkeypatch.setattr(deployed, "run_deployment", refused)
    outcome = remotely()
    assert (outcome["exit_code"], "did not take the run" in outcome["message"]) == (1, True)
