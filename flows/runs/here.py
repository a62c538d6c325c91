"""Below the doors: one flow run in this process. Never here: what the flow does, or how its outcome is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

from leadsync.errors import LeadsyncError
from runs.command import STOPPED
from runs.temporary_server import prefect_api, run_page


@dataclass(frozen=True)
class Ended:
    """`outcome`: the data of the final state, or a LeadsyncError in its place. `seen_at`: where the run can be seen."""

    outcome: Any
    seen_at: str = ""


@contextmanager
def connected() -> Iterator[None]:
    """Prefect's configured server, or the temporary one. Raises: LeadsyncError if it does not answer."""
    with prefect_api(get_current_settings().api.url) as url, temporary_settings({PREFECT_API_URL: url} if url else {}):
        yield


def run_flow(flow: Flow[..., Any], **parameters: Any) -> Ended:
    """Run `flow` here, on the configured Prefect server or a temporary one; whatever goes wrong, never a traceback."""
    seen_at = ""
    try:
        with connected():
            state = _state_of(flow, parameters)
            seen_at = run_page(get_current_settings().ui_url, str(state.state_details.flow_run_id))
            outcome = state.result(raise_on_failure=False)
    except KeyboardInterrupt:
        outcome = LeadsyncError(STOPPED)
    except Exception as error:  # the last line of defence: a sentence instead of a traceback
        outcome = error
    if isinstance(outcome, Exception) and not isinstance(outcome, LeadsyncError):
        outcome = LeadsyncError(
            f"Unexpected {type(outcome).__name__}. The run's log in Prefect says where; what was written is recorded, "
            "and the next run goes on from there."
        )
    return Ended(outcome, seen_at)


def _state_of(flow: Flow[..., Any], parameters: dict[str, Any]) -> State[Any]:
    state: Any = flow(**parameters, return_state=True)
    assert isinstance(state, State)
    return state
