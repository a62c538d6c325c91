"""What a run talks to: both services and the state, opened and closed together."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from leadsync.airtable.client import Airtable
from leadsync.errors import StateStoreError
from leadsync.settings import Settings
from leadsync.state.store import StateStore
from leadsync.transport.wire import Transport, Wire
from leadsync.trello.client import Trello


@dataclass
class Clients:
    """What a run talks to, built from the settings and closed at its end. `counted`: Airtable calls counted so far."""

    airtable: Airtable
    trello: Trello
    store: StateStore
    counted: int = 0

    def count(self) -> None:
        """Add the calls made since to the month's."""
        made, self.counted = self.airtable.wire.calls - self.counted, self.airtable.wire.calls
        if made:
            self.store.calls.add(month_name(now_utc(), self.airtable.settings.airtable_workspace), made)


def now_utc() -> datetime.datetime:
    """Now, by our clock."""
    return datetime.datetime.now(datetime.UTC)


def month_name(now: datetime.datetime, workspace: str = "") -> str:
    """The month under which calls are counted, for each workspace that has a name, and for all others together."""
    return f"{now:%Y-%m} {workspace}".strip()


@contextmanager
def open_clients(
    settings: Settings, transport: Transport = Wire, shared: StateStore | None = None
) -> Iterator[Clients]:
    """
    Clients and state store of one run. `transport`: the way to both services, unless it is the network.

    `shared`: a store that others use, too; it stays open.
    """
    store = shared or StateStore(settings.sync_state_url.get_secret_value())
    clients = Clients(Airtable(settings, transport), Trello(settings, transport), store)
    try:
        yield clients
    finally:
        with suppress(StateStoreError):  # the count is not worth the run's own outcome
            clients.count()
        clients.airtable.wire.close()
        clients.trello.wire.close()
        if shared is None:
            store.close()
