"""Below the doors: a flow whose outcome is a report, run in this process, and told. Never here: how a report looks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import typer
from prefect import Flow
from prefect.client.schemas.objects import State
from rich.console import Console

from leadsync.environment import load_settings
from leadsync.errors import LeadsyncError
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options
from leadsync.report.fleet import FleetReport
from leadsync.report.report import Report
from runs.command import nothing_to_stop
from runs.here import Ended, run_flow
from runs.pair_block import settings_of
from runs.record import final_state, publish, shown_progress, told_in_the_log
from runs.recorder import conclude
from runs.tasks import as_tasks, call_task


def run_once(options: Options) -> State[Any]:
    """The body of a flow: one run of the pair that the options name, told like any. Returns: the flow's final state."""
    report = Report(dry_run=options.dry_run)
    try:
        settings = settings_of(options.pair)
    except LeadsyncError as error:
        report.fail(error)
    else:
        with told_in_the_log(), shown_progress(Console(stderr=True)) as progress:
            report = run_sync(settings, options, as_tasks(progress))
    return conclude(report, partial(call_task, publish, report), final_state(report))


def run_reported(flow: Flow[..., Any], asked: Any = None, /, **options: Any) -> tuple[Report, str]:
    """
    One run of the flow; wrong settings are told at once, without waiting for Prefect. `asked`: see run_flow.

    Returns: its report, whatever happened, and where the run can be seen, "" if nowhere.
    """
    report, ended = Report(dry_run=bool(options.get("dry_run"))), Ended(None)
    try:
        if not options.get("pair"):
            load_settings()
        ended = run_flow(flow, asked, **options)
        if isinstance(ended.outcome, Report):
            report = ended.outcome
        else:
            report.fail(ended.outcome)
    except LeadsyncError as error:
        report.fail(error)
    if ended.unrecorded:
        report.note(ended.unrecorded)
    return report, ended.seen_at


def leave(report: Report | FleetReport, as_json: bool, show: Callable[[], object]) -> NoReturn:
    """The end of a command: its report on stdout, as JSON or as it is shown, and the exit code that it says."""
    nothing_to_stop()
    if as_json:
        print(report.as_json())
    else:
        show()
    raise typer.Exit(report.exit_code)
