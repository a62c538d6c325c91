"""
The journal of intents: what a run was about to write, so that the next one can tell its own traces from a
person's edits (design section 8.2). Pure; store.py keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from leadsync.frames import base_frame, text, time_of
from leadsync.model import BASE_COLUMNS
from leadsync.plan import Plan

CARD, LEAD = "card", "lead"

# base columns that are agreed together, and the one whose value on the written side proves the write
CARD_CELLS = {
    "stage": ("status", "stage", "due_complete"),
    "title": ("name", "title"),
    "email_line": ("email_line", "shown_email"),
    "source_line": ("source_line", "shown_source"),
}
WITNESSES = {"stage": "idList", "title": "name"}
"""Cells whose former values the action feed tells, and what they are called there."""
LEAD_CELLS = {"status": ("status", "stage", "due_complete"), "name": ("name", "title")}


@dataclass(frozen=True)
class Intent:
    """
    `record`: the base columns that are true once the write took effect; `card_id` is "" for a new card.

    `since`: Trello's clock before the write [s since 1970], 0 if unknown.
    """

    side: str  # card | lead
    lead_id: str
    card_id: str
    record: dict[str, Any]
    since: float = 0.0


def intents_of(plan: Plan, since: float) -> list[Intent]:
    """One intent for each write, in the order of the writes. `since`: Trello's clock [s since 1970]."""
    cards = [Intent(CARD, write.lead_id, write.card_id, write.record, since) for write in plan.card_writes]
    return cards + [Intent(LEAD, write.lead_id, write.card_id, write.record, since) for write in plan.lead_writes]


def unclear(base: pd.DataFrame, intents: list[Intent], trello: pd.DataFrame) -> list[Intent]:
    """Card writes that the cards alone cannot prove: a cell does not hold what was meant to be written."""
    cards = trello.to_dict("index")
    return [
        intent
        for intent in intents
        if intent.side == CARD and intent.card_id in cards and intent.lead_id in base.index
        for cell in WITNESSES
        if cell in intent.record and cards[intent.card_id][cell] != intent.record[cell]
    ]


def witnessed(
    intents: Iterable[Intent], actions: Iterable[Mapping[str, Any]], lists: Mapping[str, str]
) -> set[tuple[str, str]]:
    """
    (lead id, cell) of those intents whose value the action feed shows as one that somebody replaced since then.

    `actions`: as Trello.fetch_actions. `lists`: stage -> list id.
    """
    replaced: dict[tuple[Any, str, Any], float] = {}  # newest first, so the first of a kind is the latest
    for action in actions:
        data = action.get("data") or {}
        card_id, old = (data.get("card") or {}).get("id"), data.get("old") or {}
        for cell, key in WITNESSES.items():
            if key in old:
                replaced.setdefault((card_id, cell, text(old[key])), time_of(action))
    return {
        (intent.lead_id, cell)
        for intent in intents
        for cell in WITNESSES
        for value in [intent.record.get(cell)]
        if replaced.get((intent.card_id, cell, lists.get(str(value), value)), -1.0) >= intent.since
    }


def settle(
    base: pd.DataFrame,
    intents: list[Intent],
    airtable: pd.DataFrame,
    trello: pd.DataFrame,
    proven: Collection[tuple[str, str]] = (),
) -> pd.DataFrame:
    """
    The base as it would stand had the cut-off run recorded what it wrote.

    A cell counts as written if the written side holds the intended value, or the feed has it as `proven`; then the
    values meant to be agreed become the base, and whatever differs from them since is a person's edit.
    """
    if not intents:
        return base
    rows: dict[str, dict[Any, Any]] = {str(lead): row for lead, row in base.to_dict("index").items()}
    cards = trello.to_dict("index")
    oldest = trello.reset_index().drop_duplicates("lead_id").set_index("lead_id")["card_id"]
    for intent in intents:
        if intent.side == LEAD:
            _settle_lead(rows, intent, airtable)
        elif intent.card_id:
            _settle_card(rows, intent, cards.get(intent.card_id), proven)
        elif intent.lead_id in oldest.index:
            _settle_created(rows, intent, str(oldest[intent.lead_id]))
    return base_frame({lead: tuple(row[column] for column in BASE_COLUMNS) for lead, row in rows.items()})


def _settle_created(rows: dict[str, dict[Any, Any]], intent: Intent, card_id: str) -> None:
    was = rows.get(intent.lead_id)
    if was is None or was["card_id"] != card_id:
        rows[intent.lead_id] = {**intent.record, "card_id": card_id}


def _settle_card(
    rows: dict[str, dict[Any, Any]],
    intent: Intent,
    card: dict[Any, Any] | None,
    proven: Collection[tuple[str, str]],
) -> None:
    row = rows.get(intent.lead_id)
    if row is None:
        return
    if intent.record.get("card_presence") == "archived_by_us":
        if card is None or card["presence"] == "archived":
            row |= intent.record
        return
    if card is not None and card["presence"] == "open":
        _settle_cells(row, intent, card, CARD_CELLS, proven)


def _settle_lead(rows: dict[str, dict[Any, Any]], intent: Intent, airtable: pd.DataFrame) -> None:
    if intent.lead_id in rows and intent.lead_id in airtable.index:
        lead = airtable.loc[intent.lead_id].to_dict()
        _settle_cells(rows[intent.lead_id], intent, lead, LEAD_CELLS, ())


def _settle_cells(
    row: dict[Any, Any],
    intent: Intent,
    written: dict[Any, Any],
    cells: dict[str, tuple[str, ...]],
    proven: Collection[tuple[str, str]],
) -> None:
    for proof, columns in cells.items():
        holds = proof in intent.record and written[proof] == intent.record[proof]
        if holds or (intent.lead_id, proof) in proven:
            row |= {column: intent.record[column] for column in columns}
