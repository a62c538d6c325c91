"""
A cell that is set aside once a person has taken one side of it: decided so, and told, kept and undone as what it was.

Pure. Never here: which side can be taken (see takeable.py), how a decision becomes a write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from leadsync.core.decisions import Direction
from leadsync.core.entries import columns_of, held_by, is_of_lead
from leadsync.core.ledger import Entry, Rule, Told
from leadsync.core.plan import CardWrite, LeadWrite, Plan
from leadsync.core.plan_cells import RESOLUTIONS
from leadsync.core.reconcile import Decided
from leadsync.core.told import Change, SetAside
from leadsync.mapping.rules import Rules
from leadsync.model import ConflictPolicy

Aside = Mapping[str, SetAside]
"""Cells that are taken, by field, as they are set aside."""
NOTE: Final = "it was set aside"


def forced(each: Decided, aside: Aside, taken: ConflictPolicy, rules: Rules) -> Decided:
    """The lead with these cells decided as if the side that is taken alone had moved, and the other said nothing."""
    cells = dict(each.decision.cells) | dict.fromkeys(aside, RESOLUTIONS[taken][0])
    lead, card = dict(each.lead.cells), dict(each.card.cells)
    for cell in rules.cells:
        if cell.field in aside:
            lead[cell.name] = cell.without_lacking(lead.get(cell.name, cell.column.read_nothing()))
            card.setdefault(cell.name, cell.card.read_nothing())
    return replace(
        each,
        lead=replace(each.lead, cells=lead),
        card=replace(each.card, cells=card),
        decision=replace(each.decision, cells=cells),
    )


def as_it_was(plan: Plan, each: Decided, aside: Aside, rules: Rules) -> Plan:
    """The plan of a lead that was decided so, with what it was really planned from, and how that is told and kept."""

    def told(change: Change) -> Change:
        if change.field not in aside:
            return change
        seen = aside[change.field]
        before = seen.airtable if change.direction is Direction.TO_AIRTABLE else seen.trello
        is_taken = (seen.to_airtable if change.direction is Direction.TO_AIRTABLE else seen.to_trello) is not None
        return replace(change, before=before or "", note=NOTE) if is_taken else change

    def kept(entry: Entry) -> Entry:
        return _kept(entry, aside[entry.field], each, rules) if entry.field in aside else entry

    def card_write(write: CardWrite) -> CardWrite:
        changes, entries = tuple(map(told, write.changes)), tuple(map(kept, write.entries))
        return replace(write, changes=changes, entries=entries, planned_from=each.card)

    def lead_write(write: LeadWrite) -> LeadWrite:
        cells = {
            name: replace(cell, change=told(cell.change), entry=cell.entry and kept(cell.entry))
            for name, cell in write.cells.items()
        }
        return replace(write, cells=cells, planned_from=each.lead)

    cards, leads = map(card_write, plan.card_writes), map(lead_write, plan.lead_writes)
    return replace(plan, card_writes=list(cards), lead_writes=list(leads))


def _kept(entry: Entry, seen: SetAside, each: Decided, rules: Rules) -> Entry:
    """For the history. What could not be read cannot be given back: it is not among what was held."""
    cell = next((cell for cell in rules.cells if cell.field == seen.field), None)
    held = {
        name: value
        for name, value in held_by(each.lead, each.card, columns_of(seen.field, cell)).items()
        if (each.lead if is_of_lead(name) else each.card).is_readable(seen.field)
    }
    return replace(entry, rule=Rule.TAKEN, before=Told(seen.airtable or "", seen.trello or ""), held=held, note=NOTE)
