"""Whose rows are whose: a pair's key, and which former key a table was known by."""

from __future__ import annotations

import pytest

from leadsync.state.pair import Pair, Rows, leads_held, same_table

LEADS = frozenset({"a", "b", "c", "d"})


def rows(table, present=(), absent=()):
    return Rows(Pair("appA", table, "board"), frozenset(present), frozenset(absent))


@pytest.mark.parametrize("table", ["Leads", "tblAAAAAAAAAAAAAA", "Leads/2026", "/", "a/b/", "Zoë 🦊", ""])
def test_key_tells_base_table_and_board(table):
    """Whatever the table is called; keys of before name none."""
    pair = Pair("appA", table, "board")
    assert Pair.of(pair.key) == pair
    assert pair.lock == Pair.of(pair.lock).key == "appA/board"


def test_other_table_is_another_key_under_the_same_lock():
    one, other = Pair("appA", "Leads", "board"), Pair("appA", "Customers", "board")
    assert (one.key == other.key, one.lock == other.lock) == (False, True)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param([rows("", "abc")], "", id="all"),
        pytest.param([rows("", "abx")], "", id="more-than-half"),
        pytest.param([rows("", "abxy")], None, id="just-half"),
        pytest.param([rows("", "xyz")], None, id="none"),
        pytest.param([], None, id="nothing-known"),
        pytest.param([rows("", "xyz"), rows("Old", "abcd")], "Old", id="the-other-of-two"),
        pytest.param([rows("", "a"), rows("Old", "abcd")], "Old", id="the-one-that-knows-more"),
        pytest.param([rows("", "", "ax")], "", id="one-that-was-gone-is-back"),
        pytest.param([rows("", "", "xy")], None, id="all-that-were-gone-stay-gone"),
        pytest.param([rows("", "x", "abcd")], None, id="gone-ones-do-not-outweigh-present-ones"),
        pytest.param([rows("", "", "abcd"), rows("Old", "abc")], "Old", id="present-ones-outweigh-gone-ones"),
    ],
)
def test_table_is_the_one_whose_leads_it_holds(known, expected):
    found = same_table(known, LEADS)
    assert (None if found is None else found.table) == expected


def test_lead_that_another_key_knows_is_taken_from_one_key_alone():
    """From the one that knows more; leads that the table does not hold stay where they are."""
    known = [rows("", "xyz", "abc"), rows("Old", "vwxyz", "b"), rows("Older", "v", "b")]
    held = {pair.table: set(leads) for pair, leads in leads_held(known, LEADS).items()}
    assert held == {"": {"a", "c"}, "Old": {"b"}}
