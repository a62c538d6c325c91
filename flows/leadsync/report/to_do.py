"""What a report leaves to a person: what happened, and what to do about it. Never here: how it is shown."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from leadsync.core.conflicts import Conflict
from leadsync.errors import Exit
from leadsync.report.report import Report, Row

SETTLED = ("Airtable wins", "Trello wins", "both kept", "decided anew", "in force")
"""How conflicts are settled of which nobody has to do anything."""
REMEDIES = {
    "mapping changed": "Edit the one that is wrong.",
    "edited meanwhile": "Enter the value once more where it is to stand.",
}
"""By the kind of a conflict that stays, and is not kept."""
LEAD_DELETED = "lead deleted"


@dataclass(frozen=True)
class ToDo:
    """One thing: the row it is about, what is the matter, and what to do."""

    row: Row
    what: str
    remedy: str


def to_do(report: Report) -> list[ToDo]:
    """Failures first, then conflicts that stay, then what is set aside."""
    return [*_failed(report), *in_conflict(report), *_aside(report)]


def _failed(report: Report) -> Iterator[ToDo]:
    for failure in report.failures:
        yield ToDo(failure, f"not written: {failure.reason}", failure.remedy)


def in_conflict(report: Report) -> list[ToDo]:
    """The conflicts that stay, with the command that settles them, if they are kept for one."""
    return [
        ToDo(conflict, str(conflict), REMEDIES.get(conflict.kind) or _settles(conflict, report))
        for conflict in report.conflicts
        if conflict.resolution not in SETTLED
    ]


def _settles(conflict: Conflict, report: Report) -> str:
    """The very command. It settles what the state keeps: a dry run, or one that was refused, adds nothing to that."""
    pair = f" --pair {shlex.quote(report.pair_name)}" if report.pair_name else ""
    take = f"python flows/conflicts.py take airtable --lead {conflict.lead_id}{pair}"
    if conflict.kind == LEAD_DELETED:
        words = f"Restore the lead in Airtable's trash, or archive its card: {take}"
    else:
        words = f"Make both sides equal, or: {take} --field {shlex.quote(conflict.field)}, or the same with trello"
    is_kept = conflict in report.standing or not (report.dry_run or report.exit_code is Exit.REFUSED)
    return words if is_kept else f"{words}, once a sync has listed it"


def _aside(report: Report) -> Iterator[ToDo]:
    for aside in report.quarantine:
        what = f"{aside.field} is set aside" if aside.field else "set aside"
        yield ToDo(aside, f"{what}: {aside.reason}", aside.remedy)


def settled(report: Report) -> list[Conflict]:
    """The conflicts of which both values are told, and nothing has to be done."""
    return [conflict for conflict in report.conflicts if conflict.resolution in SETTLED]
