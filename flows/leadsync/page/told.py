"""A run's report in the words of the page. Pure. Never here: HTML, what is in a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from leadsync.core.decisions import Direction

WHERE: Final[Mapping[str, str]] = {Direction.TO_TRELLO: "to Trello", Direction.TO_AIRTABLE: "to Airtable"}
CARRIED: Final[Mapping[str, str]] = {
    Direction.TO_TRELLO: "Changed in Airtable since both sides last agreed; the card still holds what was agreed.",
    Direction.TO_AIRTABLE: "Changed on the card since both sides last agreed; Airtable still holds what was agreed.",
}
WHOLE: Final[Mapping[str, str]] = {
    "": "The lead has no card yet.",
    "archived": "The lead's stage is an open one again.",
}
"""Of a change of the card as a whole, by what was before."""
MARKER = "The line that ties the card to its lead was gone."


@dataclass(frozen=True)
class Told:
    """One change, planned or done."""

    lead_id: str
    name: str
    cell: str
    before: str
    after: str
    where: str
    why: str


def changes_told(report: Mapping[str, Any], names: Mapping[str, str]) -> list[Told]:
    """The changes of a report as JSON has it. `names`: lead id -> what people call it."""
    return [
        Told(
            lead_id=str(change.get("lead_id", "")),
            name=names.get(str(change.get("lead_id", "")), "") or _named_by(change),
            cell=str(change.get("field", "")),
            before=str(change.get("before", "")),
            after=str(change.get("after", "")),
            where=WHERE.get(str(change.get("direction", "")), ""),
            why=why(change),
        )
        for change in rows(report, "changes")
    ]


def why(change: Mapping[str, Any]) -> str:
    """The reason of a change, in a sentence."""
    note, cell, before = (str(change.get(key, "")) for key in ("note", "field", "before"))
    if note:
        return f"{note[0].upper()}{note[1:]}{'' if note.endswith('.') else '.'}"
    if cell == "marker":
        return MARKER
    if cell == "card":
        return WHOLE.get(before, "")
    return CARRIED.get(str(change.get("direction", "")), "")


def rows(report: Mapping[str, Any], of: str) -> list[dict[str, Any]]:
    """A list of the report; [] if it has none."""
    found = report.get(of)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def leads_of(reports: Iterable[Mapping[str, Any]]) -> set[str]:
    """The ids of all leads that are told of."""
    parts = ("changes", "conflicts", "quarantine", "failures", "notes", "postponed")
    return {str(row["lead_id"]) for report in reports for of in parts for row in rows(report, of) if row.get("lead_id")}


def _named_by(change: Mapping[str, Any]) -> str:
    """A lead of which nothing is known yet is called as its card will be."""
    return str(change.get("after", "")).rpartition(" in ")[0] if change.get("field") == "card" else ""
