"""
One pass up to its plan: what is kept is recalled, both sides are read, joined and decided about.

What is never here: a write to a service, a write to the base.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pandas as pd

from leadsync.airtable.client import LeadsRead
from leadsync.apply.leads import REREAD
from leadsync.apply.repair_cards import Checkup
from leadsync.core.emptied import may_be_refused
from leadsync.core.plan import Plan
from leadsync.core.settling import Verdict, judge
from leadsync.errors import GuardError, TransientServiceError
from leadsync.frames.actions import Item
from leadsync.frames.payloads import LeadChange
from leadsync.frames.snapshot import Snapshot
from leadsync.model import Read
from leadsync.pipeline.extract import extract_cards
from leadsync.pipeline.first_contact import Choice, creates_cards, settle_contact, with_unmet
from leadsync.pipeline.join import join_and_diff
from leadsync.pipeline.leads_from_cards import plan_new_leads, tie_made_leads
from leadsync.pipeline.lists import Lists, mind_lists, mind_names
from leadsync.pipeline.mapped import identities
from leadsync.pipeline.scope import next_by_delta, question, ruling
from leadsync.pipeline.sides import Sides, past_of, read_sides, schema, see
from leadsync.pipeline.snapshots import snapshot_now
from leadsync.pipeline.ties import lacking_labels
from leadsync.pipeline.under_way import Run
from leadsync.trello.board import Board, CardsRead


@dataclass(frozen=True)
class Planned:
    """
    A pass before it writes: its plan, what both sides look like, and what became of an earlier run's writes.

    `lists`: those it was planned with. `feed_asked`, `told`: whether Airtable's change feed was read, and what it told.
    `choice`: what was chosen on first contact, if it is new. `lacking`: labels that leads ask for, and that the board
    has not. `base`: what was agreed. `strangers`: cards that are nobody's, as Trello sent them; `unmet`: see CardsRead.
    `rests`: nothing is to be decided, nor is there a row in the journal that could be.
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
    rests: bool = False
    unmet: Mapping[str, str] = field(default_factory=dict)


def plan_pass(
    run: Run,
    read: Read,
    checkup: Checkup,
    lists: Lists,
    leads: LeadsRead | None = None,
    deleted: Collection[str] = (),
) -> Planned:
    """
    Recall, read, join and decide. `leads`: if they were read already; `deleted`: cards that a read told to be.

    All is read again, and whole, if the lists are others than those known, or if a delta is not to be relied on.
    Raises: GuardError.
    """
    clients, known = run.clients, lists.board
    past = past_of(run, lists.board, checkup)
    reads = read_sides(run, past, read, lists.board, leads)
    reads = replace(reads, cards=_with_deleted(reads.cards, deleted))
    deleted = reads.cards.deleted
    sides = see(run, past, reads, lists.board)
    lists = mind_lists(lists, sides.memory.snapshot, sides.cards, run.settings, clients)
    if not sides.memory.rests:
        read_now = sides.leads.leads, sides.cards.cards
        lists = mind_names(lists, run.pair, sides.memory.base, *read_now, run.settings, clients)
    if lists.board.lists != known.lists or identities(lists.board.cells) != identities(known.cells):
        return plan_pass(run.mapped_anew(lists.board), Read.FULL, checkup, lists, deleted=deleted)
    if next_by_delta(read, sides.leads, run.settings):
        with suppress(TransientServiceError):  # the next delta asks
            schema(run, lists.board, along=True)
    if sides.memory.is_part and _may_be_refused(run, sides, lists.board):
        sides = see(run, past, reads, lists.board, whole=True)
    sides = sides.ours(run)
    try:
        plan = _join(run, sides, lists.board)
    except GuardError:
        if sides.leads.whole and not sides.cards.delta:
            raise
        # nothing is refused for what a delta may have missed
        return plan_pass(run, Read.FULL, checkup, lists, deleted=deleted)
    if not sides.leads.whole and not _still_there(run, plan, sides.leads):
        return plan_pass(run, Read.FULL, checkup, lists, deleted=deleted)
    if (creates_cards(plan) or clients.airtable.columns.card_id) and not sides.cards.shows_strangers:
        cards = run.steps.call(extract_cards, clients.trello, lists.board, past, to_the_end=True)
        sides = see(run, past, replace(reads, cards=_with_deleted(cards, deleted)), lists.board).ours(run)
        plan = _join(run, sides, lists.board)
    if (cards := with_unmet(run, plan, sides.memory.base, sides.cards, lists.board)) is not sides.cards:
        sides = replace(sides, cards=cards)
        plan = _join(run, sides, lists.board)
    memory = sides.memory
    plan, cards = tie_made_leads(run, plan, memory.base, sides.leads, sides.cards, lists.board)
    settled = settle_contact(run, plan, memory.base, sides.leads, cards, lists.board)
    plan, cards = settled.plan, settled.cards
    plan = plan_new_leads(run, plan, memory.base, sides.leads, cards, lists.board, settled.choice)
    if past.is_new and not memory.intents:
        met = cards.cards["lead_id"].isin(sides.leads.leads.index)
        run.telling.met_anew(int(met.sum()), clients.store.database.shown_url)
    run.telling.read(memory.base, sides.leads, cards)
    asked, decides = question(run.settings, lists.board), ruling(run.settings, lists.board)
    options = clients.airtable.columns.options
    snapshot = snapshot_now(memory.snapshot, sides.leads, cards, asked, decides, options)
    snapshot = replace(snapshot, lists_checked=snapshot.lists_checked or lists.fresh)
    verdicts = _judge(run, replace(sides, cards=cards), lists.board)
    lacking = lacking_labels(lists.board, run.concerned(sides.leads.leads))
    told = sides.leads.feed_asked, sides.leads.told, memory.base, cards.strangers, settled.choice, lacking
    rests = memory.rests and plan == Plan() and not past.rows
    return Planned(plan, snapshot, verdicts, lists, *told, rests, cards.unmet)


def _with_deleted(cards: CardsRead, deleted: Collection[str]) -> CardsRead:
    """With what the activity told of cards that are gone: a whole read does not show that one of them is."""
    gone = {*deleted} - {*cards.cards.index, *cards.deleted}
    return replace(cards, deleted=[*cards.deleted, *sorted(gone)]) if gone else cards


def _may_be_refused(run: Run, sides: Sides, board: Board) -> bool:
    read = sides.memory.base, sides.leads.leads, sides.cards.cards
    return not sides.memory.rests and may_be_refused(*read, run.rules(board))


def _join(run: Run, sides: Sides, board: Board) -> Plan:
    if sides.memory.rests:
        return Plan()
    read = sides.memory, sides.leads, sides.cards
    return run.steps.call(join_and_diff, *read, run.clients, board, run.rules(board), run.take)


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


def _judge(run: Run, sides: Sides, board: Board) -> list[Verdict]:
    """What became of the writes of a run that was cut off; what that one could not list is listed now."""
    memory, leads, cards = sides.memory, sides.leads.leads, sides.cards.cards
    checkup = memory.checkup
    asked = None if checkup.error else checkup.shown_whole - checkup.found
    proof, now = memory.proof(cards, board), run.clients.trello.wire.server_time
    verdicts = judge(memory.base, memory.intents, leads, cards, proof, now, asked)
    verdicts = [each for each in verdicts if each.became or each.intent.number not in checkup.found]
    run.telling.conflicts(conflict for verdict in verdicts for conflict in verdict.conflicts)
    return verdicts
