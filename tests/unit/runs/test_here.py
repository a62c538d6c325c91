"""Prefect's configured server is asked for its health where its API is, with what Prefect would send it."""

import http.server
import socket
import threading
from contextlib import contextmanager

import pytest
from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_API_URL, temporary_settings

from leadsync.errors import LeadsyncError
from runs import recorder
from runs.here import connected


@contextmanager
def serving(paths):
    """A server that is well at these paths. Yields: its address, and the paths asked for."""
    asked = []

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200 if self.path in paths else 404)
            self.end_headers()
            self.wfile.write(b"true")

        def log_message(self, *_arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "socks4://127.0.0.1:9"])
def test_proxy_that_prefects_client_cannot_use_is_named(monkeypatch, proxy):
    """With what helps: the server itself may be well."""
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.delenv("NO_PROXY")
    with temporary_settings({PREFECT_API_URL: "https://prefect.example/api"}):
        with pytest.raises(LeadsyncError) as refused, connected():
            pass
    told = str(refused.value)
    assert "ALL_PROXY" in told
    assert "NO_PROXY" in told
    assert proxy.partition(":")[0] in told
    assert "nothing was written" in told


@pytest.mark.parametrize("path", ["/api", "/prefect/api", "/a/b/c", "/prefect/api/"])
def test_health_is_asked_where_the_api_is(path):
    health = f"{path.rstrip('/')}/health"
    with serving([health]) as (url, asked), temporary_settings({PREFECT_API_URL: url + path}):
        with connected():
            assert asked == [health]


def test_server_that_is_not_prefects_is_refused():
    with serving(["/health", "/api/health"]) as (url, _), temporary_settings({PREFECT_API_URL: f"{url}/prefect/api"}):
        with pytest.raises(LeadsyncError, match="does not answer; nothing was written"), connected():
            pass


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:9/api", "ftp://127.0.0.1/api", "[/red]", "http://:p@ss@127.0.0.1:9/api"],
)
def test_address_where_nobody_answers_is_a_sentence(address):
    """Whatever it looks like, and without what is a secret in it."""
    with temporary_settings({PREFECT_API_URL: address}):
        with pytest.raises(LeadsyncError, match="does not answer; nothing was written") as refused, connected():
            pass
    assert "p@ss" not in str(refused.value)


def test_server_that_never_answers_is_waited_for_once(monkeypatch):
    """Frozen: it takes the connection, and is silent."""
    monkeypatch.setitem(recorder.PATIENCE, PREFECT_API_REQUEST_TIMEOUT, 0.2)
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        address = f"http://127.0.0.1:{frozen.getsockname()[1]}/api"
        with temporary_settings({PREFECT_API_URL: address}):
            with pytest.raises(LeadsyncError, match="does not answer"), connected():
                pass
        frozen.accept()[0].close()
        frozen.setblocking(False)
        with pytest.raises(BlockingIOError):
            frozen.accept()
