"""Clients for the emulator: plain requests, pyairtable and py-trello, all over real HTTP."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from pyairtable import Api, Table
from requests.adapters import HTTPAdapter
from trello import TrelloClient

from emulator import Emulator, ManualClock

Caller = Callable[..., requests.Response]


class RedirectingAdapter(HTTPAdapter):
    """Sends py-trello's hard-coded hosts to the emulator."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._target = urlsplit(url)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        request.url = urlunsplit((self._target.scheme, self._target.netloc, parts.path, parts.query, ""))
        return super().send(request, *args, **options)


@pytest.fixture
def make() -> Iterator[Callable[..., Emulator]]:
    """A factory of running emulators that stand on a manual clock."""
    started: list[Emulator] = []

    def factory(**options: Any) -> Emulator:
        emulator = Emulator(**({"clock": ManualClock()} | options)).start()
        started.append(emulator)
        return emulator

    yield factory
    for emulator in started:
        emulator.stop()
        assert not emulator.errors


@pytest.fixture
def emulator(make: Callable[..., Emulator]) -> Emulator:
    return make()


class Callback:
    """Somebody's webhook receiver. `status`: what it answers; `got`: (method, headers, body) of what arrived."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Receiver(BaseHTTPRequestHandler):
            def take(self) -> None:
                length = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append((self.command, headers, self.rfile.read(length)))
                self.send_response(receiver.status)
                self.send_header("content-length", "0")
                self.end_headers()

            do_HEAD = do_POST = take

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def posts(self) -> list[tuple[dict[str, str], bytes]]:
        """Deliveries, without probes."""
        return [(headers, body) for method, headers, body in self.got if method == "POST"]


@pytest.fixture
def callback() -> Iterator[Callback]:
    started = Callback()
    yield started
    started.server.shutdown()
    started.server.server_close()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.fixture
def airtable(session: requests.Session) -> Callable[..., Caller]:
    """`airtable(emulator)` gives `call(method, path, **options)`; a path without slash is below the base."""

    def bound(emulator: Emulator, token: str | None = None) -> Caller:
        def call(method: str, path: str, **options: Any) -> requests.Response:
            where = path if path.startswith("/") else f"/v0/{emulator.airtable.base_id}/{path}"
            headers = {"Authorization": f"Bearer {token or emulator.airtable.token}"} | options.pop("headers", {})
            return session.request(method, emulator.url + where, headers=headers, timeout=10, **options)

        return call

    return bound


@pytest.fixture
def trello(session: requests.Session) -> Callable[..., Caller]:
    """`trello(emulator)` gives `call(method, path, **options)` with header credentials; paths are below /1/."""

    def bound(emulator: Emulator, token: str | None = None, key: str | None = None) -> Caller:
        consumer, secret = key or emulator.trello.key, token or emulator.trello.token
        credentials = f'OAuth oauth_consumer_key="{consumer}", oauth_token="{secret}"'

        def call(method: str, path: str, **options: Any) -> requests.Response:
            headers = {"Authorization": credentials}
            return session.request(method, f"{emulator.url}/1/{path}", headers=headers, timeout=10, **options)

        return call

    return bound


@pytest.fixture
def table_of() -> Callable[..., Table]:
    """`table_of(emulator)` gives pyairtable's table of leads; no retries unless asked for."""

    def bound(emulator: Emulator, retry: Any = None) -> Table:
        api = Api(emulator.airtable.token, endpoint_url=emulator.url, retry_strategy=retry, timeout=(5, 5))
        return api.table(emulator.airtable.base_id, "Leads")

    return bound


@pytest.fixture
def client_of() -> Callable[..., TrelloClient]:
    """`client_of(emulator)` gives py-trello's client."""

    def bound(emulator: Emulator, **options: Any) -> TrelloClient:
        opened = requests.Session()
        for host in ("https://api.trello.com", "https://trello.com"):
            opened.mount(host, RedirectingAdapter(emulator.url))
        settings = {"api_key": emulator.trello.key, "api_secret": emulator.trello.token} | options
        return TrelloClient(http_service=opened, **settings)

    return bound
