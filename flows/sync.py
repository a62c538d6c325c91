"""
Door: one sync now, from the shell or as a Prefect flow run.

Here: options in, the steps of leadsync.pipeline as Prefect tasks, the report out. Never here: a rule or a request.
"""

from __future__ import annotations

if __name__ == "__main__":  # a local run; before Prefect is imported and reads its settings
    from runs.command import prepare_local_run

    prepare_local_run()

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any

import typer
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.utilities.annotations import quote
from rich.console import Console

from leadsync.apply.cards import load_cards
from leadsync.apply.leads import load_leads
from leadsync.core.told import Note
from leadsync.environment import load_settings
from leadsync.errors import LeadsyncError, TransientServiceError
from leadsync.model import Adopt, ConflictChoice, Read
from leadsync.pipeline.extract import extract_cards, extract_leads
from leadsync.pipeline.join import join_and_diff
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options, P, R, Steps, Submit, UnderWay
from leadsync.report.report import Report
from leadsync.report.terminal import show
from runs.command import nothing_to_stop, run_command, stoppable
from runs.here import Ended, run_flow
from runs.pair_block import settings_of
from runs.record import final_state, publish, run_name, shown_progress
from runs.recorder import conclude

# --- the flow -------------------------------------------------------------------------------------------------


def is_transient(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Retry what a second try can cure (429, 5xx, time-out), never a bad request."""
    return isinstance(state.result(raise_on_failure=False), TransientServiceError)


def as_task(step: Callable[..., Any], name: str, retry_delays: tuple[float, ...] = ()) -> Any:
    """
    A step of the pipeline as a Prefect task.

    Nothing is cached (a stale read or a skipped write would look green), and only reads are retried. No tags: for
    each tag Prefect asks its server for a concurrency slot, which puts a run off by up to two seconds a task.
    """
    return task(
        name=name,
        task_run_name=name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=len(retry_delays),
        retry_delay_seconds=list(retry_delays),
        retry_condition_fn=is_transient,
    )(step)


TASKS: dict[Callable[..., Any], Any] = {
    extract_leads: as_task(extract_leads, "extract leads", retry_delays=(10,)),
    extract_cards: as_task(extract_cards, "extract cards", retry_delays=(10,)),
    join_and_diff: as_task(join_and_diff, "join and diff"),
    load_cards: as_task(load_cards, "load cards"),
    load_leads: as_task(load_leads, "load leads"),
    publish: as_task(publish, "report"),
}


def call_task(step: Callable[P, R], /, *args: P.args, **more: P.kwargs) -> R:
    """Run the task of `step` here and now; its arguments pass through Prefect unseen."""
    result: R = TASKS[step](*map(quote, args), **more)
    return result


def start_task(step: Callable[P, R], /, *args: P.args, **more: P.kwargs) -> UnderWay[R]:
    """The same, beside others."""
    under_way: UnderWay[R] = TASKS[step].submit(*map(quote, args), **more)
    return under_way


@contextmanager
def submit_tasks() -> Iterator[Submit]:
    """Tasks that run side by side."""
    yield start_task


@flow(name="sync-leads", flow_run_name=run_name, retries=0, persist_result=False)
def sync_leads(
    dry_run: bool = False,
    conflict: ConflictChoice = ConflictChoice.SETTINGS,
    allow_mass_change: bool = False,
    read: Read = Read.FULL,
    paced: bool = False,
    pair: str = "",
    adopt: Adopt = Adopt.ASK,
) -> State[Any]:
    """
    Make the Airtable table Leads and the Trello board equal, in both directions.

    Args:
        dry_run: Show what would change and write nothing.
        conflict: Who wins when both sides moved one cell apart; settings takes SYNC_CONFLICT.
        allow_mass_change: For this run, accept that many known leads or cards are missing.
        read: Read both sides whole, only what changed, or whichever costs fewer calls.
        paced: Skip this run if the month's Airtable calls are ahead of AIRTABLE_MONTHLY_CALLS.
        pair: Name of the Leadsync Pair block that says which base and board; empty takes those of the environment.
        adopt: Where leads have no card and cards without a LeadID line look like theirs, tie what matches one to one
            by email or by name, or give such leads cards of their own (none); ask refuses on first contact, and then
            goes on with what was chosen.
    """
    report = Report(dry_run=dry_run)
    try:
        settings = settings_of(pair)
    except LeadsyncError as error:
        report.fail(error)
    else:
        with shown_progress(Console(stderr=True)) as progress:
            steps = Steps(call=call_task, submit=submit_tasks, progress=progress)
            report = run_sync(settings, Options(dry_run, allow_mass_change, conflict.policy, read, paced, adopt), steps)
    return conclude(report, partial(call_task, publish, report), final_state(report))


# --- the command ----------------------------------------------------------------------------------------------


def run_locally(**options: Any) -> Ended:
    """
    One flow run in this process; wrong settings are told at once, without waiting for Prefect.

    Returns: the outcome is a Report, whatever happened.
    """
    try:
        if not options.get("pair"):
            load_settings()
        ended = run_flow(sync_leads, **options)
    except LeadsyncError as error:
        ended = Ended(error)
    report = ended.outcome
    if not isinstance(report, Report):
        report = Report(dry_run=bool(options.get("dry_run")))
        report.fail(ended.outcome)
    if ended.unrecorded:
        report.notes.append(Note("", "", ended.unrecorded))
    return Ended(report, ended.seen_at)


def sync(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Run against the bundled emulator; no account needed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON report on stdout.")] = False,
    allow_mass_change: Annotated[
        bool, typer.Option("--allow-mass-change", help="For this run, accept that many leads or cards are missing.")
    ] = False,
    conflict: Annotated[
        ConflictChoice, typer.Option(help="Who wins when both sides moved one cell apart; settings: SYNC_CONFLICT.")
    ] = ConflictChoice.SETTINGS,
    read: Annotated[
        Read, typer.Option(help="Both sides whole, only what changed, or whichever costs fewer calls.")
    ] = Read.FULL,
    paced: Annotated[
        bool, typer.Option("--paced", help="Skip the run if the month's calls are ahead of AIRTABLE_MONTHLY_CALLS.")
    ] = False,
    adopt: Annotated[
        Adopt, typer.Option(help="Cards that look like leads: tie those that match one to one, or none of them.")
    ] = Adopt.ASK,
    pair: Annotated[str, typer.Option(help="A pair saved with flows/pairs.py; without it, the one in .env.")] = "",
) -> None:
    """Make the Airtable table Leads and the Trello board equal, in both directions."""
    options: dict[str, Any] = {"dry_run": dry_run, "conflict": conflict, "allow_mass_change": allow_mass_change}
    options |= {"read": read, "paced": paced, "pair": pair, "adopt": adopt}
    if demo:
        from demo import run_demo

        report = run_demo(lambda: run_locally(**options).outcome, Console(stderr=as_json))
    else:
        ended = run_locally(**options)
        report = ended.outcome
    nothing_to_stop()
    if as_json:
        print(report.as_json())
    elif not demo:
        show(report, Console(), ended.seen_at)
    raise typer.Exit(report.exit_code)


if __name__ == "__main__":
    with stoppable():
        run_command(sync)
