"""
Threads of a run that take turns: one goes on at a time, and at each request and each wait a seed says which.

Waiting takes no time: when nobody else can go on, the clock is moved to the moment at which the first one wakes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures._base import DoneAndNotDoneFutures
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest.mock import patch

from emulator import ManualClock

STUCK = 60.0
"""Seconds of real time after which a turn that does not come is a defect: somebody waits for what only we hand out."""


@dataclass(eq=False)
class Turn:
    """A thread's place in the round. until: asleep till then. awaits: what one of must be done."""

    until: float = 0.0
    awaits: Collection[Future[Any]] = ()
    came: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def is_ready(self) -> bool:
        return not self.awaits or any(each.done() for each in self.awaits)


class Told(Future[Any]):
    """What comes of a step that takes turns with others."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def result(self, timeout: float | None = None) -> Any:
        self._turns.until_done([self])
        return super().result(0)


class Turns:
    """`order`: the seed; with 0 there are no threads, and what is started is done before anything else."""

    def __init__(self, order: int, clock: ManualClock) -> None:
        self._rng, self._clock = Random(order) if order else None, clock
        self._now = Turn()
        self._all = [self._now]
        self._started: list[Told] = []

    @contextmanager
    def side_by_side(self) -> Iterator[Callable[..., Told]]:
        """As pipeline.steps.side_by_side."""
        yield self.submit

    @contextmanager
    def of_run(self) -> Iterator[None]:
        """While a run goes on. At its end nobody is left behind."""
        writers = {"leadsync.apply.cards": 4, "leadsync.apply.leads": 2}
        with ExitStack() as patched:
            for module, number in writers.items():
                patched.enter_context(patch(f"{module}.WRITERS", number if self._rng else 1))
            patched.enter_context(patch("leadsync.apply.outcome.ThreadPoolExecutor", self._pool))
            patched.enter_context(patch("leadsync.apply.cards.wait", self._wait))
            try:
                yield
            finally:
                for each in self._started:
                    self.until_done([each])
                self._started.clear()

    def submit(self, step: Callable[..., Any], *args: Any, **more: Any) -> Told:
        """Start a step beside others."""
        told = Told(self)
        if self._rng is None:
            _do(told, lambda: step(*args, **more))
            return told
        turn = Turn()
        self._started.append(told)
        self._all.append(turn)
        threading.Thread(target=self._body, args=(turn, told, lambda: step(*args, **more)), daemon=True).start()
        return told

    def pass_on(self) -> None:
        """Perhaps another thread goes on first."""
        if len(self._all) > 1:
            mine = self._now
            if (following := self._following()) is not mine:
                self._hand_to(following)
                self._await_turn(mine)

    def sleep(self, seconds: float) -> None:
        """Others go on meanwhile."""
        until = self._clock.now() + max(0.0, seconds)
        if len(self._all) > 1:
            self._now.until = until
            self.pass_on()
        self._clock.advance(max(0.0, until - self._clock.now()))

    def until_done(self, futures: Collection[Future[Any]]) -> None:
        """Others go on until one of them is."""
        if not any(each.done() for each in futures):
            self._now.awaits = futures
            self.pass_on()
            self._now.awaits = ()

    def _body(self, turn: Turn, told: Told, step: Callable[[], Any]) -> None:
        self._await_turn(turn)
        _do(told, step)
        self._all.remove(turn)
        self._hand_to(self._following())

    def _following(self) -> Turn:
        assert self._rng is not None
        ready = [turn for turn in self._all if turn.is_ready]
        first = min(turn.until for turn in ready)
        self._clock.advance(max(0.0, first - self._clock.now()))
        return self._rng.choice([turn for turn in ready if turn.until <= self._clock.now()])

    def _hand_to(self, turn: Turn) -> None:
        self._now = turn
        turn.came.release()

    def _await_turn(self, turn: Turn) -> None:
        if not turn.came.acquire(timeout=STUCK):
            raise AssertionError("a thread's turn never came")

    def _pool(self, _number: int, thread_name_prefix: str) -> Pool:
        return Pool(self)

    def _wait(self, futures: Iterable[Future[Any]], return_when: str) -> DoneAndNotDoneFutures[Any]:
        self.until_done(list(futures))
        done = {each for each in futures if each.done()}
        return DoneAndNotDoneFutures(done, set(futures) - done)


class Pool:
    """What is used of a ThreadPoolExecutor."""

    def __init__(self, turns: Turns) -> None:
        self._turns, self._told = turns, list[Told]()

    def submit(self, step: Callable[..., Any], *args: Any) -> Told:
        self._told.append(self._turns.submit(step, *args))
        return self._told[-1]

    def map(self, step: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        started = [self.submit(step, item) for item in items]
        return (each.result() for each in started)

    def shutdown(self, wait: bool = True, cancel_futures: bool = False) -> None:
        for each in self._told:
            if cancel_futures:
                each.cancel()
            if wait:
                self._turns.until_done([each])


def _do(told: Told, step: Callable[[], Any]) -> None:
    if not told.set_running_or_notify_cancel():
        return
    try:
        told.set_result(step())
    except BaseException as error:
        told.set_exception(error)
