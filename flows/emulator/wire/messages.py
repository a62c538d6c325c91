"""
One request and one reply, as both services see them.

Nothing here sends anything.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class Request:
    """What arrived, kept for assertions; `status` stays None when no answer was sent."""

    service: str
    """`airtable` or `trello`."""
    method: str
    path: str
    """Percent-encoded path without query, as sent."""
    query: dict[str, Any]
    """Last value per name; a name that ends in `[]` or is repeated holds the list of its values."""
    body: Any
    """Parsed JSON or form body; None when there was none or it could not be parsed."""
    headers: dict[str, str]
    """Lower-case names."""
    at: float
    """Arrival on the emulator's clock [s]."""
    status: int | None = None
    parameters: list[tuple[str, str]] = field(default_factory=list, repr=False)
    """The query as pairs, in order."""
    raw_query: str = field(default="", repr=False)
    malformed_body: bool = False
    """A body was sent as JSON and did not parse."""

    @property
    def is_write(self) -> bool:
        """Whether the method can change something; Airtable's POST listRecords is a read."""
        return self.method in WRITES and not self.path.rstrip("/").endswith("/listRecords")

    @property
    def segments(self) -> list[str]:
        """Decoded path segments after the version; a `%2F` stays inside its segment."""
        parts = [unquote(part) for part in self.path.split("/")[2:]]
        return parts[:-1] if parts and parts[-1] == "" else parts

    @property
    def url_length(self) -> int:
        """Length of path and query [characters]."""
        return len(self.path) + (len(self.raw_query) + 1 if self.raw_query else 0)


@dataclass(frozen=True)
class Reply:
    """Status, body and headers to send."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """Raised inside an endpoint to answer with an error; nothing has been changed by then."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status} {reply.body[:200]!r}")
        self.reply = reply


def json_reply(value: Any, status: int = 200) -> Reply:
    """A JSON body."""
    return Reply(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), JSON_TYPE)


def text_reply(text: str, status: int) -> Reply:
    """A plain text body, the form of most Trello errors."""
    return Reply(status, text.encode(), TEXT_TYPE)


def unsupported(what: str) -> Refused:
    """501: the service may do this, the emulator does not."""
    return Refused(text_reply(f"emulator: {what} is not supported", 501))


def parse_query(raw: str) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """A raw query as ordered pairs and as the mapping described at `Request.query`."""
    pairs = parse_qsl(raw, keep_blank_values=True)
    names = [name for name, _ in pairs]
    mapping: dict[str, Any] = {}
    for name, value in pairs:
        if name.endswith("[]") or names.count(name) > 1:
            mapping.setdefault(name, []).append(value)
        else:
            mapping[name] = value
    return pairs, mapping


def parse_body(raw: bytes, content_type: str) -> tuple[Any, bool]:
    """The body as JSON or form mapping, and whether it was malformed."""
    if not raw:
        return None, False
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)), False
    try:
        return json.loads(raw, parse_constant=_no_number), False
    except ValueError:
        return None, True


def _no_number(constant: str) -> None:
    """Python reads NaN and Infinity, which are no JSON."""
    raise ValueError(constant)


def truthy(value: Any) -> bool:
    """A boolean as clients send it: true, 1, "1", "true", "True"."""
    return value is True or str(value).lower() in {"1", "true"}
