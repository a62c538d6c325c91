"""Each view of the page: what the desk found, handed to its template. Never here: a query, a route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from leadsync.page.desk import Desk, Links
from leadsync.page.rendering import render
from leadsync.page.told import changes_told, leads_of, rows
from leadsync.state.listed import Show

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
MOST_SHOWN = 500
"""Rows of a list in a page; one of thousands is slow to open."""


@dataclass(frozen=True)
class View:
    """An entry of the page's menu. `count`: what waits there."""

    path: str
    name: str
    count: int = 0


class Views:
    """The pages as HTML. `more`: further entries of the menu; `folders`: of templates that are looked for first."""

    def __init__(self, desk: Desk, more: tuple[View, ...] = (), folders: tuple[Path, ...] = ()) -> None:
        self.desk, self._more, self._folders = desk, more, folders

    def leads(self, search: str, show: str, number: int) -> str:
        """The leads that are like `search`, a page of them."""
        chosen = Show(show) if show in {*Show} else Show.ALL
        board = self.desk.board
        leads = self.desk.leads(board, search, chosen, max(1, number)) if board else None
        return self.page("leads.html", "/", leads=leads, search=search, show=chosen, shows=SHOWS)

    def asked(self, run: Mapping[str, Any]) -> str:
        """A run that somebody asked for here. `run`: as its status is answered, with `dry_run` and `ended`."""
        report, board = run["report"] or {}, self.desk.board
        names = self.desk.names(board, leads_of([report])) if board and report else {}
        found = {of: rows(report, of)[:MOST_SHOWN] for _, of, _ in SECTIONS}
        return self.page(
            "asked.html",
            "",
            heading="Preview" if run["dry_run"] else "Sync",
            **{name: run[name] for name in ("dry_run", "ended", "stage")},
            report=report,
            changes=changes_told(report, names)[:MOST_SHOWN],
            sections=[(title, found[of], columns) for title, of, columns in SECTIONS],
            names=names,
            run_url=self.run_url(run["flow_run_id"]),
        )

    def problem(self, heading: str, detail: str) -> str:
        """Why something was refused. It is shown to anybody, so nothing else is on it."""
        bare = Links("", "", "")
        return render("problem.html", views=(), here="", links=bare, heading=heading, detail=detail, bare=True)

    def run_url(self, flow_run_id: str | None) -> str:
        """Where Prefect shows a run, "" if nowhere."""
        return f"{self.desk.prefect}/runs/flow-run/{flow_run_id}" if self.desk.prefect and flow_run_id else ""

    def page(self, template: str, here: str, **values: Any) -> str:
        """A whole page."""
        views = (*self._more, View("/", "Leads"))
        links = self.desk.links(self.desk.board)
        return render(template, *self._folders, views=views, here=here, links=links, bare=False, **values)
