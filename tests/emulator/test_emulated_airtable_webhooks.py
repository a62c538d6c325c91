"""Webhooks as stored objects with payloads, against section 6 of the Airtable reference."""

import base64

import pytest


@pytest.fixture
def hooks(emulator, airtable):
    """`hooks(method, path="", **options)` calls /v0/bases/{base}/webhooks."""
    call = airtable(emulator)
    root = f"/v0/bases/{emulator.airtable.base_id}/webhooks"
    return lambda method, path="", **options: call(method, root + path, **options)


def specification(includes=None, **filters):
    options = {"filters": {"dataTypes": ["tableData"]} | filters} | ({"includes": includes} if includes else {})
    return {"notificationUrl": None, "specification": {"options": options}}


def payloads(hooks, hook, **params):
    return hooks("GET", f"/{hook['id']}/payloads", params=params).json()


def test_create_and_list_shapes(hooks):
    """The secret of 128 bytes is shown only once."""
    created = hooks("POST", json=specification()).json()
    assert len(base64.b64decode(created["macSecretBase64"])) == 128
    assert created["expirationTime"] == "2026-01-08T00:00:00.000Z"
    (listed,) = hooks("GET").json()["webhooks"]
    assert listed["id"] == created["id"]
    assert "macSecretBase64" not in listed
    assert listed["cursorForNextPayload"] == 1
    assert listed["areNotificationsEnabled"]
    assert listed["isHookEnabled"]


def test_payload_names_the_source_and_holds_objects_for_selects(emulator, airtable, hooks):
    hook = hooks("POST", json=specification()).json()
    emulator.clock.advance(42.507)
    lead = emulator.airtable.add_lead("Ada", status="NEW")
    airtable(emulator)("PATCH", f"Leads/{lead}", json={"fields": {"status": None}})
    emulator.airtable.delete(lead)
    page = payloads(hooks, hook)
    first, second, third = page["payloads"]
    changes = [each["changedTablesById"][emulator.airtable.table_id] for each in page["payloads"]]
    created = changes[0]["createdRecordsById"][lead]
    assert first["timestamp"] == "2026-01-01T00:00:42.507Z"
    assert created["createdTime"] == "2026-01-01T00:00:42.000Z"
    assert [each["actionMetadata"]["source"] for each in page["payloads"]] == [
        "client",
        "publicApi",
        "client",
    ]
    assert second["actionMetadata"]["sourceMetadata"]["user"]["id"] == emulator.airtable.user_id
    status = next(value for value in created["cellValuesByFieldId"].values() if isinstance(value, dict))
    assert set(status) == {"id", "name", "color"}
    assert status["name"] == "NEW"
    (current,) = changes[1]["changedRecordsById"][lead]["current"]["cellValuesByFieldId"].values()
    assert current is None
    assert changes[2]["destroyedRecordIds"] == [lead]
    numbers = [each["baseTransactionNumber"] for each in (first, second, third)]
    assert numbers == sorted(set(numbers))


def test_cursor_counts_payloads_and_echoes_when_nothing_is_new(emulator, hooks):
    hook = hooks("POST", json=specification()).json()
    for number in range(5):
        emulator.airtable.add_lead(str(number))
    page = payloads(hooks, hook, limit=3)
    assert (len(page["payloads"]), page["cursor"], page["mightHaveMore"]) == (3, 4, True)
    rest = payloads(hooks, hook, cursor=4)
    assert (len(rest["payloads"]), rest["cursor"], rest["mightHaveMore"]) == (2, 6, False)
    assert payloads(hooks, hook, cursor=6) == {
        "payloads": [],
        "cursor": 6,
        "mightHaveMore": False,
        "payloadFormat": "v0",
    }


def test_filters_by_source_change_type_and_field(emulator, airtable, hooks):
    people = hooks("POST", json=specification(fromSources=["client"], changeTypes=["update"])).json()
    lead = emulator.airtable.add_lead("Ada")
    airtable(emulator)("PATCH", f"Leads/{lead}", json={"fields": {"name": "by program"}})
    emulator.airtable.edit(lead, name="by hand")
    assert len(payloads(hooks, people)["payloads"]) == 1


def test_previous_values_when_included(emulator, hooks):
    hook = hooks("POST", json=specification({"includePreviousCellValues": True}, changeTypes=["update"])).json()
    lead = emulator.airtable.add_lead("Ada")
    emulator.airtable.edit(lead, name="Ada L.")
    (payload,) = payloads(hooks, hook)["payloads"]
    change = payload["changedTablesById"][emulator.airtable.table_id]["changedRecordsById"][lead]
    assert list(change["previous"]["cellValuesByFieldId"].values()) == ["Ada"]


def test_equal_write_makes_no_payload(emulator, airtable, hooks):
    hook = hooks("POST", json=specification(changeTypes=["update"])).json()
    lead = emulator.airtable.add_lead("Ada")
    airtable(emulator)("PATCH", f"Leads/{lead}", json={"fields": {"name": "Ada"}})
    assert payloads(hooks, hook)["payloads"] == []


def test_payloads_older_than_seven_days_are_gone_and_expiry_stops_collecting(emulator, hooks):
    """An expired webhook stays readable for seven more days."""
    hook = hooks("POST", json=specification()).json()
    emulator.airtable.add_lead("seen")
    emulator.clock.advance(7 * 86_400 + 1)
    emulator.airtable.add_lead("missed")
    page = payloads(hooks, hook)
    assert (page["payloads"], page["cursor"]) == ([], 2)
    emulator.clock.advance(7 * 86_400)
    assert hooks("GET", f"/{hook['id']}/payloads").status_code == 403


def test_reading_payloads_extends_the_life(emulator, hooks):
    hook = hooks("POST", json=specification()).json()
    emulator.clock.advance(6 * 86_400)
    payloads(hooks, hook)
    assert hooks("GET").json()["webhooks"][0]["expirationTime"] == "2026-01-14T00:00:00.000Z"
    refreshed = hooks("POST", f"/{hook['id']}/refresh").json()
    assert refreshed == {"expirationTime": "2026-01-14T00:00:00.000Z"}


def test_eleventh_webhook_is_refused(hooks):
    for _ in range(10):
        assert hooks("POST", json=specification()).ok
    answer = hooks("POST", json=specification())
    assert (answer.status_code, answer.json()) == (422, {"error": {"type": "TOO_MANY_WEBHOOKS_IN_BASE"}})


def test_enable_delete_and_bad_specification(hooks):
    hook = hooks("POST", json=specification()).json()
    assert hooks("POST", f"/{hook['id']}/enableNotifications", json={"enable": False}).json() == {}
    assert hooks("GET").json()["webhooks"][0]["areNotificationsEnabled"] is False
    assert hooks("DELETE", f"/{hook['id']}").json() == {}
    assert hooks("POST", json={"specification": {}}).status_code == 422


def test_webhook_calls_need_their_scope(emulator, airtable):
    token = emulator.airtable.add_token(["data.records:read"])
    path = f"/v0/bases/{emulator.airtable.base_id}/webhooks"
    assert airtable(emulator, token)("GET", path).status_code == 403
