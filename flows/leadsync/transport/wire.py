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
from requests.adapters import BaseAdapter, HTTPAdapter
from tenacity import Retrying, retry_if_exception_type

from leadsync.errors import QuotaExceededError, ReadAgainError, TransientServiceError
from leadsync.transport.failures import Again, backoff, enough, lost, pause, refused, unanswered
from leadsync.transport.pacing import Clock, Pace, Pacing
from leadsync.transport.service import Service, Words

log = logging.getLogger("leadsync")
CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 35.0
"""Seconds. Trello itself cuts an answer at 30 s."""
HELD_BACK = 5
"""Requests left of a service's window at which we wait: as many may be under way, and others use it too."""
TEXT_SHOWN = 300
"""Characters of a service's own words that are passed on."""


class Wire(BaseAdapter):
    """
    The transport adapter of one service.

    `hosts` maps hosts a client has hard-coded to the endpoint from the settings. `secrets` are blotted out of
    every text that leaves here. `adapter`: what really sends. Attributes: `server_time`, the service's clock at its
    last answer, rounded down [s since 1970], 0 if it never said.
    Raises (from `send`): the LeadsyncErrors of errors.py, never an exception of requests or urllib3.
    """

    def __init__(
        self,
        service: Service,
        pace: Pace,
        secrets: tuple[str, ...],
        hosts: Mapping[str, str] | None = None,
        clock: Clock = time,
        read_timeout: float = READ_TIMEOUT,
        adapter: BaseAdapter | None = None,
    ) -> None:
        super().__init__()
        self.service, self.pacing, self.server_time = service, Pacing(pace, clock), 0.0
        self._secrets, self._hosts, self._clock = secrets, dict(hosts or {}), clock
        self._timeout = (CONNECT_TIMEOUT, read_timeout)
        self._adapter = adapter or HTTPAdapter(pool_maxsize=8)
        self._own, self._accepted = threading.local(), False

    @property
    def calls(self) -> int:
        """Requests sent so far, retries included."""
        return self.pacing.taken

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """
        Send, paced and retried; a 2xx comes back as 200, anything else as an exception.

        A PATCH is sent at most once, and not at all during a pause: ReadAgainError says that it would have to wait.
        """
        self._own.resent = False
        self._redirect(request)
        kwargs["timeout"] = self._timeout
        try:
            if request.method == "PATCH":
                return self._attempt(request, *args, **kwargs)
            sleep, failed_for_now = self._clock.sleep, retry_if_exception_type(Again)
            retrying = Retrying(retry=failed_for_now, stop=enough, wait=pause, sleep=sleep, reraise=True)
            return retrying(self._attempt, request, *args, **kwargs)
        except Again as failed:
            if request.method != "PATCH":
                raise failed.error from None
            raise ReadAgainError(str(failed), failed.sent, failed.unclear, failed.pause, failed.attempts) from None

    def wait_again(self, again: ReadAgainError, tries: int) -> None:
        """
        The wait before what a PATCH is based on is read anew; `tries`: how often it was sent in vain.

        Raises: TransientServiceError if that was often enough.
        """
        if again.sent and tries >= again.attempts:
            raise TransientServiceError(str(again))
        if again.pause is None:
            self._clock.sleep(backoff(tries))
        self.pacing.wait_out_pause()

    @property
    def moment(self) -> float:
        """Now, by the clock that waits are measured with [s]."""
        return self._clock.monotonic()

    def close(self) -> None:
        """Give back connections, and the thread that the pace keeps."""
        self._adapter.close()
        self.pacing.close()

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
        if endpoint := self._hosts.get(f"{parts.scheme}://{parts.netloc}"):
            target = urlsplit(endpoint)
            path = target.path.rstrip("/") + parts.path
            request.url = urlunsplit((target.scheme, target.netloc, path, parts.query, ""))

    def _attempt(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if not self.pacing.take_turn(patient=request.method != "PATCH"):
            raise Again(TransientServiceError(f"{self.service.name} asked for a pause."), pause=0.0, sent=False)
        sent = self._clock.monotonic()
        try:
            response = self._adapter.send(request, *args, **kwargs)
            _ = response.content  # read here, so that a body cut short is this attempt's failure
        except requests.exceptions.RequestException as exc:
            raise self._noted(lost(self.service, request, exc, self._timeout[1])) from None
        finally:
            self.pacing.note_answer(sent, self._clock.monotonic())
        self._mind_remaining(response)
        self._note_time(response)
        if 200 <= response.status_code < 300:
            self._accepted = True
            return self._checked(request, response)
        raise self._refused(request, response)

    def _noted(self, failed: Exception) -> Exception:
        self._own.resent = self.resent or (isinstance(failed, Again) and failed.unclear)
        return failed

    def _mind_remaining(self, response: requests.Response) -> None:
        """When others have eaten up the service's window, wait rather than be refused."""
        left = response.headers.get(self.service.left_header, "")
        if left.isdigit() and int(left) < HELD_BACK and response.status_code != 429:
            window = response.headers.get(self.service.window_header, "")
            self.pacing.pause(int(window) / 1000 if window.isdigit() else self.pacing.pace.penalty)

    def _note_time(self, response: requests.Response) -> None:
        """To the millisecond from the service's own header, else to the second from HTTP's."""
        stated, date = response.headers.get(self.service.clock_header, ""), response.headers.get("Date", "")
        with contextlib.suppress(ValueError):
            exact = stated.isdigit()
            told = int(stated) / 1000 if exact else parsedate_to_datetime(date).timestamp()
            self.server_time, self._own.answered = told, told + (0.001 if exact else 1.0)

    def _checked(self, request: requests.PreparedRequest, response: requests.Response) -> requests.Response:
        try:
            json.loads(response.content)
        except ValueError:
            raise self._noted(unanswered(self.service, request, "an answer that is not JSON")) from None
        response.status_code = 200  # py-trello takes a 202 for a failure although the write took place
        return response

    def _refused(self, request: requests.PreparedRequest, response: requests.Response) -> Exception:
        service, status, words = self.service, response.status_code, self._words_of(response)
        if status == 429:
            if words.kind in service.quotas:
                return QuotaExceededError(service.quotas[words.kind])
            stated = response.headers.get("Retry-After", "")
            wait = (float(stated) if stated.isdigit() else self.pacing.pace.penalty) + random.uniform(0.1, 1.0)
            self.pacing.pause(wait)
            log.warning("%s says we are too fast (429); waiting %.0f s.", service.name, wait)
            error = TransientServiceError(f"{service.name} kept answering 429 (too many requests). Run again later.")
            return Again(error, pause=0.0)  # the pause is everybody's
        if status >= 500 or status == 408:
            return self._noted(unanswered(service, request, f"an answer of {status}"))
        return refused(service, status, words, self._accepted)

    def _words_of(self, response: requests.Response) -> Words:
        """Redacted; plain text is for people, whoever on the way has sent it."""
        try:
            body: Any = response.json()
        except ValueError:
            words = Words(text=response.text if "text/plain" in response.headers.get("Content-Type", "") else "")
        else:
            words = self.service.words(body)
        return Words(self.redact(words.kind)[:TEXT_SHOWN], self.redact(words.text)[:TEXT_SHOWN])


Transport = Callable[..., Wire]
"""What makes the path to a service, called as `Wire` is; whoever asks for one closes it."""


def session(wire: Wire, headers: Mapping[str, str]) -> requests.Session:
    """A session in which every request goes over `wire`."""
    new = requests.Session()
    new.headers.update(headers)
    new.mount("http://", wire)
    new.mount("https://", wire)
    return new
