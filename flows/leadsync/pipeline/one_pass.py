"""
One pass of a run: read → diff → decide → plan → guards → journal → apply → check.

Up to the plan: planning.py. What is never here: a rule, a request, Prefect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from leadsync.airtable.client import LeadsRead
from leadsync.apply.cards import load_cards
from leadsync.apply.leads import load_leads
from leadsync.apply.new_leads import load_new_leads
from leadsync.apply.outcome import Outcome
from leadsync.apply.repair_cards import Checkup, look
from leadsync.core.journal import IntentState, intents_of
from leadsync.core.plan import Plan
from leadsync.errors import ConfigurationError
from leadsync.frames.actions import Item
from leadsync.model import Read
from leadsync.pipeline.earlier_writes import check_leads, give_back_earlier
from leadsync.pipeline.explaining import explained_by
from leadsync.pipeline.first_contact import keep_unmet
from leadsync.pipeline.lists import Lists
from leadsync.pipeline.planned_anew import check_lists, make_labels
from leadsync.pipeline.planning import Planned, plan_pass
from leadsync.pipeline.review import ask_for_review
from leadsync.pipeline.saved_plans import hold_to, refuse_unfinished, save, spent_by
from leadsync.pipeline.snapshots import snapshot_after
from leadsync.pipeline.under_way import Run
from leadsync.pipeline.waiting import without_taken
from leadsync.state.noted import Noted
from leadsync.trello.board import Board


@dataclass(frozen=True)
class Passed:
    """How a pass ended: with which board, which leads it leaves to another, and which it made, whose cards do so."""

    board: Board
    postponed: list[str] = field(default_factory=list)
    made: Mapping[str, Item] = field(default_factory=dict)


def one_pass(run: Run, read: Read, board: Board, leads: LeadsRead | None) -> Passed:
    """`board`: as it was known before. `leads`: if they were read already. A dry run ends with the plan."""
    checkup = look(run.clients.trello, run.target(board), IntentState.UNCHECKED, IntentState.PENDING)
    planned = plan_pass(run, read, checkup, Lists(board), leads)
    refuse_unfinished(run.options, checkup.found)
    hold_to(run, planned)
    if run.options.dry_run:
        for name in planned.lacking:
            run.telling.note(f"Label {name!r} would be created on the board.")
        run.telling.planned(planned.plan)
        run.telling.findings(run.about(planned.plan))
        if run.options.saves:
            run.telling.report.plan = save(run, planned)
        if lead_id := run.options.explains:
            run.telling.report.explained = explained_by(planned, lead_id, run.rules(planned.lists.board))
        return Passed(planned.lists.board)
    run.clients.count()
    keep_unmet(run, planned.unmet)
    if planned.rests and not run.telling.report.standing:
        return _remember(run, planned, Outcome())
    if not checkup.found:
        ask_for_review(run, planned)
    if labelled := bool(planned.lacking):
        planned = make_labels(run, planned, checkup)
        hold_to(run, planned, after_labels=True)
    planned = _agree(run, planned)
    if given_back := give_back_earlier(run, planned, checkup):
        refuse_unfinished(run.options, given_back)
        return Passed(planned.lists.board, given_back)
    if planned.plan.card_writes and not planned.snapshot.lists_checked:
        planned = check_lists(run, planned, checkup)
        hold_to(run, planned, after_labels=labelled)
    _journal(run, planned, checkup)
    run.telling.findings(run.about(planned.plan))
    return _remember(run, planned, _apply(run, planned))


def _remember(run: Run, planned: Planned, outcome: Outcome) -> Passed:
    """What was seen and written."""
    snapshot = snapshot_after(planned.snapshot, outcome.records, outcome.cards, planned.lists.board)
    snapshot = check_leads(run, planned, snapshot, outcome)
    if run.undo is not None:  # what it read of other leads is not decided yet: the next run reads whole
        run.clients.store.snapshots.save_items(run.pair, snapshot)
    elif not outcome.postponed and not outcome.made:
        run.clients.store.snapshots.save(run.pair, snapshot, None if planned.rests else planned.plan.restless)
    return Passed(planned.lists.board, outcome.postponed, outcome.made)


def _agree(run: Run, planned: Planned) -> Planned:
    """
    What a run that was cut off wrote is agreed before anything is given back: an edit made since is then no conflict.

    Returns: the pass without what is in the base by now. It must not be written again: giving back may correct it.
    """
    if not planned.verdicts:
        return planned
    plan = planned.plan
    agreed = Noted(plan.base_updates, plan.forget, verdicts=planned.verdicts, lists=planned.lists.board.stages)
    run.clients.store.journal.enter(run.pair, agreed)
    return replace(planned, plan=replace(plan, base_updates={}, forget=[]), verdicts=[])


def _journal(run: Run, planned: Planned, checkup: Checkup) -> None:
    """Before the first write: what is true already, and what is about to be written."""
    plan, clients = planned.plan, run.clients
    if planned.choice is not None:  # a later run goes on with it, should this one be cut off
        planned.choice.save(clients.store, run.pair)
    if plan.writes or run.undo is not None:
        clients.store.snapshots.forget(run.pair, planned.snapshot.feed)
    leads_since = clients.airtable.wire.server_time if run.feed and run.feed.follows(planned.snapshot.feed) else None
    now, read_at = clients.trello.wire.server_time, planned.snapshot.trello_at
    intents = intents_of(plan, now, run.run_id, planned.lists.board.lists, leads_since, read_at)
    if checkup.feed:
        intents = [checkup.feed.sent_after(intent) for intent in intents]
    noted = Noted(
        plan.base_updates,
        plan.forget,
        intents,
        lists=planned.lists.board.stages,
        spent=spent_by(run),
        begun=run.begun if intents else None,
        conflicts=plan.still_open,
        now=run.begun.at,
    )
    clients.store.journal.enter(run.pair, noted)
    if run.is_about_all:
        clients.store.waiting.set_aside(run.pair, plan.quarantine, noted.now)
    concerned = planned.snapshot.concerned
    clients.store.checks.save(run.pair, plan.checks, None if concerned is None else concerned.cards)


def _apply(run: Run, planned: Planned) -> Outcome:
    """Cards first; leads whose card could not be written wait. Raises: what ends the run."""
    plan, steps, target, outcome = planned.plan, run.steps, run.target(planned.lists.board), Outcome()
    if plan.card_writes:
        _take(run, outcome, steps.call(load_cards, plan, run.clients.trello, target, steps.progress))
    if plan.lead_writes:
        _take(run, outcome, steps.call(load_leads, plan, run.clients.airtable, target, outcome, steps.progress))
    if plan.new_leads:
        _take(run, outcome, steps.call(load_new_leads, plan, run.clients.airtable, target, steps.progress))
    run.clients.store.journal.drop_pending(run.pair, run.run_id, outcome.unclear)
    if run.take:
        waiting = run.clients.store.waiting  # what else is set aside stands: not all of it is looked for now
        left = without_taken((each.entry for each in waiting.aside(run.pair)), run.take, outcome.done)
        waiting.set_aside(run.pair, left, run.begun.at)
    _refuse_if_nothing_was_permitted(run, plan, outcome)
    return outcome


def _take(run: Run, outcome: Outcome, of_side: Outcome) -> None:
    outcome.add(of_side)
    run.telling.written(of_side)
    if of_side.error:
        raise of_side.error


def _refuse_if_nothing_was_permitted(run: Run, plan: Plan, outcome: Outcome) -> None:
    """Credentials that may read and not write are a matter of configuration, if nothing was written."""
    meant = {write.lead_id for write in plan.card_writes} | {write.lead_id for write in plan.lead_writes}
    if outcome.forbidden and meant <= outcome.forbidden and not run.telling.report.changes:
        first = outcome.failures[0]
        raise outcome.dead or ConfigurationError(f"Nothing could be written: {first.reason}. {first.remedy}")
