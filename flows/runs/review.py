"""
Below the doors: a worker's run that waits, suspended, until a person has read its plan, and goes on when it is resumed.

It then starts from the top in a new process: the plan is kept in the state. One plan a pair waits.
Never here: which plan is to be reviewed, whether it still holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.flow_runs import suspend_flow_run
from prefect.runtime import deployment
from prefect.states import Cancelled

from leadsync.core.saved_plan import SavedPlan
from leadsync.errors import ConfigurationError, Exit, LeadsyncError, PlanRefusedError
from leadsync.report.markdown import as_markdown, as_shown
from leadsync.report.report import Report
from leadsync.settings import Settings
from leadsync.state.kept import Kept, Review
from leadsync.state.pair import Pair
from leadsync.state.store import StateStore

KEY: Final = "review"
"""Prefect suspends a run once for each key: resumed, it passes."""
WITHIN: Final = 7 * 86_400
"""Seconds after which a run that nobody has resumed fails."""
BUSY_FOR, LOOK_AGAIN = 900.0, 5.0
"""Seconds that an approved plan waits for another run of the pair to end, and between two looks."""


def approved_plan(settings: Settings) -> SavedPlan | None:
    """
    The plan that this run has waited with; None if it has not waited.

    Raises: PlanRefusedError if it has, and the plan waits no more.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or KEY not in (run.empirical_policy.pause_keys or ()):
        return None
    with _reviews(settings) as reviews:
        waiting = reviews.load(run=str(run.id))
    if waiting is None:
        raise PlanRefusedError(
            "The plan that this run waited with waits no more: it was applied, or another took its place. Nothing was "
            "written. Start a new run."
        )
    return SavedPlan.parse(waiting.plan, "The plan that waited")


def apply_approved(plan: SavedPlan | None, sync: Callable[[], Report], settings: Settings) -> Report:
    """One run; with a `plan` that was approved it waits for its turn, so that the approval is not lost."""
    deadline = time.monotonic() + BUSY_FOR
    report = sync()
    while plan and report.exit_code is Exit.BUSY and time.monotonic() < deadline:
        time.sleep(LOOK_AGAIN)
        report = sync()
    if plan:
        with _reviews(settings) as reviews:
            reviews.drop(run=[_run_id()])
    return report


def wait_for_review(report: Report, settings: Settings) -> None:
    """
    Suspend this run until its plan, that of the report, has been read; a run that no worker made just ends refused.

    Where the same plan waits already, the report says so and nothing is to be done; another one is waited for no more.
    Raises: Pause, which Prefect's engine takes; LeadsyncError if the run cannot be suspended.
    """
    if report.plan is None or report.dry_run or not deployment.id:
        return
    pair = Pair(*(report.plan.pair[part] for part in ("base", "table", "board"))).key
    with _reviews(settings) as reviews:
        before = reviews.load(pair=pair)
        if before and _still_waits(before.run) and _says_the_same(before, report.plan):
            report.error, report.exit_code = "", Exit.DONE
            report.skipped = f"The same plan waits for review already, in the run {before.run}."
            return
        _show(report)
        reviews.save(Review(pair, _run_id(), report.plan.text))
        if before:
            _cancel(before.run, "Another plan is to be reviewed in its place.")
        try:
            suspend_flow_run(timeout=WITHIN, key=KEY)
        except Exception as error:  # whatever Prefect's client throws; Pause is none
            reviews.drop(run=[_run_id()])
            raise LeadsyncError(f"The run could not be suspended for review ({error}); nothing was written.") from None


@contextmanager
def _reviews(settings: Settings) -> Iterator[Kept[Review]]:
    store = StateStore(settings.sync_state_url.get_secret_value())
    try:
        yield store.reviews
    finally:
        store.close()


def _run_id() -> str:
    context = FlowRunContext.get()
    return str(context.flow_run.id) if context and context.flow_run else ""


def _show(report: Report) -> None:
    """The plan, for who reads it. Raises: LeadsyncError, for none can approve what they cannot see."""
    logger = get_run_logger()
    for change in report.changes:
        logger.info("%s: %s (%s)", report.about(change), change, change.outcome)
    logger.info("%s Resume this run to apply the plan, or cancel it.", report.message)
    try:
        create_markdown_artifact(as_markdown(report), key="sync-plan", description=as_shown(report.message))
    except Exception as error:
        name = type(error).__name__
        raise LeadsyncError(f"The plan could not be shown for review ({name}); nothing was written.") from None


def _says_the_same(waiting: Review, plan: SavedPlan) -> bool:
    with suppress(ConfigurationError):  # one that an older program left
        return SavedPlan.parse(waiting.plan, "").says_the_same(plan)
    return False


def _still_waits(run: str) -> bool:
    """A run that expired, was cancelled or deleted does not."""
    with suppress(Exception), get_client(sync_client=True) as client:
        state = client.read_flow_run(UUID(run)).state
        return state is not None and state.is_paused()
    return False


def _cancel(run: str, why: str) -> None:
    """Unless it is over; should the server not take it, the run finds no plan when it is resumed."""
    if _still_waits(run):
        with suppress(Exception), get_client(sync_client=True) as client:
            client.set_flow_run_state(UUID(run), Cancelled(message=why))
