"""A run at a worker: how it ended, as its final state tells it."""

import pytest
from prefect.states import Cancelled, Completed, Failed

from leadsync.errors import BusyError, ConfigurationError, DeadTokenError, GuardError, LeadsyncError, StateStoreError
from runs.deployed import outcome_of

MAKE = {0: Completed, 4: Cancelled}
ERRORS = [LeadsyncError, ConfigurationError, DeadTokenError, StateStoreError, GuardError, BusyError]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_final_state_tells_the_exit_code_that_a_run_here_would_have(error):
    """By its type and its name: nothing else of the run comes back from a worker."""
    state = MAKE.get(error.exit_code, Failed)(name=error.title, message="why")
    assert outcome_of(state) == {"exit_code": error.exit_code, "message": "why", "state": error.title}


def test_final_state_of_a_run_that_is_done():
    assert outcome_of(Completed(message="2 changes"))["exit_code"] == 0
