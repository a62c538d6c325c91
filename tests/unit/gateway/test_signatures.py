"""Signatures over raw bytes, and the token of a request: what fits, and that anything else is just wrong."""

import base64

import pytest

from leadsync.gateway.signatures import is_from_airtable, is_from_trello, is_token
from support.gateway_world import MAC_SECRET


def test_known_signatures():
    """Worked out by hand with openssl: `openssl dgst -sha1 -hmac secret -binary | base64`, and -sha256 -hex."""
    assert is_from_trello("secret", b'{"a":1}', "https://x/y", "ADLhGTLgHCID7Ls/kcCNIqJUZ7w=")
    key = base64.b64encode(b"secret").decode()
    mac = "hmac-sha256=aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494"
    assert is_from_airtable(key, b'{"a":1}', mac)


@pytest.mark.parametrize("given", [None, "", "x", "ü", "\udcff", "ADLhGTLgHCID7Ls/kcCNIqJUZ7w", "A" * 100_000])
def test_wrong_signature_is_just_wrong(given):
    """Never an exception, whatever is in the header."""
    assert not is_from_trello("secret", b'{"a":1}', "https://x/y", given)
    assert not is_from_airtable(MAC_SECRET, b'{"a":1}', given)


@pytest.mark.parametrize("secret", ["", "not base64!", "===="])
def test_damaged_airtable_secret_fits_nothing(secret):
    assert not is_from_airtable(secret, b"{}", "hmac-sha256=")


@pytest.mark.parametrize(
    ("header", "fits"),
    [
        ("Bearer right", True),
        ("bearer right", True),
        ("Bearer  right ", True),
        ("Bearer wrong", False),
        ("Basic right", False),
        ("right", False),
        ("Bearer", False),
        ("", False),
        (None, False),
        ("Bearer r\xefght", False),
    ],
)
def test_bearer_token(header, fits):
    assert is_token("right", header) is fits
