"""What does not exist, tokens, scopes and roles."""

import pytest
import requests

from support.answers import error

NOT_PERMITTED_OR_MISSING = {
    "error": {
        "type": "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND",
        "message": "Invalid permissions, or the requested model was not found. Check that both your user "
        "and your token have the required permissions, and that the model names and/or ids are correct.",
    }
}
UNKNOWN = "rec" + "A" * 14


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_missing_record_is_403_not_404(emulator, airtable, method):
    body = {"json": {"fields": {}}} if method in ("PATCH", "PUT") else {}
    answer = airtable(emulator)(method, f"Leads/{UNKNOWN}", **body)
    assert (answer.status_code, answer.json()) == (403, NOT_PERMITTED_OR_MISSING)


def test_record_of_another_table_is_shown_and_neither_changed_nor_deleted(emulator, airtable):
    """Reading by id falls back to the whole base; writing does not."""
    call, tables = airtable(emulator), f"/v0/meta/bases/{emulator.airtable.base_id}/tables"
    assert call("POST", tables, json={"name": "Log", "fields": [{"name": "name", "type": "singleLineText"}]}).ok
    lead = emulator.airtable.add_lead("Ada")
    assert call("GET", f"Log/{lead}").json()["fields"]["name"] == "Ada"
    changed, replaced = (call(each, f"Log/{lead}", json={"fields": {"name": "Bob"}}) for each in ("PATCH", "PUT"))
    for answer in (changed, replaced, call("DELETE", f"Log/{lead}")):
        assert (answer.status_code, answer.json()) == (403, NOT_PERMITTED_OR_MISSING)
    assert emulator.airtable.records()[lead]["name"] == "Ada"


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
