"""How close the writers come to what the services' rate limits permit, and that they are never refused for it."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass

from emulator import Emulator
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options
from leadsync.settings import Settings

LATENCY = 0.15
"""Seconds that each request takes in the emulator."""


@dataclass(frozen=True)
class Load:
    """One load: what was written, in how long [s], by how many requests, and how many were refused as too many."""

    what: str
    seconds: float
    requests: int
    permitted: float  # requests a second
    refused: int

    @property
    def share(self) -> float:
        """Requests a second, as a share of what is permitted."""
        return self.requests / self.seconds / self.permitted


def loads(leads: int) -> list[Load]:
    """A first sync of `leads` leads, and a second after each card has been moved: cards created, leads updated."""
    with tempfile.TemporaryDirectory() as folder, Emulator(strict=True, latency=LATENCY) as emulator:
        env = emulator.settings() | {"SYNC_STATE_URL": f"sqlite:///{folder}/state.sqlite3"}
        settings = Settings(_env_file=None, **{name.lower(): value for name, value in env.items()})  # type: ignore[arg-type,call-arg]
        for number in range(leads):
            emulator.airtable.add_lead(f"Lead {number}", f"lead{number}@example.com", "NEW", "web")
        created = _load(emulator, settings, "cards created", "trello", "POST", 10.0)
        for card_id in list(emulator.trello.cards()):
            emulator.trello.move(card_id, "IN_PROGRESS")
        updated = _load(emulator, settings, "leads updated, ten a request", "airtable", None, 5.0)
    return [created, updated]


def _load(
    emulator: Emulator, settings: Settings, what: str, service: str, method: str | None, permitted: float
) -> Load:
    """One run; the time counts from the first to the last request of the load."""
    emulator.clear_requests()
    times: list[float] = []

    def note(request: object, _index: int) -> None:
        if getattr(request, "service", "") == service and method in (None, getattr(request, "method", "")):
            times.append(time.monotonic())

    forget = emulator.before_request(note)
    report = run_sync(settings, Options(allow_mass_change=True))
    forget()
    assert report.exit_code == 0, report.message
    refused = sum(request.status == 429 for request in emulator.requests)
    return Load(what, times[-1] - times[0], len(times) - 1, permitted, refused)
