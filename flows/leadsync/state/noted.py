"""What a run notes before its first write, all in one transaction. Never here: how it is kept (see journal.py)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from leadsync.core.conflicts import OpenConflicts
from leadsync.core.journal import Intent
from leadsync.core.ledger import Begun
from leadsync.core.settling import Verdict
from leadsync.state.base_rows import Updates
from leadsync.state.kept import Spent


@dataclass(frozen=True)
class Noted:
    """
    What is already true, and what is about to be written.

    `updates`, `forget`: of the base. Rows of earlier runs stay until their `verdicts` say what became of them; what
    they did is history then. `lists`: what the base calls the lists with these updates, by id. `spent`: the saved plan
    that is applied; `begun`: the run that is about to write; `conflicts`: what was found out about them, if anything
    was; `now`: by our clock [s since 1970].
    """

    updates: Updates = field(default_factory=dict)
    forget: Collection[str] = ()
    intents: Collection[Intent] = ()
    verdicts: Collection[Verdict] = ()
    lists: Mapping[str, str] = field(default_factory=dict)
    spent: Spent | None = None
    begun: Begun | None = None
    conflicts: OpenConflicts | None = None
    now: float = 0.0
