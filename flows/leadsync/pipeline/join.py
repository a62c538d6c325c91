"""
The step that joins both sides on LeadID, looks up what is missing, guards, and plans.

What is never here: a rule, a write to a service.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from leadsync.airtable.client import LeadsRead
from leadsync.core.emptied import check_emptied
from leadsync.core.guards import Reads, check_plan, check_reads
from leadsync.core.journal import LEAD, Intent
from leadsync.core.lookups import to_look_up
from leadsync.core.plan import Plan
from leadsync.core.plan_rows import build_plan
from leadsync.core.reconcile import as_last_agreed, moving, reconcile
from leadsync.core.settling import settle
from leadsync.core.standing import restless
from leadsync.core.taking import narrowed
from leadsync.core.undo import plan_undone
from leadsync.frames.agreed import Agreed
from leadsync.frames.cards import deleted_cards
from leadsync.frames.schema import overlay, rows_of
from leadsync.frames.snapshot import Concerned
from leadsync.mapping.rules import Rules, Take
from leadsync.pipeline.absences import archived_cards, check_shut, explain_missing
from leadsync.pipeline.clients import Clients
from leadsync.pipeline.memory import Memory
from leadsync.pipeline.undoing import card_ids_of
from leadsync.trello.board import Board, CardsRead


def join_and_diff(
    memory: Memory,
    read: LeadsRead,
    cards: CardsRead,
    clients: Clients,
    board: Board,
    rules: Rules,
    take: Take | None = None,
) -> Plan:
    """
    Join on LeadID, look up what is missing, and plan.

    The base that unrecorded writes imply (settling.settle) goes into the plan's base updates. `take`: the
    conflicts that are all the plan is to write about. Raises: GuardError.
    """
    base = settle(memory.agreed, memory.intents, read.leads, cards.cards, memory.proof(cards.cards, board))
    leads = as_last_agreed(base, read.leads, rules.fallback)
    trello = explain_missing(base, overlay(cards.cards, deleted_cards(cards.deleted)), clients.trello, board)
    check_reads(base, leads, trello, rules, memory.known, Reads(read.number, cards.total))
    meant = {intent.lead_id: intent.record for intent in memory.intents if intent.side == LEAD}
    emptied = check_emptied(base, meant, leads, trello, rules)
    shut = check_shut(base, leads, trello, memory, clients.trello, board, daily=not cards.delta)
    trello = shut.cards
    missing_leads, missing_cards = to_look_up(base, leads, trello, rules)
    leads = overlay(leads, clients.airtable.look_up_leads(missing_leads))
    trello = overlay(trello, clients.trello.look_up_cards(board, missing_cards))
    if memory.undo is not None:
        trello = overlay(trello, archived_cards(card_ids_of(memory.undo) - {*trello.index}, clients.trello, board))
        reconciled, plan = None, plan_undone(memory.undo, base, leads, trello, rules)
    else:
        reconciled = reconcile(base, leads, trello, rules)
        plan = build_plan(reconciled, rules)
        plan = narrowed(plan, reconciled, take, rules) if take else plan
    check_plan(base, plan, rules, memory.known)
    _carry_settled(plan, memory.base, base, memory.intents)
    plan.checks = shut.checks
    if reconciled is None:
        return plan
    moves = moving(reconciled.decided)
    del reconciled  # the rows of a first match, which takes the most room, are decided about once more
    standing = restless(base, leads, trello, moves, plan, rules)
    plan.standing = Concerned(frozenset(standing | emptied.leads), shut.unsettled | emptied.cards)
    return plan


def _carry_settled(plan: Plan, before: pd.DataFrame, settled: pd.DataFrame, intents: Iterable[Intent]) -> None:
    if settled is before:
        return
    moved = before.index[before["stage"].to_numpy() != settled["stage"].reindex(before.index).to_numpy()]
    concerned = {*moved, *(intent.lead_id for intent in intents)}
    was, now = (
        {row.lead_id: row.columns() for row in rows_of(base[base.index.isin(concerned)], Agreed)}
        for base in (before, settled)
    )
    for lead_id, columns in now.items():
        if was.get(lead_id) != columns:
            gone = dict.fromkeys(was.get(lead_id, {}).keys() - columns.keys())
            plan.base_updates[lead_id] = gone | columns | plan.base_updates.get(lead_id, {})
