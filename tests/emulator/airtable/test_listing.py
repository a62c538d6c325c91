"""Lists of records: pages, order, fields, views."""

import re

import pytest

from support.answers import error, ids


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


@pytest.mark.parametrize("name", ["offset", "view", "filterByFormula"])
@pytest.mark.parametrize("value", [True, 7, [["x"]], {"a": 1}], ids=str)
def test_list_asked_for_by_what_is_no_text_is_refused_as_the_service_does(emulator, airtable, name, value):
    answer = airtable(emulator)("POST", "Leads/listRecords", json={name: value})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "INVALID_REQUEST_UNKNOWN"), answer.text
