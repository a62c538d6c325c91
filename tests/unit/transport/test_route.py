"""Whom a request really goes to, and with what: proxies, certificates, credentials, the token in a path."""

from __future__ import annotations

import logging
import socket
import struct
import sys

import pytest

from leadsync.airtable.client import Airtable
from leadsync.airtable.refusals import AIRTABLE
from leadsync.errors import ConfigurationError, ServiceRefusedError, TransientServiceError
from leadsync.transport.failures import ATTEMPTS
from leadsync.transport.lines import session
from leadsync.transport.pacing import Pace
from leadsync.transport.wire import Wire
from leadsync.trello.client import Trello
from leadsync.trello.setup import fetch_token
from leadsync.trello.webhooks import TrelloWebhooks
from support.harness import SkippedTime, World
from support.raw_server import RawServer, answer, make_certificate, sends

PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
LEADS, CARDS = '{"records": []}', "[]"
TOKEN = '{"id": "t", "dateExpires": null, "permissions": []}'


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """An environment without a proxy, a certificate, or a .netrc."""
    for name in (*PROXY_NAMES, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        for spelt in (name, name.lower()):
            monkeypatch.delenv(spelt, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


@pytest.fixture
def wire():
    made = Wire(AIRTABLE, Pace(1000, 1, penalty=1), (), clock=SkippedTime())
    yield made
    made.close()


def ask(wire, url, method="GET"):
    return session(wire, {"Authorization": "Bearer ours"}).request(method, url)


def clients(folder, airtable, trello):
    """Both clients as the product makes them, with their endpoints on two servers."""
    world = World(folder)
    world.close()
    return world.settings(AIRTABLE_ENDPOINT_URL=airtable, TRELLO_ENDPOINT_URL=trello), world.transport


# --- credentials -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ["default", "machine 127.0.0.1", "machine api.trello.com", "machine localhost"])
def test_netrc_never_replaces_our_credentials(bare, tmp_path, entry):
    """Whatever the file says of whichever host, each service gets its own token."""
    netrc = tmp_path / "a.netrc"
    netrc.write_text(f"{entry} login somebody password else\n")
    bare.setenv("NETRC", str(netrc))
    with RawServer(sends(answer(LEADS))) as airtable, RawServer(sends(answer(TOKEN))) as trello:
        settings, transport = clients(tmp_path, airtable.url, trello.url)
        Airtable(settings, transport).fetch_leads()
        fetch_token(Trello(settings, transport))
    assert airtable.requests[0].header("Authorization") == (f"Bearer {settings.airtable_api_token.get_secret_value()}")
    assert trello.requests[0].header("Authorization").startswith("OAuth oauth_consumer_key=")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_redirect_is_never_followed(bare, wire, status, method):
    """It would carry the credentials elsewhere; the sentence says what came."""
    with RawServer(sends(answer())) as elsewhere:
        with RawServer(sends(answer("", status, f"Location: {elsewhere.url}/stolen"))) as server:
            with pytest.raises(ServiceRefusedError, match="redirect"):
                ask(wire, server.url, method)
            assert len(server.requests) == 1
        assert elsewhere.requests == []


@pytest.mark.parametrize("call", ["token", "webhooks"])
def test_token_in_a_path_is_in_no_log(bare, tmp_path, call, caplog):
    """Not even where everything is logged, an unanswered try included."""
    caplog.set_level(logging.DEBUG)
    body = TOKEN if call == "token" else "[]"
    with RawServer(sends(answer("", "503 Busy"), answer(body))) as trello:
        settings, transport = clients(tmp_path, trello.url, trello.url)
        client = Trello(settings, transport)
        fetch_token(client) if call == "token" else TrelloWebhooks(client).fetch()
    secret = settings.trello_api_token.get_secret_value()
    assert secret in trello.requests[-1].path
    assert "/1/tokens/" in caplog.text
    assert secret not in caplog.text


def test_token_in_a_path_is_not_in_what_a_debugger_shows(bare, tmp_path):
    """A request that fails shows its address in locals and exceptions of three libraries."""
    seen = []

    def look(frame, event, _arg):
        if event == "exception":
            seen.extend(
                str(getattr(value, "url", value)) for value in frame.f_locals.values() if type(value) is not bytes
            )
        return look

    with RawServer(lambda connection, request: None) as trello:
        settings, transport = clients(tmp_path, trello.url, trello.url)
        client = Trello(settings, transport)
        sys.settrace(look)
        try:
            with pytest.raises(TransientServiceError):
                fetch_token(client)
        finally:
            sys.settrace(None)
    secret = settings.trello_api_token.get_secret_value()
    addresses = [text for text in seen if "/1/tokens/" in text]
    assert addresses
    assert not [text for text in addresses if secret in text]


# --- proxies ---------------------------------------------------------------------------------------------------


def test_proxy_is_chosen_for_the_address_really_asked(bare, tmp_path):
    """Trello's library asks for api.trello.com; the endpoint is what NO_PROXY is compared with."""
    bare.setenv("NO_PROXY", "127.0.0.1")
    with RawServer(sends(answer())) as proxy, RawServer(sends(answer(TOKEN))) as trello:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            bare.setenv(name, proxy.url)
        settings, transport = clients(tmp_path, trello.url, trello.url)
        fetch_token(Trello(settings, transport))
        assert proxy.requests == []
    assert len(trello.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_loopback_is_never_asked_through_a_proxy(bare, wire, host, name):
    """No proxy reaches this machine's loopback, and it would get the credentials."""
    with RawServer(sends(answer())) as proxy, RawServer(sends(answer('{"id": 1}'))) as server:
        bare.setenv(name, proxy.url)
        if host == "127.0.0.2":
            with pytest.raises(TransientServiceError, match=r"could not be reached at 127\.0\.0\.2"):
                ask(wire, f"http://{host}:9")
        else:
            assert ask(wire, f"http://{host}:{server.port}").json() == {"id": 1}
        assert proxy.requests == []


def test_proxy_of_the_environment_is_used_for_other_addresses(bare, wire):
    """With the whole address, as proxies want it."""
    with RawServer(sends(answer('{"id": "by proxy"}'))) as proxy:
        bare.setenv("HTTP_PROXY", proxy.url)
        assert ask(wire, "http://airtable.test/x").json() == {"id": "by proxy"}
    assert proxy.requests[0].path == "http://airtable.test/x"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("refusal", ["closed", "407"])
def test_proxy_that_lets_nothing_through_is_tried_again_and_named(bare, wire, method, refusal):
    """The request never left, so that a POST is as free as a GET; no word of the proxy's own password."""
    with RawServer(sends(answer("", "407 Proxy Authentication Required"))) as proxy:
        port = proxy.port if refusal == "407" else 9
        bare.setenv("HTTPS_PROXY", f"http://me:hush@127.0.0.1:{port}")
        with pytest.raises(TransientServiceError, match="proxy") as caught:
            ask(wire, "https://airtable.test/x", method)
    assert type(caught.value) is TransientServiceError
    assert wire.calls == ATTEMPTS
    assert "hush" not in str(caught.value)


# --- certificates ----------------------------------------------------------------------------------------------


def test_foreign_authority_names_the_variable(bare, wire, tmp_path):
    """A firewall that looks into TLS is the usual cause; what mends it is said, and then it works."""
    certificate = make_certificate(tmp_path)
    with RawServer(sends(answer('{"id": 1}')), certificate.server) as server:
        with pytest.raises(ConfigurationError, match="REQUESTS_CA_BUNDLE") as caught:
            ask(wire, server.url)
        assert wire.calls == 1
        assert "self-signed" in str(caught.value)
        bare.setenv("REQUESTS_CA_BUNDLE", str(certificate.authority))
        assert ask(wire, server.url).json() == {"id": 1}


def test_certificate_of_another_host_is_refused(bare, wire, tmp_path):
    """With the service's own reason."""
    certificate = make_certificate(tmp_path, "127.0.0.9")
    bare.setenv("REQUESTS_CA_BUNDLE", str(certificate.authority))
    with RawServer(sends(answer()), certificate.server) as server:
        with pytest.raises(ConfigurationError, match="127.0.0.1"):
            ask(wire, server.url)


@pytest.mark.parametrize("content", [None, "no certificate", "-----BEGIN CERTIFICATE-----\n!\n"])
def test_bundle_that_cannot_be_used_is_named(bare, wire, tmp_path, content):
    """Not there, or not what it should be: a matter of settings, and no traceback."""
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    bare.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with RawServer(sends(answer()), make_certificate(tmp_path).server) as server:
        with pytest.raises(ConfigurationError, match="REQUESTS_CA_BUNDLE"):
            ask(wire, server.url)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("cut", ["closed", "reset", "garbage"])
def test_broken_handshake_is_tried_again(bare, wire, tmp_path, method, cut):
    """Nothing has left yet, so that a POST is tried again as well."""
    certificate = make_certificate(tmp_path)
    bare.setenv("REQUESTS_CA_BUNDLE", str(certificate.authority))
    with RawServer(sends(answer('{"id": 1}')), certificate.server) as server:
        server._tls = Breaks(certificate.server, 2, cut)
        assert ask(wire, server.url, method).json() == {"id": 1}
        assert (server.connections, len(server.requests)) == (3, 1)


def test_handshake_that_always_breaks_is_out_of_reach(bare, wire, tmp_path):
    """A later run may do it; nothing is wrong with the settings."""
    certificate = make_certificate(tmp_path)
    with RawServer(sends(answer()), certificate.server) as server:
        server._tls = Breaks(certificate.server, 99, "closed")
        with pytest.raises(TransientServiceError, match="TLS") as caught:
            ask(wire, server.url)
    assert caught.value.exit_code == 1
    assert wire.calls == ATTEMPTS


class Breaks:
    """A context that cuts the first handshakes."""

    def __init__(self, context, times, cut):
        self.context, self.times, self.cut = context, times, cut

    def wrap_socket(self, connection, server_side):
        self.times -= 1
        if self.times < 0:
            return self.context.wrap_socket(connection, server_side=server_side)
        connection.recv(16)
        if self.cut == "garbage":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        if self.cut == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        raise OSError("cut")
