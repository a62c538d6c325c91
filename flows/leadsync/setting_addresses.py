"""
How an address may be written in a setting, and what it becomes: of an API, of ourselves, of a database or a file. Each
function raises ValueError that says what is allowed, and repeats nothing, since a password may be in it.

What is never here: any other value (see setting_values.py).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

import platformdirs

from leadsync.loopback import is_loopback

PROJECT = Path(__file__).resolve().parents[2]
SQLITE_FILE = re.compile(
    r"(?P<kind>sqlite(?:\+\w+)?:///)(?!:memory:|[A-Za-z]:|\\)(?P<path>[^?]+)(?P<options>\?.*)?", re.DOTALL
)
"""A file's address; not one with a drive or a share of Windows, which is never relative."""
IN_MEMORY = re.compile(r"sqlite(\+\w+)?:(//)?/?(/(file:)?:memory:.*|/?(\?.*)?|/[^?]*\?(.*&)?mode=memory.*)$", re.DOTALL)
WEB_ADDRESS = "https://host[:port][/path]"
SERVER_USER = re.compile(r"^[\w+]+://[^:/@]*(:(?P<password>[^@]*))?@(?P<rest>.*)", re.DOTALL)
"""A database server's address with a user name, as SQLAlchemy takes it apart: the first @ ends the password."""


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
        besides = "or one with something besides, like a user name"
        raise ValueError(f"it is not an address, {besides}; allowed is {WEB_ADDRESS}")
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
    if IN_MEMORY.match(text):
        raise ValueError("it would be forgotten when a run ends; name a file, as sqlite:///state.sqlite3")
    found = SQLITE_FILE.fullmatch(text)
    if found is None:
        return text
    path, options = found["path"], found["options"] or ""
    if not path.startswith("file:") or not re.search(r"[?&]uri=(1|t|true|y|yes|on)(&|$)", options, re.IGNORECASE):
        return f"{found['kind']}{_whole_path(path)}{options}"
    path = path.removeprefix("file:")
    if path.startswith("//"):
        return text
    return f"{found['kind']}file:{quote(str(_whole_path(unquote(path))))}{options}"


def _whole_path(path: str) -> Path:
    """Raises: ValueError if a state lies where a relative path led to in earlier versions, and would be forgotten."""
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        raise ValueError(f"{path!r} begins with a home that does not exist")
    whole, left = Path(os.path.abspath(PROJECT / expanded)), Path(os.path.abspath(expanded))
    if os.path.isfile(left) and not os.path.exists(whole):
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
        return path.read_text(encoding="utf-8-sig") + "\n", str(path)
    except OSError as exc:
        raise ValueError(f"{path} cannot be read ({exc.strerror}); it names the file with the mapping") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not in UTF-8; save it so") from None
