"""
Who may see the page and press its buttons. A browser shows what it knows by itself, be it asked by a page of another
site; so whatever changes something has to come from a page of ours.

Never here: a route.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import HTTPException

from leadsync.gateway.access import Gate, host_of, objection
from leadsync.gateway.signatures import is_same, is_token
from leadsync.loopback import is_loopback

ASK_FOR_TOKEN = {"WWW-Authenticate": 'Basic realm="leadsync: SYNC_API_TOKEN is the password", charset="UTF-8"'}
PORTS = {"http": 80, "https": 443}


def page_objection(headers: Mapping[str, str], gate: Gate, changes: bool) -> HTTPException | None:
    """
    Why this request may not see the page, or, if it `changes` something, may not do that; None if it may.

    With a token set, the token decides: as a bearer's, or as the password of HTTP Basic under any name.
    """
    authorization = headers.get("authorization")
    if gate.token is None:
        refused = objection(headers, gate)
        if refused is not None:
            return refused
    elif is_token(gate.token, authorization):
        return None  # no browser sends that by itself
    elif not is_same(gate.token, _password(authorization)):
        return HTTPException(
            401, "SYNC_API_TOKEN has to be given as the password; any user name will do.", ASK_FOR_TOKEN
        )
    return _from_elsewhere(headers, gate) if changes else None


def _from_elsewhere(headers: Mapping[str, str], gate: Gate) -> HTTPException | None:
    host = headers.get("host", "")
    if not _is_ours(host_of(f"//{host}"), gate):
        return HTTPException(
            403,
            f"Nothing is changed under the name {host[:200]!r}; set SYNC_PUBLIC_URL if the gateway is reached by it.",
        )
    origin = headers.get("origin")
    if origin is None:
        same = headers.get("sec-fetch-site") == "same-origin"
        return None if same else HTTPException(403, "The request does not say from which page it comes.")
    ours = {_origin(f"http://{host}")}
    if gate.public_url is not None:
        ours.add(_origin(gate.public_url))
    return (
        None if _origin(origin) in ours - {None} else HTTPException(403, "A page of another site may change nothing.")
    )


def _is_ours(name: str | None, gate: Gate) -> bool:
    """Whether it is a name of ours; nobody can make a foreign name of an address in figures."""
    if name is None:
        return False
    if is_loopback(name) or name == gate.host or (gate.public_url and name == host_of(gate.public_url)):
        return True
    try:
        return bool(ipaddress.ip_address(name)) and not is_loopback(gate.host)
    except ValueError:
        return False


def _origin(address: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None of what is no web address."""
    try:
        parts = urlsplit(address)
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return None if parts.hostname is None or parts.username is not None else (parts.scheme, parts.hostname, port)


def _password(authorization: str | None) -> str | None:
    """Of the header of HTTP Basic."""
    scheme, _, given = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        told = base64.b64decode(given.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    _, colon, password = told.partition(":")
    return password if colon else None
