"""
Whose rows of the state are ours: those of our key, of a former one, or lent by another; and whose cards are not.

What is never here: what follows for a lead or a card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from leadsync.airtable.client import LeadsRead
from leadsync.apply.leads import REREAD
from leadsync.frames.block import parse
from leadsync.frames.schema import column, places
from leadsync.pipeline.clients import Clients
from leadsync.pipeline.extract import extract_leads
from leadsync.pipeline.past import Past
from leadsync.pipeline.scope import WHOLE_READ
from leadsync.pipeline.steps import Steps
from leadsync.pipeline.telling import Telling
from leadsync.settings import Settings
from leadsync.state.pair import Pair, Rows, leads_held, same_table
from leadsync.state.store import StateStore
from leadsync.trello.board import CardsRead


@dataclass(frozen=True)
class OurRows:
    """
    `pair`: under whose key they are. `lent`: of other keys, the leads whose rows a dry run uses as well.

    `leads`: the read that told whose they are; None if none was needed.
    """

    pair: Pair
    lent: Mapping[Pair, frozenset[str]] = field(default_factory=dict)
    leads: LeadsRead | None = None


def find_rows(
    pair: Pair, settings: Settings, clients: Clients, steps: Steps, dry_run: bool, telling: Telling
) -> OurRows:
    """
    The rows of our table: those of `pair`, unless it is known by another key so far.

    That key is then renamed; a dry run only uses its rows. No other table's rows are ever taken, so none of its
    leads is missing here, and none of its cards is archived or moved. A table that came back empty proves nothing:
    rows of a key that names no table stay where they are, and the guard against an empty side judges by them.
    """
    known = clients.store.keys.load_former(pair)
    if not known:
        return OurRows(pair)
    read = steps.call(extract_leads, clients.airtable, Past(clients.store, pair.key), WHOLE_READ)
    leads = read.leads.index
    former = same_table(known, leads) or _find_behind_view(known, settings, clients)
    unnamed = next((rows.pair for rows in known if not rows.pair.table), None)
    if former is None and unnamed is not None and leads.empty:
        return OurRows(unnamed, leads=read)
    if former is None:
        telling.note(f"Table {pair.table!r} is a pair of its own; the cards of other tables are left alone.")
        held = leads_held(known, leads)
        if dry_run:
            return OurRows(pair, held, read)
        clients.store.keys.take_leads(held, pair)
        return OurRows(pair, leads=read)
    if former.table:
        telling.note(f"Table {pair.table!r} is the one known as {former.table!r} so far; its state is kept.")
    if dry_run:
        return OurRows(former, leads=read)
    clients.store.keys.take_over(former, pair, settings.trello_board_id)
    return OurRows(pair, leads=read)


def _find_behind_view(known: list[Rows], settings: Settings, clients: Clients) -> Pair | None:
    """As same_table, of a sample asked for by id: a view shows less than the table holds."""
    if not settings.airtable_view:
        return None
    for rows in known:
        asked = sorted(rows.present or rows.absent)[:REREAD]
        there = clients.airtable.reread_leads(asked).leads.index
        if 2 * len(there) > len(asked):
            return rows.pair
    return None


def without_others(
    cards: CardsRead, base: pd.DataFrame, leads: pd.DataFrame, store: StateStore, pair: str
) -> CardsRead:
    """Without the cards of another pair on this board: those that name leads which it knows, and we do not."""
    frame = cards.cards
    lead_ids, card_ids = column(frame, "lead_id"), frame.index.to_numpy()
    strangers = (places(base, lead_ids) < 0) & (places(leads, lead_ids) < 0)
    strangers &= ~frame.index.isin(column(base, "card_id"))
    texts = zip(card_ids[strangers], column(frame, "description")[strangers], strict=True)
    named = {card_id: set(parse(text).markers) for card_id, text in texts}
    if not named:
        return cards
    strange = {lead_id for lead_ids in named.values() for lead_id in lead_ids} - {*base.index, *leads.index}
    theirs = store.keys.known_elsewhere(pair, strange)
    others = [card_id for card_id, lead_ids in named.items() if lead_ids <= theirs]
    left = ((str(card_id), lead_ids) for card_id, lead_ids in named.items() if not lead_ids <= theirs)
    unmet = {card_id: min(lead_ids) for card_id, lead_ids in left if len(lead_ids) == 1}
    frame = frame.drop(index=others)
    return replace(cards, cards=frame, theirs=cards.theirs.union(map(str, others)), unmet=unmet)
