"""Webhook deliveries: real POSTs to this machine, signed, retried by the emulator's clock, ended by 410."""

import base64
import hashlib
import hmac
import json

import pytest

DAY = 86_400


@pytest.fixture
def watched(emulator, trello, callback):
    """A Trello webhook on the board; `watched()` creates it and returns its JSON."""

    def create(**more):
        body = {"callbackURL": callback.url, "idModel": emulator.trello.board_id, "description": "d"} | more
        return trello(emulator)("POST", "webhooks", json=body)

    return create


@pytest.fixture
def pinged(emulator, airtable, callback):
    """An Airtable webhook's JSON with id and secret."""
    specification = {"options": {"filters": {"dataTypes": ["tableData"]}}}
    path = f"/v0/bases/{emulator.airtable.base_id}/webhooks"
    return airtable(emulator)(
        "POST", path, json={"notificationUrl": callback.url, "specification": specification}
    ).json()


def listed(emulator, airtable):
    (hook,) = airtable(emulator)("GET", f"/v0/bases/{emulator.airtable.base_id}/webhooks").json()["webhooks"]
    return hook


def statuses(emulator):
    return [attempt.status for attempt in emulator.deliveries]


# Trello


def test_callback_is_probed_with_head_and_must_answer_200(emulator, watched, callback):
    """Anything else is a 400 that says what came back."""
    callback.status = 204
    refused = watched()
    assert [method for method, _, _ in callback.got] == ["HEAD"]
    assert (refused.status_code, refused.json()["error"]) == (400, "VALIDATOR_URL_RETURNED_ERROR")
    assert refused.json()["message"] == f"URL ({callback.url}) did not return 200 status code, got 204"
    callback.status = 200
    assert watched().status_code == 200


@pytest.mark.parametrize("url", ["https://example.com/hook", "http://10.0.0.1/hook", "https://127.0.0.1/hook"])
def test_only_this_machine_is_called(emulator, watched, airtable, url):
    """Any other address the emulator does not call, and says so when the webhook is made, of both services."""
    answer = watched(callbackURL=url)
    assert (answer.status_code, answer.text.startswith("emulator: a callback")) == (501, True)
    specification = {"options": {"filters": {"dataTypes": ["tableData"]}}}
    path = f"/v0/bases/{emulator.airtable.base_id}/webhooks"
    answer = airtable(emulator)("POST", path, json={"notificationUrl": url, "specification": specification})
    assert (answer.status_code, answer.text.startswith("emulator: a notificationUrl")) == (501, True)


def test_action_is_delivered_signed_with_the_secret(emulator, watched, callback):
    """base64 of HMAC-SHA1 over the raw body and the callback's address."""
    watched()
    card = emulator.trello.add_card("TODO", "Adä")
    assert emulator.settle()
    ((headers, body),) = callback.posts
    mac = hmac.new(emulator.trello.secret.encode(), body + callback.url.encode(), hashlib.sha1)
    assert headers["x-trello-webhook"] == base64.b64encode(mac.digest()).decode()
    told = json.loads(body)
    assert (told["action"]["type"], told["action"]["data"]["card"]["id"]) == ("createCard", card)
    assert told["model"]["id"] == emulator.trello.board_id
    assert told["action"] == emulator.trello.actions()[0]


def test_only_what_is_watched_is_told(emulator, watched, callback):
    """Another board's cards are not; an inactive webhook tells nothing."""
    other = emulator.trello.add_board("Other")
    watched(idModel=other)
    watched(active=False)
    emulator.trello.add_card("TODO", "Ada")
    assert emulator.settle()
    assert callback.posts == []


def test_identifier_of_a_request_comes_back_on_its_deliveries(emulator, watched, callback, session):
    """A person's edit carries none."""
    watched()
    credentials = f'OAuth oauth_consumer_key="{emulator.trello.key}", oauth_token="{emulator.trello.token}"'
    session.post(
        f"{emulator.url}/1/cards",
        json={"idList": emulator.trello.list_id("TODO"), "name": "by program"},
        headers={"Authorization": credentials, "X-Trello-Client-Identifier": "me"},
        timeout=10,
    )
    emulator.trello.add_card("TODO", "by hand")
    assert emulator.settle()
    assert [headers.get("x-trello-client-identifier") for headers, _ in callback.posts] == ["me", None]


def test_failed_delivery_is_retried_after_30_60_and_120_seconds(emulator, watched, callback):
    """Four attempts of one body, then none."""
    watched()
    callback.status = 500
    emulator.trello.add_card("TODO", "Ada")
    for wait in (0, 29, 1, 59, 1, 119, 1, 10_000):
        emulator.clock.advance(wait)
        assert emulator.settle()
    start = emulator.deliveries[0].at
    assert [attempt.at - start for attempt in emulator.deliveries] == [0, 30, 90, 210]
    assert len({body for _, body in callback.posts}) == 1
    assert statuses(emulator) == [500] * 4


def test_failures_are_counted_in_a_row_and_success_resets_them(emulator, watched, callback, trello):
    hook = watched().json()
    callback.status = 503
    emulator.trello.add_card("TODO", "Ada")
    assert emulator.settle()
    model = trello(emulator)("GET", f"webhooks/{hook['id']}").json()
    assert (model["consecutiveFailures"], model["firstConsecutiveFailDate"]) == (1, "2026-01-01T00:00:00.000Z")
    callback.status = 200
    emulator.clock.advance(30)
    assert emulator.settle()
    model = trello(emulator)("GET", f"webhooks/{hook['id']}").json()
    assert (model["consecutiveFailures"], model["firstConsecutiveFailDate"]) == (0, None)


def test_410_deletes_the_webhook(emulator, watched, callback, trello):
    hook = watched().json()
    callback.status = 410
    emulator.trello.add_card("TODO", "Ada")
    assert emulator.settle()
    assert trello(emulator)("GET", f"webhooks/{hook['id']}").status_code == 404
    emulator.trello.add_card("TODO", "Bo")
    assert emulator.settle()
    assert len(callback.posts) == 1


# Airtable


def test_ping_names_the_webhook_and_no_change(emulator, pinged, callback):
    """Hex HMAC-SHA256 over the raw body with the decoded secret."""
    emulator.airtable.add_lead("Ada")
    assert emulator.settle()
    ((headers, body),) = callback.posts
    mac = hmac.new(base64.b64decode(pinged["macSecretBase64"]), body, hashlib.sha256).hexdigest()
    assert headers["x-airtable-content-mac"] == f"hmac-sha256={mac}"
    assert json.loads(body) == {
        "base": {"id": emulator.airtable.base_id},
        "webhook": {"id": pinged["id"]},
        "timestamp": "2026-01-01T00:00:00.000Z",
    }


def test_ping_is_retried_for_a_day_and_then_notifications_end(emulator, pinged, callback, airtable):
    """Payloads are still collected."""
    callback.status = 405
    emulator.airtable.add_lead("Ada")
    assert emulator.settle()
    result = listed(emulator, airtable)["lastNotificationResult"]
    assert result["error"]["message"] == "The HTTP request returned a 405 status code instead of 200 or 204."
    assert (result["willBeRetried"], result["retryNumber"]) == (True, 0)
    for _ in range(20):
        emulator.clock.advance(DAY / 2)
        assert emulator.settle()
    assert len(callback.posts) == 14
    assert listed(emulator, airtable)["areNotificationsEnabled"] is False
    assert listed(emulator, airtable)["lastNotificationResult"]["willBeRetried"] is False


def test_changes_during_a_retry_are_told_by_the_same_ping(emulator, pinged, callback):
    callback.status = 500
    for name in ("Ada", "Bo", "Cy"):
        emulator.airtable.add_lead(name)
        assert emulator.settle()
    callback.status = 204
    emulator.clock.advance(10)
    assert emulator.settle()
    assert statuses(emulator) == [500, 204]


def test_no_ping_after_expiry_or_deletion(emulator, pinged, callback, airtable):
    emulator.clock.advance(7 * DAY + 1)
    emulator.airtable.add_lead("Ada")
    assert emulator.settle()
    airtable(emulator)("DELETE", f"/v0/bases/{emulator.airtable.base_id}/webhooks/{pinged['id']}")
    emulator.airtable.add_lead("Bo")
    assert emulator.settle()
    assert callback.posts == []
