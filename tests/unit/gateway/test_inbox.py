"""What a delivery amounts to: a hint, a replay, an echo, or beside the point."""

import base64
import hashlib
import hmac
import json

import pytest

from leadsync.environment import settings_with
from leadsync.errors import StateStoreError
from leadsync.gateway.inbox import REMEMBERED, Inbox, Verdict
from leadsync.gateway.server import build_gate
from leadsync.gateway.trigger import Trigger
from leadsync.gateway.webhooks import TRELLO_PATH
from leadsync.state.store import StateStore
from support.gateway_world import (
    BASE,
    BOARD,
    IDENTIFIER,
    MAC_SECRET,
    TRELLO_SECRET,
    airtable_delivery,
    trello_delivery,
)

URL = "http://gateway.example"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def inbox_of(mac_secret=lambda: MAC_SECRET, clock=Clock(), **more):  # noqa: B008  a clock that stands still
    given = {"trello_secret": TRELLO_SECRET, "callback_url": URL + TRELLO_PATH, "identifier": IDENTIFIER}
    return Inbox(**({"mac_secret": mac_secret, "now": clock, "base_id": BASE, "board": BOARD} | given | more))


@pytest.fixture
def inbox():
    return inbox_of()


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
    for inbox in (inbox_of(lambda: None, trello_secret=None), inbox_of(lambda: "", callback_url=None)):
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


@pytest.mark.parametrize(
    ("mapped", "action"),
    [
        ("due", {"type": "updateCard", "data": {"old": {"due": None}}}),
        ("start", {"type": "updateCard", "data": {"old": {"start": None}}}),
        ("labels", {"type": "updateCard", "data": {"old": {"idLabels": []}}}),
        ("labels", {"type": "addLabelToCard", "data": {}}),
        ("labels", {"type": "removeLabelFromCard", "data": {}}),
        ("members", {"type": "addMemberToCard", "data": {}}),
        ("members", {"type": "removeMemberFromCard", "data": {}}),
        ("custom", {"type": "updateCustomFieldItem", "data": {}}),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else str(value),
)
def test_property_of_a_card_starts_a_sync_only_where_it_is_mapped(mapped, action):
    others = {"due", "start", "labels", "members", "custom"} - {mapped}
    for properties, verdict in ((others, Verdict.IRRELEVANT), ({mapped}, Verdict.HINT)):
        assert from_trello(inbox_of(properties=frozenset(properties)), action=action) is verdict


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

    inbox = inbox_of(look_up, clock)
    assert from_airtable(inbox) is Verdict.HINT
    kept["secret"] = fresh = base64.b64encode(b"another secret").decode()
    clock.now = 5.0
    assert from_airtable(inbox, timestamp="t2", secret=fresh) is Verdict.HINT
    for _ in range(100):
        assert from_airtable(inbox, timestamp="t3", secret=MAC_SECRET) is Verdict.FORGED
    assert asked == [0.0, 5.0]


# The state database is away


class Database:
    """`away`: it cannot be asked; asked: how often it was."""

    def __init__(self, secret=MAC_SECRET):
        self.secret, self.away, self.asked = secret, False, 0

    def look_up(self):
        self.asked += 1
        if self.away:
            raise StateStoreError("could not be read")
        return self.secret


FRESH = base64.b64encode(b"another secret").decode()


def test_genuine_ping_during_an_outage_is_not_called_forged(clock):
    """Nobody can know whose it is; Airtable delivers what was not taken again."""
    database = Database()
    inbox = inbox_of(database.look_up, clock)
    database.away = True
    for clock.now in (0.0, 0.5, 1.0, 60.0, 60.1):
        assert from_airtable(inbox, timestamp=str(clock.now)) is Verdict.UNKNOWN
    database.away, clock.now = False, 61.1
    assert from_airtable(inbox) is Verdict.HINT


def test_forged_ping_during_an_outage_takes_nothing_from_the_genuine_ones(clock):
    """The secret that is known stays known."""
    database = Database()
    inbox = inbox_of(database.look_up, clock)
    assert from_airtable(inbox) is Verdict.HINT
    database.away = True
    for clock.now in (10.0, 10.5, 20.0):
        assert from_airtable(inbox, secret=FRESH) is Verdict.UNKNOWN
        assert from_airtable(inbox, timestamp=f"genuine {clock.now}") is Verdict.HINT
    assert database.asked == 3
    database.away, clock.now = False, 30.0
    assert from_airtable(inbox, secret=FRESH) is Verdict.FORGED
    assert from_airtable(inbox, timestamp="t9") is Verdict.HINT


def test_webhook_made_anew_during_an_outage_is_known_once_it_is_over(clock):
    database = Database()
    inbox = inbox_of(database.look_up, clock)
    assert from_airtable(inbox) is Verdict.HINT
    database.away, database.secret, clock.now = True, FRESH, 10.0
    assert from_airtable(inbox, timestamp="t2", secret=FRESH) is Verdict.UNKNOWN
    database.away, clock.now = False, 20.0
    assert from_airtable(inbox, timestamp="t2", secret=FRESH) is Verdict.HINT


def test_ping_that_comes_while_the_secret_is_looked_up_is_not_called_forged(clock):
    """A forged one may have begun it; one thread asks, and the others do not wait for a database that is frozen."""
    met = []

    def look_up():
        clock.now += 100.0
        met.append(from_airtable(inbox, timestamp="meanwhile"))
        return MAC_SECRET

    inbox = inbox_of(look_up, clock)
    assert from_airtable(inbox, secret=FRESH) is Verdict.FORGED
    assert met == [Verdict.UNKNOWN]
    assert from_airtable(inbox, timestamp="meanwhile") is Verdict.HINT


@pytest.mark.parametrize("secret", ["", "no base64", "schl\u00fcssel", "=", None])
def test_damaged_secret_lets_nobody_in(clock, secret):
    assert from_airtable(inbox_of(lambda: secret, clock)) is Verdict.FORGED


# Somebody else's board or base

ABOUT_BOARD = {"id": BOARD, "name": "Leads", "shortLink": "AbCd1234"}
OTHER_BOARD = {"id": "f" * 24, "name": "Leads", "shortLink": "ZzZz9999"}


@pytest.mark.parametrize("configured", [BOARD, BOARD.upper(), "AbCd1234"])
@pytest.mark.parametrize(
    ("model", "board", "verdict"),
    [
        (ABOUT_BOARD, ABOUT_BOARD, Verdict.HINT),
        (ABOUT_BOARD, None, Verdict.HINT),
        ({}, ABOUT_BOARD, Verdict.HINT),
        ({"id": BOARD, "shortUrl": "https://trello.com/b/AbCd1234"}, None, Verdict.HINT),
        ({"id": BOARD, "url": "https://trello.com/b/AbCd1234/leads"}, None, Verdict.HINT),
        (OTHER_BOARD, OTHER_BOARD, Verdict.IRRELEVANT),
        (OTHER_BOARD, None, Verdict.IRRELEVANT),
        ({}, OTHER_BOARD, Verdict.IRRELEVANT),
        ({"id": "f" * 24, "shortUrl": "https://trello.com/b/ZzZz9999"}, None, Verdict.IRRELEVANT),
        ({}, None, Verdict.HINT),
        ("nonsense", ["nonsense"], Verdict.HINT),
        ({"id": 5, "shortLink": None}, {"id": {}}, Verdict.HINT),
    ],
)
def test_signed_delivery_about_another_board_is_no_hint(configured, model, board, verdict):
    """One Power-Up signs for all of its boards. What does not say where it was counts."""
    inbox = inbox_of(board=configured)
    action = {"data": {"old": {"idList": "x"}} | ({} if board is None else {"board": board})}
    assert from_trello(inbox, action=action, model=model) is verdict


def test_card_that_leaves_our_board_for_another_is_a_hint(inbox):
    """The delivery is about both."""
    data = {"board": ABOUT_BOARD, "boardTarget": {"id": OTHER_BOARD["id"]}}
    action = {"type": "moveCardFromBoard", "data": data}
    assert from_trello(inbox, action=action, model=ABOUT_BOARD) is Verdict.HINT


@pytest.mark.parametrize(
    ("base", "verdict"),
    [
        ({"id": BASE}, Verdict.HINT),
        ({"id": "appOTHER"}, Verdict.IRRELEVANT),
        ({}, Verdict.HINT),
        (None, Verdict.HINT),
        ({"id": 5}, Verdict.HINT),
    ],
)
def test_signed_ping_of_another_base_is_no_hint(inbox, base, verdict):
    assert from_airtable(inbox, base=base) is verdict


def test_gateway_knows_what_its_pair_has_mapped(tmp_path):
    values = {
        "airtable_api_token": "pat",
        "airtable_base_id": BASE,
        "trello_api_key": "k" * 32,
        "trello_board_id": BOARD,
    }
    values |= {"trello_api_token": "ATTAtoken", "trello_api_secret": TRELLO_SECRET}
    settings = settings_with(values | {"sync_fields": '[[field]]\nairtable = "Next step"\ncard = "due"\n'})
    store = StateStore(f"sqlite:///{tmp_path}/state.sqlite3")
    inbox = build_gate(settings, "127.0.0.1", URL, Trigger(lambda _run: {}, 1.0), store, None).inbox
    assert from_trello(inbox, action={"type": "updateCard", "data": {"old": {"due": None}}}) is Verdict.HINT
    store.close()
