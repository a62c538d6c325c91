"""Registering, repairing, keeping alive and removing both webhooks, against the emulator."""

import pytest
import requests

from emulator import Fault
from leadsync.errors import ConfigurationError
from leadsync.gateway.webhooks import AIRTABLE_PATH, TRELLO_PATH, Webhooks
from leadsync.state.webhooks import load_known

DAY = 86_400


def at_trello(instant):
    """callback -> webhook, of the token."""
    trello = instant.emulator.trello
    credentials = f'OAuth oauth_consumer_key="{trello.key}", oauth_token="{trello.token}"'
    url = f"{instant.emulator.url}/1/tokens/{trello.token}/webhooks"
    hooks = requests.get(url, headers={"Authorization": credentials}, timeout=5).json()
    return {hook["callbackURL"]: hook for hook in hooks}


def airtable(instant, method, path="", **options):
    url = f"{instant.emulator.url}/v0/bases/{instant.emulator.airtable.base_id}/webhooks{path}"
    headers = {"Authorization": f"Bearer {instant.emulator.airtable.token}"}
    return requests.request(method, url, headers=headers, timeout=5, **options).json()


def at_airtable(instant):
    return {hook["notificationUrl"]: hook for hook in airtable(instant, "GET")["webhooks"]}


def known(instant):
    return load_known(instant.store, instant.settings)


def test_register_makes_one_webhook_a_side(instant):
    """For the board, and for the table alone; the secret is kept."""
    (hook,) = at_trello(instant).values()
    assert (hook["callbackURL"], hook["idModel"]) == (instant.url + TRELLO_PATH, instant.emulator.trello.board_id)
    (hook,) = at_airtable(instant).values()
    assert (hook["notificationUrl"], hook["id"]) == (instant.url + AIRTABLE_PATH, known(instant).airtable_id)
    filters = hook["specification"]["options"]["filters"]
    assert filters == {"dataTypes": ["tableData"], "recordChangeScope": instant.emulator.airtable.table_id}


def test_registering_again_changes_nothing(instant):
    before = at_trello(instant), set(at_airtable(instant)), known(instant)
    said = instant.webhooks(Webhooks.register)
    assert all("in place" in line for line in said)
    assert (at_trello(instant), set(at_airtable(instant)), known(instant)) == before


def test_webhook_that_tells_no_former_values_is_made_anew(instant):
    """As it was registered before; the change feed could not use it."""
    (first,) = at_airtable(instant).values()
    assert first["specification"]["options"]["includes"] == {"includePreviousCellValues": True}
    filters = first["specification"]["options"]["filters"]
    airtable(instant, "DELETE", f"/{first['id']}")
    wanted = {"notificationUrl": instant.url + AIRTABLE_PATH, "specification": {"options": {"filters": filters}}}
    old = airtable(instant, "POST", json=wanted)
    said = instant.webhooks(Webhooks.register)
    (hook,) = at_airtable(instant).values()
    assert hook["id"] not in (first["id"], old["id"])
    assert hook["specification"]["options"]["includes"] == {"includePreviousCellValues": True}
    assert any(f"stale webhook {old['id']}" in line for line in said)


def test_new_address_replaces_the_old_webhooks(instant):
    """Two gateways would answer to each change otherwise; a stranger's webhooks stay."""
    instant.emulator.trello.add_board("Other")
    with requests.Session() as session:
        trello = instant.emulator.trello
        credentials = f'OAuth oauth_consumer_key="{trello.key}", oauth_token="{trello.token}"'
        body = {"callbackURL": f"{instant.url}/health", "idModel": trello.board_id, "description": "somebody's"}
        instant_probe = session.post(
            f"{instant.emulator.url}/1/webhooks",
            json=body | {"callbackURL": f"{instant.url}{TRELLO_PATH}?somebody"},
            headers={"Authorization": credentials},
            timeout=5,
        )
        assert instant_probe.ok
    moved = f"http://localhost:{instant.port}"
    said = instant.webhooks(Webhooks.register, SYNC_PUBLIC_URL=moved)
    assert sum("stale" in line for line in said) == 2
    assert set(at_trello(instant)) == {moved + TRELLO_PATH, f"{instant.url}{TRELLO_PATH}?somebody"}
    assert set(at_airtable(instant)) == {moved + AIRTABLE_PATH}


@pytest.fixture
def customers(instant):
    """Settings of another pair on the same base and board, with the same state."""
    instant.emulator.airtable.add_table("Customers")
    return {"AIRTABLE_TABLE_NAME": "Customers"}


@pytest.fixture
def second_board(instant):
    """Settings of another pair on the same base and table."""
    found_by_name = dict.fromkeys(f"TRELLO_LIST_{stage}_ID" for stage in ("TODO", "IN_PROGRESS", "DONE"))
    return found_by_name | {"TRELLO_BOARD_ID": instant.emulator.trello.add_board("Second")}


def ids(instant):
    listed = [hook["id"] for hook in airtable(instant, "GET")["webhooks"]]
    trello = instant.emulator.trello
    url = f"{instant.emulator.url}/1/tokens/{trello.token}/webhooks"
    credentials = f'OAuth oauth_consumer_key="{trello.key}", oauth_token="{trello.token}"'
    return {*listed, *(hook["id"] for hook in requests.get(url, headers={"Authorization": credentials}).json())}


@pytest.mark.parametrize("other", ["customers", "second_board"])
@pytest.mark.parametrize("address", ["http://127.0.0.1", "http://localhost"], ids=["same-address", "another-address"])
def test_pairs_on_one_base_leave_each_others_webhooks_alone(instant, request, other, address):
    """Whichever registers, refreshes or unregisters, and however often."""
    first, settings = ids(instant), request.getfixturevalue(other)
    theirs = settings | {"SYNC_PUBLIC_URL": f"{address}:{instant.port}"}
    instant.webhooks(Webhooks.register, **theirs)
    both = ids(instant)
    assert first < both
    for _ in range(2):
        assert not any("removed" in line or "made" in line for line in instant.webhooks(Webhooks.register))
        assert not any("removed" in line or "made" in line for line in instant.webhooks(Webhooks.register, **theirs))
        instant.webhooks(Webhooks.refresh)
        instant.webhooks(Webhooks.refresh, **theirs)
    assert ids(instant) == both
    instant.webhooks(Webhooks.unregister)
    assert ids(instant) == both - first
    instant.webhooks(Webhooks.register)
    again = ids(instant) - (both - first)
    instant.webhooks(Webhooks.unregister, **theirs)
    assert ids(instant) == again


def test_pairs_of_two_installations_on_one_base_leave_each_others_webhooks_alone(instant, customers, tmp_path):
    """Each keeps a state of its own; Airtable tells for which table a webhook is."""
    first = ids(instant)
    theirs = customers | {"SYNC_STATE_URL": f"sqlite:///{tmp_path / 'theirs.sqlite3'}"}
    instant.webhooks(Webhooks.register, **theirs)
    instant.webhooks(Webhooks.register)
    instant.webhooks(Webhooks.unregister, **theirs)
    assert first <= ids(instant)


def test_lost_state_gets_a_webhook_with_a_known_secret(instant, tmp_path):
    """Airtable shows a secret only once, so the webhook is made anew."""
    first = known(instant)
    instant.webhooks(Webhooks.register, SYNC_STATE_URL=f"sqlite:///{tmp_path / 'fresh.sqlite3'}")
    (hook,) = at_airtable(instant).values()
    assert hook["id"] != first.airtable_id


def test_notifications_that_were_switched_off_are_switched_on(instant):
    airtable(instant, "POST", f"/{known(instant).airtable_id}/enableNotifications", json={"enable": False})
    instant.webhooks(Webhooks.register)
    assert at_airtable(instant)[instant.url + AIRTABLE_PATH]["areNotificationsEnabled"] is True


def test_refresh_keeps_airtables_webhook_alive(instant):
    """Its seven days start anew each time."""
    for _ in range(5):
        instant.emulator.clock.advance(6 * DAY)
        assert "another 7 days" in instant.webhooks(Webhooks.refresh)[0]
    instant.emulator.airtable.add_lead("Di")
    assert instant.settled() >= 1


def test_refresh_makes_a_webhook_that_is_gone_anew(instant):
    """After a fortnight without a gateway, say."""
    gone = known(instant).airtable_id
    instant.emulator.clock.advance(15 * DAY)
    assert "made" in instant.webhooks(Webhooks.refresh)[0]
    assert known(instant).airtable_id != gone
    instant.emulator.airtable.add_lead("Di")
    assert instant.settled() >= 1


def test_refresh_without_a_webhook_asks_nobody(instant, tmp_path):
    instant.emulator.clear_requests()
    assert instant.webhooks(Webhooks.refresh, SYNC_STATE_URL=f"sqlite:///{tmp_path / 'fresh.sqlite3'}") == []
    assert instant.emulator.calls("airtable") + instant.emulator.calls("trello") == 0


def test_unregister_removes_both_and_says_when_there_is_none(instant):
    assert len(instant.webhooks(Webhooks.unregister)) == 2
    assert at_trello(instant) == at_airtable(instant) == {}
    assert known(instant).airtable_id == ""
    assert instant.webhooks(Webhooks.unregister) == ["There was no webhook of ours."]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SYNC_PUBLIC_URL": None}, "SYNC_PUBLIC_URL is not set"),
        ({"TRELLO_API_SECRET": None}, "TRELLO_API_SECRET is not set"),
        ({"SYNC_PUBLIC_URL": "http://127.0.0.1:9"}, "Trello could not reach http://127.0.0.1:9/webhooks/trello"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_missing_is_said(instant, changes, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        instant.webhooks(Webhooks.register, **changes)


def test_missing_scope_is_named(instant):
    token = instant.emulator.airtable.add_token(["data.records:read", "data.records:write"])
    with pytest.raises(ConfigurationError, match="webhook:manage"):
        instant.webhooks(Webhooks.register, AIRTABLE_API_TOKEN=token)


def test_full_base_is_named(instant):
    """Airtable takes ten webhooks a base."""
    instant.webhooks(Webhooks.unregister)
    specification = {"options": {"filters": {"dataTypes": ["tableData"]}}}
    for _ in range(10):
        airtable(instant, "POST", json={"notificationUrl": None, "specification": specification})
    with pytest.raises(ConfigurationError, match="ten webhooks"):
        instant.webhooks(Webhooks.register)


def test_trellos_refusal_shows_no_token(instant):
    """It is part of the address that is asked."""
    instant.emulator.inject(Fault("status", path="/webhooks", status=400, body="Cannot GET /1/tokens/" + "x"))
    token = instant.emulator.trello.token
    instant.emulator.inject(Fault("status", path="/webhooks", status=401, body=f"no {token}"))
    for _ in range(2):
        with pytest.raises(ConfigurationError) as caught:
            instant.webhooks(Webhooks.register)
        assert token not in str(caught.value)
