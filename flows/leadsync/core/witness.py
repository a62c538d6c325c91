"""What shows that a write took effect: the cell itself, or a service's feed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from leadsync.core.digests import digest
from leadsync.core.feed import Feed
from leadsync.core.journal import CARD, LEAD, Intent, key_of
from leadsync.frames.agreed import AIRTABLE, TRELLO, sides_of
from leadsync.frames.cards import Card
from leadsync.frames.leads import Lead
from leadsync.frames.schema import rows_of
from leadsync.mapping.rows import NAMED_AS, CellKey

# base columns that are agreed together, and the one whose value on the written side proves the write
CARD_CELLS: Final = {"stage": ("status", "stage", "due_complete"), "title": ("name", "title")}
LEAD_CELLS: Final = {"status": ("status", "stage", "due_complete"), "name": ("name", "title")}
WITNESSES: Final = {"stage": "idList", "title": "name", "due_complete": "dueComplete"}
"""Cells whose former values the action feed tells, and what they are called there."""


def agreed_with(intent: Intent) -> Mapping[str, tuple[str, ...]]:
    """The column that proves a write, see CARD_CELLS -> base columns that are agreed with it; mapped cells, too."""
    own, side = (LEAD_CELLS, AIRTABLE) if intent.side == LEAD else (CARD_CELLS, TRELLO)
    names = (column.removeprefix(side) for column in intent.record if column.startswith(side))
    return own | {f"{side}{name}": sides_of(name) for name in names}


@dataclass(frozen=True)
class Proof:
    """
    What the services' feeds say of pending writes, by (lead id, cell).

    `shown`: cells written by them, whatever they hold now; of a copy by its own id. `doubtful`: cells into which
    somebody put by hand just what was to be written, so that nobody can say whether they were.
    """

    shown: frozenset[tuple[str, str]] = frozenset()
    doubtful: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: Proof) -> Proof:
        return Proof(self.shown | other.shown, self.doubtful | other.doubtful)


NO_PROOF: Final = Proof()


def unclear(base: pd.DataFrame, intents: Iterable[Intent], trello: pd.DataFrame) -> list[Intent]:
    """Card writes that the cards alone cannot prove: a cell does not hold what was meant to be written."""
    wanted = [intent for intent in intents if intent.side == CARD and intent.lead_id in base.index]
    cards = {card.card_id: card for card in rows_of(trello[trello.index.isin([each.card_id for each in wanted])], Card)}
    return [
        intent
        for intent in wanted
        if intent.card_id in cards
        if any(
            (part in WITNESSES or part.startswith(TRELLO)) and not holds(intent, part, cards[intent.card_id])
            for part in parts_of(intent)
        )
    ]


def witnessed(intents: Iterable[Intent], feed: Feed, lists: Mapping[str, str]) -> set[tuple[str, str]]:
    """
    (lead id, cell) of those intents whose value the action feed shows as one that somebody replaced since then.

    Of a cell of the mapping, as one that a program has put there. `lists`: stage -> list id.
    """
    intents = list(intents)
    mapped = {
        (intent.lead_id, part)
        for intent in intents
        for part in parts_of(intent)
        if part.startswith(TRELLO) and feed.has_written(intent, sent_as(part))
    }
    return mapped | {
        (intent.lead_id, cell)
        for intent in intents
        for cell in parts_of(intent) & WITNESSES.keys()
        for meant in [str(intent.record.get(cell))]
        if feed.was_replaced(intent, WITNESSES[cell], lists.get(meant, meant))
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


def field_of(column: str) -> str:
    """What a conflict about the cell that a base column is of is called."""
    if column.startswith((AIRTABLE, TRELLO)):
        card = CellKey.of(column.partition(" ")[2]).property
        return NAMED_AS.get(card, card)
    return {"stage": "status", "title": "name"}.get(column, "")


def parts_of(intent: Intent) -> set[str]:
    """
    Columns of the written side that prove this write: those it sent.

    An equal list proves nothing of a write that only took a tick away.
    """
    proving = {*agreed_with(intent), *(WITNESSES if intent.is_put else ())} & intent.record.keys()
    return {part for part in proving if not intent.is_put or sent_as(part) in intent.sent.cells}


def sent_as(part: str) -> str:
    """What the cell that a column is about is called in a PUT."""
    return WITNESSES.get(part) or key_of(part.removeprefix(TRELLO))


def holds(intent: Intent, part: str, written: Lead | Card) -> bool:
    """
    Whether the written side holds what this part was to become.

    Of a set that goes to both sides the base takes less than what was sent, so there the digest says what that was.
    """
    if part in WITNESSES or not part.startswith((AIRTABLE, TRELLO)):
        return bool(getattr(written, part) == intent.record[part])
    side, _, name = part.partition(" ")
    held, sent = written.cells.get(name), intent.sent.cells.get(sent_as(part), "") if side == TRELLO.strip() else ""
    return digest(sent_as(part), held) == sent if isinstance(held, frozenset) and sent else held == intent.record[part]
