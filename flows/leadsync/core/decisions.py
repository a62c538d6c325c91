"""What can be decided about a lead and its cells, and the tables that say when. Pure. Never here: a rule as code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from leadsync.frames.cards import CardPresence
from leadsync.frames.leads import LeadPresence
from leadsync.mapping.properties import Way


class RowDecision(StrEnum):
    """What happens to a lead and its card as a whole."""

    CREATE = "create"
    COMPARE = "compare"
    UNARCHIVE = "unarchive"
    STAY_ARCHIVED = "stay_archived"
    STAY_DELETED = "stay_deleted"
    LEAVE = "leave"
    ARCHIVE = "archive"
    KEEP_MOVED = "keep_moved"
    FORGET = "forget"
    ORPHAN = "orphan"
    IGNORE = "ignore"
    QUARANTINED = "quarantined"


class CellDecision(StrEnum):
    """What happens to one cell of a lead."""

    UNCHANGED = "unchanged"
    AGREED = "agreed"
    TO_TRELLO = "to_trello"
    TO_AIRTABLE = "to_airtable"
    CONFLICT = "conflict"
    RESTORE = "restore"  # a hand edit where the other side alone decides, as inside the managed block
    MERGED = "merged"  # a set of which both sides lack what the other has put in or taken out
    APART = "apart"  # since the mapping changed the two values mean different things, and nobody moved either
    PARKED = "parked"  # the card lies in a list outside the mapping
    HELD = "held"  # a conflict that waits for a person
    QUARANTINED = "quarantined"


class Direction(StrEnum):
    """Where a change goes."""

    TO_TRELLO = "to_trello"
    TO_AIRTABLE = "to_airtable"


ARCHIVED: Final = (CardPresence.ARCHIVED, CardPresence.ARCHIVED_BY_US)
SHUT: Final = (*ARCHIVED, CardPresence.MOVED_AWAY)
NEVER_HEARD_OF: Final = ""
"""A lead or a card that neither a read, a look-up nor the base knows."""

# (lead, card) -> what happens to the row. A lead or card is what the read, a look-up, or else the base says.
ROW_DECISIONS: Final[Mapping[tuple[str, str], RowDecision]] = {
    (LeadPresence.PRESENT, NEVER_HEARD_OF): RowDecision.CREATE,
    (LeadPresence.PRESENT, CardPresence.OPEN): RowDecision.COMPARE,
    (LeadPresence.PRESENT, CardPresence.ARCHIVED): RowDecision.STAY_ARCHIVED,
    (LeadPresence.PRESENT, CardPresence.MOVED_AWAY): RowDecision.LEAVE,
    (LeadPresence.PRESENT, CardPresence.DELETED): RowDecision.STAY_DELETED,
    (LeadPresence.OUT_OF_VIEW, CardPresence.OPEN): RowDecision.LEAVE,
    (LeadPresence.OUT_OF_VIEW, CardPresence.ARCHIVED): RowDecision.LEAVE,
    (LeadPresence.OUT_OF_VIEW, CardPresence.MOVED_AWAY): RowDecision.LEAVE,
    (LeadPresence.OUT_OF_VIEW, CardPresence.DELETED): RowDecision.LEAVE,
    (LeadPresence.GONE, CardPresence.OPEN): RowDecision.ARCHIVE,
    (LeadPresence.GONE, CardPresence.ARCHIVED): RowDecision.LEAVE,
    (LeadPresence.GONE, CardPresence.MOVED_AWAY): RowDecision.LEAVE,
    (LeadPresence.GONE, CardPresence.DELETED): RowDecision.FORGET,
    (NEVER_HEARD_OF, CardPresence.OPEN): RowDecision.ORPHAN,
    (NEVER_HEARD_OF, CardPresence.ARCHIVED): RowDecision.IGNORE,
}

# (equal, Airtable moved, Trello moved) -> decision. Unequal though nobody moved happens when the status map or a
# fallback title changed: the lead is the one that says what the card should look like.
CELL_DECISIONS: Final[Mapping[tuple[bool, bool, bool], CellDecision]] = {
    (True, False, False): CellDecision.UNCHANGED,
    (True, False, True): CellDecision.AGREED,
    (True, True, False): CellDecision.AGREED,
    (True, True, True): CellDecision.AGREED,
    (False, True, False): CellDecision.TO_TRELLO,
    (False, False, True): CellDecision.TO_AIRTABLE,
    (False, True, True): CellDecision.CONFLICT,
    (False, False, False): CellDecision.TO_TRELLO,
}

MAPPED_DECISIONS: Final = {**CELL_DECISIONS, (False, False, False): CellDecision.APART}
"""The same for any other cell: what nobody moved stays."""

# (equal, Airtable empty, Trello empty) -> decision about a cell that was never agreed: an empty side is filled
FIRST_MATCHES: Final[Mapping[tuple[bool, bool, bool], CellDecision]] = {
    (True, False, False): CellDecision.AGREED,
    (True, True, True): CellDecision.AGREED,
    (False, True, False): CellDecision.TO_AIRTABLE,
    (False, False, True): CellDecision.TO_TRELLO,
    (False, False, False): CellDecision.CONFLICT,
}

# (all of it is on Airtable, all of it is on Trello) -> decision about a set whose merged elements are not on both
MERGES: Final[Mapping[tuple[bool, bool], CellDecision]] = {
    (True, False): CellDecision.TO_TRELLO,
    (False, True): CellDecision.TO_AIRTABLE,
    (False, False): CellDecision.MERGED,
}

# way of a cell -> what its decisions become: the other side's edits are put back
ONE_WAY: Final[Mapping[Way, Mapping[CellDecision, CellDecision]]] = {
    Way.BOTH: {},
    Way.TO_TRELLO: {CellDecision.TO_AIRTABLE: CellDecision.RESTORE, CellDecision.CONFLICT: CellDecision.TO_TRELLO},
    Way.TO_AIRTABLE: {CellDecision.TO_TRELLO: CellDecision.RESTORE, CellDecision.CONFLICT: CellDecision.TO_AIRTABLE},
}

# the same at a first match, at which an empty source is never written; a conflict is listed
ONE_WAY_FIRST: Final[Mapping[Way, Mapping[CellDecision, CellDecision]]] = {
    Way.BOTH: {},
    Way.TO_TRELLO: {CellDecision.TO_AIRTABLE: CellDecision.AGREED},
    Way.TO_AIRTABLE: {CellDecision.TO_TRELLO: CellDecision.AGREED},
}

# (the lead moved, the block shows another value, the block is there) -> decision about a line of the managed block
LINE_DECISIONS: Final[Mapping[tuple[bool, bool, bool], CellDecision]] = {
    (False, False, False): CellDecision.UNCHANGED,
    (False, False, True): CellDecision.UNCHANGED,
    (False, True, False): CellDecision.UNCHANGED,
    (False, True, True): CellDecision.RESTORE,
    (True, False, False): CellDecision.TO_TRELLO,
    (True, False, True): CellDecision.AGREED,
    (True, True, False): CellDecision.TO_TRELLO,
    (True, True, True): CellDecision.TO_TRELLO,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What becomes of one lead.

    `stage`: the card's, as judged against the base. `restores_marker`: the card is known, and its LeadID line is gone.
    `cells`: by field. `quiet`: there is nothing to write, to record, or to say.
    """

    row: RowDecision
    stage: str
    cells: Mapping[str, CellDecision]
    restores_marker: bool = False
    quiet: bool = False
