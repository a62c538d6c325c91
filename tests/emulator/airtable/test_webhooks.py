"""Webhooks as stored objects, and the payloads that they collect for seven days."""

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


@pytest.mark.parametrize("name", ["cursor", "limit"])
@pytest.mark.parametrize("value", ["x", "\xb2", "0", "-1", "1.5", "9" * 5_000])
def test_payloads_from_no_number_are_refused(hooks, name, value):
    hook = hooks("POST", json=specification()).json()
    assert hooks("GET", f"/{hook['id']}/payloads", params={name: value}).status_code == 422


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


def changes_of(payload):
    """The only table's changes."""
    (changes,) = payload["changedTablesById"].values()
    return changes


PREVIOUS = {"includePreviousCellValues": True}


@pytest.mark.parametrize(
    ("source", "metadata"),
    [
        ("client", {"user"}),
        ("publicApi", {"user"}),
        ("automation", {"automationId"}),
        ("formSubmission", {"viewId"}),
        ("formPageSubmission", {"pageId"}),
        ("system", set()),
        ("sync", set()),
        ("anonymousUser", set()),
    ],
)
def test_payload_says_who_acted(emulator, hooks, source, metadata):
    """A person, a program, an automation, a form; and nothing more of Airtable itself."""
    hook = hooks("POST", json=specification()).json()
    with emulator.airtable.acting_as(source):
        emulator.airtable.add_lead("Ada")
    emulator.airtable.add_lead("by hand again")
    first, second = payloads(hooks, hook)["payloads"]
    assert first["actionMetadata"]["source"] == source
    assert set(first["actionMetadata"].get("sourceMetadata", {})) == metadata
    assert second["actionMetadata"]["source"] == "client"


def test_previous_select_is_an_object_also_when_its_option_was_deleted(emulator, hooks):
    """The last that is heard of it."""
    hook = hooks("POST", json=specification(PREVIOUS)).json()
    lead = emulator.airtable.add_lead("Ada", status="LOST")
    emulator.airtable.delete_select_option("status", "LOST")
    change = changes_of(payloads(hooks, hook)["payloads"][1])["changedRecordsById"][lead]
    (current,), (previous,) = (change[when]["cellValuesByFieldId"].values() for when in ("current", "previous"))
    assert (current, previous["name"], set(previous)) == (None, "LOST", {"id", "name", "color"})


def test_unchanged_cells_come_along_when_asked_for(emulator, hooks):
    hook = hooks("POST", json=specification({"includeCellValuesInFieldIds": "all"})).json()
    lead = emulator.airtable.add_lead("Ada", email="ada@example.com")
    emulator.airtable.edit(lead, name="Ada L.")
    change = changes_of(payloads(hooks, hook)["payloads"][1])["changedRecordsById"][lead]
    assert list(change["unchanged"]["cellValuesByFieldId"].values()) == ["ada@example.com"]
    assert "previous" not in change


@pytest.mark.parametrize("told", [True, False])
def test_previous_values_of_writes_through_the_api_are_a_switch(make, airtable, told):
    """No recording shows whether the real service tells them; those of people it does."""
    emulator = make(airtable_previous_of_api_writes=told)
    call, root = airtable(emulator), f"/v0/bases/{emulator.airtable.base_id}/webhooks"
    hook = call("POST", root, json=specification(PREVIOUS)).json()
    lead = emulator.airtable.add_lead("Ada")
    call("PATCH", f"Leads/{lead}", json={"fields": {"name": "by program"}})
    emulator.airtable.edit(lead, name="by hand")
    page = call("GET", f"{root}/{hook['id']}/payloads").json()["payloads"]
    shown = ["previous" in changes_of(payload)["changedRecordsById"][lead] for payload in page[1:]]
    assert shown == [told, True]


def test_action_split_over_payloads_shares_what_names_it(make, airtable):
    """Time, transaction and source are alike; each record is told once."""
    emulator = make(airtable_payload_records=2)
    call, root = airtable(emulator), f"/v0/bases/{emulator.airtable.base_id}/webhooks"
    hook = call("POST", root, json=specification()).json()
    leads = [emulator.airtable.add_lead(str(number), status="NEW") for number in range(5)]
    emulator.airtable.delete_select_option("status", "NEW")
    page = call("GET", f"{root}/{hook['id']}/payloads").json()["payloads"][5:]
    assert [len(changes_of(payload)["changedRecordsById"]) for payload in page] == [2, 2, 1]
    assert sorted(lead for payload in page for lead in changes_of(payload)["changedRecordsById"]) == sorted(leads)
    assert len({(each["timestamp"], each["baseTransactionNumber"]) for each in page}) == 1


def test_payloads_that_lag_are_told_later_with_the_same_numbers(make, airtable):
    emulator = make(airtable_payload_lag=5.0)
    call, root = airtable(emulator), f"/v0/bases/{emulator.airtable.base_id}/webhooks"
    hook = call("POST", root, json=specification()).json()
    emulator.airtable.add_lead("Ada")
    early = call("GET", f"{root}/{hook['id']}/payloads").json()
    assert (early["payloads"], early["cursor"], early["mightHaveMore"]) == ([], 1, False)
    emulator.clock.advance(5)
    late = call("GET", f"{root}/{hook['id']}/payloads").json()
    assert (len(late["payloads"]), late["cursor"]) == (1, 2)
    assert call("GET", root).json()["webhooks"][0]["cursorForNextPayload"] == 2


@pytest.mark.parametrize("gone", ["table", "watched field", "included field"])
def test_webhook_whose_specification_names_what_was_deleted_ends_with_an_error(emulator, hooks, gone):
    """It collects nothing more, and must be made anew."""
    field = emulator.airtable.add_field("extra")
    named = {
        "table": {"recordChangeScope": emulator.airtable.table_id},
        "watched field": {"watchDataInFieldIds": [field]},
        "included field": {},
    }[gone]
    includes = {"includeCellValuesInFieldIds": [field]} if gone == "included field" else None
    hook = hooks("POST", json=specification(includes, **named)).json()
    bystander = hooks("POST", json=specification()).json()
    if gone == "table":
        emulator.airtable.delete_table()
    else:
        emulator.airtable.delete_field("extra")
        emulator.airtable.add_lead("missed")
    (payload,) = payloads(hooks, hook)["payloads"]
    assert (payload["error"], payload["code"]) == (True, "INVALID_FILTERS")
    enabled = {each["id"]: each["isHookEnabled"] for each in hooks("GET").json()["webhooks"]}
    assert enabled == {hook["id"]: False, bystander["id"]: True}


def test_pyairtable_reads_every_kind_of_payload(emulator, hooks, table_of):
    """It checks their shape."""
    field = emulator.airtable.add_field("extra")
    hook = hooks("POST", json=specification(PREVIOUS | {"includeCellValuesInFieldIds": [field]})).json()
    lead = emulator.airtable.add_lead("Ada", status="NEW")
    with emulator.airtable.acting_as("automation"):
        emulator.airtable.edit(lead, status="LOST")
    emulator.airtable.delete(lead)
    emulator.airtable.delete_field("extra")
    read = list(table_of(emulator).base.webhook(hook["id"]).payloads())
    assert [each.cursor for each in read] == [1, 2, 3, 4]
    assert [each.error for each in read] == [None, None, None, True]
    (change,) = read[1].changed_tables_by_id[emulator.airtable.table_id].changed_records_by_id.values()
    assert [value["name"] for value in change.previous.cell_values_by_field_id.values()] == ["NEW"]


def test_making_a_webhook_needs_the_role_creator_and_ids(emulator, airtable, hooks):
    """An editor may read payloads; names are not ids."""
    hook = hooks("POST", json=specification()).json()
    token = emulator.airtable.add_token(["webhook:manage", "data.records:read"], role="edit")
    path = f"/v0/bases/{emulator.airtable.base_id}/webhooks"
    editor = airtable(emulator, token)
    assert editor("POST", path, json=specification()).status_code == 403
    assert editor("GET", path).ok
    assert editor("GET", f"{path}/{hook['id']}/payloads").ok
    assert hooks("POST", json=specification(recordChangeScope="Leads")).status_code == 422
