"""
The steps of a sync as plain functions, and how they are called: as they are, or each as a Prefect task.

What is never here: a rule, a request, Prefect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from leadsync.apply.outcome import Progress
from leadsync.core.guards import check_emptied, check_plan, check_reads
from leadsync.core.journal import LEAD
from leadsync.core.lookups import to_look_up
from leadsync.core.plan import Plan
from leadsync.core.plan_rows import build_plan
from leadsync.core.reconcile import as_last_agreed, reconcile
from leadsync.core.settling import settle
from leadsync.frames.agreed import BASE_COLUMNS
from leadsync.frames.block import parse
from leadsync.frames.cards import deleted_cards
from leadsync.frames.schema import overlay
from leadsync.model import ConflictPolicy, Read, Rules
from leadsync.pipeline.absences import check_shut, explain_missing
from leadsync.pipeline.clients import Clients
from leadsync.pipeline.memory import Memory
from leadsync.state.store import StateStore
from leadsync.trello.board import Board, CardsRead


@dataclass(frozen=True)
class Options:
    """The choices of one run."""

    dry_run: bool = False
    allow_mass_change: bool = False
    conflict: ConflictPolicy | None = None
    read: Read = Read.FULL
    paced: bool = False


def no_progress(what: str, done: int, total: int) -> None:
    """Show nothing."""


def join_and_diff(
    memory: Memory, leads: pd.DataFrame, cards: CardsRead, clients: Clients, board: Board, rules: Rules
) -> Plan:
    """
    Join on LeadID, look up what is missing, and plan.

    The base that unrecorded writes imply (settling.settle) goes into the plan's base updates. Raises: GuardError.
    """
    base = settle(memory.base, memory.intents, leads, cards.cards, memory.proof(cards.cards, board))
    leads = as_last_agreed(base, leads)
    trello = explain_missing(base, overlay(cards.cards, deleted_cards(cards.deleted)), clients.trello, board)
    check_reads(base, leads, trello, cards.total, rules)
    meant = {intent.lead_id: intent.record for intent in memory.intents if intent.side == LEAD}
    check_emptied(base, meant, leads, trello, rules)
    trello, checks = check_shut(base, leads, trello, memory, clients.trello, board, daily=not cards.delta)
    missing_leads, missing_cards = to_look_up(base, leads, trello, rules)
    leads = overlay(leads, clients.airtable.look_up_leads(missing_leads))
    trello = overlay(trello, clients.trello.look_up_cards(board, missing_cards))
    plan = build_plan(reconcile(base, leads, trello, rules), rules)
    check_plan(base, plan, rules)
    _carry_settled(plan, memory.base, base)
    plan.checks = checks
    return plan


def without_others(
    cards: CardsRead, base: pd.DataFrame, leads: pd.DataFrame, store: StateStore, pair: str
) -> CardsRead:
    """Without the cards of another pair on this board: those that name leads which it knows, and we do not."""
    frame = cards.cards
    ours = frame["lead_id"].isin(base.index) | frame["lead_id"].isin(leads.index) | frame.index.isin(base["card_id"])
    named = {card_id: set(parse(text).markers) for card_id, text in frame["description"][~ours].items()}
    if not named:
        return cards
    strange = {lead_id for lead_ids in named.values() for lead_id in lead_ids} - {*base.index, *leads.index}
    theirs = store.known_elsewhere(pair, strange)
    others = [card_id for card_id, lead_ids in named.items() if lead_ids <= theirs]
    return replace(cards, cards=frame.drop(index=others))


def _carry_settled(plan: Plan, before: pd.DataFrame, settled: pd.DataFrame) -> None:
    if settled is before:
        return
    known = before.to_dict("index")
    for lead_id, row in settled.to_dict("index").items():
        if known.get(lead_id) != row:
            columns = {column: row[column] for column in BASE_COLUMNS}
            plan.base_updates[str(lead_id)] = columns | plan.base_updates.get(str(lead_id), {})


def call_directly(step: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """A step is just called."""
    return step(*args, **more)


@contextmanager
def side_by_side() -> Iterator[Callable[..., Future[Any]]]:
    """Steps run in threads."""
    with ThreadPoolExecutor(2, thread_name_prefix="extract") as pool:
        yield pool.submit


@dataclass(frozen=True)
class Steps:
    """How steps are called: as they are, or each as a Prefect task run. `submit` starts one beside others."""

    call: Callable[..., Any] = call_directly
    submit: Callable[[], AbstractContextManager[Callable[..., Any]]] = side_by_side
    progress: Progress = no_progress
