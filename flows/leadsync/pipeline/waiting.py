"""Which of what waits for a person somebody means, and what has waited for one too long. Never here: a rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from leadsync.core.conflicts import Conflict
from leadsync.core.told import Change, Failure, SetAside, sides_to_take
from leadsync.errors import ConfigurationError, GuardError
from leadsync.mapping.cells import Cell
from leadsync.mapping.rules import Listed, Take
from leadsync.model import ConflictPolicy
from leadsync.pipeline.lists import known_pair
from leadsync.pipeline.steps import Chosen
from leadsync.settings import Settings
from leadsync.state.store import StateStore
from leadsync.state.waiting import OpenConflict, Waiting

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


@dataclass(frozen=True)
class NamedAside:
    """What is set aside as people are told of it, see SetAside. `since`: [s since 1970]."""

    lead_id: str
    card_id: str
    name: str
    field: str
    reason: str
    remedy: str
    airtable: str | None
    trello: str | None
    to_airtable: str | None
    to_trello: str | None
    since: float


def waiting_of(settings: Settings) -> tuple[list[NamedConflict], list[NamedAside]]:
    """
    The open conflicts of the pair that the settings name, and what of it is set aside, oldest first; no request.

    Raises: StateStoreError.
    """
    store = StateStore(settings.sync_state_url.get_secret_value())
    try:
        pair = known_pair(settings, store)
        if pair is None:
            return [], []
        conflicts = [_named(each, store, pair.key) for each in store.waiting.conflicts(pair.key)]
        aside = [_named_aside(each, store, pair.key) for each in store.waiting.aside(pair.key)]
        return sorted(conflicts, key=lambda each: each.since), sorted(aside, key=lambda each: each.since)
    finally:
        store.close()


def _named(each: OpenConflict, store: StateStore, pair: str) -> NamedConflict:
    of = each.conflict
    values = (of.base, of.airtable, of.trello, of.kind)
    return NamedConflict(of.lead_id, of.card_id, _name(of.lead_id, store, pair), of.field, *values, each.since)


def _named_aside(each: Waiting, store: StateStore, pair: str) -> NamedAside:
    of = each.entry
    sides = (of.airtable, of.trello, of.to_airtable, of.to_trello)
    name = _name(of.lead_id, store, pair)
    return NamedAside(of.lead_id, of.card_id, name, of.field, of.reason, of.remedy, *sides, each.since)


def _name(lead_id: str, store: StateStore, pair: str) -> str:
    agreed = store.journal.load_row(pair, lead_id)
    return (agreed.title or agreed.name) if agreed else ""


def meant_by(chosen: Chosen, store: StateStore, pair: str, cells: Sequence[Cell]) -> Take:
    """
    What is meant of the open conflicts and of what is set aside; of all of a lead that is set aside what can be taken,
    if there is any. `cells`: those of the mapping.

    Raises: ConfigurationError that says what there is. GuardError about what waits and has no sides to take.
    """
    named = {cell.field: cell.name for cell in cells}
    known: list[tuple[Conflict | SetAside, str]]
    known = [(each.conflict, each.cell) for each in store.waiting.conflicts(pair)]
    aside = [each.entry for each in store.waiting.aside(pair)]
    known += [(entry, named.get(entry.field, entry.field)) for entry in aside]
    of_lead = [(of, cell) for of, cell in known if chosen.lead in (of.lead_id, of.card_id)]
    columns = {cell.name: cell.column.name for cell in cells}
    wanted = chosen.field.casefold()
    ours = [(of, cell) for of, cell in of_lead if wanted in ("", of.field.casefold(), columns.get(cell, "").casefold())]
    of_side = [(of, cell) for of, cell in ours if _can_be_taken(of, chosen.side)] if not wanted else []
    if listed := {cell: meant for of, cell in of_side or ours if (meant := _listed(of))}:
        return Take(ours[0][0].lead_id, chosen.side, listed)
    failed = store.ends.load(pair).failed
    found: list[Conflict | SetAside | Failure] = [of for of, _ in ours]
    found += [each for each in failed.failures if each.lead_id == chosen.lead and not of_lead] if failed else []
    for each in found:
        if not isinstance(each, Conflict):
            told = f"{each.lead_id or each.card_id} has no cell of which a side can be taken: {each.reason}."
            raise GuardError(f"{told} {each.remedy} Nothing was written.")
    raise ConfigurationError(_there_are(chosen, [of for of, _ in of_lead], [of for of, _ in known]))


def _can_be_taken(of: Conflict | SetAside, side: ConflictPolicy) -> bool:
    return isinstance(of, Conflict) or any(can_be is side for can_be, *_ in sides_to_take(of))


def _listed(of: Conflict | SetAside) -> Listed | None:
    """None of what is no cell with two sides."""
    if of.airtable is None or of.trello is None:
        return None
    return Listed(of.field, of.airtable, of.trello, isinstance(of, SetAside))


def _there_are(chosen: Chosen, of_lead: Sequence[Conflict | SetAside], known: Sequence[Conflict | SetAside]) -> str:
    if of_lead:
        fields = ", ".join(dict.fromkeys(of.field for of in of_lead if of.field)) or "the card as a whole"
        told = f"No conflict about {chosen.field!r} of {chosen.lead} is known; there are some about: {fields}."
        return f"{told} Nothing was written."
    leads = list(dict.fromkeys(of.lead_id for of in known if of.lead_id))
    more = f" and {len(leads) - NAMED} more" if len(leads) > NAMED else ""
    there = f"there are some of {', '.join(leads[:NAMED])}{more}" if leads else "none is open"
    return f"No conflict of {chosen.lead!r} is known; {there}. Nothing was written."


def still_open(take: Take, store: StateStore, pair: str) -> Take:
    """What is left of it."""
    left = {each.cell for each in store.waiting.conflicts(pair) if each.conflict.lead_id == take.lead_id}
    fields = {each.entry.field for each in store.waiting.aside(pair) if each.entry.lead_id == take.lead_id}
    kept = {
        cell: listed
        for cell, listed in take.cells.items()
        if (listed.field in fields if listed.is_aside else cell in left)
    }
    return replace(take, cells=kept)


def without_taken(
    entries: Iterable[SetAside], take: Take | None, done: Iterable[Change] | None = None
) -> list[SetAside]:
    """What is set aside but for what is taken. `done`: what was written; None stands for all that is meant."""
    if take is None:
        return [*entries]
    fields = {listed.field for listed in take.cells.values() if listed.is_aside}
    if done is not None:
        fields &= {change.field for change in done if change.lead_id == take.lead_id}
    return [each for each in entries if each.lead_id != take.lead_id or each.field not in fields]


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
