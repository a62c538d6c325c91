"""
Who sent this delivery? The signatures of both services' webhooks, over the raw bytes, compared in constant time.

Pure. What is never here: parsing of a body, a secret that is kept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

AIRTABLE_PREFIX = "hmac-sha256="


def is_from_trello(secret: str, body: bytes, callback_url: str, given: str | None) -> bool:
    """
    Whether `given`, the header X-Trello-Webhook, is base64 of HMAC-SHA1 over body and callback URL.

    `secret`: the Power-Up's (TRELLO_API_SECRET). `callback_url`: exactly as it was registered.
    """
    mac = hmac.new(secret.encode(), body + callback_url.encode(), hashlib.sha1).digest()
    return is_same(base64.b64encode(mac).decode(), given)


def is_from_airtable(mac_secret: str, body: bytes, given: str | None) -> bool:
    """
    Whether `given`, the header X-Airtable-Content-MAC, is `hmac-sha256=` and hex of HMAC-SHA256 over the body.

    `mac_secret`: base64, as Airtable gave it when the webhook was made; the key is what it decodes to.
    """
    try:
        key = base64.b64decode(mac_secret, validate=True)
    except ValueError:
        return False
    if not key:
        return False
    return is_same(AIRTABLE_PREFIX + hmac.new(key, body, hashlib.sha256).hexdigest(), given)


def is_token(expected: str, authorization: str | None) -> bool:
    """Whether the header Authorization is `Bearer <expected>`."""
    scheme, _, given = (authorization or "").partition(" ")
    return is_same(expected, given.strip()) and scheme.lower() == "bearer"


def is_same(expected: str, given: str | None) -> bool:
    """Whether they are equal; how long that takes says nothing about where they differ."""
    return given is not None and hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))
