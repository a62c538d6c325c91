"""An answer as it came: its body within bounds, its JSON, its headers' numbers. Never here: what it means."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import requests

LONGEST_BODY = 64 * 2**20
"""Bytes, unpacked; a thousand cards with full descriptions have about 20 million."""
CHUNK = 2**16
NESTED = (dict, list)
DEEPEST = 100
"""Levels of JSON; what the services send has ten."""
EARLIEST, LATEST = 631_152_000.0, 4_102_444_800.0
"""A service's clock stands between 1990 and 2100 [s since 1970]."""
YEAR = re.compile(r" (?:19|20)\d\d ")


class TooLongError(ValueError):
    """A body that goes on after LONGEST_BODY."""


def read_body(response: requests.Response) -> bytes:
    """The whole body, unpacked as it comes. Raises: TooLongError; what requests raises."""
    parts, size = list[bytes](), 0
    try:
        for part in response.iter_content(CHUNK):
            parts.append(part)
            size += len(part)
            if size > LONGEST_BODY:
                response.close()
                raise TooLongError
    except TooLongError:
        raise
    except ValueError as exc:  # urllib3 reads on by the length of a chunk, even if it is less than nothing
        raise requests.exceptions.ChunkedEncodingError(exc) from exc
    return b"".join(parts)


def parsed(body: bytes) -> Any:
    """
    What the JSON says, whichever charset its header claims.

    Raises: ValueError if it is none, or nested so deep that handling it would exhaust the stack.
    """
    try:
        told = json.loads(text_of(body))
    except RecursionError:
        raise ValueError("too deep") from None
    level = [told]
    for _ in range(DEEPEST):
        level = [child for each in level for child in _children(each) if isinstance(child, NESTED)]
        if not level:
            return told
    raise ValueError("too deep")


def text_of(body: bytes) -> str:
    """JSON's own text. Raises: ValueError if its bytes are no text."""
    return body.decode(json.detect_encoding(body))


def as_success(response: requests.Response, body: bytes) -> requests.Response:
    """The answer as clients get it: with status 200, and in the charset that it has, whatever its header says."""
    whole = requests.Response()
    whole.status_code = 200  # py-trello takes a 202 for a failure although the write took place
    whole.headers, whole.url, whole.request = response.headers, response.url, response.request
    whole.raw, whole.encoding = io.BytesIO(text_of(body).encode()), "utf-8"
    return whole


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def number(headers: Mapping[str, str], name: str) -> float | None:
    """A header that is a plain whole number of a sensible size; None if there is none."""
    stated = headers.get(name, "").strip()
    return float(stated) if re.fullmatch(r"[0-9]{1,15}", stated) else None


def date(headers: Mapping[str, str], name: str) -> float | None:
    """A header that is a date [s since 1970]; None if there is none."""
    stated = headers.get(name, "")
    if not YEAR.search(stated):  # the parser takes the year 0001 for 2001
        return None
    try:
        return _credible(parsedate_to_datetime(stated).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def clock(headers: Mapping[str, str], name: str) -> float | None:
    """A header that is a service's clock in milliseconds [s since 1970]; None if there is none."""
    stated = number(headers, name)
    return None if stated is None else _credible(stated / 1000)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How long we are asked to wait [s], in either form that HTTP has; None if that is not told, or past."""
    stated = number(headers, "Retry-After")
    if stated is not None:
        return stated
    until, now = date(headers, "Retry-After"), date(headers, "Date")
    return until - now if until is not None and now is not None and until > now else None


def _credible(moment: float) -> float | None:
    return moment if EARLIEST <= moment <= LATEST else None
