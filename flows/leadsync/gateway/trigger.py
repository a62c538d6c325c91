"""
When a sync starts: at most one under way and one waiting, whatever the number of hints.

`Line` decides and knows neither clock nor thread; `Trigger` is the thread that follows it. What is never here:
the sync itself, HTTP, Prefect.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from leadsync.errors import Exit
from leadsync.gateway.line import Line, Outcome, SyncRun
from leadsync.pipeline.steps import Options

log = logging.getLogger("leadsync")


class Trigger:
    """
    The thread that starts what the line says, one run at a time.

    start: makes one run and returns its report; it may set the run's `flow_run_id`, and what it raises becomes a
    report. settle [s]. tell: called with each run as it begins, and as it has ended.
    """

    def __init__(
        self, start: Callable[[SyncRun], Outcome], settle: float, tell: Callable[[SyncRun], None] = lambda _run: None
    ) -> None:
        self._start, self._tell = start, tell
        self._line = Line(settle)
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="leadsync-trigger", daemon=True)
        self._thread.start()

    @property
    def closing(self) -> bool:
        """Whether nothing more will be started."""
        return self._closing

    def hint(self) -> None:
        """Something changed."""
        with self._changed:
            if not self._closing:
                self._line.hint(time.monotonic())
                self._changed.notify_all()

    def ask(self, options: Options) -> SyncRun | None:
        """A run now, or as soon as the one under way has ended; None once the trigger is closing."""
        with self._changed:
            if self._closing:
                return None
            run = self._line.ask(time.monotonic(), options)
            self._changed.notify_all()
            return run

    def find(self, run_id: str) -> SyncRun | None:
        """One of the last runs, by its id or by Prefect's."""
        with self._changed:
            return self._line.find(run_id)

    @property
    def runs_ended(self) -> int:
        """Since the start."""
        return self._line.runs_ended

    def is_behind(self, run: SyncRun) -> bool:
        """Whether another run has to end before this one starts, or this one has ended itself."""
        with self._changed:
            return run.ended.is_set() or self._line.running not in (None, run)

    def queue(self) -> tuple[SyncRun | None, int, SyncRun | None]:
        """The run under way, how many wait, and the run that ended last."""
        with self._changed:
            return self._line.running, len(self._line.waiting), self._line.last()

    def close(self, timeout: float) -> bool:
        """Start nothing more and wait for the run under way. Returns: whether it ended within `timeout` [s]."""
        with self._changed:
            self._closing = True
            self._line.drop_waiting()
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._closing and (run := self._line.take(time.monotonic())) is None:
                    self._changed.wait(self._line.pause(time.monotonic()))
                if self._closing:
                    return
            assert run is not None
            self._tell(run)
            report = self._report_of(run)
            with self._changed:
                self._line.end(time.monotonic(), report)
                if self._closing:
                    self._line.drop_waiting()
            self._tell(run)

    def _report_of(self, run: SyncRun) -> Outcome:
        try:
            return self._start(run)
        except Exception as error:  # the thread must outlive whatever a run stumbles over
            log.exception("A run could not be started.")
            message = f"Unexpected {type(error).__name__}; see the gateway's log."
            return {"exit_code": Exit.INCOMPLETE, "message": message}
