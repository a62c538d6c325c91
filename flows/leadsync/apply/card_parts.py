"""One card written, as a whole or, where a cell is refused, part by part. Never here: the plan."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Final

from leadsync.apply.outcome import Postponed
from leadsync.apply.target import Target
from leadsync.core.journal import Sent, cells_of, sent_to_card
from leadsync.core.plan import CardWrite
from leadsync.core.witness import field_of
from leadsync.errors import ServiceRefusedError, TimedOutWriteError, UnclearWriteError
from leadsync.frames.actions import Item
from leadsync.frames.agreed import sides_of
from leadsync.frames.block import render
from leadsync.frames.cards import Card
from leadsync.mapping.cells import Cell
from leadsync.mapping.rows import CellKey
from leadsync.model import TRELLO_TEXT_LIMIT
from leadsync.trello.board import Board
from leadsync.trello.client import Trello
from leadsync.trello.writing import create_card, update_card, update_custom_field, update_custom_fields

CREATE_ATTEMPTS = 3
AS_PLANNED: Final = attrgetter(
    *("presence", "list_id", "title", "due_complete", "lead_id", "markers", "cells", "unreadable")
)
"""What of a card must not have moved when something of it is replaced as a whole."""
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


def parts_of(write: CardWrite) -> list[CardPart]:
    """What a write can be divided into; the lines of the block stand or fall together."""
    lines = [column for column in write.record if CellKey.of(column.partition(" ")[2]).names_line()]
    block = CardPart(("desc",), ("marker", *{field_of(column) for column in lines}), tuple(lines))
    return [PLACE, TITLE, block, *(_part_of(each.cell) for each in write.cells)]


def _part_of(cell: Cell) -> CardPart:
    return CardPart((cell.card.key,), (cell.field,), sides_of(cell.name))


def is_replaced_whole(write: CardWrite) -> bool:
    """Whether a write replaces what somebody may have added to, or what could not be read."""
    of_set = any(isinstance(each.value, frozenset) for each in write.cells)
    return write.block is not None or of_set or bool(write.planned_from.unreadable)


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
    """One card: a POST, or the PUT that goes in parts where the card refuses a cell; then its custom fields."""
    cells = cells_of(write, target.board.lists)
    if not write.card_id:
        cells["desc"] = render(write.lead_id, write.block or {})
        item = _create_card(write, as_sent(write, cells), trello, target.board)
        return _answer(
            write, write.planned_from, cells, item, _put_custom_fields(write, str(item["id"]), trello), trello
        )
    based_on = _fresh(write, trello, target.board) if is_replaced_whole(write) else write.planned_from
    if write.block is not None:
        cells["desc"] = write.described(based_on.description)
        if len(cells["desc"]) > TRELLO_TEXT_LIMIT:
            raise Postponed
        if based_on.description != write.planned_from.description:
            target.store.journal.amend(target.pair, write.lead_id, sent_to_card(write, based_on, cells))
    answered, refused = _put_parts(write, as_sent(write, cells), trello)
    resent = trello.wire.resent
    refused += _put_custom_fields(write, write.card_id, trello)
    resent |= trello.wire.resent
    untaken = {cell for part, _ in refused for cell in part.cells}
    if answered is None and {each.cell.card.key for each in write.cells if not each.cell.card.in_put} - untaken:
        answered = {"id": write.card_id, "idBoard": target.board.board_id}
    return _answer(write, based_on, cells, answered, refused, trello, resent)


def as_sent(write: CardWrite, cells: Mapping[str, Any]) -> Item:
    """The cells of a POST or PUT as Trello takes them; custom fields have requests of their own."""
    bodies = {each.cell.card.key: each.cell.card.body(each.value) for each in write.cells}
    custom = {each.cell.card.key for each in write.cells if not each.cell.card.in_put}
    return {cell: bodies.get(cell, value) for cell, value in cells.items() if cell not in custom}


def _answer(
    write: CardWrite,
    based_on: Card,
    cells: Item,
    item: Item | None,
    refused: list[tuple[CardPart, ServiceRefusedError]],
    trello: Trello,
    resent: bool = False,
) -> CardAnswer:
    taken = {cell: value for cell, value in cells.items() if not any(cell in part.cells for part, _ in refused)}
    sent = replace(sent_to_card(write, based_on, taken), resent=resent) if write.card_id else Sent()
    done = _taken(write, [part for part, _ in refused])
    return CardAnswer(item, done, sent, tuple(refused), trello.wire.answered)


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
    write: CardWrite, cells: Mapping[str, Any], trello: Trello
) -> tuple[Item | None, list[tuple[CardPart, ServiceRefusedError]]]:
    """One PUT; if a cell of it is refused, another without that cell, or one for each part if Trello names none."""
    refused: list[tuple[CardPart, ServiceRefusedError]] = []
    item, parts = None, [part for part in parts_of(write) if cells.keys() & set(part.cells)]
    queue = [parts] if parts else []
    while queue:
        parts = queue.pop(0)
        try:
            item = update_card(
                trello, write.card_id, {cell: cells[cell] for part in parts for cell in part.cells if cell in cells}
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


def _put_custom_fields(write: CardWrite, card_id: str, trello: Trello) -> list[tuple[CardPart, ServiceRefusedError]]:
    """All of a card's custom fields at once, or where that is refused one by one. Returns: those that were refused."""
    values = [each for each in write.cells if not each.cell.card.in_put]
    if not values:
        return []
    items = {each.cell.card.field_id: each.cell.card.body(each.value) for each in values}
    with suppress(ServiceRefusedError):
        update_custom_fields(trello, card_id, items)
        return []
    refused = []
    for each in values:
        try:
            update_custom_field(trello, card_id, each.cell.card.field_id, items[each.cell.card.field_id])
        except ServiceRefusedError as error:
            refused.append((_part_of(each.cell), error))
    return refused


def _taken(write: CardWrite, refused: Collection[CardPart]) -> CardWrite:
    """The write without the parts that were refused, so that no more is recorded than was written."""
    columns = {column for part in refused for column in part.columns}
    fields = {name for part in refused for name in part.fields}
    cells = {cell for part in refused for cell in part.cells}
    return replace(
        write,
        stage=None if PLACE in refused else write.stage,
        closed=None if PLACE in refused else write.closed,
        due_complete=None if PLACE in refused else write.due_complete,
        title=None if TITLE in refused else write.title,
        block=None if "desc" in cells else write.block,
        cells=tuple(each for each in write.cells if each.cell.card.key not in cells),
        record={column: value for column, value in write.record.items() if value is None or column not in columns},
        undo={column: value for column, value in write.undo.items() if column not in columns},
        changes=tuple(change for change in write.changes if change.field not in fields),
    )
