"""An attempt that failed: what it is called, and when it is worth another. Never here: a request."""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import requests
from requests.exceptions import InvalidSchema, InvalidURL
from tenacity import RetryCallState
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError, ReadTimeoutError
from urllib3.util.ssl_match_hostname import CertificateError

from leadsync.errors import (
    ConfigurationError,
    DeadTokenError,
    LeadsyncError,
    ServiceRefusedError,
    TimedOutWriteError,
    TransientServiceError,
    UnclearWriteError,
)
from leadsync.transport.answers import LONGEST_BODY, TooLongError, parsed
from leadsync.transport.lines import UnderWay
from leadsync.transport.service import Service, Words

ATTEMPTS = 5
"""Tries of one request before a run gives up on it; a 429 that waited out its window counts as one."""
SLOW_ATTEMPTS = 2
"""Tries of a request that got no answer in time: each costs the whole time-out."""
TEXT_SHOWN = 300
"""Characters of a service's own words that are passed on."""


class Again(Exception):
    """
    This attempt failed in a way that the next may not; carries the pause [s] and the error if it was the last.

    `sent`: whether the request left at all. `unclear`: whether it may have taken effect. `what`: what came instead.
    """

    def __init__(
        self,
        error: LeadsyncError,
        pause: float | None = None,
        attempts: int = ATTEMPTS,
        sent: bool = True,
        unclear: bool = False,
        what: str = "it is away",
    ) -> None:
        super().__init__(str(error))
        self.error, self.pause, self.attempts, self.sent, self.unclear = error, pause, attempts, sent, unclear
        self.what = what


def lost(service: Service, request: requests.PreparedRequest, exc: Exception, sent: UnderWay, wait: float) -> Exception:
    """The error for a request that got no answer, or only a part of one; `wait`: how long was waited for it [s]."""
    if refusal := _misconfigured(service, exc):
        return refusal
    if not sent.left:
        return _out_of_reach(service, request, exc, sent.late)
    if isinstance(exc, TooLongError):
        what = f"an answer of more than {LONGEST_BODY // 2**20} MB"
        return unanswered(service, request, what, attempts=SLOW_ATTEMPTS)
    timed_out = sent.late or isinstance(exc, requests.exceptions.Timeout) or _cause(exc, ReadTimeoutError) is not None
    what = f"no answer within {wait:g} s" if timed_out else "a dropped connection"
    return unanswered(service, request, what, timed_out)


def unanswered(
    service: Service,
    request: requests.PreparedRequest,
    what: str,
    timed_out: bool = False,
    attempts: int = ATTEMPTS,
    pause: float | None = None,
) -> Exception:
    """The same for `what` came instead. A POST is never sent again from here: it may have taken effect."""
    if request.method == "POST":
        kind = TimedOutWriteError if timed_out else UnclearWriteError
        return kind(f"{service.name}: {what}; the write may or may not have taken effect.")
    attempts = SLOW_ATTEMPTS if timed_out else attempts
    error = TransientServiceError(f"{service.name}: {what}, {attempts} times. Run again later.")
    return Again(error, pause, attempts, unclear=True, what=what)


def _out_of_reach(service: Service, request: requests.PreparedRequest, exc: Exception, timed_out: bool) -> Again:
    """The request never left."""
    place, how = urlsplit(request.url or ""), ""
    if _cause(exc, ProxyError):
        how = " through the proxy that the environment names"
    elif place.scheme == "https" and not _cause(exc, NewConnectionError, ConnectTimeoutError):
        reason = getattr(_cause(exc, ssl.SSLError), "reason", None) or "the connection was closed"
        how = f": the TLS handshake broke off ({reason.replace('_', ' ').lower()})"
    error = TransientServiceError(f"{service.name} could not be reached at {place.netloc}{how}. Run again later.")
    return Again(error, attempts=SLOW_ATTEMPTS if timed_out else ATTEMPTS, what="it could not be reached")


def _misconfigured(service: Service, exc: Exception) -> ConfigurationError | None:
    """What is wrong with a certificate, what it is judged by, or the proxy; None if it is something else."""
    refused = _cause(exc, ssl.SSLCertVerificationError, CertificateError)
    if refused is not None:
        why = getattr(refused, "verify_message", "") or str(refused)
        return ConfigurationError(
            f"{service.name}'s certificate was not accepted ({why.rstrip('.')}). Where a proxy or firewall puts "
            "its own certificates in place, let REQUESTS_CA_BUNDLE name the file of its authority; else check the "
            "endpoint's address and this machine's clock."
        )
    if isinstance(exc, InvalidURL | InvalidSchema):
        return ConfigurationError(
            "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY holds what is no HTTP proxy's address, so "
            f"{service.name} was not asked."
        )
    unread = _cause(exc, ssl.SSLError)
    foreign = isinstance(exc, OSError) and not isinstance(exc, requests.exceptions.RequestException)
    if foreign or getattr(unread, "library", "") in ("X509", "PEM"):
        return ConfigurationError(
            f"The certificates by which {service.name} is judged could not be read; let REQUESTS_CA_BUNDLE (or "
            "CURL_CA_BUNDLE) name a file of them in PEM form, or leave it unset."
        )
    return None


def _cause(exc: object, *kinds: type[BaseException]) -> BaseException | None:
    """The first of these kinds among what an exception was made of."""
    if not isinstance(exc, BaseException):
        return None
    if isinstance(exc, kinds):
        return exc
    made_of = (*exc.args, getattr(exc, "reason", None), getattr(exc, "original_error", None))
    return next(filter(None, (_cause(each, *kinds) for each in made_of)), None)


def words_of(service: Service, response: requests.Response, body: bytes, redact: Callable[[str], str]) -> Words:
    """What a refusal says, redacted; plain text is for people, whoever on the way has sent it."""
    try:
        words = service.words(parsed(body))
    except ValueError:
        is_text = "text/plain" in response.headers.get("Content-Type", "")
        words = Words(text=body.decode("utf-8", errors="replace") if is_text else "")
    return Words(redact(words.kind)[:TEXT_SHOWN], redact(words.text)[:TEXT_SHOWN])


def refused(service: Service, status: int, words: Words, accepted: bool) -> LeadsyncError:
    """The error for an answer that says no; `accepted`: whether the service had taken our credentials before."""
    if 300 <= status < 400:
        words = Words(text="a redirect, which is never followed; check the endpoint's address")
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
