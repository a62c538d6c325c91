"""Which cards a run that was cut off has made, and for which leads. Pure. Never here: what is agreed with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import pandas as pd

from leadsync.core.journal import CARD, Intent
from leadsync.frames.agreed import TRELLO
from leadsync.frames.cards import Card
from leadsync.frames.schema import cells_in, rows_of
from leadsync.mapping.lenses import Value
from leadsync.mapping.rows import CellKey

Lines = Mapping[str, Value | None]
"""What the lines of a card's block say, by the names of their cells."""


def cards_made(base: pd.DataFrame, intents: Iterable[Intent], trello: pd.DataFrame) -> dict[str, str]:
    """
    Lead id -> the card that the creation pending for it has made, as far as one shows it.

    Not every card that names such a lead: a person's has no block, one that was made for another lead has the lines of
    that (which a copy keeps), or the base knows whose it is. With those the lead meets for the first time: what they
    lack nobody has taken off.
    """
    pending = {each.lead_id: _sent(each) for each in intents if each.side == CARD and not each.card_id}
    if not pending:
        return {}
    named = trello[trello["lead_id"].isin(pending)]
    known = base[base["card_id"].isin(named.index)]
    owners = dict(zip(known["card_id"], known.index, strict=True))
    cards = [
        card for card in rows_of(named, Card) if card.block and owners.get(card.card_id, card.lead_id) == card.lead_id
    ]
    lines: dict[str, Lines] = {**pending}
    if any(_shown(card, pending[card.lead_id]) != pending[card.lead_id] for card in cards):
        lines = {**_agreed(base), **pending}
    of_line = defaultdict[tuple[str, Value | None], list[str]](list)
    for lead_id, its in lines.items():
        for line in its.items():
            of_line[line].append(lead_id)
    made: dict[str, str] = {}
    for card in cards:
        mine = pending[card.lead_id].items()
        shown = _shown(card, pending[card.lead_id]).items()
        others = {lead_id for line in shown - mine for lead_id in of_line.get(line, ())}
        # by most of its lines, for one may have been edited since
        if all(len(shown & lines[other].items()) <= len(shown & mine) for other in others):
            made.setdefault(card.lead_id, card.card_id)
    return made


def _shown(card: Card, lines: Lines) -> Lines:
    return {name: card.cells.get(name) for name in lines}


def _sent(intent: Intent) -> Lines:
    return _lines({each.removeprefix(TRELLO): of for each, of in intent.record.items() if each.startswith(TRELLO)})


def _agreed(base: pd.DataFrame) -> dict[str, Lines]:
    """By lead id, of all cards that the base knows."""
    return {lead_id: _lines(cells_in(of)) for lead_id, of in zip(base.index, base["card_cells"], strict=True)}


def _lines(cells: Mapping[str, Value | None]) -> Lines:
    return {name: value for name, value in cells.items() if CellKey.of(name).names_line()}
