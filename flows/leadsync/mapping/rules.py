"""What the planner may know of the settings: choices of the user, nothing of them secret. Pure. Never here: a rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from leadsync.mapping.cells import Cell
from leadsync.mapping.closing import Closing
from leadsync.mapping.properties import Way
from leadsync.mapping.rows import Field
from leadsync.model import ConflictPolicy, OnCardDeleted, OnLeadDeleted, StatusMap


@dataclass(frozen=True)
class Listed:
    """
    A conflict, or a cell that `is_aside`, as a person saw it: `field` as reports call the cell, and both values.
    """

    field: str
    airtable: str
    trello: str
    is_aside: bool = False


@dataclass(frozen=True)
class Take:
    """
    A choice for conflicts and cells set aside of one lead. `policy`: the side that wins. `cells`: by name, see
    Rules.name_of.
    """

    lead_id: str
    policy: ConflictPolicy
    cells: Mapping[str, Listed]


@dataclass(frozen=True)
class Rules:
    """
    The user's choices, with those of this one run. `columns`: our field name -> what it is called in Airtable.

    `cells`: those of the mapping but for status and name; `rows`: the rows of these two, by field. `lists_apart`: names
    of cells whose map or time zone is another than last time, so that what it has drawn apart is listed, once. `wins`:
    every conflict, if a person has said so. `undone`: by lead, names of cells that are held since what
    had settled them was undone. `command`: what is typed to do what a guard refuses, but for --allow-mass-change.
    `makes_leads`: a card that is nobody's becomes one.
    """

    status_map: StatusMap
    closing: Closing
    conflict: ConflictPolicy = ConflictPolicy.AIRTABLE
    on_lead_deleted: OnLeadDeleted = OnLeadDeleted.ARCHIVE
    on_card_deleted: OnCardDeleted = OnCardDeleted.LEAVE
    max_archive_percent: float = 30.0
    allow_mass_change: bool = False
    columns: dict[str, str] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    rows: dict[str, Field] = field(default_factory=dict)
    lists_apart: frozenset[str] = frozenset()
    wins: ConflictPolicy | None = None
    undone: Mapping[str, Collection[str]] = field(default_factory=dict)
    command: str = "flows/sync.py"
    makes_leads: bool = False

    @cached_property
    def fallback(self) -> str:
        """Name of the cell that the title of a lead without a name falls back to; "" if there is none."""
        return next((cell.name for cell in self.cells if cell.field == TITLE_FALLBACK), "")

    def way_of(self, field: str) -> Way:
        """Which way a cell goes."""
        found = next((cell.way for cell in self.cells if cell.field == field), None)
        return found or (self.rows[field].default_way if field in self.rows else Way.BOTH)

    def name_of(self, field: str) -> str:
        """What the base calls a cell, by what reports call it: two of these may share a column."""
        return next((cell.name for cell in self.cells if cell.field == field), field)

    def policy_of(self, field: str) -> ConflictPolicy:
        """Who wins a conflict about a cell: the side it comes from, where it goes one way, or who was taken by hand."""
        if (way := self.way_of(field)) is not Way.BOTH:
            return ONE_WAY_WINS[way]
        if self.wins is not None:
            return self.wins
        rows = self.rows | {cell.field: cell.row for cell in self.cells}
        return (rows[field].conflict if field in rows else None) or self.conflict


ONE_WAY_WINS: Final = {Way.TO_TRELLO: ConflictPolicy.AIRTABLE, Way.TO_AIRTABLE: ConflictPolicy.TRELLO}
TITLE_FALLBACK: Final = "email"
"""The cell that a lead without a name is called by."""
