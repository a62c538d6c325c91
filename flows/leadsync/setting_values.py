"""
How the value of a setting may be written, and what it becomes. Each function raises ValueError that says what is
allowed, and never tells a secret. What is never here: which setting has which value (see settings.py).
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

import platformdirs
from pydantic import SecretStr

from leadsync.loopback import is_loopback
from leadsync.model import DEFAULT_STAGE_OF, StatusMap

PROJECT = Path(__file__).resolve().parents[2]
TOKEN_LENGTH = 16
"""Fewest characters of SYNC_API_TOKEN."""
SHOWN = 200
"""Characters of a wrong value that are told."""
SQLITE_FILE = re.compile(
    r"(?P<kind>sqlite(?:\+\w+)?:///)(?!:memory:|[A-Za-z]:|\\)(?P<path>[^?]+)(?P<options>\?.*)?", re.DOTALL
)
"""A file's address; not one in memory, nor one with a drive or a share of Windows, which is never relative."""
DURATION = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>[mhd]?)")
WEB_ADDRESS = "https://host[:port][/path]"
SERVER_USER = re.compile(r"[\w+]+://[^:/@]*(:(?P<password>[^@]*))?@(?P<rest>.*)", re.DOTALL)
"""A database server's address with a user name, as SQLAlchemy takes it apart: the first @ ends the password."""
DURATION_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


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


def public_url(value: str) -> str:
    """An address under which webhooks can be received, without a slash at its end."""
    text = value.strip().rstrip("/")
    _refuse_other_than_web(text)
    return text


def endpoint_url(value: str) -> str:
    """The address of an API, without a slash at its end; credentials go there, in the clear only here."""
    text = value.strip().rstrip("/")
    place = _refuse_other_than_web(text)
    if place.scheme != "https" and not is_loopback(place.hostname):
        raise ValueError(
            f"it would send credentials to {place.hostname} in the clear; allowed is https://…, and http:// to this "
            "machine itself"
        )
    return text


def _refuse_other_than_web(text: str) -> SplitResult:
    """Returns: the address in its parts. Raises: ValueError that repeats nothing, since a password may be in it."""
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or "@" in parts.netloc or set(" ?#\\") & set(text) or not text.isascii() or not text.isprintable():
        raise ValueError(f"it is not an address, or holds more than one, like a user name; allowed is {WEB_ADDRESS}")
    return parts


def default_state_url() -> str:
    """An SQLite file in the user's data folder."""
    return f"sqlite:///{platformdirs.user_data_path('leadsync') / 'state.sqlite3'}"


def state_url(value: str) -> str:
    """
    The address of a state database, an SQLite file's with its whole path.

    A relative path is relative to the project and `~` is the home, so that the settings name the same state from
    wherever a run is started. Any other address stays as it is.
    """
    text = value.strip()
    if (user := SERVER_USER.match(text)) and ("?" in (user["password"] or "") or "@" in user["rest"]):
        raise ValueError(
            "it has an @ that may end the password or belong to it; in a user name, password or option write @ as %40, "
            ": as %3A, / as %2F and ? as %3F"
        )
    found = SQLITE_FILE.fullmatch(text)
    if found is None:
        return text
    path, options = found["path"], found["options"] or ""
    if not path.startswith("file:") or not re.search(r"[?&]uri=(1|t|true|y|yes|on)(&|$)", options, re.IGNORECASE):
        return f"{found['kind']}{_whole_path(path)}{options}"
    path = path.removeprefix("file:")
    if path.startswith((":memory:", "//")) or "mode=memory" in options:
        return text
    return f"{found['kind']}file:{quote(str(_whole_path(unquote(path))))}{options}"


def _whole_path(path: str) -> Path:
    """Raises: ValueError if a state lies where a relative path led to in earlier versions, and would be forgotten."""
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        raise ValueError(f"{path!r} begins with a home that does not exist")
    whole, left = Path(os.path.abspath(PROJECT / expanded)), Path(os.path.abspath(expanded))
    if left.is_file() and not whole.exists():
        raise ValueError(
            f"a relative path is relative to the project, where {whole} does not exist; there is a state in {left}. "
            "Move it there, or give the whole path"
        )
    return whole


def mapping_text(value: str) -> tuple[str, str]:
    """
    The text of a mapping and what it is called: that of the file which is named, or the value itself if it is TOML.

    A relative path is relative to the project. Raises: ValueError if there is no such file, or no text in it.
    """
    if "\n" in value or "=" in value or "[[" in value:
        return value, "the mapping"
    path = Path(os.path.abspath(PROJECT / os.path.expanduser(value.strip())))
    try:
        return path.read_text(encoding="utf-8-sig"), str(path)
    except OSError as exc:
        raise ValueError(f"{path} cannot be read ({exc.strerror}); it names the file with the mapping") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not in UTF-8; save it so") from None


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
