"""The report as Markdown: tables stay tables, and a text is only a text, whatever a person typed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from leadsync.report.markdown import TABLE_ROWS, as_markdown, as_shown, change_rows
from leadsync.report.report import Report
from leadsync.texts import printable
from support.reported import aside, change, conflict, failure, note
from support.rows import lead_id

HOSTILE = {
    "picture": "![x](http://127.0.0.1:9099/t.png)",
    "link": "[text](https://example.com)",
    "link-by-reference": "[text][1] [1]: https://example.com",
    "footnote": "[^1]",
    "bare-address": "see https://example.com/a_b?c=d now",
    "shouted-address": "HTTPS://EXAMPLE.COM",
    "www": "www.example.com",
    "other-scheme": "ftp://example.com irc://example.com //example.com",
    "e-mail": "ada@example.com",
    "autolink": "<https://example.com>",
    "html": "<img src=x onerror=alert(1)> <b>b</b> <!-- c",
    "entity": "&lt;b&gt; &#60; A & B",
    "bar": "a|b",
    "escaped-bar": r"a\|b",
    "bars": "|||",
    "slash-at-the-end": "a\\",
    "ticks": "`a` ``b``` `",
    "one-tick": "`",
    "strong": "*a* __b__ ~~c~~ _d_ a_b_c",
    "heading": "# h",
    "list": "- a",
    "numbered-list": "1. a",
    "quote": "> q",
    "rule": "---",
    "row-of-a-table": "|---|---|",
    "fence": "```mermaid graph",
    "indented": "    code",
    "formula": "$x$ {{ y }}",
    "blanks-at-the-ends": "  a  b  ",
    "controls": "a\x1b[2J\u202eb\nc",
}
IN_TEXT = re.compile(r"\w+://|www\.|\S@\S", re.IGNORECASE)
markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
texts = st.lists(st.sampled_from([*HOSTILE.values(), *"`|\\[]()!<>&*_~#@:/. \n"]) | st.text(max_size=6), max_size=5)


def read(source):
    """What a reader sees of Markdown in one paragraph or cell: the pieces of text, and the kinds of what is there."""
    (inline,) = (token for token in markdown.parse(source) if token.type == "inline")
    return "".join(piece.content for piece in inline.children), {piece.type for piece in inline.children}


def cells_of(source):
    """The cells of a table's second row."""
    tokens = markdown.parse(source)
    inside = [token for token, before in zip(tokens[1:], tokens, strict=False) if before.type == "td_open"]
    return [
        ("".join(piece.content for piece in cell.children), {piece.type for piece in cell.children}) for cell in inside
    ]


def assert_shown(source, value):
    """As a paragraph, and as a cell between two others, the value is read as it is, and nothing else becomes of it."""
    for seen, kinds in (read(source), cells_of(f"|a|b|c|\n|---|---|---|\n| x | {source} | y |")[1]):
        assert seen == printable(value)
        assert kinds <= {"text", "code_inline", "text_special"}


def assert_no_address(source):
    """Some renderers find addresses in what is text after all, however it was escaped; in code none does."""
    (inline,) = (token for token in markdown.parse(source) if token.type == "inline")
    assert not IN_TEXT.search(" ".join(piece.content for piece in inline.children if piece.type != "code_inline"))


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_shown_as_it_is(value):
    assert_shown(as_shown(value), value)
    assert_no_address(as_shown(value))


@given(texts.map("".join).filter(str.strip))
@settings(max_examples=300, deadline=None)
def test_any_text_is_shown_as_it_is(value):
    assert_shown(as_shown(value), value)
    assert_no_address(as_shown(value))


@pytest.mark.parametrize("value", ["Chiara Rossi (Lumen S.p.A.)", "IN_PROGRESS", "2026-11-26", "A & B", "O'Neil, 5 %"])
def test_plain_text_stays_plain(value):
    assert as_shown(value) == value


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_no_part_of_a_report_becomes_more_than_text(value):
    """The message, and each column of each list, are alike."""
    found = {"reason": value, "remedy": value, "card_id": value}
    report = Report(
        error=value,
        titles={lead_id(1): value},
        changes=[change(before=value, after=value, field=value, note=value)],
        conflicts=[conflict(airtable=value, trello=value, kind=value, resolution=value, field=value)],
        quarantine=[aside(**found)],
        failures=[failure(**found)],
        notes=[note(value)],
    )
    tokens = markdown.parse(as_markdown(report))
    kinds = {piece.type for token in tokens for piece in token.children or ()} | {token.type for token in tokens}
    assert not kinds & {"image", "link_open", "html_inline", "html_block", "strong_open", "em_open", "fence", "hr"}
    assert sum(token.type == "tr_open" for token in tokens) == 1 + len(report.counts)
    assert len(cells_of(as_markdown(report))) == 2 * len(report.counts)
    assert sum(token.type == "list_item_open" for token in tokens) == 5
    assert sum(token.type == "heading_open" for token in tokens) == 1 + 3


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_row_of_the_table_artifact_is_only_text(value):
    """There a cell is Markdown, too."""
    (shown,) = change_rows(Report(titles={lead_id(1): value}, changes=[change(after=value)]))
    assert_shown(shown["after"], value)
    assert_shown(shown["lead"], value)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x) ![y](http://z", "https://x> <img src=y>", "http://x", ""]
)
def test_address_that_a_service_gave_is_a_link_or_nothing(url):
    tokens = markdown.parse(as_markdown(Report(board_url=url)))
    pieces = [piece for token in tokens for piece in token.children or () if piece.type in ("image", "link_open")]
    assert [piece.attrs["href"][:8] for piece in pieces] == ["https://"] * url.startswith("https://")
    assert not [token for token in tokens if token.type == "html_block"]


def test_markdown_shows_every_list_and_breaks_on_nothing(busy):
    """Long cells are cut."""
    busy.failures = [failure(reason="x" * 400 + "|", remedy="a\nb")]
    busy.notes = [note("left alone")]
    busy.board_url = "https://trello.com/b/AbCd1234"
    text = as_markdown(busy)
    for title in ("What you must do (2)", "Changes (5)", "Settled conflicts (1)", "Notes (1)"):
        assert f"## {title}" in text
    assert "(https://trello.com/b/AbCd1234)" in text
    assert "What to do: a b\n" in text
    assert "x" * 300 not in text


def test_markdown_of_thousands_stays_readable():
    """The log has the rest."""
    text = as_markdown(Report(changes=[change(lead_id="rec")] * (TABLE_ROWS + 50)))
    assert f"Changes ({TABLE_ROWS + 50})" in text
    assert text.count("- rec: ") == TABLE_ROWS
    assert "… and 50 more" in text


def test_markdown_of_an_idle_run_is_short():
    """No empty tables."""
    assert "##" not in as_markdown(Report())


LEAD, CARD = lead_id(1), "c" * 24
HELD = {"resolution": "held: make both equal by hand"}


def report_of_one(**more):
    """About a lead whose name and places are known."""
    places = {"table_url": "https://airtable.com/appX/Leads", "card_urls": {CARD: "https://trello.com/c/AbCd1234"}}
    return Report(**({"titles": {LEAD: "Zoë"}} | places | more))


def test_change_is_a_sentence_with_links_to_lead_and_card():
    moved = change(card_id=CARD, field="status", before="NEW", after="CONTACTED")
    assert (
        f"- [Zoë](https://airtable.com/appX/Leads/{LEAD}) ([card](https://trello.com/c/AbCd1234)): "
        "status NEW → CONTACTED on Trello\n"
    ) in as_markdown(report_of_one(changes=[moved]))


def test_lead_of_which_nothing_is_known_is_named_by_its_id():
    text = as_markdown(Report(changes=[change(card_id=CARD, before="A", after="B")]))
    assert f"- {LEAD} (card {CARD}): name A → B on Trello\n" in text


def test_report_opens_with_what_a_person_must_do():
    """Each with its remedy, before the changes; a conflict that is settled asks for nothing."""
    report = report_of_one(
        changes=[change(before="A", after="B")],
        failures=[failure(reason="the option is missing", remedy="Add it.")],
        conflicts=[conflict(airtable="A", trello="B", **HELD), conflict(field="status", resolution="Airtable wins")],
        quarantine=[aside(field="due", reason="no date", remedy="Type a date.")],
    )
    text = as_markdown(report)
    things, changes = text.index("## What you must do (3)"), text.index("## Changes (1)")
    assert things < changes < text.index("## Settled conflicts (1)")
    for said in (
        "not written: the option is missing. What to do: Add it.",
        "name: A on Airtable, B on Trello (conflict, held: make both equal by hand). What to do: Make both sides equal",
        "due is set aside: no date. What to do: Type a date.",
    ):
        assert things < text.index(said) < changes
