"""
Sentences, tables and the report as a person sees them in a terminal: nothing in a text is markup or a command there.

What is never here: a decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from leadsync.errors import Exit
from leadsync.report.report import Report, Row
from leadsync.texts import printable

Cell = Callable[[Row], str]
ROWS_SHOWN = 50
"""Rows of a table before it is cut with a count of the rest; --json has them all."""
ARROWS = {"to_trello": "Airtable → Trello", "to_airtable": "Trello → Airtable"}
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


def tabulate(console: Console, title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table; a value too long for its column is folded."""
    table = Table(title=title or None, title_justify="left", title_style="bold", expand=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(value)) for value in row))
    console.print(table)


def show(report: Report, console: Console, seen_at: str = "") -> None:
    """Print the tables that have rows, the summary, and where the run can be seen."""
    lead = _lead_of(report.titles)
    reasons: dict[str, Cell] = {"lead": lead, "card": _card, "why": _of("reason"), "what to do": _of("remedy")}
    moves: dict[str, Cell] = {"lead": lead, "field": _field, "from → to": _move, "direction": _arrow}
    values: dict[str, Cell] = {"lead": lead, "field": _field, "Airtable": _of("airtable"), "Trello": _of("trello")}
    outcome: dict[str, Cell] = {"kind": _of("kind"), "what is done": _of("resolution")}
    _table(console, "Plan (nothing was written)" if report.dry_run else "Changes", report.changes, moves)
    moved: dict[str, Cell] = {"side": _of("side"), "planned on": _of("planned"), "now": _of("now")}
    _table(console, "Moved since the plan was made", report.moved, {"lead": lead, "field": _of("field")} | moved)
    _table(console, "Conflicts", report.conflicts, values | outcome)
    _table(console, "Quarantine", report.quarantine, reasons)
    _table(console, "Failures", report.failures, reasons)
    for note in report.notes:
        whose = f"{lead(note)}: " if note["lead_id"] else ""
        say(console, whose + note["note"], "dim")
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


def _table(console: Console, title: str, rows: list[Row], columns: dict[str, Cell]) -> None:
    if not rows:
        return
    tabulate(console, title, columns, ((cell(row) for cell in columns.values()) for row in rows[:ROWS_SHOWN]))
    if len(rows) > ROWS_SHOWN:
        console.print(f"… and {len(rows) - ROWS_SHOWN} more; --json lists them all.")


def _of(key: str) -> Cell:
    return lambda row: str(row[key])


def _lead_of(titles: dict[str, str]) -> Cell:
    """The name a person knows the lead by, and its id."""
    return lambda row: f"{_short(titles.get(row['lead_id'], ''), 30)} {row['lead_id']}".strip()


def _card(row: Row) -> str:
    return str(row.get("card_url") or row["card_id"])


def _field(row: Row) -> str:
    return f"{row['field']} ({row['note']})" if row.get("note") else str(row["field"])


def _move(row: Row) -> str:
    return f"{_short(row['before'])} → {_short(row['after'])}".removeprefix(" → ")


def _short(value: str, limit: int = 60) -> str:
    return value if len(value) <= limit else f"{value[: limit - 1]}…"


def _arrow(row: Row) -> str:
    return ARROWS[row["direction"]]
