"""
The pairs of a fleet: which are due, and whose turn is next. Never here: a sync (see fleet.py), Prefect.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from leadsync.errors import ConfigurationError
from leadsync.settings import Settings
from leadsync.state.store import StateStore
from leadsync.texts import there_are


@dataclass(frozen=True)
class Member:
    """
    A pair of the fleet. `base`, `shares`: what tells its base and its credentials from others'.

    `settings`: raises ConfigurationError; `due`: by our clock [s since 1970]; `has_neighbours`: other pairs are of the
    same base.
    """

    pair: str
    base: str
    shares: str
    settings: Callable[[], Settings]
    due: float = 0.0
    has_neighbours: bool = False


def due_members(there: Sequence[Member], store: StateStore, now: float, only: Collection[str] = ()) -> list[Member]:
    """
    Those of the pairs that are to be synced, longest overdue first. `only`: these, due or not.

    What is known of pairs that are not there any more is forgotten. Raises: ConfigurationError if one is not there.
    """
    names = {member.pair for member in there}
    if unknown := [pair for pair in only if pair not in names]:
        said = " or ".join(map(repr, unknown))
        raise ConfigurationError(f"There is no pair {said}; {there_are(sorted(names), *unknown)}")
    known = store.pair_runs.load_all()
    if gone := known.keys() - names:
        store.pair_runs.drop(pair=gone)
    pairs = Counter(member.base for member in there)
    timed = (
        replace(
            member,
            due=known[member.pair].due if member.pair in known else 0.0,
            has_neighbours=pairs[member.base] > 1,
        )
        for member in there
    )
    wanted = (member for member in timed if (member.pair in only if only else member.due <= now))
    return sorted(wanted, key=lambda member: (member.due, member.pair))


class Waiting:
    """
    The pairs still to be synced, longest overdue first, of a base one at a time. Safe for threads.

    Of those that share credentials no more are at work than of others, so that no budget lies idle while there is
    something to do with it.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        self._changed, self._at_work, self._bases = threading.Condition(), Counter[str](), set[str]()
        self._left: dict[str, list[Member]] = {}
        self.aside, self._until = list[Member](), 0.0
        for member in sorted(members, key=lambda each: (each.due, each.pair)):
            self._left.setdefault(member.shares, []).append(member)

    def next(self) -> Member | None:
        """
        The next one, once there is one; None if none is left. `end` or `set_aside` must follow.

        Those set aside come again while others are at work; once nobody is, they stay in `aside`.
        """
        with self._changed:
            while any(self._left.values()) or (self.aside and self._at_work.total()):
                if self.aside and (wait := self._until - time.monotonic()) <= 0:
                    self._bring_back()
                firsts = filter(None, map(self._first_of, self._left.values()))
                first = min(firsts, key=lambda each: (self._at_work[each.shares], each.due), default=None)
                if first is not None:
                    self._left[first.shares].remove(first)
                    self._at_work[first.shares] += 1
                    self._bases.add(first.base)
                    return first
                self._changed.wait(max(wait, 0.001) if self.aside else None)
            return None

    def end(self, member: Member) -> None:
        """It is no more at work."""
        with self._changed:
            self._at_work[member.shares] -= 1
            self._bases.discard(member.base)
            self._changed.notify_all()

    def set_aside(self, member: Member, seconds: float) -> None:
        """Somebody else has it in hand: it comes again after so long at the earliest."""
        with self._changed:
            if not self.aside:
                self._until = time.monotonic() + seconds
            self.aside.append(member)
            self.end(member)

    def _bring_back(self) -> None:
        for member in self.aside:
            self._left[member.shares].append(member)
        self.aside.clear()

    def _first_of(self, members: list[Member]) -> Member | None:
        return next((member for member in members if member.base not in self._bases), None)
