"""A gateway served over real HTTP in this process, with and without the two services behind it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import uvicorn

from leadsync.gateway.access import Gate
from leadsync.gateway.app import build_app
from leadsync.gateway.inbox import Inbox
from leadsync.gateway.line import SyncRun
from leadsync.gateway.server import uvicorn_config
from leadsync.gateway.trigger import Trigger
from leadsync.gateway.webhooks import AIRTABLE_PATH, TRELLO_PATH, Webhooks
from leadsync.pipeline.clients import open_clients
from leadsync.pipeline.run import run_sync
from leadsync.state.store import StateStore
from leadsync.state.webhooks import load_known
from leadsync.trello.client import client_identifier
from support.gateway_process import TOKEN, free_port
from support.harness import World
from support.told import Told

TRELLO_SECRET = "the-power-up-secret"
MAC_SECRET = base64.b64encode(bytes(range(128))).decode()
IDENTIFIER = client_identifier("ATTAtoken")
BASE, BOARD = "appAAAAAAAAAAAAAA", "0123456789abcdef01234567"
SETTLE = 0.05


class QuickServer(uvicorn.Server):
    """Stops at once; uvicorn's own shutdown waits, which adds up over many tests."""

    async def main_loop(self) -> None:
        while not self.should_exit:
            await asyncio.sleep(0.005)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for task in list(self.server_state.tasks):
            task.cancel()
        await asyncio.sleep(0)


@contextlib.contextmanager
def serving(gate: Gate, port: int, app: Any = None) -> Iterator[str]:
    """The application in a thread, the gateway's if no other is given. Yields: its address."""
    server = QuickServer(uvicorn_config(app or build_app(gate), "127.0.0.1", port))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
    gate.trigger.close(10)


def trello_delivery(url: str, action_id: str = "a1", secret: str = TRELLO_SECRET, **more: Any) -> dict[str, Any]:
    """Keywords of a request that delivers a signed action to `url`."""
    action = {"id": action_id, "type": "updateCard", "data": {"old": {"idList": "x"}}} | more.pop("action", {})
    body = json.dumps({"action": action, "model": more.pop("model", {"id": BOARD})}).encode()
    mac = hmac.new(secret.encode(), body + (url + TRELLO_PATH).encode(), hashlib.sha1).digest()
    headers = {"X-Trello-Webhook": base64.b64encode(mac).decode(), "Content-Type": "application/json"}
    return {"url": url + TRELLO_PATH, "data": body, "headers": headers | more.pop("headers", {})}


def airtable_delivery(
    url: str,
    timestamp: str = "t1",
    secret: str = MAC_SECRET,
    base: Any = {"id": BASE},  # noqa: B006  is not changed
) -> dict[str, Any]:
    """Keywords of a request that delivers a signed ping to `url`."""
    body = json.dumps({"base": base, "webhook": {"id": "ach"}, "timestamp": timestamp}).encode()
    mac = hmac.new(base64.b64decode(secret), body, hashlib.sha256).hexdigest()
    headers = {"X-Airtable-Content-MAC": f"hmac-sha256={mac}", "Content-Type": "application/json"}
    return {"url": url + AIRTABLE_PATH, "data": body, "headers": headers}


@dataclass
class Served:
    """
    A gateway whose runs do nothing.

    `runs`: those that were started. `hold` keeps one under way until it is set. `named`: the id that Prefect gives.
    """

    url: str
    gate: Gate
    runs: list[SyncRun] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    named: str | None = None
    outcome: dict[str, Any] = field(default_factory=lambda: {"exit_code": 0, "message": "done"})

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, self.url + path, timeout=60, **options)

    def settled(self) -> int:
        """Wait until nothing is under way or waiting. Returns: how many runs were started so far."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            running, waiting, _ = self.gate.trigger.queue()
            if running is None and not waiting:
                return len(self.runs)
            time.sleep(0.005)
        raise AssertionError("not settled")


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """`serve(**gate)` gives a gateway on loopback that knows both secrets; keywords as for the Gate."""
    with contextlib.ExitStack() as stack:

        def start(
            settle: float = SETTLE, mac_secret: Callable[[], str | None] = lambda: MAC_SECRET, **more: Any
        ) -> Served:
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            inbox = Inbox(TRELLO_SECRET, url + TRELLO_PATH, IDENTIFIER, mac_secret, base_id=BASE, board=BOARD)

            def run(asked: SyncRun) -> dict[str, Any]:
                asked.flow_run_id = served.named
                served.runs.append(asked)
                served.hold.wait(60)
                return dict(served.outcome)

            gate = Gate(**({"trigger": Trigger(run, settle), "inbox": inbox, "host": "127.0.0.1"} | more))
            served = Served(url, gate)
            served.hold.set()
            stack.enter_context(serving(gate, port))
            return served

        yield start


@pytest.fixture
def served(serve) -> Served:
    return serve()


@pytest.fixture
def guarded(serve) -> Served:
    """A gateway that wants a token."""
    return serve(token=TOKEN)


class Instant:
    """
    Both services, and a gateway whose webhooks are registered with them; runs are real ones, without Prefect.

    `reports`: of the runs so far.
    """

    def __init__(self, world: World, settle: float = SETTLE) -> None:
        self.world, self.emulator = world, world.emulator
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = world.settings(SYNC_PUBLIC_URL=self.url)
        self.store = StateStore(self.settings.sync_state_url.get_secret_value())
        self.reports: list[Any] = []
        secret = self.settings.trello_api_secret
        inbox = Inbox(
            secret.get_secret_value() if secret else None,
            self.url + TRELLO_PATH,
            client_identifier(self.settings.trello_api_token.get_secret_value()),
            lambda: load_known(self.store, self.settings).airtable_secret or None,
            base_id=self.settings.airtable_base_id,
            board=self.settings.trello_board_id,
        )
        self.gate = Gate(trigger=Trigger(self._run, settle), inbox=inbox, host="127.0.0.1")

    def _run(self, run: SyncRun) -> dict[str, Any]:
        report = run_sync(self.settings, run.options, transport=self.world.transport)
        self.reports.append(Told(report))
        told: dict[str, Any] = json.loads(report.as_json())
        return told

    def webhooks(self, do: Callable[[Webhooks], list[str]], **changes: str | None) -> list[str]:
        """Register, refresh or unregister as the door does."""
        settings = self.world.settings(**({"SYNC_PUBLIC_URL": self.url} | changes))
        with open_clients(settings) as clients:
            return do(Webhooks(settings, clients.airtable, clients.trello, clients.store, settings.sync_public_url))

    def settled(self) -> int:
        """Wait until deliveries and runs have come to rest. Returns: how many runs there were so far."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self.emulator.settle()
            delivered = len(self.emulator.deliveries)
            # what a run wrote last may be on its way only now
            still = self._is_idle() and self.emulator.settle() and len(self.emulator.deliveries) == delivered
            if still and self._is_idle():
                return len(self.reports)
            time.sleep(0.005)
        raise AssertionError("not at rest")

    def _is_idle(self) -> bool:
        return self.gate.trigger.queue()[:2] == (None, 0)


@pytest.fixture
def instant(tmp_path) -> Iterator[Instant]:
    """An instant sync of three leads, linked and at rest."""
    world = World(tmp_path)
    for name in ("Ada", "Bo", "Cy"):
        world.lead(name)
    made = Instant(world)
    with serving(made.gate, made.port):
        made.webhooks(Webhooks.register)
        made.gate.trigger.hint()
        made.settled()
        made.reports.clear()
        yield made
    made.store.close()
    world.close()
