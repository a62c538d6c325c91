"""
Sentences, tables and the report as a person sees them in a terminal: nothing in a text is markup or a command there.

What is never here: a decision.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.style import Style
from rich.table import Table
from rich.text import Text

from leadsync.core.decisions import Direction
from leadsync.core.told import Change, Failure, SetAside
from leadsync.errors import Exit
from leadsync.report.markdown import ADDRESS
from leadsync.report.report import Report, Row
from leadsync.report.to_do import by_command
from leadsync.texts import printable

Cell = Callable[[Any], str | Text]
ID = re.compile(r"rec[0-9A-Za-z]{14}|[0-9a-f]{24}")
ROWS_SHOWN = 50
"""Rows of a table before it is cut with a count of the rest; --json has them all."""
TOLD = 10
"""Things that wait for a person of which the command is told; flows/conflicts.py lists them all."""
ARROWS = {Direction.TO_TRELLO: "Airtable → Trello", Direction.TO_AIRTABLE: "Trello → Airtable"}
STYLES = {
    Exit.DONE: "green",
    Exit.INCOMPLETE: "yellow",
    Exit.MISCONFIGURED: "red",
    Exit.REFUSED: "red",
    Exit.BUSY: "yellow",
    Exit.SOMETHING_TO_DO: "yellow",
}


def say(console: Console, text: object, style: str = "") -> None:
    """Print a text as one line that the terminal, not we, breaks."""
    console.print(Text(printable(text), style), soft_wrap=True)


def lines(*texts: str) -> Text:
    """Those that are not empty, a line each, for a cell of a table."""
    return Text("\n").join(Text(printable(text)) for text in texts if text)


def tabulate(console: Console, title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table; a value too long for its column is folded, an id that stands alone in its line is not."""
    table = Table(title=title or None, title_justify="left", title_style="bold", expand=False)
    shown = [[cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row] for row in rows]
    for number, column in enumerate(columns):
        held = [line for row in shown for line in row[number].plain.split("\n")]
        ids = [len(line) for line in held if ID.fullmatch(line)]
        # a least width alone, Rich forgets while it makes the rest fit, and the table's right edge is cut off
        width = max(*ids, min(max(map(cell_len, held)), console.width // 2)) if ids else None
        table.add_column(column, overflow="fold", width=width)
    for row in shown:
        table.add_row(*row)
    console.print(table)


def show(report: Report, console: Console, seen_at: str = "", whole: str = "--json") -> None:
    """Print the tables that have rows, the summary, and where the run can be seen. `whole`: what lists all rows."""
    whose, table = _whose(report), partial(_table, console, whole)
    reasons: dict[str, Cell] = {"lead, card": whose, "why": _of("reason"), "what to do": _of("remedy")}
    moves: dict[str, Cell] = {"lead": whose, "field": _field, "from → to": _move, "direction": _arrow}
    differing: dict[str, Cell] = {"lead": whose, "field": _of("field"), "Airtable": _of("airtable")}
    differing |= {"Trello": _of("trello"), "kind": _of("kind"), "what is done": _of("resolution")}
    table("Plan (nothing was written)" if report.dry_run else "Changes", report.changes, moves)
    since: dict[str, Cell] = {"lead": whose, "field": _of("field"), "side": _of("side")}
    since |= {"planned on": _of("planned"), "now": _of("now")}
    table("Moved since the plan was made", report.moved, since)
    table("Conflicts", report.conflicts, differing)
    for each in by_command(report)[:TOLD]:
        say(console, f"{report.about(each.row)}: {each.remedy}")
    table("Quarantine", report.quarantine, reasons)
    table("Failures", report.failures, reasons)
    for note in report.notes:
        lead = " ".join(filter(None, (report.name_of(note), note.lead_id)))
        say(console, f"{lead}: {note}" if lead else note, "dim")
    say(console, report.message, STYLES[report.exit_code])
    if seen_at:
        say(console, seen_at, "dim")


def show_line(report: Report, console: Console) -> None:
    """Print when a run ended, and its summary or its error, as one line."""
    say(console, f"{datetime.now():%Y-%m-%d %H:%M:%S}  {report.message}", STYLES[report.exit_code])


@contextmanager
def progress_bar(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """
    A bar for each step that writes; gone at the end, and silent where there is no terminal.

    Yields: a function to call with what is written, how many are done, and how many there are.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield progress


def _table(console: Console, whole: str, title: str, rows: Sequence[Row], columns: dict[str, Cell]) -> None:
    if not rows:
        return
    tabulate(console, title, columns, ((cell(row) for cell in columns.values()) for row in rows[:ROWS_SHOWN]))
    if len(rows) > ROWS_SHOWN:
        console.print(f"… and {len(rows) - ROWS_SHOWN} more; {whole} lists them all.")


def _of(key: str) -> Cell:
    return lambda row: str(getattr(row, key))


def _whose(report: Report) -> Cell:
    """
    The name that a person knows the lead by, and the ids of lead and card, a line each.

    Addresses would break a narrow table: they are behind the ids, for terminals that can follow links.
    """

    def whose(row: Row) -> Text:
        lead = f"{report.table_url}/{row.lead_id}" if report.table_url else ""
        shown = (
            Text(printable(_short(report.name_of(row), 30))),
            Text(printable(row.lead_id), _link(lead)),
            Text(printable(row.card_id) if isinstance(row, SetAside | Failure) else "", _link(_card_url(report, row))),
        )
        return Text("\n").join(line for line in shown if line.plain)

    return whose


def _card_url(report: Report, row: Row) -> str:
    return (row.card_url if isinstance(row, SetAside) else "") or report.card_urls.get(row.card_id, "")


def _link(url: str) -> Style | str:
    return Style(link=quote(url, ADDRESS)) if url.startswith("https://") else ""


def _field(row: Change) -> str:
    return f"{row.field} ({row.note})" if row.note else row.field


def _move(row: Change) -> str:
    return f"{_short(row.before)} → {_short(row.after)}".removeprefix(" → ")


def _short(value: str, limit: int = 60) -> str:
    return value if len(value) <= limit else f"{value[: limit - 1]}…"


def _arrow(row: Change) -> str:
    return ARROWS[row.direction]
