"""Open conflicts as rows: what changes the base, its names or its key changes them along."""

from __future__ import annotations

import pytest

from leadsync.core.conflicts import Conflict, OpenConflicts
from leadsync.core.plan import SetAside
from leadsync.frames.agreed import sides_of
from leadsync.state.noted import Noted
from leadsync.state.pair import Pair
from leadsync.state.store import StateStore
from support.rows import base_row, lead_id

PAIR = Pair("appA", "Leads", "board")
ONE, TWO = lead_id(1), lead_id(2)
CELL = "fld1\tdue"


@pytest.fixture
def store(tmp_path):
    opened = StateStore(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    rows = {lead: base_row(number) for number, lead in enumerate((ONE, TWO), start=1)}
    found = {(lead, cell): conflict(lead, cell) for lead in (ONE, TWO) for cell in ("status", CELL)}
    opened.journal.enter(PAIR.key, Noted(rows, conflicts=OpenConflicts(found), now=5.0))
    yield opened
    opened.close()


def conflict(lead, cell):
    return Conflict(lead, "card", cell, "a", "b", "conflict", "held", "c")


def cells(store, pair=PAIR):
    return [(each.conflict.lead_id, each.cell) for each in store.waiting.conflicts(pair.key)]


def test_cell_of_another_name_keeps_its_conflict(store):
    store.journal.rename_cells(PAIR.key, lambda name: {CELL: "fld2\tdue"}.get(name, name))
    assert cells(store) == [(ONE, "fld2\tdue"), (ONE, "status"), (TWO, "fld2\tdue"), (TWO, "status")]


def test_cell_that_is_no_more_takes_its_conflict_along(store):
    store.journal.rename_cells(PAIR.key, lambda name: None)
    assert cells(store) == [(ONE, "status"), (TWO, "status")]


def test_lead_that_is_forgotten_takes_its_conflicts_along(store):
    store.journal.enter(PAIR.key, Noted({}, [ONE]))
    assert cells(store) == [(TWO, CELL), (TWO, "status")]


def test_only_the_cell_of_which_something_else_is_agreed_is_settled(store):
    store.journal.record(PAIR.key, "card", {ONE: {"stage": "DONE", "due_complete": True}})
    assert cells(store) == [(ONE, CELL), (TWO, CELL), (TWO, "status")]
    store.journal.record(PAIR.key, "card", {TWO: dict.fromkeys(sides_of(CELL), "x")})
    assert cells(store) == [(ONE, CELL), (TWO, "status")]


def test_what_a_pass_has_not_looked_at_stands(store):
    """And so does what it could not compare."""
    looked = OpenConflicts(unseen={(TWO, "")}, among=[ONE, TWO])
    store.journal.enter(PAIR.key, Noted({}, conflicts=OpenConflicts(), now=6.0))
    assert len(cells(store)) == 4
    store.journal.enter(PAIR.key, Noted({}, conflicts=looked, now=7.0))
    assert cells(store) == [(TWO, CELL), (TWO, "status")]
    assert [each.since for each in store.waiting.conflicts(PAIR.key)] == [5.0, 5.0]


def test_conflicts_go_with_their_rows_to_another_key(store):
    other = Pair("appA", "Others", "board")
    store.keys.take_leads({PAIR: [ONE]}, other)
    assert (cells(store), cells(store, other)) == ([(TWO, CELL), (TWO, "status")], [(ONE, CELL), (ONE, "status")])
    store.keys.take_over(PAIR, other, "board")
    assert cells(store, other) == [(TWO, CELL), (TWO, "status")]


def test_what_is_set_aside_keeps_its_time_while_it_stands(store):
    first, second = SetAside(ONE, "card", "status", "why", "do"), SetAside("", "card2", "", "why", "do")
    store.waiting.set_aside(PAIR.key, [first], 1.0)
    store.waiting.set_aside(PAIR.key, [second, first], 2.0)
    assert [(each.entry, each.since) for each in store.waiting.aside(PAIR.key)] == [(second, 2.0), (first, 1.0)]
    store.waiting.set_aside(PAIR.key, [], 3.0)
    store.waiting.set_aside(PAIR.key, [first], 4.0)
    assert [each.since for each in store.waiting.aside(PAIR.key)] == [4.0]
