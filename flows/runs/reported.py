"""Below the doors: a flow whose outcome is a report, run in this process. Never here: how the report is shown."""

from __future__ import annotations

from typing import Any

from prefect import Flow

from leadsync.environment import load_settings
from leadsync.errors import LeadsyncError
from leadsync.report.report import Report
from runs.here import Ended, run_flow


def run_reported(flow: Flow[..., Any], **options: Any) -> tuple[Report, str]:
    """
    One run of the flow; wrong settings are told at once, without waiting for Prefect.

    Returns: its report, whatever happened, and where the run can be seen, "" if nowhere.
    """
    report, ended = Report(dry_run=bool(options.get("dry_run"))), Ended(None)
    try:
        if not options.get("pair"):
            load_settings()
        ended = run_flow(flow, **options)
        if isinstance(ended.outcome, Report):
            report = ended.outcome
        else:
            report.fail(ended.outcome)
    except LeadsyncError as error:
        report.fail(error)
    if ended.unrecorded:
        report.note(ended.unrecorded)
    return report, ended.seen_at
