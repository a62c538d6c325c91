"""
Door: the HTTP gateway. Starts syncs on request and by webhook; each is a Prefect flow run with its history.

Here: options in, who makes the runs, the gateway started and stopped. Never here: a rule of the sync, a route, a
signature.
"""

from __future__ import annotations

if __name__ == "__main__":  # before Prefect is imported and reads its settings
    from runs.missing import tell_what_is_missing

    tell_what_is_missing()
    from runs.command import prepare_local_run

    prepare_local_run()

import logging
import os
import sys
import threading
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer
from prefect.settings import get_current_settings
from rich.console import Console

from asked import run_by, run_here
from leadsync.environment import load_settings
from leadsync.errors import ConfigurationError, Exit, LeadsyncError
from leadsync.gateway.line import SyncRun
from leadsync.gateway.server import Gateway, build_gate, check_exposure, remove_webhooks, tend_webhooks
from leadsync.gateway.trigger import Trigger
from leadsync.report.terminal import say
from leadsync.setting_addresses import public_url
from leadsync.settings import Settings
from leadsync.state.store import StateStore
from leadsync.texts import printable
from runs.command import run_command
from runs.deployed import has_deployment, look_up
from runs.here import connected
from runs.pair_block import settings_of
from runs.temporary_server import stop_server

log = logging.getLogger("leadsync")
FINISH_WITHIN = 25.0
"""Seconds that a run under way gets to end after SIGTERM; cut off, the next run finds out what took effect."""


class Via(StrEnum):
    """Where runs are made."""

    AUTO = "auto"
    HERE = "here"
    DEPLOYMENT = "deployment"


def tell(run: SyncRun) -> None:
    """Print a line: that a run begins, and why, or how it ended."""
    said = run.report["message"] if run.report else f"begins, {'asked for' if run.asked else 'something changed'}"
    print(printable(f"{datetime.now():%Y-%m-%d %H:%M:%S}  run {run.shown_id}: {said}"), flush=True)


def settings_for(pair: str) -> Settings:
    """As pair_block.settings_of; the block of a further pair is kept by Prefect's server."""
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


def prefect_pages() -> str:
    """Where Prefect's own pages are, "" if no server of its own keeps the runs."""
    found = get_current_settings()
    return (found.ui_url or "").rstrip("/") if found.api.url else ""


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
) -> Exit:
    """Serve until told to stop. Returns: the exit code."""
    stopping = threading.Event()
    trigger = Trigger(run_by(deployment, pair, stopping.is_set) if deployment else run_here(pair), settle, tell)
    store = StateStore(settings.sync_state_url.get_secret_value())
    gate = build_gate(settings, host, address, trigger, store, look_up if deployment else None, prefect_pages())
    server = Gateway.of(gate, host, port)
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
        os._exit(Exit.DONE)
    store.close()
    error = next((error for error in failed if error), None)
    if error is not None:
        say(Console(stderr=True), error, "red")
        return error.exit_code
    return Exit.DONE if server.started else Exit.INCOMPLETE


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; with any but loopback SYNC_API_TOKEN is needed.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    settle: Annotated[float, typer.Option(help="Seconds of quiet after a delivery before a sync starts.")] = 2.0,
    register: Annotated[bool, typer.Option("--register", help="Make or repair both webhooks, and go on.")] = False,
    unregister: Annotated[bool, typer.Option("--unregister", help="Remove both webhooks, and leave.")] = False,
    public: Annotated[
        str | None, typer.Option("--public-url", help="Where the gateway is reached; instead of SYNC_PUBLIC_URL.")
    ] = None,
    via: Annotated[Via, typer.Option(help="Where runs are made: a worker's deployment, or this process.")] = Via.AUTO,
    deployment: Annotated[str, typer.Option(help="The deployment that makes them.")] = "sync-leads/on-demand",
    pair: Annotated[str, typer.Option(help="A pair saved with flows/pairs.py; without it, the one in .env.")] = "",
) -> None:
    """Serve the page, health, syncs on request and webhooks, until Ctrl-C or SIGTERM."""
    console = Console(stderr=True)
    try:
        settings = settings_for(pair)
        try:
            address = public_url(public) if public else settings.sync_public_url
        except ValueError as error:
            raise ConfigurationError(f"--public-url: {error}.") from None
        if unregister:
            for line in remove_webhooks(settings, address):
                say(Console(), line)
            return
        check_exposure(host, settings, settle)
        if register and address is None:
            raise ConfigurationError("--register needs SYNC_PUBLIC_URL or --public-url.")
        made_by = choose_deployment(via, deployment)
        code = listen(
            settings, host, port, settle=settle, deployment=made_by, pair=pair, address=address, register=register
        )
    except LeadsyncError as error:
        say(console, error, "red")
        code = error.exit_code
    sys.stdout.flush()
    raise typer.Exit(code)


if __name__ == "__main__":
    run_command(serve)
