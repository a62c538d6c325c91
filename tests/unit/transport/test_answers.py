"""What an answer says, however it says it: headers of any kind, JSON of any shape, charsets that are not so."""

from __future__ import annotations

import gc
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadsync.airtable.refusals import AIRTABLE
from leadsync.errors import ServiceRefusedError, TransientServiceError, UnclearWriteError
from leadsync.transport import answers
from leadsync.transport.failures import ATTEMPTS
from leadsync.transport.lines import session
from leadsync.transport.pacing import Pace
from leadsync.transport.wire import Wire
from leadsync.trello.refusals import TRELLO
from support.harness import SkippedTime
from support.raw_server import RawServer, answer, sends

ODD_NUMBERS = ("²", "٣", "1e3", "-5", "+5", "5.5", "0x10", "1_000", "", " ", "9" * 400, "nan", "inf", "10, 10", "10;")
ODD_DATES = (
    *("now", "²", "0", "Thu, 32 Nov 2026 05:00:00 GMT", "Thu, 26 Nov 99999 05:00:00 GMT", "26 x", "Thu, ", ",,,,"),
    *("Thu, 26 Nov 0000 05:00:00 GMT", "Thu, 26 Nov 2026 05:00:00 +9999999", "Mon, 01 Jan 0001 00:00:00 -2359", "\xff"),
)


@pytest.fixture(autouse=True)
def no_garbage():
    """What earlier tests left is not collected at the bottom of a deep text, where no finaliser has room to run."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def clock():
    return SkippedTime()


@pytest.fixture
def wire(clock):
    made = Wire(TRELLO, Pace(1000, 1, penalty=10), (), clock=clock)
    yield made
    made.close()


def ask(wire, server, method="GET"):
    return session(wire, {}).request(method, server.url + "/x")


# --- headers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stated", [*ODD_NUMBERS, *ODD_DATES], ids=ascii)
def test_wait_that_cannot_be_read_is_the_penalty(wire, clock, stated):
    """Whatever stands there, the request is sent again after the window."""
    slow = answer("{}", "429 Slow Down").replace(b"\r\n", b"\r\nRetry-After: " + stated.encode() + b"\r\n", 1)
    with RawServer(sends(slow, answer('{"id": 1}'))) as server:
        if stated == "0":
            assert ask(wire, server).json() == {"id": 1}
            return
        assert ask(wire, server).json() == {"id": 1}
    assert 10 < clock.waited <= 11


@pytest.mark.parametrize("header", ["X-Rate-Limit-Api-Token-Remaining", "X-Rate-Limit-Api-Token-Interval-Ms"])
@pytest.mark.parametrize("stated", ODD_NUMBERS, ids=ascii)
def test_window_that_cannot_be_read_is_no_obstacle(wire, clock, header, stated):
    """The answer counts; of a window of no known length the penalty is waited."""
    other = b"X-Rate-Limit-Api-Token-Remaining: 0\r\n" if header.endswith("Ms") else b""
    odd = answer('{"id": 1}').replace(b"\r\n", b"\r\n" + other + header.encode() + b": " + stated.encode() + b"\r\n", 1)
    with RawServer(sends(odd, answer('{"id": 2}'))) as server:
        assert [ask(wire, server).json()["id"] for _ in range(2)] == [1, 2]
    assert clock.waited == pytest.approx(10 if other else 0, abs=0.5)


@pytest.mark.parametrize("header", ["X-Server-Time", "Date"])
@pytest.mark.parametrize("stated", [*ODD_NUMBERS, *ODD_DATES, "999999999999999", "1"], ids=ascii)
def test_clock_that_cannot_be_read_is_not_told(wire, header, stated):
    """As if there were none; later steps reckon with dates of it."""
    odd = answer('{"id": 1}').replace(b"\r\n", b"\r\n" + header.encode() + b": " + stated.encode() + b"\r\n", 1)
    with RawServer(sends(odd)) as server:
        assert ask(wire, server).json() == {"id": 1}
    assert wire.server_time == 0


def test_good_headers_are_read(wire, clock):
    """The clock to the millisecond, a date to the second."""
    precise = answer("{}", "200 OK", "X-Server-Time: 1795667696123", "Date: Thu, 26 Nov 2026 05:00:00 GMT")
    with RawServer(sends(precise, answer("{}", "200 OK", "Date: Thu, 26 Nov 2026 05:00:00 GMT"))) as server:
        ask(wire, server)
        assert wire.server_time == 1795667696.123
        ask(wire, server)
        assert wire.server_time == 1795669200


@given(name=st.sampled_from(["Retry-After", "Date"]), value=st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_header_is_an_exception(name, value):
    headers = {name: value, "Date" if name != "Date" else "Retry-After": "Thu, 26 Nov 2026 05:00:00 GMT"}
    told = (answers.number(headers, name), answers.date(headers, name), answers.clock(headers, name))
    assert all(each is None or each >= 0 for each in (*told, answers.retry_after(headers)))


# --- JSON -----------------------------------------------------------------------------------------------------

NONSENSE = {
    "text": '"done"',
    "number": "5",
    "null": "null",
    "true": "true",
    "deep": "[" * 5_000 + "]" * 5_000,
    "very-deep": '{"a":' * 200_000 + "1" + "}" * 200_000,
    "deep-but-parsable": "[" * 300 + "]" * 300,
    "long-number": "[" + "9" * 5_000 + "]",
    "not-utf-8": b'["\xff"]',
    "half-a-surrogate-in-bytes": b'["\xed\xa0\x80"]',
    "two-values": "{}{}",
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", NONSENSE)
def test_answer_that_makes_no_sense_is_none(wire, kind, method):
    """A read is tried again, and a write may have taken place."""
    with RawServer(sends(answer(NONSENSE[kind]))) as server:
        with pytest.raises(TransientServiceError, match=r"not JSON|makes no sense") as caught:
            ask(wire, server, method)
    assert type(caught.value) is (UnclearWriteError if method == "POST" else TransientServiceError)
    assert wire.calls == (1 if method == "POST" else ATTEMPTS)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", NONSENSE)
@pytest.mark.parametrize("service", [AIRTABLE, TRELLO], ids=lambda service: service.name)
def test_refusal_that_makes_no_sense_is_still_one(clock, service, kind, method):
    """The status says no, whatever the body says."""
    wire = Wire(service, Pace(1000, 1, penalty=10), (), clock=clock)
    with RawServer(sends(answer(NONSENSE[kind], "422 No"))) as server:
        with pytest.raises(ServiceRefusedError) as caught:
            ask(wire, server, method)
    assert caught.value.status == 422
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("charset", ["undefined", "idna", "zlib_codec", "no-such", "utf-16", "rot13", '"'])
def test_plain_text_in_an_odd_charset_is_passed_on(wire, charset):
    with RawServer(sends(answer("invalid value", "400 Bad", kind=f"text/plain; charset={charset}"))) as server:
        with pytest.raises(ServiceRefusedError, match="invalid value"):
            ask(wire, server)


TEXTS = {
    "claimed-latin-1": ("application/json; charset=iso-8859-1", json.dumps(["Zoë 🚀"], ensure_ascii=False).encode()),
    "claimed-ascii": ("application/json; charset=ascii", json.dumps(["Zoë 🚀"], ensure_ascii=False).encode()),
    "claimed-nothing": ("", json.dumps(["Zoë 🚀"], ensure_ascii=False).encode()),
    "claimed-nonsense": ("application/json; charset=undefined", json.dumps(["Zoë 🚀"], ensure_ascii=False).encode()),
    "byte-order-mark": ("application/json", b"\xef\xbb\xbf" + json.dumps(["Zoë 🚀"], ensure_ascii=False).encode()),
    "utf-16": ("application/json", json.dumps(["Zoë 🚀"], ensure_ascii=False).encode("utf-16")),
    "escaped": ("application/json", json.dumps(["Zoë 🚀"]).encode()),
}


@pytest.mark.parametrize("claim", TEXTS)
def test_text_is_read_as_it_is_and_not_as_claimed(wire, claim):
    """JSON says itself how it is written; a name read wrongly would be written back."""
    kind, body = TEXTS[claim]
    with RawServer(sends(answer(body, kind=kind))) as server:
        assert ask(wire, server).json() == ["Zoë 🚀"]
