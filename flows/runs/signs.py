"""
Signs that runs give to Prefect's server beside their record, an event a sign, so that automations can listen for them.

A sign is about one pair, so that a silent one is noticed beside a lively one. Never here: who listens (see alerts.py).
Nothing in here may fail a run that has written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from uuid import UUID

from prefect.events import emit_event

from leadsync.errors import Exit
from leadsync.report.report import Report

SYNCED = "leadsync.synced"
"""A sync that may write has come to its end, with nothing left undone."""
WAITING = "leadsync.waiting"
"""Something has waited for a person longer than a day; payload: `what`."""
WATCHED = "leadsync.watched"
"""From now on a sync is expected."""
TESTED = "leadsync.tested"
"""Somebody wants to see that signs arrive."""
LISTED = 10
"""Lines of what waits; a chat is no place for more."""

_unheard: ContextVar[bool] = ContextVar("unheard", default=False)


@contextmanager
def unheard() -> Iterator[None]:
    """Runs made inside, as a demo's, give no sign."""
    token = _unheard.set(True)
    try:
        yield
    finally:
        _unheard.reset(token)


def give_signs(report: Report, name: str) -> None:
    """At the end of a sync; a dry run is no sign of life. `name`: the pair's, "" for the one of the environment."""
    if report.dry_run or not report.pair or _unheard.get():
        return
    if report.exit_code == Exit.DONE:
        give_sign(SYNCED, report.pair, name)
    if report.waiting:
        more = [f"… and {len(report.waiting) - LISTED} more"] if len(report.waiting) > LISTED else []
        give_sign(WAITING, report.pair, name, "\n".join([*report.waiting[:LISTED], *more]))


def give_sign(sign: str, pair: str, name: str, what: str = "") -> None:
    """Send one, if the server takes it. `pair`: as Report.pair."""
    resource = {"prefect.resource.id": f"leadsync.pair.{pair}", "prefect.resource.name": name or f"the pair {pair}"}
    with suppress(Exception):
        emit_event(sign, resource=resource, payload={"what": what})


def ask_for_an_echo() -> UUID | None:
    """A sign that is about no pair. Returns: its event's id, None if it could not be sent."""
    sent = emit_event(TESTED, resource={"prefect.resource.id": "leadsync.test", "prefect.resource.name": "a test"})
    return sent.id if sent else None
