"""What tells of a pair that it lives: when a sync of it last succeeded, and what waits. Never here: a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from leadsync.pipeline.clients import month_name, now_utc
from leadsync.pipeline.lists import known_pair
from leadsync.settings import Settings
from leadsync.state.store import StateStore

SUCCESS: Final = "success "
"""Begins the key, which ends in the pair's."""


@dataclass(frozen=True)
class VitalSigns:
    """
    Of one pair. `succeeded_at`: [s since 1970], None if never. `conflicts`: those that wait for a person.

    `calls`: requests to Airtable this month, of all pairs that share the state, as the quota counts them.
    """

    pair: str
    succeeded_at: float | None
    conflicts: int
    calls: int


def note_success(store: StateStore, pair: str, now: float) -> None:
    """A sync of the pair has come to its end without a failure."""
    store.facts.save(SUCCESS + pair, {"at": now})


def signs_of(settings: Settings, store: StateStore) -> list[VitalSigns]:
    """Of every pair in the state; that of the settings is there though it never succeeded. Raises: StateStoreError."""
    ours, calls = known_pair(settings, store), store.calls.load(month_name(now_utc()))
    succeeded: dict[str, float | None] = {ours.key: None} if ours else {}
    succeeded |= {key.removeprefix(SUCCESS): facts["at"] for key, facts in store.facts.load_all(SUCCESS).items()}
    return [VitalSigns(pair, at, len(store.waiting.conflicts(pair)), calls) for pair, at in sorted(succeeded.items())]
