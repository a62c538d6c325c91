"""
What an Airtable cell says to a person: the texts in a value of any type, or why it cannot be read as text.

Pure. What is never here: a frame, a decision about a cell that cannot be read, an address that Airtable has signed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

RECORD_ID: Final = re.compile(r"rec[0-9A-Za-z]{14}")
ADDRESSES: Final = ("url", "thumbnails", "profilePicUrl")
"""Parts of a value that nobody reads on a card; an attachment's are signed, and others every few hours."""
HELD_SHOWN: Final = 80
TEXT_COLUMN: Final = "Point {setting} to a column of texts."
MEND_FORMULA: Final = "Correct the formula, or what it refers to."
LINKED_NAMES: Final = (
    "Airtable tells only the ids of linked records: point {setting} to a lookup, or a formula, of the linked name."
)
WAIT_FOR_AI: Final = "Wait until its text is made, or have it made again."


@dataclass(frozen=True)
class Unreadable:
    """
    A cell of a lead that cannot be read: our name of it, its column, shortly what it holds, and what to do.

    `text`: what of it is text, as Airtable's feed is read.
    """

    cell: str
    column: str
    holds: str
    remedy: str
    text: str = ""

    @property
    def reason(self) -> str:
        """For the report."""
        return f"column {self.column!r} holds {self.holds}"


class NotText(ValueError):
    """A value that no text stands for. `holds`: shortly what it is; `remedy`: what to do, {setting} is the column's."""

    def __init__(self, holds: str, remedy: str = TEXT_COLUMN) -> None:
        super().__init__(holds, remedy)
        self.holds, self.remedy = holds, remedy


def is_readable(value: Any) -> bool:
    """Whether `shown` has something to say of it."""
    try:
        shown(value)
    except NotText:
        return False
    return True


def shown(value: Any) -> Any:
    """
    `value` with each object replaced by what a person sees of it: texts, numbers, booleans, None, lists of them.

    A collaborator is its name, else its e-mail; a linked record, a select or a synced source its name; an attachment
    its file name; AI text its value. Raises: NotText.
    """
    if isinstance(value, list):
        if value and all(isinstance(item, str) and RECORD_ID.fullmatch(item) for item in value):
            raise NotText("linked records", LINKED_NAMES)
        return [shown(item) for item in value]
    if isinstance(value, dict):
        return _shown_object(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotText(str(value), MEND_FORMULA)
        return int(value) if value.is_integer() else value
    return value


def _shown_object(value: Mapping[str, Any]) -> str:
    for fault in ("error", "specialValue"):
        if fault in value:
            told = value[fault] if isinstance(value[fault], str) else "an error"
            raise NotText(told[:HELD_SHOWN], MEND_FORMULA)
    if isinstance(value.get("state"), str) and "value" in value:
        return _ai_text(value["state"], value["value"])
    for kind in PERSON_SEES:
        if all(isinstance(value.get(key), str) for key in kind) and value[kind[-1]]:
            return str(value[kind[-1]])
    if isinstance(value.get("id"), str) and value.get("name") == "":
        return ""
    if isinstance(value.get("id"), str) and RECORD_ID.fullmatch(value["id"]):
        raise NotText("linked records", LINKED_NAMES)
    keys = ", ".join(sorted(str(key) for key in value if key not in ADDRESSES))
    raise NotText(f"an object ({keys})"[:HELD_SHOWN])


# the keys that tell a kind of object, the last of them is what a person sees; the first that fits
PERSON_SEES: Final = (
    ("id", "filename"),  # attachment
    ("id", "name"),  # collaborator, select, linked record, synced source
    ("id", "email"),  # collaborator without a name
    ("text",),  # barcode
    ("label",),  # button
)


def _ai_text(state: str, value: Any) -> str:
    """What was made, be it stale. Raises: NotText while it is being made, or when that failed."""
    if isinstance(value, str) and value:
        return value
    if state in ("empty", "generated"):
        return ""
    raise NotText(f"AI text in state {state[:HELD_SHOWN]!r}", WAIT_FOR_AI)


def pared(value: Any) -> Any:
    """`value` without the addresses in it: what is kept of a record does not change with them, and holds no secret."""
    if isinstance(value, list):
        return [pared(item) for item in value]
    if isinstance(value, dict):
        return {key: pared(item) for key, item in value.items() if key not in ADDRESSES}
    return value
