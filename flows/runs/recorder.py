"""
Prefect's server, as who writes a run down. It may go away at any moment; what a run did, and how it ended, stays.

Here: how long it is waited for, whether it answers, and the outcome that a flow leaves beside its record.
Never here: what a flow does, where the server is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from prefect.client.base import ServerType
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.context import SettingsContext, get_settings_context
from prefect.exceptions import Abort
from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_CLIENT_MAX_RETRIES

PATIENCE: dict[Any, Any] = {PREFECT_API_REQUEST_TIMEOUT: 10.0, PREFECT_CLIENT_MAX_RETRIES: 2}
"""
For a run in this process, somebody waits for its end: three tries of ten seconds a request. A worker's run keeps to
what Prefect is set to, which outlasts a restart of the server.
"""
UNRECORDED = "Prefect's server went away during the run, and has no whole record of it; what is told here is whole."


@dataclass
class Beside:
    """
    What a flow in this process leaves for its door, and what that asks of it beside the parameters, which are kept.

    `outcome`: None until it is known.
    """

    asked: Any = None
    outcome: Any = None


_beside: ContextVar[Beside | None] = ContextVar("beside", default=None)


@contextmanager
def kept_beside(asked: Any = None) -> Iterator[Beside]:
    """A flow called inside leaves its outcome here, whatever becomes of its record."""
    beside = Beside(asked)
    token = _beside.set(beside)
    try:
        yield beside
    finally:
        _beside.reset(token)


def asked_beside() -> Any:
    """What the door asks of the flow that it called in this process; None if it asks nothing, or is elsewhere."""
    beside = _beside.get()
    return beside and beside.asked


def conclude(outcome: Any, publish: Callable[[], object], final: State[Any]) -> State[Any]:
    """
    End a flow: keep its outcome beside it, publish it for people, and return its final state.

    Nothing in `publish` can fail a run that has written. Raises: Abort if nobody records any more, which keeps Prefect
    from waiting for the server once again, only to set the state.
    """
    beside = _beside.get()
    if beside:
        beside.outcome = outcome
        _abort_if_gone()
    with suppress(Exception):
        publish()
    if beside:
        _abort_if_gone()
    return final


def one_try() -> SettingsContext:
    """Inside, Prefect's client asks once. Its temporary_settings reads all settings anew, at 25 ms of CPU each time."""
    context = get_settings_context()
    client = context.settings.client.model_copy(update={"max_retries": 0})
    settings = context.settings.model_copy(update={"client": client})
    return SettingsContext(profile=context.profile, settings=settings)


def why_silent() -> Exception | None:
    """Why Prefect's server does not answer; None if it does. Asks once."""
    try:
        with one_try(), get_client(sync_client=True) as client:
            if client.server_type == ServerType.CLOUD:  # its health is asked elsewhere, and it is not ours to start
                return None
            return client.api_healthcheck()
    except Exception as error:  # an address that is none
        return error


def _abort_if_gone() -> None:
    if why_silent():
        raise Abort(UNRECORDED)
