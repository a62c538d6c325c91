"""A run's report in the words of the page. Pure. Never here: HTML, what is in a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from leadsync.core.decisions import Direction
from leadsync.core.ledger import WORDS
from leadsync.page.leads import Row
from leadsync.state.history import PastChange

WHERE: Final[Mapping[str, str]] = {Direction.TO_TRELLO: "to Trello", Direction.TO_AIRTABLE: "to Airtable"}
CARRIED: Final[Mapping[str, str]] = {
    Direction.TO_TRELLO: "Changed in Airtable since both sides last agreed; the card still holds what was agreed.",
    Direction.TO_AIRTABLE: "Changed on the card since both sides last agreed; Airtable still holds what was agreed.",
}
SIDES: Final[Mapping[Direction, str]] = {Direction.TO_TRELLO: "trello", Direction.TO_AIRTABLE: "airtable"}
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


def changes_told(report: Mapping[str, Any]) -> list[Told]:
    """The changes of a report as JSON has it."""
    settled = {(row.get("lead_id"), row.get("field")): row for row in rows(report, "conflicts")}
    return [
        Told(
            lead_id=str(change.get("lead_id", "")),
            name=str(change.get("lead_name", "")),
            cell=str(change.get("field", "")),
            before=str(change.get("before", "")),
            after=str(change.get("after", "")),
            where=WHERE.get(str(change.get("direction", "")), ""),
            why=why(change, settled.get((change.get("lead_id"), change.get("field")), {})),
        )
        for change in rows(report, "changes")
    ]


@dataclass(frozen=True)
class Kept:
    """
    One change as the history keeps it: `before` and `after` of the side that was written. `row`: its lead, None if
    nothing else is known of it; `run_url`: where Prefect shows the run, "" if nowhere.
    """

    run_id: str
    run_url: str
    at: float
    row: Row | None
    told: Told
    is_reversed: bool
    is_forgotten: bool
    gives_back: bool


def kept_told(changes: Iterable[PastChange], rows: Mapping[str, Row], run_url: Callable[[str], str]) -> list[Kept]:
    """The changes of the history, in their order. `rows`: leads by id; `run_url`: of a run's id, as Kept has it."""
    return [
        Kept(
            run_id=change.run_id,
            run_url=run_url(change.run_id),
            at=change.at,
            row=(row := rows.get(change.lead_id)),
            told=Told(
                lead_id=change.lead_id,
                name=row.name if row else "",
                cell=change.entry.field,
                before=getattr(change.entry.before, SIDES[change.entry.direction]),
                after=getattr(change.entry.after, SIDES[change.entry.direction]),
                where=WHERE[change.entry.direction],
                why=_sentence(WORDS[change.entry.rule][change.entry.direction]),
            ),
            is_reversed=change.is_reversed,
            is_forgotten=change.is_forgotten,
            gives_back=change.reverses is not None,
        )
        for change in changes
    ]


def why(change: Mapping[str, Any], conflict: Mapping[str, Any]) -> str:
    """The reason of a change, in a sentence. `conflict`: the one that it settles, {} if none."""
    if conflict.get("resolution"):
        return f"Both sides changed it: {_sentence(str(conflict['resolution']))}"
    note, cell, before = (str(change.get(key, "")) for key in ("note", "field", "before"))
    if note:
        return _sentence(note)
    if cell == "marker":
        return MARKER
    if cell == "card":
        return WHOLE.get(before, "")
    return CARRIED.get(str(change.get("direction", "")), "")


def rows(report: Mapping[str, Any], of: str) -> list[dict[str, Any]]:
    """A list of the report; [] if it has none."""
    found = report.get(of)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"
