"""JSON in, typed frame out: shapes, order, and what is not a record or a card."""

from __future__ import annotations

import pandas as pd
import pytest

from leadsync.errors import IncompleteReadError
from leadsync.frames.agreed import BASE_COLUMNS, Agreed, base_frame
from leadsync.frames.cards import Card, cards_frame, deleted_cards
from leadsync.frames.leads import Lead, absent_leads, leads_frame
from leadsync.frames.schema import cell_in, columns_of, overlay
from support.rows import BOARD, CELLS, COLUMNS, LISTS, SOURCE, STAGES_BY_LIST, base_row, card, card_id, lead_id, record


def cards(*several, known=()):
    return cards_frame(several, BOARD, STAGES_BY_LIST, known, CELLS)


@pytest.mark.parametrize(
    ("frame", "columns", "index"),
    [
        pytest.param(leads_frame([record(2), record(1)], COLUMNS, CELLS), columns_of(Lead), "lead_id", id="leads"),
        pytest.param(leads_frame([], COLUMNS, CELLS), columns_of(Lead), "lead_id", id="no-leads"),
        pytest.param(absent_leads({lead_id(1): "gone"}), columns_of(Lead), "lead_id", id="absent-leads"),
        pytest.param(cards(card(2), card(1)), columns_of(Card), "card_id", id="cards"),
        pytest.param(cards(), columns_of(Card), "card_id", id="no-cards"),
        pytest.param(deleted_cards([card_id(1)]), columns_of(Card), "card_id", id="deleted-cards"),
        pytest.param(base_frame([Agreed(lead_id(1), **base_row())]), BASE_COLUMNS, "lead_id", id="base"),
        pytest.param(base_frame(), BASE_COLUMNS, "lead_id", id="no-base"),
    ],
)
def test_frame_has_the_columns_and_types_of_the_model(frame, columns, index):
    """Also when it is empty; rows are sorted, and nothing is missing but ""."""
    assert tuple(frame.columns) == columns
    assert {str(dtype) for dtype in frame.dtypes} == {"object"}
    assert frame.index.name == index
    assert frame.index.is_monotonic_increasing
    assert not frame.isna().any().any()


@pytest.mark.parametrize("odd", [None, "rec1", {}, {"id": 7}, []])
def test_answer_that_is_no_record_or_card_stops_the_run(odd):
    """Nothing may be inferred from a read that holds something else."""
    with pytest.raises(IncompleteReadError, match="nothing was written"):
        leads_frame([record(), odd], COLUMNS, CELLS)
    with pytest.raises(IncompleteReadError, match="nothing was written"):
        cards(card(), odd)


def test_record_without_fields_is_an_empty_lead():
    """Airtable leaves empty cells out."""
    lead = leads_frame([{"id": lead_id(1)}], COLUMNS, CELLS).loc[lead_id(1)]
    assert (lead["name"], lead["email"], lead["status"], cell_in(lead["cells"], SOURCE)) == ("",) * 4
    assert lead["unreadable"] == ()
    assert lead["title"] == f"Unnamed lead {lead_id(1)}"


def test_record_read_twice_is_one_lead():
    """Pages may overlap."""
    assert len(leads_frame([record(1), record(1), record(2)], COLUMNS, CELLS)) == 2


@pytest.mark.parametrize("option", ["NEW", "NEW ", "\tNEW\u00a0"])
def test_status_is_taken_as_it_is_but_for_outer_blanks(option):
    """Nobody sees them; inner blanks and case make another option."""
    assert leads_frame([record(status=option)], COLUMNS, CELLS).at[lead_id(1), "status"] == "NEW"
    assert leads_frame([record(status="New  one ")], COLUMNS, CELLS).at[lead_id(1), "status"] == "New  one"


@pytest.mark.parametrize(
    ("columns", "presence"),
    [
        ({}, "open"),
        ({"closed": True}, "archived"),
        ({"idBoard": "c" * 24}, "moved_away"),
        ({"idBoard": "c" * 24, "closed": True}, "moved_away"),
        ({"idBoard": None}, "open"),
    ],
    ids=["open", "archived", "moved-away", "archived-elsewhere", "board-not-told"],
)
def test_presence_of_a_card_by_board_and_archive(columns, presence):
    """Another board outweighs the archive."""
    assert cards(card(**columns)).at[card_id(1), "presence"] == presence


def test_cards_that_are_not_ours_are_left_out():
    """Neither a marker nor an id in the base."""
    shopping = card(2, desc="Buy milk", name="Milk")
    assert list(cards(card(1), shopping).index) == [card_id(1)]
    assert list(cards(shopping, known={card_id(2)}).index) == [card_id(2)]


def test_card_of_few_fields_is_read():
    """Unknown and absent keys do no harm."""
    row = cards({"id": card_id(1), "shiny": True}, known={card_id(1)}).loc[card_id(1)]
    assert (row["stage"], row["title"], row["description"], row["kind"], row["markers"]) == ("", "", "", "", 0)


def test_stage_comes_from_the_list():
    """Any list outside the mapping has none."""
    stages = [cards(card(stage=stage)).at[card_id(1), "stage"] for stage in LISTS]
    assert stages == list(LISTS)


def test_overlay_adds_and_replaces():
    """What was looked up counts more than what was read; order and types stay."""
    read = cards(card(1), card(3))
    looked_up = pd.concat([cards(card(2, closed=True)), deleted_cards([card_id(3)])])
    both = overlay(read, looked_up)
    assert both["presence"].to_dict() == {card_id(1): "open", card_id(2): "archived", card_id(3): "deleted"}
    assert dict(both.dtypes) == dict(read.dtypes)
    assert overlay(read, cards()) is read
