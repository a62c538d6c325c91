"""
Which earlier run is to be taken back, as a person named it, or as an undo that was cut off had begun.

What is never here: what becomes of a cell (see core/undo.py), a write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from leadsync.core.decisions import Direction
from leadsync.core.ledger import CARD_FIELD, ID_SHOWN, MARKED, Begun, RunKind
from leadsync.core.taken_back import Done, TakenBack, taken_back
from leadsync.errors import ConfigurationError
from leadsync.pipeline.steps import UndoChoice
from leadsync.state.history import PastChange, PastRun
from leadsync.state.store import StateStore

NAMED: Final = 3
LEAST: Final = 4
"""Characters of a run's id that a person has to give: fewer may be another run's by chance, or meant as a count."""


@dataclass(frozen=True)
class Undo:
    """A run that takes another back, and what of it. `told`: which one that is, in words."""

    begun: Begun
    cells: Sequence[TakenBack]
    told: str = ""


def run_called(store: StateStore, pair: str, named: str) -> PastRun:
    """The only run whose id is, or begins, so. Raises: ConfigurationError that says which there are."""
    found = store.history.runs_called(pair, named) if len(named) >= LEAST else []
    if len(found) == 1:
        return found[0]
    known = [run.run_id[:ID_SHOWN] for run in found or store.history.runs(pair)]
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    there = f"{', '.join(known[:NAMED])}{more}" if known else "none yet"
    problem = f"{len(found)} runs begin with {named!r}" if found else f"No run {named!r} is in the history"
    if len(named) < LEAST:
        problem = f"{named!r} may be any run's: give at least {LEAST} characters of its id"
    raise ConfigurationError(f"{problem}; there are: {there}. See flows/history.py. Nothing was written.")


def chosen_undo(choice: UndoChoice, store: StateStore, pair: str, begun: Begun) -> Undo:
    """What a person wants to have taken back, by the run `begun`. Raises: ConfigurationError."""
    run = run_called(store, pair, choice.run)
    changes = store.history.changes(pair, run.run_id)
    lead_id = next((each.lead_id for each in changes if choice.lead in (each.lead_id, each.card_id)), choice.lead)
    begun = replace(begun, kind=RunKind.UNDO, undoes=run.run_id, lead_id=lead_id, field=choice.field)
    undo = _undo(changes, begun)
    if not undo.cells:
        of = " ".join(filter(None, [f"run {run.run_id[:ID_SHOWN]}", choice.lead, choice.field]))
        reason = "its values were erased" if any(each.is_forgotten for each in changes) else "there is nothing of that"
        fields = ", ".join(sorted({each.entry.field for each in changes}))
        raise ConfigurationError(f"{of}: {reason} to be taken back. It changed: {fields}. Nothing was written.")
    of_lead = store.journal.load_row(pair, lead_id) if lead_id else None
    which = [f"{run.kind.value} of {datetime.fromtimestamp(run.at):%Y-%m-%d %H:%M}", of_lead.title if of_lead else ""]
    return replace(undo, told=", ".join(filter(None, which)))


def unfinished(store: StateStore, pair: str, kept_since: float) -> Undo | None:
    """An undo that was cut off: the next run finishes it, for half of it may be written."""
    begun = store.history.unfinished_undo(pair)
    if begun is None:
        return None
    return _undo(store.history.changes(pair, begun.undoes), replace(begun, kept_since=kept_since))


def _undo(changes: Sequence[PastChange], begun: Begun) -> Undo:
    return Undo(
        begun,
        taken_back(
            Done(each.number, each.lead_id, each.card_id, each.entry)
            for each in changes
            if begun.lead_id in ("", each.lead_id) and begun.field in ("", each.entry.field)
            if not (each.is_forgotten or each.is_reversed or each.reverses is not None)
        ),
    )


def cells_of(undo: Undo, store: StateStore, pair: str) -> list[TakenBack]:
    """What is to be taken back, and of what of it the card has its value already, by an earlier pass of this undo."""
    put = {
        (each.lead_id, each.entry.field)
        for each in store.history.changes(pair, undo.begun.run_id)
        if each.entry.direction is Direction.TO_TRELLO and not each.is_reversed and each.reverses is None
    }
    return [replace(each, is_put=(each.lead_id, each.field) in put) for each in undo.cells]


def loosened_by(store: StateStore, pair: str, undo: Undo) -> set[str]:
    """Leads whose adoption is taken back, and whose card lost its line, be it by an undo that did not get further."""
    asked = {each.lead_id for each in undo.cells if each.field == MARKED and not each.ties}
    lines = {
        each.lead_id: each.entry.after.trello
        for lead_id in asked
        for each in store.history.lead(pair, lead_id)
        if each.entry.field == MARKED
    }
    return {lead_id for lead_id, line in lines.items() if not line}


def card_ids_of(taken: Sequence[TakenBack]) -> set[str]:
    """The cards that are to be opened or archived, or that are nobody's."""
    return {each.card_id for each in taken if each.ties or (each.field == CARD_FIELD and not each.unties)}
