"""Each kind of fault as a client sees it, and what it leaves behind."""

import subprocess
import sys
import threading
import time

import pytest
import requests

from emulator import Emulator, Fault, ManualClock


def post_card(trello, emulator, **options):
    body = {"idList": emulator.trello.list_id("TODO"), "name": "Ada"}
    return trello(emulator)("POST", "cards", json=body, **options)


@pytest.mark.parametrize(("kind", "cards"), [("drop_before", 0), ("drop_after", 1)])
def test_dropped_connection_with_and_without_effect(emulator, trello, kind, cards):
    emulator.inject(Fault(kind))
    with pytest.raises(requests.ConnectionError):
        post_card(trello, emulator)
    assert len(emulator.trello.cards()) == cards
    assert [request.status for request in emulator.requests] == [None]


@pytest.mark.parametrize(("kind", "cards"), [("timeout_before", 0), ("timeout_after", 1)])
def test_silence_until_the_client_gives_up(emulator, kind, cards):
    emulator.inject(Fault(kind))
    body = {
        "idList": emulator.trello.list_id("TODO"),
        "key": emulator.trello.key,
        "token": emulator.trello.token,
    }
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{emulator.url}/1/cards", json=body, timeout=0.2)
    until = time.monotonic() + 10  # it may have arrived only just before we left
    while (len(emulator.requests), len(emulator.trello.cards())) != (1, cards) and time.monotonic() < until:
        time.sleep(0.005)
    assert (len(emulator.requests), len(emulator.trello.cards())) == (1, cards)


def test_silence_ends_after_its_seconds(emulator, trello):
    emulator.inject(Fault("timeout_before", seconds=0.1))
    with pytest.raises(requests.ConnectionError):
        post_card(trello, emulator)


def test_truncated_body_breaks_the_read_after_the_effect(emulator, trello):
    """Full Content-Length, half of the bytes."""
    emulator.inject(Fault("truncate"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        post_card(trello, emulator)
    assert len(emulator.trello.cards()) == 1


def test_fault_for_a_member_of_the_body_lets_other_bodies_pass(emulator, trello):
    card, call = emulator.trello.add_card("TODO", "Ada"), trello(emulator)
    emulator.inject(Fault("status", method="PUT", member="name", status=400, body="invalid value for name"))
    bodies = ({"closed": True}, {"name": "Bob", "closed": False}, {"name": "Bob"})
    assert [call("PUT", f"cards/{card}", json=body).status_code for body in bodies] == [200, 400, 200]


def test_status_without_and_with_effect(emulator, trello):
    emulator.inject(Fault("status", status=502))
    emulator.inject(Fault("status_after", nth=2, status=504))
    assert [post_card(trello, emulator).status_code for _ in range(3)] == [502, 504, 200]
    assert len(emulator.trello.cards()) == 2


@pytest.mark.parametrize(
    ("body", "text", "kind"),
    [
        ({"a": 1}, '{"a": 1}', "application/json; charset=utf-8"),
        ("oops", "oops", "text/plain; charset=utf-8"),
        (b"", "", "text/plain; charset=utf-8"),
    ],
)
def test_status_with_own_body_and_headers(emulator, trello, body, text, kind):
    emulator.inject(Fault("status", status=418, body=body, headers={"Retry-After": "7"}))
    answer = post_card(trello, emulator)
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (418, text, kind)
    assert answer.headers["Retry-After"] == "7"


def test_default_bodies_speak_like_the_service(emulator, airtable, trello):
    for _ in range(2):
        emulator.inject(Fault("status", status=429))
    assert "errors" in airtable(emulator)("GET", "Leads").json()
    assert trello(emulator)("GET", "members/me").json()["error"] == "API_TOKEN_LIMIT_EXCEEDED"


def test_empty_page_lies_in_the_shape_of_the_service(emulator, airtable, trello):
    emulator.airtable.add_lead("Ada"), emulator.trello.add_card()
    for _ in range(2):
        emulator.inject(Fault("empty_page"))
    assert airtable(emulator)("GET", "Leads").json() == {"records": []}
    assert trello(emulator)("GET", f"boards/{emulator.trello.board_id}/cards").json() == []


def test_html_comes_from_a_proxy(emulator, airtable):
    emulator.inject(Fault("html", status=502))
    answer = airtable(emulator)("GET", "Leads")
    assert answer.status_code == 502
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_fault_counts_only_matching_requests(emulator, airtable, trello):
    """nth and times count per fault, by service, method and path."""
    emulator.inject(Fault("status", service="airtable", method="get", path=r"/Leads$", nth=2, times=2))
    call = airtable(emulator)
    call("GET", "/v0/meta/whoami"), trello(emulator)("GET", "members/me"), call("POST", "Leads", json={})
    assert [call("GET", "Leads").status_code for _ in range(5)] == [200, 503, 503, 200, 200]


def test_two_faults_keep_their_own_counts(emulator, airtable):
    emulator.inject(Fault("status", status=500))
    emulator.inject(Fault("status", nth=3, status=502))
    call = airtable(emulator)
    assert [call("GET", "Leads").status_code for _ in range(4)] == [500, 200, 502, 200]


def test_faults_due_at_once_fire_one_after_the_other(emulator, airtable):
    """The older one first; none is lost."""
    emulator.inject(Fault("status", status=500))
    emulator.inject(Fault("status", status=502))
    call = airtable(emulator)
    assert [call("GET", "Leads").status_code for _ in range(3)] == [500, 502, 200]


def test_cleared_faults_do_not_fire(emulator, airtable):
    emulator.inject(Fault("status"))
    emulator.clear_faults()
    assert airtable(emulator)("GET", "Leads").ok


@pytest.mark.parametrize("options", [{"kind": "explode"}, {"kind": "status", "nth": 0}, {"kind": "status", "times": 0}])
def test_senseless_fault_is_refused_at_once(options):
    with pytest.raises(ValueError, match="unknown fault kind|count from 1"):
        Fault(**options)


# Callbacks


def test_edit_in_a_callback_happens_before_the_request(emulator, airtable):
    """The race of a person with a program: the edit is in the answer."""
    lead = emulator.airtable.add_lead("Ada")
    seen = []

    def edit(request, index):
        seen.append((request.method, request.path.rsplit("/", 1)[1], index))
        if index == 1:
            emulator.airtable.edit(lead, name="Ada L.")

    remove = emulator.before_request(edit)
    call = airtable(emulator)
    assert call("GET", f"Leads/{lead}").json()["fields"]["name"] == "Ada"
    assert call("GET", f"Leads/{lead}").json()["fields"]["name"] == "Ada L."
    remove()
    call("GET", f"Leads/{lead}")
    assert seen == [("GET", lead, 0), ("GET", lead, 1)]


def test_index_starts_anew_when_requests_are_cleared(emulator, airtable):
    seen, call = [], airtable(emulator)
    emulator.before_request(lambda request, index: seen.append(index))
    call("GET", "Leads"), call("GET", "Leads")
    emulator.clear_requests()
    call("GET", "Leads")
    assert seen == [0, 1, 0]
    assert emulator.calls("airtable") == 1


def test_callback_may_send_requests_itself(emulator, airtable):
    def nested(request, index):
        if index == 0:
            assert requests.get(emulator.url + "/v0/x", timeout=5).status_code == 404

    emulator.before_request(nested)
    assert airtable(emulator)("GET", "Leads").ok
    assert emulator.calls("airtable") == 2


def test_callback_may_stop_the_emulator(make, airtable):
    """
    An outage in the middle of a run: the request gets no answer, later ones are refused.

    A stop that waits for the callback it is called from is given up after five seconds.
    """
    emulator = make()
    emulator.before_request(lambda request, index: emulator.stop())
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        airtable(emulator)("GET", "Leads")
    assert time.monotonic() - began < 4.5


def test_callback_that_fails_is_loud():
    """500 for the client, and the error again when the block is left."""

    def fail(request, index):
        raise AssertionError("not now")

    def meet_the_failure():
        with Emulator(clock=ManualClock()) as emulator:
            emulator.before_request(fail)
            assert requests.get(emulator.url + "/v0/meta/whoami", timeout=5).status_code == 500

    with pytest.raises(AssertionError, match="not now"):
        meet_the_failure()


def test_callback_may_kill_the_process_that_asks(emulator):
    """The request of a killed program takes effect or not, as the callback is called before it."""
    script = (
        "import sys, urllib.request\n"
        "urllib.request.urlopen(urllib.request.Request(sys.argv[1] + '/v0/meta/whoami', method='GET'))"
    )
    child: list[subprocess.Popen[bytes]] = []
    ready = threading.Event()

    def kill(request, index):
        ready.wait(5)
        child[0].kill()

    emulator.before_request(kill)
    child.append(subprocess.Popen([sys.executable, "-c", script, emulator.url]))
    ready.set()
    assert child[0].wait(timeout=10) != 0
    assert len(emulator.requests) == 1
