"""What cells and cards hold in JSON, in canonical form and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadsync.mapping.columns import COMPUTED, KINDS, READ, WRITABLE, Column, ColumnKind, number
from leadsync.mapping.lenses import CellError, LensKind
from leadsync.mapping.properties import CUSTOM, PROPERTIES, Way, property_named

ANNA = {"id": "usrANNA", "email": "anna@example.com", "name": "Anna"}
CARD = {
    "name": "Ada",
    "idList": "list-1",
    "due": "2026-07-01T10:00:00.000Z",
    "start": None,
    "dueComplete": True,
    "idLabels": ["b", "a"],
    "idMembers": [],
    "shortUrl": "https://trello.com/c/L3xcFw09",
    "desc": "LeadID: rec00000000000001",
    "customFieldItems": [{"idCustomField": "cf1", "value": {"number": "1.50"}}],
}


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("text", " Ada\n", " Ada\n"),
        ("text", 12.5, "12.5"),
        ("text", ["a", "b"], "a, b"),
        ("text", None, ""),
        ("number", 1200, "1200"),
        ("number", 1200.0, "1200"),
        ("number", "1.50", "1.5"),
        ("number", -0.0, "0"),
        ("number", 1e21, "1000000000000000000000"),
        ("number", None, ""),
        ("checkbox", True, True),
        ("checkbox", None, False),
        ("date", "2026-07-01", "2026-07-01"),
        ("date", None, ""),
        ("datetime", "2026-07-01T10:00:00.700Z", "2026-07-01T10:00:00.000Z"),
        ("datetime", None, ""),
        ("choice", " Hot ", "Hot"),
        ("choice", {"id": "sel1", "name": "Hot"}, "Hot"),
        ("choice", 5, "5"),
        ("choice", None, ""),
        ("set", ["Hot", "Cold "], frozenset({"Hot", "Cold"})),
        ("set", None, frozenset()),
        ("person", ANNA, "usrANNA"),
        ("person", None, ""),
        ("people", [ANNA], frozenset({"usrANNA"})),
        ("people", None, frozenset()),
    ],
)
def test_cell_is_read_by_its_kind(kind, cell, value):
    """An absent cell is empty; equal values have one form."""
    assert Column("C", ColumnKind(kind)).read(cell) == value


def test_person_is_read_as_the_map_names_it():
    """By e-mail address where that is what the user wrote."""
    assert Column("C", ColumnKind.PERSON).read(ANNA, {"anna@example.com": "anna"}) == "anna@example.com"
    assert Column("C", ColumnKind.PERSON).read(ANNA, {"usrANNA": "anna"}) == "usrANNA"


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("number", {"specialValue": "NaN"}),
        ("number", True),
        ("number", "many"),
        ("number", float("inf")),
        ("checkbox", "yes"),
        ("date", "soon"),
        ("date", 20260701),
        ("datetime", {"error": "#ERROR!"}),
        ("choice", {"id": "sel1"}),
        ("set", "Hot"),
        ("person", [ANNA]),
        ("people", ANNA),
        ("person", {"name": "Anna"}),
    ],
)
def test_cell_of_another_kind_is_said_to_be_unreadable(kind, cell):
    """With what it holds and what to do; never as empty."""
    with pytest.raises(CellError) as caught:
        Column("Next step", ColumnKind(kind)).read(cell)
    assert caught.value.holds
    assert "'Next step'" in caught.value.remedy


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        ("text", "", None),
        ("number", "", None),
        ("date", "", None),
        ("datetime", "", None),
        ("choice", "", None),
        ("set", frozenset(), None),
        ("person", "", None),
        ("people", frozenset(), None),
        ("checkbox", False, None),
        ("checkbox", True, True),
        ("number", "1200", 1200),
        ("number", "-0.5", -0.5),
        ("date", "2026-07-01", "2026-07-01"),
        ("datetime", "2026-07-01T10:00:00.000Z", "2026-07-01T10:00:00.000Z"),
        ("choice", "Hot", " Hot"),
        ("choice", "New", "New"),
        ("set", frozenset({"Hot", "Cold"}), ["Cold", " Hot"]),
        ("text", "Hot", "Hot"),
        ("person", "anna@example.com", {"email": "anna@example.com"}),
        ("person", "usrANNA", {"id": "usrANNA"}),
        ("people", frozenset({"usrANNA"}), ["usrANNA"]),
    ],
)
def test_cell_is_written_as_its_kind_takes_it(kind, value, cell):
    """Null clears; an option is spelled as it is in the column."""
    assert Column("C", ColumnKind(kind), options=(" Hot", "Cold")).write(value) == cell


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_is_the_same_after_a_way_through_either_service(value):
    """Airtable has doubles, Trello texts."""
    canonical = number(value)
    column = Column("Deal", ColumnKind.NUMBER)
    item = property_named("custom:Deal").tied_to("cf1", "number")
    sent = {"customFieldItems": [{"idCustomField": "cf1", **item.body(canonical)}]}
    assert column.read(json.loads(json.dumps(column.write(canonical)))) == canonical == item.read(sent)
    assert (number(str(value)) == number(value + 1)) == (value == value + 1)


def test_every_field_type_has_one_kind_and_every_kind_a_reader():
    """The tables are whole, and no type is both computed and writable."""
    assert set(READ) == set(ColumnKind) == set(WRITABLE.values())
    assert not WRITABLE.keys() & COMPUTED.keys()
    assert KINDS.keys() == WRITABLE.keys() | COMPUTED.keys()


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param({"type": "phoneNumber"}, Column("C", ColumnKind.TEXT, "fld1"), id="text"),
        pytest.param(
            {"type": "multipleSelects", "options": {"choices": [{"id": "sel1", "name": " Hot"}]}},
            Column("C", ColumnKind.SET, "fld1", options=(" Hot",)),
            id="options",
        ),
        pytest.param({"type": "lastModifiedTime"}, Column("C", ColumnKind.DATETIME, "fld1", True), id="computed"),
        pytest.param(
            {"type": "createdTime", "options": {"result": {"type": "dateTime", "options": {}}}},
            Column("C", ColumnKind.DATETIME, "fld1", True),
            id="created",
        ),
        pytest.param(
            {"type": "formula", "options": {"result": {"type": "number", "options": {"precision": 1}}}},
            Column("C", ColumnKind.NUMBER, "fld1", True),
            id="formula-of-its-result",
        ),
        pytest.param(
            {"type": "formula", "options": {"result": None}},
            Column("C", ColumnKind.TEXT, "fld1", True),
            id="broken-formula",
        ),
        pytest.param({"type": "button"}, Column("C", ColumnKind.TEXT, "fld1", True), id="shown-only"),
        pytest.param({"type": "of-tomorrow"}, Column("C", ColumnKind.TEXT, "fld1", True), id="unheard-of"),
    ],
)
def test_column_is_of_its_field_type(model, expected):
    """As the schema states it."""
    assert Column.of({"id": "fld1", "name": "C", **model}) == expected


def test_row_can_say_what_a_column_is():
    """A text may hold days."""
    column = Column.of({"id": "fld1", "name": "C", "type": "singleLineText"}, ColumnKind.DATE)
    assert column == Column("C", ColumnKind.DATE, "fld1")


@pytest.mark.parametrize(
    ("name", "wire", "value", "body"),
    [
        ("title", "name", "Ada", "Ada"),
        ("list", "idList", "list-1", "list-1"),
        ("due", "due", "2026-07-01T10:00:00.000Z", "2026-07-01T10:00:00.000Z"),
        ("start", "start", "", None),
        ("done", "dueComplete", True, True),
        ("labels", "idLabels", frozenset({"a", "b"}), "a,b"),
        ("members", "idMembers", frozenset(), ""),
        ("url", "shortUrl", "https://trello.com/c/L3xcFw09", "https://trello.com/c/L3xcFw09"),
    ],
)
def test_property_is_read_from_a_card_and_sent_under_the_same_key(name, wire, value, body):
    """One PUT takes all of them; null clears a date, the empty text a set."""
    row = PROPERTIES[name]
    assert (row.wire, row.read(CARD), row.body(value)) == (wire, value, body)
    assert row.in_put == (name != "url")


@pytest.mark.parametrize("name", PROPERTIES)
def test_property_that_a_card_was_read_without_is_no_empty_one(name):
    """A read that left a field out must not look as if somebody had emptied it."""
    with pytest.raises(CellError):
        PROPERTIES[name].read({"id": "card"})


@pytest.mark.parametrize(
    ("name", "held"), [("due", "soon"), ("due", 5), ("labels", 5), ("start", "9999-12-31T23:59:59Z")]
)
def test_property_that_cannot_be_read_says_so(name, held):
    """With its key."""
    with pytest.raises(CellError, match=PROPERTIES[name].wire):
        PROPERTIES[name].read({PROPERTIES[name].wire: held})


@pytest.mark.parametrize(
    ("kind", "value", "body"),
    [
        ("text", "Ada", {"value": {"text": "Ada"}}),
        ("text", "", {"value": ""}),
        ("number", "1.5", {"value": {"number": "1.5"}}),
        ("number", "", {"value": ""}),
        ("date", "2026-07-01T10:00:00.000Z", {"value": {"date": "2026-07-01T10:00:00.000Z"}}),
        ("date", "", {"value": ""}),
        ("checkbox", True, {"value": {"checked": "true"}}),
        ("checkbox", False, {"value": ""}),
        ("list", "opt1", {"idValue": "opt1"}),
        ("list", "", {"idValue": ""}),
    ],
)
def test_custom_field_is_sent_and_read_by_its_type(kind, value, body):
    """All values are texts on the wire; the item is gone once it is empty."""
    row = property_named("custom:Deal").tied_to("cf1", kind)
    empty = "" in (body.get("value"), body.get("idValue"))
    items = [{"idCustomField": "other", "value": {"text": "x"}}] + ([] if empty else [{"idCustomField": "cf1", **body}])
    assert (row.body(value), row.read({"customFieldItems": items})) == (body, value)


def test_unticked_custom_field_is_no_tick():
    """An item may be there and say false."""
    row = property_named("custom:Won").tied_to("cf1", "checkbox")
    item = {"idCustomField": "cf1", "value": {"checked": "false"}}
    assert row.read({"customFieldItems": [item]}) is False


def test_table_of_properties_is_whole():
    """What is in the one PUT, which ways, and which lens: the whole table at a glance."""
    both = tuple(Way)
    assert {name: (row.wire, row.in_put, row.ways) for name, row in PROPERTIES.items()} == {
        "title": ("name", True, both),
        "list": ("idList", True, both),
        "due": ("due", True, both),
        "start": ("start", True, both),
        "done": ("dueComplete", True, both),
        "labels": ("idLabels", True, both),
        "members": ("idMembers", True, both),
        "url": ("shortUrl", False, (Way.TO_AIRTABLE,)),
        "line": ("desc", True, (Way.TO_TRELLO,)),
        "custom": ("customFieldItems", False, both),
    }
    lenses = {name: set(row.fits.values()) for name, row in PROPERTIES.items()}
    assert lenses == {
        **dict.fromkeys(("title", "url", "line", "custom"), {LensKind.TEXT}),
        "list": {LensKind.CHOICE},
        **dict.fromkeys(("due", "start"), {LensKind.DATE}),
        "done": {LensKind.CHECKBOX},
        **dict.fromkeys(("labels", "members"), {LensKind.SET, LensKind.CHOICE}),
    }
    assert {kind: set(fits.values()) for kind, (_, fits, _) in CUSTOM.items()} == {
        "text": {LensKind.TEXT},
        "number": {LensKind.NUMBER},
        "date": {LensKind.DATE},
        "checkbox": {LensKind.CHECKBOX},
        "list": {LensKind.CHOICE},
    }
    assert {name for name, row in PROPERTIES.items() if row.needs_paid_plan} == {"custom"}


@pytest.mark.parametrize(
    ("card", "kind", "ways"),
    [
        ("title", ColumnKind.TEXT, tuple(Way)),
        ("title", ColumnKind.NUMBER, (Way.TO_TRELLO,)),
        ("title", None, tuple(Way)),
        ("line:Phone", ColumnKind.TEXT, (Way.TO_TRELLO,)),
        ("url", ColumnKind.TEXT, (Way.TO_AIRTABLE,)),
        ("list", ColumnKind.TEXT, tuple(Way)),
    ],
)
def test_ways_are_those_that_both_ends_allow(card, kind, ways):
    """What is only shown as text cannot be written back."""
    row = property_named(card)
    assert row.ways_from(kind) == ways
    assert set(row.ways_from(kind, is_computed=True)) == set(ways) & {Way.TO_TRELLO}
