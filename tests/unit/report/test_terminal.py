"""The report in a terminal: nothing in a text is a command there, or markup, or a line of its own."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from leadsync.errors import Exit
from leadsync.report.report import Report
from leadsync.report.terminal import ROWS_SHOWN, say, show, tabulate
from support.reported import aside, change, conflict, failure, note
from support.rows import lead_id

HOSTILE = "[/red] [bold]x[/] :rocket: \x1b[2J\x1b]52;c;cm0=\x07\x9b1m\u202eadA\n✓ all is well\\"
SHOWN = r"[/red] [bold]x[/] :rocket: \x1b[2J\x1b]52;c;cm0=\x07\x9b1m\u202eadA\n✓ all is well" + "\\"


@pytest.fixture
def console():
    """A terminal wide enough for any row."""
    return Console(file=io.StringIO(), force_terminal=True, width=4000, color_system=None)


def on(console):
    return console.file.getvalue()


HOSTILE_REPORTS = {
    "title": {"titles": {lead_id(1): HOSTILE}, "changes": [change()]},
    "before": {"changes": [change(before=HOSTILE)]},
    "after": {"changes": [change(after=HOSTILE)]},
    "column": {"changes": [change(field=HOSTILE)]},
    "note-of-a-change": {"changes": [change(note=HOSTILE)]},
    "conflict": {"conflicts": [conflict(airtable=HOSTILE, trello=HOSTILE, kind=HOSTILE, resolution=HOSTILE)]},
    "quarantine": {"quarantine": [aside(reason=HOSTILE, remedy=HOSTILE)]},
    "failure": {"failures": [failure(reason=HOSTILE, remedy=HOSTILE, card_id=HOSTILE)]},
    "note": {"notes": [note(HOSTILE)]},
    "error": {"error": HOSTILE, "exit_code": Exit.MISCONFIGURED},
    "reason-to-skip": {"skipped": HOSTILE},
}


@pytest.mark.parametrize("report", HOSTILE_REPORTS.values(), ids=HOSTILE_REPORTS)
def test_text_is_shown_as_it_is(console, report, monkeypatch):
    """Wherever in the report it stands, cut or whole."""
    monkeypatch.setattr("leadsync.report.terminal._short", lambda value, _limit=0: value)
    show(Report(**report), console)
    assert SHOWN in on(console)
    assert not set(on(console)) & set("\x1b\x07\x9b\u202e")


def test_address_of_the_run_is_shown_as_it_is(console):
    show(Report(), console, seen_at=HOSTILE)
    assert SHOWN in on(console)


@pytest.mark.parametrize("style", ["", "red"])
def test_said_text_is_one_line(console, style):
    say(console, HOSTILE, style)
    assert on(console) == f"{SHOWN}\n"


def test_table_holds_texts_as_they_are(console):
    tabulate(console, "", ("a", "b"), [(HOSTILE, 5)])
    assert SHOWN in on(console)


def test_long_table_is_cut_with_a_count(console):
    show(Report(changes=[change()] * (ROWS_SHOWN + 7)), console)
    assert "… and 7 more; --json lists them all." in on(console)
