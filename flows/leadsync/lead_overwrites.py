"""
Did a PATCH of ours land on top of a person's edit? Read from the payloads of Airtable's webhook, after the writes.

Airtable has no conditional writes, but a payload tells what each cell held before, and in which order it was changed.
Pure. What is never here: the payloads' request, the repair.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from leadsync.frames import text
from leadsync.payloads import BY_PROGRAM, LeadChange
from leadsync.plan import LeadWrite

SLACK = 2.0
"""Seconds by which the time of a payload may differ from that of the answer to what it tells of."""


class PatchedCell(Protocol):
    """A cell that a PATCH may have written, between `since` and `until` by Airtable's clock [s since 1970]."""

    @property
    def lead_id(self) -> str:
        """Airtable's record id."""

    @property
    def cell(self) -> str:
        """Our name of the column."""

    @property
    def since(self) -> float:
        """Not before."""

    @property
    def until(self) -> float:
        """Not after."""

    def was_sent(self, value: str) -> bool:
        """Whether this is what we wrote."""

    def was_planned_from(self, value: str) -> bool:
        """Whether this is what the write was planned on."""


@dataclass(frozen=True)
class Patched:
    """A cell of a PATCH that was answered, or may have taken effect. `sent`: what was written into it."""

    write: LeadWrite
    cell: str
    planned_from: str
    sent: str
    since: float = 0.0
    until: float = math.inf

    @property
    def lead_id(self) -> str:
        """Airtable's record id."""
        return self.write.lead_id

    def was_sent(self, value: str) -> bool:
        """Whether this is what we wrote."""
        return text(value) == text(self.sent)

    def was_planned_from(self, value: str) -> bool:
        """Whether this is what the write was planned on."""
        return text(value) == text(self.planned_from)


Cell = TypeVar("Cell", bound=PatchedCell)


@dataclass(frozen=True)
class Replaced(Generic[Cell]):
    """`value` is what a person had put into the cell, as it was typed, just before `patched` replaced it."""

    patched: Cell
    value: str


@dataclass
class Checked(Generic[Cell]):
    """
    What payloads say of our PATCHes. `silent`: our change is told, and not what it replaced; `untold`: it is not told.

    What is in none of the three replaced nothing but what it was planned on.
    """

    replaced: list[Replaced[Cell]] = field(default_factory=list)
    silent: list[Cell] = field(default_factory=list)
    untold: list[Cell] = field(default_factory=list)


def find_replaced(
    changes: Iterable[LeadChange], patched: Iterable[Cell], field_ids: Mapping[str, str]
) -> Checked[Cell]:
    """
    Compare, for each cell sent, what our change replaced with what it was planned on.

    `changes`: oldest first, and all there were since the first of the PATCHes. `field_ids`: our name -> fld….
    """
    of_cell: dict[tuple[str, str], list[LeadChange]] = {}
    for change in changes:
        for field_id in change.current:
            of_cell.setdefault((change.lead_id, field_id), []).append(change)
    checked: Checked[Cell] = Checked()
    for cell in patched:
        field_id = field_ids.get(cell.cell, "")
        _check(cell, field_id, of_cell.get((cell.lead_id, field_id), ()), checked)
    return checked


def _check(cell: Cell, field_id: str, history: Sequence[LeadChange], checked: Checked[Cell]) -> None:
    """
    A PATCH sent twice has two changes; the later may have replaced what was typed in between.

    Where our change does not tell what it replaced, the change before it does: payloads come in order, without gaps.
    """
    told, silent, before = False, False, None
    found: Replaced[Cell] | None = None
    for change in history:
        if change.source == BY_PROGRAM and cell.was_sent(change.current[field_id]) and _in_time(cell, change):
            told = True
            former = (change.previous or {}).get(field_id, before)
            if former is None:
                silent = True
            elif not (cell.was_planned_from(former) or cell.was_sent(former)):
                found = Replaced(cell, former)
        before = change.current[field_id]
    if found is not None:
        checked.replaced.append(found)
    elif silent:
        checked.silent.append(cell)
    elif not told and not _was_there_already(cell, history, field_id):
        checked.untold.append(cell)


def _in_time(cell: PatchedCell, change: LeadChange) -> bool:
    return cell.since - SLACK <= change.at <= cell.until + SLACK


def _was_there_already(cell: PatchedCell, history: Sequence[LeadChange], field_id: str) -> bool:
    """Somebody had just typed the very same, so that our write changed nothing."""
    meanwhile = [change.current[field_id] for change in history if _in_time(cell, change)]
    return bool(meanwhile) and cell.was_sent(meanwhile[-1])
