"""
The gateway as a server: its parts put together, uvicorn run until it is told to stop, the webhooks tended.

Never here: a route, a signature, Prefect.
"""

from __future__ import annotations

import logging
import math
import signal
import time
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI

from leadsync.errors import ConfigurationError, LeadsyncError
from leadsync.gateway.access import Gate
from leadsync.gateway.app import build_app
from leadsync.gateway.connections import ACCEPTED_AT_ONCE, Connection
from leadsync.gateway.inbox import Inbox
from leadsync.gateway.trigger import Trigger
from leadsync.gateway.webhooks import TRELLO_PATH, Webhooks
from leadsync.loopback import is_loopback
from leadsync.page.desk import Desk
from leadsync.page.views import Views
from leadsync.pipeline.clients import open_clients
from leadsync.pipeline.vital_signs import signs_of
from leadsync.settings import Settings
from leadsync.state.store import StateStore
from leadsync.state.webhooks import load_known
from leadsync.texts import printable
from leadsync.trello.client import client_identifier

log = logging.getLogger(__name__)

HANG_UP_WITHIN = 3
"""Seconds that callers get to receive their answers."""
REFRESH_EVERY, REFRESH_AGAIN = 24 * 3600.0, 3600.0
"""Seconds; Airtable's webhook would end 7 days after the last refresh."""


def uvicorn_config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    """How uvicorn serves the gateway: callers bounded in time and number, and nothing they send becomes a log line."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Connection,
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=ACCEPTED_AT_ONCE,
        timeout_graceful_shutdown=HANG_UP_WITHIN,
    )


class Gateway(uvicorn.Server):
    """uvicorn, which leaves it to us how the process ends after SIGTERM."""

    @classmethod
    def of(cls, gate: Gate, host: str, port: int) -> Gateway:
        """The gateway on this address."""
        return cls(uvicorn_config(build_app(gate), host, port))

    def run_until_stopped(self) -> None:
        """Serve in the main thread until SIGTERM or SIGINT."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)  # uvicorn raises it once more after it has stopped
        try:
            self.run()
        except SystemExit:  # what uvicorn says when it cannot listen; it has logged why
            raise ConfigurationError(
                f"Port {self.config.port} on {self.config.host} is not to be had; choose another with --port."
            ) from None


def tend_webhooks(settings: Settings, address: str | None, server: Gateway, register: bool) -> LeadsyncError | None:
    """
    Register once the gateway answers (Trello asks at once), then refresh Airtable's webhook every day.

    Returns: why registering failed; the server is then told to stop.
    """
    while not server.started:
        time.sleep(0.05)
    wait = 0.0
    while not server.should_exit:
        try:
            with open_clients(settings) as clients:
                webhooks = Webhooks(settings, clients.airtable, clients.trello, clients.store, address)
                said = webhooks.register() if register else webhooks.refresh()
            for line in said if register else ():
                print(printable(line), flush=True)
            register, wait = False, REFRESH_EVERY
        except LeadsyncError as error:
            if register:
                server.should_exit = True
                return error
            log.warning("Airtable's webhook was not refreshed: %s", error)
            wait = REFRESH_AGAIN
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline and not server.should_exit:
            time.sleep(1.0)
    return None


def remove_webhooks(settings: Settings, address: str | None) -> list[str]:
    """Remove both. Returns: what was removed."""
    with open_clients(settings) as clients:
        return Webhooks(settings, clients.airtable, clients.trello, clients.store, address).unregister()


def check_exposure(host: str, settings: Settings, settle: float) -> None:
    """Raises: ConfigurationError if others could start a sync without a token."""
    if not 0 <= settle < math.inf:
        raise ConfigurationError("--settle is a number of seconds, 0 or more.")
    if not is_loopback(host) and settings.sync_api_token is None:
        raise ConfigurationError(
            f"SYNC_API_TOKEN is not set, and others reach what listens on {host}. Set it, or listen on 127.0.0.1."
        )


def build_gate(
    settings: Settings,
    host: str,
    address: str | None,
    trigger: Trigger,
    store: StateStore,
    look_up: Callable[[str], dict[str, Any] | None] | None,
    prefect: str = "",
) -> Gate:
    """
    The parts of the gateway, put together.

    `look_up`: as Gate has it, if a deployment makes the runs; else None. `prefect`: as Desk has it.
    """

    def mac_secret() -> str | None:
        try:
            return load_known(store, settings).airtable_secret or None
        except LeadsyncError as error:
            log.warning("%s", error)
            raise

    def lock() -> dict[str, Any]:
        return dict(store.holders.load_all(settings.airtable_base_id))

    secret, token = settings.trello_api_secret, settings.sync_api_token
    inbox = Inbox(
        trello_secret=secret.get_secret_value() if secret else None,
        callback_url=address + TRELLO_PATH if address else None,
        identifier=client_identifier(settings.trello_api_token.get_secret_value()),
        mac_secret=mac_secret,
        base_id=settings.airtable_base_id,
        board=settings.trello_board_id,
        properties=settings.mapping.properties,
    )
    return Gate(
        trigger=trigger,
        inbox=inbox,
        host=host,
        token=token.get_secret_value() if token else None,
        public_url=address,
        by_deployment=look_up is not None,
        lock=lock,
        signs=lambda: signs_of(settings, store),
        look_up=look_up or (lambda _run_id: None),
        views=Views(Desk(settings, store, prefect)),
    )
