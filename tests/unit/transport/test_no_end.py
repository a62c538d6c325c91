"""Every wait for a service has an end: answers that drip or never stop, long pauses, silence for minutes."""

from __future__ import annotations

import gzip
import threading
import time
import zlib

import pytest

from leadsync.airtable.refusals import AIRTABLE
from leadsync.errors import ReadAgainError, TimedOutWriteError, TransientServiceError, UnclearWriteError
from leadsync.transport import answers
from leadsync.transport.failures import ATTEMPTS, SLOW_ATTEMPTS
from leadsync.transport.lines import session
from leadsync.transport.pacing import Pace
from leadsync.transport.patience import LONGEST_WAIT, STUCK_AFTER
from leadsync.transport.wire import Wire
from leadsync.trello.refusals import TRELLO
from support.harness import SkippedTime
from support.raw_server import RawServer, answer, make_certificate, sends

DEADLINE = 0.3
"""Seconds in real time; the servers here go on for GIVES_UP, a hundred times as long."""
SOON = 15.0
"""Seconds in which the busiest machine comes to the end of two tries."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPS = {
    "status-line": (b"", b"H"),
    "header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    "continue-for-ever": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (HEAD + b"Content-Length: 100000\r\n\r\n[", b" "),
    "body-without-length": (HEAD + b"Connection: close\r\n\r\n[", b" "),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n", b"1\r\n \r\n"),
    "trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"a: b\r\n"),
    "refusal": (b"HTTP/1.1 404 Not Found\r\nContent-Length: 100000\r\n\r\n", b"x"),
}


@pytest.fixture
def clock():
    return SkippedTime()


@pytest.fixture
def wire(clock):
    made = Wire(AIRTABLE, Pace(1000, 1, penalty=30), (), clock=clock, read_timeout=20, deadline=DEADLINE)
    yield made
    made.close()


@pytest.fixture
def patient_wire(clock):
    made = Wire(TRELLO, Pace(1000, 1, penalty=10), (), clock=clock)
    yield made
    made.close()


def ask(wire, server, method="GET"):
    return session(wire, {}).request(method, server.url)


# --- one request ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
@pytest.mark.parametrize("drip", DRIPS)
def test_dripping_answer_is_cut_at_the_deadline(wire, drip, method):
    """Each byte is in time, the whole is not. A write may have taken effect, and says so."""
    kind = {"GET": TransientServiceError, "POST": TimedOutWriteError, "PATCH": ReadAgainError}[method]
    began = time.monotonic()
    with RawServer(lambda connection, request: server.drips(connection, *DRIPS[drip])) as server:
        with pytest.raises(kind, match=r"no (whole )?answer within 0\.3 s") as caught:
            ask(wire, server, method)
        assert time.monotonic() - began < SOON
        assert len(server.requests) == (SLOW_ATTEMPTS if method == "GET" else 1)
    assert type(caught.value) is kind
    assert method != "PATCH" or caught.value.unclear


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_dripping_handshake_is_cut_at_the_deadline(wire, tmp_path, method):
    """Nothing has left: a POST took no effect."""

    class Drips:
        def wrap_socket(self, connection, server_side):
            connection.recv(16)
            server.drips(connection, b"\x16\x03\x03\x40\x00", b"\x02")
            raise OSError

    began = time.monotonic()
    with RawServer(sends(answer()), make_certificate(tmp_path).server) as server:
        server._tls = Drips()
        with pytest.raises(TransientServiceError, match="could not be reached") as caught:
            ask(wire, server, method)
        assert time.monotonic() - began < SOON
    assert type(caught.value) is TransientServiceError
    assert wire.calls == SLOW_ATTEMPTS


def test_dripping_answer_over_tls_is_cut_at_the_deadline(wire, tmp_path, monkeypatch):
    """The socket belongs to TLS by then, and the answer to its end."""
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.authority))
    began = time.monotonic()
    with RawServer(lambda connection, request: server.drips(connection, *DRIPS["body"]), certificate.server) as server:
        with pytest.raises(TransientServiceError, match="no answer within"):
            ask(wire, server)
        assert time.monotonic() - began < SOON


def test_kept_connection_has_a_deadline_for_each_request(clock):
    """The second request on it is cut, not the connection that has been open for longer than a deadline."""
    wire = Wire(AIRTABLE, Pace(1000, 1, penalty=30), (), clock=clock, read_timeout=20, deadline=1.5)

    def behave(connection, request):
        request.kept = len(server.requests) < 3
        connection.sendall(answer()) if request.kept else server.drips(connection, *DRIPS["body"])

    with RawServer(behave) as server:
        ask(wire, server)
        time.sleep(2)
        ask(wire, server)
        assert server.connections == 1
        with pytest.raises(TimedOutWriteError):
            ask(wire, server, "POST")
        assert server.connections == 1
    wire.close()


def test_nothing_is_left_of_a_request_that_was_cut(wire):
    """No thread, no file."""
    threads = threading.active_count
    with RawServer(lambda connection, request: server.drips(connection, *DRIPS["status-line"])) as server:
        before = threads()
        for _ in range(3):
            with pytest.raises(TransientServiceError):
                ask(wire, server)
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join(SOON)
        assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
        assert threads() <= before + 3 * SLOW_ATTEMPTS  # the server's own


def zeros(size):
    """A gzip body of so many zeros, made without holding them."""
    packer, parts = zlib.compressobj(9, zlib.DEFLATED, 31), []
    for _ in range(size // 2**20):
        parts.append(packer.compress(bytes(2**20)))
    return b"".join(parts) + packer.flush()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", ["gzip", "gzip-twice", "endless", "endless-chunks", "stated"])
def test_body_has_a_largest_size(patient_wire, monkeypatch, method, kind):
    """Unpacked as it comes, and left off at the bound; memory never holds the rest."""
    monkeypatch.setattr(answers, "LONGEST_BODY", 2**20)
    bomb = zeros(200 * 2**20)
    taken = []

    def behave(connection, request):
        if kind == "gzip":
            connection.sendall(answer(bomb, "200 OK", "Content-Encoding: gzip"))
        elif kind == "gzip-twice":
            connection.sendall(answer(gzip.compress(bomb), "200 OK", "Content-Encoding: gzip, gzip"))
        elif kind == "stated":
            connection.sendall(HEAD + b"Content-Length: 99999999999\r\n\r\n" + bytes(2**22))
        else:
            chunked = kind == "endless-chunks"
            connection.sendall(HEAD + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"\r\n"))
            block = bytes(2**16)
            for _ in range(2_000):
                connection.sendall(b"10000\r\n" + block + b"\r\n" if chunked else block)
                taken.append(len(block))

    with RawServer(behave) as server:
        with pytest.raises(TransientServiceError, match="MB") as caught:
            ask(patient_wire, server, method)
    assert type(caught.value) is (UnclearWriteError if method == "POST" else TransientServiceError)
    assert sum(taken) < 100 * 2**20
    assert patient_wire.calls == (1 if method == "POST" else SLOW_ATTEMPTS)


def test_body_within_the_bound_is_read_whole(patient_wire, monkeypatch):
    monkeypatch.setattr(answers, "LONGEST_BODY", 2**20)
    body = b'["' + b"a" * (2**20 - 4) + b'"]'
    with RawServer(sends(answer(gzip.compress(body), "200 OK", "Content-Encoding: gzip"))) as server:
        assert ask(patient_wire, server).json() == ["a" * (2**20 - 4)]


# --- pauses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Busy"])
@pytest.mark.parametrize(
    "stated",
    [
        pytest.param(["Retry-After: 86400"], id="a-day"),
        pytest.param(["Retry-After: 121"], id="just-too-long"),
        pytest.param(["Retry-After: 999999999999999"], id="for-ever"),
        pytest.param(
            ["Date: Thu, 26 Nov 2026 05:00:00 GMT", "Retry-After: Fri, 27 Nov 2026 05:00:00 GMT"], id="a-date"
        ),
    ],
)
def test_long_wait_ends_the_side(patient_wire, clock, method, status, stated):
    """Nothing more is asked of the service in this run, of whatever kind; the sentence says how long it wants."""
    with RawServer(sends(answer("{}", status, *stated), answer())) as server:
        with pytest.raises(TransientServiceError) as caught:
            ask(patient_wire, server, method)
        for again in ("GET", "POST"):
            with pytest.raises(TransientServiceError, match=r"asks for a wait of \d+ s"):
                ask(patient_wire, server, again)
        assert len(server.requests) == 1
    unclear = method == "POST" and status.startswith("503")
    assert type(caught.value) is (UnclearWriteError if unclear else TransientServiceError)
    assert clock.waited < 2


def test_longest_wait_is_waited_out(patient_wire, clock):
    with RawServer(
        sends(answer("{}", "429 Slow Down", f"Retry-After: {LONGEST_WAIT:.0f}"), answer('{"id": 1}'))
    ) as server:
        assert ask(patient_wire, server).json() == {"id": 1}
    assert LONGEST_WAIT < clock.waited <= LONGEST_WAIT + 1


def test_patch_is_not_waited_for_in_a_long_pause(patient_wire, clock):
    """Handed back, and then there is no wait."""
    with RawServer(sends(answer("{}", "429 Slow Down", "Retry-After: 86400"))) as server:
        with pytest.raises(ReadAgainError) as caught:
            ask(patient_wire, server, "PATCH")
        with pytest.raises(TransientServiceError, match="asks for a wait of 86400 s"):
            patient_wire.wait_again(caught.value, tries=1)
    assert clock.waited == 0


def test_long_window_ends_the_side_after_the_answer(patient_wire, clock):
    """What was answered counts: a write took place."""
    used_up = ("X-Rate-Limit-Api-Token-Remaining: 0", "X-Rate-Limit-Api-Token-Interval-Ms: 86400000")
    with RawServer(sends(answer('{"id": "made"}', "200 OK", *used_up))) as server:
        assert ask(patient_wire, server, "POST").json() == {"id": "made"}
        with pytest.raises(TransientServiceError, match="asks for a wait of 86400 s"):
            ask(patient_wire, server)
        assert len(server.requests) == 1
    assert clock.waited == 0


# --- silence --------------------------------------------------------------------------------------------------


def test_service_that_answers_nothing_for_long_is_asked_no_more(patient_wire, clock):
    """Each wait is short enough, and their sum has an end too."""
    slow = answer("{}", "429 Slow Down", f"Retry-After: {LONGEST_WAIT:.0f}")
    with RawServer(sends(slow)) as server:
        for _ in range(20):
            with pytest.raises(TransientServiceError, match=r"kept answering 429|answered nothing for 10 minutes"):
                ask(patient_wire, server)
        assert len(server.requests) <= STUCK_AFTER / LONGEST_WAIT + 1
    assert STUCK_AFTER <= clock.waited < STUCK_AFTER + 2 * LONGEST_WAIT


@pytest.mark.parametrize("between", ["200 OK", "404 Not Found"])
def test_answer_in_between_is_a_sign_of_life(patient_wire, clock, between):
    """A refusal, too."""
    slow = answer("{}", "429 Slow Down", f"Retry-After: {LONGEST_WAIT:.0f}")
    with RawServer(sends(*[slow, slow, slow, answer("{}", between)] * 5, answer('{"id": 1}'))) as server:
        for _ in range(5):
            if between == "200 OK":
                ask(patient_wire, server)
            else:
                with pytest.raises(Exception, match="404"):
                    ask(patient_wire, server)
        assert ask(patient_wire, server).json() == {"id": 1}
    assert clock.waited > 2 * STUCK_AFTER


def test_post_that_times_out_counts_as_silence(patient_wire, clock):
    """Though it is never sent again: thousands of them would keep the lock for days."""
    with RawServer(sends(answer("", "500 Oops"))) as server:
        with pytest.raises(UnclearWriteError):
            ask(patient_wire, server, "POST")
        clock.sleep(STUCK_AFTER + 1)
        with pytest.raises(TransientServiceError, match="answered nothing for 10 minutes"):
            ask(patient_wire, server, "POST")
        assert len(server.requests) == 1


def test_idle_time_is_no_silence(patient_wire, clock):
    """The other side may take hours."""
    with RawServer(sends(answer('{"id": 1}'))) as server:
        ask(patient_wire, server)
        clock.sleep(10 * STUCK_AFTER)
        assert ask(patient_wire, server).json() == {"id": 1}
    assert patient_wire.calls == 2 < ATTEMPTS
