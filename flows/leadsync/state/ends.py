"""
How the last syncs of each pair ended: when one last did so well, and what went wrong since.

Never here: what counts as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from leadsync.core.told import Failure
from leadsync.state.database import Database, json_object
from leadsync.state.facts import FACTS, Facts, put_facts
from leadsync.state.tables import facts_table

KEY: Final = "success "
"""Begins the key, which ends in the pair's."""
MOST: Final = 500
"""Failures of a sync that are kept; a table of thousands fails for one reason."""


@dataclass(frozen=True)
class Failed:
    """
    The last sync did not end well. `since`: when the first of those in a row did not, by our clock [s since 1970].

    `message`: why it ended early, "" if it did not; `failures`: what could not be written.
    """

    since: float
    message: str
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Ended:
    """
    `succeeded_at`: when a sync last ended well [s since 1970], None if none did; `failed`: None if the last did.

    `workspace`: of the base, as the pair's settings name it.
    """

    succeeded_at: float | None = None
    failed: Failed | None = None
    workspace: str = ""


class Ends:
    """Of all pairs; `pair` is a pair's key."""

    def __init__(self, database: Database) -> None:
        self._database, self._facts = database, Facts(database)

    def load(self, pair: str) -> Ended:
        """How those of a pair ended."""
        return _ended(self._facts.load(KEY + pair))

    def load_all(self) -> dict[str, Ended]:
        """By the keys of the pairs."""
        return {key.removeprefix(KEY): _ended(facts) for key, facts in self._facts.load_all(KEY).items()}

    def well(self, pair: str, now: float, workspace: str, former: str) -> None:
        """A sync ended well. `former`: under which key it failed while its board was not known by id; else `pair`."""
        with self._database.writing() as connection:
            put_facts(connection, KEY + pair, _facts(Ended(now, workspace=workspace)))
            if former != pair:
                connection.execute(sa.delete(facts_table).where(facts_table.c.key == KEY + former))

    def badly(self, pair: str, now: float, workspace: str, message: str, failures: Sequence[Failure]) -> None:
        """A sync did not end well, and why."""
        known = self.load(pair)
        failed = Failed(known.failed.since if known.failed else now, message, tuple(failures[:MOST]))
        self._facts.save(KEY + pair, _facts(Ended(known.succeeded_at, failed, workspace)))


def forget_failures(connection: sa.Connection, pair: str, lead_id: str) -> None:
    """Erase what could not be written of a lead: a service's words may hold its values."""
    held = connection.execute(FACTS, {"of": KEY + pair}).scalar_one_or_none()
    failed = (known := _ended(held and json_object(held))).failed
    kept = tuple(each for each in failed.failures if each.lead_id != lead_id) if failed else ()
    if failed and kept != failed.failures:
        put_facts(connection, KEY + pair, _facts(replace(known, failed=replace(failed, failures=kept))))


def _ended(facts: dict[str, Any] | None) -> Ended:
    if not facts:
        return Ended()
    failed = facts.get("failed")
    failures = tuple(Failure(**each) for each in failed["failures"]) if failed else ()
    told = Failed(failed["since"], failed["message"], failures) if failed else None
    return Ended(facts["at"], told, facts.get("workspace", ""))


def _facts(ended: Ended) -> dict[str, Any]:
    failed = {"failed": asdict(ended.failed)} if ended.failed else {}
    return {"at": ended.succeeded_at, "workspace": ended.workspace} | failed
