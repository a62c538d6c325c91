"""What the history of a world says, opened beside its runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from leadsync.state.history import PastChange, PastRun
from leadsync.state.store import StateStore
from support.harness import World

MOVES_ALONE = ("due_complete", "seen_status")
"""Columns of the base that follow one side's without any write."""


@contextmanager
def opened(world: World) -> Iterator[tuple[StateStore, str]]:
    """The state and the pair's key."""
    store = StateStore(world.env["SYNC_STATE_URL"])
    try:
        yield store, f"{world.airtable.base_id}/Leads/{world.trello.board_id}"
    finally:
        store.close()


def runs_of(world: World) -> list[PastRun]:
    """Newest first."""
    with opened(world) as (store, pair):
        return store.history.runs(pair)


def changes_of(world: World, run_id: str | None = None) -> list[PastChange]:
    """Of one run, by default of all, in the order in which they were recorded."""
    with opened(world) as (store, pair):
        ids = [run_id] if run_id else [run.run_id for run in store.history.runs(pair)]
        found = [change for each in ids for change in store.history.changes(pair, each)]
    return sorted(found, key=lambda change: change.number)


def told(change: PastChange) -> tuple[str, str, tuple[str, str], tuple[str, str]]:
    """A change as (field, rule, both values before, both after)."""
    entry = change.entry
    return entry.field, entry.rule.value, tuple(entry.before), tuple(entry.after)


def assert_agrees_with_base(world: World) -> None:
    """What the history says was agreed last about a cell is what the base says; of a card let go it says nothing."""
    with opened(world) as (store, pair):
        latest: dict[tuple[str, str], object] = {}
        lines = {each.lead_id: each.entry.after.trello for each in changes_of(world) if each.entry.field == "marker"}
        for change in changes_of(world):
            if lines.get(change.lead_id) == "" and store.journal.load_row(pair, change.lead_id) is None:
                continue
            latest |= {(change.lead_id, column): value for column, value in change.entry.now.items()}
        for (lead, column), value in latest.items():
            if column in MOVES_ALONE:
                continue
            row = store.journal.load_row(pair, lead)
            assert row is not None, lead
            assert row.get(column) == value, (lead, column)


def seen(world: World) -> dict[str, Any]:
    """Everything people see: leads' cells, and of cards what does not change by itself."""
    kept = ("name", "desc", "closed", "idList", "due", "start", "dueComplete", "idLabels", "idMembers")
    cards = {
        card_id: {
            **{key: sorted(card[key]) if isinstance(card[key], list) else card[key] for key in kept},
            "custom": world.trello.custom_fields(card_id),
        }
        for card_id, card in world.trello.cards().items()
    }
    leads = {
        lead: {column: sorted(held) if isinstance(held, list) else held for column, held in cells.items()}
        for lead, cells in world.airtable.records().items()
    }
    return {"leads": leads, "cards": cards}
