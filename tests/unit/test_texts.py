"""Cells as texts: one trimmed line in one normal form, and titles that fit and are never empty."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadsync.model import TRELLO_TEXT_LIMIT
from leadsync.texts import fit, text, title_for
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
