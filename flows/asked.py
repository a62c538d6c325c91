"""
Beside serve.py: how the runs that are asked for at the gateway are made, in this process or by a deployment's worker.

Never here: an option of the command, a rule of the sync.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from conflicts import Side, take_conflict, untie_copies
from history import undo_run
from leadsync.gateway.line import SyncRun
from leadsync.pipeline.steps import Options
from runs.deployed import run_remotely
from runs.reported import run_reported
from sync import run_locally


def parameters_of(options: Options, pair: str) -> dict[str, Any]:
    """The flow's parameters for a run of `pair` with these options."""
    return {
        "pair": pair,
        "dry_run": options.dry_run,
        "allow_mass_change": options.allow_mass_change,
        "read": options.read.value,
    } | ({"conflict": options.conflict.value} if options.conflict else {})


def run_here(pair: str) -> Callable[[SyncRun], dict[str, Any]]:
    """Returns: the function that makes one flow run in this process, and returns its report as JSON."""

    def start(run: SyncRun) -> dict[str, Any]:
        if (take := run.options.take) is not None:
            report, seen_at = run_reported(
                take_conflict, side=Side(take.side), lead=take.lead, field=take.field, pair=pair
            )
        elif run.options.untie:
            report, seen_at = run_reported(untie_copies, lead=run.options.untie, pair=pair)
        elif (undo := run.options.undo) is not None:
            report, seen_at = run_reported(undo_run, **vars(undo), dry_run=run.options.dry_run, pair=pair)
        else:
            ended = run_locally(**parameters_of(run.options, pair))
            report, seen_at = ended.outcome, ended.seen_at
        told: dict[str, Any] = json.loads(report.as_json())
        return told | {"seen_at": seen_at}

    return start


def run_by(deployment: str, pair: str, stopped: Callable[[], bool]) -> Callable[[SyncRun], dict[str, Any]]:
    """
    Returns: the function that has a worker make one flow run, and returns how it ended.

    Only a sync is deployed; what a person decides on the page is done here.
    """

    def start(run: SyncRun) -> dict[str, Any]:
        if run.options.take or run.options.undo or run.options.untie:
            return run_here(pair)(run)

        def tell_id(flow_run_id: str) -> None:
            run.flow_run_id = flow_run_id

        return run_remotely(deployment, parameters_of(run.options, pair), tell_id, stopped)

    return start
