"""Who may ask the gateway for what. Never here: a route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException

from leadsync.gateway.inbox import Inbox
from leadsync.gateway.signatures import is_token
from leadsync.gateway.trigger import Trigger
from leadsync.loopback import is_loopback

HTTP = 80
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


@dataclass(frozen=True)
class Gate:
    """
    What the gateway is made of.

    host: what it listens on. token: SYNC_API_TOKEN. public_url: where it is reached from outside. look_up: a run
    this process no longer knows, by id, as Prefect tells it. lock: who took the pair's lock last; raises
    LeadsyncError if nobody can tell.
    """

    trigger: Trigger
    inbox: Inbox
    host: str
    token: str | None = None
    public_url: str | None = None
    by_deployment: bool = False
    look_up: Callable[[str], dict[str, Any] | None] = lambda _run_id: None
    lock: Callable[[], dict[str, Any]] = dict


def objection(headers: Mapping[str, str], gate: Gate) -> HTTPException | None:
    """
    Why this request may not start or see runs; None if it may.

    With a token set, the token decides. Without one only this machine may ask: not through a proxy, not under a name
    that a foreign DNS server made up, not from a page of another site.
    """
    if gate.token is not None:
        if is_token(gate.token, headers.get("authorization")):
            return None
        return unauthorised("SYNC_API_TOKEN has to be shown as a bearer token.")
    if not is_loopback(gate.host) or _is_exposed(gate.public_url):
        return unauthorised("SYNC_API_TOKEN is not set, so nobody but this machine may ask, and only directly.")
    if any(name in headers for name in PROXY_HEADERS):
        return unauthorised("The request came through a proxy; set SYNC_API_TOKEN and show it as a bearer token.")
    if not is_loopback(host_of(f"//{headers.get('host', '')}")):
        return HTTPException(403, "Without SYNC_API_TOKEN the gateway answers under localhost and 127.0.0.1 only.")
    if "origin" in headers and not _is_own_page(headers["origin"], headers["host"]):
        return HTTPException(403, "A page of another site may not ask.")
    return None


def _is_exposed(public_url: str | None) -> bool:
    """A proxy that forwards everything, and says nothing about it, makes the whole world look like this machine."""
    return public_url is not None and not is_loopback(host_of(public_url))


def _is_own_page(origin: str, host: str) -> bool:
    """Whether a page came from here: other programs of this machine serve pages as well, on other ports."""
    try:
        page, here = urlsplit(origin), urlsplit(f"//{host}")
        same = (page.hostname, page.port or HTTP) == (here.hostname, here.port or HTTP)
    except ValueError:
        return False
    return same and page.scheme == "http" and page.username is None


def host_of(url: str) -> str | None:
    """The host that the caller named, without its port."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def unauthorised(detail: str) -> HTTPException:
    """The answer to a caller whom a token would let in."""
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})
