"""What shows that a write took effect: the cell itself, or a service's feed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from leadsync.core.journal import CARD, Intent
from leadsync.core.overwrites import Feed
from leadsync.frames.agreed import Columns

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
SENT_AS: Final = WITNESSES | {"email_line": "desc", "source_line": "desc"}


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


def unclear(base: pd.DataFrame, intents: Iterable[Intent], trello: pd.DataFrame) -> list[Intent]:
    """Card writes that the cards alone cannot prove: a cell does not hold what was meant to be written."""
    cards = {str(card_id): strings(card) for card_id, card in trello.to_dict("index").items()}
    return [
        intent
        for intent in intents
        if intent.side == CARD and intent.card_id in cards and intent.lead_id in base.index
        for cell in WITNESSES
        if cell in parts_of(intent) and not holds(intent, cell, cards[intent.card_id])
    ]


def witnessed(intents: Iterable[Intent], feed: Feed, lists: Mapping[str, str]) -> set[tuple[str, str]]:
    """
    (lead id, cell) of those intents whose value the action feed shows as one that somebody replaced since then.

    `lists`: stage -> list id.
    """
    return {
        (intent.lead_id, cell)
        for intent in intents
        for cell in parts_of(intent) & WITNESSES.keys()
        for meant in [str(intent.record.get(cell))]
        if feed.was_replaced(intent.card_id, WITNESSES[cell], lists.get(meant, meant), intent.since)
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


def parts_of(intent: Intent) -> set[str]:
    """
    Columns of the written side that prove this write: those it sent.

    An equal list proves nothing of a write that only took a tick away.
    """
    if not intent.is_put:
        return set(intent.record) & {*CARD_CELLS, *LEAD_CELLS}
    return {part for part, wire in SENT_AS.items() if part in intent.record and wire in intent.sent.cells}


def holds(intent: Intent, part: str, written: Columns) -> bool:
    """Whether the written side holds what this part was to become."""
    return bool(written[part] == intent.record[part])


def strings(row: Mapping[Any, Any]) -> Columns:
    """A row with its columns as plain strings."""
    return {str(column): value for column, value in row.items()}
