"""What a delivery amounts to: a hint, a replay, an echo, or beside the point."""

import base64
import hashlib
import hmac
import json

import pytest

from leadsync.gateway.inbox import REMEMBERED, Inbox, Verdict
from leadsync.gateway.webhooks import TRELLO_PATH
from support.gateway_world import IDENTIFIER, MAC_SECRET, TRELLO_SECRET, airtable_delivery, trello_delivery

URL = "http://gateway.example"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def inbox(clock):
    return Inbox(TRELLO_SECRET, URL + TRELLO_PATH, IDENTIFIER, lambda: MAC_SECRET, clock)


def lower(headers):
    return {name.lower(): value for name, value in headers.items()}


def from_trello(inbox, **more):
    sent = trello_delivery(URL, **more)
    return inbox.judge_trello(sent["data"], lower(sent["headers"]))


def from_airtable(inbox, **more):
    sent = airtable_delivery(URL, **more)
    return inbox.judge_airtable(sent["data"], lower(sent["headers"]))


def test_signed_deliveries_are_hints(inbox):
    assert from_trello(inbox) is Verdict.HINT
    assert from_airtable(inbox) is Verdict.HINT


@pytest.mark.parametrize("secret", ["other", ""])
def test_other_secret_is_a_forgery(inbox, secret):
    assert from_trello(inbox, secret=secret) is Verdict.FORGED
    assert from_airtable(inbox, secret=base64.b64encode(b"x" + secret.encode()).decode()) is Verdict.FORGED


def test_signature_for_another_callback_is_a_forgery(inbox):
    """A delivery meant for another receiver of the same Power-Up proves nothing here."""
    sent = trello_delivery("http://elsewhere.example")
    assert inbox.judge_trello(sent["data"], lower(sent["headers"])) is Verdict.FORGED


@pytest.mark.parametrize("cut", [0, 1, -1])
def test_truncated_body_is_a_forgery(inbox, cut):
    for sent, judge in (
        (trello_delivery(URL), inbox.judge_trello),
        (airtable_delivery(URL), inbox.judge_airtable),
    ):
        assert judge(sent["data"][:cut], lower(sent["headers"])) is Verdict.FORGED


def test_without_secrets_everything_is_a_forgery():
    """Better deaf than credulous."""
    for inbox in (
        Inbox(None, URL + TRELLO_PATH, IDENTIFIER, lambda: None),
        Inbox(TRELLO_SECRET, None, IDENTIFIER, lambda: ""),
    ):
        assert from_trello(inbox) is Verdict.FORGED
        assert from_airtable(inbox) is Verdict.FORGED


def test_repeated_delivery_is_a_replay(inbox):
    """By action id, whatever else the signed body says; Airtable's by its text."""
    assert from_trello(inbox) is Verdict.HINT
    assert from_trello(inbox) is Verdict.REPLAY
    assert from_trello(inbox, action={"type": "createCard"}) is Verdict.REPLAY
    assert from_trello(inbox, action_id="a2") is Verdict.HINT
    assert from_airtable(inbox) is Verdict.HINT
    assert from_airtable(inbox) is Verdict.REPLAY
    assert from_airtable(inbox, timestamp="t2") is Verdict.HINT


def test_memory_of_deliveries_is_bounded(inbox):
    for number in range(REMEMBERED + 10):
        from_trello(inbox, action_id=str(number))
    assert len(inbox._seen) == REMEMBERED
    assert from_trello(inbox, action_id="0") is Verdict.HINT
    assert from_trello(inbox, action_id=str(REMEMBERED)) is Verdict.REPLAY


def test_delivery_that_our_own_write_caused_is_an_echo(inbox):
    assert from_trello(inbox, headers={"X-Trello-Client-Identifier": IDENTIFIER}) is Verdict.ECHO
    assert from_trello(inbox, action_id="a2", headers={"X-Trello-Client-Identifier": "other"}) is Verdict.HINT


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ({"type": "commentCard", "data": {}}, Verdict.IRRELEVANT),
        ({"type": "addLabelToCard", "data": {}}, Verdict.IRRELEVANT),
        ({"type": "updateCheckItemStateOnCard", "data": {}}, Verdict.IRRELEVANT),
        ({"type": "updateCard", "data": {"old": {"pos": 1}}}, Verdict.IRRELEVANT),
        ({"type": "updateCard", "data": {"old": {"pos": 1, "name": "x"}}}, Verdict.HINT),
        ({"type": "updateCard", "data": {"old": {"dueComplete": False}}}, Verdict.HINT),
        ({"type": "updateCard", "data": {"old": {"desc": ""}}}, Verdict.HINT),
        ({"type": "updateCard", "data": {"old": {"closed": False}}}, Verdict.HINT),
        ({"type": "updateCard", "data": {"old": {}}}, Verdict.HINT),
        ({"type": "updateCard", "data": None}, Verdict.HINT),
        ({"type": "createCard", "data": {}}, Verdict.HINT),
        ({"type": "deleteCard", "data": {}}, Verdict.HINT),
        ({"type": "moveCardToBoard", "data": {}}, Verdict.HINT),
        ({"type": "copyCard", "data": {}}, Verdict.HINT),
        ({"type": "updateList", "data": {}}, Verdict.HINT),
        ({"type": "somethingNew", "data": []}, Verdict.HINT),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else str(value),
)
def test_what_the_sync_does_not_look_at_starts_nothing(inbox, action, verdict):
    """What is not known counts."""
    assert from_trello(inbox, action=action) is verdict


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b'{"a":', b"[" * 100_000, b"NaN"])
def test_signed_nonsense_is_malformed(inbox, body):
    """Not an exception."""
    mac = base64.b64encode(hmac.new(TRELLO_SECRET.encode(), body + (URL + TRELLO_PATH).encode(), hashlib.sha1).digest())
    assert inbox.judge_trello(body, {"x-trello-webhook": mac.decode()}) is Verdict.MALFORMED
    mac = hmac.new(base64.b64decode(MAC_SECRET), body, hashlib.sha256).hexdigest()
    assert inbox.judge_airtable(body, {"x-airtable-content-mac": f"hmac-sha256={mac}"}) is Verdict.MALFORMED


def test_new_airtable_secret_is_found_and_forgeries_do_not_hammer_the_database(clock):
    """The webhook may have been made anew by another process."""
    asked, kept = [], {"secret": MAC_SECRET}

    def look_up():
        asked.append(clock.now)
        return kept["secret"]

    inbox = Inbox(TRELLO_SECRET, URL, IDENTIFIER, look_up, clock)
    assert from_airtable(inbox) is Verdict.HINT
    kept["secret"] = fresh = base64.b64encode(b"another secret").decode()
    clock.now = 5.0
    assert from_airtable(inbox, timestamp="t2", secret=fresh) is Verdict.HINT
    for _ in range(100):
        assert from_airtable(inbox, timestamp="t3", secret=MAC_SECRET) is Verdict.FORGED
    assert asked == [0.0, 5.0]
