"""The transport: pace, pauses, what is sent again and what never, and errors in our own words without secrets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from requests.adapters import HTTPAdapter

from leadsync.airtable.refusals import AIRTABLE
from leadsync.errors import (
    DeadTokenError,
    QuotaExceededError,
    ReadAgainError,
    ServiceRefusedError,
    TimedOutWriteError,
    TransientServiceError,
    UnclearWriteError,
)
from leadsync.transport.failures import ATTEMPTS, SLOW_ATTEMPTS
from leadsync.transport.lines import session
from leadsync.transport.pacing import Pace
from leadsync.transport.wire import Wire
from leadsync.trello.refusals import TRELLO

SECRET = "patSecret0123456789"
SERVICE = replace(AIRTABLE, left_header=TRELLO.left_header, window_header=TRELLO.window_header)
"""One that tells whatever one of the two tells."""
SENT_AGAIN = ("GET", "PUT")
JSON = "application/json; charset=utf-8"


class FakeClock:
    """Time passes only by sleeping; `slept` are the pauses, `wakes` is called after each."""

    def __init__(self) -> None:
        self.now, self.slept, self.wakes = 100.0, [], lambda: None

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        if seconds:
            self.slept.append(seconds)
        self.wakes()


def answer(status=200, body="{}", kind=JSON, **headers):
    """A scripted answer; underscores in header names are dashes."""
    text = body if isinstance(body, str) else json.dumps(body)
    return status, {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}, text


OK = answer(body={"id": "1"})
DROPPED, TRUNCATED, STALLED, STALLED_BODY = "dropped", "truncated", "stalled", "stalled in the body"
CUT_SHORT = 200, {"Content-Type": JSON, "Content-Length": "99"}, "{"
HTML = answer(body="<html>busy</html>", kind="text/html")
PATIENT, SHORT = 20.0, 0.2
"""Read time-outs in real time [s]: more than the busiest machine takes to answer, and one that a test waits for."""
BROKEN = {
    "500": answer(500, "oops", "text/plain"),
    "502": answer(502, "<html>", "text/html"),
    "503-with-json": answer(503, {"error": {"type": "RETRIABLE_ERROR"}}),
    "dropped": DROPPED,
    "truncated-body": TRUNCATED,
    "html-instead-of-json": HTML,
    "empty-body": answer(200, ""),
}


class Server(ThreadingHTTPServer):
    """Answers by `script`, the last line of it for ever; `seen` are the requests."""

    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.script, self.seen, self.stall = [OK], [], threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def came(self, count):
        """The requests, once `count` have come: one that the client gave up on may be taken up a moment later."""
        deadline = time.monotonic() + PATIENT
        while len(self.seen) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.seen

    def stop(self):
        self.stall.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        script = self.server.script
        self.server.seen.append((self.command, self.path, body))
        line = script.pop(0) if len(script) > 1 else script[0]
        if line == DROPPED:
            return
        if line == STALLED:
            self.server.stall.wait(5)
            return
        status, headers, text = CUT_SHORT if line in (TRUNCATED, STALLED_BODY) else line
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(text.encode()))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())
        if line == STALLED_BODY:
            self.server.stall.wait(5)

    do_POST = do_PUT = do_PATCH = do_GET

    def log_message(self, *_args):
        pass


@pytest.fixture
def server():
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def read_timeout():
    """Only tests of stalled answers may take a short one: an answer that is merely late would be asked for again."""
    return PATIENT


stalling = pytest.mark.parametrize("read_timeout", [SHORT])


@pytest.fixture
def wire(clock, read_timeout):
    return Wire(SERVICE, Pace(1000, 1, penalty=30), (SECRET,), clock=clock, read_timeout=read_timeout)


@pytest.fixture
def call(wire, server) -> Callable[..., requests.Response]:
    """`call(method, *script)`: one request against a server that answers so."""

    def called(method="GET", *script, path="/x", **more):
        if script:
            server.script = list(script)
        with session(wire, {"Authorization": f"Bearer {SECRET}"}) as http:
            return http.request(method, server.url + path, **more)

    return called


@pytest.fixture
def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- what is sent again, and what never -----------------------------------------------------------------------


@pytest.mark.parametrize("method", SENT_AGAIN)
@pytest.mark.parametrize("fault", BROKEN)
def test_repeatable_request_is_sent_again_after_a_fault(call, server, wire, clock, method, fault):
    """Reading, and setting cells to values, may be done twice; the second answer counts, and both calls do."""
    assert call(method, BROKEN[fault], OK, json={"a": 1}).json() == {"id": "1"}
    assert [seen[0] for seen in server.seen] == [method] * 2
    assert server.seen[0] == server.seen[1]
    assert wire.calls == 2
    assert 0.3 < sum(clock.slept) < 0.7


@pytest.mark.parametrize("fault", BROKEN)
def test_post_is_never_sent_again_after_an_unclear_answer(call, server, wire, fault):
    """It may have taken effect; the caller must look before it posts again."""
    with pytest.raises(UnclearWriteError, match="may or may not have taken effect") as caught:
        call("POST", BROKEN[fault], OK, json={"name": "Ada"})
    assert type(caught.value) is UnclearWriteError
    assert len(server.seen) == wire.calls == 1


@stalling
@pytest.mark.parametrize(
    "fault",
    [
        STALLED,
        pytest.param(
            STALLED_BODY,
        ),
    ],
)
def test_post_that_timed_out_is_told_apart(call, server, fault):
    """The server may still be at work on it."""
    with pytest.raises(TimedOutWriteError, match=r"no answer within 0\.2 s"):
        call("POST", fault, OK)
    assert len(server.came(1)) == 1


@stalling
def test_slow_read_is_tried_once_more(call, server, wire):
    """Each try costs the whole time-out."""
    with pytest.raises(TransientServiceError, match=r"no answer within 0\.2 s, 2 times"):
        call("GET", STALLED)
    assert len(server.came(2)) == wire.calls == SLOW_ATTEMPTS == 2


@pytest.mark.parametrize("fault", ["500", "dropped"])
def test_fault_that_lasts_ends_in_a_transient_error(call, server, wire, clock, fault):
    """Backing off with jitter, each pause about twice the one before; then a later run may try."""
    with pytest.raises(TransientServiceError, match="Run again later") as caught:
        call("GET", BROKEN[fault])
    assert type(caught.value) is TransientServiceError
    assert caught.value.exit_code == 1
    assert len(server.seen) == wire.calls == ATTEMPTS
    for pause, base in zip(clock.slept, (0.5, 1, 2, 4), strict=True):
        assert 0.7 * base <= pause <= 1.3 * base


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_request_that_never_left_is_sent_again(wire, clock, closed_port, method):
    """No connection, no effect: also a POST is tried again."""
    late = []

    def open_late():
        if not late:
            late.append(Server(closed_port))

    clock.wakes = open_late
    with session(wire, {}) as http:
        assert http.request(method, f"http://127.0.0.1:{closed_port}/x").status_code == 200
    assert len(late[0].seen) == 1
    assert wire.calls == 2
    late[0].stop()


def test_service_out_of_reach_is_named(wire, closed_port):
    """With the host that was asked."""
    with session(wire, {}) as http:
        with pytest.raises(TransientServiceError, match=f"127.0.0.1:{closed_port}"):
            http.post(f"http://127.0.0.1:{closed_port}/x")
    assert wire.calls == ATTEMPTS


def test_every_request_has_a_time_out(wire, monkeypatch, call, read_timeout):
    """Whatever the client asked for."""
    given = []

    def note(self, request, **more):
        given.append(more["timeout"])
        raise requests.exceptions.ConnectionError

    monkeypatch.setattr(HTTPAdapter, "send", note)
    with pytest.raises(TransientServiceError):
        call("GET", timeout=None)
    assert set(given) == {(10.0, read_timeout)}


# --- too fast -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize(
    ("headers", "least"),
    [({}, 30), ({"Retry_After": "7"}, 7), ({"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30)],
    ids=["the-penalty", "as-told", "not-a-number"],
)
def test_too_many_requests_waits_out_the_window(call, wire, clock, method, headers, least):
    """A 429 had no effect: the request is sent again, a POST as well, after the pause and a little more."""
    assert call(method, answer(429, {"errors": [{"error": "RATE_LIMIT_REACHED"}]}, **headers), OK).status_code == 200
    assert least < sum(clock.slept) <= least + 1
    assert wire.calls == 2


def test_pause_holds_for_other_requests_too(call, clock):
    """The window is everybody's."""
    call("GET", answer(429), OK)
    waited = sum(clock.slept)
    call("GET", OK)
    assert sum(clock.slept) == waited


def test_too_many_requests_for_ever_is_a_transient_error(call, wire, clock):
    """After each window one more try, and then an end."""
    with pytest.raises(TransientServiceError, match="429"):
        call("GET", answer(429))
    assert wire.calls == ATTEMPTS
    assert sum(clock.slept) >= 30 * (ATTEMPTS - 1)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("envelope", ["error", "errors"])
def test_used_up_quota_is_final(call, wire, clock, method, envelope):
    """Retrying is useless until next month."""
    inner = {"type": "PUBLIC_API_BILLING_LIMIT_EXCEEDED"}
    body = {"error": inner} if envelope == "error" else {"errors": [{"error": inner["type"]}]}
    with pytest.raises(QuotaExceededError, match="quota is used up"):
        call(method, answer(429, body))
    assert wire.calls == 1
    assert clock.slept == []


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"X_Rate_Limit_Api_Token_Remaining": "4", "X_Rate_Limit_Api_Token_Interval_Ms": "10000"}, 10),
        ({"X_Rate_Limit_Api_Token_Remaining": "0"}, 30),
        ({"X_Rate_Limit_Api_Token_Remaining": "5"}, 0),
        ({"X_Rate_Limit_Api_Token_Remaining": "many"}, 0),
    ],
    ids=["nearly-used-up", "interval-not-told", "enough-left", "no-number"],
)
def test_window_eaten_up_by_others_is_waited_out(call, clock, headers, pause):
    """Trello tells what is left; waiting is better than being refused."""
    call("GET", answer(200, **headers), OK)
    assert clock.slept == []
    call("GET", OK)
    assert sum(clock.slept) == pause


def test_pace_is_kept(server):
    """No more than the allowed number of requests in a window."""
    wire = Wire(TRELLO, Pace(3, 0.25, penalty=10), ())
    began = time.monotonic()
    with session(wire, {}) as http:
        for _ in range(7):
            http.get(server.url)
    assert time.monotonic() - began >= 0.5


@pytest.mark.parametrize("method", SENT_AGAIN)
def test_wait_for_a_broken_service_is_told(call, caplog, method):
    """With the service, what it answers, and for how long; the first half second is not worth a line."""
    with pytest.raises(TransientServiceError):
        call(method, answer(500, "oops", "text/plain"))
    told = [line.getMessage() for line in caplog.records if line.name == "leadsync"]
    assert {line.rpartition(", again in ")[0] for line in told} == {"Airtable: an answer of 500"}
    assert 1 <= len(told) <= 3


def test_wait_before_a_patch_is_sent_again_is_told(call, wire, caplog):
    with pytest.raises(ReadAgainError) as again:
        call("PATCH", answer(503, "oops", "text/plain"))
    wire.wait_again(again.value, 4)
    (told,) = (line.getMessage() for line in caplog.records if line.name == "leadsync")
    assert told.startswith("Airtable: an answer of 503, again in ")


# --- what waits for nobody ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", BROKEN)
def test_patch_without_a_clear_answer_is_handed_back(call, server, wire, clock, fault):
    """Whoever sends it must read again first; it may have taken effect."""
    with pytest.raises(ReadAgainError) as caught:
        call("PATCH", BROKEN[fault], OK, json={"a": 1})
    again = caught.value
    assert (again.sent, again.unclear, again.attempts) == (True, True, ATTEMPTS)
    assert (len(server.seen), clock.slept) == (1, [])
    wire.wait_again(again, tries=1)
    assert 0.3 < sum(clock.slept) < 0.7


@stalling
def test_patch_that_timed_out_is_worth_one_more_try(call, server, wire):
    with pytest.raises(ReadAgainError) as caught:
        call("PATCH", STALLED)
    assert (caught.value.unclear, caught.value.attempts, len(server.seen)) == (True, SLOW_ATTEMPTS, 1)
    with pytest.raises(TransientServiceError, match=r"no answer within 0\.2 s, 2 times"):
        wire.wait_again(caught.value, tries=SLOW_ATTEMPTS)


def test_refused_pace_hands_a_patch_back_before_the_pause(call, server, wire, clock):
    """It had no effect; the pause is waited out before anything is read again."""
    with pytest.raises(ReadAgainError) as caught:
        call("PATCH", answer(429), OK)
    assert (caught.value.sent, caught.value.unclear, clock.slept, len(server.seen)) == (True, False, [], 1)
    wire.wait_again(caught.value, tries=1)
    assert 30 < sum(clock.slept) <= 31


def test_patch_is_not_sent_in_a_pause_that_another_request_caused(call, server, wire, clock):
    """What a person does in the meantime would be overwritten unseen."""
    call("GET", answer(200, X_Rate_Limit_Api_Token_Remaining="0"), OK)
    with pytest.raises(ReadAgainError) as caught:
        call("PATCH", OK)
    assert (caught.value.sent, caught.value.unclear, len(server.seen), wire.calls) == (False, False, 1, 1)
    wire.wait_again(caught.value, tries=99)
    assert sum(clock.slept) == 30
    assert call("PATCH", OK).status_code == 200


def test_patch_that_queued_into_a_pause_is_handed_back(server, clock):
    """The pause began while it waited for its turn."""
    wire = Wire(AIRTABLE, Pace(1, 0.3, penalty=30), (), clock=clock)
    with session(wire, {}) as http:
        http.get(server.url)
        clock.wakes = lambda: wire.pacing.pause(30)
        with pytest.raises(ReadAgainError):
            http.patch(server.url)
    assert clock.slept, "it queued"
    assert [seen[0] for seen in server.seen] == ["GET"]


# --- a token that dies ----------------------------------------------------------------------------------------


@pytest.fixture
def told_wire(clock):
    """A wire that knows which refusal is about the token."""
    return Wire(AIRTABLE, Pace(1000, 1, penalty=30), (SECRET,), clock=clock)


def test_token_refused_after_a_success_has_died(told_wire, server):
    """The sentence names the setting and passes on the service's words."""
    server.script = [
        OK,
        answer(401, {"error": {"type": "AUTHENTICATION_REQUIRED", "message": "Authentication required"}}),
    ]
    with session(told_wire, {}) as http:
        http.get(server.url)
        with pytest.raises(DeadTokenError) as caught:
            http.get(server.url)
    for words in ("AIRTABLE_API_TOKEN", "expired or was revoked", "Authentication required", "Make a new one"):
        assert words in str(caught.value)


@pytest.mark.parametrize(("before", "status"), [(0, 401), (1, 403)], ids=["never-accepted", "refused-something-else"])
def test_other_refusal_says_nothing_about_the_tokens_life(told_wire, server, before, status):
    server.script = [*[OK] * before, answer(status)]
    with session(told_wire, {}) as http:
        for _ in range(before):
            http.get(server.url)
        with pytest.raises(ServiceRefusedError):
            http.get(server.url)


# --- answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202])
def test_success_is_always_200(call, status):
    """A client that takes a 202 for a failure never sees one."""
    got = call("POST", answer(status, {"id": "9"}))
    assert got.status_code == 200
    assert got.json() == {"id": "9"}


ENVELOPES = {
    "type-and-message": (422, answer(422, {"error": {"type": "T", "message": "M"}}), "T", "M"),
    "type-alone": (422, answer(422, {"error": {"type": "T"}}), "T", ""),
    "bare-string": (404, answer(404, {"error": "NOT_FOUND"}), "NOT_FOUND", ""),
    "plural": (403, answer(403, {"errors": [{"error": "T", "message": "M"}]}), "T", "M"),
    "no-json": (413, answer(413, "<html>too large</html>", "text/html"), "", ""),
    "empty": (400, answer(400, ""), "", ""),
    "plain-text": (401, answer(401, "invalid token", "text/plain; charset=utf-8"), "", "invalid token"),
    "message-beside": (400, answer(400, {"message": "M", "error": "ERROR"}), "ERROR", "M"),
    "message-alone": (401, answer(401, {"message": "missing scopes"}), "", "missing scopes"),
    "json-string": (400, answer(400, '"M"'), "M", ""),
    "empty-plural": (400, answer(400, {"errors": []}), "", ""),
}


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_refusal_carries_kind_and_text_of_any_envelope(call, wire, clock, method, envelope):
    """A 4xx is final: one call, no pause, the service's own words."""
    status, line, kind, text = ENVELOPES[envelope]
    with pytest.raises(ServiceRefusedError) as caught:
        call(method, line, OK)
    refused = caught.value
    assert (refused.service, refused.status, refused.kind, refused.text) == ("Airtable", status, kind, text)
    assert str(refused).startswith(f"Airtable answered {status}")
    assert wire.calls == 1
    assert clock.slept == []


@pytest.mark.parametrize(
    "envelope", ["plain-text", "message-beside", "message-alone", "json-string", "no-json", "empty"]
)
def test_trello_refuses_in_envelopes_of_its_own(server, clock, envelope):
    status, line, kind, text = ENVELOPES[envelope]
    server.script = [line]
    with session(Wire(TRELLO, Pace(1000, 1, penalty=10), (), clock=clock), {}) as http:
        with pytest.raises(ServiceRefusedError) as caught:
            http.get(server.url)
    assert (caught.value.service, caught.value.status) == ("Trello", status)
    assert (caught.value.kind, caught.value.text) == (kind, text)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 414, 422, 431])
def test_refusal_is_not_retried(call, wire, status):
    """The service understood and said no."""
    with pytest.raises(ServiceRefusedError):
        call("GET", answer(status))
    assert wire.calls == 1


def test_redirection_is_not_an_answer(call, server):
    """Neither API redirects; following one would carry the credentials elsewhere."""
    with pytest.raises(ServiceRefusedError):
        call("GET", answer(302, Location="http://127.0.0.1:9/"))
    assert len(server.seen) == 1


# --- secrets --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(answer(404, f"Cannot GET /1/x?token={SECRET}", "text/plain"), id="echoed-address"),
        pytest.param(answer(401, {"error": {"type": "T", "message": f"bad {SECRET}"}}), id="message"),
        pytest.param(answer(401, {"message": f"bad {SECRET}"}), id="message-alone"),
        pytest.param(answer(401, {"errors": [{"error": "T", "message": SECRET}]}), id="plural"),
        pytest.param(
            answer(401, {"error": f"bad {SECRET}"}),
            id="bare-string",
        ),
        pytest.param(
            answer(404, json.dumps(f"Cannot GET /1/x?token={SECRET}")),
            id="json-string",
        ),
        pytest.param(
            answer(404, "x" * 290 + SECRET, "text/plain"),
            id="cut-in-the-middle",
        ),
    ],
)
def test_secret_is_blotted_out_of_a_refusal(call, line):
    """Not even a part of it is left."""
    with pytest.raises(ServiceRefusedError) as caught:
        call("GET", line)
    told = f"{caught.value} {caught.value.args}"
    assert SECRET not in told
    assert SECRET[:6] not in told


@pytest.mark.parametrize(("fault", "read_timeout"), [(DROPPED, PATIENT), (STALLED, SHORT), (HTML, PATIENT)])
def test_secret_is_not_in_other_errors(call, fault):
    """Nor in what Python shows along with them."""
    with pytest.raises(TransientServiceError) as caught:
        call("GET", fault, path=f"/x?token={SECRET}")
    assert SECRET not in f"{caught.value!r}"
    assert caught.value.__suppress_context__


def test_redact_takes_every_secret_out():
    """Each, and wherever it stands."""
    wire = Wire(TRELLO, Pace(1, 1, 1), ("one1", "two2"))
    assert wire.redact("one1 and two2, one1") == "*** and ***, ***"


# --- hosts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "path"),
    [("", "/1/cards?fields=id"), ("/trello", "/trello/1/cards?fields=id"), ("/a/b/", "/a/b/1/cards?fields=id")],
    ids=["no-prefix", "prefix", "prefix-with-slash"],
)
def test_hard_coded_host_goes_to_the_endpoint(server, prefix, path):
    """With its path prefix and the query."""
    wire = Wire(TRELLO, Pace(100, 1, 1), (), hosts={"https://api.trello.com": server.url + prefix})
    with session(wire, {}) as http:
        http.get("https://api.trello.com/1/cards?fields=id")
    assert server.seen == [("GET", path, "")]


def test_other_hosts_are_left_alone(server):
    """Only the named ones are rewritten."""
    wire = Wire(TRELLO, Pace(100, 1, 1), (), hosts={"https://api.trello.com": "http://127.0.0.1:9"})
    with session(wire, {}) as http:
        assert http.get(server.url).status_code == 200


def test_session_sends_its_headers():
    """On every request."""
    with session(Wire(TRELLO, Pace(1, 1, 1), ()), {"Authorization": "OAuth x"}) as http:
        assert http.headers["Authorization"] == "OAuth x"
