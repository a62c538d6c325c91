"""
One pass up to its plan: what is kept is recalled, both sides are read, joined and decided about.

What is never here: a write to a service, a write to the base.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from leadsync.airtable.client import LeadsRead
from leadsync.apply.leads import REREAD
from leadsync.apply.repair_cards import Checkup
from leadsync.core.lead_overwrites import find_told
from leadsync.core.plan import Plan
from leadsync.core.settling import Verdict, judge
from leadsync.errors import GuardError
from leadsync.frames.actions import Item
from leadsync.frames.payloads import LeadChange
from leadsync.frames.snapshot import Snapshot
from leadsync.model import Read
from leadsync.pipeline.extract import extract_cards, extract_leads
from leadsync.pipeline.first_contact import Choice, creates_cards, settle_contact
from leadsync.pipeline.join import join_and_diff
from leadsync.pipeline.leads_from_cards import plan_new_leads, tie_made_leads
from leadsync.pipeline.lists import Lists, mind_lists, mind_names
from leadsync.pipeline.mapped import identities, rename_of
from leadsync.pipeline.memory import Memory, recall
from leadsync.pipeline.rows import without_others
from leadsync.pipeline.scope import Scope, labels_mapped, next_by_delta, question, scope_of
from leadsync.pipeline.snapshots import snapshot_now
from leadsync.pipeline.ties import Schema, known_schema, lacking_labels
from leadsync.pipeline.under_way import Run
from leadsync.trello.board import Board, CardsRead


@dataclass(frozen=True)
class Planned:
    """
    A pass before it writes: its plan, what both sides look like, and what became of an earlier run's writes.

    `lists`: those it was planned with. `feed_asked`, `told`: whether Airtable's change feed was read, and what it told.
    `choice`: what was chosen on first contact, if it is new. `lacking`: labels that leads ask for, and that the board
    has not. `base`: what was agreed. `strangers`: cards that are nobody's, as Trello sent them.
    """

    plan: Plan
    snapshot: Snapshot
    verdicts: list[Verdict]
    lists: Lists
    feed_asked: bool
    told: tuple[LeadChange, ...]
    base: pd.DataFrame
    strangers: tuple[Item, ...] = ()
    choice: Choice | None = None
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sides:
    """Both sides as this pass has read them."""

    leads: LeadsRead
    cards: CardsRead


def plan_pass(run: Run, read: Read, checkup: Checkup, lists: Lists, leads: LeadsRead | None = None) -> Planned:
    """
    Recall, read, join and decide. `leads`: if they were read already.

    All is read again, and whole, if the lists are others than those known, or if a delta is not to be relied on.
    Raises: GuardError.
    """
    clients, known = run.clients, lists.board
    stages = lists.board.stages
    memory = recall(
        clients.store, run.pair, checkup, run.rows.lent, run.mapped.rename, rename_of(lists.board.cells), stages
    )
    memory = replace(memory, undo=run.undo.cells if run.undo else None)
    sides = _extract(run, memory, _scope(run, read, memory, lists.board), lists.board, leads)
    if run.feed is not None:
        read_cell = clients.airtable.columns.read
        memory = replace(memory, patched=find_told(sides.leads.told, memory.intents, run.feed.fields, read_cell))
        if run.feed.note:
            run.telling.note(run.feed.note)
    lists = mind_lists(lists, memory.snapshot, sides.cards, run.settings, clients)
    lists = mind_names(lists, run.pair, memory.base, sides.leads.leads, sides.cards.cards, run.settings, clients)
    if lists.board.lists != known.lists or identities(lists.board.cells) != identities(known.cells):
        return plan_pass(run.mapped_anew(lists.board), Read.FULL, checkup, lists)
    if next_by_delta(read, sides.leads, run.settings):
        _schema(run, lists.board, along=True)
    sides = _ours(run, memory, sides)
    try:
        plan = _join(run, memory, sides, lists.board)
    except GuardError:
        if sides.leads.whole and not sides.cards.delta:
            raise
        return plan_pass(run, Read.FULL, checkup, lists)  # nothing is refused for what a delta may have missed
    if not sides.leads.whole and not _still_there(run, plan, sides.leads):
        return plan_pass(run, Read.FULL, checkup, lists)
    if (creates_cards(plan) or clients.airtable.columns.card_id) and not sides.cards.shows_strangers:
        cards = run.steps.call(extract_cards, clients.trello, lists.board, memory, to_the_end=True)
        sides = _ours(run, memory, replace(sides, cards=cards))
        plan = _join(run, memory, sides, lists.board)
    plan, cards = tie_made_leads(run, plan, memory.base, sides.leads, sides.cards, lists.board)
    settled = settle_contact(run, plan, memory.base, sides.leads, cards, lists.board)
    plan, sides = settled.plan, replace(sides, cards=settled.cards)
    plan = plan_new_leads(run, plan, memory.base, sides.leads, sides.cards, lists.board, settled.choice)
    if memory.base.empty and not memory.intents:
        met = sides.cards.cards["lead_id"].isin(sides.leads.leads.index)
        run.telling.met_anew(int(met.sum()), clients.store.database.shown_url)
    run.telling.read(memory.base, sides.leads, sides.cards)
    snapshot = snapshot_now(memory.snapshot, sides.leads, sides.cards, question(run.settings, lists.board))
    snapshot = replace(snapshot, lists_checked=snapshot.lists_checked or lists.fresh)
    verdicts = _judge(run, memory, sides, lists.board)
    lacking = lacking_labels(lists.board, run.concerned(sides.leads.leads))
    told = sides.leads.feed_asked, sides.leads.told, memory.base, sides.cards.strangers, settled.choice, lacking
    return Planned(plan, snapshot, verdicts, lists, *told)


def _scope(run: Run, read: Read, memory: Memory, board: Board) -> Scope:
    """Leads are read whole if a column may change of which no delta tells; the report says so."""
    scope = scope_of(read, memory, run.settings, board, run.feed)
    if read is not Read.FULL and labels_mapped(run.settings):
        run.telling.note(
            "Cards were read whole: the board's activity does not always tell of labels put on or taken off."
        )
    if not scope.leads_delta or not (objection := _schema(run, board).objection):
        return scope
    run.telling.note(objection)
    return replace(scope, leads_delta=False)


def _schema(run: Run, board: Board, along: bool = False) -> Schema:
    full_every = run.settings.sync_full_every.total_seconds()
    asked = question(run.settings, board)
    return known_schema(run.clients.airtable, run.clients.store, asked, full_every, along)


def _extract(run: Run, memory: Memory, scope: Scope, board: Board, leads: LeadsRead | None) -> Sides:
    """Both sides, side by side; of the leads what was read already."""
    airtable, trello = run.clients.airtable, run.clients.trello
    if leads is not None:
        return Sides(leads, run.steps.call(extract_cards, trello, board, memory, scope))
    with run.steps.submit() as submit:
        reading = submit(extract_leads, airtable, memory, scope, run.feed)
        cards = submit(extract_cards, trello, board, memory, scope)
        return Sides(reading.result(), cards.result())


def _ours(run: Run, memory: Memory, sides: Sides) -> Sides:
    cards = without_others(sides.cards, memory.base, sides.leads.leads, run.clients.store, run.pair)
    return replace(sides, cards=cards)


def _join(run: Run, memory: Memory, sides: Sides, board: Board) -> Plan:
    read = sides.leads.leads, sides.cards
    return run.steps.call(join_and_diff, memory, *read, run.clients, board, run.rules(board), run.take)


def _still_there(run: Run, plan: Plan, leads: LeadsRead) -> bool:
    """
    Whether the leads for which cards are written are as they are remembered, if this read did not show them.

    A delta does not show that a lead was deleted, and a vanished lead must not get a card again. Cost: 1 request
    for each 100 of them.
    """
    remembered = sorted({write.lead_id for write in plan.card_writes} & leads.records.keys() - leads.changed)
    for start in range(0, len(remembered), REREAD):
        group = remembered[start : start + REREAD]
        if not run.clients.airtable.reread_leads(group).leads.equals(leads.leads.loc[group]):
            return False
    return True


def _judge(run: Run, memory: Memory, sides: Sides, board: Board) -> list[Verdict]:
    """What became of the writes of a run that was cut off; what that one could not list is listed now."""
    checkup, leads, cards = memory.checkup, sides.leads.leads, sides.cards.cards
    asked = None if checkup.error else checkup.shown - checkup.found
    proof, now = memory.proof(cards, board), run.clients.trello.clock
    verdicts = judge(memory.base, memory.intents, leads, cards, proof, now, asked)
    verdicts = [each for each in verdicts if each.became or each.intent.number not in checkup.found]
    run.telling.conflicts(conflict for verdict in verdicts for conflict in verdict.conflicts)
    return verdicts
