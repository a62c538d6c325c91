"""
Below the doors: one flow run of a deployment, made by a worker. Never here: what the flow does, when it is due.

The report stays with the run, as its artifact; what comes back from here is how the run ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound

from leadsync.errors import ConfigurationError, DeadTokenError, Exit, GuardError, PlanRefusedError, ReviewNeededError

FLOW = "sync-leads"
LOOK_AGAIN = 1.0
"""Seconds between two looks at a run under way."""
NOT_TAKEN_UP = 600.0
"""Seconds after which a run that no worker has started is given up on."""
SILENT = 120.0
"""Seconds after which a server that tells nothing of the run is given up on; a restart of it takes less."""
CODE_OF_NAME = {
    error.title: error.exit_code
    for error in (ConfigurationError, DeadTokenError, GuardError, PlanRefusedError, ReviewNeededError)
}
"""Name of a final state -> how the run ended; any other one that failed is incomplete."""


def has_deployment(name: str) -> bool:
    """Whether the configured server knows the deployment, `flow/deployment`. Raises: whatever Prefect's client does."""
    with get_client(sync_client=True) as client:
        try:
            client.read_deployment_by_name(name)
        except ObjectNotFound:
            return False
    return True


def run_remotely(
    name: str, parameters: dict[str, Any], tell_id: Callable[[str], None], stopped: Callable[[], bool]
) -> dict[str, Any]:
    """
    Have the deployment make one run and wait for its end; `stopped` says when to wait no longer.

    Returns: exit_code, message and state. A server that goes away meanwhile is waited for, up to SILENT.
    """
    try:
        made: Any = run_deployment(name, parameters=parameters, timeout=0, as_subflow=False)
    except Exception as error:  # whatever Prefect's client throws
        return _incomplete(f"Prefect's server did not take the run of {name} ({type(error).__name__}).")
    tell_id(str(made.id))
    begun = heard = time.monotonic()
    while not stopped():
        try:
            with get_client(sync_client=True) as client:
                run: FlowRun = client.read_flow_run(made.id)
            heard = time.monotonic()
        except ObjectNotFound:
            return _incomplete("The run was deleted in Prefect while it was waited for.")
        except Exception as error:
            if time.monotonic() - heard > SILENT:
                return _incomplete(f"Prefect's server tells nothing of the run any more ({type(error).__name__}).")
            time.sleep(LOOK_AGAIN)
            continue
        if run.state is not None and run.state.is_final():
            return outcome_of(run.state)
        if run.state is not None and run.state.is_paused():
            return {"exit_code": Exit.REFUSED, "message": "The run waits in Prefect until its plan has been reviewed."}
        if run.start_time is None and heard - begun > NOT_TAKEN_UP:
            message = f"No worker has taken up the run; is one started? ({name})"
            return {"exit_code": Exit.MISCONFIGURED, "message": message}
        time.sleep(LOOK_AGAIN)
    return _incomplete("The gateway was stopped; the run goes on at its worker.")


def _incomplete(message: str) -> dict[str, Any]:
    return {"exit_code": Exit.INCOMPLETE, "message": message}


def look_up(run_id: str) -> dict[str, Any] | None:
    """A run of the flow as the configured server tells it: stage, times [s since 1970], outcome; None if unknown."""
    try:
        wanted = UUID(run_id)
    except ValueError:
        return None
    with get_client(sync_client=True) as client:
        try:
            run = client.read_flow_run(wanted)
            if client.read_flow(run.flow_id).name != FLOW:
                return None
        except ObjectNotFound:
            return None
    ended = run.state is not None and run.state.is_final()
    return {
        "stage": "done" if ended else "running" if run.start_time else "waiting",
        "asked_at": run.created.timestamp() if run.created else None,
        "started_at": run.start_time.timestamp() if run.start_time else None,
        "ended_at": run.end_time.timestamp() if run.end_time else None,
        "report": outcome_of(run.state) if ended and run.state else None,
    }


def outcome_of(state: State[Any]) -> dict[str, Any]:
    """Exit code, as the final state tells it, and message."""
    name = str(state.name)
    code = Exit.BUSY if state.is_cancelled() else CODE_OF_NAME.get(name, Exit.INCOMPLETE)
    code = Exit.DONE if state.is_completed() else code
    return {"exit_code": code, "message": state.message or name, "state": name}
