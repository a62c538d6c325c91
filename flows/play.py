"""
Door: the playground. Airtable, Trello, the gateway and its page in one process: no account, no network, no traces.

Never here: a step, a view, a rule of the sync.
"""

from __future__ import annotations

if __name__ == "__main__":  # before anything is imported that may not be there
    from runs.missing import tell_what_is_missing

    tell_what_is_missing()

import contextlib
import os
import sys
import tempfile
import threading
import time
import webbrowser
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console

from leadsync.errors import ConfigurationError, Exit, LeadsyncError
from leadsync.gateway.server import Gateway, uvicorn_config
from leadsync.report.terminal import say
from leadsync.settings import Settings
from playground.routes import Playground
from playground.world import World
from runs.command import run_command

HOST = "127.0.0.1"


def path_of(link: str) -> str:
    """What of a link leads to a state, whatever machine and port it names. Raises: ConfigurationError."""
    parts = urlsplit(link)
    if not parts.query:
        raise ConfigurationError(f"{link!r} is no link of a playground; one ends like /play?seed=0&step=sync.")
    return f"/play?{parts.query}"


def open_browser(server: Gateway, address: str) -> None:
    """As soon as the page is served."""
    while not (server.started or server.should_exit):
        time.sleep(0.05)
    if server.started:
        webbrowser.open(address)


def play(
    link: Annotated[
        str, typer.Argument(help="Somebody's link, which leads to the same state.", show_default=False)
    ] = "",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where on this machine it is opened.")] = 8010,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """See the sync work: a table and a board side by side, until Ctrl-C."""
    for name in Settings.model_fields:  # the playground's pair is its own
        os.environ.pop(name.upper(), None)
    code = Exit.DONE
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(World(Path(folder))) as world:
        try:
            path = path_of(link) if link else "/play"
            playground = Playground(world, HOST)
            server = Gateway(uvicorn_config(playground.app(), HOST, port))
            address = f"http://{HOST}:{port}"
            print(f"The playground is at {address}{path} (Ctrl-C ends it)", flush=True)
            if not no_browser:
                threading.Thread(target=open_browser, args=(server, address + path), daemon=True).start()
            server.run_until_stopped()
            playground.trigger.close(5.0)
        except LeadsyncError as error:
            say(Console(stderr=True), error, "red")
            code = error.exit_code
    sys.stdout.flush()
    raise typer.Exit(code)


if __name__ == "__main__":
    run_command(play)
