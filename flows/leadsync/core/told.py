"""
What a person is told of a run, row by row: changes, what is set aside or failed, and notes.

The fields, in order, are those that --json prints. Never here: conflicts (see conflicts.py), when something is told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from leadsync.core.decisions import Direction
from leadsync.model import ConflictPolicy


class ChangeOutcome(StrEnum):
    """What became of a change: a dry run only plans it."""

    PLANNED = "planned"
    DONE = "done"


@dataclass(frozen=True, order=True)
class Change:
    """One cell, or one card, that goes from one value to another; in order by lead, and by field within one."""

    lead_id: str
    card_id: str
    field: str  # a cell's, as Cell.field; card | lead | marker
    before: str
    after: str
    direction: Direction
    note: str = ""
    outcome: ChangeOutcome = ChangeOutcome.PLANNED

    def __str__(self) -> str:
        side = "Trello" if self.direction is Direction.TO_TRELLO else "Airtable"
        said = f"{self.field} {self.before or '(empty)'} → {self.after or '(empty)'} on {side}"
        if self.field in ("card", "lead"):
            said = f"{self.field} {f'{self.after} on {side}' if self.before else f'created on {side}: {self.after}'}"
        elif self.field == "marker":
            said = f"{self.after} written on {side}"
        return f"{said} ({self.note})" if self.note else said


@dataclass(frozen=True, order=True)
class SetAside:
    """
    A card (`field` is "") or a cell that is set aside, why, and what a person can do about it.

    Of a cell of a lead and its open card what both sides hold, and what Airtable would be given if Trello's value was
    taken, and the other way round; None if that side cannot be taken.
    """

    lead_id: str
    card_id: str
    field: str
    reason: str
    remedy: str
    card_url: str = ""
    airtable: str | None = dataclasses.field(default=None, compare=False)
    trello: str | None = dataclasses.field(default=None, compare=False)
    to_airtable: str | None = dataclasses.field(default=None, compare=False)
    to_trello: str | None = dataclasses.field(default=None, compare=False)


class TwoSided(Protocol):
    """What tells, of a cell that is set aside, what either side would be given, see SetAside."""

    @property
    def to_airtable(self) -> str | None:
        """None if Trello's side cannot be taken."""

    @property
    def to_trello(self) -> str | None:
        """None if Airtable's side cannot be taken."""


def sides_to_take(of: TwoSided) -> Iterator[tuple[ConflictPolicy, str, str]]:
    """Each side that can be taken, the other one as it is called, and what that would be given."""
    if of.to_trello is not None:
        yield ConflictPolicy.AIRTABLE, "Trello", of.to_trello
    if of.to_airtable is not None:
        yield ConflictPolicy.TRELLO, "Airtable", of.to_airtable


@dataclass(frozen=True)
class Failure:
    """A lead or card that could not be written, why, and what to do."""

    lead_id: str
    card_id: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Note:
    """Something a person should know once, about which nothing is done."""

    lead_id: str
    card_id: str
    note: str

    def __str__(self) -> str:
        return self.note
