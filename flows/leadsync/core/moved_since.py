"""
What is not as it was when a plan was written down: lead by lead, cell by cell. Pure.

Never here: what follows from it, how a plan is written down (see saved_plan.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadsync.core.planned_from import CardSide, Row, Side
from leadsync.core.saved_plan import SavedPlan
from leadsync.mapping.cells import Cell, told

OF_SIDE: Final = {"airtable": "lead", "trello": "card"}
"""What a side is said to have, as a whole."""
LIST = "list "


@dataclass(frozen=True, order=True)
class Moved:
    """
    One cell that was `planned` on another value than it has `now`, as a person reads them.

    `field`: a cell's, or lead, card, marker; without a lead and a card what the plan as a whole rests on. `side`: "" if
    the cell stands, and only what would be written is another.
    """

    lead_id: str
    card_id: str
    field: str
    side: str
    planned: str
    now: str


def moved_since(
    saved: SavedPlan,
    now: SavedPlan,
    agreed: Callable[[str], Row],
    cells: Sequence[Cell],
    apart: Collection[str] = (),
) -> list[Moved]:
    """
    Every difference; [] means that the same would be written, for the same reasons.

    `now`: with a row of every lead that `saved` has one of. `agreed`: a lead as it was agreed, which one that `saved`
    has no row of was like. `apart`: fields of which another write is none.
    """
    tell = _Telling({cell.field: cell for cell in cells})
    found: list[Moved] = []
    then, there = saved.rows, now.rows
    sent, to_send = (_sent(plan, apart) for plan in (saved, now))
    for key in sorted({*then, *there}):
        was, row = then.get(key) or agreed(key), there[key]
        moved = [*tell.side("airtable", was, row), *tell.side("trello", was, row)]
        if not moved:
            moved = [*tell.writes(row, sent.get(key, {}), to_send.get(key, {}))]
        found += moved
    found += [
        Moved("", "", f"{LIST}{stage}", "trello", saved.lists.get(stage, ""), now.lists.get(stage, ""))
        for stage in sorted({*saved.lists, *now.lists})
        if saved.lists.get(stage) != now.lists.get(stage)
    ]
    if not apart and saved.labels != now.labels:
        found.append(Moved("", "", "labels", "trello", ", ".join(saved.labels), ", ".join(now.labels)))
    return found


def _sent(plan: SavedPlan, apart: Collection[str]) -> dict[str, Sent]:
    """By key of the row, what is sent, by side and cell, and what of it by its name on the card."""
    found: dict[str, Sent] = {}
    for write in plan.writes:
        of_lead = found.setdefault(write.planned_from.key, {})
        if write.action == "create":
            of_lead[write.side, OF_SIDE[write.side], ""] = "created"
        cells = write.sends if write.side == "airtable" else write.sends.get("cells", {})
        of_lead.update({(write.side, cell, ""): value for cell, value in cells.items() if cell not in apart})
        if write.side == "trello":
            parts = {part: value for part, value in write.sends.items() if part in CELL_OF}
            of_lead.update({(write.side, CELL_OF[part], part): value for part, value in parts.items()})
    return found


Sent = dict[tuple[str, str, str], Any]
CELL_OF: Final = {"list": "status", "title": "name", "lines": "marker", "archived": "card", "ticked": "status"}
"""A part of a write to a card -> the cell it belongs to."""


class _Telling:
    """Differences in the words of reports."""

    def __init__(self, cells: Mapping[str, Cell]) -> None:
        self._cells = cells

    def side(self, side: str, was: Row, now: Row) -> Iterator[Moved]:
        """What one side has otherwise."""
        then: Side = getattr(was, side)
        there: Side = getattr(now, side)
        card_id = was.card_id or now.card_id
        if then.there != there.there:
            yield Moved(now.lead_id, card_id, OF_SIDE[side], side, then.there, there.there)
        elif side == "trello" and was.card_id != now.card_id:
            yield Moved(now.lead_id, card_id, OF_SIDE[side], side, was.card_id, now.card_id)
        if not then.cells or not there.cells:
            return
        for field in sorted({*then.cells, *there.cells}):
            before, after = then.cells.get(field, ""), there.cells.get(field, "")
            if before != after:
                yield Moved(
                    now.lead_id, card_id, field, side, self._told(side, field, before), self._told(side, field, after)
                )
        if isinstance(then, CardSide) and isinstance(there, CardSide):
            if then.marked != there.marked:
                yield Moved(now.lead_id, card_id, "marker", side, *map(_there, (then.marked, there.marked)))
            if then.ticked != there.ticked:
                yield Moved(now.lead_id, card_id, "status", side, *map(_done, (then.ticked, there.ticked)))

    def writes(self, row: Row, sent: Sent, to_send: Sent) -> Iterator[Moved]:
        """What would be written otherwise, although neither side is another."""
        for key in sorted({*sent, *to_send}):
            if sent.get(key) != to_send.get(key):
                side, field, _ = key
                before, after = (self._told(side, field, of.get(key, "")) for of in (sent, to_send))
                yield Moved(row.lead_id, row.card_id, field, "", before, after)

    def _told(self, side: str, field: str, value: Any) -> str:
        if value is None:
            return "cannot be read"
        if isinstance(value, dict):
            return ", ".join(f"{label}: {text}" for label, text in value.items())
        value = frozenset(value) if isinstance(value, list) else value
        cell = self._cells.get(field)
        return cell.told_by_trello(value) if cell and side == "trello" else told(value)


def _there(marked: bool) -> str:
    return "there" if marked else "not there"


def _done(ticked: bool) -> str:
    return "done" if ticked else "not done"
