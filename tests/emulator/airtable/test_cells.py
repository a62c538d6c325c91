"""Cells of every type that a sync maps: what they take, what they show, and how they are cleared."""

import pytest

NOBODY = {"id": "usr" + "A" * 14}
NOWHERE = "rec" + "A" * 14


@pytest.fixture
def call(emulator, airtable):
    return airtable(emulator)


@pytest.fixture
def lead(emulator):
    return emulator.airtable.add_lead("Ada")


def put(call, lead, value, **more):
    """The answer to a write of the column `x`."""
    return call("PATCH", f"Leads/{lead}", json={"fields": {"x": value}, **more})


def refused(answer):
    return answer.status_code, answer.json()["error"]["type"], answer.json()["error"]["message"]


WRONG = (422, "INVALID_VALUE_FOR_COLUMN", 'Field "x" cannot accept the provided value')
HOT_OR_NOT = {"choices": [{"name": "Hot"}, {"name": "Cold"}, {"name": "Red hot"}]}


def unparsable(value):
    return 422, "INVALID_VALUE_FOR_COLUMN", f'Cannot parse value "{value}" for field x'


# Values as they are taken and shown


@pytest.mark.parametrize(
    ("kind", "given", "shown"),
    [
        ("date", "2026-03-01", "2026-03-01"),
        ("dateTime", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000Z"),
        ("dateTime", "2026-03-01T12:00:00.250+02:00", "2026-03-01T10:00:00.250Z"),
        ("dateTime", "2026-03-01", "2026-03-01T00:00:00.000Z"),
        ("number", 3, 3),
        ("number", -2.5, -2.5),
        ("number", 3.0, 3),
        ("number", 0, 0),
        ("percent", 0.123, 0.123),
        ("currency", 12.5, 12.5),
        ("rating", 4, 4),
        ("duration", 90, 90),
        ("checkbox", True, True),
        ("multipleSelects", ["Cold", "Hot"], ["Cold", "Hot"]),
        ("multipleSelects", ["Cold", "Cold"], ["Cold"]),
        ("singleSelect", "Red hot", "Red hot"),
        ("phoneNumber", "+49 30 1", "+49 30 1"),
        ("url", "https://example.com", "https://example.com"),
    ],
)
def test_value_is_taken_and_shown(emulator, call, lead, kind, given, shown):
    emulator.airtable.add_field("x", kind, HOT_OR_NOT if "elect" in kind else None)
    written = put(call, lead, given).json()["fields"]["x"]
    assert (written, type(written)) == (shown, type(shown))
    assert call("GET", f"Leads/{lead}").json()["fields"]["x"] == shown
    assert put(call, lead, shown).json()["fields"]["x"] == shown


@pytest.mark.parametrize(
    ("kind", "empty"),
    [
        ("date", None),
        ("dateTime", None),
        ("number", None),
        ("checkbox", None),
        ("checkbox", False),
        ("singleSelect", None),
        ("multipleSelects", None),
        ("multipleSelects", []),
        ("singleCollaborator", None),
        ("multipleCollaborators", None),
        ("multipleCollaborators", []),
        ("multipleRecordLinks", None),
        ("multipleRecordLinks", []),
    ],
)
def test_cleared_cell_is_left_out(emulator, call, lead, kind, empty):
    person = emulator.airtable.add_collaborator("Eve", "eve@example.com")
    full = {"date": "2026-03-01", "dateTime": "2026-03-01", "number": 5, "checkbox": True, "singleSelect": "Hot"}
    full |= {"multipleSelects": ["Hot"], "singleCollaborator": {"id": person}}
    full |= {"multipleCollaborators": [{"id": person}], "multipleRecordLinks": [lead]}
    emulator.airtable.add_field("x", kind, HOT_OR_NOT if "elect" in kind else None)
    assert "x" in put(call, lead, full[kind]).json()["fields"]
    assert "x" not in put(call, lead, empty).json()["fields"]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("date", "", unparsable("")),
        ("date", "soon", unparsable("soon")),
        ("date", "2026-02-30", unparsable("2026-02-30")),
        ("date", "2026-03-01T12:00:00Z", unparsable("2026-03-01T12:00:00Z")),
        ("date", 20260301, WRONG),
        ("dateTime", "", unparsable("")),
        ("dateTime", "12:00", unparsable("12:00")),
        ("dateTime", 5, WRONG),
        ("number", "5", WRONG),
        ("number", "", WRONG),
        ("number", True, WRONG),
        ("rating", 0, WRONG),
        ("rating", 6, WRONG),
        ("rating", 2.5, WRONG),
        ("checkbox", "true", WRONG),
        ("checkbox", 1, WRONG),
        ("multipleSelects", "Hot", WRONG),
        ("multipleSelects", [7], WRONG),
        ("singleSelect", ["Hot"], WRONG),
        ("singleCollaborator", "Eve", WRONG),
        ("singleCollaborator", NOBODY, WRONG),
        ("singleCollaborator", {"email": "nobody@example.com"}, WRONG),
        ("singleCollaborator", {"name": "Owner"}, WRONG),
        ("multipleCollaborators", {"email": "owner@example.com"}, WRONG),
        ("multipleCollaborators", [NOBODY], WRONG),
        ("multipleRecordLinks", "Ada", WRONG),
        ("multipleRecordLinks", [{"id": NOWHERE}], WRONG),
        (
            "multipleRecordLinks",
            [NOWHERE],
            (422, "ROW_DOES_NOT_EXIST", f"Record ID {NOWHERE} does not exist in this table"),
        ),
        (
            "multipleSelects",
            ["Hot", "hot"],
            (
                *(422, "INVALID_MULTIPLE_CHOICE_OPTIONS"),
                'Insufficient permissions to create new select option ""hot""',
            ),
        ),
        (
            "singleSelect",
            "",
            (422, "INVALID_MULTIPLE_CHOICE_OPTIONS", 'Insufficient permissions to create new select option """"'),
        ),
    ],
)
def test_value_is_refused_word_for_word(emulator, call, lead, kind, value, expected):
    emulator.airtable.add_field("x", kind, HOT_OR_NOT if "elect" in kind else None)
    assert refused(put(call, lead, value)) == expected
    assert "x" not in emulator.airtable.records()[lead]


@pytest.mark.parametrize("kind", ["formula", "rollup", "count", "multipleLookupValues", "createdBy", "autoNumber"])
def test_computed_cell_refuses_even_null(emulator, call, lead, kind):
    emulator.airtable.add_field("x", kind)
    for value in ("text", None):
        assert refused(put(call, lead, value)) == (
            422,
            "INVALID_VALUE_FOR_COLUMN",
            'Field "x" cannot accept a value because the field is computed',
        )


@pytest.mark.parametrize("constant", ["NaN", "Infinity"])
def test_number_that_is_no_json_is_a_bad_request(emulator, call, lead, constant):
    emulator.airtable.add_field("x", "number")
    answer = call("PATCH", f"Leads/{lead}", data=f'{{"fields": {{"x": {constant}}}}}')
    assert answer.status_code == 400


def test_huge_number_is_refused(emulator, call, lead):
    emulator.airtable.add_field("x", "number")
    assert refused(call("PATCH", f"Leads/{lead}", data='{"fields": {"x": 1e999}}')) == WRONG


# Arrays are replaced, never merged


def test_multi_select_replaces_its_array(emulator, call, lead):
    emulator.airtable.add_field("x", "multipleSelects", HOT_OR_NOT)
    put(call, lead, ["Hot", "Cold"])
    assert put(call, lead, ["Red hot"]).json()["fields"]["x"] == ["Red hot"]
    emulator.airtable.delete_select_option("x", "Red hot")
    assert "x" not in emulator.airtable.records()[lead]


def test_option_renamed_or_deleted_by_hand_in_arrays(emulator, call, lead):
    emulator.airtable.add_field("x", "multipleSelects", HOT_OR_NOT)
    emulator.airtable.edit(lead, x=["Hot", "Cold"])
    emulator.airtable.rename_select_option("x", "Hot", "Boiling")
    assert call("GET", f"Leads/{lead}").json()["fields"]["x"] == ["Boiling", "Cold"]
    emulator.airtable.delete_select_option("x", "Boiling")
    assert call("GET", f"Leads/{lead}").json()["fields"]["x"] == ["Cold"]


def test_collaborators_are_known_by_id_or_address(emulator, call, lead):
    eve = emulator.airtable.add_collaborator("Eve", "eve@example.com")
    emulator.airtable.add_field("x", "multipleCollaborators")
    shown = put(call, lead, [{"email": "eve@example.com"}, {"id": emulator.airtable.user_id}]).json()["fields"]["x"]
    assert shown[0] == {"id": eve, "email": "eve@example.com", "name": "Eve"}
    assert [each["name"] for each in shown] == ["Eve", "Owner"]
    assert [each["id"] for each in put(call, lead, [{"id": eve}]).json()["fields"]["x"]] == [eve]


def test_person_set_by_hand_has_access_from_then_on(emulator, call, lead):
    emulator.airtable.add_field("x", "singleCollaborator")
    ina = NOBODY | {"name": "Ina", "email": "ina@example.com"}
    emulator.airtable.edit(lead, x=ina)
    other = emulator.airtable.add_lead("Bob")
    assert put(call, other, NOBODY).json()["fields"]["x"] == ina


def test_links_go_to_the_table_of_the_column(emulator, call, lead):
    firms = emulator.airtable.add_table("Firms")
    acme = call("POST", "Firms", json={"fields": {"name": "Acme"}}).json()["id"]
    emulator.airtable.add_field("x", "multipleRecordLinks", {"linkedTableId": firms})
    assert put(call, lead, [acme]).json()["fields"]["x"] == [acme]
    assert refused(put(call, lead, [lead]))[1] == "ROW_DOES_NOT_EXIST"


# Dates and zones


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-03-01T12:00:00", "2026-03-01T11:00:00.000Z"),
        ("2026-07-01T12:00:00", "2026-07-01T10:00:00.000Z"),
        ("2026-07-01", "2026-06-30T22:00:00.000Z"),
        ("2026-07-01T12:00:00Z", "2026-07-01T12:00:00.000Z"),
    ],
)
def test_time_without_offset_is_meant_in_the_zone_of_the_column(emulator, call, lead, given, shown):
    emulator.airtable.add_field("x", "dateTime", {"timeZone": "Europe/Berlin"})
    assert put(call, lead, given).json()["fields"]["x"] == shown


@pytest.mark.parametrize("takes", [False, True])
def test_time_in_a_date_cell_under_both_readings(make, airtable, takes):
    emulator = make(airtable_date_takes_times=takes)
    emulator.airtable.add_field("x", "date")
    answer = put(airtable(emulator), emulator.airtable.add_lead("Ada"), "2026-03-01T23:30:00-05:00")
    assert answer.status_code == (200 if takes else 422)
    assert not takes or answer.json()["fields"]["x"] == "2026-03-02"


@pytest.mark.parametrize(("rounds", "shown"), [(False, 2.567), (True, 2.57)])
def test_precision_of_numbers_under_both_readings(make, airtable, rounds, shown):
    emulator = make(airtable_number_rounds=rounds)
    emulator.airtable.add_field("x", "number", {"precision": 2})
    assert put(airtable(emulator), emulator.airtable.add_lead("Ada"), 2.567).json()["fields"]["x"] == shown


# Typecast


@pytest.mark.parametrize(
    ("kind", "given", "shown"),
    [
        ("number", "5", 5),
        ("checkbox", "true", True),
        ("date", "2026-03-01T12:00:00Z", "2026-03-01"),
        ("multipleSelects", "Hot, New one", ["Hot", "New one"]),
        ("singleCollaborator", "owner@example.com", "Owner"),
    ],
)
def test_typecast_reads_texts(emulator, call, lead, kind, given, shown):
    emulator.airtable.add_field("x", kind, HOT_OR_NOT if "elect" in kind else None)
    value = put(call, lead, given, typecast=True).json()["fields"]["x"]
    assert (value["name"] if isinstance(value, dict) else value) == shown


def test_typecast_that_would_make_a_record_is_not_emulated(emulator, call, lead):
    emulator.airtable.add_field("x", "multipleRecordLinks")
    answer = put(call, lead, ["Bob"], typecast=True)
    assert (answer.status_code, answer.text.startswith("emulator:")) == (501, True)


# Times of change


def test_time_of_change_follows_every_type_that_people_fill_in(emulator, call, lead):
    emulator.airtable.add_field("x", "multipleSelects", HOT_OR_NOT)
    emulator.airtable.add_field("sum", "formula")
    emulator.clock.advance(60)
    emulator.airtable.recompute(lead, sum=5)
    formula = "LAST_MODIFIED_TIME() > CREATED_TIME()"
    assert call("GET", "Leads", params={"filterByFormula": formula}).json()["records"] == []
    put(call, lead, ["Hot"])
    assert len(call("GET", "Leads", params={"filterByFormula": formula}).json()["records"]) == 1
    assert len(call("GET", "Leads", params={"filterByFormula": "{x} = 'Hot'"}).json()["records"]) == 1


def test_put_clears_every_column_that_people_fill_in(emulator, call, lead):
    emulator.airtable.add_field("x", "checkbox")
    emulator.airtable.add_field("sum", "formula")
    emulator.airtable.recompute(lead, sum=5)
    put(call, lead, True)
    fields = call("PUT", f"Leads/{lead}", json={"fields": {"name": "Ada"}}).json()["fields"]
    assert (fields.get("x"), fields["sum"]) == (None, 5)


def test_pyairtable_writes_and_reads_all_types(emulator, table_of):
    people = emulator.airtable
    for name, kind in {"day": "date", "ok": "checkbox", "deal": "currency", "who": "singleCollaborator"}.items():
        people.add_field(name, kind)
    people.add_field("tags", "multipleSelects", HOT_OR_NOT)
    cells = {"day": "2026-03-01", "ok": True, "deal": 5.5, "tags": ["Hot"], "who": {"email": "owner@example.com"}}
    made = table_of(emulator).create(cells)
    shown = table_of(emulator).get(made["id"])["fields"]
    assert {name: shown[name] for name in ("day", "ok", "deal", "tags")} == {
        name: cells[name] for name in ("day", "ok", "deal", "tags")
    }
    assert shown["who"]["id"] == people.user_id
