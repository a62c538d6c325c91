"""
Leads from cards, where that is switched on: a card without a LeadID line becomes a lead, and then carries the line.

First the lead is made, with the card's id in it; the pass that follows, or the next run, ties the two by that id.
Never here: what looks like a lead (see core/new_leads.py), a request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from leadsync.airtable.card_ids import card_id_of
from leadsync.airtable.client import LeadsRead
from leadsync.core.guards import check_new_leads
from leadsync.core.new_leads import choose, claimed, put_away
from leadsync.core.plan import Plan
from leadsync.core.told import SetAside
from leadsync.errors import GuardError
from leadsync.frames.actions import Item
from leadsync.frames.cards import Card
from leadsync.frames.leads import Lead
from leadsync.frames.schema import rows_of
from leadsync.pasted_ids import OBJECT_ID
from leadsync.pipeline.first_contact import Choice, adopt, candidates
from leadsync.pipeline.under_way import Run
from leadsync.trello.board import Board, CardsRead


def tie_made_leads(
    run: Run, plan: Plan, base: pd.DataFrame, leads: LeadsRead, cards: CardsRead, board: Board
) -> tuple[Plan, CardsRead]:
    """
    The plan in which a card whose id one lead tells is that lead's, if neither has another.

    A lead whose card was put away before the two were tied gets no other. Cost: 1 request for each lead without a card
    that tells the id of one which the read does not show.
    """
    aside = [*_put_away(run, plan, leads, cards, board)]
    plan = plan.without_cards({each.lead_id for each in aside}, aside)
    tellers = _tellers(run, leads, cards)
    if not tellers:
        return plan, cards
    frame, tied = candidates(run, cards, board, ()), {*base.index, *cards.cards["lead_id"]}
    adopted, aside, withheld = dict[str, str](), list[SetAside](), set[str]()
    for card in rows_of(frame[frame.index.isin(tellers)], Card):
        lead_ids = tellers[card.card_id]
        if len(lead_ids) == 1 and not lead_ids.keys() & tied:
            (adopted[card.card_id],) = lead_ids
        else:
            aside += claimed(card, lead_ids.keys())
            withheld |= lead_ids.keys() - tied
    plan = plan.without_cards(withheld, aside)
    if not adopted:
        return plan, cards
    met = run.clients.airtable.leads_of(tellers[card_id][lead_id] for card_id, lead_id in adopted.items())
    return adopt(run, plan, met, frame, adopted, cards, board)


def plan_new_leads(
    run: Run,
    plan: Plan,
    base: pd.DataFrame,
    leads: LeadsRead,
    cards: CardsRead,
    board: Board,
    chosen: Choice | None,
) -> Plan:
    """
    The plan with the leads that cards are to become. `cards`: a whole read, in which no stranger is a lead's.

    `chosen`: on first contact, in this run; cards that were declined then are nobody's. Raises: GuardError if they are
    too many. No request.
    """
    if not run.clients.airtable.columns.card_id or not cards.strangers or not run.is_about_all:
        return plan
    frame = candidates(run, cards, board, (chosen or Choice.load(run.clients.store, run.pair)).declined)
    told, labelled = _tellers(run, leads, cards), _labelled(run, cards)
    frame = frame[(frame["stage"] != "") & frame.index.isin(labelled) & ~frame.index.isin(told)]
    if frame.empty:
        return plan
    rules = run.rules(board)
    without_card = {*leads.leads.index} - {*base.index, *cards.cards["lead_id"]}
    there = rows_of(leads.leads, Lead)
    new, aside = choose(rows_of(frame, Card), there, without_card, rules.status_map.status_for)
    listed = {each.lead_id for each in plan.quarantine if each.field == "card"}
    new = [] if run.made else new  # once a run: what was refused is not tried again
    try:
        check_new_leads(base, new, rules)
    except GuardError:
        run.telling.read(base, leads, cards)
        raise
    aside = [each for each in aside if each.lead_id not in listed]
    return replace(plan, new_leads=new, quarantine=sorted([*plan.quarantine, *aside]))


def _tellers(run: Run, leads: LeadsRead, cards: CardsRead) -> dict[str, dict[str, Item]]:
    """Card without a LeadID line -> the leads that tell its id, those made by this run included."""
    airtable = run.clients.airtable
    if not airtable.columns.card_id or not cards.strangers or not run.is_about_all:
        return {}
    strangers, found = {str(card["id"]) for card in cards.strangers}, dict[str, dict[str, Item]]()
    for lead_id, record in {**run.made, **leads.records}.items():
        card_id = card_id_of(airtable, record)
        if card_id in strangers:
            found.setdefault(card_id, {})[lead_id] = record
    return found


def _put_away(run: Run, plan: Plan, leads: LeadsRead, cards: CardsRead, board: Board) -> Iterator[SetAside]:
    """The leads that are to get a card, and tell the id of one that is out of use, and nobody's."""
    airtable, trello = run.clients.airtable, run.clients.trello
    strangers = {str(card["id"]): card for card in cards.strangers}
    new = [write.lead_id for write in plan.card_writes if not write.card_id] if airtable.columns.card_id else []
    for lead_id in new:
        card_id = card_id_of(airtable, leads.records.get(lead_id, {}))
        if OBJECT_ID.fullmatch(card_id) and card_id not in cards.cards.index:
            found = strangers.get(card_id) or trello.look_up(card_id)
            if found and "desc" in found:  # else it is out of the token's sight
                (card,) = rows_of(trello.cards_of(board, [found], [card_id]), Card)
                if aside := put_away(card, lead_id):
                    yield aside


def _labelled(run: Run, cards: CardsRead) -> set[str]:
    """Ids of the strangers that bear the label, if one is asked for."""
    label = run.settings.sync_create_leads_label
    return {str(card["id"]) for card in cards.strangers if label is None or _bears(card, label)}


def _bears(card: Mapping[str, object], label: str) -> bool:
    labels = card.get("labels")
    return isinstance(labels, list) and any(
        isinstance(each, dict) and label in (each.get("id"), str(each.get("name") or "").strip()) for each in labels
    )
