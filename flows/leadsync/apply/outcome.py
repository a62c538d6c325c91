"""What came of the writes of a pass, refusals included. Never here: a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from leadsync.core.conflicts import Conflict
from leadsync.core.told import Change, Failure, Note
from leadsync.errors import DeadTokenError, LeadsyncError
from leadsync.frames.actions import Item

Progress = Callable[[str, int, int], None]


@dataclass
class Outcome:
    """
    What became of the writes of one pass.

    `refused_cells`: lead id -> the cells that Trello refused, while it took others. `forbidden`: leads of which a token
    may write nothing. `dead`: a service stopped accepting our credentials.
    """

    done: list[Change] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    postponed: list[str] = field(default_factory=list)  # lead ids
    refused_cells: dict[str, set[str]] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    unclear: set[tuple[str, str]] = field(default_factory=set)  # side and lead id
    overwritten: list[Conflict] = field(default_factory=list)
    dead: DeadTokenError | None = None
    error: LeadsyncError | None = None  # the run must end here
    notes: list[Note] = field(default_factory=list)
    records: dict[str, Item] = field(default_factory=dict)  # leads and cards as the services returned them, by id
    cards: dict[str, Item] = field(default_factory=dict)
    made: dict[str, Item] = field(default_factory=dict)  # leads of cards that carry no LeadID line as yet, by id

    def add(self, other: Outcome) -> None:
        """Take in the outcome of the other side."""
        self.done += other.done
        self.failures += other.failures
        self.postponed += other.postponed
        self.refused_cells |= other.refused_cells
        self.forbidden |= other.forbidden
        self.unclear |= other.unclear
        self.overwritten += other.overwritten
        self.notes += other.notes
        self.records |= other.records
        self.cards |= other.cards
        self.made |= other.made
        self.dead = self.dead or other.dead
        self.error = self.error or other.error


class Postponed(Exception):
    """The card is no longer as it was when the write was planned."""


@contextmanager
def writers(number: int, service: str) -> Iterator[ThreadPoolExecutor]:
    """A pool which, when the run is interrupted, does not wait for answers that may never come."""
    pool = ThreadPoolExecutor(number, thread_name_prefix=service)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def as_told(error: LeadsyncError) -> tuple[str, str]:
    """A failure's reason and remedy."""
    if isinstance(error, DeadTokenError):
        return error.reason, error.remedy
    return str(error), "The next run finishes it."


def not_tried(dead: DeadTokenError) -> str:
    """Why a write was left out after the token had died."""
    return f"not tried: {dead.service} no longer accepts {dead.setting}"
