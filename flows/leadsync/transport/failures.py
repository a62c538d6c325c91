"""An attempt that failed: what it is called, and when it is worth another. Never here: a request."""

from __future__ import annotations

import random
from urllib.parse import urlsplit

import requests
from tenacity import RetryCallState
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ReadTimeoutError

from leadsync.errors import (
    ConfigurationError,
    DeadTokenError,
    LeadsyncError,
    ServiceRefusedError,
    TimedOutWriteError,
    TransientServiceError,
    UnclearWriteError,
)
from leadsync.transport.service import Service, Words

ATTEMPTS = 5
"""Tries of one request before a run gives up on it; a 429 that waited out its window counts as one."""
SLOW_ATTEMPTS = 2
"""Tries of a request that got no answer in time: each costs the whole time-out."""


class Again(Exception):
    """
    This attempt failed in a way that the next may not; carries the pause [s] and the error if it was the last.

    `sent`: whether the request left at all. `unclear`: whether it may have taken effect.
    """

    def __init__(
        self,
        error: LeadsyncError,
        pause: float | None = None,
        attempts: int = ATTEMPTS,
        sent: bool = True,
        unclear: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error, self.pause, self.attempts, self.sent, self.unclear = error, pause, attempts, sent, unclear


def lost(
    service: Service, request: requests.PreparedRequest, exc: requests.exceptions.RequestException, timeout: float
) -> Exception:
    """The error for a request that got no answer, or only a part of one; `timeout`: how long was waited for it [s]."""
    if isinstance(exc, requests.exceptions.SSLError):
        return ConfigurationError(f"{service.name}'s certificate was not accepted; check the endpoint URL.")
    reason = exc.args[0] if exc.args else None
    reason = reason.reason if isinstance(reason, MaxRetryError) else reason
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        host = urlsplit(request.url or "").netloc
        return Again(TransientServiceError(f"{service.name} could not be reached at {host}. Run again later."))
    timed_out = isinstance(exc, requests.exceptions.Timeout) or isinstance(reason, ReadTimeoutError)
    what = f"no answer within {timeout:g} s" if timed_out else "a dropped connection"
    return unanswered(service, request, what, timed_out)


def unanswered(service: Service, request: requests.PreparedRequest, what: str, timed_out: bool = False) -> Exception:
    """The same for `what` came instead. A POST is never sent again from here: it may have taken effect."""
    if request.method == "POST":
        kind = TimedOutWriteError if timed_out else UnclearWriteError
        return kind(f"{service.name}: {what}; the write may or may not have taken effect.")
    attempts = SLOW_ATTEMPTS if timed_out else ATTEMPTS
    error = TransientServiceError(f"{service.name}: {what}, {attempts} times. Run again later.")
    return Again(error, attempts=attempts, unclear=True)


def refused(service: Service, status: int, words: Words, accepted: bool) -> LeadsyncError:
    """The error for an answer that says no; `accepted`: whether the service had taken our credentials before."""
    error = ServiceRefusedError(service.name, status, words.kind, words.text)
    setting = service.credential(error) if accepted else ""
    return DeadTokenError(service.name, setting, words.text or words.kind) if setting else error


def enough(state: RetryCallState) -> bool:
    """Whether that was the last try that the failure is worth."""
    failed = state.outcome.exception() if state.outcome else None
    return state.attempt_number >= (failed.attempts if isinstance(failed, Again) else ATTEMPTS)


def pause(state: RetryCallState) -> float:
    """0.5, 1, 2, 4 s with jitter, unless the answer itself says how long."""
    failed = state.outcome.exception() if state.outcome else None
    if isinstance(failed, Again) and failed.pause is not None:
        return failed.pause
    return backoff(state.attempt_number)


def backoff(tries: int) -> float:
    """Seconds to wait after so many."""
    return float(2 ** (tries - 2) * random.uniform(0.7, 1.3))
