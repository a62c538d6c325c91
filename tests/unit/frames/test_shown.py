"""What a cell of any type says, which cells say nothing that a text could stand for, and how they are set aside."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadsync.frames.leads import leads_frame
from leadsync.frames.schema import cell_in
from leadsync.frames.shown import HELD_SHOWN, NotText, Unreadable, pared, shown
from leadsync.texts import text
from support.rows import CELLS, COLUMNS, SOURCE, card_id, lead_id, record

LEAD, CARD = lead_id(1), card_id(1)
SECRET = "https://signed.example.com/secret"
KEYS = st.sampled_from(("id", "name", "email", "filename", "url", "text", "label", "state", "value", "error", "other"))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(("", "Ada", "rec" + "A" * 14))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=6
)
ERROR = {"error": "#ERROR!"}


def said(value):
    """What the cell says, or the refusal to."""
    try:
        return text(shown(value))
    except NotText as found:
        return found.holds


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param({"id": "usr1", "email": "e@x.y", "name": "Eve"}, "Eve", id="collaborator"),
        pytest.param({"id": "usr1", "email": "e@x.y", "name": ""}, "e@x.y", id="collaborator-without-name"),
        pytest.param({"id": "rec" + "A" * 14, "name": "Acme"}, "Acme", id="linked-record-with-name"),
        pytest.param({"id": "rec" + "A" * 14, "name": ""}, "", id="linked-record-called-nothing"),
        pytest.param({"id": "att1", "url": SECRET, "filename": "a.pdf"}, "a.pdf", id="attachment"),
        pytest.param([{"id": "sel1", "name": "Web"}, {"id": "sel2", "name": "Fair"}], "Web, Fair", id="selects"),
        pytest.param({"state": "generated", "isStale": False, "value": "Hot"}, "Hot", id="ai-text"),
        pytest.param({"state": "error", "isStale": True, "value": "Hot"}, "Hot", id="ai-text-of-before"),
        pytest.param({"state": "empty", "isStale": False, "value": None}, "", id="empty-ai-text"),
        pytest.param({"text": "400", "type": "ean8"}, "400", id="barcode"),
        pytest.param({"label": "Open", "url": SECRET}, "Open", id="button"),
        pytest.param([["a", None], [3.0, 2.5]], "a, 3, 2.5", id="lookup"),
        pytest.param(True, "True", id="checkbox"),
        pytest.param([], "", id="nothing"),
    ],
)
def test_cell_says_what_a_person_sees(value, words):
    """By its type, and in lists of any depth."""
    assert said(value) == words


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        pytest.param(ERROR, "#ERROR!", id="error"),
        pytest.param({"error": {"url": SECRET}}, "an error", id="odd-error"),
        pytest.param({"specialValue": "NaN"}, "NaN", id="special-value"),
        pytest.param(["rec" + "A" * 14, "rec" + "B" * 14], "linked records", id="linked-records"),
        pytest.param([{"id": "rec" + "A" * 14}], "linked records", id="linked-records-without-name"),
        pytest.param({"state": "loading", "isStale": True, "value": None}, "'loading'", id="pending-ai-text"),
        pytest.param({"state": "error", "isStale": True, "value": ""}, "'error'", id="failed-ai-text"),
        pytest.param({"kind": 1, "url": SECRET}, "an object (kind)", id="unknown-object"),
        pytest.param({"k" * 500: 1}, "an object (kkk", id="long-key"),
        pytest.param(["fair", ERROR], "#ERROR!", id="error-among-others"),
        pytest.param(float("inf"), "inf", id="infinite"),
    ],
)
def test_cell_that_no_text_stands_for_says_shortly_what_it_holds(value, holds):
    """Never an address that somebody signed."""
    with pytest.raises(NotText) as found:
        shown(value)
    assert holds in found.value.holds
    assert len(found.value.holds) <= HELD_SHOWN + len("AI text in state ''")
    assert found.value.remedy


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_any_value_is_shown_or_refused_alike_with_and_without_its_addresses(value):
    """What is kept of a record says the same as the record."""
    assert said(pared(value)) == said(value)
    assert pared(pared(value)) == pared(value) or value != value
    assert text(said(value)) == said(value)


def test_unreadable_cells_are_named_one_by_one():
    """Each with its column; the other cells of the lead are as ever."""
    columns = COLUMNS | {"name": "Full name"}
    broken = record(email=["rec" + "L" * 14]) | {}
    broken["fields"] |= {"Full name": ERROR}
    lead = leads_frame([broken], columns, CELLS).loc[LEAD]
    assert [(each.cell, each.column) for each in lead["unreadable"]] == [("name", "Full name"), ("email", "email")]
    assert all(isinstance(each, Unreadable) and each.reason and each.remedy for each in lead["unreadable"])
    assert (lead["name"], lead["email"], lead["status"], cell_in(lead["cells"], SOURCE)) == ("", "", "NEW", "fair")
