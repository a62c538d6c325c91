"""
What a write did to one cell of one lead, and why, as the history keeps it. Pure.

Never here: the database, how an entry comes out of a plan (see entries.py), how one is taken back (see undo.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from leadsync.core.decisions import Direction
from leadsync.frames.agreed import Columns, Rename, columns_renamed

ID_SHOWN: Final = 8
"""Characters of a run's id that tell it from others, as a rule."""
CARD_FIELD: Final = "card"
"""What an entry about a card as a whole is called: created, archived, un-archived."""
MARKED: Final = "marker"
"""What an entry about the LeadID line of a card is called."""
GAP: Final = "gap"
"""What an entry about an adopted card holds beside columns: what was put between the text and our lines."""
LEAD_FIELD: Final = "lead"
"""What an entry about a lead as a whole is called: made of its card."""


def run_id_of(unique: str, flow_run: str = "") -> str:
    """What a run is known by: something of its own, for a flow run may have several, and Prefect's id if it has one."""
    return f"{unique[:ID_SHOWN]}-{flow_run}" if flow_run else unique


def flow_run_of(run_id: str) -> str:
    """Prefect's id of the flow run that made a run, "" if none did."""
    return run_id.partition("-")[2]


class Rule(StrEnum):
    """Why a cell was written."""

    EDIT = "edit"
    CONFLICT = "conflict"
    FIRST_MATCH = "first match"
    TAKEN = "taken"
    MERGED = "merged"
    RESTORED = "restored"
    CREATED = "created"
    ARCHIVED = "archived"
    UNARCHIVED = "un-archived"
    TIED = "tied"
    ADOPTED = "adopted"
    GIVEN_BACK = "given back"
    UNDONE = "undone"
    HELD = "undone and held"
    UNTIED = "untied"


SETTLED: Final = (Rule.CONFLICT, Rule.FIRST_MATCH, Rule.TAKEN)
"""Rules by which one of two values that nobody had agreed on went before the other."""

_WINS: Final = {Direction.TO_TRELLO: "Airtable's value was taken", Direction.TO_AIRTABLE: "Trello's value was taken"}
_OTHER: Final = {Direction.TO_TRELLO: "edited on Airtable alone", Direction.TO_AIRTABLE: "edited on Trello alone"}
WORDS: Final[Mapping[Rule, Mapping[Direction, str]]] = {
    Rule.EDIT: _OTHER,
    Rule.CONFLICT: {way: f"both sides were edited; {words}" for way, words in _WINS.items()},
    Rule.FIRST_MATCH: {way: f"both met for the first time; {words}" for way, words in _WINS.items()},
    Rule.TAKEN: {way: f"it was set aside; {words}" for way, words in _WINS.items()},
    Rule.MERGED: dict.fromkeys(Direction, "both sides were edited, and their edits taken together"),
    Rule.RESTORED: dict.fromkeys(Direction, "the other side alone decides about it, so the edit was put back"),
    Rule.CREATED: {Direction.TO_TRELLO: "it had no card", Direction.TO_AIRTABLE: "its card was no lead's"},
    Rule.ARCHIVED: dict.fromkeys(Direction, "its lead was deleted"),
    Rule.UNARCHIVED: dict.fromkeys(Direction, "its lead came back, or into an open list"),
    Rule.TIED: dict.fromkeys(Direction, "the card lacked its LeadID line"),
    Rule.ADOPTED: dict.fromkeys(Direction, "the card was nobody's, and was taken for the lead's"),
    Rule.GIVEN_BACK: dict.fromkeys(Direction, "the write had landed on an edit, which was put back"),
    Rule.UNDONE: dict.fromkeys(Direction, "an earlier run was undone"),
    Rule.HELD: dict.fromkeys(Direction, "an earlier run was undone; both values wait until a person makes them equal"),
    Rule.UNTIED: dict.fromkeys(Direction, "it was a copy, and a person has made it a card of its own"),
}
"""Each rule as a person is told it, by the way the value went."""


class RunKind(StrEnum):
    """What a run was for."""

    SYNC = "sync"
    UNDO = "undo"
    TAKE = "take"  # conflicts that a person settled
    UNTIE = "untie"  # copies that a person made cards of their own


@dataclass(frozen=True)
class Begun:
    """
    A run that writes. `at`: when it began, by our clock [s since 1970]. `undoes`: the run that it takes back, "" if it
    is none; of that `lead_id` and `field`, "" for all. `kept_since`: what began earlier is no more kept.
    """

    run_id: str
    at: float
    kind: RunKind = RunKind.SYNC
    undoes: str = ""
    lead_id: str = ""
    field: str = ""
    kept_since: float = 0.0


class Told(NamedTuple):
    """The two values of a cell as people read them."""

    airtable: str
    trello: str


@dataclass(frozen=True)
class Entry:
    """
    One write to one cell, or to a card as a whole.

    `before`, `after`: what both sides held, in words. In columns of the base: `held`, the same before; `agreed` and
    `now`, what was agreed before and after; `left`, what both sides held after, if they agreed on nothing. `note`: what
    the report adds.
    """

    field: str
    direction: Direction
    rule: Rule
    before: Told
    after: Told
    agreed: Columns = dataclasses.field(default_factory=dict)
    held: Columns = dataclasses.field(default_factory=dict)
    now: Columns = dataclasses.field(default_factory=dict)
    left: Columns = dataclasses.field(default_factory=dict)
    note: str = ""

    @property
    def cell(self) -> str:
        """What the base calls the cell: a mapped one as its columns do, the others as reports do."""
        return next((name.partition(" ")[2] for name in self.held | self.left if " " in name), self.field)

    def recorded(self, columns: Columns) -> Entry:
        """The same with the values that the service returned."""
        return replace(self, now={name: columns.get(name, value) for name, value in self.now.items()})

    def renamed(self, now: Rename) -> Entry:
        """The same with the mapping's cells as they are called now."""
        agreed, held, brought, left = (columns_renamed(of, now) for of in (self.agreed, self.held, self.now, self.left))
        return replace(self, agreed=agreed, held=held, now=brought, left=left)


def written(entries: Collection[Entry], fields: Collection[str], columns: Columns) -> list[Entry]:
    """Those of a write's entries whose cells were taken by the service, with what it returned."""
    return [entry.recorded(columns) for entry in entries if entry.field in fields]


def proven(entries: Collection[Entry], meant: Columns, settled: Columns) -> list[Entry]:
    """Those of an unrecorded write of which all that it was to bring is agreed by now."""
    return [
        entry.recorded(settled)
        for entry in entries
        if entry.now
        and not entry.left
        and all(name in settled and settled[name] == meant.get(name) for name in entry.now)
    ]
