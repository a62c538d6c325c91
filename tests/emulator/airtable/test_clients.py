"""pyairtable 3.5 against the emulator: what was measured of it elsewhere must come out here too."""

import pydantic
import pytest
import requests
from pyairtable import Api, retry_strategy
from pyairtable.formulas import match

from emulator import Fault


def test_batch_create_update_upsert_delete_round_trip(emulator, table_of):
    """Chunks of ten; typed answers all the way."""
    table = table_of(emulator)
    made = table.batch_create([{"name": f"Lead {number}", "status": "NEW"} for number in range(25)])
    assert len(made) == 25
    assert emulator.calls("airtable", writes=True) == 3
    table.batch_update([{"id": each["id"], "fields": {"status": "LOST"}} for each in made[:12]])
    upserted = table.batch_upsert([{"fields": {"name": "Lead 3"}}, {"fields": {"name": "Fresh"}}], ["name"])
    assert upserted["updatedRecords"] == [made[3]["id"]]
    assert len(upserted["createdRecords"]) == 1
    table.batch_delete([each["id"] for each in made])
    assert [each["fields"]["name"] for each in table.all()] == ["Fresh"]


def test_all_pages_formula_sort_and_first(emulator, table_of):
    for number in range(230):
        emulator.airtable.add_lead(f"Lead {number:03d}", status="NEW" if number % 2 else "LOST")
    table = table_of(emulator)
    assert len(table.all()) == 230
    assert emulator.calls("airtable") == 3
    names = [
        each["fields"]["name"] for each in table.all(formula=match({"status": "NEW"}), sort=["-name"], fields=["name"])
    ]
    assert len(names) == 115
    assert names == sorted(names, reverse=True)
    assert table.first(sort=["name"])["fields"]["name"] == "Lead 000"


def test_formula_of_seventeen_thousand_characters_becomes_a_post(emulator, table_of):
    lead = emulator.airtable.add_lead("Ada")
    table = table_of(emulator)
    formula = "OR(" + ",".join([f"RECORD_ID()='{lead}'"] * 600) + ")"
    assert [each["id"] for each in table.all(formula=formula)] == [lead]
    assert emulator.requests[-1].path.endswith("/listRecords")


def test_schema_whoami_and_bases_parse(emulator, table_of):
    table = table_of(emulator)
    assert table.schema().field("status").options.choices[0].name == "NEW"
    assert table.api.whoami()["id"] == emulator.airtable.user_id
    assert [base.id for base in table.api.bases()] == [emulator.airtable.base_id]


def test_wrong_choice_raises_with_the_service_text(emulator, table_of):
    with pytest.raises(requests.HTTPError, match="Insufficient permissions to create new select option"):
        table_of(emulator).create({"status": "planning"})


def test_webhook_life_through_the_library(emulator, table_of, callback):
    """Create, payload per single update, resume at the next cursor, disable, delete."""
    table = table_of(emulator)
    base = table.base
    spec = {"options": {"filters": {"dataTypes": ["tableData"]}}}
    created = base.add_webhook(callback.url, spec)
    hook = base.webhook(created.id)
    lead = table.create({"name": "Ada"})
    for number in range(20):
        table.update(lead["id"], {"name": f"Ada {number}"})
    payloads = list(hook.payloads())
    assert [payload.cursor for payload in payloads] == list(range(1, 22))
    assert [payload.cursor for payload in hook.payloads(cursor=20)] == [20, 21]
    hook.disable_notifications()
    assert base.webhook(created.id).are_notifications_enabled is False
    hook.extend_expiration()
    hook.delete()
    assert base.webhooks() == []


@pytest.mark.parametrize(("kind", "sent"), [("drop_after", 2), ("drop_before", 2)])
def test_default_session_repeats_a_post_after_a_drop(emulator, table_of, kind, sent):
    """The duplicate trap: after drop_after the first POST had taken effect."""
    emulator.inject(Fault(kind, service="airtable", method="POST"))
    table_of(emulator, retry_strategy(backoff_factor=0)).create({"name": "Ada"})
    assert emulator.calls("airtable", writes=True) == sent
    assert len(emulator.airtable.records()) == (2 if kind == "drop_after" else 1)


def test_strategy_without_read_retries_sends_a_dropped_post_once(emulator, table_of):
    emulator.inject(Fault("drop_after", method="POST"))
    with pytest.raises(requests.ConnectionError):
        table_of(emulator, retry_strategy(read=0, other=0, backoff_factor=0)).create({"name": "Ada"})
    assert len(emulator.airtable.records()) == 1


def test_failing_chunk_leaves_earlier_chunks_applied(emulator, table_of):
    rows = [{"name": str(number)} for number in range(12)] + [{"status": "planning"}]
    with pytest.raises(requests.HTTPError):
        table_of(emulator).batch_create(rows)
    assert len(emulator.airtable.records()) == 10


def test_answers_the_library_cannot_parse(emulator, table_of):
    """Record without createdTime, HTML under 200, list body without records."""
    table = table_of(emulator)
    lead = emulator.airtable.add_lead("Ada")
    emulator.inject(Fault("status", status=200, body={"id": lead, "fields": {}}))
    with pytest.raises(pydantic.ValidationError):
        table.get(lead)
    emulator.inject(Fault("html", status=200))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        table.all()
    emulator.inject(Fault("status", status=200, body={}))
    assert table.all() == []


def test_503_is_not_retried_unless_retry_after_comes(emulator, table_of):
    table = table_of(emulator, retry_strategy(backoff_factor=0))
    emulator.inject(Fault("status"))
    with pytest.raises(requests.HTTPError, match="RETRIABLE_ERROR"):
        table.all()
    emulator.inject(Fault("status", headers={"Retry-After": "0"}))
    assert table.all() == []


def test_wrong_token_is_an_http_error(emulator):
    table = Api("patWrong", endpoint_url=emulator.url).table(emulator.airtable.base_id, "Leads")
    with pytest.raises(requests.HTTPError, match="AUTHENTICATION_REQUIRED"):
        table.all()
