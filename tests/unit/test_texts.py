"""Cells as texts: one trimmed line in one normal form, and titles that fit and are never empty."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadsync.model import TRELLO_TEXT_LIMIT
from leadsync.texts import fit, printable, text, title_for
from support.rows import lead_id

LEAD = lead_id(1)


@given(st.text(max_size=40), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_fit_is_a_prefix_that_fits(tail, missing):
    """Whatever the text, and however its last character is made."""
    title = ("x" * (TRELLO_TEXT_LIMIT - missing)) + tail
    kept = fit(title)
    assert title.startswith(kept)
    assert len(kept.encode("utf-16-le", "surrogatepass")) <= 2 * TRELLO_TEXT_LIMIT
    assert fit(kept) == kept


@given(st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_title_is_never_empty(name, email):
    """A card always has a title."""
    assert title_for(LEAD, text(name), text(email)) != ""


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text(min_size=1, alphabet="ab"))))
@settings(max_examples=150, deadline=None)
def test_text_is_one_trimmed_line_and_settled(value):
    """Every cell becomes one line in one normal form; reading it again changes nothing."""
    read = text(value)
    assert "\n" not in read
    assert "\r" not in read
    assert text(read) == read


@pytest.mark.parametrize("before", ["", "x" * 990, "x" * 2000], ids=["short", "becomes-long", "long"])
@pytest.mark.parametrize("marks", ["\u0323\u0301" * 40, "\u0301\u0323" * 40, "\u0344" * 20], ids=ascii)
def test_text_of_piled_marks_is_settled(before, marks):
    """More accents on one letter than any language has: reading what was read changes nothing."""
    read = text(before + marks)
    assert text(read) == read
    assert text(read + "e\u0301") == text(text(read + "e\u0301"))


def test_text_of_a_list_with_empty_items_is_trimmed():
    """Also a look-up column's list ends without blanks."""
    assert text(["a", ""]) == text(["a", ""]).strip()


@pytest.mark.parametrize(("sent", "kept"), [("x\ud83d", "x"), ("x\0y", "xy")], ids=["half-an-emoji", "nul"])
def test_text_holds_nothing_that_a_database_cannot(sent, kept):
    """One such text would stop the record of all the others."""
    assert text(sent) == kept


def test_text_normal_form_makes_equals_equal():
    """Composed and decomposed letters are the same name."""
    assert text("Zoe\u0308") == text("Zo\u00eb")
    assert text(["a", "b"]) == "a, b"
    assert (text(None), text([]), text(True)) == ("", "", "True")


HOSTILE = {
    "clears-the-screen": ("\x1b[2J", r"\x1b[2J"),
    "names-the-window": ("\x1b]0;mine\x07", r"\x1b]0;mine\x07"),
    "fills-the-clipboard": ("\x1b]52;c;cm0=\x1b\\", r"\x1b]52;c;cm0=\x1b" + "\\"),
    "one-byte-sequence": ("\x9b2J", r"\x9b2J"),
    "further-line": ("Ada\r\n✓ all is well", r"Ada\r\n✓ all is well"),
    "from-right-to-left": ("\u202eadA\u2066", r"\u202eadA\u2066"),
    "without-width": ("A\u200bd\u2060a\ufeff", r"A\u200bd\u2060a\ufeff"),
    "tags": ("Ada\U000e0041", r"Ada\U000e0041"),
    "fillers": ("\u3164\u115f\u2800\u034f", r"\u3164\u115f\u2800\u034f"),
    "separators": ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
    "half-an-emoji": ("\ud83d", r"\ud83d"),
    "delete": ("a\x7fb", r"a\x7fb"),
}


@pytest.mark.parametrize(("value", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_printable_shows_what_has_no_form(value, shown):
    assert printable(value) == shown


@pytest.mark.parametrize("value", ["Zoë 🚀 Ünal", "山田　太郎", "שלום عالم", "❤️", "a\u00a0b", "[/red] $(rm) %s {}", ""])
def test_printable_leaves_what_people_write(value):
    assert printable(value) == value


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_printable_is_one_line_without_commands(value):
    """Whatever the text: no control of either set, nothing that turns direction, and the rest as it was."""
    shown = printable(value)
    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert shown.splitlines() in ([shown], [])
    assert printable(shown) == shown
