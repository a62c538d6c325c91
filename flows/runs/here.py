"""Below the doors: one flow run in this process. Never here: what the flow does, or how its outcome is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import State
from prefect.exceptions import Abort
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

from leadsync.errors import LeadsyncError
from runs.command import STOPPED, other_proxy
from runs.recorder import PATIENCE, UNRECORDED, kept_beside, why_silent
from runs.temporary_server import run_page, started_here

CREDENTIALS = re.compile("//[^/]*@")


@dataclass(frozen=True)
class Ended:
    """
    How a run in this process ended.

    `outcome`: what the flow left, or a LeadsyncError in its place. `seen_at`: where the run can be seen. `unrecorded`:
    a sentence if its record is not whole.
    """

    outcome: Any
    seen_at: str = ""
    unrecorded: str = ""


@contextmanager
def connected() -> Iterator[None]:
    """Prefect's configured server, or the temporary one. Raises: LeadsyncError if it does not answer."""
    configured = get_current_settings().api.url
    address = {} if configured else {PREFECT_API_URL: url} if (url := started_here()) else {}
    with temporary_settings(address | PATIENCE):
        silent = why_silent() if configured else None
        if isinstance(silent, ImportError | ValueError) and (kind := other_proxy()):  # before anybody was asked
            raise LeadsyncError(
                f"Prefect's client cannot go through a {kind} proxy, which ALL_PROXY, HTTP_PROXY or HTTPS_PROXY names; "
                "nothing was written. Name the host of PREFECT_API_URL in NO_PROXY if it is reached directly, "
                "or set an HTTP proxy."
            )
        if configured and silent:
            raise LeadsyncError(
                f"Prefect's server at {CREDENTIALS.sub('//', configured)} does not answer; nothing was written. Start "
                "it, or correct PREFECT_API_URL, which `prefect config view --show-sources` tells the place of."
            )
        yield


def run_flow(flow: Flow[..., Any], asked: Any = None, **parameters: Any) -> Ended:
    """
    Run `flow` here, on the configured Prefect server or a temporary one; whatever goes wrong, never a traceback.

    `asked`: what it is asked beside its parameters, see asked_beside; the server learns nothing of it.
    What the flow left stands, whether or not the server took down how it ended.
    """
    seen_at = ""
    with kept_beside(asked) as beside:
        try:
            with connected():
                error, seen_at = _run(flow, parameters)
                outcome = beside.outcome or _in_words(error)
        except KeyboardInterrupt:
            outcome = beside.outcome or LeadsyncError(STOPPED)
        except LeadsyncError as silent:
            outcome = silent
    return Ended(outcome, seen_at, UNRECORDED if beside.outcome and not seen_at else "")


def _run(flow: Flow[..., Any], parameters: dict[str, Any]) -> tuple[Any, str]:
    """Returns: what was raised or is in the final state, and where the run can be seen, "" if it was not recorded."""
    try:
        state: Any = flow(**parameters, return_state=True)
        assert isinstance(state, State)
        seen_at = run_page(get_current_settings().ui_url, str(state.state_details.flow_run_id))
        return state.result(raise_on_failure=False), seen_at
    except (Exception, Abort) as error:  # the last line of defence: a sentence instead of a traceback
        return error, ""


def _in_words(error: Any) -> LeadsyncError:
    if isinstance(error, LeadsyncError):
        return error
    if why_silent():
        happened = "Prefect's server stopped answering, and the run could not go on without it"
    else:
        happened = f"Unexpected {type(error).__name__}, of which the run's log in Prefect says more"
    return LeadsyncError(f"{happened}. What was written is recorded, and the next run goes on from there.")
