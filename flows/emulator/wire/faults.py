"""
Scripted faults: the nth matching request gets no answer, a cut one, or a false one.

Nothing here breaks a connection: `server` does.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from emulator.wire.messages import HTML_TYPE, JSON_TYPE, TEXT_TYPE, Reply, Request, json_reply

FaultKind = Literal[
    "drop_before",
    "drop_after",
    "timeout_before",
    "timeout_after",
    "status",
    "status_after",
    "truncate",
    "empty_page",
    "html",
]

BEFORE_EXECUTION = frozenset({"drop_before", "timeout_before", "status", "empty_page", "html"})

HTML_PAGE = "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body>Please try again.</body></html>"


@dataclass(frozen=True)
class Fault:
    """
    One scripted fault; the kinds ending in `_after`, and `truncate`, let the request take effect first.

    drop_*: the connection is reset; timeout_*: silence for `seconds`, then a reset; status: `status` and `body`;
    truncate: half of the body under the full Content-Length; empty_page: 200 with no rows and no offset;
    html: a proxy's page with `status`.
    """

    kind: FaultKind
    service: str | None = None
    """`airtable`, `trello`, or None for both."""
    method: str | None = None
    path: str | None = None
    """Regular expression, searched in the request's path."""
    member: str | None = None
    """Name of a member that the request's JSON body must have."""
    nth: int = 1
    """Fires at this matching request, counted from now (1 is the next)."""
    times: int = 1
    """How many matching requests in a row."""
    status: int = 503
    body: Any = None
    """Bytes or text are sent as they are, other values as JSON; None means the service's own words."""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    """Silence of the timeout kinds [s, real time]; stopping the emulator ends it."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"unknown fault kind {self.kind!r}; known: {', '.join(get_args(FaultKind))}")
        if self.nth < 1 or self.times < 1:
            raise ValueError("nth and times count from 1")

    def matches(self, request: Request) -> bool:
        """Whether the request is one this fault counts."""
        return (
            self.service in (None, request.service)
            and (self.method is None or self.method.upper() == request.method)
            and (self.path is None or re.search(self.path, request.path) is not None)
            and (self.member is None or (isinstance(request.body, dict) and self.member in request.body))
        )


class FaultScript:
    """The faults still to come; each keeps its own count of matching requests."""

    def __init__(self) -> None:
        self._pending: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Schedule a fault behind those already there."""
        self._pending.append((fault, [0]))

    def clear(self) -> None:
        """Forget all faults."""
        self._pending.clear()

    def take(self, request: Request) -> Fault | None:
        """
        Count the request for every fault it matches and return the one that fires now.

        Of several that would fire the oldest does; the others wait for the next matching request.
        """
        firing: Fault | None = None
        for fault, seen in self._pending:
            if not fault.matches(request) or (firing is not None and seen[0] + 1 >= fault.nth):
                continue
            seen[0] += 1
            if seen[0] >= fault.nth:
                firing = fault
        self._pending = [(fault, seen) for fault, seen in self._pending if seen[0] < fault.nth + fault.times - 1]
        return firing


def false_reply(fault: Fault, request: Request) -> Reply:
    """What the kinds status, status_after, empty_page and html answer."""
    if fault.kind == "empty_page":
        return json_reply({"records": []} if request.service == "airtable" else [])
    if fault.kind == "html":
        return _reply(fault, fault.body if fault.body is not None else HTML_PAGE, HTML_TYPE)
    body = fault.body if fault.body is not None else default_body(request.service, fault.status)
    return _reply(fault, body, TEXT_TYPE)


def default_body(service: str, status: int) -> Any:
    """The service's own body for a server-side failure."""
    if service == "trello":
        return {"error": "API_TOKEN_LIMIT_EXCEEDED", "message": "Rate limit exceeded"} if status == 429 else ""
    if status == 429:
        message = "Rate limit exceeded. Please try again later"
        return {"errors": [{"error": "RATE_LIMIT_REACHED", "message": message}]}
    if status == 503:
        message = "Server encountered an error while processing your request, and it is safe to retry the request"
        return {"error": {"type": "RETRIABLE_ERROR", "message": message}}
    return {"error": {"type": "SERVER_ERROR", "message": "Try again. If the problem persists, contact support."}}


def _reply(fault: Fault, body: Any, text_type: str) -> Reply:
    if isinstance(body, bytes):
        return Reply(fault.status, body, text_type, fault.headers)
    if isinstance(body, str):
        return Reply(fault.status, body.encode(), text_type, fault.headers)
    return Reply(fault.status, json.dumps(body).encode(), JSON_TYPE, fault.headers)
