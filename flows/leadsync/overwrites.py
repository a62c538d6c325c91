"""
Did a write of ours land on top of a person's edit? Read from Trello's action feed, after the writes.

Neither API has conditional writes, but each action tells the value it replaced [reference/trello-api.md 5].
Pure. What is never here: the feed's request, the repair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from leadsync.frames import text, time_of
from leadsync.plan import CardWrite

# cell on the wire -> column of the card frame it was planned from
SEEN_AS: Final = {"idList": "list_id", "name": "title", "desc": "description"}


@dataclass(frozen=True)
class Written:
    """A PUT that succeeded: its write, and the cells as sent. `seen` of the write is what it was based on."""

    write: CardWrite
    sent: Mapping[str, Any]
    based_on: Mapping[str, Any]


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

    `since`: Trello's clock before the first write [s since 1970]; older actions are not ours.
    """
    former = _replaced_values(action for action in actions if time_of(action) >= since)
    found = []
    for written in writes:
        for cell, column in SEEN_AS.items():
            sent = written.sent.get(cell)
            replaced = former.get((written.write.card_id, cell, _normal(cell, sent)))
            if None not in (sent, replaced) and _normal(cell, replaced) != _based_on(written, cell, column):
                found.append(Overwritten(written, cell, str(replaced)))
    return found


def _replaced_values(actions: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], str]:
    """(card, cell, new value) -> former value, of the oldest action of its kind: a later one is a person's."""
    former: dict[tuple[str, str, str], str] = {}
    for action in actions:  # newest first
        data = action.get("data") or {}
        card, old = data.get("card") or {}, data.get("old") or {}
        for cell in SEEN_AS:
            if isinstance(old.get(cell), str):
                former[(str(card.get("id")), cell, _normal(cell, card.get(cell)))] = old[cell]
    return former


def _based_on(written: Written, cell: str, column: str) -> str:
    return _normal(cell, written.based_on.get(column, ""))


def _normal(cell: str, value: object) -> str:
    """Values compare as the frames hold them; descriptions without trailing blanks and CRs."""
    if cell == "name":
        return text(value)
    return str(value or "").replace("\r\n", "\n").rstrip()
