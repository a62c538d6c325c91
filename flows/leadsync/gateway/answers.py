"""What the gateway is asked and answers, as typed bodies. Never here: a route."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictBool

from leadsync.errors import LeadsyncError
from leadsync.gateway.inbox import Verdict
from leadsync.gateway.line import SyncRun
from leadsync.model import ConflictPolicy, Read
from leadsync.pipeline.vital_signs import VitalSigns


class SyncChoices(BaseModel):
    """The choices of one run; all may be left out."""

    model_config = ConfigDict(extra="forbid")

    dry_run: StrictBool = False
    """Show what would change and write nothing."""
    allow_mass_change: StrictBool = False
    """For this run, accept that many known leads, cards or values are gone, or leads new."""
    read: Read = Read.FULL
    """Read both sides whole, only what changed, or whichever costs fewer calls."""
    conflict: ConflictPolicy | None = None
    """Who wins when both sides moved one cell apart; null takes SYNC_CONFLICT."""


class RunStatus(BaseModel):
    """One run. Times are seconds since 1970; `report` is there once it has ended."""

    id: str
    flow_run_id: str | None = None
    stage: str
    status_url: str
    asked_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    report: dict[str, Any] | None = None


class PairHealth(BaseModel):
    """A pair, by its base, table and board."""

    pair: str
    last_success_age_seconds: float | None = None
    """Since a sync of it last came to its end without a failure."""
    conflicts: int
    """That wait for a person."""
    calls_this_month: int
    """To Airtable, by all pairs of its workspace that share the state, as the quota counts them."""

    @classmethod
    def of(cls, signs: VitalSigns, now: float) -> PairHealth:
        """`now`: [s since 1970]."""
        age = None if signs.succeeded_at is None else round(max(0.0, now - signs.succeeded_at), 1)
        return cls(
            pair=signs.pair,
            last_success_age_seconds=age,
            conflicts=signs.conflicts,
            calls_this_month=signs.calls,
        )


class Health(BaseModel):
    """`status` is ok while the process answers; the rest is for those who may also start a sync."""

    status: str = "ok"
    ready: bool | None = None
    """Not stopping, and the last run was not refused (exit codes 2 and 3)."""
    last_run: dict[str, Any] | None = None
    runs_ended: int | None = None
    """Since the gateway was started."""
    queue: dict[str, Any] | None = None
    lock: dict[str, Any] | None = None
    """Whether a run of this process holds it, and who took it last; `unknown` says why nobody can tell."""
    pairs: list[PairHealth] | None = None
    """Those that share the state; left out while its database is away."""


def pairs_told(look: Callable[[], list[VitalSigns]]) -> list[PairHealth] | None:
    """The pairs, as health tells them; None if nobody can tell. `look`: as Gate.signs."""
    try:
        return [PairHealth.of(each, time.time()) for each in look()]
    except LeadsyncError:
        return None


class Receipt(BaseModel):
    """What became of a delivery."""

    verdict: Verdict


def told_lock(held_here: bool, look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The pair's lock, as health tells it. `look`: who took it last; raises LeadsyncError if nobody can tell."""
    try:
        return {"held_here": held_here, "last_taken_by": look() or None}
    except LeadsyncError as error:
        return {"held_here": held_here, "unknown": str(error)}


def last_run(run: SyncRun | None) -> dict[str, Any] | None:
    """The run that ended last, as health tells it."""
    if run is None or run.ended_at is None:
        return None
    report = run.report or {}
    age = round(time.time() - run.ended_at, 1)
    told = {"exit_code": report.get("exit_code"), "message": report.get("message"), "age_seconds": age}
    return {"id": run.shown_id, **told}


ENDED: dict[int | str, dict[str, Any]] = {200: {"model": RunStatus, "description": "With wait=true: the run has ended"}}


def status_of(run: SyncRun) -> RunStatus:
    """A run in the line as it is answered."""
    return RunStatus(
        id=run.shown_id,
        flow_run_id=run.flow_run_id,
        stage=run.stage,
        status_url=f"/runs/{run.shown_id}",
        asked_at=run.asked_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        report=run.report,
    )
