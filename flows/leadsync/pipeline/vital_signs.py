"""What tells of a pair that it lives: how its last syncs ended, and what waits. Never here: a request."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

from leadsync.errors import Exit, StateStoreError
from leadsync.pipeline.clients import month_name, now_utc
from leadsync.pipeline.lists import known_pair, named_pair
from leadsync.pipeline.steps import Options
from leadsync.report.report import Report
from leadsync.settings import Settings
from leadsync.state.ends import Ended
from leadsync.state.pair import Pair
from leadsync.state.store import StateStore


@dataclass(frozen=True)
class VitalSigns:
    """
    Of one pair. `succeeded_at`: [s since 1970], None if never. `conflicts`: those that wait for a person.

    `calls`: requests to Airtable this month, of all pairs of its workspace that share the state, as the quota counts.
    """

    pair: str
    succeeded_at: float | None
    conflicts: int
    calls: int


def pair_or_name(settings: Settings, store: StateStore) -> Pair:
    """The pair of the settings, its board by the name that they give it until a run has asked for its id."""
    return known_pair(settings, store) or named_pair(settings)


def note_end(report: Report, options: Options, settings: Settings, store: StateStore) -> None:
    """
    Take down how a sync ended, for who looks later. One that was not its turn, or that a person asked to do one thing,
    tells nothing of the next.
    """
    if not options.is_sync or report.skipped or report.exit_code is Exit.BUSY:
        return
    with suppress(StateStoreError):  # not worth the run's own outcome
        known = pair_or_name(settings, store).key, time.time(), settings.airtable_workspace
        if report.exit_code is Exit.DONE:
            store.ends.well(*known, named_pair(settings).key)
        else:
            store.ends.badly(*known, report.error, report.failures)


def signs_of(settings: Settings, store: StateStore) -> list[VitalSigns]:
    """Of every pair in the state; that of the settings is there though it never succeeded. Raises: StateStoreError."""
    ours, now = known_pair(settings, store), now_utc()
    ended = ({ours.key: Ended(workspace=settings.airtable_workspace)} if ours else {}) | store.ends.load_all()
    calls = {each: store.calls.load(month_name(now, each)) for each in {each.workspace for each in ended.values()}}
    return [
        VitalSigns(pair, each.succeeded_at, len(store.waiting.conflicts(pair)), calls[each.workspace])
        for pair, each in sorted(ended.items())
    ]
