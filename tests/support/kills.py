"""Runs that are killed, just before one of their requests or just after it took effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest

from leadsync.transport.wire import Wire


class Killed(BaseException):
    """The end of a process, as far as one can have it inside another."""


@contextmanager
def killed(at: int, after: bool) -> Iterator[None]:
    """Die at a request: before it is sent, or after it took effect and before its answer is known."""
    sent, send = count(), Wire.send

    def send_or_die(self: Wire, request: Any, *args: Any, **kwargs: Any) -> Any:
        index = next(sent)
        if index > at or (index == at and not after):
            raise Killed
        response = send(self, request, *args, **kwargs)
        if index == at:
            raise Killed
        return response

    with patch.object(Wire, "send", send_or_die):
        yield


def is_killed(run: Callable[[], object], at: int, after: bool) -> bool:
    """Whether a run died at that request, see `killed`; False if it came to its end before."""
    with killed(at, after):
        try:
            run()
        except Killed:
            return True
    return False


@contextmanager
def dying(at: Callable[[Any], bool], after: bool) -> Iterator[None]:
    """Die at the requests that `at` picks, otherwise as `killed`."""
    send = Wire.send

    def send_or_die(self: Wire, request: Any, *args: Any, **kwargs: Any) -> Any:
        if at(request) and not after:
            raise Killed
        response = send(self, request, *args, **kwargs)
        if at(request):
            raise Killed
        return response

    with patch.object(Wire, "send", send_or_die):
        yield


@contextmanager
def killed_after(method: str, path: str = "") -> Iterator[None]:
    """The process ends once such a request has taken effect, and before its answer is known."""
    with dying(lambda request: request.method == method and path in request.url, after=True), pytest.raises(Killed):
        yield


@contextmanager
def killed_before(method: str, path: str = "") -> Iterator[None]:
    """The process ends just before such a request."""
    with dying(lambda request: request.method == method and path in request.url, after=False), pytest.raises(Killed):
        yield
