"""
What both sides agreed on, and the journal of writes on their way there: what changes both changes them in one
transaction. Never here: a decision, a write to a service.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import sqlalchemy as sa

from leadsync.core.journal import CARD, Intent, IntentState, Sent
from leadsync.core.settling import Verdict
from leadsync.frames.agreed import BASE_COLUMNS, base_frame
from leadsync.state.database import Database
from leadsync.state.journal_rows import intent_of, replace_intent, row_of_intent, sent_json
from leadsync.state.tables import base_table, intent_table

EMPTY_ROW: dict[str, Any] = {column: False if dtype == "bool" else "" for column, dtype in BASE_COLUMNS.items()}

_of_pair = intent_table.c.pair == sa.bindparam("pair")
_in_states = intent_table.c.state.in_(sa.bindparam("states", expanding=True))
INTENTS = sa.select(intent_table).where(_of_pair & _in_states).order_by(intent_table.c.id)
"""Made once: every run asks it seven times, and to make it takes longer than to ask."""

Updates = Mapping[str, Mapping[str, Any]]
"""Lead id -> columns of its base row, and what they become."""


class Journal:
    """Base and journal of all pairs; `pair` is a pair's key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load_base(self, pair: str) -> pd.DataFrame:
        """What both sides agreed on last time: frame as frames.agreed.base_frame."""
        query = sa.select(base_table.c.lead_id, *(base_table.c[column] for column in BASE_COLUMNS))
        with self._database.reading() as connection:
            rows = connection.execute(query.where(base_table.c.pair == pair)).all()
        return base_frame({row[0]: tuple(row[1:]) for row in rows})

    def load_row(self, pair: str, lead_id: str) -> dict[str, Any]:
        """What was agreed about one lead: the columns of frames.agreed.BASE_COLUMNS; {} if there is nothing."""
        query = sa.select(*(base_table.c[column] for column in BASE_COLUMNS))
        with self._database.reading() as connection:
            row = connection.execute(query.where(_row_of(base_table, pair, lead_id))).one_or_none()
        return {} if row is None else dict(row._mapping)

    def load_intents(self, pair: str, *states: IntentState) -> list[Intent]:
        """The journal's rows in these states, oldest first; without any, writes that nobody recorded."""
        wanted = [state.value for state in states or (IntentState.PENDING,)]
        with self._database.reading() as connection:
            return [intent_of(row) for row in connection.execute(INTENTS, {"pair": pair, "states": wanted})]

    def enter(
        self,
        pair: str,
        updates: Updates,
        forget: Iterable[str],
        intents: Iterable[Intent],
        verdicts: Iterable[Verdict] = (),
    ) -> None:
        """
        In one transaction, before the first write: what is already true, and what is about to be written.

        Rows of earlier runs stay until their `verdicts` say what became of them.
        """
        rows = [row_of_intent(pair, intent) for intent in intents]
        with self._database.writing() as connection:
            for verdict in verdicts:
                replace_intent(connection, verdict.intent, verdict.became)
            _update_base(connection, pair, updates)
            for lead_id in forget:
                connection.execute(sa.delete(base_table).where(_row_of(base_table, pair, lead_id)))
            if rows:
                connection.execute(sa.insert(intent_table), rows)

    def record(
        self, pair: str, side: str, updates: Updates, sent: Mapping[str, Sent] | None = None, answered: float = 0.0
    ) -> None:
        """
        After a write: the values that the API returned. The pending intents of these leads are no longer pending.

        `sent`: lead_id -> what has still to be checked, if the journal's row is of a write that can be. `answered`: the
        service's clock [s since 1970].
        """
        with self._database.writing() as connection:
            _update_base(connection, pair, updates)
            for lead_id, columns in updates.items():
                pending = _row_of(intent_table, pair, lead_id) & (intent_table.c.side == side)
                pending &= intent_table.c.state == IntentState.PENDING.value
                query = sa.select(intent_table).where(pending).order_by(intent_table.c.id)
                rows = [intent_of(row) for row in connection.execute(query).all()]
                for superseded in rows[:-1]:
                    replace_intent(connection, superseded, superseded.until(rows[-1].since))
                for intent in rows[-1:]:
                    done = replace(intent, state=IntentState.CHECKED)
                    if sent and lead_id in sent and intent.sent.cells:
                        done = replace(done, record=dict(columns), sent=sent[lead_id], answered=answered)
                        done = replace(done, state=IntentState.UNCHECKED)
                    replace_intent(connection, intent, done)

    def amend(self, pair: str, lead_id: str, sent: Sent) -> None:
        """Just before a PUT that turns out to differ from what was journalled."""
        pending = _row_of(intent_table, pair, lead_id) & (intent_table.c.side == CARD)
        pending &= intent_table.c.state == IntentState.PENDING.value
        newest = sa.select(sa.func.max(intent_table.c.id)).where(pending).scalar_subquery()
        with self._database.writing() as connection:
            connection.execute(sa.update(intent_table).where(intent_table.c.id == newest).values(sent=sent_json(sent)))

    def give_back(self, pair: str, undo: Mapping[str, Any], intent: Intent) -> None:
        """In one transaction, before a cell is given back: the base as it was, and the write that is to follow."""
        with self._database.writing() as connection:
            _update_base(connection, pair, {intent.lead_id: undo})
            connection.execute(sa.insert(intent_table).values(**row_of_intent(pair, intent)))

    def end_intents(self, intents: Iterable[Intent]) -> None:
        """The writes are checked; a row stays only for conflicts that have still to be listed."""
        checked = [replace(intent, state=IntentState.CHECKED) for intent in intents]
        if checked:
            with self._database.writing() as connection:
                for intent in checked:
                    replace_intent(connection, replace(intent, conflicts=()), intent)

    def keep_intent(self, intent: Intent) -> None:
        """What remains of a journal row that is checked in part."""
        with self._database.writing() as connection:
            replace_intent(connection, replace(intent, sent=Sent()), intent)

    def drop_pending(self, pair: str, run: str, unclear: Collection[tuple[str, str]]) -> None:
        """What `run` did not send after all. `unclear`: side and lead id of writes that may have taken effect."""
        mine = [intent for intent in self.load_intents(pair) if intent.run == run]
        unsent = [intent for intent in mine if (intent.side, intent.lead_id) not in unclear]
        if unsent:
            with self._database.writing() as connection:
                for intent in unsent:
                    replace_intent(connection, intent, None)

    def end_told(self, pair: str, run: str) -> None:
        """`run` has listed its own conflicts, and those of writes that it did not find pending."""
        rows = [row for row in self.load_intents(pair, *IntentState) if row.conflicts]
        untold = [row for row in rows if row.run == run or row.state is not IntentState.PENDING]
        if untold:
            with self._database.writing() as connection:
                for intent in untold:
                    replace_intent(connection, intent, replace(intent, conflicts=()))


def _row_of(table: sa.Table, pair: str, lead_id: str) -> sa.ColumnElement[bool]:
    """The row of one lead."""
    return (table.c.pair == pair) & (table.c.lead_id == lead_id)


def _update_base(connection: sa.Connection, pair: str, updates: Updates) -> None:
    """Set the given columns; a lead without a row gets one."""
    for lead_id, columns in updates.items():
        update = sa.update(base_table).where(_row_of(base_table, pair, lead_id))
        if not columns or connection.execute(update.values(**columns)).rowcount:
            continue
        row = {**EMPTY_ROW, **columns, "pair": pair, "lead_id": lead_id}
        connection.execute(sa.insert(base_table).values(**row))
