"""The report as Markdown: tables stay tables, whatever a person typed."""

from __future__ import annotations

from leadsync.report.markdown import TABLE_ROWS, as_markdown
from leadsync.report.report import Report
from support.rows import lead_id


def test_markdown_shows_every_list_and_breaks_on_nothing(busy):
    """Tables stay tables, whatever a person typed."""
    busy.failures = [{"lead_id": lead_id(7), "card_id": "", "reason": "x" * 400 + "|", "remedy": "a\nb"}]
    busy.notes = [{"lead_id": lead_id(8), "card_id": "", "note": "left alone"}]
    busy.board_url = "https://trello.com/b/AbCd1234"
    text = as_markdown(busy)
    for title in ("Changes (5)", "Conflicts (1)", "Quarantine (1)", "Failures (1)", "Notes (1)"):
        assert f"## {title}" in text
    assert r"Ada \| &lt;b>" in text
    assert "(https://trello.com/b/AbCd1234)" in text
    assert "a b |" in text
    assert "x" * 300 not in text


def test_markdown_of_thousands_stays_readable():
    """The log has the rest."""
    row = {"lead_id": "rec", "field": "name", "before": "", "after": "", "direction": "to_trello", "note": ""}
    text = as_markdown(Report(changes=[row] * (TABLE_ROWS + 50)))
    assert f"Changes ({TABLE_ROWS + 50})" in text
    assert text.count("| rec |") == TABLE_ROWS


def test_markdown_of_an_idle_run_is_short():
    """No empty tables."""
    assert "##" not in as_markdown(Report())
