"""Which of the conflicts that are kept a person means, and what has waited for one too long. Never here: a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from leadsync.core.conflicts import Conflict
from leadsync.core.told import SetAside
from leadsync.errors import ConfigurationError
from leadsync.mapping.rules import Listed, Take
from leadsync.pipeline.lists import known_pair
from leadsync.pipeline.steps import Chosen
from leadsync.settings import Settings
from leadsync.state.store import StateStore
from leadsync.state.waiting import OpenConflict

TOO_LONG: Final = 86_400.0
"""Seconds that a conflict, or what is set aside, may wait before somebody is told of it once more."""
NAMED: Final = 5


@dataclass(frozen=True)
class NamedConflict:
    """An open conflict as people are told of it. `base`: None for a first match. `since`: [s since 1970]."""

    lead_id: str
    card_id: str
    name: str
    field: str
    base: str | None
    airtable: str
    trello: str
    kind: str
    since: float


def conflicts_of(settings: Settings) -> list[NamedConflict]:
    """
    The open conflicts of the pair that the settings name, oldest first; no request.

    Raises: StateStoreError.
    """
    store = StateStore(settings.sync_state_url.get_secret_value())
    try:
        pair = known_pair(settings, store)
        known = store.waiting.conflicts(pair.key) if pair else []
        return sorted((_named(each, store, pair.key) for each in known if pair), key=lambda each: each.since)
    finally:
        store.close()


def _named(each: OpenConflict, store: StateStore, pair: str) -> NamedConflict:
    of, agreed = each.conflict, store.journal.load_row(pair, each.conflict.lead_id)
    name = (agreed.title or agreed.name) if agreed else ""
    values = (of.base, of.airtable, of.trello, of.kind)
    return NamedConflict(of.lead_id, of.card_id, name, of.field, *values, each.since)


def meant_by(chosen: Chosen, known: Sequence[OpenConflict], columns: Mapping[str, str]) -> Take:
    """
    The conflicts that are meant. `columns`: those of the mapping's cells, by name.

    Raises: ConfigurationError that says which conflicts there are.
    """
    of_lead = [each for each in known if chosen.lead in (each.conflict.lead_id, each.conflict.card_id)]
    if not of_lead:
        leads = list(dict.fromkeys(each.conflict.lead_id for each in known))
        more = f" and {len(leads) - NAMED} more" if len(leads) > NAMED else ""
        there = f"there are some of {', '.join(leads[:NAMED])}{more}" if leads else "none is open"
        raise ConfigurationError(f"No conflict of {chosen.lead!r} is known; {there}. Nothing was written.")
    fields = [each.conflict.field for each in of_lead]
    named = chosen.field.casefold()
    ours = [each for each in of_lead if named in ("", *_names(each, columns))]
    if not ours:
        raise ConfigurationError(
            f"No conflict about {chosen.field!r} of {chosen.lead} is known; there are some about: {', '.join(fields)}. "
            "Nothing was written."
        )
    listed = {each.cell: Listed(each.conflict.field, each.conflict.airtable, each.conflict.trello) for each in ours}
    return Take(of_lead[0].conflict.lead_id, chosen.side, listed)


def _names(each: OpenConflict, columns: Mapping[str, str]) -> list[str]:
    return [name.casefold() for name in (each.conflict.field, columns.get(each.cell, each.conflict.field))]


def still_open(take: Take, known: Sequence[OpenConflict]) -> Take:
    """What is left of it."""
    left = {each.cell for each in known if each.conflict.lead_id == take.lead_id}
    return replace(take, cells={cell: listed for cell, listed in take.cells.items() if cell in left})


def standing(store: StateStore, pair: str) -> frozenset[Conflict | SetAside]:
    """Conflicts that are open, and what is set aside, as the run before has listed them."""
    conflicts = [each.conflict for each in store.waiting.conflicts(pair)]
    return frozenset([*conflicts, *(each.entry for each in store.waiting.aside(pair))])


def waiting_longer(store: StateStore, pair: str, now: float) -> list[str]:
    """
    Open conflicts, and what is set aside, since more than a day, a line each.

    By ids and names of cells: the lines go to a chat, where a person's text does not belong.
    """
    conflicts = [(each.since, _conflict_told(each.conflict)) for each in store.waiting.conflicts(pair)]
    aside = [(each.since, _aside_told(each.entry)) for each in store.waiting.aside(pair)]
    late = sorted(each for each in conflicts + aside if now - each[0] > TOO_LONG)
    return [f"{told}, since {datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M} UTC" for since, told in late]


def _conflict_told(conflict: Conflict) -> str:
    return f"{conflict.lead_id}: conflict about {conflict.field}"


def _aside_told(entry: SetAside) -> str:
    return f"{entry.lead_id or entry.card_id}: {entry.field or f'card {entry.card_id}'} is set aside"
