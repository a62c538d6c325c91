"""
Door: all further pairs that are due, in one process, from the shell or as a Prefect flow run.

Here: options in, the fleet of leadsync.pipeline with a task run for each pair that changed something or failed, the
report out. Never here: which pair is next, a sync.
"""

from __future__ import annotations

if __name__ == "__main__":  # before Prefect is imported and reads its settings
    from runs.missing import tell_what_is_missing

    tell_what_is_missing()
    from runs.command import prepare_local_run

    prepare_local_run(pairs=True)

import time
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import typer
from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from rich.console import Console

from leadsync.errors import ConfigurationError, LeadsyncError
from leadsync.model import Read, Review
from leadsync.pipeline.fleet import AT_ONCE, Fleet, shared_transport
from leadsync.pipeline.members import due_members
from leadsync.pipeline.steps import ONE_BY_ONE, Options
from leadsync.report.fleet import COLUMNS, FleetReport, cells
from leadsync.report.terminal import STYLES, progress_bar, say, tabulate
from leadsync.setting_values import duration
from leadsync.state.budgets import shared_budgets
from leadsync.state.store import StateStore
from runs.command import run_command, stoppable
from runs.fleet_record import fleet_run_name, pair_ended, publish_fleet
from runs.here import Ended, run_flow
from runs.pair_block import members, state_url
from runs.record import final_state, told_in_the_log
from runs.recorder import conclude
from runs.reported import leave
from runs.signs import give_signs


@flow(name="sync-fleet", flow_run_name=fleet_run_name, retries=0, persist_result=False)
def sync_fleet(
    every: str = "1h",
    limit: int = 0,
    only: list[str] | None = None,
    read: Read = Read.AUTO,
    paced: bool = True,
    dry_run: bool = False,
    at_once: int = AT_ONCE,
    review: Review = Review.NEVER,
) -> State[Any]:
    """
    Sync all pairs saved as Leadsync Pair blocks that are due, longest overdue first; one that fails backs off.

    Args:
        every: How long after a sync a pair is due again, like 15m, 1h or 1d.
        limit: At most so many pairs in this run; 0 is all that are due.
        only: These pairs, due or not.
        read: Read both sides whole, only what changed, or whichever costs fewer calls.
        paced: Skip a pair if the month's Airtable calls are ahead of AIRTABLE_MONTHLY_CALLS.
        dry_run: Show what would change and write nothing.
        at_once: How many pairs are synced at the same time.
        review: Write nothing of a pair whose plan risks something (first contact, archived cards, more than a tenth of
            the leads), or of any that has something to write; it is listed, and a run of its own applies it.
    """
    report, began = FleetReport(dry_run=dry_run), time.monotonic()
    try:
        with told_in_the_log():
            options = Options(dry_run=dry_run, read=read, paced=paced, review=review)
            _sync_all(report, every, limit, only or [], options, at_once)
        report.judge()
    except LeadsyncError as error:
        report.fail(error)
    report.seconds = round(time.monotonic() - began, 3)
    return conclude(report, partial(publish_fleet, report), final_state(report))


def _sync_all(report: FleetReport, every: str, limit: int, only: list[str], options: Options, at_once: int) -> None:
    interval = _interval(every)
    there = members()
    if not there:
        raise ConfigurationError("No pair is saved yet. Save one with `flows/pairs.py NAME --env FILE`.")
    store = StateStore(state_url())
    try:
        report.pairs, due = len(there), due_members(there, store, time.time(), only)
        report.due, due = len(due), due[: limit or None]
        transport = shared_transport(shared_budgets(store.database), at_once)
        steps = replace(ONE_BY_ONE, flow_run=flow_run.id or "")
        fleet = Fleet(store, options, interval, transport, at_once, steps)
        with progress_bar(Console(stderr=True)) as bar:
            for done, synced in enumerate(fleet.sync(due), start=1):
                row = report.add(synced.pair, synced.report)
                if synced.report:
                    give_signs(synced.report, synced.pair)
                if row and row.is_news and synced.report:
                    pair_ended(synced.pair, synced.report)
                bar("pairs", done, len(due))
    finally:
        store.close()


def _interval(every: str) -> float:
    try:
        return float(duration(every).total_seconds())
    except ValueError as error:
        raise ConfigurationError(f"every: {error}.") from None


def fleet(
    every: Annotated[str, typer.Option(help="How long after a sync a pair is due again, like 15m, 1h or 1d.")] = "1h",
    limit: Annotated[int, typer.Option(min=0, help="At most so many pairs in this run; 0 is all that are due.")] = 0,
    only: Annotated[list[str] | None, typer.Option(help="This pair, due or not; may be given several times.")] = None,
    read: Annotated[Read, typer.Option(help="Both sides whole, what changed, or what costs fewer calls.")] = Read.AUTO,
    paced: Annotated[bool, typer.Option(help="Skip pairs while the month's calls are ahead of the plan's.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="How many pairs at the same time.")] = AT_ONCE,
    review: Annotated[
        Review, typer.Option(help="Pairs of which only is told what would be written; see --review of flows/sync.py.")
    ] = Review.NEVER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON report on stdout.")] = False,
) -> None:
    """Sync all pairs saved with flows/pairs.py that are due, longest overdue first."""
    options = {"every": every, "limit": limit, "only": only, "read": read, "paced": paced, "dry_run": dry_run}
    ended = run_flow(sync_fleet, **options, at_once=at_once, review=review)
    report = ended.outcome
    if not isinstance(report, FleetReport):
        report = FleetReport(dry_run=dry_run)
        report.fail(ended.outcome)
    leave(report, as_json, partial(_show, report, Console(), ended))


def _show(report: FleetReport, console: Console, ended: Ended) -> None:
    if report.news:
        tabulate(console, "Pairs", COLUMNS, map(cells, report.news))
    say(console, report.message, STYLES[report.exit_code])
    for sentence in filter(None, (ended.unrecorded, ended.seen_at)):
        say(console, sentence, "dim")


if __name__ == "__main__":
    with stoppable():
        run_command(fleet)
