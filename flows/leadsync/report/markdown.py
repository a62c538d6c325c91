"""
The report as Markdown, and its changes as a table. A text in it is shown as it is; it never becomes part of the page.

Never here: what is in the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from leadsync.report.report import Report, Row
from leadsync.texts import printable

TABLE_ROWS = 200
"""Rows of a table in an artifact; one of thousands is slow to open, and the log has them all."""
CELL_SHOWN = 300
"""Characters of a cell in an artifact."""
ACTIVE = re.compile(
    r"[\\`*~\[\]<|@$^{}]|&(?=[#\w])|//|www\.|(?<!\w)_|_(?!\w)|^(?:[-+=#>:]|\d+[.)])|^\s|\s{2}|\s$", re.IGNORECASE
)
"""What may be Markdown, HTML or a bare address to one renderer or another."""
TICKS = re.compile("`+")
ADDRESS = ":/?#@!$&'*+,;=-._~%"
"""What an address keeps in a link: neither brackets nor blanks, which would end it."""
CHANGE_COLUMNS = ("lead", "field", "before", "after", "direction", "note", "lead_id")


def change_rows(report: Report) -> list[dict[str, str]]:
    """The changes as rows of a table artifact, the first TABLE_ROWS of them, led by the name that people know."""
    return [
        {column: as_shown(_value(report, change, column)) for column in CHANGE_COLUMNS}
        for change in report.changes[:TABLE_ROWS]
    ]


def as_markdown(report: Report) -> str:
    """The report as Prefect's UI shows it."""
    lines = [f"# {report.title}", "", as_shown(report.message), ""]
    places = {"Airtable base": report.base_url, "Trello board": report.board_url}
    links = " · ".join(
        f"[{place}]({quote(url, ADDRESS)})" for place, url in places.items() if url.startswith("https://")
    )
    lines += [links, ""] if links else []
    lines += ["| what | how many |", "|---|---|"]
    lines += [f"| {name.replace('_', ' ')} | {count} |" for name, count in report.counts.items()]
    lists: tuple[tuple[str, Sequence[Row], tuple[str, ...]], ...] = (
        ("Changes", report.changes, CHANGE_COLUMNS),
        ("Conflicts", report.conflicts, ("lead", "field", "airtable", "trello", "kind", "resolution", "lead_id")),
        ("Quarantine", report.quarantine, ("lead", "reason", "remedy", "lead_id", "card_id")),
        ("Failures", report.failures, ("lead", "reason", "remedy", "lead_id", "card_id")),
        ("Notes", report.notes, ("lead", "note", "lead_id", "card_id")),
    )
    for title, rows, columns in lists:
        if rows:
            lines += ["", f"## {title} ({len(rows)})", "", _line(columns), "|---" * len(columns) + "|"]
            lines += [_line(_cell(_value(report, row, column)) for column in columns) for row in rows[:TABLE_ROWS]]
    return "\n".join(lines)


def _value(report: Report, row: Row, column: str) -> str:
    """A column of a row; the lead is what people call it."""
    return report.titles.get(row.lead_id, "") if column == "lead" else getattr(row, column)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    text = " ".join(str(value).split())
    return as_shown(text if len(text) <= CELL_SHOWN else f"{text[: CELL_SHOWN - 1]}…")


def as_shown(value: Any) -> str:
    """
    Markdown, in one line, that shows `value` as it is, in a paragraph and in a table's cell.

    Code, where something in it might be taken for more than text: some renderers find addresses after all that was
    escaped is text again. A bar ends a cell even in code, so it stands between two pieces of it.
    """
    text = printable(value)
    return "\\|".join(map(_as_code, text.split("|"))) if ACTIVE.search(text) else text


def _as_code(text: str) -> str:
    if not text:
        return ""
    fence = "`" * (1 + max(map(len, TICKS.findall(text)), default=0))
    room = " " if text.strip() and (text[0] in " `" or text[-1] in " `") else ""  # one blank a side is taken off again
    return f"{fence}{room}{text}{room}{fence}"
