"""Record calls against sections 2 and 3 of the Airtable reference."""

import re

import pytest
import requests

NOT_PERMITTED_OR_MISSING = {
    "error": {
        "type": "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND",
        "message": "Invalid permissions, or the requested model was not found. Check that both your user "
        "and your token have the required permissions, and that the model names and/or ids are correct.",
    }
}
UNKNOWN = "rec" + "A" * 14


def error(kind, message=None):
    return {"error": {"type": kind} | ({"message": message} if message else {})}


def ids(answer):
    return [record["id"] for record in answer.json()["records"]]


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


# Lists


def test_pages_of_ten_ten_five(emulator, airtable):
    """pageSize 10 with maxRecords 25 ends without an offset."""
    for number in range(30):
        emulator.airtable.add_lead(f"Lead {number}")
    call, sizes, seen, offset = airtable(emulator), [], [], None
    while offset or not sizes:
        page = call("GET", "Leads", params={"pageSize": 10, "maxRecords": 25, "offset": offset}).json()
        sizes.append(len(page["records"]))
        seen += [record["id"] for record in page["records"]]
        offset = page.get("offset")
        assert offset is None or re.fullmatch(r"itr\w{14}/rec\w{14}", offset)
    assert sizes == [10, 10, 5]
    assert len(set(seen)) == 25


def test_hundred_records_are_one_page_without_offset(emulator, airtable):
    for number in range(100):
        emulator.airtable.add_lead(f"Lead {number}")
    page = airtable(emulator)("GET", "Leads").json()
    assert len(page["records"]) == 100
    assert "offset" not in page


def test_unsorted_order_is_not_creation_order(emulator, airtable):
    """Without sort and view the order is arbitrary, so nobody may rely on it."""
    created = [emulator.airtable.add_lead(f"Lead {number}") for number in range(20)]
    listed = ids(airtable(emulator)("GET", "Leads"))
    assert sorted(listed) == sorted(created)
    assert listed != created


@pytest.mark.parametrize(
    ("size", "status"),
    [("0", 200), ("abc", 200), ("", 200), ("-1", 422), ("101", 422)],
)
def test_page_size_rules(emulator, airtable, size, status):
    """0 is an empty page, text is ignored, out of range is refused."""
    emulator.airtable.add_lead("Ada")
    answer = airtable(emulator)("GET", "Leads", params={"pageSize": size})
    assert answer.status_code == status
    if status == 422:
        assert answer.json() == error("INVALID_PAGE_SIZE_ARGUMENT", "Page size argument should be between 0 and 100")
    else:
        assert len(answer.json()["records"]) == (0 if size == "0" else 1)


def test_max_records_zero_is_empty(emulator, airtable):
    emulator.airtable.add_lead("Ada")
    assert airtable(emulator)("GET", "Leads", params={"maxRecords": "0"}).json() == {"records": []}


def test_offset_expires_after_idle_time(make, airtable):
    """The iterator dies of inactivity, not of age; the error has no message."""
    emulator = make(airtable_iterator_lifetime=60)
    for number in range(3):
        emulator.airtable.add_lead(f"Lead {number}")
    call = airtable(emulator)
    offset = call("GET", "Leads", params={"pageSize": 1}).json()["offset"]
    for _ in range(2):
        emulator.clock.advance(59)
        assert call("GET", "Leads", params={"pageSize": 1, "offset": offset}).ok
    emulator.clock.advance(61)
    answer = call("GET", "Leads", params={"pageSize": 1, "offset": offset})
    assert (answer.status_code, answer.json()) == (422, error("LIST_RECORDS_ITERATOR_NOT_AVAILABLE"))


def test_offset_can_be_asked_for_twice(emulator, airtable):
    """A page whose answer was lost can be fetched again."""
    for number in range(4):
        emulator.airtable.add_lead(f"Lead {number}")
    call = airtable(emulator)
    offset = call("GET", "Leads", params={"pageSize": 2}).json()["offset"]
    pages = [ids(call("GET", "Leads", params={"pageSize": 2, "offset": offset})) for _ in range(2)]
    assert pages[0] == pages[1]
    assert len(pages[0]) == 2


def test_malformed_offset_is_refused(emulator, airtable):
    answer = airtable(emulator)("GET", "Leads", params={"offset": "nonsense"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "INVALID_OFFSET_VALUE")


@pytest.mark.parametrize(("snapshot", "length"), [(True, 5), (False, 6)])
def test_row_added_between_pages_under_both_readings(make, airtable, snapshot, length):
    """A snapshot never shows it; live paging may skip or repeat."""
    emulator = make(airtable_iterator_snapshot=snapshot)
    for number in range(5):
        emulator.airtable.add_lead(f"Lead {number}")
    call = airtable(emulator)
    first = call("GET", "Leads", params={"pageSize": 3}).json()
    emulator.airtable.add_lead("late")
    second = call("GET", "Leads", params={"pageSize": 3, "offset": first["offset"]}).json()
    assert len(first["records"]) + len(second["records"]) == length


def test_row_deleted_between_pages_is_left_out(emulator, airtable):
    for number in range(4):
        emulator.airtable.add_lead(f"Lead {number}")
    call = airtable(emulator)
    first = call("GET", "Leads", params={"pageSize": 2}).json()
    rest = set(emulator.airtable.records()) - {record["id"] for record in first["records"]}
    emulator.airtable.delete(rest.pop())
    assert ids(call("GET", "Leads", params={"pageSize": 2, "offset": first["offset"]})) == list(rest)


def test_fields_by_name_or_id_limit_the_keys(emulator, airtable, session):
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    schema = airtable(emulator)("GET", f"/v0/meta/bases/{emulator.airtable.base_id}/tables").json()
    status = next(field["id"] for field in schema["tables"][0]["fields"] if field["name"] == "status")
    answer = airtable(emulator)("GET", "Leads", params={"fields[]": ["name", status]})
    assert answer.json()["records"][0]["fields"] == {"name": "Ada", "status": "NEW"}
    by_id = airtable(emulator)("GET", "Leads", params={"fields[]": status, "returnFieldsByFieldId": "true"})
    assert by_id.json()["records"][0]["fields"] == {status: "NEW"}


@pytest.mark.parametrize("params", [{"fields[]": ["name", "Nope"]}, {"sort[0][field]": "Nope"}], ids=["fields", "sort"])
def test_unknown_field_in_a_list_call_is_refused(emulator, airtable, params):
    answer = airtable(emulator)("GET", "Leads", params=params)
    assert (answer.status_code, answer.json()) == (
        422,
        error("UNKNOWN_FIELD_NAME", 'Unknown field name: "Nope"'),
    )


def test_renamed_field_read_by_name_is_an_error_only_when_asked_for(emulator, airtable):
    """The trap: without fields[] a renamed column looks like a table of emptied cells."""
    emulator.airtable.add_lead("Ada", "ada@example.com")
    emulator.airtable.rename_field("email", "E-mail")
    call = airtable(emulator)
    assert "email" not in call("GET", "Leads").json()["records"][0]["fields"]
    assert call("GET", "Leads", params={"fields[]": "email"}).status_code == 422


def test_sort_by_select_follows_the_options(emulator, airtable):
    for name, status in (("a", "LOST"), ("b", "NEW"), ("c", None), ("d", "CONTACTED")):
        emulator.airtable.add_lead(name, status=status)
    params = {"sort[0][direction]": "desc", "sort[0][field]": "status"}
    answer = airtable(emulator)("GET", "Leads", params=params)
    assert [record["fields"]["name"] for record in answer.json()["records"]] == ["a", "d", "b", "c"]


def test_view_filters_orders_and_shows_hidden_fields(emulator, airtable):
    leads = [emulator.airtable.add_lead(name, status="NEW") for name in ("a", "b", "c")]
    emulator.airtable.edit(leads[1], status="LOST")
    view = emulator.airtable.add_view("Open leads", lambda cells: cells.get("status") != "LOST")
    for key in ("Open leads", view):
        assert ids(airtable(emulator)("GET", "Leads", params={"view": key})) == [leads[0], leads[2]]


@pytest.mark.parametrize(("view", "kind"), [("Nope", "VIEW_NAME_NOT_FOUND"), ("viw" + "A" * 14, "VIEW_ID_NOT_FOUND")])
def test_unknown_view_is_refused(emulator, airtable, view, kind):
    answer = airtable(emulator)("GET", "Leads", params={"view": view})
    assert (answer.status_code, answer.json()) == (422, error(kind, f"View {view} not found"))


def test_long_list_call_by_post(emulator, airtable):
    """POST listRecords takes JSON arrays and the offset in the body; it is a read."""
    for number in range(3):
        emulator.airtable.add_lead(f"Lead {number}")
    body = {"pageSize": 2, "fields": ["name"], "sort": [{"field": "name", "direction": "desc"}]}
    call = airtable(emulator)
    first = call("POST", "Leads/listRecords", json=body).json()
    second = call("POST", "Leads/listRecords", json=body | {"offset": first["offset"]}).json()
    names = [record["fields"]["name"] for record in first["records"] + second["records"]]
    assert names == ["Lead 2", "Lead 1", "Lead 0"]
    assert emulator.calls("airtable", writes=True) == 0


def test_over_long_url_is_refused(emulator, airtable):
    answer = airtable(emulator)("GET", "Leads", params={"filterByFormula": "'" + "x" * 16_000 + "'"})
    assert answer.status_code == 414


def test_text_cell_format_needs_zone_and_locale(emulator, airtable):
    emulator.airtable.add_lead("Ada")
    call = airtable(emulator)
    assert call("GET", "Leads", params={"cellFormat": "string"}).status_code == 422
    assert call("GET", "Leads", params={"cellFormat": "string", "timeZone": "utc", "userLocale": "en"}).ok


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


# Cell rules of section 2.8


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


# What does not exist (section 3.3)


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_missing_record_is_403_not_404(emulator, airtable, method):
    answer = airtable(emulator)(method, f"Leads/{UNKNOWN}", json={"fields": {}})
    assert (answer.status_code, answer.json()) == (403, NOT_PERMITTED_OR_MISSING)


def test_missing_record_in_batches(emulator, airtable):
    """422 in an update, 404 in a delete."""
    call = airtable(emulator)
    update = call("PATCH", "Leads", json={"records": [{"id": UNKNOWN, "fields": {}}]})
    delete = call("DELETE", "Leads", params={"records[]": UNKNOWN})
    assert (update.status_code, update.json()) == (
        422,
        error("ROW_DOES_NOT_EXIST", f"Record ID {UNKNOWN} does not exist in this table"),
    )
    assert (delete.status_code, delete.json()) == (
        404,
        error("NOT_FOUND", f'Could not find a record with ID "{UNKNOWN}".'),
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/v0/" + "app" + "A" * 14 + "/Leads", 404, id="base-on-data-api"),
        pytest.param("/v0/meta/bases/" + "app" + "A" * 14 + "/tables", 403, id="base-on-meta-api"),
        pytest.param("/v0/nonsense/Leads", 404, id="malformed-base-id"),
        pytest.param("/v0/a/b/c/d/e", 404, id="unrouted"),
        pytest.param("/v1/whatever", 404, id="other-version"),
        pytest.param("Nope", 403, id="table"),
        pytest.param("Leads/rec123", 404, id="malformed-record-id"),
    ],
)
def test_missing_things_by_kind(emulator, airtable, path, status):
    answer = airtable(emulator)("GET", path)
    expected = {"error": "NOT_FOUND"} if status == 404 else NOT_PERMITTED_OR_MISSING
    assert (answer.status_code, answer.json()) == (status, expected)


def test_key_era_errors_by_knob(make, airtable):
    emulator = make(airtable_key_era_errors=True)
    call = airtable(emulator)
    assert call("GET", "Nope").json()["error"] == {
        "type": "TABLE_NOT_FOUND",
        "message": f"Could not find table Nope in application {emulator.airtable.base_id}",
    }
    assert call("GET", f"Leads/{UNKNOWN}").json() == error("MODEL_ID_NOT_FOUND", "Record not found")


# Tokens


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer patWrong"}, {"Authorization": "Basic x"}])
def test_missing_or_wrong_token_is_401(emulator, header):
    url = f"{emulator.url}/v0/{emulator.airtable.base_id}/Leads"
    answer = requests.get(url, headers=header, timeout=5)
    assert (answer.status_code, answer.json()) == (
        401,
        error("AUTHENTICATION_REQUIRED", "Authentication required"),
    )


def test_revoked_token_is_401(emulator, airtable):
    emulator.airtable.revoke(emulator.airtable.token)
    assert airtable(emulator)("GET", "Leads").status_code == 401


def test_scope_role_and_base_are_all_needed(emulator, airtable):
    """Read without write scope, write with a reader's role, and a token without the base."""
    body = {"fields": {"name": "Ada"}}
    reader = emulator.airtable.add_token(["data.records:read"])
    viewer = emulator.airtable.add_token(["data.records:read", "data.records:write"], role="read")
    elsewhere = emulator.airtable.add_token(["data.records:read"], bases=False)
    assert airtable(emulator, reader)("GET", "Leads").ok
    assert airtable(emulator, reader)("POST", "Leads", json=body).json() == NOT_PERMITTED_OR_MISSING
    assert airtable(emulator, viewer)("POST", "Leads", json=body).json() == error(
        "INVALID_PERMISSIONS", "You are not permitted to perform this operation"
    )
    assert airtable(emulator, elsewhere)("GET", "Leads").status_code == 404
    assert not emulator.airtable.records()


def test_missing_scope_type_by_knob(make, airtable):
    emulator = make(airtable_missing_scope_type="INVALID_PERMISSIONS")
    token = emulator.airtable.add_token([])
    answer = airtable(emulator, token)("GET", "Leads")
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "INVALID_PERMISSIONS")


# Schema


def test_schema_shape(emulator, airtable):
    """The fresh table: name is primary, the select has its four options."""
    call, base = airtable(emulator), emulator.airtable.base_id
    (table,) = call("GET", f"/v0/meta/bases/{base}/tables", params={"include": "visibleFieldIds"}).json()["tables"]
    kinds = {field["name"]: field["type"] for field in table["fields"]}
    assert kinds == {
        "name": "singleLineText",
        "email": "email",
        "status": "singleSelect",
        "source": "singleLineText",
        "notes": "multilineText",
        "created": "createdTime",
        "last_modified": "lastModifiedTime",
    }
    assert table["primaryFieldId"] == table["fields"][0]["id"]
    choices = table["fields"][2]["options"]["choices"]
    assert [choice["name"] for choice in choices] == ["NEW", "CONTACTED", "QUALIFIED", "LOST"]
    assert all(choice["id"].startswith("sel") and choice["color"] for choice in choices)
    assert table["views"][0]["visibleFieldIds"]


def test_whoami_and_bases(emulator, airtable):
    call = airtable(emulator)
    plain = emulator.airtable.add_token([])
    assert call("GET", "/v0/meta/whoami").json()["email"]
    assert set(airtable(emulator, plain)("GET", "/v0/meta/whoami").json()) == {"id"}
    assert call("GET", "/v0/meta/bases").json() == {
        "bases": [{"id": emulator.airtable.base_id, "name": "CRM", "permissionLevel": "create"}]
    }


def test_create_table_and_fields_through_the_api(emulator, airtable):
    call, tables = airtable(emulator), f"/v0/meta/bases/{emulator.airtable.base_id}/tables"
    made = call("POST", tables, json={"name": "Log", "fields": [{"name": "line", "type": "singleLineText"}]}).json()
    assert made["primaryFieldId"] == made["fields"][0]["id"]
    assert made["views"][0]["name"] == "Grid view"
    field = call("POST", f"{tables}/{made['id']}/fields", json={"name": "at", "type": "createdTime"}).json()
    renamed = call("PATCH", f"{tables}/{made['id']}/fields/{field['id']}", json={"name": "when"}).json()
    assert renamed["name"] == "when"
    assert renamed["type"] == "createdTime"
    assert call("POST", f"{tables}/Log/fields", json={"name": "x", "type": "email"}).status_code == 403
    assert call("POST", tables, json={"name": "LOG", "fields": [{"name": "a", "type": "email"}]}).status_code == 422


def test_options_of_a_field_cannot_be_changed_through_the_api(emulator, airtable):
    """Not even a choice added to a select; a person can."""
    call, base = airtable(emulator), emulator.airtable.base_id
    (table,) = call("GET", f"/v0/meta/bases/{base}/tables").json()["tables"]
    status = table["fields"][2]
    path = f"/v0/meta/bases/{base}/tables/{table['id']}/fields/{status['id']}"
    for body in ({"options": {"choices": [*status["options"]["choices"], {"name": "Won"}]}}, {"type": "email"}):
        refused = call("PATCH", path, json=body)
        assert refused.status_code == 422
        assert refused.json()["error"] == {
            "type": "INVALID_REQUEST_UNKNOWN",
            "message": "Changing a field's type or number precision is not currently supported.",
        }
    assert call("GET", f"/v0/meta/bases/{base}/tables").json()["tables"] == [table]


def test_locked_field_refuses_tokens_and_takes_edits_by_hand(emulator, airtable):
    """403 that names the field, for the whole batch; other fields are written."""
    lead, call = emulator.airtable.add_lead("Ada", status="NEW"), airtable(emulator)
    emulator.airtable.lock_field("name")
    path = f"/v0/{emulator.airtable.base_id}/Leads"
    both = {"records": [{"id": lead, "fields": {"name": "Bob", "status": "LOST"}}]}
    refused = call("PATCH", path, json=both)
    assert (refused.status_code, refused.json()["error"]["type"]) == (403, "INVALID_PERMISSIONS")
    assert '"name"' in refused.json()["error"]["message"]
    assert emulator.airtable.records()[lead] == {"name": "Ada", "status": "NEW"}
    assert call("PATCH", path, json={"records": [{"id": lead, "fields": {"status": "LOST"}}]}).status_code == 200
    emulator.airtable.edit(lead, name="By hand")
    emulator.airtable.lock_field("name", locked=False)
    assert call("PATCH", path, json=both).status_code == 200
