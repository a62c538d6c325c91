"""
What became of the writes of a run that was cut off: the base as it would stand had they been recorded. Pure.

What is never here: the feed's request, the journal itself (see state/journal.py), a write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from leadsync.core.conflicts import Conflict
from leadsync.core.entries import held_by, is_of_lead
from leadsync.core.journal import COPY, LEAD, Intent, IntentState
from leadsync.core.ledger import MARKED, Entry, proven
from leadsync.core.made import cards_made
from leadsync.core.witness import NO_PROOF, Proof, agreed_with, field_of, holds, parts_of
from leadsync.frames.agreed import NEVER_AGREED, Agreed, Columns
from leadsync.frames.cards import NO_CARD, Card, CardPresence
from leadsync.frames.leads import NO_LEAD, Lead
from leadsync.frames.schema import frame_of, overlay, rows_of

PROOFS: Final = {"stage": ("stage", "due_complete")}
"""A write of list and tick is proven by both, where both were sent; every other cell by itself."""
PRESENCE: Final = ("lead_presence", "card_presence", "seen_status")
"""Columns that are agreed once a card is archived, or open again."""
LATE: Final = 60.0
"""Seconds after which a write that neither its cell nor the feed shows did not take place."""


@dataclass(frozen=True)
class Verdict:
    """
    What became of a pending write.

    `took_effect`, or `is_late`: it would have shown by now. `conflicts`: those that it settled. `became`: its journal
    row from now on, None if that ends. `entries`: what the history is to say of it.
    """

    intent: Intent
    took_effect: bool
    is_late: bool
    became: Intent | None
    entries: tuple[Entry, ...] = ()

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
    rows, made = _known(base, intents), cards_made(base, intents, trello)
    settled: dict[str, Agreed] = {}
    for intent in intents:
        was = settled.get(intent.lead_id) or rows.get(intent.lead_id)
        if columns := _settled(was, intent, airtable, trello, proof, made):
            settled[intent.lead_id] = (was or Agreed(intent.lead_id)).updated(columns)
    return overlay(base, frame_of(settled.values(), Agreed))


def _known(base: pd.DataFrame, intents: Iterable[Intent]) -> dict[str, Agreed]:
    """The base's rows of these writes, by lead id."""
    if not (lead_ids := [intent.lead_id for intent in intents]):
        return {}
    concerned = base[base.index.isin(lead_ids)]
    return {agreed.lead_id: agreed for agreed in rows_of(concerned, Agreed)}


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
    intents = list(intents)
    rows, made = _known(base, intents), cards_made(base, intents, trello)
    return [
        _verdict(
            intent,
            _settled(rows.get(intent.lead_id), intent, airtable, trello, proof, made),
            _of_no_base(intent, airtable, trello, proof),
            now,
            shown,
        )
        for intent in intents
    ]


def _of_no_base(intent: Intent, airtable: pd.DataFrame, trello: pd.DataFrame, proof: Proof) -> list[Entry]:
    """
    What was written, and nothing is agreed about: cells held apart by an undo, and a card's LeadID line, as the written
    side holds them; a copy, which the feed shows.
    """
    if intent.side == COPY:
        return [*intent.entries] if (intent.card_id, "desc") in proof.shown else []
    if not any(entry.left or entry.field == MARKED for entry in intent.entries):
        return []
    leads, cards = airtable.index.isin([intent.lead_id]), trello.index.isin([intent.card_id])
    (lead,), (card,) = rows_of(airtable[leads], Lead) or [NO_LEAD], rows_of(trello[cards], Card) or [NO_CARD]
    of_lead = intent.side == LEAD
    return [
        entry
        for entry in intent.entries
        for meant in [{name: value for name, value in entry.left.items() if is_of_lead(name) is of_lead}]
        if (entry.left and held_by(lead, card, [*meant]) == meant)
        or (entry.field == MARKED and card.card_id and bool(card.lead_id) is bool(entry.after.trello))
    ]


def _verdict(
    intent: Intent, settled: Columns, apart: list[Entry], now: float, shown: Collection[int] | None
) -> Verdict:
    if not settled and not apart:
        is_late = shown is not None and now - intent.since >= LATE
        return Verdict(intent, False, is_late, None if is_late else intent)
    fields = {field_of(column) for column in settled}
    conflicts = tuple(item for item in intent.conflicts if item.field in fields)
    unchecked = intent.is_patch or (intent.is_put and intent.number not in (shown or ()))
    state = IntentState.UNCHECKED if unchecked else IntentState.CHECKED
    became = replace(intent, state=state, conflicts=conflicts, answered=now, entries=())
    entries = (*proven(intent.entries, intent.record, settled), *apart)
    return Verdict(intent, True, False, became if unchecked or conflicts else None, entries)


def _settled(
    was: Agreed | None,
    intent: Intent,
    airtable: pd.DataFrame,
    trello: pd.DataFrame,
    proof: Proof,
    made: Mapping[str, str],
) -> Columns:
    """The base columns of this intent that have become true; {} if it took no effect as far as can be seen."""
    if intent.side == LEAD:
        if was is None or intent.lead_id not in airtable.index:
            return {}
        return _columns(intent, rows_of(airtable.loc[[intent.lead_id]], Lead)[0], proof)
    if not intent.card_id:
        return _settled_creation(was, intent, made)
    if was is None:
        return {}
    card = rows_of(trello.loc[[intent.card_id]], Card)[0] if intent.card_id in trello.index else None
    if "closed" in intent.sent.cells and (intent.lead_id, "closed") in proof.shown:  # be it that a person has undone it
        return dict(intent.record)
    if intent.record.get("card_presence") == CardPresence.ARCHIVED_BY_US:
        return dict(intent.record) if card is None or card.presence == CardPresence.ARCHIVED else {}
    if card is None or card.presence != CardPresence.OPEN:
        return {}
    opened = {column: intent.record[column] for column in PRESENCE if column in intent.record}
    return (opened if "closed" in intent.sent.cells else {}) | _columns(intent, card, proof)


def _settled_creation(was: Agreed | None, intent: Intent, made: Mapping[str, str]) -> Columns:
    card_id = made.get(intent.lead_id, "")
    if not card_id or (was is not None and was.card_id == card_id):
        return {}
    return {**intent.record, "card_id": card_id}


def _columns(intent: Intent, written: Lead | Card, proof: Proof) -> Columns:
    """Base columns of the cells which the written side, or the feed, shows as written."""
    columns: Columns = {}
    for cell, agreed in agreed_with(intent).items():
        parts = [part for part in PROOFS.get(cell, (cell,)) if part in parts_of(intent)]
        shown = {part for part in parts if (intent.lead_id, part) in proof.shown}
        if parts and all(part in shown or holds(intent, part, written) for part in parts):
            doubted = any((intent.lead_id, part) in proof.doubtful for part in parts)
            columns |= {column: NEVER_AGREED.get(column) if doubted else intent.record[column] for column in agreed}
    return columns
