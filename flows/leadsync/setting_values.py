"""
How the value of a setting may be written, and what it becomes. Each function raises ValueError that says what is
allowed, and never tells a secret. What is never here: which setting has which value (see settings.py).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from leadsync.model import DEFAULT_STAGE_OF, StatusMap

TOKEN_LENGTH = 16
"""Fewest characters of SYNC_API_TOKEN."""
SHOWN = 200
"""Characters of a wrong value that are told."""
DURATION = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>[smhd]?)")
DURATION_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def plain(value: Any) -> Any:
    """A secret as its text, anything else as it is."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def bare(value: Any) -> Any:
    """A text, or a secret, without the blanks and quotes around it that a shell would have taken away."""
    if isinstance(value, SecretStr):
        return SecretStr(bare(value.get_secret_value()))
    if not isinstance(value, str):
        return value
    text = value.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def without_control_characters(value: Any) -> Any:
    """The value as it is. Raises: ValueError if it holds what no key or keyboard gives, line ends and tabs apart."""
    text = plain(value)
    if isinstance(text, str) and any(unicodedata.category(sign) == "Cc" and sign not in "\t\r\n" for sign in text):
        raise ValueError("it holds a control character; type it again")
    return value


def shown(value: str) -> str:
    """What was given: shortened, and without what is or may be a secret in it."""
    if re.match(r"pat[0-9A-Za-z]{14}\.|ATTA|[0-9a-fA-F]{32}", value):
        return "what looks like a key or token"
    scheme, slashes, rest = value.partition("//")
    text = f"{scheme}{slashes}***@{rest.rpartition('@')[2]}" if "@" in rest else value
    return repr(text[:SHOWN]) + ("…" if len(text) > SHOWN else "")


def credential(value: SecretStr | None) -> SecretStr | None:
    """A key or token that fits into a header."""
    if value is None:
        return None
    text = value.get_secret_value().strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text or '"' in text:
        raise ValueError("it is empty or holds characters that no key or token has; paste it again")
    return SecretStr(text)


def api_token(value: SecretStr | None) -> SecretStr | None:
    """A token that callers of the gateway show; long enough not to be guessed."""
    if value is None:
        return None
    text = value.get_secret_value().strip()
    if len(text) < TOKEN_LENGTH or not text.isascii() or not text.isprintable():
        raise ValueError(
            f"it must be at least {TOKEN_LENGTH} plain characters; make one with "
            "`python -c 'import secrets; print(secrets.token_urlsafe(32))'`"
        )
    return SecretStr(text)


def duration(value: Any) -> Any:
    """`24h`, `90m`, `7d`, or a number of hours, as a timedelta; what is no text stays as it is."""
    if not isinstance(value, str):
        return value
    found = DURATION.fullmatch(value.strip())
    if not found:
        raise ValueError(f"{shown(value)} is not a duration; allowed is e.g. 24h, 90m or 7d")
    try:
        return timedelta(**{DURATION_UNITS[found["unit"] or "h"]: float(found["number"])})
    except OverflowError:
        raise ValueError(f"{shown(value)} is longer than any time can be; allowed is e.g. 24h, 90m or 7d") from None


def status_map(value: Any) -> Any:
    """A JSON object as a StatusMap; what is no text stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        stage_of = json.loads(value, object_pairs_hook=_unique_keys)
    except RecursionError:
        raise ValueError(f"nested too deeply; allowed is e.g. {json.dumps(DEFAULT_STAGE_OF)}") from None
    except json.JSONDecodeError as exc:
        raise ValueError(f"not JSON ({exc.msg}); allowed is e.g. {json.dumps(DEFAULT_STAGE_OF)}") from None
    if not isinstance(stage_of, dict):
        raise ValueError(f"not an object; allowed is e.g. {json.dumps(DEFAULT_STAGE_OF)}")
    return StatusMap.from_stages(stage_of)


def names(value: Any) -> Any:
    """Names parted by commas, or as a JSON list, which may be empty; what is no text stays as it is."""
    if not isinstance(value, str):
        return value
    allowed = 'allowed is e.g. Won, Lost or ["Won", "Lost"], or [] for none'
    try:
        found = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
    except json.JSONDecodeError as exc:
        raise ValueError(f"not JSON ({exc.msg}); {allowed}") from None
    if not all(isinstance(name, str) and name.strip() for name in found):
        raise ValueError(f"{value!r} is no list of names; {allowed}")
    return tuple(dict.fromkeys(name.strip() for name in found))


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if twice := [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]:
        raise ValueError(f"status {twice[0]!r} is mapped twice")
    return dict(pairs)
