"""
Door: get told. Automations on the Prefect server: a sync that failed, a pair that has fallen silent, something that
waits for a person.

They run on the server, so they also notice a process that died. Never here: the sync, or what it reports.
"""

from __future__ import annotations

if __name__ == "__main__":  # before anything is printed or opened
    from runs.missing import tell_what_is_missing

    tell_what_is_missing()
    from runs.streams import harden_streams

    harden_streams()

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

import typer
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.filters import EventFilter, EventNameFilter, EventRelatedFilter
from prefect.settings import get_current_settings
from rich.console import Console

from leadsync.errors import Exit, LeadsyncError
from leadsync.pipeline.lists import named_pair
from leadsync.report.terminal import say
from leadsync.settings import Settings
from runs.automations import TEST, install_alerts
from runs.command import run_command, spare_loopback
from runs.pair_block import saved_pairs, settings_of
from runs.signs import WATCHED, ask_for_an_echo, give_sign

ECHO_WITHIN = 30.0
"""Seconds in which a test has arrived."""
SENT = "prefect.automation.action.executed"


def watched_pairs() -> Iterator[tuple[str, Settings]]:
    """The pairs that can be known here, by name; "" for the one of the environment."""
    for pair in ("", *saved_pairs()):
        with suppress(LeadsyncError):
            yield pair, settings_of(pair)


def became_of(client: SyncPrefectClient, event_id: UUID) -> set[str]:
    """Names of the events in which the server says what it has done because of one of ours."""
    of_event = EventRelatedFilter(id=[f"prefect.event.{event_id}"])
    asked = EventFilter(event=EventNameFilter(prefix=["prefect.automation."]), related=of_event)
    return {event.event for event in client.read_events(asked, limit=10).events}


def try_alerts(console: Console) -> Exit:
    """Have the server send a notification now, and say what became of it."""
    with get_client(sync_client=True) as client:
        if not client.read_automations_by_name(TEST):
            say(console, "No alerts are installed on this Prefect server; give --url.", "red")
            return Exit.MISCONFIGURED
        sent, done = ask_for_an_echo(), set[str]()
        until = time.monotonic() + ECHO_WITHIN
        while sent and SENT not in done and time.monotonic() < until:
            time.sleep(0.5)
            done = became_of(client, sent)
    if SENT in done:
        say(console, "A test was sent to the webhook, which took it.", "green")
        return Exit.DONE
    if done:  # a refusal is told in the server's log alone
        say(console, "The server has sent the test, and the webhook did not take it. Is --url right?", "red")
    else:
        say(console, f"The server has not noticed the test for {ECHO_WITHIN:.0f} s; do its services run?", "red")
    return Exit.INCOMPLETE


def alerts(
    url: Annotated[str, typer.Option(help="Webhook that takes {'text': …}: Slack, Mattermost, Teams, your own.")] = "",
    silent_after: Annotated[float, typer.Option(min=0.01, help="Hours without a completed sync.")] = 3.0,
    test: Annotated[bool, typer.Option("--test", help="Have a test sent to the webhook, and wait for it.")] = False,
) -> None:
    """
    Get told when a sync fails, a pair falls silent, or something waits for a person: installs automations on the
    configured Prefect server. Run again to change them.
    """
    console = Console()
    if (url or not test) and urlsplit(url).scheme not in ("http", "https"):
        say(console, f"--url is {'not an address' if url else 'missing'}; it starts with http:// or https://.", "red")
        raise typer.Exit(Exit.MISCONFIGURED)
    if not get_current_settings().api.url:
        say(console, "PREFECT_API_URL is not set; automations need a Prefect server that keeps running.", "red")
        raise typer.Exit(Exit.MISCONFIGURED)
    code = Exit.DONE
    try:
        if url:
            for name in install_alerts(url, silent_after):
                say(console, f"installed: {name}")
            for pair, settings in watched_pairs():
                give_sign(WATCHED, named_pair(settings).key, pair)
        if test:
            code = try_alerts(console)
    except Exception as error:  # whatever Prefect's client throws: a sentence, without its text, which may hold the URL
        say(console, f"Could not be installed ({type(error).__name__}); does the Prefect server answer?", "red")
        raise typer.Exit(Exit.INCOMPLETE) from None
    raise typer.Exit(code)


if __name__ == "__main__":
    spare_loopback()
    run_command(alerts)
