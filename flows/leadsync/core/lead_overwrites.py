"""
Did a PATCH of ours land on top of a person's edit? Read from the payloads of Airtable's webhook, after the writes.

Airtable has no conditional writes, but a payload tells what each cell held before, and in which order it was changed.
Pure. What is never here: the payloads' request, the repair (see repair_leads.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leadsync.core.digests import digest
from leadsync.core.journal import Intent
from leadsync.core.witness import LEAD_CELLS, Proof
from leadsync.frames.agreed import sides_of
from leadsync.frames.payloads import BY_PROGRAM, LeadChange, cell_text
from leadsync.mapping.lenses import Value

SLACK = 2.0
"""Seconds by which the time of a payload may differ from that of the answer to what it tells of."""


Reader = Callable[[str, Any], Value]


def told_as_text(_: str, stated: Any) -> Value:
    """A cell of which only the text is known."""
    return cell_text(stated)


@dataclass(frozen=True)
class Patched:
    """
    A cell of a PATCH in the journal, which was answered or may have taken effect.

    `reader`: what a cell's JSON says in the form in which it is compared, see Columns.read.
    """

    intent: Intent
    cell: str
    reader: Reader = told_as_text

    @property
    def part(self) -> str:
        """The base column that proves the write of this cell, see witness.agreed_with."""
        return self.cell if self.cell in LEAD_CELLS else sides_of(self.cell)[0]

    def read(self, stated: Any) -> Value:
        """What a payload states of the cell, in the form in which it is compared."""
        return self.reader(self.cell, stated)

    def was_sent(self, stated: Any) -> bool:
        """Whether this is what we wrote."""
        return digest(self.cell, self.read(stated)) == self.intent.sent.cells[self.cell]

    def was_planned_from(self, stated: Any) -> bool:
        """Whether this is what the write was planned on."""
        return digest(self.cell, self.read(stated)) == self.intent.sent.planned_from[self.cell]

    def is_of(self, change: LeadChange) -> bool:
        """Whether a change came between the write and its answer."""
        return self.intent.since - SLACK <= change.at <= (self.intent.answered or math.inf) + SLACK


@dataclass(frozen=True)
class Replaced:
    """`value` is what a person had put into the cell, as Airtable states it, just before `patched` replaced it."""

    patched: Patched
    value: Any


@dataclass
class Checked:
    """
    What payloads say of our PATCHes. `silent`: our change is told, and not what it replaced; `untold`: it is not told.

    What is in none of the three replaced nothing but what it was planned on.
    """

    replaced: list[Replaced] = field(default_factory=list)
    silent: list[Patched] = field(default_factory=list)
    untold: list[Patched] = field(default_factory=list)


def find_replaced(changes: Iterable[LeadChange], patched: Iterable[Patched], field_ids: Mapping[str, str]) -> Checked:
    """
    Compare, for each cell sent, what our change replaced with what it was planned on.

    `changes`: oldest first, and all there were since the first of the PATCHes. `field_ids`: our name -> fld….
    """
    of_cell: dict[tuple[str, str], list[LeadChange]] = {}
    for change in changes:
        for field_id in change.current:
            of_cell.setdefault((change.lead_id, field_id), []).append(change)
    checked = Checked()
    for cell in patched:
        field_id = field_ids.get(cell.cell, "")
        _check(cell, field_id, of_cell.get((cell.intent.lead_id, field_id), ()), checked)
    return checked


def find_told(
    changes: Sequence[LeadChange], intents: Iterable[Intent], field_ids: Mapping[str, str], reader: Reader
) -> Proof:
    """
    What the payloads tell of the PATCHes among `intents`, whatever became of the cell since. `reader`: see Patched.

    Shown is what a program has written; doubtful what people alone have typed.
    """
    by_program, by_anybody = set(), set()
    for cell in (Patched(intent, cell, reader) for intent in intents if intent.is_patch for cell in intent.sent.cells):
        for change in changes:
            if _is_alike(change, cell, field_ids.get(cell.cell, "")):
                by_anybody.add((cell.intent.lead_id, cell.part))
                by_program |= {(cell.intent.lead_id, cell.part)} if change.source == BY_PROGRAM else set()
    return Proof(frozenset(by_program), frozenset(by_anybody - by_program))


def _is_alike(change: LeadChange, cell: Patched, field_id: str) -> bool:
    """Whether a change put into the cell what we wrote, or were to write."""
    at_it = change.lead_id == cell.intent.lead_id and field_id in change.current and cell.is_of(change)
    return at_it and cell.was_sent(change.now(field_id))


def _check(cell: Patched, field_id: str, history: Sequence[LeadChange], checked: Checked) -> None:
    """
    A PATCH sent twice has two changes; what the later replaced was typed in between, be it what it was planned on,
    unless a program put that there: what we gave back is no edit.

    Where our change does not tell what it replaced, the change before it does: payloads come in order, without gaps.
    """
    told, silent, before, by_person = False, False, None, False
    found: Replaced | None = None
    for change in history:
        if change.source == BY_PROGRAM and cell.was_sent(change.now(field_id)) and cell.is_of(change):
            former = before if change.before(field_id) is None else change.before(field_id)
            if former is None:
                silent = True
            elif not (cell.was_sent(former) or (cell.was_planned_from(former) and not (told and by_person))):
                found = Replaced(cell, former)
            told = True
        before, by_person = change.now(field_id), change.source != BY_PROGRAM
    if found is not None:
        checked.replaced.append(found)
    elif silent:
        checked.silent.append(cell)
    elif not told and not _was_there_already(cell, history, field_id):
        checked.untold.append(cell)


def _was_there_already(cell: Patched, history: Sequence[LeadChange], field_id: str) -> bool:
    """Somebody had just typed the very same, so that our write changed nothing."""
    meanwhile = [change.now(field_id) for change in history if cell.is_of(change)]
    return bool(meanwhile) and cell.was_sent(meanwhile[-1])
