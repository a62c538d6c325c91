"""
Below the doors: what a sync leaves with its Prefect run for people to read: name, log, artifacts, final state.

Never here: the sync. Nothing in here may fail a run that has written.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from prefect import get_run_logger
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.logging import get_logger
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed
from rich.console import Console

from leadsync.errors import Exit, LeadsyncError
from leadsync.report.fleet import FleetReport
from leadsync.report.markdown import as_markdown, as_shown, change_rows
from leadsync.report.report import Report, Row
from leadsync.report.terminal import progress_bar
from leadsync.report.to_do import settled, to_do
from leadsync.texts import printable
from runs.recorder import one_try

ours = logging.getLogger("leadsync")
LONG_LOAD = 50
"""Writes from which on a load keeps a progress artifact; fewer are over before anybody has opened it."""
PROGRESS_EVERY = 2.0
"""Seconds between two updates of it."""


def run_name() -> str:
    """What the run is called in Prefect's lists."""
    given = flow_run.parameters
    what = " ".join(filter(None, ["dry run" if given.get("dry_run") else "sync", given.get("pair")]))
    return f"{what} {datetime.now():%Y-%m-%d %H:%M:%S}"


def name_at_the_end(report: Report) -> None:
    """The run is called by what came of it, too: a list of runs then tells what happened."""
    with one_try(), get_client(sync_client=True) as client:
        about = f" ({report.subject})" if report.subject else ""
        client.update_flow_run(flow_run.id, name=printable(f"{flow_run.name}{about}: {report.glance}"))


def publish(report: Report) -> None:
    """Log every change and finding, name the run, and leave the report and the table of changes as artifacts."""
    logger = get_run_logger()
    for change in report.changes:
        logger.info("%s: %s (%s)", report.about(change), change, change.outcome)
    for thing in to_do(report):
        tell = logger.info if thing.row in report.standing else logger.warning
        tell("%s: %s. %s", report.about(thing.row), thing.what, thing.remedy)
    rest: list[Row] = [*settled(report), *report.notes]
    for row in rest:
        logger.info("%s: %s", report.about(row), row)
    (logger.info if report.exit_code == Exit.DONE else logger.error)(report.message)
    try:
        create_markdown_artifact(as_markdown(report), key="sync-report", description=as_shown(report.message))
        if report.changes:
            rows = change_rows(report)
            shown = f"the first {len(rows)} of " if len(rows) < len(report.changes) else ""
            create_table_artifact(rows, key="sync-changes", description=f"{shown}{len(report.changes)} changes")
    except Exception as error:  # whatever Prefect's server throws, the sync itself is done
        logger.warning("The report could not be kept as an artifact (%s).", type(error).__name__)
    with suppress(Exception):  # a name is not waited for
        name_at_the_end(report)


def final_state(report: Report | FleetReport) -> State[Any]:
    """Completed, Failed, or Cancelled if another run held the lock; name and message are for people."""
    message = printable(report.message)
    if report.exit_code == Exit.DONE:
        return Completed(name=report.title, message=message)
    make = Cancelled if report.exit_code == Exit.BUSY else Failed
    return make(name=report.title, message=message, data=LeadsyncError(message))


def in_one_line(line: logging.LogRecord) -> bool:
    """
    Make a line of a run's log printable, ours or Prefect's; one about an error of ours is the error's sentence.

    Prefect's engine raises the error that a final state holds, and would end the log with the traceback of that.
    """
    error = line.exc_info[1] if line.exc_info else None
    if isinstance(error, LeadsyncError):
        line.msg, line.args, line.exc_info = str(error), (), None
    line.msg, line.args = printable(line.getMessage()), ()
    return True


for of_runs in ("flow_runs", "task_runs"):
    get_logger(of_runs).addFilter(in_one_line)


class _IntoTheLog(logging.Handler):
    """To the run's own log, from whichever thread."""

    def __init__(self) -> None:
        super().__init__()
        self._log = get_run_logger()

    def emit(self, line: logging.LogRecord) -> None:
        self._log.log(line.levelno, line.getMessage())


@contextmanager
def told_in_the_log() -> Iterator[None]:
    """What is said inside on our own logger, as that a service is waited for, stands in the log of the run as well."""
    handler = _IntoTheLog()
    ours.addHandler(handler)
    try:
        yield
    finally:
        ours.removeHandler(handler)


@contextmanager
def shown_progress(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """
    Progress of the loads: a bar in the terminal, and for a long load an artifact on the run's page.

    Yields: a function to call with what is written, how many are done, and how many there are.
    """
    artifacts: dict[str, _ProgressArtifact] = {}
    with progress_bar(console) as bar:

        def progress(what: str, done: int, total: int) -> None:
            bar(what, done, total)
            if total >= LONG_LOAD:
                artifacts.setdefault(what, _ProgressArtifact(what)).show(done, total)

        yield progress


class _ProgressArtifact:
    """
    Created at the first sign of life, then updated now and then, and at the end.

    A server that does not take it is not asked again: a picture of the work is not worth the work.
    """

    def __init__(self, what: str) -> None:
        self._what, self._told = what, 0.0
        self._artifact: Any = None
        self._taken = True

    def show(self, done: int, total: int) -> None:
        too_soon = self._told and done < total and time.monotonic() - self._told < PROGRESS_EVERY
        if too_soon or not self._taken:
            return
        percent, words = 100 * done / total, f"{done} of {total} {self._what} written"
        self._taken = False
        with suppress(Exception), one_try():
            if self._told:
                update_progress_artifact(self._artifact, progress=percent, description=words)
            else:
                self._artifact = create_progress_artifact(percent, f"loading-{self._what}", words)
            self._taken = True
        self._told = time.monotonic()
