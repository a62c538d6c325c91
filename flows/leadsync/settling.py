"""
What became of the writes of a run that was cut off: the base as it would stand had they been recorded. Pure.

What is never here: the feed's request, the journal's tables (see store.py), a write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from leadsync.frames import base_frame, text, time_of
from leadsync.intents import CARD, LEAD, Intent, IntentState, Row
from leadsync.model import BASE_COLUMNS
from leadsync.overwrites import Feed
from leadsync.plan import Conflict

# base columns that are agreed together, and the one whose value on the written side proves the write
CARD_CELLS: Final = {
    "stage": ("status", "stage", "due_complete"),
    "title": ("name", "title"),
    "email_line": ("email_line", "shown_email"),
    "source_line": ("source_line", "shown_source"),
}
LEAD_CELLS: Final = {"status": ("status", "stage", "due_complete"), "name": ("name", "title")}
WITNESSES: Final = {"stage": "idList", "title": "name", "due_complete": "dueComplete"}
"""Cells whose former values the action feed tells, and what they are called there."""
PROOFS: Final = {"stage": ("stage", "due_complete")}
"""A write of list and tick is proven by both, where both were sent; every other cell by itself."""
SENT_AS: Final = WITNESSES | {"email_line": "desc", "source_line": "desc"}
FIELD_OF: Final = {"status": "stage", "name": "title"}
"""A conflict's field -> the base column that tells that it was settled."""
NEVER_AGREED: Final = {"status": "", "stage": "", "due_complete": False, "name": "", "title": ""}
LATE: Final = 60.0
"""Seconds after which a write that neither its cell nor the feed shows did not take place."""


@dataclass(frozen=True)
class Proof:
    """
    What the services' feeds say of pending writes, by (lead id, cell).

    `shown`: cells written by them, whatever they hold now. `doubtful`: cells into which somebody put by hand just what
    was to be written, so that nobody can say whether they were.
    """

    shown: frozenset[tuple[str, str]] = frozenset()
    doubtful: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: Proof) -> Proof:
        return Proof(self.shown | other.shown, self.doubtful | other.doubtful)


NO_PROOF: Final = Proof()


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


def unclear(base: pd.DataFrame, intents: Iterable[Intent], trello: pd.DataFrame) -> list[Intent]:
    """Card writes that the cards alone cannot prove: a cell does not hold what was meant to be written."""
    cards = {str(card_id): _strings(card) for card_id, card in trello.to_dict("index").items()}
    return [
        intent
        for intent in intents
        if intent.side == CARD and intent.card_id in cards and intent.lead_id in base.index
        for cell in WITNESSES
        if cell in _parts(intent) and not _holds(intent, cell, cards[intent.card_id])
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
        for cell in _parts(intent)
        if cell in WITNESSES
        for value in [intent.record.get(cell)]
        if replaced.get((intent.card_id, cell, lists.get(str(value), text(value))), -1.0) >= intent.since
    }


def doubtful(intents: Iterable[Intent], feed: Feed) -> set[tuple[str, str]]:
    """(lead id, cell) of the card writes which somebody has made by hand, see Proof."""
    return {
        (intent.lead_id, cell)
        for intent in intents
        if intent.is_put
        for cell, wire in WITNESSES.items()
        if feed.set_by_hand(intent, wire)
    }


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
    rows: dict[str, Row] = {str(lead): _strings(row) for lead, row in base.to_dict("index").items()}
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
    rows = {str(lead): _strings(row) for lead, row in base.to_dict("index").items()}
    return [
        _verdict(intent, _settled(rows.get(intent.lead_id), intent, airtable, trello, proof), now, shown)
        for intent in intents
    ]


def _verdict(intent: Intent, settled: Row, now: float, shown: Collection[int] | None) -> Verdict:
    if not settled:
        is_late = shown is not None and now - intent.since >= LATE
        return Verdict(intent, False, is_late, None if is_late else intent)
    conflicts = tuple(item for item in intent.conflicts if FIELD_OF.get(item.field) in settled)
    unchecked = intent.is_patch or (intent.is_put and intent.number not in (shown or ()))
    state = IntentState.UNCHECKED if unchecked else IntentState.CHECKED
    became = replace(intent, state=state, conflicts=conflicts, answered=now)
    return Verdict(intent, True, False, became if unchecked or conflicts else None)


def _settled(
    was: Row | None,
    intent: Intent,
    airtable: pd.DataFrame,
    trello: pd.DataFrame,
    proof: Proof,
) -> Row:
    """The base columns of this intent that have become true; {} if it took no effect as far as can be seen."""
    if intent.side == LEAD:
        if was is None or intent.lead_id not in airtable.index:
            return {}
        return _columns(intent, _strings(airtable.loc[intent.lead_id].to_dict()), LEAD_CELLS, proof)
    if not intent.card_id:
        return _settled_creation(was, intent, trello)
    if was is None:
        return {}
    card = _strings(trello.loc[intent.card_id].to_dict()) if intent.card_id in trello.index else None
    if "closed" in intent.sent.cells and (intent.lead_id, "closed") in proof.shown:  # be it that a person has undone it
        return dict(intent.record)
    if intent.record.get("card_presence") == "archived_by_us":
        return dict(intent.record) if card is None or card["presence"] == "archived" else {}
    if card is None or card["presence"] != "open":
        return {}
    return _columns(intent, card, CARD_CELLS, proof)


def _settled_creation(was: Row | None, intent: Intent, trello: pd.DataFrame) -> Row:
    made = trello.index[trello["lead_id"] == intent.lead_id]
    if not len(made) or (was is not None and was["card_id"] == made[0]):
        return {}
    return {**intent.record, "card_id": str(made[0])}


def _columns(intent: Intent, written: Row, cells: Mapping[str, tuple[str, ...]], proof: Proof) -> Row:
    """Base columns of the cells which the written side, or the feed, shows as written."""
    columns: Row = {}
    for cell, agreed in cells.items():
        parts = [part for part in PROOFS.get(cell, (cell,)) if part in _parts(intent)]
        shown = {part for part in parts if (intent.lead_id, part) in proof.shown}
        if parts and all(part in shown or _holds(intent, part, written) for part in parts):
            doubted = any((intent.lead_id, part) in proof.doubtful for part in parts)
            columns |= {column: NEVER_AGREED[column] if doubted else intent.record[column] for column in agreed}
    return columns


def _parts(intent: Intent) -> set[str]:
    """
    Columns of the written side that prove this write: those it sent.

    An equal list proves nothing of a write that only took a tick away.
    """
    if not intent.is_put:
        return set(intent.record) & {*CARD_CELLS, *LEAD_CELLS}
    return {part for part, wire in SENT_AS.items() if part in intent.record and wire in intent.sent.cells}


def _holds(intent: Intent, part: str, written: Row) -> bool:
    return bool(written[part] == intent.record[part])


def _strings(row: Mapping[Any, Any]) -> Row:
    return {str(column): value for column, value in row.items()}
