"""Each view of the page: what the desk found, handed to its template. Never here: a query, a route."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from leadsync.core.ledger import flow_run_of
from leadsync.page.desk import Desk, Links
from leadsync.page.rendering import MOST, render
from leadsync.page.told import changes_told, kept_told, rows
from leadsync.state.listed import Show

DECIDE: Final = "/decide"
HISTORY: Final = "/history"
DAY: Final = 86_400.0
SPANS: Final = (("7", "7 days"), ("30", "30 days"), ("", "All that is kept"))
SHOWS: Final = (
    (Show.ALL, "All leads"),
    (Show.DECIDE, "To decide"),
    (Show.NEW, "Not synced yet"),
    (Show.SHUT, "Card archived or moved away"),
    (Show.GONE, "Deleted, or out of view"),
)
SECTIONS: Final = (
    ("Conflicts", "conflicts", ("field", "airtable", "trello", "resolution")),
    ("Set aside", "quarantine", ("reason", "remedy")),
    ("Failures", "failures", ("reason", "remedy")),
    ("Notes", "notes", ("note",)),
)
"""Title, list of the report, and what of its rows is shown."""


@dataclass(frozen=True)
class View:
    """An entry of the page's menu. `count`: what waits there."""

    path: str
    name: str
    count: int = 0


def told_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """A run's report as templates take it: `report`, its `changes`, and its `sections` of findings."""
    sections = [(title, rows(report, of), columns) for title, of, columns in SECTIONS]
    return {"report": report, "changes": changes_told(report), "sections": sections}


class Views:
    """The pages as HTML. `more`: further entries of the menu; `folders`: of templates that are looked for first."""

    def __init__(self, desk: Desk, more: tuple[View, ...] = (), folders: tuple[Path, ...] = ()) -> None:
        self.desk, self._more, self._folders = desk, more, folders

    def leads(self, search: str, show: str, number: int) -> str:
        """The leads that are like `search`, a page of them."""
        chosen = Show(show) if show in {*Show} else Show.ALL
        pair = self.desk.pair
        leads = self.desk.leads(pair, search, chosen, max(1, number)) if pair else None
        values = {"leads": leads, "search": search, "show": chosen, "shows": SHOWS, "run_url": self.run_url}
        return self.page("leads.html", "/", **values)

    def asked(self, run: Mapping[str, Any]) -> str:
        """A run that somebody asked for here. `run`: as its status is answered, and what it was asked for."""
        report = run["report"] or {}
        return self.page(
            "asked.html",
            "",
            heading=self._heading(run),
            **{name: run[name] for name in ("dry_run", "ended", "stage", "action", "fields")},
            run_url=self._flow_run_url(run["flow_run_id"]),
            **told_of(report),
        )

    def _heading(self, run: Mapping[str, Any]) -> str:
        """What was asked for, with the name of the lead that it is about."""
        pair, lead_id = self.desk.pair, run["fields"].get("lead", "")
        row = self.desk.some(pair, [lead_id]).get(lead_id) if pair and lead_id else None
        said = " of ".join(filter(None, (run["heading"], row.name if row else "")))
        return f"Preview: {said[0].lower()}{said[1:]}" if run["dry_run"] else said

    def decide(self) -> str:
        """What waits for a person."""
        pair, failed = self.desk.pair, self.desk.failed()
        conflicts, aside = (self.desk.conflicts(pair), self.desk.aside(pair)) if pair else ([], [])
        leads = {each.conflict.lead_id for each in conflicts[:MOST]} | {each.entry.lead_id for each in aside[:MOST]}
        leads |= {each.lead_id for each in failed.failures} if failed else set()
        rows = self.desk.some(pair, leads) if pair else {}
        return self.page("decide.html", DECIDE, rows=rows, conflicts=conflicts, aside=aside, failed=failed)

    def history(self, days: str) -> str:
        """The runs of the last `days`, all that are kept if that is no number."""
        pair = self.desk.pair
        since = time.time() - int(days) * DAY if days.isdecimal() and len(days) < 6 else 0.0
        runs = self.desk.runs(pair, since) if pair else []
        return self.page("history.html", HISTORY, runs=runs, days=days, spans=SPANS, run_url=self.run_url)

    def run(self, run_id: str) -> str | None:
        """What a run changed; None if it is not kept."""
        pair = self.desk.pair
        found = self.desk.run(pair, run_id) if pair else None
        if pair is None or found is None:
            return None
        run, changes = found
        rows = self.desk.some(pair, {change.lead_id for change in changes[:MOST]})
        kept = kept_told(changes, rows, self.run_url)
        return self.page("run.html", HISTORY, run=run, kept=kept, run_url=self.run_url(run_id))

    def lead(self, lead_id: str) -> str | None:
        """All there is to say about a lead; None if nothing is known of it."""
        pair = self.desk.pair
        rows = self.desk.some(pair, [lead_id]) if pair else {}
        timeline = self.desk.timeline(pair, lead_id) if pair else []
        if pair is None or not (rows or timeline):
            return None
        values = {"conflicts": self.desk.conflicts(pair, lead_id), "aside": self.desk.aside(pair, lead_id)}
        values |= {"failed": self.desk.failed(lead_id), "kept": kept_told(timeline, rows, self.run_url)}
        return self.page("lead.html", "", lead_id=lead_id, row=rows.get(lead_id), rows=rows, **values)

    def problem(self, heading: str, detail: str) -> str:
        """Why something was refused. It is shown to anybody, so nothing else is on it."""
        bare = Links("", "", "")
        return render(
            "problem.html", views=(), here="", links=bare, signs=None, heading=heading, detail=detail, bare=True
        )

    def run_url(self, run_id: str) -> str:
        """Where Prefect shows a run of the history, "" if nowhere."""
        return self._flow_run_url(flow_run_of(run_id))

    def _flow_run_url(self, flow_run_id: str | None) -> str:
        return f"{self.desk.prefect}/runs/flow-run/{flow_run_id}" if self.desk.prefect and flow_run_id else ""

    def page(self, template: str, here: str, **values: Any) -> str:
        """A whole page."""
        pair = self.desk.pair
        waits = len(self.desk.conflicts(pair)) + len(self.desk.aside(pair)) if pair else 0
        if failed := self.desk.failed():
            waits += bool(failed.message) + len(failed.failures)
        views = (*self._more, View("/", "Leads"), View(DECIDE, "To decide", waits), View(HISTORY, "History"))
        links, signs = self.desk.links(), self.desk.signs()
        return render(template, *self._folders, views=views, here=here, links=links, signs=signs, bare=False, **values)
