"""Columns of every type in the schema, cells as text, and what the emulator says it has not."""

import pytest


@pytest.fixture
def call(emulator, airtable):
    return airtable(emulator)


def schema(emulator, call):
    path = f"/v0/meta/bases/{emulator.airtable.base_id}/tables"
    return {each["name"]: each for each in call("GET", path).json()["tables"][0]["fields"]}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("number", {"precision": 0}),
        ("percent", {"precision": 0}),
        ("currency", {"precision": 2, "symbol": "$"}),
        ("rating", {"icon": "star", "max": 5, "color": "yellowBright"}),
        ("duration", {"durationFormat": "h:mm"}),
        ("checkbox", {"icon": "check", "color": "greenBright"}),
        ("date", {"dateFormat": {"name": "iso", "format": "YYYY-MM-DD"}}),
        ("multipleSelects", {"choices": []}),
        ("singleCollaborator", None),
        ("email", None),
        ("unheardOf", None),
    ],
)
def test_column_added_by_hand_shows_its_options(emulator, call, kind, options):
    emulator.airtable.add_field("x", kind)
    column = schema(emulator, call)["x"]
    assert (column["type"], column.get("options")) == (kind, options)


def test_links_dates_and_formulas_in_the_schema(emulator, call, table_of):
    """pyairtable reads them all."""
    people = emulator.airtable
    for name, kind in {"at": "dateTime", "sum": "formula", "up": "rollup", "look": "multipleLookupValues"}.items():
        people.add_field(name, kind)
    people.add_field("friends", "multipleRecordLinks")
    people.add_field("files", "multipleAttachments")
    people.retype_field("source", "multipleSelects", {"choices": [{"name": "web"}]})
    columns = schema(emulator, call)
    assert columns["at"]["options"]["timeZone"] == "utc"
    assert columns["friends"]["options"]["linkedTableId"] == people.table_id
    assert columns["source"]["options"]["choices"][0]["id"].startswith("sel")
    read = {each.name: each.type for each in table_of(emulator).schema().fields}
    assert read["sum"] == "formula"
    assert read == {name: column["type"] for name, column in columns.items()}


@pytest.mark.parametrize(
    ("kind", "options", "status"),
    [
        ("date", {"dateFormat": {"name": "european"}}, 200),
        ("date", None, 422),
        ("date", {"dateFormat": {"name": "martian"}}, 422),
        ("number", {"precision": 2}, 200),
        ("number", {}, 422),
        ("checkbox", {"icon": "check"}, 422),
        ("multipleSelects", {"choices": [{"name": "Hot"}]}, 200),
        ("multipleSelects", {"choices": ["Hot"]}, 422),
        ("multipleRecordLinks", None, 422),
        ("formula", {"formula": "1"}, 501),
    ],
)
def test_column_made_by_call_needs_its_options(emulator, call, kind, options, status):
    path = f"/v0/meta/bases/{emulator.airtable.base_id}/tables/{emulator.airtable.table_id}/fields"
    answer = call("POST", path, json={"name": "x", "type": kind, "options": options})
    assert answer.status_code == status
    assert ("x" in schema(emulator, call)) is (status == 200)
    if status == 501:
        assert answer.text.startswith("emulator:")
    elif status == 422:
        assert answer.json()["error"]["type"] == "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE"


def test_zone_that_does_not_exist_is_refused(emulator, call):
    path = f"/v0/meta/bases/{emulator.airtable.base_id}/tables/{emulator.airtable.table_id}/fields"
    options = {"dateFormat": {"name": "iso"}, "timeFormat": {"name": "24hour"}, "timeZone": "Moon/Tycho"}
    assert call("POST", path, json={"name": "x", "type": "dateTime", "options": options}).status_code == 422
    options["timeZone"] = "Europe/Berlin"
    made = call("POST", path, json={"name": "x", "type": "dateTime", "options": options}).json()
    assert made["options"]["timeFormat"] == {"name": "24hour", "format": "HH:mm"}


# Cells as text


@pytest.mark.parametrize(
    ("kind", "options", "value", "text"),
    [
        ("date", None, "2026-03-01", "2026-03-01"),
        ("date", {"dateFormat": {"name": "us"}}, "2026-03-01", "3/1/2026"),
        ("date", {"dateFormat": {"name": "european"}}, "2026-03-01", "1/3/2026"),
        ("dateTime", None, "2026-03-01T12:05:00Z", "2026-03-01 12:05"),
        ("dateTime", {"timeZone": "client"}, "2026-03-01T12:05:00Z", "2026-03-01 13:05"),
        ("dateTime", {"timeFormat": {"name": "12hour"}}, "2026-03-01T00:05:00Z", "2026-03-01 12:05am"),
        ("number", {"precision": 2}, 5, "5.00"),
        ("percent", {"precision": 1}, 0.123, "12.3%"),
        ("currency", None, 5.5, "$5.50"),
        ("checkbox", None, True, "checked"),
        ("multipleSelects", {"choices": [{"name": "Hot"}, {"name": "Cold"}]}, ["Hot", "Cold"], "Hot, Cold"),
        ("singleCollaborator", None, {"email": "eve@example.com", "name": "Eve"}, "Eve"),
    ],
)
def test_cell_as_text_is_what_a_person_sees(emulator, call, kind, options, value, text):
    emulator.airtable.add_field("x", kind, options)
    emulator.airtable.edit(emulator.airtable.add_lead("Ada"), x=value)
    params = {"cellFormat": "string", "timeZone": "Europe/Berlin", "userLocale": "en"}
    (record,) = call("GET", "Leads", params=params).json()["records"]
    assert record["fields"]["x"] == text
    single = call("GET", f"Leads/{record['id']}", params=params)
    assert single.json()["fields"] == record["fields"]


def test_links_as_text_are_names(emulator, call):
    lead = emulator.airtable.add_lead("Ada")
    emulator.airtable.add_field("x", "multipleRecordLinks")
    emulator.airtable.edit(lead, x=[lead])
    params = {"cellFormat": "string", "timeZone": "utc", "userLocale": "en"}
    assert call("GET", "Leads", params=params).json()["records"][0]["fields"]["x"] == "Ada"


# What the emulator has not


@pytest.mark.parametrize(
    ("kind", "options", "value", "params"),
    [
        ("date", {"dateFormat": {"name": "friendly"}}, "2026-03-01", {"cellFormat": "string"}),
        ("duration", None, 90, {"cellFormat": "string"}),
        ("multipleSelects", {"choices": [{"name": "Hot"}]}, ["Hot"], {"sort[0][field]": "x"}),
        ("number", None, 5, {"filterByField": "x"}),
    ],
)
def test_what_is_not_emulated_is_not_ignored(emulator, call, kind, options, value, params):
    emulator.airtable.add_field("x", kind, options)
    emulator.airtable.edit(emulator.airtable.add_lead("Ada"), x=value)
    params = {"timeZone": "utc", "userLocale": "en"} | params
    answer = call("GET", "Leads", params=params)
    assert (answer.status_code, answer.text.startswith("emulator:")) == (501, True)


def test_formula_over_linked_records_is_not_emulated(emulator, call):
    lead = emulator.airtable.add_lead("Ada")
    emulator.airtable.add_field("x", "multipleRecordLinks")
    emulator.airtable.edit(lead, x=[lead])
    answer = call("GET", "Leads", params={"filterByFormula": "{x} = 'Ada'"})
    assert (answer.status_code, answer.text.startswith("emulator:")) == (501, True)


def test_cell_of_an_unknown_type_is_filled_in_by_hand_only(emulator, call):
    lead = emulator.airtable.add_lead("Ada")
    emulator.airtable.add_field("x", "unheardOf")
    emulator.airtable.edit(lead, x={"any": "thing"})
    answer = call("PATCH", f"Leads/{lead}", json={"fields": {"x": "text"}})
    assert (answer.status_code, answer.text.startswith("emulator:")) == (501, True)
    assert emulator.airtable.records()[lead]["x"] == {"any": "thing"}


def test_unknown_zone_of_a_call_is_refused(emulator, call):
    params = {"cellFormat": "string", "timeZone": "Moon/Tycho", "userLocale": "en"}
    assert call("GET", "Leads", params=params).status_code == 422


def test_people_and_selects_in_formulas(emulator, call):
    lead = emulator.airtable.add_lead("Ada")
    emulator.airtable.add_field("who", "singleCollaborator")
    emulator.airtable.add_field("ok", "checkbox")
    emulator.airtable.edit(lead, who={"email": "eve@example.com", "name": "Eve"}, ok=True)
    for formula in ("{who} = 'Eve'", "{ok}", "AND({ok} = 1, FIND('ve', {who}))"):
        assert len(call("GET", "Leads", params={"filterByFormula": formula}).json()["records"]) == 1
    emulator.airtable.edit(lead, ok=None)
    assert call("GET", "Leads", params={"filterByFormula": "{ok}"}).json()["records"] == []
