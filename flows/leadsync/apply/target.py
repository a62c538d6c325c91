"""Where a pass writes. Never here: what it writes."""

from __future__ import annotations

from dataclasses import dataclass

from leadsync.core.ledger import Begun
from leadsync.state.lock import StillHeld
from leadsync.state.store import StateStore
from leadsync.trello.board import Board


@dataclass(frozen=True)
class Target:
    """The board, the state, the check that the lock is still ours, and the run that writes."""

    board: Board
    store: StateStore
    pair: str
    still_held: StillHeld
    begun: Begun
