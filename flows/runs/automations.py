"""
Below the doors: the automations that tell somebody of failed and of missing syncs, and of what waits for a person.

They run on Prefect's server. Never here: the signs that they listen for (see signs.py), who asks for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

from prefect.automations import Automation
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.events import EventTrigger, Posture, ResourceSpecification
from prefect.events.actions import SendNotification

from runs.signs import SYNCED, TESTED, WAITING, WATCHED

BLOCK = "leadsync-alerts"
FLOWS = ("sync-leads", "sync-fleet")
FAILED = "leadsync: a sync failed or was refused"
SILENT = "leadsync: no sync has completed for a while"
PAIR_SILENT = "leadsync: a pair has not been synced for a while"
WAITS = "leadsync: something waits for a person"
TEST = "leadsync: a test of the alerts"
ONCE_A_DAY = timedelta(days=1)


def failed_trigger(flow_ids: Iterable[object]) -> EventTrigger:
    """
    A run of one of the flows ended in a state of type Failed or Crashed.

    Matched by type: Prefect names the event after the state's name, and ours are speaking ones.
    """
    return EventTrigger(
        posture=Posture.Reactive,
        expect={"prefect.flow-run.*"},
        match=ResourceSpecification(
            {"prefect.resource.id": "prefect.flow-run.*", "prefect.state-type": ["FAILED", "CRASHED"]}
        ),
        match_related=ResourceSpecification(
            {"prefect.resource.id": [f"prefect.flow.{each}" for each in flow_ids], "prefect.resource.role": "flow"}
        ),
        for_each={"prefect.resource.id"},
        threshold=1,
        within=timedelta(0),
    )


def silent_trigger(hours: float) -> EventTrigger:
    """No pair at all was synced within `hours`, nor has ever been: the worst failure is the silent one."""
    return EventTrigger(posture=Posture.Proactive, expect={SYNCED}, threshold=1, within=timedelta(hours=hours))


def pair_silent_trigger(hours: float) -> EventTrigger:
    """
    No sync of a pair within `hours` of the last, or of the moment from which it is watched; once for each silence.

    The event that it waits for also begins the next wait. Without that Prefect drops what it knows of a value of
    for_each as soon as it was heard of.
    """
    return EventTrigger(
        posture=Posture.Proactive,
        after={SYNCED, WATCHED},
        expect={SYNCED},
        for_each={"prefect.resource.id"},
        threshold=1,
        within=timedelta(hours=hours),
    )


def waits_trigger() -> EventTrigger:
    """A sync has found something that waits for longer than a day; once a day for each pair."""
    return EventTrigger(
        posture=Posture.Reactive,
        expect={WAITING},
        for_each={"prefect.resource.id"},
        threshold=1,
        within=ONCE_A_DAY,
    )


def tested_trigger() -> EventTrigger:
    """Somebody asks whether notifications arrive."""
    return EventTrigger(posture=Posture.Reactive, expect={TESTED}, threshold=1, within=timedelta(0))


@dataclass(frozen=True)
class Alert:
    """One automation: when it is told, under which subject, and what."""

    trigger: EventTrigger
    subject: str
    body: str


def alerts_of(flow_ids: Iterable[object], silent_after_hours: float) -> dict[str, Alert]:
    """All of them, by name."""
    after = f"for {silent_after_hours:g} hours. Is the worker running?"
    run = "{{ flow_run.name }}: {{ flow_run.state.name }}. {{ flow_run.state.message }}\n{{ flow_run|ui_url }}"
    name = "{{ event.resource['prefect.resource.name'] }}"
    return {
        FAILED: Alert(failed_trigger(flow_ids), "leadsync: {{ flow_run.state.name }}", run),
        SILENT: Alert(silent_trigger(silent_after_hours), "leadsync is silent", f"No sync has completed {after}"),
        PAIR_SILENT: Alert(
            pair_silent_trigger(silent_after_hours),
            f"leadsync: {name} is silent",
            f"No sync of {name} has completed {after}",
        ),
        WAITS: Alert(waits_trigger(), f"leadsync: {name} waits for a person", "{{ event.payload.what }}"),
        TEST: Alert(tested_trigger(), "leadsync: a test", "Alerts of this Prefect server arrive here."),
    }


def _kind() -> str:
    """What this program installs, as a digest that an automation carries: another program's may be another."""
    told = {
        name: [alert.trigger.model_dump(exclude={"id"}, exclude_unset=True), alert.subject, alert.body]
        for name, alert in _ANY.items()
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=_plain).encode()).hexdigest()[:8]


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


_ANY: Final = alerts_of([], 1.0)
INSTALLED_BY: Final = f"Installed by flows/alerts.py (kind {_kind()})."


def install_alerts(url: str, silent_after_hours: float) -> list[str]:
    """Create the automations, or put them in place of those of the same name. Returns: their names."""
    block = CustomWebhookNotificationBlock.model_validate(
        {"name": BLOCK, "url": "{{address}}", "json_data": {"text": "{{subject}}\n{{body}}"}}
        | {"secrets": {"address": url}}  # an address like Slack's is a credential
    )
    block_id = cast(UUID, block.save(BLOCK, overwrite=True))
    with get_client(sync_client=True) as client:
        flow_ids = [client.create_flow_from_name(flow) for flow in FLOWS]
        alerts = alerts_of(flow_ids, silent_after_hours)
        for name in alerts:
            for old in client.read_automations_by_name(name):
                client.delete_automation(old.id)
    for name, alert in alerts.items():
        send = SendNotification(block_document_id=block_id, subject=alert.subject, body=alert.body)
        Automation(name=name, description=INSTALLED_BY, trigger=alert.trigger, actions=[send]).create()
    return list(alerts)


def installed_are_older() -> bool | None:
    """
    Whether the automations on Prefect's server are others than this program would install; None if there are none.

    Raises: whatever Prefect's client throws.
    """
    with get_client(sync_client=True) as client:
        found = [each for name in _ANY for each in client.read_automations_by_name(name)]
    return any(each.description != INSTALLED_BY for each in found) or len(found) < len(_ANY) if found else None
