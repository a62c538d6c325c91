"""Texts in the form in which they are compared, stored, and shown on a card or to a person. Pure."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from itertools import groupby
from typing import Final

from leadsync.model import TRELLO_TEXT_LIMIT

SHORT: Final = 1_000
NAMED: Final = 30
"""Names that are listed where another one is wanted; a token may see hundreds of boards."""
PILED: Final = 30
"""Accents on one letter that no language needs, by Unicode's stream-safe text format."""
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories of what has no form of its own: controls, formats (direction), surrogates, line separators."""
UNSEEN_LETTERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0d\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""The rest of them: fillers, joiners, blank patterns and variants, which Unicode counts among letters and marks."""


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


def there_are(names: Iterable[str], *said: str) -> str:
    """What there is, for somebody who `said` what is not there: `there are: A, B; did you mean 'A'?`."""
    known = [*dict.fromkeys(filter(None, map(str.strip, names)))]
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return f"there are: {', '.join(known[:NAMED]) or 'none'}{more}{did_you_mean(known, *said) or '.'}"


def did_you_mean(names: Iterable[str], *said: str) -> str:
    """`; did you mean 'A'?`, of the names the nearest to each that was `said`, in any case; "" if none is near."""
    folded = {name.casefold(): name for name in names}
    near = [folded[each] for one in said for each in difflib.get_close_matches(one.strip().casefold(), folded, 1)]
    return f"; did you mean {' and '.join(map(repr, dict.fromkeys(near)))}?" if near else ""


def printable(value: object) -> str:
    """
    `value` as one line that any terminal or log may show: what has no form of its own is written as in Python.

    So nothing in it is a command to a terminal, and two texts that differ look different.
    """
    return "".join(_written(char) if _is_unseen(char) else char for char in str(value))


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in UNSEEN or UNSEEN_LETTERS.match(char) is not None


def _written(char: str) -> str:
    return char.encode("unicode_escape").decode()
