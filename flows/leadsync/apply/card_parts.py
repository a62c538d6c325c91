"""One card written, as a whole or, where a cell is refused, part by part. Never here: the plan."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Final

from leadsync.apply.outcome import Postponed
from leadsync.apply.target import Target
from leadsync.core.journal import Sent, cells_of, digests_of, digests_of_card
from leadsync.core.plan import CardWrite
from leadsync.errors import ServiceRefusedError, TimedOutWriteError, UnclearWriteError
from leadsync.frames.actions import Item
from leadsync.frames.block import render, with_block
from leadsync.frames.cards import Card
from leadsync.model import TRELLO_TEXT_LIMIT
from leadsync.trello.board import Board
from leadsync.trello.client import Trello
from leadsync.trello.writing import create_card, update_card

CREATE_ATTEMPTS = 3
AS_PLANNED: Final = attrgetter(
    *("presence", "list_id", "title", "due_complete", "lead_id", "markers", "email_line", "source_line")
)
"""What of a card must not have moved when its description is rewritten."""
CARD_CELL_REFUSALS = (400, 413, 422)
"""Answers to a PUT that may be about one of its cells."""


@dataclass(frozen=True)
class CardPart:
    """Cells of a PUT that stand or fall together: their wire names, our fields, and the base columns they bring."""

    cells: tuple[str, ...]
    fields: tuple[str, ...]
    columns: tuple[str, ...]


PLACE: Final = CardPart(
    ("closed", "idList", "dueComplete"),
    ("card", "status"),
    ("lead_presence", "card_presence", "seen_status", "status", "stage", "due_complete"),
)

TITLE: Final = CardPart(("name",), ("name",), ("name", "title"))
BLOCK: Final = CardPart(
    ("desc",), ("email", "source", "marker"), ("email_line", "source_line", "shown_email", "shown_source")
)


@dataclass(frozen=True)
class CardAnswer:
    """
    A write as Trello took it: `item` is the card as returned, None if no part was taken.

    `done`, `sent`: what was taken, by Trello's clock not later than `answered` [s since 1970]. `refused`: the parts
    that were not, and why.
    """

    item: Item | None
    done: CardWrite
    sent: Sent = Sent()
    refused: tuple[tuple[CardPart, ServiceRefusedError], ...] = ()
    answered: float = 0.0


def write_card(write: CardWrite, trello: Trello, target: Target) -> CardAnswer:
    """One card: a POST, or the PUT that goes in parts where the card refuses a cell."""
    cells = cells_of(write, target.board.lists)
    if not write.card_id:
        cells["desc"] = render(write.lead_id, *(write.block or ("", "")))
        return CardAnswer(_create_card(write, cells, trello, target.board), write)
    based_on = write.planned_from
    if write.block is not None:
        based_on = _fresh(write, trello, target.board)
        cells["desc"] = with_block(based_on.description, write.lead_id, *write.block)
        if len(cells["desc"]) > TRELLO_TEXT_LIMIT:
            raise Postponed
    sent = Sent(digests_of_card(based_on), digests_of(cells))
    if write.block is not None and based_on.description != write.planned_from.description:
        target.store.journal.amend(target.pair, write.lead_id, sent)
    item, refused = _put_parts(write.card_id, cells, trello)
    sent = replace(sent, resent=trello.wire.resent)
    if refused:
        taken = {cell: value for cell, value in cells.items() if not any(cell in part.cells for part, _ in refused)}
        sent = replace(sent, cells=digests_of(taken))
        write = _taken(write, [part for part, _ in refused])
    return CardAnswer(item, write, sent, tuple(refused), trello.wire.answered)


def _create_card(write: CardWrite, cells: Mapping[str, Any], trello: Trello, board: Board) -> Item:
    """A POST is not sent again before the board was read for its marker; not searched, since Trello's index lags."""
    for attempt in range(CREATE_ATTEMPTS):
        try:
            return create_card(trello, cells)
        except UnclearWriteError as unclear:
            read = trello.fetch_cards(board, known=())
            found = read.cards.index[read.cards["lead_id"] == write.lead_id]
            if len(found):
                return read.items[found[0]]
            if isinstance(unclear, TimedOutWriteError) or attempt == CREATE_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _fresh(write: CardWrite, trello: Trello, board: Board) -> Card:
    """The card just before its description is rewritten; anything else that moved postpones the write."""
    card = trello.get_card(board, write.card_id)
    if AS_PLANNED(card) != AS_PLANNED(write.planned_from):
        raise Postponed
    return card


def _put_parts(
    card_id: str, cells: Mapping[str, Any], trello: Trello
) -> tuple[Item | None, list[tuple[CardPart, ServiceRefusedError]]]:
    """One PUT; if a cell of it is refused, another without that cell, or one for each part if Trello names none."""
    queue, refused, item = [[part for part in (PLACE, TITLE, BLOCK) if cells.keys() & set(part.cells)]], [], None
    while queue:
        parts = queue.pop(0)
        try:
            item = update_card(
                trello, card_id, {cell: cells[cell] for part in parts for cell in part.cells if cell in cells}
            )
        except ServiceRefusedError as error:
            if error.status not in CARD_CELL_REFUSALS:
                raise
            named = [part for part in parts if any(re.search(rf"\b{cell}\b", error.text) for cell in part.cells)]
            if len(parts) == 1:
                refused.append((parts[0], error))
            elif named:
                refused.append((named[0], error))
                queue.insert(0, [part for part in parts if part is not named[0]])
            else:
                queue[:0] = [[part] for part in parts]
    return item, refused


def _taken(write: CardWrite, refused: Collection[CardPart]) -> CardWrite:
    """The write without the parts that were refused, so that no more is recorded than was written."""
    columns = {column for part in refused for column in part.columns}
    fields = {name for part in refused for name in part.fields}
    return replace(
        write,
        stage=None if PLACE in refused else write.stage,
        closed=None if PLACE in refused else write.closed,
        due_complete=None if PLACE in refused else write.due_complete,
        title=None if TITLE in refused else write.title,
        block=None if BLOCK in refused else write.block,
        record={column: value for column, value in write.record.items() if column not in columns},
        undo={column: value for column, value in write.undo.items() if column not in columns},
        changes=tuple(change for change in write.changes if change.field not in fields),
    )
