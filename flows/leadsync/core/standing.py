"""
Which leads do not rest after a pass: the next one decides about them whether or not anything has changed. Pure.

Never here: a decision, what is told of such a lead.
"""

from __future__ import annotations

import pandas as pd

from leadsync.core.plan import Plan
from leadsync.core.reconcile import still_moving
from leadsync.frames.agreed import Agreed
from leadsync.frames.cards import CardPresence
from leadsync.frames.leads import LeadPresence
from leadsync.frames.schema import frame_of, rows_of
from leadsync.mapping.rules import Rules


def restless(
    base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, moving: set[str], plan: Plan, rules: Rules
) -> set[str]:
    """
    Leads that the plan writes, and those about which there is something to decide once it is carried out.

    `moving`: see reconcile.moving, of the decisions that the plan was made of.

    A lead of which only the base is to be moved is decided about as it will be then, without what a look-up showed;
    the next pass looks up again what the base has as there, and that is not.
    """
    written = {write.lead_id for write in plan.card_writes} | {write.lead_id for write in plan.lead_writes}
    recorded = (moving & plan.base_updates.keys()) - written
    if not recorded:
        return moving
    were = {agreed.lead_id: agreed for agreed in rows_of(base[base.index.isin(recorded)], Agreed)}
    now = frame_of(
        (were.get(lead_id, Agreed(lead_id)).updated(plan.base_updates[lead_id]) for lead_id in recorded), Agreed
    )
    leads = airtable[airtable.index.isin(recorded) & (airtable["presence"] == LeadPresence.PRESENT)]
    theirs = trello.index.isin(now["card_id"]) | trello["lead_id"].isin(recorded)
    cards = trello[theirs & (trello["presence"] == CardPresence.OPEN)]
    sought = (now["lead_presence"] == LeadPresence.PRESENT) & ~now.index.isin(leads.index)
    sought |= (now["card_presence"] == CardPresence.OPEN) & ~now["card_id"].isin(cards.index)
    left = still_moving(now[~sought], leads, cards, rules)
    return (moving - recorded) | (left & recorded) | {*now.index[sought]}
