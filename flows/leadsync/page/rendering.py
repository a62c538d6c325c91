"""
Pages out of templates. Every text is escaped by the template engine; a browser is told to load nothing from elsewhere.

Never here: what is shown.
"""

from __future__ import annotations

import datetime
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from leadsync.core.identity import is_copy
from leadsync.core.told import sides_to_take
from leadsync.texts import printable

HERE: Final = Path(__file__).parent
STATIC: Final = {"style.css": "text/css", "script.js": "text/javascript", "icon.svg": "image/svg+xml"}
MOST: Final = 500
"""Rows of a list on a page; one of thousands is slow to open."""
SHOWN: Final = 300
"""Characters of a text that are shown in a list."""
TURNS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Controls, and what says in which direction is to be read: a name could look like another one."""
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer to a browser."""


@cache
def _environment(*folders: Path) -> Environment:
    loader = ChoiceLoader([FileSystemLoader(folder) for folder in (*folders, HERE / "templates")])
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"short": short, "moment": moment, "iso": iso}
    made.globals |= {"most": MOST, "is_copy": is_copy, "sides_to_take": sides_to_take}
    return made


def render(template: str, *folders: Path, **values: Any) -> str:
    """The page. `folders`: where further templates are looked for first."""
    return _environment(*folders).get_template(template).render(**values)


@cache
def static(name: str) -> bytes:
    """A stylesheet or script of ours. Raises: KeyError if there is none of this name."""
    if name not in STATIC:
        raise KeyError(name)
    return (HERE / "static" / name).read_bytes()


def short(value: object, length: int = SHOWN) -> str:
    """A text as a list shows it: what would turn its direction around, or has no form, is written as in Python."""
    text = TURNS.sub(lambda found: printable(found[0]), str(value))
    return text if len(text) <= length else f"{text[: length - 1]}…"


def moment(seconds: float | None) -> str:
    """A moment [s since 1970] as people read it."""
    if seconds is None:
        return "never"
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d %H:%M} UTC"


def iso(seconds: float) -> str:
    """The same for programs."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
