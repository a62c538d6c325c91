"""The line in which runs wait. Pure but for the clock that is handed in. Never here: a thread."""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from leadsync.errors import Exit
from leadsync.model import Read
from leadsync.pipeline.steps import Options

PATIENCE = 5
"""Hints that keep coming put a sync off by at most this many settle times."""
BUSY_PAUSE, BUSY_PAUSE_MOST = 5.0, 60.0
"""Seconds until a run that met another run's lock is tried again; doubled each time."""
SECOND_TRY = 60.0
"""Seconds until the one more try of a run that ended incomplete."""
KEPT = 100
"""Runs that can still be asked for."""
HINTED = Options(read=Read.AUTO)
"""Options of a run that a webhook wants: what changed is read, whole or not, whichever costs fewer calls."""
Outcome = dict[str, Any]
"""A run's report as JSON: at least `exit_code` and `message`."""


class Stage(StrEnum):
    """How far a run has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DROPPED = "dropped"


@dataclass
class SyncRun:
    """
    One run that was asked for. Times in seconds: `due`, `hinted_since` of the trigger's clock, the others since 1970.

    asked: somebody waits for it. hinted_since: the first webhook that wants it; such a run must not be lost.
    flow_run_id: Prefect's, once known.
    """

    options: Options
    due: float
    asked: bool = False
    hinted_since: float | None = None
    met_lock: int = 0
    second_try: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    flow_run_id: str | None = None
    stage: Stage = Stage.WAITING
    asked_at: float = field(default_factory=time.time)
    started_at: float | None = None
    ended_at: float | None = None
    report: Outcome | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def shown_id(self) -> str:
        """Prefect's id once it is known; the run is found by either."""
        return self.flow_run_id or self.id


class Line:
    """
    Who runs next. Waiting runs are told apart by their options, so that a dry run is not answered by a real one;
    hints all ask for the same, and so share one place.
    """

    def __init__(self, settle: float) -> None:
        self.settle = settle
        self.running: SyncRun | None = None
        self.waiting: dict[Options, SyncRun] = {}
        self.runs: OrderedDict[str, SyncRun] = OrderedDict()
        self.runs_ended = 0

    def hint(self, now: float) -> SyncRun:
        """
        Something changed: run once it has been quiet for the settle time, so that half-typed values do not travel.

        A stream of hints puts the run off by five settle times at most. A run under way may have read before the
        change, so another one follows it.
        """
        run = self.waiting.get(HINTED)
        if run is None:
            return self._queue(SyncRun(HINTED, now + self.settle, hinted_since=now))
        if run.hinted_since is None or run.second_try:  # a second try no longer has to wait its minute
            run.hinted_since, run.second_try = now, False
        if not run.asked and not run.met_lock:
            run.due = min(now + self.settle, run.hinted_since + PATIENCE * self.settle)
        return run

    def ask(self, now: float, options: Options) -> SyncRun:
        """Somebody wants a run now; it waits only for the one under way."""
        run = self.waiting.get(options) or self._queue(SyncRun(options, now))
        run.due, run.asked = min(run.due, now), True
        return run

    def take(self, now: float) -> SyncRun | None:
        """The run to start now, if there is one."""
        due = [run for run in self.waiting.values() if run.due <= now]
        if self.running is not None or not due:
            return None
        run = min(due, key=lambda run: run.due)
        del self.waiting[run.options]
        self.running, run.stage, run.started_at = run, Stage.RUNNING, time.time()
        return run

    def pause(self, now: float) -> float | None:
        """Seconds until `take` may have something; None if only a hint, or the end of the run, can bring it."""
        if self.running is not None or not self.waiting:
            return None
        return max(0.0, min(run.due for run in self.waiting.values()) - now)

    def end(self, now: float, report: Outcome) -> SyncRun:
        """The run under way has ended. What was hinted and met a lock, or ended incomplete, is tried again."""
        run = self.running
        assert run is not None
        self.running = None
        self.runs_ended += 1
        self._close(run, Stage.DONE, report)
        code = report.get("exit_code")
        if run.hinted_since is not None and run.options not in self.waiting:
            if code == Exit.BUSY:
                wait = min(BUSY_PAUSE * 2**run.met_lock, BUSY_PAUSE_MOST)
                self._queue(SyncRun(run.options, now + wait, hinted_since=now, met_lock=run.met_lock + 1))
            elif code == Exit.INCOMPLETE and not run.second_try:
                self._queue(SyncRun(run.options, now + SECOND_TRY, hinted_since=now, second_try=True))
        return run

    def drop_waiting(self) -> None:
        """Nothing more is started; what waited is healed by the next scheduled sync."""
        report = {"exit_code": Exit.INCOMPLETE, "message": "The gateway was stopped before."}
        for run in self.waiting.values():
            self._close(run, Stage.DROPPED, report)
        self.waiting.clear()

    def find(self, run_id: str) -> SyncRun | None:
        """A run by its id or by Prefect's."""
        return self.runs.get(run_id) or next((run for run in self.runs.values() if run.flow_run_id == run_id), None)

    def last(self) -> SyncRun | None:
        """The run that ended last."""
        done = [run for run in self.runs.values() if run.stage is Stage.DONE]
        return max(done, key=lambda run: run.ended_at or 0.0, default=None)

    def _queue(self, run: SyncRun) -> SyncRun:
        self.waiting[run.options] = self.runs[run.id] = run
        for old in list(self.runs.values())[: max(0, len(self.runs) - KEPT)]:
            if old.stage in (Stage.DONE, Stage.DROPPED):
                del self.runs[old.id]
        return run

    def _close(self, run: SyncRun, stage: Stage, report: Outcome) -> None:
        run.stage, run.report, run.ended_at = stage, report, time.time()
        run.ended.set()
