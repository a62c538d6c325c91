"""
What runs changed, for as long as it is kept: asked of the state database, without a call to a service.

What is never here: how a row comes about (see history_rows.py), a decision about taking one back.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from leadsync.core.ledger import SETTLED, Begun, Entry, Rule, RunKind
from leadsync.core.told import Change
from leadsync.frames.cards import CardPresence
from leadsync.frames.leads import LeadPresence
from leadsync.state.base_rows import forget_leads
from leadsync.state.database import Database
from leadsync.state.ends import forget_failures
from leadsync.state.history_rows import add_made, begin, entry_of, purge
from leadsync.state.kept import end_reviews_of
from leadsync.state.tables import base_table, change_table, intent_table, run_table
from leadsync.state.waiting import forget_waiting

_counts = (
    sa.func.count(change_table.c.id).label("changes"),
    sa.func.count(sa.distinct(change_table.c.lead_id)).label("leads"),
    sa.func.sum(sa.case((change_table.c.rule.in_([rule.value for rule in SETTLED]), 1), else_=0)).label("conflicts"),
    sa.func.sum(sa.case((change_table.c.rule == Rule.GIVEN_BACK.value, 1), else_=0)).label("given_back"),
)

_r = run_table.c
_unfinished = (_r.pair == sa.bindparam("of")) & (_r.kind == RunKind.UNDO.value) & _r.ended.is_(None)
UNFINISHED: Final = sa.select(run_table).where(_unfinished).order_by(_r.at.desc())
END: Final = sa.update(run_table).where(_r.id == sa.bindparam("of"))


@dataclass(frozen=True)
class PastRun:
    """
    One run that changed something. `at`, `ended`: by our clock [s since 1970]; None if it was cut off.

    `undoes`: the run that it takes back, "" if none; `undone_by`: the last one that takes it back, likewise. `changes`:
    cells and cards written, of how many `leads`; among them `conflicts` and first matches that a rule settled, and
    values that were `given_back`.
    """

    run_id: str
    at: float
    ended: float | None
    kind: RunKind
    undoes: str
    undone_by: str
    changes: int
    leads: int
    conflicts: int
    given_back: int


@dataclass(frozen=True)
class PastChange:
    """
    One write of a run. `at`: when it was recorded, by our clock [s since 1970].

    `reverses`: the number of the change that it gives back, None if it is none; `is_reversed`: whether it was given
    back. `is_forgotten`: whether its values were erased.
    """

    number: int
    run_id: str
    at: float
    lead_id: str
    card_id: str
    entry: Entry
    reverses: int | None
    is_reversed: bool
    is_forgotten: bool


class History:
    """The runs and changes of all pairs; `pair` is a pair's key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def runs(self, pair: str, since: float = 0.0) -> list[PastRun]:
        """Those that began after then [s since 1970] and changed something, newest first."""
        return self._runs((run_table.c.pair == pair) & (run_table.c.at >= since))

    def runs_called(self, pair: str, beginning: str) -> list[PastRun]:
        """Those whose id begins so, newest first."""
        named = sa.func.substr(run_table.c.id, 1, len(beginning)) == beginning.lower()
        return self._runs((run_table.c.pair == pair) & named)

    def _runs(self, which: sa.ColumnElement[bool]) -> list[PastRun]:
        undo = run_table.alias()
        by = sa.select(undo.c.id).where(undo.c.undoes == run_table.c.id).order_by(undo.c.at.desc()).limit(1)
        columns = (run_table.c.id, run_table.c.at, run_table.c.ended, run_table.c.kind, run_table.c.undoes)
        query = sa.select(*columns, by.correlate(run_table).scalar_subquery().label("undone_by"), *_counts)
        query = query.join(change_table, change_table.c.run == run_table.c.id).where(which)
        with self._database.reading() as connection:
            rows = connection.execute(query.group_by(*columns).order_by(run_table.c.at.desc(), run_table.c.id)).all()
        return [
            PastRun(
                row.id,
                row.at,
                row.ended,
                RunKind(row.kind),
                row.undoes,
                row.undone_by or "",
                row.changes,
                row.leads,
                int(row.conflicts),
                int(row.given_back),
            )
            for row in rows
        ]

    def changes(self, pair: str, run_id: str) -> list[PastChange]:
        """All that a run wrote, in the order in which it was recorded."""
        return self._changes((change_table.c.pair == pair) & (change_table.c.run == run_id))

    def lead(self, pair: str, lead_id: str) -> list[PastChange]:
        """All that is kept of a lead, the oldest first."""
        return self._changes((change_table.c.pair == pair) & (change_table.c.lead_id == lead_id))

    def last_runs(self, pair: str, lead_ids: Collection[str]) -> dict[str, str]:
        """Of leads, by their ids: the run that changed each last, as far as that is kept."""
        last = sa.select(sa.func.max(change_table.c.id)).group_by(change_table.c.lead_id)
        last = last.where((change_table.c.pair == pair) & change_table.c.lead_id.in_(lead_ids))
        query = sa.select(change_table.c.lead_id, change_table.c.run).where(change_table.c.id.in_(last))
        with self._database.reading() as connection:
            return {row.lead_id: row.run for row in connection.execute(query)}

    def _changes(self, which: sa.ColumnElement[bool]) -> list[PastChange]:
        later = change_table.alias()
        is_reversed = sa.exists().where(later.c.reverses == change_table.c.id).label("is_reversed")
        query = sa.select(change_table, is_reversed).where(which).order_by(change_table.c.id)
        with self._database.reading() as connection:
            return [_change(row) for row in connection.execute(query)]

    def lead_of(self, pair: str, card_ids: Collection[str]) -> str:
        """The lead that one of these cards is or was of, "" if none is known."""
        with self._database.reading() as connection:
            for table in (base_table, change_table):
                query = sa.select(table.c.lead_id).where(table.c.pair == pair, table.c.card_id.in_(card_ids))
                if found := connection.execute(query).scalars().first():
                    return str(found)
        return ""

    def unfinished_undo(self, pair: str) -> Begun | None:
        """The newest run that was to take another back, and was cut off."""
        with self._database.reading() as connection:
            row = connection.execute(UNFINISHED, {"of": pair}).first()
        return Begun(row.id, row.at, RunKind.UNDO, row.undoes, row.lead_id, row.field) if row else None

    def end(self, run_id: str, at: float, pair: str = "", gone: Collection[str] = ()) -> None:
        """A run came to its end, by our clock [s since 1970]. `gone`: leads of `pair` that have no base now."""
        with self._database.writing() as connection:
            forget_leads(connection, pair, gone)
            connection.execute(END, {"of": run_id, "ended": at})

    def add_made(self, pair: str, begun: Begun, changes: Collection[Change]) -> None:
        """Leads that the run has made of cards. Nothing is agreed about them yet, so no row of the base comes along."""
        with self._database.writing() as connection:
            begin(connection, pair, begun)
            add_made(connection, pair, begun.run_id, changes)

    def purge(self, pair: str, kept_since: float) -> None:
        """Delete what began before then [s since 1970]; a run that writes does so, too."""
        if any(run.at < kept_since for run in self.runs(pair)):
            with self._database.writing() as connection:
                purge(connection, pair, kept_since)

    def forget(self, pair: str, lead_id: str) -> int:
        """
        Erase a lead's values: from its changes, of which only remains that there were some, from what a service said of
        it, and, if the lead is gone, from what is kept of it in case that it comes back. A plan with it in it waits for
        review no more. Returns: the number of changes.
        """
        ours = (change_table.c.pair == pair) & (change_table.c.lead_id == lead_id)
        told = ("airtable_before", "trello_before", "airtable_after", "trello_after", "note")
        blank: dict[str, Any] = dict.fromkeys(told, "") | {"cells": "{}"}
        tombstone = (base_table.c.pair == pair) & (base_table.c.lead_id == lead_id)
        tombstone &= (base_table.c.lead_presence == LeadPresence.GONE.value) & (
            base_table.c.card_presence != CardPresence.OPEN.value
        )
        waiting = (intent_table.c.pair == pair) & (intent_table.c.lead_id == lead_id)
        with self._database.writing() as connection:
            erased = connection.execute(sa.update(change_table).where(ours).values(**blank)).rowcount
            connection.execute(sa.update(intent_table).where(waiting).values(entries="[]", conflicts="[]"))
            values = {"name": "", "title": "", "cells": "{}"}
            if connection.execute(sa.update(base_table).where(tombstone).values(**values)).rowcount:
                forget_waiting(connection, pair, lead_id)
            end_reviews_of(connection, pair, lead_id)
            forget_failures(connection, pair, lead_id)
        return int(erased)


def _change(row: sa.Row[Any]) -> PastChange:
    return PastChange(
        number=row.id,
        run_id=row.run,
        at=row.at,
        lead_id=row.lead_id,
        card_id=row.card_id,
        entry=entry_of(row._mapping),
        reverses=row.reverses,
        is_reversed=bool(row.is_reversed),
        is_forgotten=row.cells == "{}",
    )
