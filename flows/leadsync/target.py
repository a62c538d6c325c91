"""Where a pass writes, and what it could not write. What is never here: a write."""

from __future__ import annotations

from dataclasses import dataclass

from leadsync.lock import StillHeld
from leadsync.store import StateStore
from leadsync.trello import Board


@dataclass(frozen=True)
class Target:
    """The board, the state, and the check that the lock is still ours."""

    board: Board
    store: StateStore
    pair: str
    still_held: StillHeld


@dataclass(frozen=True)
class Failure:
    """A lead or card that could not be written, why, and what to do."""

    lead_id: str
    card_id: str
    reason: str
    remedy: str
