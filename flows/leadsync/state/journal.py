"""
What both sides agreed on, and the journal of writes on their way there: what changes both changes them in one
transaction. Never here: a decision, a write to a service.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

import pandas as pd
import sqlalchemy as sa

from leadsync.core.journal import CARD, COPY, Intent, IntentState, Sent
from leadsync.core.ledger import Begun, written
from leadsync.frames.agreed import Agreed, Columns, Rename
from leadsync.frames.schema import frame_of
from leadsync.state.base_rows import (
    OF_PAIR,
    Updates,
    agreed_of,
    forget_leads,
    rename_cells,
    rows_of_leads,
    update_base,
)
from leadsync.state.database import Database
from leadsync.state.facts import Facts, put_facts
from leadsync.state.history_rows import add_changes, add_reversal, begin, drop_reversal
from leadsync.state.journal_rows import held_by_intents, intent_of, replace_intents, row_of_intent
from leadsync.state.kept import put
from leadsync.state.noted import Noted
from leadsync.state.tables import intent_table
from leadsync.state.waiting import note_conflicts, open_conflicts

_i = intent_table.c
_of_pair = sa.select(intent_table).where(_i.pair == sa.bindparam("pair"))
INTENTS: Final = _of_pair.where(_i.state.in_(sa.bindparam("states", expanding=True))).order_by(_i.id)
"""Made once: every run asks it seven times, and to make it takes longer than to ask."""
_pending = _of_pair.where(_i.lead_id == sa.bindparam("lead"), _i.side == sa.bindparam("side"))
PENDING: Final = _pending.where(_i.state == IntentState.PENDING.value).order_by(_i.id)
INSERT: Final = sa.insert(intent_table)


class Journal:
    """Base and journal of all pairs; `pair` is a pair's key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load_base(self, pair: str) -> pd.DataFrame:
        """What both sides agreed on last time: frame as frames.agreed.base_frame."""
        with self._database.reading() as connection:
            rows = connection.execute(OF_PAIR, {"of_pair": pair}).all()
        return frame_of(map(agreed_of, rows), Agreed)

    def load_row(self, pair: str, lead_id: str) -> Agreed | None:
        """What was agreed about one lead, None if nothing."""
        with self._database.reading() as connection:
            return rows_of_leads(connection, pair, [lead_id]).get(lead_id)

    def load_lists(self, pair: str) -> dict[str, str]:
        """What the base calls the lists: list id -> stage; {} if it was written before that was kept."""
        return Facts(self._database).load(_lists_key(pair)) or {}

    def load_intents(self, pair: str, *states: IntentState) -> list[Intent]:
        """The journal's rows in these states, oldest first; without any, writes that nobody recorded."""
        wanted = [state.value for state in states or (IntentState.PENDING,)]
        with self._database.reading() as connection:
            return [intent_of(row) for row in connection.execute(INTENTS, {"pair": pair, "states": wanted})]

    def enter(self, pair: str, noted: Noted) -> None:
        """In one transaction, before the first write. A list that has left the map keeps its name while none has it."""
        rows = [row_of_intent(pair, intent) for intent in noted.intents]
        known = self.load_lists(pair) if noted.lists else {}
        called = {list_id: was for list_id, was in known.items() if was not in noted.lists.values()} | {**noted.lists}
        with self._database.writing() as connection:
            if noted.spent:
                put(connection, noted.spent)
            for verdict in noted.verdicts:
                card_id = str(noted.updates.get(verdict.intent.lead_id, {}).get("card_id") or "")
                add_changes(connection, pair, verdict.intent, verdict.entries, card_id)
            replace_intents(connection, [(verdict.intent, verdict.became) for verdict in noted.verdicts])
            kept = open_conflicts(connection, pair) if noted.conflicts else []
            update_base(connection, pair, noted.updates)
            forget_leads(connection, pair, noted.forget)
            if noted.conflicts:
                note_conflicts(connection, pair, kept, noted.conflicts, noted.now)
            if rows:
                connection.execute(INSERT, rows)
            if noted.begun:
                begin(connection, pair, noted.begun)
            if called != known:
                put_facts(connection, _lists_key(pair), called)

    def record(
        self,
        pair: str,
        side: str,
        updates: Updates,
        sent: Mapping[str, Sent] | None = None,
        answered: float = 0.0,
        taken: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """
        After a write: the values that the API returned. The pending intents of these leads are no longer pending.

        `sent`: lead_id -> what has still to be checked, if the journal's row is of a write that can be. `answered`: the
        service's clock [s since 1970]. `taken`: lead_id -> fields that the service took; they are history now.
        """
        with self._database.writing() as connection:
            update_base(connection, pair, updates, held_by_intents(connection, pair, updates))
            for lead_id, columns in updates.items():
                rows = _pending_of(connection, pair, lead_id, side)
                older = [each for each in rows[:-1] if side != COPY or each.card_id == rows[-1].card_id]
                replace_intents(connection, [(each, each.until(rows[-1].since)) for each in older])
                for intent in rows[-1:]:
                    entries = written(intent.entries, (taken or {}).get(lead_id, ()), columns)
                    add_changes(connection, pair, intent, entries, str(columns.get("card_id") or ""))
                    done = replace(intent, state=IntentState.CHECKED, entries=())
                    if sent and lead_id in sent and intent.sent.cells:
                        now = intent.sent.as_put(sent[lead_id])
                        done = replace(done, record=dict(columns), sent=now, answered=answered)
                        done = replace(done, state=IntentState.UNCHECKED)
                    replace_intents(connection, [(intent, done)])

    def rename_cells(self, pair: str, now: Rename) -> None:
        """In one transaction: the mapping's cells are called otherwise in base and journal, or are in it no more."""
        with self._database.writing() as connection:
            rename_cells(connection, pair, now)
            found = connection.execute(_of_pair, {"pair": pair}).all()
            replace_intents(connection, [(intent, intent.renamed(now)) for intent in map(intent_of, found)])

    def amend(self, pair: str, lead_id: str, sent: Sent) -> None:
        """Just before a PUT that turns out to differ from what was journalled."""
        with self._database.writing() as connection:
            for was in _pending_of(connection, pair, lead_id, CARD)[-1:]:
                replace_intents(connection, [(was, replace(was, sent=was.sent.as_put(sent)))])

    def give_back(self, pair: str, undo: Columns, intent: Intent, told: str, begun: Begun | None = None) -> None:
        """In one transaction: the base as before, and the write to follow, by the run `begun`, of a value as `told`."""
        with self._database.writing() as connection:
            update_base(connection, pair, {intent.lead_id: undo})
            connection.execute(INSERT, row_of_intent(pair, intent))
            if begun:
                begin(connection, pair, begun)
            add_reversal(connection, pair, intent, undo, told, begun.run_id if begun else "")

    def keep_ours(self, pair: str, ours: Columns, intent: Intent) -> None:
        """A cell that was about to be given back has gone on from our write: the base says so again."""
        with self._database.writing() as connection:
            update_base(connection, pair, {intent.lead_id: ours})
            drop_reversal(connection, pair, intent, ours)

    def end_intents(self, intents: Iterable[Intent]) -> None:
        """The writes are checked; a row stays only for conflicts that have still to be listed."""
        checked = [replace(intent, state=IntentState.CHECKED, entries=()) for intent in intents]
        if checked:
            with self._database.writing() as connection:
                replace_intents(connection, [(replace(intent, conflicts=()), intent) for intent in checked])

    def keep_intent(self, intent: Intent) -> None:
        """What remains of a journal row that is checked in part."""
        with self._database.writing() as connection:
            replace_intents(connection, [(replace(intent, sent=Sent()), intent)])

    def drop_pending(self, pair: str, run: str, unclear: Collection[tuple[str, str]]) -> None:
        """What `run` did not send after all. `unclear`: side and lead id of writes that may have taken effect."""
        mine = [intent for intent in self.load_intents(pair) if intent.run == run]
        unsent = [intent for intent in mine if (intent.side, intent.lead_id) not in unclear]
        if unsent:
            with self._database.writing() as connection:
                replace_intents(connection, [(intent, None) for intent in unsent])

    def end_told(self, pair: str, run: str) -> None:
        """`run` has listed its own conflicts, and those of writes that it did not find pending."""
        rows = [row for row in self.load_intents(pair, *IntentState) if row.conflicts]
        untold = [row for row in rows if row.run == run or row.state is not IntentState.PENDING]
        if untold:
            with self._database.writing() as connection:
                replace_intents(connection, [(intent, replace(intent, conflicts=())) for intent in untold])


def _lists_key(pair: str) -> str:
    """The facts under which the names of the lists are kept."""
    return f"lists {pair}"


def _pending_of(connection: sa.Connection, pair: str, lead_id: str, side: str) -> list[Intent]:
    """The writes to one side of a lead that nobody recorded, the oldest first."""
    which = {"pair": pair, "lead": lead_id, "side": side}
    return [intent_of(row) for row in connection.execute(PENDING, which).all()]
