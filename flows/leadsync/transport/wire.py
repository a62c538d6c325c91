"""
One transport for both services: pace, deadlines, retries, call counts, and errors in our own words, redacted.

Both clients get a `requests` session with this adapter mounted, so that neither their own retries nor their own
exceptions ever come into play. What is never here: a path, a body, an opinion on what an answer means for a lead.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type
from urllib3.exceptions import HTTPError

from leadsync.errors import LeadsyncError, QuotaExceededError, ReadAgainError, TransientServiceError
from leadsync.transport import answers
from leadsync.transport.failures import Again, backoff, enough, lost, pause, refused, unanswered, words_of
from leadsync.transport.lines import Lines, to_endpoint, under_way
from leadsync.transport.pacing import Budget, Clock, Pace, Pacing, Window
from leadsync.transport.patience import Patience
from leadsync.transport.service import Service

CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 35.0
"""Seconds without a byte. Trello itself cuts an answer at 30 s."""
DEADLINE = 60.0
"""Seconds for one request and the whole of its answer."""
HELD_BACK = 5
"""Requests left of a service's window at which we wait: as many may be under way, and others use it too."""


class Wire(BaseAdapter):
    """
    The transport adapter of one service.

    `hosts` maps hosts a client has hard-coded to the endpoint from the settings. `secrets` are blotted out of
    every text that leaves here. `in_path` maps what stands in a path for a secret to it: only what is sent has it.
    `deadline`: see DEADLINE. `adapter`: what really sends; `budgets`, `window`: what is shared with others.
    Attributes: `server_time`, the service's clock at its last answer, rounded down [s since 1970], 0 if it never said.
    Raises (from `send`): the LeadsyncErrors of errors.py, never an exception of requests or urllib3.
    """

    def __init__(
        self,
        service: Service,
        pace: Pace,
        secrets: tuple[str, ...],
        hosts: Mapping[str, str] | None = None,
        in_path: Mapping[str, str] | None = None,
        clock: Clock = time,
        read_timeout: float = READ_TIMEOUT,
        deadline: float = DEADLINE,
        adapter: BaseAdapter | None = None,
        budgets: Sequence[Budget] = (),
        window: Window | None = None,
    ) -> None:
        super().__init__()
        self.service, self.pacing, self.server_time = service, Pacing(pace, clock, budgets, window), 0.0
        self._secrets, self._hosts, self._in_path = secrets, dict(hosts or {}), dict(in_path or {})
        self._clock, self._timeout, self._deadline = clock, (CONNECT_TIMEOUT, read_timeout), deadline
        self._adapter = adapter or Lines(pool_maxsize=8)
        self._own, self._accepted = threading.local(), False
        self._patience = Patience(service.name, self.pacing, clock)

    @property
    def calls(self) -> int:
        """Requests sent so far, retries included."""
        return self.pacing.taken

    def send(self, request: requests.PreparedRequest, *_args: Any, **_session: Any) -> requests.Response:
        """
        Send, paced and retried; a 2xx comes back as 200, anything else as an exception.

        A PATCH is sent at most once, and not at all during a pause: ReadAgainError says that it would have to wait.
        """
        self._own.resent = False
        to_endpoint(request, self._hosts)
        try:
            if request.method == "PATCH":
                return self._attempt(request)
            again, sleep = retry_if_exception_type(Again), self._clock.sleep
            retrying = Retrying(
                retry=again, stop=enough, wait=pause, sleep=sleep, before_sleep=self._tell, reraise=True
            )
            return retrying(self._attempt, request)
        except Again as failed:
            if request.method != "PATCH":
                raise failed.error from None
            of = (failed.sent, failed.unclear, failed.pause, failed.attempts, failed.what)
            raise ReadAgainError(str(failed), *of) from None

    def wait_again(self, again: ReadAgainError, tries: int) -> None:
        """
        The wait before what a PATCH is based on is read anew; `tries`: how often it was sent in vain.

        Raises: TransientServiceError if that was often enough.
        """
        if again.sent and tries >= again.attempts:
            raise TransientServiceError(str(again))
        self._patience.check()
        if again.pause is None:
            seconds = backoff(tries)
            self._patience.tell(again.what, seconds)
            self._clock.sleep(seconds)
        self.pacing.window.wait_out_pause()

    @property
    def moment(self) -> float:
        """Now, by the clock that waits are measured with [s]."""
        return self._clock.monotonic()

    def close(self) -> None:
        """Give back connections."""
        self._adapter.close()

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

    def _tell(self, state: RetryCallState) -> None:
        failed = state.outcome.exception() if state.outcome else None
        if isinstance(failed, Again) and state.next_action:
            self._patience.tell(failed.what, state.next_action.sleep)

    def _attempt(self, request: requests.PreparedRequest) -> requests.Response:
        self._patience.check()
        if not self.pacing.take_turn(patient=request.method != "PATCH"):
            raise Again(TransientServiceError(f"{self.service.name} asked for a pause."), pause=0.0, sent=False)
        try:
            answer = self._answer_to(request)
        except (Again, LeadsyncError) as failed:
            self._patience.note(answered=not isinstance(failed, Again | TransientServiceError))
            self._own.resent = self.resent or (isinstance(failed, Again) and failed.unclear)
            raise
        self._patience.note(answered=True)
        return answer

    def _answer_to(self, request: requests.PreparedRequest) -> requests.Response:
        response, body = self._ask(request)
        self._mind_remaining(response)
        self._note_time(response)
        if not 200 <= response.status_code < 300:
            raise self._refused(request, response, body)
        self._accepted = True
        try:
            told = answers.parsed(body)
        except ValueError:
            raise unanswered(self.service, request, "an answer that is not JSON") from None
        if flaw := self.service.flaw_in(request.method or "", urlsplit(request.url or "").path, told):
            raise unanswered(self.service, request, f"an answer that makes no sense ({flaw})")
        return answers.as_success(response, body)

    def _ask(self, request: requests.PreparedRequest) -> tuple[requests.Response, bytes]:
        sent = self.moment
        try:
            with under_way(self._deadline, self._in_path) as asked:
                response = self._adapter.send(request, timeout=self._timeout)
                body = answers.read_body(response)
        except (OSError, HTTPError, answers.TooLongError) as exc:  # the exceptions of requests are OSErrors
            wait = self._deadline if asked.late else self._timeout[1]
            raise lost(self.service, request, exc, asked, wait) from None
        finally:
            self.pacing.window.note_answer(sent, self.moment)
        if asked.late:  # cut where it had no stated end
            raise unanswered(self.service, request, f"no whole answer within {self._deadline:g} s", timed_out=True)
        return response, body

    def _mind_remaining(self, response: requests.Response) -> None:
        """When others have eaten up the service's window, wait rather than be refused."""
        left = answers.number(response.headers, self.service.left_header)
        if left is not None and left < HELD_BACK and response.status_code != 429:
            window = answers.number(response.headers, self.service.window_header)
            self._patience.pause(self.pacing.pace.penalty if window is None else window / 1000)

    def _note_time(self, response: requests.Response) -> None:
        """To the millisecond from the service's own header, else to the second from HTTP's."""
        stated = answers.clock(response.headers, self.service.clock_header)
        told = answers.date(response.headers, "Date") if stated is None else stated
        if told is not None:
            self.server_time, self._own.answered = told, told + (1.0 if stated is None else 0.001)

    def _refused(self, request: requests.PreparedRequest, response: requests.Response, body: bytes) -> Exception:
        service, status, words = self.service, response.status_code, words_of(self.service, response, body, self.redact)
        stated = answers.retry_after(response.headers)
        if status == 429:
            if words.kind in service.quotas:
                return QuotaExceededError(service.quotas[words.kind])
            wait = self.pacing.pace.penalty if stated is None else stated
            if self._patience.pause(wait, random.uniform(0.1, 1.0), words.kind or str(status)):
                self._patience.tell("too many requests (429)", wait)
            error = TransientServiceError(f"{service.name} kept answering 429 (too many requests). Run again later.")
            return Again(error, pause=0.0)  # the pause is everybody's
        if status >= 500 or status == 408:
            if stated is not None and self._patience.pause(stated):
                self._patience.tell(f"an answer of {status}", stated)
            return unanswered(service, request, f"an answer of {status}")
        return refused(service, status, words, self._accepted)


Transport = Callable[..., Wire]
"""What makes the path to a service, called as `Wire` is; whoever asks for one closes it."""
