"""
Door: the HTTP gateway. Starts syncs on request and by webhook; each is a Prefect flow run with its history.

Here: options in, the parts of leadsync.web wired together, uvicorn run and stopped. Never here: a rule of the sync,
a route, a signature.
"""

from __future__ import annotations

if __name__ == "__main__":  # before Prefect is imported and reads its settings
    from leadsync.local_run import prepare_local_run

    prepare_local_run()

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer
import uvicorn
from prefect.settings import get_current_settings
from rich.console import Console
from rich.markup import escape

from leadsync.deliveries import Inbox
from leadsync.errors import ConfigurationError, LeadsyncError
from leadsync.local_run import stop_server
from leadsync.pipeline import Options, open_clients
from leadsync.report import Report
from leadsync.settings import Settings, load_settings, public_url
from leadsync.signatures import client_identifier
from leadsync.store import StateStore
from leadsync.trigger import SyncRun, Trigger
from leadsync.web import Gate, build_app, is_loopback
from leadsync.webhooks import TRELLO_PATH, Webhooks, load_known
from local_flow import connected, run_flow
from pairs import settings_of
from remote_flow import has_deployment, look_up, run_remotely
from sync import sync_leads

log = logging.getLogger("leadsync")

FINISH_WITHIN = 25.0
"""Seconds that a run under way gets to end after SIGTERM; cut off, the next run finds out what took effect."""
HANG_UP_WITHIN = 3
"""Seconds that callers get to receive their answers."""
REFRESH_EVERY, REFRESH_AGAIN = 24 * 3600.0, 3600.0
"""Seconds; Airtable's webhook would end 7 days after the last refresh."""


class Via(StrEnum):
    """Where runs are made."""

    AUTO = "auto"
    HERE = "here"
    DEPLOYMENT = "deployment"


def parameters_of(options: Options, pair: str) -> dict[str, Any]:
    """The flow's parameters for a run of `pair` with these options."""
    return {
        "pair": pair,
        "dry_run": options.dry_run,
        "allow_mass_change": options.allow_mass_change,
        "read": options.read.value,
    } | ({"conflict": options.conflict.value} if options.conflict else {})


def run_here(pair: str) -> Callable[[SyncRun], dict[str, Any]]:
    """Returns: the function that makes one flow run in this process, and returns its report as JSON."""

    def start(run: SyncRun) -> dict[str, Any]:
        ended = run_flow(sync_leads, **parameters_of(run.options, pair))
        report = ended.outcome
        if not isinstance(report, Report):
            report = Report(dry_run=run.options.dry_run)
            report.fail(ended.outcome)
        told: dict[str, Any] = json.loads(report.as_json())
        return told | {"seen_at": ended.seen_at}

    return start


def run_by(deployment: str, pair: str, stopped: Callable[[], bool]) -> Callable[[SyncRun], dict[str, Any]]:
    """Returns: the function that has a worker make one flow run, and returns how it ended."""

    def start(run: SyncRun) -> dict[str, Any]:
        def tell_id(flow_run_id: str) -> None:
            run.flow_run_id = flow_run_id

        return run_remotely(deployment, parameters_of(run.options, pair), tell_id, stopped)

    return start


def settings_for(pair: str) -> Settings:
    """As pairs.settings_of; the block of a further pair is kept by Prefect's server."""
    if not pair:
        return load_settings()
    with connected():
        return settings_of(pair)


def choose_deployment(via: Via, deployment: str) -> str | None:
    """
    The deployment that makes the runs; None if this process does.

    Raises: ConfigurationError if a deployment was demanded and there is none.
    """
    configured = bool(os.environ.get("PREFECT_API_URL") or get_current_settings().api.url)
    if via is Via.HERE:
        return None
    found = False
    if configured:
        try:
            found = has_deployment(deployment)
        except Exception as error:  # whatever Prefect's client throws
            log.warning("Prefect's server could not be asked for %s (%s).", deployment, type(error).__name__)
    if via is Via.DEPLOYMENT and not found:
        raise ConfigurationError(
            f"There is no deployment {deployment}. Set PREFECT_API_URL, then `prefect --no-prompt deploy --all`."
        )
    return deployment if found else None


class Gateway(uvicorn.Server):
    """uvicorn, which leaves it to us how the process ends after SIGTERM."""

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
                print(line, flush=True)
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
    if settle < 0:
        raise ConfigurationError("--settle is a number of seconds, 0 or more.")
    if not is_loopback(host) and settings.sync_api_token is None:
        raise ConfigurationError(
            f"SYNC_API_TOKEN is not set, and others reach what listens on {host}. Set it, or listen on 127.0.0.1."
        )


def build_gate(
    settings: Settings, host: str, address: str | None, trigger: Trigger, store: StateStore, deployment: str | None
) -> Gate:
    """The parts of the gateway, put together."""

    def mac_secret() -> str | None:
        try:
            return load_known(store, settings).airtable_secret or None
        except LeadsyncError as error:
            log.warning("%s", error)
            return None

    def lock() -> dict[str, Any]:
        try:
            return dict(store.load_holders(settings.airtable_base_id))
        except LeadsyncError:
            return {}

    secret, token = settings.trello_api_secret, settings.sync_api_token
    inbox = Inbox(
        trello_secret=secret.get_secret_value() if secret else None,
        callback_url=address + TRELLO_PATH if address else None,
        identifier=client_identifier(settings.trello_api_token.get_secret_value()),
        mac_secret=mac_secret,
    )
    return Gate(
        trigger=trigger,
        inbox=inbox,
        host=host,
        token=token.get_secret_value() if token else None,
        public_url=address,
        by_deployment=deployment is not None,
        lock=lock,
        look_up=look_up if deployment else lambda _run_id: None,
    )


def listen(
    settings: Settings,
    host: str,
    port: int,
    *,
    settle: float,
    deployment: str | None,
    pair: str,
    address: str | None,
    register: bool,
) -> int:
    """Serve until told to stop. Returns: the exit code."""
    stopping = threading.Event()
    trigger = Trigger(run_by(deployment, pair, stopping.is_set) if deployment else run_here(pair), settle)
    store = StateStore(settings.sync_state_url.get_secret_value())
    gate = build_gate(settings, host, address, trigger, store, deployment)
    server = Gateway(
        uvicorn.Config(
            build_app(gate),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=HANG_UP_WITHIN,
        )
    )
    failed: list[LeadsyncError | None] = []
    tending = threading.Thread(
        target=lambda: failed.append(tend_webhooks(settings, address, server, register)), daemon=True
    )
    tending.start()
    where = f"deployment {deployment}" if deployment else "this process"
    print(f"leadsync gateway on http://{host}:{port}, runs made by {where}, settle time {settle:g} s", flush=True)
    if address and not settings.trello_api_secret:
        log.warning("TRELLO_API_SECRET is not set: deliveries of Trello are refused.")
    server.run_until_stopped()
    stopping.set()
    if not trigger.close(FINISH_WITHIN):
        log.warning("The run under way was cut off; what was written is recorded, and the next run goes on from there.")
        stop_server()
        os._exit(0)
    store.close()
    error = next((error for error in failed if error), None)
    if error is not None:
        Console(stderr=True).print(f"[red]{escape(str(error))}[/]")
        return error.exit_code
    return 0 if server.started else 1


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; with any but loopback SYNC_API_TOKEN is needed.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    settle: Annotated[float, typer.Option(help="Seconds of quiet after a delivery before a sync starts.")] = 2.0,
    register: Annotated[bool, typer.Option("--register", help="Make or repair both webhooks, and go on.")] = False,
    unregister: Annotated[bool, typer.Option("--unregister", help="Remove both webhooks, and leave.")] = False,
    public: Annotated[
        str | None, typer.Option("--public-url", help="Where the gateway is reached; instead of SYNC_PUBLIC_URL.")
    ] = None,
    via: Annotated[Via, typer.Option(help="Where runs are made: a worker's deployment, or this process.")] = Via.AUTO,
    deployment: Annotated[str, typer.Option(help="The deployment that makes them.")] = "sync-leads/on-demand",
    pair: Annotated[str, typer.Option(help="A pair saved as a block; without it the one in .env.")] = "",
) -> None:
    """Serve health, syncs on request and webhooks, until SIGTERM."""
    console = Console(stderr=True)
    try:
        settings = settings_for(pair)
        try:
            address = public_url(public) if public else settings.sync_public_url
        except ValueError as error:
            raise ConfigurationError(f"--public-url: {error}.") from None
        if unregister:
            for line in remove_webhooks(settings, address):
                print(line)
            return
        check_exposure(host, settings, settle)
        if register and address is None:
            raise ConfigurationError("--register needs SYNC_PUBLIC_URL or --public-url.")
        made_by = choose_deployment(via, deployment)
        code = listen(
            settings, host, port, settle=settle, deployment=made_by, pair=pair, address=address, register=register
        )
    except LeadsyncError as error:
        console.print(f"[red]{escape(str(error))}[/]")
        code = error.exit_code
    sys.stdout.flush()
    raise typer.Exit(code)


if __name__ == "__main__":
    typer.run(serve)
