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


LEAD, CARD = lead_id(1), "c0ffee" * 4
PLACES = {
    "table_url": "https://airtable.com/appX/Leads",
    "card_urls": {CARD: "https://trello.com/c/AbCd1234"},
    "titles": {LEAD: "Bruno Keller, who has a rather long name"},
}
ASIDE = aside(card_id=CARD, reason="a copy: another card already carries this LeadID", remedy="Remove the LeadID line.")


@pytest.mark.parametrize("width", [80, 81, 99])
def test_table_with_ids_ends_with_its_edge_in_a_narrow_terminal(width):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    rows = [
        ["Bruno Keller\n" + CARD, "a copy: another card already carries this", "Remove the LeadID line from the copy."]
    ]
    tabulate(console, "", ("lead", "why", "what to do"), rows)
    lines = console.file.getvalue().splitlines()
    assert {line[-1] for line in lines} == set("┓┃┩│┘")
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [60, 80, 99])
def test_id_is_whole_in_a_narrow_terminal(width):
    """A person copies it; what breaks instead are texts."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    moved = change(card_id=CARD, before="A name of many words, and more of them", after="another one, as long as that")
    show(Report(changes=[moved], quarantine=[ASIDE], **PLACES), console)
    lines = on(console).splitlines()
    assert [sum(item in line for line in lines) for item in (LEAD, CARD)] == [2, 1]
    assert max(map(len, (line for line in lines if "│" in line))) <= width
    assert "https://" not in on(console)


def test_ids_are_links_where_the_terminal_can():
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="standard", legacy_windows=False)
    show(Report(quarantine=[ASIDE], **PLACES), console)
    for address, item in ((f"{PLACES['table_url']}/{LEAD}", LEAD), (PLACES["card_urls"][CARD], CARD)):
        assert f";{address}\x1b\\{item}\x1b]8;;\x1b\\" in on(console)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://127.0.0.1/x", "https://x/\x1b]8;;y\x07z"])
def test_address_that_a_service_gave_is_a_link_or_nothing(url):
    """What would end it is no part of it."""
    console = Console(file=io.StringIO(), force_terminal=True, width=200, color_system="standard", legacy_windows=False)
    show(Report(quarantine=[aside(card_id=CARD, card_url=url)]), console)
    linked = on(console).count("\x1b]8;id=")
    assert linked == url.startswith("https://")
    assert "\x07" not in on(console)
