"""What a report leaves to a person: what happened, and what to do about it. Never here: how it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leadsync.core.conflicts import Conflict
from leadsync.report.report import Report, Row

SETTLED = ("Airtable wins", "Trello wins", "both kept", "decided anew", "in force")
"""How conflicts are settled of which nobody has to do anything."""
REMEDIES = {
    "lead deleted": "Archive the card, or restore the lead in Airtable's trash.",
    "mapping changed": "Edit the one that is wrong.",
    "edited meanwhile": "Enter the value once more where it is to stand.",
}
"""By the kind of a conflict that stays."""
MAKE_EQUAL = "Make both sides equal, or run once with --conflict airtable or --conflict trello."


@dataclass(frozen=True)
class ToDo:
    """One thing: the row it is about, what is the matter, and what to do."""

    row: Row
    what: str
    remedy: str


def to_do(report: Report) -> list[ToDo]:
    """Failures first, then conflicts that stay, then what is set aside."""
    return [*_failed(report), *_in_conflict(report), *_aside(report)]


def _failed(report: Report) -> Iterator[ToDo]:
    for failure in report.failures:
        yield ToDo(failure, f"not written: {failure.reason}", failure.remedy)


def _in_conflict(report: Report) -> Iterator[ToDo]:
    for conflict in report.conflicts:
        if conflict.resolution not in SETTLED:
            yield ToDo(conflict, str(conflict), REMEDIES.get(conflict.kind, MAKE_EQUAL))


def _aside(report: Report) -> Iterator[ToDo]:
    for aside in report.quarantine:
        what = f"{aside.field} is set aside" if aside.field else "set aside"
        yield ToDo(aside, f"{what}: {aside.reason}", aside.remedy)


def settled(report: Report) -> list[Conflict]:
    """The conflicts of which both values are told, and nothing has to be done."""
    return [conflict for conflict in report.conflicts if conflict.resolution in SETTLED]
