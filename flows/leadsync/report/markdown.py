"""
The report as Markdown, and its changes as a table. A text in it is shown as it is; it never becomes part of the page.

Never here: what is in the report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

from leadsync.core.told import Change, Note
from leadsync.report.report import Report, Row
from leadsync.report.to_do import ToDo, settled, to_do
from leadsync.texts import printable

T = TypeVar("T")
TABLE_ROWS = 200
"""Rows of a table, or items of a list, in an artifact; one of thousands is slow to open."""
CELL_SHOWN = 300
"""Characters of a cell in an artifact."""
ACTIVE = re.compile(
    r"[\\`*~\[\]<|@$^{}]|&(?=[#\w])|//|www\.|(?<!\w)_|_(?!\w)|^(?:[-+=#>:]|\d+[.)])|^\s|\s{2}|\s$", re.IGNORECASE
)
"""What may be Markdown, HTML or a bare address to one renderer or another."""
TICKS = re.compile("`+")
ADDRESS = ":/?#@!$&'*+,;=-._~%"
"""What an address keeps in a link: neither brackets nor blanks nor controls, which would end it."""
CHANGE_COLUMNS = ("lead", "field", "before", "after", "direction", "note", "lead_id")


def change_rows(report: Report) -> list[dict[str, str]]:
    """The changes as rows of a table artifact, the first TABLE_ROWS of them, led by the name that people know."""
    return [
        {column: as_shown(({"lead": report.name_of(change)} | vars(change))[column]) for column in CHANGE_COLUMNS}
        for change in report.changes[:TABLE_ROWS]
    ]


def as_markdown(report: Report) -> str:
    """The report as Prefect's UI shows it: what a person must do, what was done, what else there is, and counts."""
    lines = [f"# {report.title}", "", as_shown(report.message), ""]
    places = {"Airtable base": report.base_url, "Trello board": report.board_url}
    links = " · ".join(_link(place, url) for place, url in places.items() if url.startswith("https://"))
    lines += [links, ""] if links else []
    changes = "What would change" if report.dry_run else "Changes"
    lines += _items("What you must do", to_do(report), lambda each: _thing(report, each))
    lines += _items(changes, report.changes, lambda change: f"{_whose(report, change)}: {_sentence(change)}")
    lines += _items("Settled conflicts", settled(report), lambda each: f"{_whose(report, each)}: {_cell(str(each))}")
    lines += _items("Notes", report.notes, lambda note: _note(report, note))
    lines += ["", "| what | how many |", "|---|---|"]
    lines += [f"| {name.replace('_', ' ')} | {count} |" for name, count in report.counts.items()]
    return "\n".join(lines)


def _items(title: str, rows: Sequence[T], show: Callable[[T], str]) -> list[str]:
    if not rows:
        return []
    more = len(rows) - TABLE_ROWS
    rest = [f"- … and {more} more; the run's log has them all."] if more > 0 else []
    return ["", f"## {title} ({len(rows)})", "", *(f"- {show(row)}" for row in rows[:TABLE_ROWS]), *rest]


def _thing(report: Report, each: ToDo) -> str:
    return f"{_whose(report, each.row)}: {_cell(each.what)}. What to do: {_cell(each.remedy)}"


def _note(report: Report, note: Note) -> str:
    return ": ".join(filter(None, (_whose(report, note), _cell(note.note))))


def _whose(report: Report, row: Row) -> str:
    """The lead, by its name, and its card, each as a link where it is known."""
    name, lead = _cell(report.name_of(row)), as_shown(row.lead_id)
    if lead and report.table_url.startswith("https://"):
        lead = _link(name or lead, f"{report.table_url}/{row.lead_id}")
    elif name:
        lead = f"{name} {lead}"
    url = report.card_urls.get(row.card_id, "")
    card = _link("card", url) if url.startswith("https://") else f"card {as_shown(row.card_id)}" if row.card_id else ""
    return f"{lead} ({card})" if lead and card else lead or card


def _sentence(change: Change) -> str:
    before, after = _cell(change.before), _cell(change.after)
    return str(replace(change, field=_cell(change.field), before=before, after=after, note=_cell(change.note)))


def _link(text: str, url: str) -> str:
    return f"[{text}]({quote(url, ADDRESS)})"


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
