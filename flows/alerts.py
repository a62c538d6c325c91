"""
Door: get told. Two automations on the Prefect server: a sync that failed, and no sync that completed for a while.

They run on the server, so they also notice a process that died. Never here: the sync, or what it reports.
"""

from __future__ import annotations

if __name__ == "__main__":  # before anything is printed or opened
    from runs.streams import harden_streams

    harden_streams()

from datetime import timedelta
from typing import Annotated, cast
from urllib.parse import urlsplit
from uuid import UUID

import typer
from prefect.automations import Automation
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.events import EventTrigger, Posture, ResourceSpecification
from prefect.events.actions import SendNotification
from prefect.settings import get_current_settings
from rich.console import Console

from leadsync.errors import Exit
from leadsync.report.terminal import say
from runs.command import run_command, spare_loopback

BLOCK = "leadsync-alerts"
FLOW = "sync-leads"
FAILED = "leadsync: a sync failed or was refused"
SILENT = "leadsync: no sync has completed for a while"


def failed_trigger(flow_id: str) -> EventTrigger:
    """
    A run of the flow ended in a state of type Failed or Crashed.

    Matched by type: Prefect names the event after the state's name, and ours are speaking ones.
    """
    return EventTrigger(
        posture=Posture.Reactive,
        expect={"prefect.flow-run.*"},
        match=ResourceSpecification(
            {"prefect.resource.id": "prefect.flow-run.*", "prefect.state-type": ["FAILED", "CRASHED"]}
        ),
        match_related=_of_flow(flow_id),
        for_each={"prefect.resource.id"},
        threshold=1,
        within=timedelta(0),
    )


def silent_trigger(flow_id: str, hours: float) -> EventTrigger:
    """No run of the flow ended in a state of type Completed within `hours`: the worst failure is the silent one."""
    return EventTrigger(
        posture=Posture.Proactive,
        expect={"prefect.flow-run.*"},
        match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*", "prefect.state-type": "COMPLETED"}),
        match_related=_of_flow(flow_id),
        threshold=1,
        within=timedelta(hours=hours),
    )


def _of_flow(flow_id: str) -> ResourceSpecification:
    return ResourceSpecification({"prefect.resource.id": f"prefect.flow.{flow_id}", "prefect.resource.role": "flow"})


def install_alerts(url: str, silent_after_hours: float) -> list[str]:
    """Create both automations, or put them in place of those of the same name. Returns: their names."""
    block = CustomWebhookNotificationBlock.model_validate(
        {"name": BLOCK, "url": "{{address}}", "json_data": {"text": "{{subject}}\n{{body}}"}}
        | {"secrets": {"address": url}}  # an address like Slack's is a credential
    )
    block_id = cast(UUID, block.save(BLOCK, overwrite=True))
    with get_client(sync_client=True) as client:
        flow_id = str(client.create_flow_from_name(FLOW))
        for name in (FAILED, SILENT):
            for old in client.read_automations_by_name(name):
                client.delete_automation(old.id)
    body = "{{ flow_run.name }}: {{ flow_run.state.name }}. {{ flow_run.state.message }}\n{{ flow_run|ui_url }}"
    failed = SendNotification(block_document_id=block_id, subject="leadsync: {{ flow_run.state.name }}", body=body)
    silence = f"No sync has completed for {silent_after_hours:g} hours. Is the worker running?"
    silent = SendNotification(block_document_id=block_id, subject="leadsync is silent", body=silence)
    Automation(name=FAILED, trigger=failed_trigger(flow_id), actions=[failed]).create()
    Automation(name=SILENT, trigger=silent_trigger(flow_id, silent_after_hours), actions=[silent]).create()
    return [FAILED, SILENT]


def alerts(
    url: Annotated[str, typer.Option(help="Webhook that takes {'text': …}: Slack, Mattermost, Teams, your own.")],
    silent_after: Annotated[float, typer.Option(min=0.01, help="Hours without a completed sync.")] = 3.0,
) -> None:
    """Install the two automations on the configured Prefect server; run again to change them."""
    console = Console()
    if urlsplit(url).scheme not in ("http", "https"):
        say(console, "--url is not an address; it starts with http:// or https://.", "red")
        raise typer.Exit(Exit.MISCONFIGURED)
    if not get_current_settings().api.url:
        say(console, "PREFECT_API_URL is not set; automations need a Prefect server that keeps running.", "red")
        raise typer.Exit(Exit.MISCONFIGURED)
    try:
        for name in install_alerts(url, silent_after):
            say(console, f"installed: {name}")
    except Exception as error:  # whatever Prefect's client throws: a sentence, without its text, which may hold the URL
        say(console, f"Could not be installed ({type(error).__name__}); does the Prefect server answer?", "red")
        raise typer.Exit(Exit.INCOMPLETE) from None


if __name__ == "__main__":
    spare_loopback()
    run_command(alerts)
