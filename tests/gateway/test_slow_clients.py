"""Callers that take their time, or fetch nothing, by the hundred: each is closed, a good one is served meanwhile."""

import contextlib
import os
import socket
import threading
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from leadsync.gateway import connections, problems
from leadsync.gateway.connections import most_open
from leadsync.gateway.problems import BODY_LIMIT
from support.gateway_world import trello_delivery

SOON = 0.3
"""Seconds of a deadline that is waited for."""
AT_LAST = 15.0
"""Seconds in which a busy machine has seen the end of it."""
HEAD = b"POST /webhooks/trello HTTP/1.1\r\nHost: localhost\r\n"
ASKED = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def strict(serve, monkeypatch):
    """A gateway with short deadlines; GRACE is as ever, in it a busy machine has to write and to fetch the refusal."""
    for module, name in ((connections, "HEAD_WITHIN"), (connections, "FETCH_WITHIN")):
        monkeypatch.setattr(module, name, SOON)
    monkeypatch.setattr(problems, "BODY_TIMEOUT", SOON)
    monkeypatch.setattr(connections, "BODY_TIMEOUT", SOON)
    return serve()


@pytest.fixture
def crowded(serve, monkeypatch):
    """A gateway that takes eight connections, and has all the time in the world."""
    monkeypatch.setattr(connections, "MOST_OPEN", 8)
    for name in ("HEAD_WITHIN", "GRACE", "FETCH_WITHIN", "BODY_TIMEOUT"):
        monkeypatch.setattr(connections, name, 600.0)
    monkeypatch.setattr(problems, "BODY_TIMEOUT", 600.0)
    return serve()


@contextlib.contextmanager
def connection(served):
    place = urlsplit(served.url)
    with socket.create_connection((place.hostname, place.port), timeout=AT_LAST) as wire:
        yield wire


def until_closed(wire, dripped=b""):
    """Read to the end, dripping a byte now and then. Returns: what was answered."""
    told, deadline = b"", time.monotonic() + AT_LAST
    wire.settimeout(SOON / 3)
    while time.monotonic() < deadline:
        try:
            if dripped:
                wire.sendall(dripped)
            received = wire.recv(65536)
            if not received:
                return told
            told += received
        except TimeoutError:
            continue
        except OSError:  # reset while we were dripping
            return told
    raise AssertionError(f"still open after {AT_LAST} s; answered so far: {told!r}")


@pytest.mark.parametrize("dripped", [b"", b"x"], ids=["silent", "dripping"])
@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"P", b"", id="a-letter"),
        pytest.param(HEAD, b"", id="half-a-head"),
        pytest.param(HEAD + b"X-Long: ", b"", id="half-a-header"),
        pytest.param(ASKED + HEAD, b"200", id="half-a-head-after-an-answer"),
        pytest.param(ASKED * 3 + b"G", b"200", id="after-several-at-once"),
        pytest.param(HEAD + b"Content-Length: 9999\r\n\r\nhalf", b"408", id="half-a-body"),
        pytest.param(CHUNKED + b"fff\r\nhalf", b"408", id="half-a-chunk"),
        pytest.param(b"PUT /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n", b"413", id="refused-body"),
        pytest.param(b"PUT /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n", b"404", id="body-for-nobody"),
    ],
)
def test_caller_who_takes_too_long_is_closed(strict, sent, answer, dripped):
    """However the request begins, and though a byte comes now and then."""
    if dripped and sent in (HEAD, ASKED + HEAD):
        dripped = b"X: y\r\n"
    with connection(strict) as wire:
        wire.sendall(sent)
        told = until_closed(wire, dripped)
    assert answer in told
    assert strict.ask("GET", "/health").ok
    assert strict.settled() == 0


@pytest.mark.parametrize("path", [b"/webhooks/trello", b"/webhooks/airtable", b"/sync", b"/nowhere"])
def test_caller_who_leaves_in_a_body_leaves_no_trace_in_the_log(served, caplog, path):
    """Anybody can do so, as often as he likes; a traceback each would fill the disk."""
    head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for _ in range(3):
        with connection(served) as wire:
            wire.sendall(head + b"Content-Length: 99\r\n\r\nhalf")
            time.sleep(0.05)
    assert served.ask("GET", "/health").ok
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
    assert served.settled() == 0


def write_on(wire, asked):
    deadline = time.monotonic() + AT_LAST
    wire.settimeout(SOON)
    while time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            wire.sendall(asked)


def test_caller_who_fetches_nothing_is_closed(strict):
    """Answers are kept for whoever asks and asks."""
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100
    with connection(strict) as wire:
        with pytest.raises(ConnectionError):  # which we see by writing alone
            write_on(wire, asked)
    assert strict.ask("GET", "/health").ok


def test_caller_who_is_quick_may_stay(strict, monkeypatch):
    """A kept connection has a new deadline for each request."""
    monkeypatch.setattr(connections, "HEAD_WITHIN", 2.0)
    place = urlsplit(strict.url)
    wire = HTTPConnection(place.hostname, place.port, timeout=AT_LAST)
    wire.connect()
    first = wire.sock
    for _ in range(6):
        wire.request("GET", "/health")
        assert b'"status":"ok"' in wire.getresponse().read()
        assert wire.sock is first  # else it was closed, and opened anew by the library
        time.sleep(0.4)
    wire.close()


def test_run_that_is_waited_for_has_no_deadline(strict):
    """The caller has sent all there is."""
    strict.hold.clear()
    threading.Timer(SOON * 4, strict.hold.set).start()
    assert strict.ask("POST", "/sync?wait=true").json()["report"]["exit_code"] == 0


SLOW = [
    pytest.param(b"", id="silent"),
    pytest.param(HEAD, id="half-heads"),
    pytest.param(HEAD + b"Content-Length: 9999\r\n\r\nhalf", id="half-bodies"),
    pytest.param(CHUNKED + b"fff\r\nhalf", id="half-chunks"),
    pytest.param(b"PUT /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n", id="answered-half-bodies"),
    pytest.param(ASKED + HEAD, id="half-heads-after-an-answer"),
]


def still_open(wires):
    """How many the gateway has not closed."""
    count = 0
    for wire in wires:
        wire.setblocking(False)
        try:
            while wire.recv(65536):
                pass
        except BlockingIOError:
            count += 1
        except OSError:
            pass
    return count


@pytest.mark.parametrize("sent", SLOW)
def test_hundreds_of_slow_callers_leave_room_for_a_good_one(crowded, sent):
    """The eldest of them go; whoever sends at once is answered, and a sync is started."""
    with contextlib.ExitStack() as stack:
        wires = []
        for number in range(100):
            wire = stack.enter_context(connection(crowded))
            with contextlib.suppress(ConnectionError):
                wire.sendall(sent)
                if sent.startswith(ASKED):
                    wire.recv(1)  # while all are being answered, a newcomer would have to go
            wires.append(wire)
            if number % 25 == 0:
                assert crowded.ask("GET", "/health").ok
        assert crowded.ask("POST", "/sync?wait=true").json()["report"]["exit_code"] == 0
        delivery = trello_delivery(crowded.url)
        assert crowded.ask("POST", urlsplit(delivery.pop("url")).path, **delivery).json() == {"verdict": "hint"}
        deadline = time.monotonic() + AT_LAST
        while still_open(wires) > 8:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert crowded.settled() == 2


def test_caller_who_is_being_answered_is_not_closed_for_others(crowded):
    """Though it has been there longest."""
    crowded.hold.clear()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(crowded.ask("POST", "/sync?wait=true")))
    waiting.start()
    while not crowded.runs:
        time.sleep(0.005)
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(connection(crowded))
        assert crowded.ask("GET", "/health").ok
        crowded.hold.set()
        waiting.join(AT_LAST)
    assert [answer.status_code for answer in answers] == [200]


def test_half_bodies_are_small(served):
    """What is kept of a body before anybody is known to have signed it."""
    assert BODY_LIMIT == 128 * 1024
    kept = {"data": b" " * BODY_LIMIT, "headers": {"Content-Type": "application/json"}}
    assert served.ask("POST", "/webhooks/trello", **kept).status_code == 401
    kept["data"] += b" "
    assert served.ask("POST", "/webhooks/trello", **kept).status_code == 413


def test_caller_whose_request_is_on_its_way_is_not_closed_for_others(crowded, monkeypatch):
    """A kept connection is the eldest; its request may have come in while the gateway was busy accepting a crowd."""
    place = urlsplit(crowded.url)
    kept, silent = (HTTPConnection(place.hostname, place.port, timeout=AT_LAST) for _ in range(2))
    for wire in (kept, silent):
        wire.request("GET", "/health")
        wire.getresponse().read()
    sent = threading.Event()

    def at_the_last_moment():
        if not sent.is_set():
            kept.request("GET", "/health")
            sent.set()
        return 2

    monkeypatch.setattr(connections, "most_open", at_the_last_moment)
    with contextlib.closing(kept), contextlib.closing(silent), connection(crowded):
        assert sent.wait(AT_LAST)
        assert kept.getresponse().status == 200
        assert until_closed(silent.sock) == b""


def test_caller_who_was_answered_is_kept_in_a_crowd_of_strangers(crowded):
    """Else it is the eldest between two requests, and closed in the moment in which it sends the next."""
    place = urlsplit(crowded.url)
    kept = HTTPConnection(place.hostname, place.port, timeout=AT_LAST)
    kept.connect()
    first = kept.sock
    with contextlib.closing(kept), contextlib.ExitStack() as stack:
        for _ in range(3):
            kept.request("GET", "/health")
            assert kept.getresponse().read()
            assert kept.sock is first
            for _ in range(10):
                stack.enter_context(connection(crowded)).sendall(HEAD)
            assert crowded.ask("GET", "/health").ok  # the crowd has been accepted


@pytest.mark.skipif(os.name != "posix", reason="limits of Unix")
def test_few_files_mean_few_connections(monkeypatch):
    """A sync needs files, too."""
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    assert most_open() == 128
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert most_open() == connections.MOST_OPEN
