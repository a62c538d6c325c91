"""
Did a write of ours land on top of a person's edit? Read from Trello's action feed, after the writes.

Neither API has conditional writes, but each action tells the value it replaced [reference/trello-api.md 5].
Pure. What is never here: the feed's request, the repair.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from leadsync.frames import text, time_of
from leadsync.plan import CardWrite

# cell on the wire -> column of the card frame it was planned from
SEEN_AS: Final = {"idList": "list_id", "name": "title", "desc": "description"}


@dataclass(frozen=True)
class Written:
    """
    A PUT that succeeded: its write, and the cells as sent. `based_on` is the card it was based on.

    `answered`: Trello's clock when it had been done [s since 1970].
    """

    write: CardWrite
    sent: Mapping[str, Any]
    based_on: Mapping[str, Any]
    answered: float = math.inf


@dataclass(frozen=True)
class Overwritten:
    """`value` is what a person had put into `cell` (a wire name) just before `written` replaced it."""

    written: Written
    cell: str
    value: str


def find_overwritten(
    actions: Iterable[Mapping[str, Any]], writes: Iterable[Written], since: float = 0.0
) -> list[Overwritten]:
    """
    Compare, for each cell sent, the value that our action replaced with the value we had read.

    `actions`: newest first. `since`: Trello's clock before the first write [s since 1970]. Ours is the latest action
    of its kind from then on that was not later than the answer.
    """
    of_cell = _by_cell(actions)
    found = []
    for written in writes:
        for cell, column in SEEN_AS.items():
            sent = written.sent.get(cell)
            kind = (written.write.card_id, cell, _normal(cell, sent))
            ours = (former for time, former in of_cell.get(kind, ()) if since <= time <= written.answered)
            replaced = None if sent is None else next(ours, None)
            if replaced is not None and _normal(cell, replaced) != _based_on(written, cell, column):
                found.append(Overwritten(written, cell, replaced))
    return found


def _by_cell(actions: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], list[tuple[float, str]]]:
    """(card, cell, new value) -> time and former value, newest first."""
    former: dict[tuple[str, str, str], list[tuple[float, str]]] = {}
    for action in actions:
        data = action.get("data") or {}
        card, old = data.get("card") or {}, data.get("old") or {}
        for cell in SEEN_AS:
            if isinstance(old.get(cell), str):
                kind = (str(card.get("id")), cell, _normal(cell, card.get(cell)))
                former.setdefault(kind, []).append((time_of(action), old[cell]))
    return former


def _based_on(written: Written, cell: str, column: str) -> str:
    return _normal(cell, written.based_on.get(column, ""))


def _normal(cell: str, value: object) -> str:
    """Values compare as the frames hold them; descriptions without trailing blanks and CRs."""
    if cell == "name":
        return text(value)
    return str(value or "").replace("\r\n", "\n").rstrip()
