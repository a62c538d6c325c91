"""
All pairs that are due, in one process, many at a time; a pair that fails backs off and delays no other.

Several processes may do so at once, on one machine or several: each takes a base under its lock, asks again whether
the pair is due, and leaves the rest to the others. Never here: what a sync does (see run.py), Prefect.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from leadsync.errors import BusyError, Exit, LeadsyncError
from leadsync.pipeline.members import Member, Waiting
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import ONE_BY_ONE, Options, Steps
from leadsync.report.report import Report
from leadsync.state.kept import PairRun
from leadsync.state.lock import quiet_lock
from leadsync.state.store import StateStore
from leadsync.transport.budgets import Budgets
from leadsync.transport.lines import Lines
from leadsync.transport.pacing import ARRIVALS, Pace, Windows
from leadsync.transport.service import Service
from leadsync.transport.wire import Transport, Wire

log = logging.getLogger("leadsync")
AT_ONCE: Final = 16
"""Pairs at the same time; most of a run is waiting."""
SHORTEST, LONGEST = 60.0, 86_400.0
"""Seconds until a pair that failed is tried again, twice as long each time."""
PATIENCE: Final = 60.0
"""Seconds that pairs which others have in hand are waited for, lest their process ends before they do."""
LOOK_AGAIN: Final = 1.0


@dataclass(frozen=True)
class Synced:
    """What became of a pair; `report` is None if another process has seen to it."""

    pair: str
    report: Report | None


@dataclass(frozen=True)
class Fleet:
    """
    What all pairs of a process share. `every`: how often each is to be synced [s]; `transport`: as for open_clients.

    `steps`, `run`, `clock`: how a pair is synced, and our clock [s since 1970].
    """

    store: StateStore
    options: Options
    every: float
    transport: Transport
    at_once: int = AT_ONCE
    steps: Steps = ONE_BY_ONE
    run: Callable[..., Report] = run_sync
    clock: Callable[[], float] = time.time

    def sync(self, members: Iterable[Member]) -> Iterator[Synced]:
        """Each of the pairs as it ends, in threads; pairs that others have in hand last, if at all."""
        left, until = [*members], self.clock() + PATIENCE
        while left:
            busy: list[Member] = []
            for member, synced in self._all_of(left):
                if synced is None:
                    busy.append(member)
                else:
                    until = self.clock() + PATIENCE
                    yield synced
            left = busy
            if left and self.clock() > until:
                yield from (Synced(member.pair, None) for member in left)
                return
            if left:
                time.sleep(LOOK_AGAIN)

    def _all_of(self, members: Iterable[Member]) -> Iterator[tuple[Member, Synced | None]]:
        waiting, ended, stopped = Waiting(members), queue.SimpleQueue[Any](), threading.Event()

        def work() -> None:
            while not stopped.is_set() and (member := waiting.next()) is not None:
                if synced := self._one(member):
                    ended.put((member, synced))
                    waiting.end(member)
                else:
                    waiting.set_aside(member, LOOK_AGAIN)
            ended.put(None)

        threads = [threading.Thread(target=work, name=f"fleet {number}", daemon=True) for number in range(self.at_once)]
        try:
            for thread in threads:
                thread.start()
            at_work = len(threads)
            while at_work:
                if (said := ended.get()) is None:
                    at_work -= 1
                else:
                    yield said
            yield from ((member, None) for member in waiting.aside)
        finally:
            stopped.set()

    def _one(self, member: Member) -> Synced | None:
        """Returns: None if another process has the pair, or its base, in hand."""
        try:
            settings = member.settings()
            with quiet_lock(self.store, f"fleet {settings.airtable_base_id}"):
                known = self._known(member)
                if known.due > max(member.due, self.clock()):  # somebody has synced it since
                    return Synced(member.pair, None)
                began = self.clock()
                options = replace(self.options, pair=member.pair)
                report = self.run(settings, options, self.steps, self.transport, self.store)
                if report.exit_code == Exit.BUSY:
                    return None
                self._note(known, report, began)
                if member.has_neighbours and not self.store.database.is_sqlite:
                    time.sleep(ARRIVALS)  # another machine may be next, which knows nothing of what was asked here
        except BusyError:
            return None
        except Exception as error:
            report = self._failed(member, error)
        return Synced(member.pair, report)

    def _failed(self, member: Member, error: Exception) -> Report:
        report = Report(dry_run=self.options.dry_run)
        if not isinstance(error, LeadsyncError):
            log.error("Pair %s: unexpected %s", member.pair, type(error).__name__, exc_info=error)
            error = LeadsyncError(f"Unexpected {type(error).__name__}, of which the run's log says more.")
        report.fail(error)
        with suppress(LeadsyncError):
            self._note(self._known(member), report, self.clock())
        return report

    def _known(self, member: Member) -> PairRun:
        return self.store.pair_runs.load(pair=member.pair) or PairRun(member.pair)

    def _note(self, known: PairRun, report: Report, began: float) -> None:
        if not self.options.dry_run:
            self.store.pair_runs.save(after(known, report, began, self.every))


def after(known: PairRun, report: Report, began: float, every: float) -> PairRun:
    """What is known of a pair once it was run. `began`, `every`: in seconds."""
    if report.exit_code == Exit.DONE:
        return replace(known, due=began + every, succeeded=began, failures=0, message=report.message)
    wait = min(max(every, SHORTEST) * 2 ** min(known.failures, 20), LONGEST)
    return replace(known, due=began + wait, failures=known.failures + 1, message=report.message)


class KeptLines(Lines):
    """Connections that all pairs use, so that there is one greeting a thread and not one a pair."""

    def close(self) -> None:
        """Others go on with them."""


def shared_transport(budgets: Budgets, at_once: int = AT_ONCE) -> Transport:
    """The way to both services for all pairs of a process."""
    lines, windows = KeptLines(pool_maxsize=2 * at_once), Windows()

    def transport(service: Service, pace: Pace, secrets: tuple[str, ...], **more: Any) -> Wire:
        of, window = budgets.of(service.name, secrets), windows.of(service.name, pace)
        return Wire(service, pace, secrets, adapter=lines, budgets=of, window=window, **more)

    return transport
