"""The report as Markdown, and its changes as a table. Never here: what is in the report."""

from __future__ import annotations

from typing import Any

from leadsync.report.report import Report, Row

TABLE_ROWS = 200
"""Rows of a table in an artifact; one of thousands is slow to open, and the log has them all."""
CELL_SHOWN = 300
"""Characters of a cell in an artifact."""
CHANGE_COLUMNS = ("lead", "field", "before", "after", "direction", "note", "lead_id")


def change_rows(report: Report) -> list[dict[str, str]]:
    """The changes as rows of a table artifact, the first TABLE_ROWS of them, led by the name that people know."""
    return [
        {column: str(({"lead": _name(report, change)} | change)[column]) for column in CHANGE_COLUMNS}
        for change in report.changes[:TABLE_ROWS]
    ]


def as_markdown(report: Report) -> str:
    """The report as Prefect's UI shows it."""
    lines = [f"# {report.title}", "", report.message, ""]
    places = {"Airtable base": report.base_url, "Trello board": report.board_url}
    links = " · ".join(f"[{place}]({url})" for place, url in places.items() if url)
    lines += [links, ""] if links else []
    lines += ["| what | how many |", "|---|---|"]
    lines += [f"| {name.replace('_', ' ')} | {count} |" for name, count in report.counts.items()]
    for title, rows, columns in (
        ("Changes", report.changes, CHANGE_COLUMNS),
        ("Conflicts", report.conflicts, ("lead", "field", "airtable", "trello", "kind", "resolution", "lead_id")),
        ("Quarantine", report.quarantine, ("lead", "reason", "remedy", "lead_id", "card_id")),
        ("Failures", report.failures, ("lead", "reason", "remedy", "lead_id", "card_id")),
        ("Notes", report.notes, ("lead", "note", "lead_id", "card_id")),
    ):
        lines += _section(title, [{"lead": _name(report, row), **row} for row in rows[:TABLE_ROWS]], columns, len(rows))
    return "\n".join(lines)


def _name(report: Report, row: Row) -> str:
    """What people call the lead."""
    return report.titles.get(row["lead_id"], "")


def _section(title: str, rows: list[Row], columns: tuple[str, ...], total: int) -> list[str]:
    if not rows:
        return []
    lines = ["", f"## {title} ({total})", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    lines += [f"| {' | '.join(_cell(row[column]) for column in columns)} |" for row in rows]
    return lines


def _cell(value: Any) -> str:
    text = " ".join(str(value).split())
    return (text if len(text) <= CELL_SHOWN else f"{text[: CELL_SHOWN - 1]}…").replace("|", "\\|").replace("<", "&lt;")
