"""
One sync from top to bottom: settings → board and pair → lock → passes → report. A pass: one_pass.py.

What is never here: a rule, a request, Prefect.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from urllib.parse import quote

from leadsync.core.journal import IntentState
from leadsync.core.ledger import ID_SHOWN, Begun, RunKind, run_id_of
from leadsync.errors import LeadsyncError, StateStoreError
from leadsync.model import ChangeFeed as FeedChoice
from leadsync.model import Read
from leadsync.pipeline.change_feed import ChangeFeed
from leadsync.pipeline.clients import Clients, month_name, now_utc, open_clients
from leadsync.pipeline.first_contact import let_go
from leadsync.pipeline.lists import named_pair, resolve
from leadsync.pipeline.mapped import keep_meanings, mind_names
from leadsync.pipeline.one_pass import one_pass
from leadsync.pipeline.quota import Month, start_of_month
from leadsync.pipeline.rows import find_rows
from leadsync.pipeline.saved_plans import refuse_foreign
from leadsync.pipeline.scope import question
from leadsync.pipeline.steps import Options, Steps
from leadsync.pipeline.telling import Telling
from leadsync.pipeline.ties import known_table_id
from leadsync.pipeline.under_way import Run
from leadsync.pipeline.undoing import chosen_undo, unfinished
from leadsync.pipeline.untying import untie_copies
from leadsync.pipeline.vital_signs import note_end
from leadsync.pipeline.waiting import meant_by, standing, still_open, waiting_longer
from leadsync.report.report import Report
from leadsync.settings import Settings
from leadsync.state.lock import pair_lock
from leadsync.state.pair import Pair
from leadsync.state.store import StateStore
from leadsync.transport.wire import Transport, Wire
from leadsync.trello.board import Board

DAY = 86_400.0
"""Seconds."""
PASSES = 3
"""A pass that met an edit made meanwhile is followed by another, up to this many in one run."""
LEFT = "{many} edited while the plan was applied; that stands, and the next run decides about it."


def run_sync(
    settings: Settings,
    options: Options,
    steps: Steps | None = None,
    transport: Transport = Wire,
    shared: StateStore | None = None,
) -> Report:
    """
    Sync once. `transport`, `shared`: as for open_clients.

    Returns: the report, whose exit code says how it ended; a LeadsyncError becomes one too and never escapes.
    """
    started = time.monotonic()
    report = Report(dry_run=options.dry_run, pair_name=options.pair)
    try:
        with open_clients(settings, transport, shared) as clients:
            try:
                _sync(settings, options, steps or Steps(), clients, report)
            except LeadsyncError as error:
                report.fail(error)
            finally:
                report.calls = {"airtable": clients.airtable.wire.calls, "trello": clients.trello.wire.calls}
            note_end(report, options, settings, clients.store)
    except LeadsyncError as error:
        report.fail(error)
    report.seconds = time.monotonic() - started
    return report


def _sync(settings: Settings, options: Options, steps: Steps, clients: Clients, report: Report) -> None:
    """Resolve, lock, and make passes until nothing is postponed."""
    telling, store = Telling(report), clients.store
    report.pair = named_pair(settings).key
    if ahead := _ahead_of_pace(settings, store):
        if options.paced:
            report.skip(f"Skipped: {ahead}")
            return
        telling.note(ahead)
    board = resolve(settings, clients)
    pair = Pair(settings.airtable_base_id, settings.airtable_table_name, board.board_id)
    report.base_url, report.board_url = clients.airtable.url, board.url
    table_id = known_table_id(settings, store, question(settings, board))
    report.table_url = f"{report.base_url}/{table_id or quote(settings.airtable_table_name, '')}"
    with pair_lock(store, pair.lock) as still_held:
        if options.plan:
            refuse_foreign(options.plan, pair, settings, options, store)
        rows = find_rows(pair, settings, clients, steps, options.dry_run, telling)
        feed = None
        if settings.airtable_change_feed is FeedChoice.ON:
            may_make = not (options.dry_run or options.plan)
            feed = ChangeFeed(settings, clients.airtable, store, rows.pair.key, may_make=may_make)
        mapped = mind_names(store, rows.pair.key, board.cells, settings.mapping.timezone, options.dry_run)
        take = meant_by(options.take, store, rows.pair.key, board.cells) if options.take else None
        kind = RunKind.TAKE if take else RunKind.UNTIE if options.untie else RunKind.SYNC
        begun = _begun(settings, kind, steps.flow_run)
        run = Run(settings, options, steps, clients, rows, feed, still_held, telling, mapped, begun, take)
        _finish_undo(run, board)
        if options.undo:
            undo = chosen_undo(options.undo, store, run.pair, begun)
            run, report.subject = replace(run, begun=undo.begun, undo=undo), undo.told
        elif take and (agreed := store.journal.load_row(run.pair, take.lead_id)):
            report.subject = agreed.title
        report.standing = standing(store, run.pair)
        with _all_is_told(run):
            if options.untie:
                untie_copies(run, board)
            else:
                report.postponed = _make_passes(run, board)
        if options.is_sync:
            keep_meanings(store, run.pair, mapped)
            if report.standing:  # what has waited for long was there before
                report.waiting = waiting_longer(store, run.pair, run.begun.at)
    telling.open_window()
    report.judge()
    if options.expects_nothing:
        report.expect_nothing()


def _finish_undo(run: Run, board: Board) -> None:
    """First of all: what an undo was to take back when it was cut off; half of it may be written."""
    cut = unfinished(run.clients.store, run.pair, run.begun.kept_since)
    if cut is None:
        return
    if run.options.dry_run or run.options.plan:
        run.telling.note(f"An undo of run {cut.begun.undoes[:ID_SHOWN]} was cut off; the next sync finishes it first.")
        return
    accepted = replace(run.options, allow_mass_change=True)  # no guard refused it before its first write
    finishing = replace(run, options=accepted, begun=cut.begun, take=None, undo=cut)
    with _all_is_told(finishing):
        _make_passes(finishing, board)


def _begun(settings: Settings, kind: RunKind, flow_run: str) -> Begun:
    now = time.time()
    return Begun(run_id_of(uuid.uuid4().hex, flow_run), now, kind, kept_since=now - settings.sync_history_days * DAY)


def _ahead_of_pace(settings: Settings, store: StateStore) -> str:
    """Why a scheduled run should wait: the month's calls are ahead of the quota's pace. "" if they are not."""
    allowed = settings.airtable_monthly_calls
    if allowed is None:
        return ""
    now = now_utc()
    month = Month(start_of_month(now), store.calls.load(month_name(now, settings.airtable_workspace)), allowed)
    due = month.due()
    if now >= due:
        return ""
    return f"{month.told}, ahead of its pace; the next scheduled run is due at {due:%Y-%m-%d %H:%M} UTC."


@contextmanager
def _all_is_told(run: Run) -> Iterator[None]:
    """
    A run that ends with a report has listed what the journal keeps for it; one that is killed has not.

    First it lists the conflicts settled by runs that were cut off before they could.
    """
    kept = run.clients.store.journal.load_intents(run.pair, IntentState.UNCHECKED, IntentState.CHECKED)
    run.telling.conflicts(conflict for row in kept for conflict in row.conflicts)
    try:
        yield
    except LeadsyncError:
        with suppress(StateStoreError):
            _end_told(run)
        raise
    finally:
        run.telling.name_rows()
    _end_told(run, let_go(run))


def _end_told(run: Run, loose: Collection[str] = ()) -> None:
    if run.options.dry_run:
        return
    if run.telling.report.conflicts:
        run.clients.store.journal.end_told(run.pair, run.run_id)
    if run.undo or run.telling.report.changes or run.telling.report.gave_back:
        run.clients.store.history.end(run.run_id, time.time(), run.pair, loose)


def _make_passes(run: Run, board: Board) -> list[str]:
    """Returns: the leads still postponed."""
    plan = run.options.plan  # it is applied as it is, and on whole reads
    read, leads = Read.FULL if plan or run.undo else run.options.read, run.rows.leads
    for _ in range(1 if plan else PASSES):
        passed = one_pass(run, read, board, leads)
        if not passed.postponed and not passed.made:
            break
        run = replace(run, made={**run.made, **passed.made})
        read, board, leads = Read.FULL, passed.board, None  # something is not as it was last seen
        if run.take:
            left = still_open(run.take, run.clients.store, run.pair)
            if not left.cells:
                break
            run = replace(run, take=left)
    if plan and passed.made:
        run.telling.note(f"The next run writes the LeadID line into {len(passed.made)} cards that became leads.")
    if plan and passed.postponed:
        many = len({*passed.postponed})
        run.telling.note(LEFT.format(many="1 lead was" if many == 1 else f"{many} leads were"))
    return sorted(set(passed.postponed))
