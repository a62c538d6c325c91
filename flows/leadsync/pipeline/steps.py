"""
How the steps of a sync are called: as the plain functions that they are, or each as a Prefect task.

What is never here: a step, Prefect.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, Generic, ParamSpec, Protocol, TypeVar

from leadsync.apply.outcome import Progress
from leadsync.core.saved_plan import SavedPlan
from leadsync.model import Adopt, ConflictPolicy, Read, Review

P = ParamSpec("P")
R = TypeVar("R")
Told = TypeVar("Told", covariant=True)


@dataclass(frozen=True)
class Chosen:
    """Which side wins the conflicts of a lead, by its id or its card's. `field`: one of them, "" for all."""

    side: ConflictPolicy
    lead: str
    field: str = ""


@dataclass(frozen=True)
class UndoChoice:
    """The run that is to be taken back, by its id or the beginning of it; of that a lead and a field, "" for all."""

    run: str
    lead: str = ""
    field: str = ""


@dataclass(frozen=True)
class Options:
    """
    The choices of one run. `saves`: the report of a dry run is to hold the plan; `expects_nothing`: it fails if there
    is anything to do. `plan`: nothing but this is to be written, and it needs no `review`; `take`: nothing but these
    conflicts is settled. `undo`: nothing but this is done. `untie`: the lead of whose card the copies are made cards of
    their own, and nothing else. `explains`: the lead of which the report of a dry run is to say why it is so. `pair`:
    the name of the pair's block, for commands that the report tells; "" if it has none.
    """

    dry_run: bool = False
    allow_mass_change: bool = False
    conflict: ConflictPolicy | None = None
    read: Read = Read.FULL
    paced: bool = False
    adopt: Adopt = Adopt.ASK
    saves: bool = False
    expects_nothing: bool = False
    plan: SavedPlan | None = None
    review: Review = Review.NEVER
    take: Chosen | None = None
    undo: UndoChoice | None = None
    untie: str = ""
    explains: str = ""
    pair: str = ""

    @property
    def is_sync(self) -> bool:
        """Whether all is to be brought in step, in earnest."""
        return not (self.dry_run or self.expects_nothing or self.take or self.undo or self.untie)

    @property
    def sync_command(self) -> str:
        """What is typed to sync this pair."""
        return shlex.join(["flows/sync.py", *(["--pair", self.pair] if self.pair else ())])


class Call(Protocol):
    """How a step is called."""

    def __call__(self, step: Callable[P, R], /, *args: P.args, **more: P.kwargs) -> R:
        """Returns: what the step returns."""


class UnderWay(Protocol[Told]):
    """A step that was started."""

    def result(self) -> Told:
        """Wait for it. Returns: what the step returns."""


class Submit(Protocol):
    """How a step is started beside others."""

    def __call__(self, step: Callable[P, R], /, *args: P.args, **more: P.kwargs) -> UnderWay[R]:
        """Do not wait for it."""


def call_directly(step: Callable[P, R], /, *args: P.args, **more: P.kwargs) -> R:
    """A step is just called."""
    return step(*args, **more)


@contextmanager
def side_by_side() -> Iterator[Submit]:
    """Steps run in threads."""
    with ThreadPoolExecutor(2, thread_name_prefix="extract") as pool:
        yield pool.submit


@dataclass(frozen=True)
class Ended(Generic[R]):
    """A step that is over already."""

    value: R

    def result(self) -> R:
        """What the step returned."""
        return self.value


@contextmanager
def one_by_one() -> Iterator[Submit]:
    """Steps run when they are started: where many runs go on at once, threads of their own gain nothing."""
    yield lambda step, /, *args, **more: Ended(step(*args, **more))


def no_progress(what: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Steps:
    """`submit`: inside of it steps are started side by side. `flow_run`: Prefect's id of the run that they are of."""

    call: Call = call_directly
    submit: Callable[[], AbstractContextManager[Submit]] = side_by_side
    progress: Progress = no_progress
    flow_run: str = ""


ONE_BY_ONE: Final = Steps(submit=one_by_one)
