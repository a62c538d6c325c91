"""
One transport for both services: pace, time-outs, retries, call counts, and errors in our own words, redacted.

Both clients get a `requests` session with this adapter mounted, so that neither their own retries nor their own
exceptions ever come into play. What is never here: a path, a body, an opinion on what an answer means for a lead.
"""

from __future__ import annotations

import contextlib
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from pyrate_limiter import InMemoryBucket, Limiter, Rate
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ReadTimeoutError

from leadsync.errors import (
    ConfigurationError,
    DeadTokenError,
    LeadsyncError,
    QuotaExceededError,
    ReadAgainError,
    ServiceRefusedError,
    TimedOutWriteError,
    TransientServiceError,
    UnclearWriteError,
)
from leadsync.transport.pacing import ARRIVALS, TRIPS, Clock, Pace

log = logging.getLogger("leadsync")
CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 35.0
"""Seconds. Trello itself cuts an answer at 30 s [reference/trello-api.md 2.2]."""
ATTEMPTS = 5
"""Tries of one request before a run gives up on it; a 429 that waited out its window counts as one."""
HELD_BACK = 5
"""Requests left of Trello's window at which we wait: as many may be under way, and others use it too."""
TEXT_SHOWN = 300
"""Characters of a service's own words that are passed on."""
SLOW_ATTEMPTS = 2
"""Tries of a request that got no answer in time: each costs the whole time-out."""


class _Again(Exception):
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


def _no_setting(refused: ServiceRefusedError) -> str:
    """No refusal is known to be about credentials."""
    return ""


class Wire(HTTPAdapter):
    """
    The transport adapter of one service.

    `hosts` maps hosts a client has hard-coded to the endpoint from the settings. `secrets` are blotted out of
    every text that leaves here. `credential` tells which setting a refusal says is not accepted, "" if it is about
    something else. Attributes: `calls`, requests sent, retries included; `server_time`, the service's
    clock at its last answer, rounded down to `time_step` [s since 1970], 0 if it never said.
    Raises (from `send`): the LeadsyncErrors of errors.py, never an exception of requests or urllib3.
    """

    def __init__(
        self,
        service: str,
        pace: Pace,
        secrets: tuple[str, ...],
        hosts: Mapping[str, str] | None = None,
        clock: Clock = time,
        read_timeout: float = READ_TIMEOUT,
        credential: Callable[[ServiceRefusedError], str] = _no_setting,
    ) -> None:
        super().__init__(pool_maxsize=8)
        self.service, self.calls, self.server_time, self.time_step = service, 0, 0.0, 1.0
        self._own = threading.local()
        self._pace, self._secrets, self._hosts, self._clock = pace, secrets, dict(hosts or {}), clock
        self._timeout = (CONNECT_TIMEOUT, read_timeout)
        self._credential, self._accepted = credential, False
        rate = Rate(pace.limit, int(pace.seconds * 1000))
        self._limiter = Limiter(InMemoryBucket([rate]), buffer_ms=5)
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._arrived: list[float] = []
        self._under_way = 0
        self._trips: list[float] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """
        Send, paced and retried; a 2xx comes back as 200, anything else as an exception.

        A PATCH is sent at most once, and not at all during a pause: ReadAgainError says that it would have to wait.
        """
        self._own.resent = False
        self._redirect(request)
        kwargs["timeout"] = self._timeout
        if request.method == "PATCH":
            return self._send_once(request, *args, **kwargs)
        retrying = Retrying(
            retry=retry_if_exception_type(_Again),
            stop=_enough,
            wait=_pause,
            sleep=self._clock.sleep,
            reraise=True,
        )
        try:
            return retrying(self._attempt, request, *args, **kwargs)
        except _Again as failed:
            raise failed.error from None

    def _send_once(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        try:
            return self._attempt(request, *args, **kwargs)
        except _Again as failed:
            again = ReadAgainError(str(failed), failed.sent, failed.unclear, failed.pause, failed.attempts)
            raise again from None

    def wait_again(self, again: ReadAgainError, tries: int) -> None:
        """
        The wait before what a PATCH is based on is read anew; `tries`: how often it was sent in vain.

        Raises: TransientServiceError if that was often enough.
        """
        if again.sent and tries >= again.attempts:
            raise TransientServiceError(str(again))
        if again.pause is None:
            self._clock.sleep(_backoff(tries))
        self._wait_out_pause()

    @property
    def moment(self) -> float:
        """Now, by the clock that waits are measured with [s]."""
        return self._clock.monotonic()

    def close(self) -> None:
        """Give back connections, and the thread that the limiter keeps."""
        super().close()
        self._limiter.close()

    @property
    def answered(self) -> float:
        """The service's clock when it had answered this thread's last request, at the latest [s since 1970], or 0."""
        return float(getattr(self._own, "answered", 0.0))

    @property
    def resent(self) -> bool:
        """Whether this thread's last request was answered only after a sending of it that was not."""
        return bool(getattr(self._own, "resent", False))

    def redact(self, text: str) -> str:
        """`text` without any of the secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _redirect(self, request: requests.PreparedRequest) -> None:
        parts = urlsplit(request.url or "")
        endpoint = self._hosts.get(f"{parts.scheme}://{parts.netloc}")
        if endpoint:
            target = urlsplit(endpoint)
            path = target.path.rstrip("/") + parts.path
            request.url = urlunsplit((target.scheme, target.netloc, path, parts.query, ""))

    def _attempt(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self._wait_for_turn(patient=request.method != "PATCH")
        sent = self._clock.monotonic()
        try:
            response = super().send(request, *args, **kwargs)
            body = response.content  # read here, so that a body cut short is this attempt's failure
        except requests.exceptions.RequestException as exc:
            raise self._lost(request, exc) from None
        finally:
            self._note_answer(sent, self._clock.monotonic())
        self._mind_remaining(response)
        self._note_time(response)
        if 200 <= response.status_code < 300:
            self._accepted = True
            return self._checked(request, response, body)
        raise self._refused(request, response)

    def _wait_for_turn(self, patient: bool) -> None:
        """Raises: _Again in a pause, if not `patient`; another thread's request may begin one while this one queues."""
        if patient:
            self._wait_out_pause()
        else:
            self._refuse_pause()
        self._limiter.try_acquire(self.service)
        if not patient:
            self._refuse_pause()
        self._wait_for_arrivals()
        with self._lock:
            self.calls += 1

    def _refuse_pause(self) -> None:
        if self._paused_until > self._clock.monotonic():
            raise _Again(TransientServiceError(f"{self.service} asked for a pause."), pause=0.0, sent=False)

    def _wait_out_pause(self) -> None:
        while (wait := self._paused_until - self._clock.monotonic()) > 0:
            self._clock.sleep(wait)

    def _note_answer(self, sent: float, answered: float) -> None:
        with self._lock:
            self._trips = sorted([*self._trips, answered - sent])[:TRIPS]
            quickest = self._trips[0] if len(self._trips) == TRIPS else 0.0
            self._arrived.append(answered - quickest)
            self._under_way -= 1

    def _wait_for_arrivals(self) -> None:
        """
        At most `allowed` requests may arrive in a second; the limiter counts when they are sent.

        One that was long on the way would arrive close to the next ones. When it arrived nobody knows; at the latest
        it was the quickest round trip before its answer, if ours takes as long as that.
        """
        while True:
            with self._lock:
                now = self._clock.monotonic()
                self._arrived = [moment for moment in self._arrived if moment > now - ARRIVALS]
                if not self._pace.allowed or len(self._arrived) + self._under_way < self._pace.allowed:
                    self._under_way += 1
                    return
                wait = min(self._arrived) + ARRIVALS - now if self._arrived else 0.01
            self._clock.sleep(max(wait, 0.001))

    def _mind_remaining(self, response: requests.Response) -> None:
        """Trello tells what is left of the window; when others have eaten it up, wait rather than be refused."""
        left = response.headers.get("X-Rate-Limit-Api-Token-Remaining", "")
        if left.isdigit() and int(left) < HELD_BACK and response.status_code != 429:
            interval = response.headers.get("X-Rate-Limit-Api-Token-Interval-Ms", "")
            self._pause_all(int(interval) / 1000 if interval.isdigit() else self._pace.penalty)

    def _note_time(self, response: requests.Response) -> None:
        """To the millisecond from Trello's own header, else to the second from HTTP's."""
        stated, date = response.headers.get("X-Server-Time", ""), response.headers.get("Date", "")
        with contextlib.suppress(ValueError):
            exact = stated.isdigit()
            told = int(stated) / 1000 if exact else parsedate_to_datetime(date).timestamp()
            step = 0.001 if exact else 1.0
            self.server_time, self.time_step, self._own.answered = told, step, told + step

    def _pause_all(self, seconds: float) -> None:
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    def _checked(
        self, request: requests.PreparedRequest, response: requests.Response, body: bytes
    ) -> requests.Response:
        try:
            json.loads(body)
        except ValueError:
            raise self._unanswered(request, "an answer that is not JSON") from None
        response.status_code = 200  # py-trello takes a 202 for a failure although the write took place
        return response

    def _lost(self, request: requests.PreparedRequest, exc: requests.exceptions.RequestException) -> Exception:
        if isinstance(exc, requests.exceptions.SSLError):
            return ConfigurationError(f"{self.service}'s certificate was not accepted; check the endpoint URL.")
        reason = exc.args[0] if exc.args else None
        reason = reason.reason if isinstance(reason, MaxRetryError) else reason
        if isinstance(reason, NewConnectionError | ConnectTimeoutError):
            host = urlsplit(request.url or "").netloc
            return _Again(TransientServiceError(f"{self.service} could not be reached at {host}. Run again later."))
        timed_out = isinstance(exc, requests.exceptions.Timeout) or isinstance(reason, ReadTimeoutError)
        what = f"no answer within {self._timeout[1]:g} s" if timed_out else "a dropped connection"
        return self._unanswered(request, what, timed_out)

    def _unanswered(self, request: requests.PreparedRequest, what: str, timed_out: bool = False) -> Exception:
        """A POST is never sent again from here: it may have taken effect (design section 8.3)."""
        if request.method == "POST":
            kind = TimedOutWriteError if timed_out else UnclearWriteError
            return kind(f"{self.service}: {what}; the write may or may not have taken effect.")
        self._own.resent = True
        attempts = SLOW_ATTEMPTS if timed_out else ATTEMPTS
        error = TransientServiceError(f"{self.service}: {what}, {attempts} times. Run again later.")
        return _Again(error, attempts=attempts, unclear=True)

    def _refused(self, request: requests.PreparedRequest, response: requests.Response) -> Exception:
        kind, text = self._error_of(response)
        if response.status_code == 429:
            if kind == "PUBLIC_API_BILLING_LIMIT_EXCEEDED":
                return QuotaExceededError(
                    "Airtable's monthly API quota is used up. Wait for the next month or change the plan, and sync "
                    "less often."
                )
            pause = self._retry_after(response) + random.uniform(0.1, 1.0)
            self._pause_all(pause)
            log.warning("%s says we are too fast (429); waiting %.0f s.", self.service, pause)
            error = TransientServiceError(f"{self.service} kept answering 429 (too many requests). Run again later.")
            return _Again(error, pause=0.0)  # the pause is everybody's, see _wait_for_turn
        if response.status_code >= 500 or response.status_code == 408:
            return self._unanswered(request, f"an answer of {response.status_code}")
        refused = ServiceRefusedError(self.service, response.status_code, kind, text)
        setting = self._credential(refused) if self._accepted else ""
        return DeadTokenError(self.service, setting, text or kind) if setting else refused

    def _retry_after(self, response: requests.Response) -> float:
        stated = response.headers.get("Retry-After", "")
        return float(stated) if stated.isdigit() else self._pace.penalty

    def _error_of(self, response: requests.Response) -> tuple[str, str]:
        """Type and text in any of the five envelopes [reference/airtable-api.md 3.1] or as Trello's plain text."""
        kind, text = _envelope(response)
        return self.redact(kind)[:TEXT_SHOWN], self.redact(text)[:TEXT_SHOWN]


def _envelope(response: requests.Response) -> tuple[str, str]:
    try:
        body: Any = response.json()
    except ValueError:
        return "", response.text if "text/plain" in response.headers.get("Content-Type", "") else ""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(body, dict) and isinstance(body.get("errors"), list) and body["errors"]:
        error = body["errors"][0]
    if isinstance(error, dict):
        return str(error.get("type") or error.get("error") or ""), str(error.get("message") or "")
    return str(error), str(body.get("message", "")) if isinstance(body, dict) else ""


def _enough(state: RetryCallState) -> bool:
    failed = state.outcome.exception() if state.outcome else None
    return state.attempt_number >= (failed.attempts if isinstance(failed, _Again) else ATTEMPTS)


def _pause(state: RetryCallState) -> float:
    """0.5, 1, 2, 4 s with jitter, unless the answer itself says how long."""
    failed = state.outcome.exception() if state.outcome else None
    if isinstance(failed, _Again) and failed.pause is not None:
        return failed.pause
    return _backoff(state.attempt_number)


def _backoff(tries: int) -> float:
    return float(2 ** (tries - 2) * random.uniform(0.7, 1.3))


def session(wire: Wire, headers: Mapping[str, str]) -> requests.Session:
    """A session in which every request goes over `wire`."""
    new = requests.Session()
    new.headers.update(headers)
    new.mount("http://", wire)
    new.mount("https://", wire)
    return new
