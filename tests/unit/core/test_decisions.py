"""The tables of decisions are whole."""

from __future__ import annotations

import itertools

from leadsync.core.decisions import CELL_DECISIONS, ROW_DECISIONS
from leadsync.core.plan_cells import NAME_PLANNERS, RESOLUTIONS, STATUS_PLANNERS
from leadsync.core.plan_rows import ROW_PLANNERS


def test_cell_decisions_are_whole():
    """Every combination of equal and moved has a decision; equal cells are never written."""
    assert set(CELL_DECISIONS) == set(itertools.product((True, False), repeat=3))
    assert {CELL_DECISIONS[key] for key in CELL_DECISIONS if key[0]} == {"unchanged", "agreed"}
    assert CELL_DECISIONS[False, True, False] == "to_trello"
    assert CELL_DECISIONS[False, False, True] == "to_airtable"
    assert CELL_DECISIONS[False, True, True] == "conflict"


def test_row_decisions_are_whole():
    """Every presence that can be met has a decision; the rest cannot be (a base row always names a card)."""
    leads, cards = ("present", "out_of_view", "gone"), ("open", "archived", "moved_away", "deleted")
    met = set(itertools.product(leads, cards)) | {("present", ""), ("", "open"), ("", "archived")}
    assert set(ROW_DECISIONS) >= met


def test_every_decision_has_a_planner():
    """No decision falls through between reconcile and plan."""
    resolved = set(CELL_DECISIONS.values()) - {"conflict"} | {decision for decision, _ in RESOLUTIONS.values()}
    assert set(ROW_PLANNERS) >= set(ROW_DECISIONS.values()) | {"unarchive", "quarantined", "keep_moved"}
    assert set(STATUS_PLANNERS) >= resolved | {"parked", "quarantined"}
    assert set(NAME_PLANNERS) >= resolved
