"""
Values of cells as digests: what a person wrote is compared, and never kept. Pure. Never here: which cells a write has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from leadsync.mapping.properties import ELEMENTWISE, FORMS, element
from leadsync.texts import text


def digests_of(cells: Mapping[str, Any]) -> dict[str, str]:
    """
    Values by cell as digests: a person's text is compared, and never kept.

    Of a set that the feed tells element by element, what is in it has digests of its own.
    """
    sets = {cell: cells[cell] for cell in ELEMENTWISE if isinstance(cells.get(cell), frozenset)}
    there = {element(cell, each): True for cell, held in sets.items() for each in held}
    return {cell: digest(cell, value) for cell, value in {**cells, **there}.items()}


def told_in(digests: Mapping[str, str], cell: str) -> str | None:
    """What a set does not hold has no digest in it, and is not there."""
    of_set = cell.partition(" ")[0]
    absent = digest(cell, False) if of_set in ELEMENTWISE and of_set in digests else None
    return digests.get(cell, absent)


def digest(cell: str, value: Any) -> str:
    """One value of a cell, in the form in which it is compared."""
    return hashlib.sha256(_normal(cell, value).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _normal(cell: str, value: Any) -> str:
    """
    Values compare as the frames hold them; descriptions without trailing blanks and CRs.

    A mapped cell's value comes in canonical form, or as a feed tells it: a list of names is one text then.
    """
    if cell in ("name", "status"):
        return text(value)
    if cell in ("dueComplete", "closed"):
        return str(bool(value))
    if cell in FORMS and not isinstance(value, frozenset):
        value = FORMS[cell].read(value)
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    return str(value or "").replace("\r\n", "\n").rstrip()
