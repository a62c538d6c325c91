"""
Below the doors: the steps of a sync as Prefect tasks, a handful a run. Never here: a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.utilities.annotations import quote

from leadsync.apply.cards import load_cards
from leadsync.apply.leads import load_leads
from leadsync.apply.new_leads import load_new_leads
from leadsync.apply.outcome import Progress
from leadsync.errors import TransientServiceError
from leadsync.pipeline.extract import extract_cards, extract_leads
from leadsync.pipeline.join import join_and_diff
from leadsync.pipeline.steps import P, R, Steps, Submit, UnderWay
from runs.record import publish


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
    load_new_leads: as_task(load_new_leads, "make leads of cards"),
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


def as_tasks(progress: Progress) -> Steps:
    """All steps as tasks of the flow run under way."""
    return Steps(call_task, submit_tasks, progress, flow_run.id or "")
