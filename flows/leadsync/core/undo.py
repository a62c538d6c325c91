"""
The plan that takes a run back: both sides get what was agreed before it, where both still hold what they held after.

After a first match or a settled conflict each side gets its own value back, and the cell is held. Cards that were
created are archived, archived ones are opened again, adopted ones lose our lines and are nobody's; nothing is deleted.
Pure. Never here: the history's rows (see taken_back.py), a guard.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from operator import or_

import pandas as pd

from leadsync.core.conflicts import Conflict, OpenConflicts
from leadsync.core.ledger import CARD_FIELD, LEAD_FIELD, MARKED
from leadsync.core.plan import Plan
from leadsync.core.taken_back import TakenBack
from leadsync.core.undo_lead import Undoing
from leadsync.frames.agreed import NEVER_AGREED, Agreed, Columns
from leadsync.frames.cards import NO_CARD, Card
from leadsync.frames.leads import NO_LEAD, Lead
from leadsync.frames.schema import rows_of
from leadsync.mapping.rules import Rules


def plan_undone(
    taken: Iterable[TakenBack], base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules
) -> Plan:
    """Set aside in it is what cannot be taken back."""
    plan, of_lead = Plan(), dict[str, list[TakenBack]]()
    for each in taken:
        of_lead.setdefault(each.lead_id, []).append(each)
    of_lead = {lead_id: _as_a_whole(cells) for lead_id, cells in of_lead.items()}
    agreed = {row.lead_id: row for row in rows_of(base[base.index.isin([*of_lead])], Agreed)}
    leads = {lead.lead_id: lead for lead in rows_of(airtable[airtable.index.isin([*of_lead])], Lead)}
    ids = [each.card_id for cells in of_lead.values() for each in cells]
    cards = {card.card_id: card for card in rows_of(trello[trello.index.isin(ids)], Card)}
    held: dict[tuple[str, str], Conflict] = {}
    for lead_id, cells in sorted(of_lead.items()):
        if any(each.field == LEAD_FIELD for each in cells):  # which is told once
            cells = [each for each in cells if each.field != MARKED]
        card_id = cells[-1].card_id
        is_loose = any(each.ties for each in cells)
        never = Agreed(lead_id, card_id) if is_loose else NEVER_AGREED
        row, lead, card = agreed.get(lead_id, never), leads.get(lead_id, NO_LEAD), cards.get(card_id, NO_CARD)
        back = Undoing(lead_id, card_id, row, lead, card, rules, plan)
        for each in sorted(cells, key=lambda each: (each.field == MARKED, each.field != CARD_FIELD)):
            back.take(each)
        back.hand_in()
        held |= back.held
        plan.sides[lead_id] = lead, card
    plan.still_open = OpenConflicts(held)
    return plan


def _as_a_whole(cells: list[TakenBack]) -> list[TakenBack]:
    """A card that is to be archived is as it was left if all cells of its lead are: else somebody works on it."""
    left = reduce(or_, (each.left for each in cells), Columns())
    return [replace(each, left=left) if each.closed else each for each in cells]
