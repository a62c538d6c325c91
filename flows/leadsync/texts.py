"""Texts in the form in which they are compared, stored and shown on a card. Pure."""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import Final

from leadsync.model import TRELLO_TEXT_LIMIT

SHORT: Final = 1_000
PILED: Final = 30
"""Accents on one letter that no language needs, by Unicode's stream-safe text format."""


def text(value: object) -> str:
    """A cell as one line of text in Unicode form NFC, without blanks around it; None and [] are ""."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value)
    if isinstance(value, list):
        return ", ".join(filter(None, map(text, value)))
    flat = storable(str(value)).replace("\r\n", " ").replace("\n", " ").replace("\r", " ")
    return (flat if _piles_marks(flat) else unicodedata.normalize("NFC", flat)).strip()


def _piles_marks(flat: str) -> bool:
    """
    Whether a long text has more than PILED accents on one letter.

    Putting them in order takes a time that grows with the square of their number. Such a text has no normal form and
    stays as it is; nor has one that normal form would make one, so that reading it again changes nothing.
    """
    if len(flat) <= SHORT or flat.isascii():
        return False
    piles = groupby(map(unicodedata.combining, flat), bool)
    return any(marks and sum(1 for _ in pile) > PILED for marks, pile in piles)


def storable(value: str) -> str:
    """Without what no database holds: NUL, and halves of an emoji that was cut in two."""
    return value.replace("\0", "").encode("utf-8", "ignore").decode()


def fit(title: str) -> str:
    """`title` cut to what a card can hold, counted in UTF-16 units as the service's JavaScript does."""
    units = title.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * TRELLO_TEXT_LIMIT:
        return title
    return units[: 2 * TRELLO_TEXT_LIMIT].decode("utf-16-le", "ignore").strip()


def title_for(lead_id: str, name: str, email: str) -> str:
    """The card title a lead asks for; a lead without a name falls back to its e-mail, then to its id."""
    return fit(name or email or f"Unnamed lead {lead_id}")
