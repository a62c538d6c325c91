"""Addresses in settings: which are refused, and that nothing secret in one is ever repeated."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from leadsync.errors import LeadsyncError, StateStoreError
from leadsync.loopback import is_loopback
from leadsync.setting_values import endpoint_url, public_url, state_url
from leadsync.state.store import StateStore

HUSH = "hush"
ENDPOINTS = {
    "user-and-password": "https://me:hush@api.airtable.com",
    "user": "https://hush@api.airtable.com",
    "password": "https://:hush@api.airtable.com",
    "empty-user": "https://@api.airtable.com/hush",
    "two-at": "https://me:pa@hush@api.airtable.com",
    "quoted": "https://me:hu%40hush@api.airtable.com",
    "another-scheme": "ftp://me:hush@api.airtable.com",
    "no-scheme": "me:hush@api.airtable.com",
    "broken": "http://me:hush@[::1",
    "no-port": "https://me:hush@api.airtable.com:port",
    "loopback": "http://me:hush@127.0.0.1:8080",
    "query": "https://api.airtable.com?key=hush",
    "fragment": "https://api.airtable.com#hush",
    "port-that-is-none": "https://api.airtable.com:hush",
}
CLEAR = (
    "http://api.airtable.com",
    "http://10.0.0.7:8080",
    "http://127.0.0.1.example.com",
    "HTTP://example.com/airtable",
)
HERE = ("http://127.0.0.1:8080", "http://localhost", "http://[::1]:8080/a", "http://127.9.9.9", "http://x.localhost:1")
FINE = ("https://api.airtable.com", "https://proxy.example.com:8443/airtable", *HERE)


@pytest.mark.parametrize("kind", ENDPOINTS)
def test_endpoint_with_more_than_a_place_is_refused_unseen(kind):
    """A user name, a password, a key: requests would drop or misuse it, and logs would show it."""
    with pytest.raises(ValueError, match="allowed is https://") as caught:
        endpoint_url(ENDPOINTS[kind])
    assert HUSH not in str(caught.value)


@pytest.mark.parametrize("address", CLEAR)
def test_plain_http_to_another_machine_is_refused(address):
    """Both services' credentials travel in a header."""
    with pytest.raises(ValueError, match="credentials"):
        endpoint_url(address)


@pytest.mark.parametrize("address", FINE)
def test_endpoint_is_taken_as_it_is(address):
    assert endpoint_url(f" {address}/ ") == address


@pytest.mark.parametrize("kind", ENDPOINTS)
def test_public_address_that_is_refused_is_not_repeated(kind):
    """It may hold what the endpoints may."""
    with pytest.raises(ValueError, match="allowed is https://") as caught:
        public_url(ENDPOINTS[kind])
    assert HUSH not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(
            (host, True)
            for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST", "localhost.", "a.localhost")
        ),
        *(
            (host, False)
            for host in ("127.evil.com", "localhost.evil.com", "notlocalhost", "10.0.0.1", "0.0.0.0", "", None)
        ),
        ("::ffff:8.8.8.8", False),
    ],
)
def test_loopback_is_this_machine_and_no_other(host, expected):
    assert is_loopback(host) is expected


STATES = {
    "at-in-the-password": "postgresql://me:pa@hush@db.example/leads",
    "at-and-port": "postgresql://me:pa@hush@db.example:5432/leads",
    "at-and-colon": "postgresql://me:p@x:hush@db.example/leads",
    "at-and-slash": "postgresql://me:p@x/hush@db.example/leads",
    "at-and-question-mark": "postgresql+psycopg://me:p@x?hush@db.example/leads",
    "password-in-the-options": "postgresql://db.example:5432/leads?user=me&password=pa@hush",
    "only-the-password": "postgresql://:p@hush@db.example",
    "three-at": "postgresql://me:@hush@hush@db.example/leads",
}


@pytest.mark.parametrize("kind", STATES)
def test_state_address_that_can_be_read_in_two_ways_is_refused_unseen(kind):
    """SQLAlchemy ends the password at the first @: the rest would be a host, and shown."""
    with pytest.raises(ValueError, match="%40") as caught:
        state_url(STATES[kind])
    assert HUSH not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:pa%40ss@db.example/leads",
        "postgresql://me:pa/ss:word@db.example:5432/leads",
        "postgresql://db.example/leads?application_name=a@b",
        "postgresql://me@db.example/leads",
        "postgresql://db.example/leads",
        "postgresql:///leads?host=/run/postgresql",
        "sqlite:////home/me@work/state.sqlite3",
    ],
)
def test_state_address_with_one_meaning_is_kept(address):
    assert state_url(address) == address
    assert sa.make_url(address)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:hush@127.0.0.1:port/leads",
        "postgresql://me:hush@127.0.0.1:9/leads",
        "postgresql://me:hush@127.0.0.1:99999/leads",
        "nonsense://me:hush@127.0.0.1/leads",
        "me:hush@127.0.0.1/leads",
        "postgresql://127.0.0.1:9/leads?password=hush",
    ],
)
def test_state_that_cannot_be_opened_does_not_tell_the_password(address):
    """Whatever library says why."""
    with pytest.raises(StateStoreError, match="SYNC_STATE_URL") as caught:
        StateStore(address)
    assert isinstance(caught.value, LeadsyncError)
    assert HUSH not in f"{caught.value!r} {caught.value}"
    assert caught.value.__suppress_context__
