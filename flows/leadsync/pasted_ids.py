"""
Ids of what the settings name, also out of an address pasted from the browser. Each function raises ValueError that
says what is allowed.

What is never here: whether there is such a base, table, view, board or list.
"""

from __future__ import annotations

import re
from typing import Final

from leadsync.setting_values import shown

AIRTABLE_ADDRESS: Final = re.compile(r"https?://|(?:[a-z]{1,20}\.)?airtable\.com/|app[0-9A-Za-z]{14}/", re.IGNORECASE)
TRELLO_ADDRESS: Final = re.compile(r"(?:https?://)?(?:(?:www|api)\.)?trello\.com/", re.IGNORECASE)
OBJECT_ID: Final = re.compile(r"[0-9a-f]{24}")


def base_id(value: str) -> str:
    """The id of a base, also out of an address of it, of a table or a view in it."""
    if AIRTABLE_ADDRESS.match(value):
        return _id_in(value, "app", "a base")
    if not re.fullmatch(r"app[0-9A-Za-z]+", value):
        raise ValueError(f"{shown(value)} is not a base id; allowed is appXXXXXXXXXXXXXX, as in the base's address")
    return value


def table(value: str) -> str:
    """A table's name or id, the latter also out of its address."""
    return _id_in(value, "tbl", "a table") if AIRTABLE_ADDRESS.match(value) else value


def view(value: str | None) -> str | None:
    """The same for a view."""
    return _id_in(value, "viw", "a view") if value and AIRTABLE_ADDRESS.match(value) else value


def board_id(value: str) -> str:
    """A board's id or short link, also out of its address."""
    found = _after(("b", "boards"), value) if TRELLO_ADDRESS.match(value) else value
    if not re.fullmatch(r"[0-9A-Za-z]+", found):
        raise ValueError(
            f"{shown(value)} is not a board; allowed are its id (24 hex digits), its short link (8 characters) "
            "or its address https://trello.com/b/…"
        )
    return found


def board_list(value: str | None) -> str | None:
    """A list's id, also out of an address of the API, or its name."""
    if value is None or not value.startswith(("http://", "https://")):
        return value
    found = _after(("lists",), value) if TRELLO_ADDRESS.match(value) else ""
    if not OBJECT_ID.fullmatch(found):
        raise ValueError(
            f"{shown(value)} is the address of no list; allowed are a list's id (24 hex digits) or its name"
        )
    return found


def _id_in(address: str, prefix: str, what: str) -> str:
    ids = {part for part in re.split(r"[/?#&=]", address) if re.fullmatch(rf"{prefix}[0-9A-Za-z]{{14}}", part)}
    if len(ids) != 1:
        raise ValueError(
            f"{shown(address)} does not hold the id of {what}; allowed is {prefix}XXXXXXXXXXXXXX, or an address of it"
        )
    return ids.pop()


def _after(words: tuple[str, ...], address: str) -> str:
    """The part of an address's path after one of `words`, "" if there is none."""
    parts = re.split(r"[?#]", address, maxsplit=1)[0].split("/")
    found = (after for before, after in zip(parts, parts[1:], strict=False) if before in words)
    return next(found, "").removesuffix(".json")
