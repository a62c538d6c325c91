"""
After the writes to cards: what of a person's they landed on is given back, and decided anew by the next pass.

The journal's unchecked rows say what was written; the feed says what it replaced. What is never here: the rule which
value wins.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from leadsync.apply.give_back import GIVEN_UP, Edit, Repair, Repairs
from leadsync.apply.listed import NAMED_AS, as_conflict, mapped_as
from leadsync.apply.target import Target
from leadsync.core.digests import digest
from leadsync.core.feed import Feed, is_element
from leadsync.core.journal import COLUMN_OF, Intent, IntentState
from leadsync.core.overwrites import Overwritten, find_overwritten
from leadsync.core.settling import LATE
from leadsync.core.witness import CARD_CELLS
from leadsync.errors import LeadsyncError, ServiceRefusedError
from leadsync.frames.agreed import sides_of
from leadsync.frames.block import with_block, without_block
from leadsync.frames.cards import Card, CardPresence, labels_of
from leadsync.mapping.cells import Cell
from leadsync.model import TRELLO_TEXT_LIMIT
from leadsync.trello.client import Trello
from leadsync.trello.feed import fetch_actions
from leadsync.trello.writing import set_member, update_card, update_custom_field

READ_BEFORE: Final = 600.0
"""Seconds before a write from which on the feed is read: a card may have been moved while the rest was being read."""

AGREED_WITH: Final = {
    "idList": CARD_CELLS["stage"],
    "dueComplete": CARD_CELLS["stage"],
    "name": CARD_CELLS["title"],
    "closed": ("lead_presence", "card_presence", "seen_status"),
}
"""Cell on the wire -> the base columns that are agreed with it; a description has none."""


@dataclass(frozen=True)
class Checkup:
    """
    A look into the feed for the PUTs of some journal rows. `feed`: None if it could not be had, `error` says why.

    `at`: Trello's clock when it was read, or somewhat earlier [s since 1970]. `overwritten`: what those PUTs landed on.
    """

    rows: tuple[Intent, ...] = ()
    feed: Feed | None = None
    at: float = 0.0
    overwritten: tuple[Overwritten, ...] = ()
    error: str = ""

    @property
    def shown(self) -> frozenset[int]:
        """Numbers of the rows of which the feed shows all that was sent."""
        return frozenset(row.number for row in self.rows if self.feed and self.feed.shows(row))

    @property
    def shown_whole(self) -> frozenset[int]:
        """Of these the ones of which the feed will show nothing more."""
        return frozenset(row.number for row in self.rows if self.feed and self.feed.shows_whole(row))

    @property
    def found(self) -> frozenset[int]:
        """Numbers of the rows whose PUT landed on an edit."""
        return frozenset(found.intent.number for found in self.overwritten)


def look(trello: Trello, target: Target, *states: IntentState) -> Checkup:
    """
    Compare the journal's PUTs in these states with the feed.

    Cost: none if there are no such rows, else that of fetch_actions.
    """
    rows = tuple(row for row in target.store.journal.load_intents(target.pair, *states) if row.is_put)
    if not rows:
        return Checkup()
    asked = time.monotonic()
    try:
        since = min(row.since for row in rows) - READ_BEFORE
        feed = Feed(fetch_actions(trello, target.board, since, len(rows)))
    except LeadsyncError as error:
        return Checkup(rows, at=trello.wire.server_time or time.time(), error=str(error))
    at = max(0.0, trello.wire.server_time - (time.monotonic() - asked))
    found = find_overwritten(feed, rows)
    ours = [each for each in found if each.cell in NAMED_AS or mapped_as(each.cell, target.board.cells)]
    return Checkup(rows, feed, at, tuple(ours))


def repair(checkup: Checkup, trello: Trello, target: Target) -> Repairs:
    """
    Give back what was overwritten, and end the journal's rows that are checked.

    A finding that cannot be given back stays in the journal until a report has listed it. Cost: 2 requests for each
    cell given back.
    """
    repairs, shown, found = Repairs(), checkup.shown_whole, checkup.found
    for row in checkup.rows:
        if row.number in found:
            _repair_row(row, checkup, trello, target, repairs)
    unchecked = [row for row in checkup.rows if row.state is IntentState.UNCHECKED and row.number not in found]
    done = [row for row in unchecked if row.number in shown or _is_old(row, checkup)]
    repairs.unchecked += done if checkup.feed is None else []
    target.store.journal.end_intents(done)
    return repairs


def _is_old(row: Intent, checkup: Checkup) -> bool:
    """Whether the feed will not show it any more, or has been out of reach for too long."""
    age = checkup.at - max(row.since, row.answered)
    return age >= (GIVEN_UP if checkup.feed is None else LATE)


def _repair_row(row: Intent, checkup: Checkup, trello: Trello, target: Target, repairs: Repairs) -> None:
    listed = []
    for found in checkup.overwritten:
        if found.intent.number != row.number:
            continue
        card = trello.get_card(target.board, row.card_id)
        became = _give_back(found, card, checkup, trello, target)
        listed += repairs.add(row.lead_id, became, as_conflict(found, card, target, became))
        if found.cell == "closed" and became is Repair.GIVEN_BACK:
            repairs.opened(row)
    target.store.journal.end_intents([replace(row, conflicts=(*row.conflicts, *listed))])


def _give_back(found: Overwritten, card: Card, checkup: Checkup, trello: Trello, target: Target) -> Repair:
    """`card`: as it is now."""
    intent, cell, value = found.intent, found.cell, _given(found, card, target.board.cells)
    mapped = mapped_as(cell, target.board.cells)
    fits = cell != "desc" or len(value) <= TRELLO_TEXT_LIMIT
    now = _held(card, cell, mapped)
    is_free = fits and _is_as_sent(intent, cell, card, now)
    columns = (*AGREED_WITH.get(cell, ()), *(sides_of(mapped.name) if mapped else ()))
    told = found.in_words(mapped, target.board.stages)
    edit = Edit(intent, cell, columns, value, told, _holds_the_edit(found, card, now), is_free, checkup.feed)

    def write() -> bool:
        try:
            if is_element(cell):
                set_member(trello, intent.card_id, cell.partition(" ")[2], bool(value))
            elif mapped and not mapped.card.in_put:
                update_custom_field(trello, intent.card_id, mapped.card.field_id, mapped.card.body(value))
            else:
                update_card(trello, intent.card_id, {cell: value})
        except ServiceRefusedError:
            return False
        return True

    return edit.give_back(write, trello.wire.server_time, target)


def _given(found: Overwritten, card: Card, mapped: Sequence[Cell]) -> Any:
    """What is written back; a description gets our block as it stands now, or loses it where that was taken off."""
    if found.cell == "closed":
        return False
    if found.cell != "desc":
        return found.value
    if not card.markers:
        return without_block(str(found.value), found.intent.lead_id, labels_of(mapped))
    lines = {each.card.label: str(card.cells.get(each.name, "")) for each in mapped if each.is_line}
    return with_block(str(found.value), found.intent.lead_id, lines)


def _held(card: Card, cell: str, mapped: Cell | None) -> Any:
    """What the card holds in a cell on the wire; None of one that cannot be told."""
    if cell in COLUMN_OF:
        return getattr(card, COLUMN_OF[cell])
    held = card.cells.get(mapped.name) if mapped else None
    return cell.partition(" ")[2] in held if isinstance(held, frozenset) and is_element(cell) else held


def _holds_the_edit(found: Overwritten, card: Card, now: Any) -> bool:
    if found.cell == "closed":
        return card.presence == CardPresence.OPEN
    return now is not None and digest(found.cell, now) == digest(found.cell, found.value)


def _is_as_sent(intent: Intent, cell: str, card: Card, now: Any) -> bool:
    if cell == "closed":
        return card.presence == CardPresence.ARCHIVED
    return card.presence == CardPresence.OPEN and now is not None and digest(cell, now) == intent.sent.put(cell)
