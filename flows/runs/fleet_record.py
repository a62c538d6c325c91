"""
Below the doors: what a run of the fleet leaves with its Prefect run: a name, a task run for each pair that changed
something or failed, one report for all. Never here: a sync.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.utilities.annotations import quote

from leadsync.errors import Exit
from leadsync.report.fleet import FleetReport
from leadsync.report.markdown import as_markdown, as_shown
from leadsync.report.report import Report
from runs.record import final_state


def fleet_run_name() -> str:
    """What the run is called in Prefect's lists."""
    return f"{'dry run' if flow_run.parameters.get('dry_run') else 'fleet'} {datetime.now():%Y-%m-%d %H:%M:%S}"


@task(name="pair", cache_policy=NO_CACHE, persist_result=False)
def _pair_ended(report: Report) -> State[Any]:
    create_markdown_artifact(as_markdown(report), key="sync-report", description=as_shown(report.message))
    return final_state(report)


def pair_ended(pair: str, report: Report) -> None:
    """A task run of its own, with the pair's report; a server that does not take it changes nothing."""
    with suppress(Exception):
        _pair_ended.with_options(name=pair, task_run_name=pair)(quote(report), return_state=True)


def publish_fleet(report: FleetReport) -> None:
    """The log of pairs that failed, and one report of all as an artifact."""
    logger = get_run_logger()
    for row in report.failed:
        logger.warning("%s: %s", row.pair, row.message)
    (logger.info if report.exit_code == Exit.DONE else logger.error)(report.message)
    try:
        create_markdown_artifact(report.as_markdown(), key="fleet-report", description=as_shown(report.message))
    except Exception as error:  # whatever Prefect's server throws, the syncs are done
        logger.warning("The report could not be kept as an artifact (%s).", type(error).__name__)
