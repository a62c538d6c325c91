"""Below the doors: one flow run in this process. Never here: what the flow does, or how its outcome is shown."""

from __future__ import annotations

from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

from leadsync.errors import LeadsyncError
from leadsync.local_run import prefect_api


def run_flow(flow: Flow[..., Any], **parameters: Any) -> Any:
    """
    Run `flow` here, on the configured Prefect server or a temporary one.

    Returns: the data of its final state, or a LeadsyncError in place of whatever went wrong; never a traceback.
    """
    try:
        with (
            prefect_api(get_current_settings().api.url) as url,
            temporary_settings({PREFECT_API_URL: url} if url else {}),
        ):
            ended = _state_of(flow, parameters).result(raise_on_failure=False)
    except KeyboardInterrupt:
        return LeadsyncError("Stopped. What was written is recorded; the next run goes on from there.")
    except Exception as error:  # the last line of defence: a sentence instead of a traceback
        ended = error
    if isinstance(ended, Exception) and not isinstance(ended, LeadsyncError):
        return LeadsyncError(
            f"Unexpected {type(ended).__name__}. The run's log in Prefect says where; what was written is recorded, "
            "and the next run goes on from there."
        )
    return ended


def _state_of(flow: Flow[..., Any], parameters: dict[str, Any]) -> State[Any]:
    state: Any = flow(**parameters, return_state=True)
    assert isinstance(state, State)
    return state
