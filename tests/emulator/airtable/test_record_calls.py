"""Records: their shape, writing, what cells take, and upserts."""

import re

import pytest

from support.answers import error, ids

UNKNOWN = "rec" + "A" * 14


# Shapes


def test_record_shape_is_id_created_time_fields(emulator, airtable):
    """Key order of 2026; times in whole seconds; empty cells are absent."""
    emulator.clock.advance(0.789)
    lead = emulator.airtable.add_lead("Ada", status="NEW")
    record = airtable(emulator)("GET", f"Leads/{lead}").json()
    assert list(record) == ["id", "createdTime", "fields"]
    assert record["createdTime"] == "2026-01-01T00:00:00.000Z"
    assert record["fields"] == {
        "name": "Ada",
        "status": "NEW",
        "created": "2026-01-01T00:00:00.000Z",
        "last_modified": "2026-01-01T00:00:00.000Z",
    }
    assert re.fullmatch(r"rec[0-9A-Za-z]{14}", lead)


def test_answers_carry_recorded_headers(emulator, airtable):
    headers = airtable(emulator)("GET", "Leads").headers
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Server"] == "Tengine"
    assert headers["ETag"].startswith('W/"')
    assert not [name for name in headers if name.lower().startswith("x-ratelimit") or name == "Retry-After"]


@pytest.mark.parametrize("value", ["", None], ids=["empty-text", "null"])
def test_emptied_cell_is_omitted(emulator, airtable, value):
    """Both ways of clearing read back as an absent key."""
    lead = emulator.airtable.add_lead("Ada", source="web")
    answer = airtable(emulator)("PATCH", f"Leads/{lead}", json={"fields": {"source": value}})
    assert "source" not in answer.json()["fields"]


def test_table_by_id_or_encoded_name_and_trailing_slash(emulator, airtable):
    """airtable.js sends a trailing slash and an empty query; names are percent-encoded."""
    emulator.airtable.rename_table("Leads / 2")
    lead, call = emulator.airtable.add_lead("Ada"), airtable(emulator)
    for path in ("Leads%20%2F%202", emulator.airtable.table_id, "Leads%20%2F%202/?"):
        assert ids(call("GET", path)) == [lead]


def test_get_falls_back_to_other_tables_of_the_base(emulator, airtable):
    lead = emulator.airtable.add_lead("Ada")
    emulator.airtable.add_table("Other")
    assert airtable(emulator)("GET", f"Other/{lead}").json()["id"] == lead


# Writing


def test_create_single_and_batch_shapes(emulator, airtable):
    call = airtable(emulator)
    single = call("POST", "Leads", json={"fields": {"name": "Ada"}, "typecast": False})
    batch = call("POST", "Leads", json={"records": [{"fields": {"name": n}} for n in "abc"]})
    assert single.status_code == 200
    assert single.json()["fields"]["name"] == "Ada"
    assert [record["fields"]["name"] for record in batch.json()["records"]] == ["a", "b", "c"]


def test_write_by_field_id_and_answer_by_field_id(emulator, airtable):
    call = airtable(emulator)
    fields = call("GET", f"/v0/meta/bases/{emulator.airtable.base_id}/tables").json()["tables"][0]["fields"]
    name = fields[0]["id"]
    body = {"fields": {name: "Ada"}, "returnFieldsByFieldId": True}
    assert call("POST", "Leads", json=body).json()["fields"][name] == "Ada"


def test_create_without_fields_is_refused(emulator, airtable):
    answer = airtable(emulator)("POST", "Leads", json={"name": "Ada"})
    expected = error("INVALID_REQUEST_MISSING_FIELDS", 'Could not find field "fields" in the request body')
    assert (answer.status_code, answer.json()) == (422, expected)


def test_body_that_is_no_json_is_400(emulator, airtable):
    assert airtable(emulator)("POST", "Leads", data="{oops").status_code == 400


def test_eleven_records_are_refused_or_taken_by_knob(make, airtable):
    rows = {"records": [{"fields": {"name": str(number)}} for number in range(11)]}
    answer = airtable(make())("POST", "Leads", json=rows)
    message = "A maximum of 10 records can be created per request but you have provided 11."
    assert (answer.status_code, answer.json()) == (422, error("INVALID_RECORDS", message))
    assert airtable(make(airtable_batch_limit=None))("POST", "Leads", json=rows).ok


def test_eleven_updates_are_refused(emulator, airtable):
    leads = [emulator.airtable.add_lead(str(number)) for number in range(11)]
    rows = {"records": [{"id": lead, "fields": {"name": "x"}} for lead in leads]}
    answer = airtable(emulator)("PATCH", "Leads", json=rows).json()["error"]
    assert answer["type"] == "INVALID_RECORDS"
    assert answer["message"].startswith("You must provide an array of up to 10 record objects, each with an")


def test_batch_with_one_bad_record_changes_nothing(emulator, airtable):
    """All or nothing, for creates, updates and deletes alike."""
    lead, call = emulator.airtable.add_lead("Ada", status="NEW"), airtable(emulator)
    before = emulator.airtable.records()
    good, bad = {"name": "good"}, {"status": "planning"}
    assert call("POST", "Leads", json={"records": [{"fields": good}, {"fields": bad}]}).status_code == 422
    rows = [{"id": lead, "fields": good}, {"id": UNKNOWN, "fields": good}]
    assert call("PATCH", "Leads", json={"records": rows}).status_code == 422
    assert call("DELETE", "Leads", params={"records[]": [lead, UNKNOWN]}).status_code == 404
    assert emulator.airtable.records() == before


def test_batch_update_changes_every_row_in_order(emulator, airtable):
    leads = [emulator.airtable.add_lead(name, source="web") for name in "abc"]
    rows = [{"id": lead, "fields": {"name": lead}} for lead in reversed(leads)]
    answer = airtable(emulator)("PATCH", "Leads", json={"records": rows})
    assert ids(answer) == leads[::-1]
    assert emulator.airtable.records() == {lead: {"name": lead, "source": "web"} for lead in leads}


def test_patch_keeps_and_put_clears_other_cells(emulator, airtable):
    lead, call = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web"), airtable(emulator)
    call("PATCH", f"Leads/{lead}", json={"fields": {"name": "Ada L."}})
    assert emulator.airtable.records()[lead] == {
        "name": "Ada L.",
        "email": "ada@example.com",
        "status": "NEW",
        "source": "web",
    }
    call("PUT", f"Leads/{lead}", json={"fields": {"name": "Ada"}})
    assert emulator.airtable.records()[lead] == {"name": "Ada"}


def test_patch_answers_with_the_new_modified_time(emulator, airtable):
    """Read your own writes: the answer and the next read agree."""
    lead, call = emulator.airtable.add_lead("Ada"), airtable(emulator)
    emulator.clock.advance(90.5)
    changed = call("PATCH", f"Leads/{lead}", json={"fields": {"name": "Ada L."}}).json()
    assert changed["fields"]["last_modified"] == "2026-01-01T00:01:30.000Z"
    assert changed["fields"]["created"] == "2026-01-01T00:00:00.000Z"
    assert call("GET", f"Leads/{lead}").json() == changed


@pytest.mark.parametrize("moves", [False, True])
def test_equal_patch_and_modified_time_under_both_readings(make, airtable, moves):
    emulator = make(airtable_noop_moves_modified=moves)
    lead = emulator.airtable.add_lead("Ada")
    emulator.clock.advance(60)
    fields = airtable(emulator)("PATCH", f"Leads/{lead}", json={"fields": {"name": "Ada"}}).json()["fields"]
    assert (fields["last_modified"] != fields["created"]) is moves


def test_blank_modified_time_of_rows_added_by_hand(make):
    emulator = make(airtable_modified_blank_until_edit=True)
    lead = emulator.airtable.add_lead("Ada")
    assert "last_modified" not in emulator.airtable.records(computed=True)[lead]
    emulator.airtable.edit(lead, name="Ada L.")
    assert "last_modified" in emulator.airtable.records(computed=True)[lead]


def test_delete_single_and_batch_shapes(emulator, airtable):
    leads, call = [emulator.airtable.add_lead(name) for name in "abc"], airtable(emulator)
    assert call("DELETE", f"Leads/{leads[0]}").json() == {"deleted": True, "id": leads[0]}
    answer = call("DELETE", "Leads", params={"records[]": leads[1:]})
    assert answer.json() == {"records": [{"deleted": True, "id": lead} for lead in leads[1:]]}
    assert not emulator.airtable.records()


# Cells


@pytest.mark.parametrize(
    ("fields", "kind", "message"),
    [
        pytest.param(
            {"status": "planning"},
            "INVALID_MULTIPLE_CHOICE_OPTIONS",
            'Insufficient permissions to create new select option ""planning""',
            id="unknown-choice",
        ),
        pytest.param(
            {"status": "new"},
            "INVALID_MULTIPLE_CHOICE_OPTIONS",
            'Insufficient permissions to create new select option ""new""',
            id="choice-case-counts",
        ),
        pytest.param(
            {"Nope": 1, "Nada": 2},
            "UNKNOWN_FIELD_NAME",
            'Unknown field name: "Nope"',
            id="first-unknown-field",
        ),
        pytest.param(
            {"created": "2026-01-01T00:00:00.000Z"},
            "INVALID_VALUE_FOR_COLUMN",
            'Field "created" cannot accept a value because the field is computed',
            id="computed",
        ),
        pytest.param(
            {"name": 7},
            "INVALID_VALUE_FOR_COLUMN",
            'Field "name" cannot accept the provided value',
            id="number-in-text",
        ),
        pytest.param(
            {"met": "soon"},
            "INVALID_VALUE_FOR_COLUMN",
            'Cannot parse value "soon" for field met',
            id="no-date",
        ),
        pytest.param(
            {"friends": [UNKNOWN]},
            "ROW_DOES_NOT_EXIST",
            f"Record ID {UNKNOWN} does not exist in this table",
            id="link-to-nowhere",
        ),
    ],
)
def test_cell_refusals_word_for_word(emulator, airtable, fields, kind, message):
    emulator.airtable.add_field("met", "dateTime")
    emulator.airtable.add_field("friends", "multipleRecordLinks")
    answer = airtable(emulator)("POST", "Leads", json={"fields": fields})
    assert (answer.status_code, answer.json()) == (422, error(kind, message))


def test_typecast_creates_the_choice_only_for_those_who_may(emulator, airtable):
    body = {"fields": {"status": "planning"}, "typecast": True}
    editor = emulator.airtable.add_token(["data.records:write"], role="edit")
    assert airtable(emulator, editor)("POST", "Leads", json=body).status_code == 422
    assert airtable(emulator)("POST", "Leads", json=body).json()["fields"]["status"] == "planning"
    assert airtable(emulator)("POST", "Leads", json=body | {"typecast": False}).ok


def test_typecast_in_the_query_is_ignored(emulator, airtable):
    body = {"fields": {"status": "planning"}}
    assert airtable(emulator)("POST", "Leads?typecast=true", json=body).status_code == 422


def test_refused_typecast_batch_creates_no_choice(emulator, airtable):
    rows = [{"fields": {"status": "planning"}}, {"fields": {"Nope": 1}}]
    call = airtable(emulator)
    assert call("POST", "Leads", json={"records": rows, "typecast": True}).status_code == 422
    assert call("POST", "Leads", json={"fields": {"status": "planning"}}).status_code == 422


@pytest.mark.parametrize(("rejects", "status"), [(False, 200), (True, 422)])
def test_malformed_address_under_both_readings(make, airtable, rejects, status):
    call = airtable(make(airtable_rejects_malformed_email=rejects))
    assert call("POST", "Leads", json={"fields": {"email": "not an address"}}).status_code == status


# Upsert


def test_upsert_creates_updates_and_says_which(emulator, airtable):
    known = emulator.airtable.add_lead("Ada", source="web")
    rows = [{"fields": {"name": "Ada", "source": "fair"}}, {"fields": {"name": "Bob"}}]
    body = {"performUpsert": {"fieldsToMergeOn": ["name"]}, "records": rows}
    answer = airtable(emulator)("PATCH", "Leads", json=body).json()
    assert answer["updatedRecords"] == [known]
    assert len(answer["createdRecords"]) == 1
    assert [record["fields"]["name"] for record in answer["records"]] == ["Ada", "Bob"]
    assert emulator.airtable.records()[known]["source"] == "fair"


def test_upsert_with_several_matches_fails_whole(emulator, airtable):
    emulator.airtable.add_lead("Ada"), emulator.airtable.add_lead("Ada")
    rows = [{"fields": {"name": "New one"}}, {"fields": {"name": "Ada"}}]
    body = {"performUpsert": {"fieldsToMergeOn": ["name"]}, "records": rows}
    assert airtable(emulator)("PATCH", "Leads", json=body).status_code == 422
    assert len(emulator.airtable.records()) == 2


def test_upsert_null_key_creates_and_id_wins(emulator, airtable):
    known = emulator.airtable.add_lead("Ada")
    rows = [{"fields": {"name": None, "source": "x"}}, {"id": known, "fields": {"name": "Zed"}}]
    body = {"performUpsert": {"fieldsToMergeOn": ["name"]}, "records": rows}
    answer = airtable(emulator)("PATCH", "Leads", json=body).json()
    assert len(answer["createdRecords"]) == 1
    assert answer["updatedRecords"] == [known]


@pytest.mark.parametrize(("allowed", "status"), [(False, 422), (True, 200)])
def test_upsert_on_an_email_field_under_both_readings(make, airtable, allowed, status):
    emulator = make(airtable_upsert_on_email=allowed)
    body = {
        "performUpsert": {"fieldsToMergeOn": ["email"]},
        "records": [{"fields": {"email": "a@b.example"}}],
    }
    assert airtable(emulator)("PATCH", "Leads", json=body).status_code == status
