"""A cell that no text stands for sets itself aside: base and card stay as they are, the other cells go on."""

from __future__ import annotations

import pytest

from leadsync.core.lookups import to_look_up
from leadsync.core.reconcile import as_last_agreed
from leadsync.frames.agreed import Agreed
from leadsync.frames.schema import cells_in
from support.rows import EMAIL, SOURCE, base_row, card, card_id, is_idle, lead_id, one_lead, record, rules

LEAD, CARD = lead_id(1), card_id(1)
ERROR = {"error": "#ERROR!"}


def test_unreadable_cell_counts_as_it_was_last_agreed():
    """Nothing seems to be emptied by it, whoever looks at the frame."""
    cells = dict.fromkeys(("name", "email", "status", "source"), ERROR)
    base, airtable, _ = one_lead(record=record(**cells), card=card(), base=base_row(status="NEW")).read()
    lead = as_last_agreed(base, airtable, EMAIL).loc[LEAD]
    agreed = ("Ada", "Ada", "ada@example.com", "ada@example.com", "NEW", "fair")
    cells = cells_in(lead["cells"])
    assert (lead["name"], lead["title"], lead["email"], cells[EMAIL], lead["status"], cells[SOURCE]) == agreed
    assert len(lead["unreadable"]) == 4


def test_unreadable_status_of_an_archived_card_asks_for_nothing():
    """A look-up each run would cost a request each."""
    base = base_row(status="LOST", stage="DONE", card_presence="archived", seen_status="LOST")
    world = one_lead(record=record(status=ERROR), card=card(stage="DONE", closed=True), base=base)
    assert to_look_up(*world.read(), rules()) == ([], [])
    assert is_idle(world.plan())


@pytest.mark.parametrize("cell", ["name", "email", "status", "source"])
def test_unreadable_cell_keeps_base_and_card_as_they_are(cell):
    """And is told with its lead, its column and a remedy; an edit of another cell goes on."""
    world = one_lead(record=record(**{cell: ERROR}), card=card(), base=base_row())
    plan = world.plan()
    assert is_idle(plan)
    [row] = plan.quarantine
    assert (row.lead_id, row.card_id, row.field) == (LEAD, CARD, cell)
    assert f"'{cell}'" in row.reason
    assert row.remedy
    other = "source" if cell == "email" else "email"
    world.records[LEAD]["fields"][other] = "other"
    world.sync()
    now, before = (Agreed(LEAD, **row).columns() for row in (world.base[LEAD], base_row()))
    assert {column: value for column, value in now.items() if other not in column} == {
        column: value for column, value in before.items() if other not in column
    }
    assert is_idle(world.plan())
