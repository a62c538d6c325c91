"""What a report leaves to a person: what happened, and what to do about it. Never here: how it is shown."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import shorten

from leadsync.core.conflicts import Conflict
from leadsync.core.told import SetAside, sides_to_take
from leadsync.errors import Exit
from leadsync.report.report import Finding, Report, Row

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
    take = _command("airtable", conflict.lead_id, report)
    if conflict.kind == LEAD_DELETED:
        words = f"Restore the lead in Airtable's trash, or archive its card: {take}"
    else:
        words = f"Make both sides equal, or: {take} --field {shlex.quote(conflict.field)}, or the same with trello"
    return _once_listed(words, conflict, report)


def _command(side: str, lead_id: str, report: Report) -> str:
    pair = f" --pair {shlex.quote(report.pair_name)}" if report.pair_name else ""
    return f"python flows/conflicts.py take {side} --lead {lead_id}{pair}"


def _once_listed(words: str, finding: Finding, report: Report) -> str:
    is_kept = finding in report.standing or not (report.dry_run or report.exit_code is Exit.REFUSED)
    return words if is_kept else f"{words}, once a sync has listed it"


def _aside(report: Report) -> Iterator[ToDo]:
    for aside in report.quarantine:
        what = f"{aside.field} is set aside" if aside.field else "set aside"
        yield ToDo(aside, f"{what}: {aside.reason}", " ".join((aside.remedy, *_taken(aside, report))))


def by_command(report: Report) -> list[ToDo]:
    """The conflicts that stay, and the cells set aside of which one side can be taken: with the very command."""
    aside = [ToDo(each, "", " ".join(_taken(each, report))) for each in report.quarantine]
    return [*in_conflict(report), *(each for each in aside if each.remedy)]


def _taken(aside: SetAside, report: Report) -> Iterator[str]:
    """By which command one side is taken, and what the other is given then."""
    for side, other, value in sides_to_take(aside):
        take, field = _command(side, aside.lead_id, report), shlex.quote(aside.field)
        shown = shorten(value, 60, placeholder="…") or "(empty)"
        yield _once_listed(f"To have {aside.field} {shown} on {other}, too: {take} --field {field}", aside, report)


def settled(report: Report) -> list[Conflict]:
    """The conflicts of which both values are told, and nothing has to be done."""
    return [conflict for conflict in report.conflicts if conflict.resolution in SETTLED]
