"""
What became of the writes of a run that was cut off: the base as it would stand had they been recorded. Pure.

What is never here: the feed's request, the journal itself (see state/journal.py), a write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from leadsync.core.journal import LEAD, Intent, IntentState
from leadsync.core.plan import Conflict
from leadsync.core.witness import CARD_CELLS, LEAD_CELLS, NO_PROOF, Proof, holds, parts_of, strings
from leadsync.frames.agreed import BASE_COLUMNS, NEVER_AGREED, Columns, base_frame

PROOFS: Final = {"stage": ("stage", "due_complete")}
"""A write of list and tick is proven by both, where both were sent; every other cell by itself."""
FIELD_OF: Final = {"status": "stage", "name": "title"}
"""A conflict's field -> the base column that tells that it was settled."""
LATE: Final = 60.0
"""Seconds after which a write that neither its cell nor the feed shows did not take place."""


@dataclass(frozen=True)
class Verdict:
    """
    What became of a pending write.

    `took_effect`, or `is_late`: it would have shown by now. `conflicts`: those that it settled. `became`: its journal
    row from now on, None if that ends.
    """

    intent: Intent
    took_effect: bool
    is_late: bool
    became: Intent | None

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What the run that was cut off should have listed."""
        return self.became.conflicts if self.took_effect and self.became else ()


def settle(
    base: pd.DataFrame,
    intents: list[Intent],
    airtable: pd.DataFrame,
    trello: pd.DataFrame,
    proof: Proof = NO_PROOF,
) -> pd.DataFrame:
    """
    The base as it would stand had the cut-off run recorded what it wrote.

    A cell counts as written if the written side holds the intended value, or the feed shows it; then the values meant
    to be agreed become the base, and whatever differs from them since is a person's edit. Where that is doubtful
    nothing is agreed: the cells meet as if for the first time. "closed" is shown for a lead of whose write the feed
    shows all.
    """
    if not intents:
        return base
    rows: dict[str, Columns] = {str(lead): strings(row) for lead, row in base.to_dict("index").items()}
    for intent in intents:
        was = rows.get(intent.lead_id)
        settled = _settled(was, intent, airtable, trello, proof)
        if settled:
            rows[intent.lead_id] = {**(was or {}), **settled}
    return base_frame({lead: tuple(row[column] for column in BASE_COLUMNS) for lead, row in rows.items()})


def judge(
    base: pd.DataFrame,
    intents: Iterable[Intent],
    airtable: pd.DataFrame,
    trello: pd.DataFrame,
    proof: Proof,
    now: float,
    shown: Collection[int] | None,
) -> list[Verdict]:
    """
    What became of each pending write.

    `base`: before it was settled. `now`: Trello's clock [s since 1970]. `shown`: numbers of the rows whose writes the
    feed has shown whole; None if it could not be read, then nothing counts as late.
    """
    rows = {str(lead): strings(row) for lead, row in base.to_dict("index").items()}
    return [
        _verdict(intent, _settled(rows.get(intent.lead_id), intent, airtable, trello, proof), now, shown)
        for intent in intents
    ]


def _verdict(intent: Intent, settled: Columns, now: float, shown: Collection[int] | None) -> Verdict:
    if not settled:
        is_late = shown is not None and now - intent.since >= LATE
        return Verdict(intent, False, is_late, None if is_late else intent)
    conflicts = tuple(item for item in intent.conflicts if FIELD_OF.get(item.field) in settled)
    unchecked = intent.is_patch or (intent.is_put and intent.number not in (shown or ()))
    state = IntentState.UNCHECKED if unchecked else IntentState.CHECKED
    became = replace(intent, state=state, conflicts=conflicts, answered=now)
    return Verdict(intent, True, False, became if unchecked or conflicts else None)


def _settled(
    was: Columns | None,
    intent: Intent,
    airtable: pd.DataFrame,
    trello: pd.DataFrame,
    proof: Proof,
) -> Columns:
    """The base columns of this intent that have become true; {} if it took no effect as far as can be seen."""
    if intent.side == LEAD:
        if was is None or intent.lead_id not in airtable.index:
            return {}
        return _columns(intent, strings(airtable.loc[intent.lead_id].to_dict()), LEAD_CELLS, proof)
    if not intent.card_id:
        return _settled_creation(was, intent, trello)
    if was is None:
        return {}
    card = strings(trello.loc[intent.card_id].to_dict()) if intent.card_id in trello.index else None
    if "closed" in intent.sent.cells and (intent.lead_id, "closed") in proof.shown:  # be it that a person has undone it
        return dict(intent.record)
    if intent.record.get("card_presence") == "archived_by_us":
        return dict(intent.record) if card is None or card["presence"] == "archived" else {}
    if card is None or card["presence"] != "open":
        return {}
    return _columns(intent, card, CARD_CELLS, proof)


def _settled_creation(was: Columns | None, intent: Intent, trello: pd.DataFrame) -> Columns:
    made = trello.index[trello["lead_id"] == intent.lead_id]
    if not len(made) or (was is not None and was["card_id"] == made[0]):
        return {}
    return {**intent.record, "card_id": str(made[0])}


def _columns(intent: Intent, written: Columns, cells: Mapping[str, tuple[str, ...]], proof: Proof) -> Columns:
    """Base columns of the cells which the written side, or the feed, shows as written."""
    columns: Columns = {}
    for cell, agreed in cells.items():
        parts = [part for part in PROOFS.get(cell, (cell,)) if part in parts_of(intent)]
        shown = {part for part in parts if (intent.lead_id, part) in proof.shown}
        if parts and all(part in shown or holds(intent, part, written) for part in parts):
            doubted = any((intent.lead_id, part) in proof.doubtful for part in parts)
            columns |= {
                column: getattr(NEVER_AGREED, column) if doubted else intent.record[column] for column in agreed
            }
    return columns
