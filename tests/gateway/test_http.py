"""The gateway over real HTTP: who may ask, what is answered, and that nothing else ever happens."""

import html
import json
import re
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests

from leadsync.errors import StateStoreError
from leadsync.gateway.problems import BODY_LIMIT
from leadsync.model import ConflictPolicy, Read
from leadsync.pipeline.steps import Options
from support.gateway_process import TOKEN
from support.gateway_world import IDENTIFIER, MAC_SECRET, airtable_delivery, trello_delivery

BEARER = {"Authorization": f"Bearer {TOKEN}"}
RECEIVERS = ["/webhooks/trello", "/webhooks/airtable"]


def problem(answer, status):
    """A refusal is problem+json and says its own status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"]
    return answer.json()["detail"]


# Starting a sync


def test_sync_answers_202_with_the_address_of_its_status(served):
    """At once; the report is there afterwards."""
    served.hold.clear()
    answer = served.ask("POST", "/sync")
    assert answer.status_code == 202
    run = answer.json()
    assert answer.headers["location"] == run["status_url"] == f"/runs/{run['id']}"
    assert served.ask("GET", run["status_url"]).json()["stage"] in ("waiting", "running")
    served.hold.set()
    served.settled()
    status = served.ask("GET", run["status_url"]).json()
    assert (status["stage"], status["report"]) == ("done", {"exit_code": 0, "message": "done"})


def test_sync_with_wait_answers_with_the_report(served):
    answer = served.ask("POST", "/sync?wait=true", json={"dry_run": True, "conflict": "hold"})
    assert (answer.status_code, answer.json()["report"]["message"]) == (200, "done")
    assert served.runs[0].options == Options(dry_run=True, conflict=ConflictPolicy.HOLD, read=Read.FULL)


def test_same_wish_during_a_run_is_one_more_run(served):
    """However often it is made."""
    served.hold.clear()
    first = served.ask("POST", "/sync").json()["id"]
    while not served.runs:
        time.sleep(0.005)
    others = {served.ask("POST", "/sync").json()["id"] for _ in range(10)}
    assert len(others) == 1
    assert first not in others
    served.hold.set()
    assert served.settled() == 2


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"dry_run": "yes"}}, 422),
        ({"json": {"conflict": "me"}}, 422),
        ({"json": {"unknown": 1}}, 422),
        ({"json": [1]}, 422),
        ({"json": {"\ud800": 1}}, 422),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 422),
        ({"data": b"\xff\xfe", "headers": {"Content-Type": "application/json"}}, 422),
        ({"data": b'"\xff"', "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"data": b"{}"}, 415),
        ({"params": {"wait": "perhaps"}}, 422),
    ],
    ids=str,
)
def test_bad_input_is_refused_in_words(served, sent, status):
    """4xx, never 500, and nothing is started."""
    problem(served.ask("POST", "/sync", **sent), status)
    assert served.settled() == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/runs/none", 404),
        ("GET", "/runs/" + "x" * 5000, 404),
        ("GET", "/runs/%00%ff", 404),
        ("GET", "/sync", 405),
        ("DELETE", "/health", 405),
        ("GET", "/webhooks/trello", 405),
        ("PUT", "/webhooks/airtable", 405),
        ("GET", "/webhooks", 404),
    ],
)
def test_unknown_paths_and_methods_are_problems_too(served, method, path, status):
    problem(served.ask(method, path), status)


def test_refusal_does_not_echo_what_was_sent(served):
    """A secret pasted into the wrong place stays there."""
    answer = served.ask("POST", "/sync", json={"conflict": "s3cret-value"})
    assert "s3cret-value" not in answer.text


def test_run_that_prefect_cannot_be_asked_for_is_a_problem_too(serve):
    def look_up(_run_id):
        raise ConnectionError("secret address")

    answer = serve(look_up=look_up).ask("GET", "/runs/x")
    assert "secret" not in problem(answer, 503)


def test_openapi_description_is_there(served):
    paths = served.ask("GET", "/openapi.json").json()["paths"]
    assert set(paths) == {"/health", "/sync", "/runs/{run_id}", "/webhooks/trello", "/webhooks/airtable"}


def test_page_of_the_description_is_whole_without_anything_from_elsewhere(served):
    """No script, style, picture or font is loaded, so that it is read offline; the browser is told to load none."""
    answer = served.ask("GET", "/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|https?://", answer.text, re.IGNORECASE)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    described = served.ask("GET", "/openapi.json").json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert f"{method.upper()} {path}" in answer.text
            assert html.escape(operation["description"].split("\n")[0]) in answer.text
    for choice in described["components"]["schemas"]["SyncChoices"]["properties"]:
        assert choice in answer.text
    assert served.ask("GET", "/docs/oauth2-redirect").status_code == 404


# Who may ask


@pytest.mark.parametrize("path", ["/sync", "/runs/x"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_token_is_needed_once_it_is_set(guarded, path, headers):
    """Even from this machine: a proxy makes everybody look like it."""
    method = "POST" if path == "/sync" else "GET"
    answer = guarded.ask(method, path, headers=headers)
    problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert guarded.settled() == 0


@pytest.mark.parametrize(
    "sent",
    [
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
        {"data": b'"\xff"', "headers": {"Content-Type": "application/json"}},
        {"data": b"[" * 100_000, "headers": {"Content-Type": "application/json"}},
        {"data": b"{}", "headers": {"Content-Type": "text/plain"}},
        {"json": {"unknown": 1}},
        {"json": [1]},
        {"params": {"wait": "perhaps"}},
        {"data": b"x", "headers": {"Content-Type": "application/json; charset=nonsense"}},
    ],
    ids=lambda sent: str(sent)[:40],
)
def test_token_is_judged_before_what_was_sent(guarded, serve, sent):
    """Nobody learns what the gateway makes of a body, or has it parsed, who may not ask."""
    problem(guarded.ask("POST", "/sync", **sent), 401)
    foreign = sent | {"headers": sent.get("headers", {}) | {"Origin": "https://attacker.example"}}
    problem(serve().ask("POST", "/sync", **foreign), 403)


def test_token_is_judged_before_the_body_has_arrived(guarded):
    """It may never arrive."""
    place = urlsplit(guarded.url)
    with socket.create_connection((place.hostname, place.port), timeout=5) as wire:
        wire.sendall(b"POST /sync HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        assert b"401" in wire.recv(1000).split(b"\r\n")[0]


def test_token_opens(guarded):
    run = guarded.ask("POST", "/sync", headers=BEARER).json()
    assert guarded.ask("GET", run["status_url"], headers=BEARER).ok
    assert guarded.ask("GET", "/health", headers=BEARER).json()["ready"] is True


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Forwarded-For": "203.0.113.9"}, 401),
        ({"Forwarded": "for=203.0.113.9"}, 401),
        ({"X-Real-IP": "203.0.113.9"}, 401),
        ({"Host": "attacker.example"}, 403),
        ({"Host": "127.0.0.1.attacker.example"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://localhost:3"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "http://127.0.0.1:99999"}, 403),
        ({"Origin": "https://localhost:3", "Host": "localhost:3"}, 403),
        ({"Origin": "http://localhost:3", "Host": "127.0.0.1:3"}, 403),
        ({"Origin": "http://localhost:3@attacker.example", "Host": "localhost:3"}, 403),
        ({"Origin": "http://user@localhost:3", "Host": "localhost:3"}, 403),
        ({"Origin": "file://", "Host": "localhost:3"}, 403),
    ],
    ids=str,
)
def test_without_token_only_this_machine_may_ask_and_only_directly(served, headers, status):
    """Not through a proxy, not under a made-up name, not from another site's page."""
    problem(served.ask("POST", "/sync", headers=headers), status)
    assert served.ask("GET", "/health", headers=headers).json() == {"status": "ok"}
    assert served.settled() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:1"},
        {"Host": "[::1]:80"},
        {"Host": "localhost:3", "Origin": "http://localhost:3"},
        {"Host": "localhost:80", "Origin": "http://LOCALHOST"},
        {"Host": "[::1]", "Origin": "http://[::1]:80"},
    ],
    ids=str,
)
def test_this_machine_has_several_names(served, headers):
    """A page may ask the server that it came from: the same host and the same port."""
    assert served.ask("POST", "/sync", headers=headers).status_code == 202


@pytest.mark.parametrize("gate", [{"host": "0.0.0.0"}, {"public_url": "https://leads.example.com"}])
def test_reachable_gateway_without_token_starts_nothing(serve, gate):
    """A public address means a proxy in front, which need not say that it is one."""
    served = serve(**gate)
    problem(served.ask("POST", "/sync"), 401)
    assert served.ask("GET", "/health").json() == {"status": "ok"}


def test_health_tells_how_it_stands(served):
    """Last outcome, age, queue; nothing yet after the start."""
    health = served.ask("GET", "/health").json()
    assert (health["status"], health["ready"], health["queue"]["waiting"]) == ("ok", True, 0)
    assert "last_run" not in health
    served.outcome = {"exit_code": 2, "message": "AIRTABLE_API_TOKEN was not accepted"}
    served.ask("POST", "/sync?wait=true")
    health = served.ask("GET", "/health").json()
    assert (health["ready"], health["last_run"]["exit_code"]) == (False, 2)
    assert 0 <= health["last_run"]["age_seconds"] < 5


@pytest.mark.parametrize("name", [None, "0d9bd1c8-1f51-4a0e-9f0b-6b4c1b6f2a11"])
def test_run_has_one_id_wherever_it_is_told(served, name):
    """The one of its answer, whether Prefect gave it or we; its status is found by it."""
    served.named = name
    answered = served.ask("POST", "/sync?wait=true").json()
    told = served.ask("GET", "/health").json()["last_run"]
    assert told["id"] == answered["id"] == (name or answered["id"])
    assert served.ask("GET", f"/runs/{told['id']}").json()["stage"] == "done"
    served.hold.clear()
    under_way = served.ask("POST", "/sync").json()["id"]
    until_runs(served, 2)
    assert served.ask("GET", "/health").json()["queue"]["running"] == (name or under_way)
    served.hold.set()


def until_runs(served, number):
    deadline = time.monotonic() + 10
    while len(served.runs) < number:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_health_says_who_took_the_lock_last(serve):
    taken = {"appA/board": {"pid": 7}}
    told = serve(lock=lambda: taken).ask("GET", "/health").json()
    assert told["lock"] == {"held_here": False, "last_taken_by": taken}


def test_health_comes_soon_however_long_the_state_database_is_silent(serve, monkeypatch):
    """In words; however many ask, one look is under way, and it counts once it has come to its end."""
    monkeypatch.setattr("leadsync.gateway.glance.WAIT", 0.2)
    back, asked = threading.Event(), []

    def silent():
        asked.append(1)
        back.wait(60)
        return {"appA/board": {"pid": 7}}

    served = serve(lock=silent)
    for _ in range(60):  # more than there are threads for requests
        health = served.ask("GET", "/health").json()  # would time out before the database does
        assert (health["status"], "does not answer" in health["lock"]["unknown"]) == ("ok", True)
        assert "last_taken_by" not in health["lock"]
    assert requests.post(**trello_delivery(served.url), timeout=5).json() == {"verdict": "hint"}
    assert len(asked) == 1
    back.set()
    until = time.monotonic() + 30
    while "unknown" in served.ask("GET", "/health").json()["lock"] and time.monotonic() < until:
        time.sleep(0.01)
    assert served.ask("GET", "/health").json()["lock"]["last_taken_by"] == {"appA/board": {"pid": 7}}


def test_health_says_why_the_state_database_cannot_be_read(serve):
    def away():
        raise StateStoreError("The state database could not be read.")

    lock = serve(lock=away).ask("GET", "/health").json()["lock"]
    assert lock == {"held_here": False, "unknown": "The state database could not be read."}


# Deliveries


def test_signed_delivery_of_either_service_starts_one_sync(served):
    """Answered at once, with exactly 200."""
    for number, deliver in enumerate((trello_delivery, airtable_delivery), start=1):
        answer = requests.post(**deliver(served.url), timeout=5)
        assert (answer.status_code, answer.json()) == (200, {"verdict": "hint"})
        assert served.settled() == number


def test_answer_does_not_wait_for_the_run(served):
    served.hold.clear()
    assert requests.post(**trello_delivery(served.url, "first"), timeout=5).ok
    while not served.runs:
        time.sleep(0.005)
    for number in range(5):
        assert requests.post(**trello_delivery(served.url, f"a{number}"), timeout=5).ok
    assert [run.stage for run in served.runs] == ["running"]
    served.hold.set()


def test_probe_of_trello_gets_200(served):
    answer = served.ask("HEAD", "/webhooks/trello")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("deliver", [trello_delivery, airtable_delivery])
def test_forged_truncated_and_unsigned_deliveries_start_nothing(served, deliver):
    """401, in constant words."""
    good = deliver(served.url)
    (signature,) = (name for name in good["headers"] if name.startswith("X-"))
    cut = good | {"data": good["data"][:-5]}
    unsigned = good | {"headers": {"Content-Type": "application/json"}}
    wrong = good | {"headers": good["headers"] | {signature: "hmac-sha256=" + "0" * 64}}
    empty = good | {"data": b""}
    answers = [requests.post(**sent, timeout=5) for sent in (cut, unsigned, wrong, empty)]
    assert len({problem(answer, 401) for answer in answers}) == 1
    assert served.settled() == 0


@pytest.mark.parametrize("deliver", [trello_delivery, airtable_delivery])
def test_replayed_delivery_is_answered_and_starts_nothing(served, deliver):
    sent = deliver(served.url)
    assert requests.post(**sent, timeout=5).json() == {"verdict": "hint"}
    assert served.settled() == 1
    for _ in range(20):
        answer = requests.post(**sent, timeout=5)
        assert (answer.status_code, answer.json()) == (200, {"verdict": "replay"})
    assert served.settled() == 1


def test_echo_of_our_own_write_starts_nothing(served):
    sent = trello_delivery(served.url, headers={"X-Trello-Client-Identifier": IDENTIFIER})
    assert requests.post(**sent, timeout=5).json() == {"verdict": "echo"}
    assert served.settled() == 0


def test_burst_of_500_deliveries_in_two_seconds_is_at_most_three_runs(serve):
    """Both services mixed, from ten connections, while a run is under way as well."""
    served = serve(settle=0.5)
    served.hold.clear()
    served.ask("POST", "/sync")
    verdicts: list[str] = []

    def deliver(first):
        with requests.Session() as session:
            for number in range(first, 500, 10):
                sent = (trello_delivery if number % 2 else airtable_delivery)(served.url, str(number))
                verdicts.append(session.post(**sent, timeout=60).json()["verdict"])
                time.sleep(max(0.0, begun + number / 250 - time.monotonic()))

    begun = time.monotonic()
    threads = [threading.Thread(target=deliver, args=(first,)) for first in range(10)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    served.hold.set()
    for thread in threads:
        thread.join()
    late = time.monotonic() - begun - 2
    assert verdicts == ["hint"] * 500
    assert 2 <= served.settled() <= 3 + max(0.0, late) / 0.5  # a slow machine leaves gaps as long as the settle time


def test_ping_during_an_outage_of_the_state_database_is_to_be_delivered_again(serve):
    """503, not 401, which would say that it is forged; once the secret is known it is used without the database."""
    away = threading.Event()

    def mac_secret():
        if away.is_set():
            raise StateStoreError("The state database could not be read.")
        return MAC_SECRET

    away.set()
    served = serve(mac_secret=mac_secret)
    for number in range(3):
        answer = requests.post(**airtable_delivery(served.url, f"t{number}"), timeout=5)
        assert "deliver it again" in problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
    assert served.settled() == 0
    away.clear()
    deadline = time.monotonic() + 10
    while requests.post(**airtable_delivery(served.url), timeout=5).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    away.set()
    problem(requests.post(**airtable_delivery(served.url, secret="Zm9yZ2Vk"), timeout=5), 401)  # just looked up
    assert requests.post(**airtable_delivery(served.url, "t9"), timeout=5).json() == {"verdict": "hint"}


# Oversized and slow


@pytest.mark.parametrize("path", [*RECEIVERS, "/sync"])
def test_body_over_the_limit_is_refused_by_its_stated_length(served, path):
    """Before any of it was sent."""
    place = urlsplit(served.url)
    with socket.create_connection((place.hostname, place.port), timeout=5) as wire:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY_LIMIT + 1}\r\n"
        wire.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode())
        answer = wire.recv(2000)
    assert b"413" in answer.split(b"\r\n")[0]
    assert b"application/problem+json" in answer
    assert served.settled() == 0


@pytest.mark.parametrize("path", [*RECEIVERS, "/sync"])
def test_body_over_the_limit_is_refused_while_it_arrives(served, path):
    """Without a stated length there is nothing to believe."""

    def chunks():
        for _ in range(20):
            yield b" " * (BODY_LIMIT // 10)

    try:
        answer = served.ask("POST", path, data=chunks(), headers={"Content-Type": "application/json"})
    except requests.ConnectionError:
        return  # refused and hung up before all of it was sent
    problem(answer, 413)
    assert served.settled() == 0


def test_body_that_does_not_arrive_is_given_up(serve, monkeypatch):
    """A caller that holds its tongue holds nothing else."""
    monkeypatch.setattr("leadsync.gateway.problems.BODY_TIMEOUT", 0.2)
    served = serve()
    place = urlsplit(served.url)
    with socket.create_connection((place.hostname, place.port), timeout=5) as wire:
        wire.sendall(b"POST /webhooks/trello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        assert b"408" in wire.recv(1000).split(b"\r\n")[0]


def test_nonsense_on_the_wire_does_no_harm(served):
    place = urlsplit(served.url)
    for nonsense in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"POST /sync HTTP/1.1\r\nContent-Length: -1\r\n\r\n"):
        with socket.create_connection((place.hostname, place.port), timeout=5) as wire:
            wire.sendall(nonsense)
            wire.shutdown(socket.SHUT_WR)
            wire.recv(1000)
    assert served.ask("GET", "/health").ok
    assert served.settled() == 0


def test_no_answer_holds_a_secret(guarded):
    """Whatever is asked."""
    guarded.outcome = {"exit_code": 0, "message": "fine"}
    texts = [guarded.ask("POST", "/sync?wait=true", headers=BEARER).text]
    texts += [guarded.ask("GET", path, headers=BEARER).text for path in ("/health", "/openapi.json", "/runs/x", "/x")]
    texts += [guarded.ask("POST", path).text for path in (*RECEIVERS, "/sync")]
    for secret in (TOKEN, "the-power-up-secret", "AAECAwQF", IDENTIFIER):
        assert not [text for text in texts if secret in text]


def test_stopping_gateway_starts_nothing_more(served):
    """The run under way ends, the waiting one is dropped, and who asks is told."""
    served.hold.clear()
    first = served.ask("POST", "/sync").json()
    while not served.runs:
        time.sleep(0.005)
    second = served.ask("POST", "/sync").json()
    threading.Timer(0.2, served.hold.set).start()
    assert served.gate.trigger.close(5)
    problem(served.ask("POST", "/sync"), 503)
    assert requests.post(**trello_delivery(served.url), timeout=5).ok
    stages = [json.loads(served.ask("GET", run["status_url"]).text)["stage"] for run in (first, second)]
    assert (stages, len(served.runs)) == (["done", "dropped"], 1)
    assert served.ask("GET", "/health").json()["ready"] is False
