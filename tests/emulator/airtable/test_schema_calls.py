"""Tables and fields: their shape, and what may be changed through the API."""

import pytest


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


WORD = {"name": "New", "type": "singleLineText"}
SELECT = {"name": "New", "type": "singleSelect"}
DATE = {"name": "New", "type": "date"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        *(("POST", "", {"name": name, "fields": [WORD]}) for name in ("", " ", None, 7, [], {})),
        *(("POST", "", {"name": "T", "fields": fields}) for fields in (None, [], {}, "x", 7, [7], [None], [[]])),
        ("POST", "", {"name": "T", "fields": [WORD], "description": ["x"]}),
        *(("PATCH", "/{table}", body) for body in ({"name": ""}, {"name": None}, {"name": []}, {"description": 7})),
        *(("POST", "/{table}/fields", WORD | more) for more in ({"name": 7}, {"name": ""}, {"type": []})),
        *(("POST", "/{table}/fields", WORD | {"options": options}) for options in ("x", 7, [], [["a", "b"]])),
        *(
            ("POST", "/{table}/fields", SELECT | {"options": {"choices": x}})
            for x in ("x", 7, None, [7], [{"name": []}])
        ),
        *(("POST", "/{table}/fields", DATE | {"options": {"dateFormat": x}}) for x in ("x", [], {"name": []})),
        *(("PATCH", "/{table}/fields/{field}", body) for body in ({"name": ""}, {"name": 7}, {"description": {}})),
    ],
    ids=str,
)
def test_value_of_another_type_is_refused_as_the_service_does(emulator, airtable, method, path, body):
    """It is the caller's mistake, no stumble of the emulator; and nothing has changed."""
    call, tables = airtable(emulator), f"/v0/meta/bases/{emulator.airtable.base_id}/tables"
    before = call("GET", tables).json()
    (table,) = before["tables"]
    answer = call(method, tables + path.format(table=table["id"], field=table["fields"][0]["id"]), json=body)
    assert (answer.status_code, answer.json()["error"]["type"][:8]) == (422, "INVALID_"), answer.text
    assert call("GET", tables).json() == before
