"""Below the doors: a run that is repeated at a steady pace until somebody stops it. Never here: what the run does."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from rich.console import Console

from leadsync.errors import ConfigurationError, Exit
from leadsync.report.report import Report
from leadsync.report.terminal import show_line
from leadsync.setting_values import duration, shown
from runs.command import undisturbed, was_stopped
from runs.here import Ended
from runs.temporary_server import stop_server

T = TypeVar("T")
SERVER_TURNS = 500
"""Turns after which Prefect's temporary server makes way for another: each was seen to leave 25 KB in its memory."""
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=366)


def take_turns(run: Callable[[], Ended], every: str, once: Sequence[str], as_json: bool) -> Exit:
    """
    `run` now and each time that `every` has passed, each told in a line on stdout, until a signal comes.

    `run`: leaves a Report. `once`: options given that are meant for a single run. Returns: the last run's exit code.
    """
    console, turns = Console(), itertools.count()

    def turn() -> Ended:
        if (made := next(turns)) and made % SERVER_TURNS == 0:
            stop_server()
        return run()

    def tell(ended: Ended) -> Exit:
        report: Report = ended.outcome
        if as_json:
            print(report.as_json(indent=None), flush=True)
        else:
            show_line(report, console)
        return report.exit_code

    try:
        seconds = seconds_between(every)
        if once:
            raise ConfigurationError(
                f"{', '.join(once)} is for one run: make that one without --every, then start this."
            )
    except ConfigurationError as error:
        report = Report()
        report.fail(error)
        return tell(Ended(report))
    return repeat(turn, tell, seconds)


def seconds_between(text: str) -> float:
    """`30s`, `15m`, `1h` or `1d` in seconds. Raises: ConfigurationError for anything else, a bare number above all."""
    try:
        pace = duration(text) if text.strip()[-1:].isalpha() else None
    except ValueError:
        pace = None
    if not pace or not SHORTEST <= pace <= LONGEST:
        raise ConfigurationError(
            f"--every {shown(text)} is no time between two syncs; write a number and a unit, as in 30s, 15m, 1h or 1d "
            f"(from {SHORTEST.seconds}s to {LONGEST.days}d)."
        )
    return float(pace.total_seconds())


def repeat(
    run: Callable[[], T],
    tell: Callable[[T], Exit],
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] = time.sleep,
) -> Exit:
    """
    A run now and one at each further multiple of `seconds`; those that a long one outlasts are left out.

    It goes on until a signal comes (see runs.command.stoppable), or the first run finds the set-up wrong, which no
    waiting cures. `tell` says how a run ended, and is not cut short. Returns: the last run's exit code.
    """
    begun, first = clock(), True
    while True:
        outcome = run()
        try:
            with undisturbed():
                code = tell(outcome)
            if was_stopped() or (first and code is Exit.MISCONFIGURED):
                return code
            first = False
            pause(seconds - (clock() - begun) % seconds)
        except KeyboardInterrupt:
            return code
