"""The mapping tied to a table and a board: which lens each row gets, and what does not fit."""

from __future__ import annotations

import dataclasses

import pytest

from leadsync.mapping.cells import Cell
from leadsync.mapping.columns import ColumnKind
from leadsync.mapping.lenses import LensKind, merge
from leadsync.mapping.names import BoardNames, CustomField, Misfit, Weight
from leadsync.mapping.properties import Way, property_named
from leadsync.mapping.rows import CellMapping, Field, default_mapping
from leadsync.mapping.tied import tie
from leadsync.model import DEFAULT_STAGE_OF, DONE, IN_PROGRESS, TODO, StatusMap

BOARD = BoardNames(
    lists={TODO: "list-1", "list-1": "list-1", IN_PROGRESS: "list-2", DONE: "list-3"},
    labels={"L1": "Red hot", "L2": "Cold", "L3": "Waiting", "L4": "Cold"},
    members={"M1": ("anna", "Anna Smith"), "M2": ("bob", "Bob"), "M3": ("bob2", "Bob")},
    custom_fields={
        "Deal": CustomField("cf1", "number"),
        "Size": CustomField("cf2", "list", {"o1": "Small", "o2": "Large"}),
        "Note": CustomField("cf3", "text"),
        "Call": CustomField("cf4", "date"),
        "Odd": CustomField("cf5", "vote"),
    },
)
TYPES = {
    "status": "singleSelect",
    "name": "singleLineText",
    "Next step": "date",
    "Call": "dateTime",
    "Won": "checkbox",
    "Deal": "currency",
    "Tags": "multipleSelects",
    "Heat": "singleSelect",
    "Size": "singleSelect",
    "Owner": "singleCollaborator",
    "Team": "multipleCollaborators",
    "Age": "formula",
    "Card": "url",
}
OPTIONS = {
    "status": [*DEFAULT_STAGE_OF, "PAUSED"],
    "Tags": ["Hot", "Cold", "New "],
    "Heat": ["Hot", "Cold"],
    "Size": ["Small", "Large", "Huge"],
}


def schema(**types: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for number, (name, kind) in enumerate((TYPES | types).items()):
        options: dict[str, object] = {"result": {"type": "number"}} if kind == "formula" else {}
        if name in OPTIONS and kind in ("singleSelect", "multipleSelects"):
            options = {"choices": [{"id": "sel", "name": option} for option in OPTIONS[name]]}
        model: dict[str, object] = {"id": f"fld{number}", "name": name, "type": kind, "options": options}
        found |= {name: model, f"fld{number}": model}
    return found


def tied(row: Field, *, columns: dict[str, dict[str, object]] | None, board: BoardNames = BOARD) -> Cell:
    result = tie(CellMapping((row,), "Europe/Berlin"), columns, board)
    assert [misfit for _, misfit in result.misfits if misfit.weight is not Weight.WARNING] == []
    (cell,) = result.cells
    return cell


def field(airtable: str, card: str, **more: object) -> Field:
    return Field(airtable, property_named(card), **more)  # type: ignore[arg-type]


def misfit(row: Field, columns: dict[str, dict[str, object]] | None) -> Misfit:
    result = tie(CellMapping((row,)), columns, BOARD)
    assert result.cells == ()
    ((about, found),) = result.misfits
    assert about is row
    assert found.remedy
    return found


@pytest.mark.parametrize(
    ("airtable", "card", "more", "lens", "way"),
    [
        ("name", "title", {}, LensKind.TEXT, Way.BOTH),
        ("Deal", "title", {}, LensKind.TEXT, Way.TO_TRELLO),
        ("Team", "line:Team", {}, LensKind.TEXT, Way.TO_TRELLO),
        ("Card", "url", {}, LensKind.TEXT, Way.TO_AIRTABLE),
        ("status", "list", {"map": DEFAULT_STAGE_OF}, LensKind.CHOICE, Way.BOTH),
        ("Next step", "due", {}, LensKind.DATE, Way.BOTH),
        ("Call", "start", {}, LensKind.DATE, Way.BOTH),
        ("Next step", "custom:Call", {}, LensKind.DATE, Way.BOTH),
        ("Won", "done", {}, LensKind.CHECKBOX, Way.BOTH),
        ("Tags", "labels", {"map": {"Hot": "Red hot"}}, LensKind.SET, Way.BOTH),
        ("Heat", "labels", {"map": {"Hot": "Red hot"}}, LensKind.CHOICE, Way.BOTH),
        ("Owner", "members", {"map": {"anna@example.com": "anna"}}, LensKind.CHOICE, Way.BOTH),
        ("Team", "members", {"map": {"usrANNA": "anna"}}, LensKind.SET, Way.BOTH),
        ("Deal", "custom:Deal", {}, LensKind.NUMBER, Way.BOTH),
        ("Age", "custom:Deal", {}, LensKind.NUMBER, Way.TO_TRELLO),
        ("Size", "custom:Size", {}, LensKind.CHOICE, Way.BOTH),
        ("name", "custom:Note", {}, LensKind.TEXT, Way.BOTH),
        ("Won", "custom:Note", {}, LensKind.TEXT, Way.TO_TRELLO),
    ],
)
def test_lens_by_field_type_and_property(airtable, card, more, lens, way):
    """What both ends are decides; a computed column, or one that is only shown, goes one way."""
    cell = tied(field(airtable, card, **more), columns=schema())
    assert (cell.kind, cell.way) == (lens, way)
    assert cell.key == (f"fld{list(TYPES).index(airtable)}", card)


@pytest.mark.parametrize(
    ("airtable", "card", "more", "kind", "lens"),
    [
        ("C", "title", {}, ColumnKind.TEXT, LensKind.TEXT),
        ("C", "list", {"map": DEFAULT_STAGE_OF}, ColumnKind.CHOICE, LensKind.CHOICE),
        ("C", "due", {"kind": ColumnKind.DATE}, ColumnKind.DATE, LensKind.DATE),
        ("C", "due", {"kind": ColumnKind.DATETIME}, ColumnKind.DATETIME, LensKind.DATE),
        ("C", "done", {}, ColumnKind.CHECKBOX, LensKind.CHECKBOX),
        ("C", "labels", {}, ColumnKind.SET, LensKind.SET),
        ("C", "custom:Deal", {}, ColumnKind.NUMBER, LensKind.NUMBER),
        ("C", "custom:Size", {}, ColumnKind.CHOICE, LensKind.CHOICE),
        ("C", "line:Phone", {}, ColumnKind.TEXT, LensKind.TEXT),
    ],
)
def test_column_without_a_schema_is_what_the_row_says_or_the_property_takes(airtable, card, more, kind, lens):
    """The token may lack schema.bases:read."""
    cell = tied(field(airtable, card, **more), columns=None)
    assert (cell.column.kind, cell.kind, cell.key) == (kind, lens, (airtable, card))


def test_column_named_by_its_id_is_the_same():
    """And its key is the id either way, so that renaming it changes nothing."""
    by_name, by_id = (tied(field(name, "title"), columns=schema()) for name in ("name", "fld1"))
    assert by_name.key == by_id.key == ("fld1", "title")


def test_default_rows_are_tied_as_they_always_were():
    """Status and list by their stages, an unknown status and a list outside the mapping to nothing."""
    columns = {"name": "name", "email": "email", "status": "status", "source": "source"}
    mapping = default_mapping(columns, StatusMap.from_stages(DEFAULT_STAGE_OF))
    result = tie(mapping, None, BOARD)
    assert result.misfits == ()
    status = result.cells[0]
    assert (status.airtable.get("LOST"), status.airtable.get(""), status.airtable.get("PAUSED")) == (DONE, TODO, None)
    assert (status.trello.get("list-3"), status.trello.get("elsewhere")) == (DONE, None)
    assert (status.airtable.put(DONE, "LOST"), status.trello.put(IN_PROGRESS, "list-3")) == ("LOST", "list-2")
    assert [str(cell.card) for cell in result.cells] == ["list", "title", "line:E-mail", "line:Source"]


def test_labels_are_compared_by_id_and_of_those_called_alike_any_will_do():
    """By the map, else by the option's own name; the oldest of several labels of one name is put on."""
    cell = tied(field("Tags", "labels", map={"Hot": "Red hot"}), columns=schema())
    assert cell.airtable.get(frozenset({"Hot", "Cold", "New"})) == {"L1", "L2"}
    assert cell.trello.get(frozenset({"L1", "L3", "L4"})) == {"L1", "L2"}
    assert cell.trello.put(frozenset({"L2"}), frozenset({"L1", "L3", "L4"})) == {"L3", "L4"}
    assert cell.trello.put(frozenset({"L2"}), frozenset({"L3"})) == {"L2", "L3"}
    assert cell.airtable.put(frozenset(), frozenset({"Hot", "New"})) == {"New"}
    assert cell.lacking == {"New": "New"}


def test_option_that_vanished_takes_no_label_off():
    """Neither side has it any more in the terms of comparison, and the card keeps it."""
    columns = schema()
    columns["Tags"]["options"] = {"choices": [{"id": "sel", "name": "Cold"}]}
    cell = tied(
        field("Tags", "labels"), columns=columns, board=dataclasses.replace(BOARD, labels={"L1": "Hot", "L2": "Cold"})
    )
    merged = merge({"L1", "L2"}, cell.airtable.get(frozenset({"Cold"})), cell.trello.get(frozenset({"L1", "L2"})))
    assert merged == {"L2"}
    assert cell.trello.put(merged, frozenset({"L1", "L2"})) == {"L1", "L2"}
    assert cell.trello.put(frozenset(), frozenset({"L1", "L2"})) == {"L1"}


def test_label_without_a_name_is_no_option():
    """A board has six of them to begin with."""
    cell = tied(
        field("Tags", "labels"), columns=None, board=dataclasses.replace(BOARD, labels={"L1": "", "L2": "Cold"})
    )
    assert cell.trello.get(frozenset({"L1", "L2"})) == {"L2"}


def test_status_in_a_column_of_texts_is_read_without_blanks():
    """As one of a select is."""
    cell = tied(field("status", "list", map=DEFAULT_STAGE_OF), columns=schema(status="singleLineText"))
    assert cell.airtable.get(cell.column.read(" LOST\n")) == DONE


def test_column_named_in_two_ways_is_written_by_one_row():
    """By its name and by its id it is the same."""
    rows = (field("name", "title"), field("fld1", "custom:Note"), field("fld1", "line:Name"))
    result = tie(CellMapping(rows), schema(), BOARD)
    assert [str(cell.card) for cell in result.cells] == ["title", "line:Name"]
    ((about, found),) = result.misfits
    assert about is rows[1]
    assert "'name' = title writes into that column, too" in found.detail


def test_labels_without_a_schema_are_all_options_but_those_called_otherwise():
    """A label that the map gives another name is no option of its own name."""
    cell = tied(field("Tags", "labels", map={"Hot": "Red hot", "Waiting": "Cold"}), columns=None)
    assert cell.airtable.get(frozenset({"Hot", "Waiting"})) == {"L1", "L2"}
    assert cell.airtable.get(frozenset({"Red hot"})) == frozenset()
    assert cell.airtable.put(frozenset({"L1"}), frozenset()) == {"Hot"}
    assert cell.trello.get(frozenset({"L3"})) == frozenset()


def test_one_of_several_members_is_the_first_of_the_map():
    """A column with one person shows one of a card's members, and leaves those that it does not know."""
    people = {"bob@example.com": "bob", "anna@example.com": "Anna Smith"}
    cell = tied(field("Owner", "members", map=people), columns=schema())
    assert cell.trello.get(frozenset({"M1", "M2", "M3"})) == "M2"
    assert cell.airtable.put("M2", "") == "bob@example.com"
    assert cell.trello.put("M1", frozenset({"M2", "M3"})) == {"M1", "M3"}
    assert cell.airtable.get("usrELSE") is None
    assert (cell.airtable.get(""), cell.trello.get(frozenset())) == ("", "")


def test_list_of_a_custom_field_is_a_choice_by_id():
    """Nothing chosen is empty on both sides; an option that the board lacks sets the lead's cell aside."""
    result = tie(CellMapping((field("Size", "custom:Size"),)), schema(), BOARD)
    (cell,) = result.cells
    assert (cell.airtable.get("Small"), cell.airtable.get(""), cell.airtable.get("Huge")) == ("o1", "", None)
    assert (cell.trello.get("o2"), cell.trello.put("", "o2")) == ("o2", "")
    assert [found.weight for _, found in result.misfits] == [Weight.WARNING] * 2
    assert "Standard" in result.misfits[0][1].detail
    assert "Huge" in result.misfits[1][1].detail


def test_days_are_those_of_the_mapping_s_zone():
    """A column of moments is compared as moments."""
    days = tied(field("Next step", "due"), columns=schema())
    moments = tied(field("Call", "due"), columns=schema())
    late = "2026-07-01T22:30:00.000Z"
    assert (days.trello.get(late), moments.trello.get(late)) == ("2026-07-02", late)
    assert days.trello.put("2026-07-01", "") == "2026-07-01T10:00:00.000Z"


def test_what_is_only_shown_is_read_as_text():
    """A number on a title is what frames.shown made of it."""
    assert tied(field("Deal", "title"), columns=schema()).column.read(["a", "b"]) == "a, b"


@pytest.mark.parametrize(
    ("row", "columns", "detail", "remedy"),
    [
        pytest.param(field("X", "title"), schema(), "no column 'X'", "there are: Age, ", id="no-column"),
        pytest.param(field("X", "due"), None, "'X' holds cannot be read", "schema.bases:read", id="no-schema"),
        pytest.param(field("name", "due"), schema(), "'name' holds a text", "date, datetime", id="does-not-fit"),
        pytest.param(field("Age", "url", kind=ColumnKind.TEXT), schema(), "is computed", "another", id="into-computed"),
        pytest.param(
            field("Age", "custom:Deal", way=Way.BOTH), schema(), "is computed", "direction", id="both-computed"
        ),
        pytest.param(field("Deal", "title", way=Way.BOTH), schema(), "only shows", "direction", id="both-but-shown"),
        pytest.param(field("Deal", "custom:Deal", map={"1": "2"}), schema(), "no map from a number", "out", id="map"),
        pytest.param(field("name", "custom:X"), schema(), "no custom field 'X'", "Deal, Size", id="no-custom-field"),
        pytest.param(field("name", "custom:Odd"), schema(), "no custom field 'Odd'", "Standard", id="odd-custom-field"),
        pytest.param(
            field("status", "list", map={"NEW": "Inbox"}),
            schema(),
            "no list Inbox",
            "IN_PROGRESS, DONE",
            id="no-list",
        ),
        pytest.param(
            field("status", "list", map={"NEW": TODO, "LOST": "list-1"}),
            schema(),
            "two are the same",
            "one name",
            id="twice",
        ),
        pytest.param(
            field("Team", "members", map={"a@b.c": "anna"}),
            schema(),
            "by their ids",
            "to_trello",
            id="people-by-e-mail",
        ),
    ],
)
def test_row_that_does_not_fit_says_why(row, columns, detail, remedy):
    """What is found, and what to do; the other rows are tied."""
    found = misfit(row, columns)
    assert detail in found.detail
    assert remedy in found.remedy
    beside = tie(CellMapping((row, field("C" if columns is None else "fld1", "title"))), columns, BOARD)
    assert [str(cell.card) for cell in beside.cells] == ["title"]


@pytest.mark.parametrize(
    ("row", "columns", "detail", "remedy"),
    [
        pytest.param(
            field("status", "list", map={"OPEN": TODO}), schema(), "no option OPEN", "NEW, CONTACTED", id="no-status"
        ),
        pytest.param(
            field("Tags", "labels", map={"Warm": "Cold"}), schema(), "no option Warm", "Hot, Cold, New", id="no-option"
        ),
        pytest.param(
            field("Owner", "members", map={"a@b.c": "zoe"}),
            schema(),
            "not one member zoe",
            "Anna Smith",
            id="no-member",
        ),
        pytest.param(
            field("Owner", "members", map={"a@b.c": "Bob"}), schema(), "not one member Bob", "bob2", id="two-bobs"
        ),
    ],
)
def test_value_that_one_end_lacks_leaves_the_row_tied(row, columns, detail, remedy):
    """Somebody left the board, or an option was deleted: that stops the leads that hold it, and no others."""
    tied_all = tie(CellMapping((row,)), columns, BOARD)
    ((about, found),), (cell,) = tied_all.misfits, tied_all.cells
    assert (about is row, detail in found.detail, remedy in found.remedy) == (True, True, True)
    assert found.weight is Weight.VALUE
    if row.card.name != "list":
        assert not any(cell.airtable.get(frozenset({each}) if cell.kind is LensKind.SET else each) for each in row.map)


def test_people_by_e_mail_are_shown_one_way():
    """Only writing several needs their ids."""
    row = field("Team", "members", map={"a@b.c": "anna"}, way=Way.TO_TRELLO)
    assert tied(row, columns=schema()).airtable.get(frozenset({"a@b.c"})) == {"M1"}


def test_second_status_of_a_list_need_not_be_an_option():
    """Only what a list gives back is ever written."""
    columns = schema()
    columns["status"]["options"] = {
        "choices": [{"id": "sel", "name": name} for name in ("NEW", "CONTACTED", "QUALIFIED")]
    }
    assert tied(field("status", "list", map=DEFAULT_STAGE_OF), columns=columns).airtable.get("LOST") == DONE


@pytest.mark.parametrize(
    ("row", "columns", "details"),
    [
        pytest.param(
            field("X", "custom:Y"), schema(), ["no custom field 'Y'", "no column 'X'"], id="neither-end-is-there"
        ),
        pytest.param(field("X", "custom:Y"), None, ["no custom field 'Y'"], id="nothing-known-of-the-column"),
        pytest.param(
            field("X", "members", map={"a@b.c": "zoe"}), schema(), ["no column 'X'", "member zoe"], id="map-and-column"
        ),
        pytest.param(
            field("status", "list", map={"OPEN": "Inbox", "NEW": TODO, "LOST": "list-1"}),
            schema(),
            ["no list Inbox", "two are the same list", "no option OPEN"],
            id="lists",
        ),
        pytest.param(
            field("Tags", "labels", map={"Warm": "Cold"}, way=Way.BOTH),
            schema(Tags="multipleCollaborators"),
            ["holds a people"],
            id="what-does-not-fit-has-no-ways",
        ),
        pytest.param(
            field("Size", "custom:Size", map={"Tiny": "Small"}, way=Way.BOTH),
            {**schema(), "Size": {**schema()["Size"], "type": "formula", "options": {"result": schema()["Size"]}}},
            ["is computed", "no option Tiny"],
            id="way-and-option",
        ),
    ],
)
def test_everything_that_is_wrong_with_a_row_is_named_at_once(row, columns, details):
    """One end says nothing of the other; each fault is named once."""
    found = tie(CellMapping((row,)), columns, BOARD).misfits
    assert [len(found), *(each in misfit.detail for each, (_, misfit) in zip(details, found, strict=False))] == [
        len(details),
        *[True] * len(details),
    ]
    assert all(misfit.remedy for _, misfit in found)


def test_remedy_of_a_missing_option_says_in_which_table():
    columns = schema()
    columns["Tags"]["table"] = "Leads"
    [(_, found)] = tie(CellMapping((field("Tags", "labels", map={"Warm": "Cold"}),)), columns, BOARD).misfits
    assert found.remedy.startswith("In Airtable, edit column 'Tags' of table 'Leads' and add Warm")
