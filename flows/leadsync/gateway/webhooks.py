"""
The two webhooks: made, repaired, kept alive, removed. Running any of it again changes nothing.

A webhook is a hint; the scheduled sync stays the truth. What is never here: a delivery, an answer to one.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from leadsync.airtable.client import Airtable
from leadsync.airtable.setup import fetch_table_id
from leadsync.airtable.webhooks import AirtableWebhooks
from leadsync.errors import ConfigurationError
from leadsync.settings import Settings
from leadsync.state.store import StateStore
from leadsync.state.webhooks import Known, is_whole, known_key, load_known, webhooks_of_others
from leadsync.trello.client import Trello
from leadsync.trello.setup import fetch_board
from leadsync.trello.webhooks import TrelloWebhooks

TRELLO_PATH, AIRTABLE_PATH = "/webhooks/trello", "/webhooks/airtable"
MARK = "leadsync: tells the gateway that a card has changed"
"""Begins the description of our Trello webhooks, which ends in the pair's base and table; Airtable's have none."""


class Webhooks:
    """
    Our webhooks of one pair; those of another, on the same base or board, are left alone. `public_url`: where the
    gateway is reached from outside, None if only to remove.

    Raises (from every method): ConfigurationError with what is missing and where to get it; TransientServiceError.
    """

    def __init__(
        self, settings: Settings, airtable: Airtable, trello: Trello, store: StateStore, public_url: str | None
    ) -> None:
        self._settings, self._airtable, self._trello, self._store = settings, airtable, trello, store
        self._at_airtable, self._at_trello = AirtableWebhooks(airtable), TrelloWebhooks(trello)
        self._public_url = public_url

    @property
    def known(self) -> Known:
        """From the state database; empty if there is none."""
        return load_known(self._store, self._settings)

    def register(self) -> list[str]:
        """Make or repair both. Returns: a sentence for each thing that was done or found in order."""
        if self._public_url is None:
            raise ConfigurationError("SYNC_PUBLIC_URL is not set; the services must know where to deliver to.")
        if self._settings.trello_api_secret is None:
            raise ConfigurationError(
                "TRELLO_API_SECRET is not set; copy the secret from beside the API key in Trello's Power-Up admin page."
            )
        return [*self._register_trello(self._public_url + TRELLO_PATH), *self._register_airtable()]

    def refresh(self) -> list[str]:
        """Give the Airtable webhook another 7 days; make it anew if it is gone. Nothing if there never was one."""
        known = self.known
        if not known.airtable_id:
            return []
        if self._at_airtable.refresh(known.airtable_id, enable=True):
            return [f"Airtable: webhook {known.airtable_id} lives for another 7 days"]
        return self._register_airtable() if self._public_url else []

    def unregister(self) -> list[str]:
        """Remove those of this pair, at whatever address."""
        said, board = [], fetch_board(self._trello).board_id
        for hook in self._at_trello.fetch():
            if hook["idModel"] == board and self._is_ours_at_trello(hook):
                self._at_trello.delete(hook["id"])
                said.append(f"Trello: webhook {hook['id']} to {hook['callbackURL']} removed")
        table = fetch_table_id(self._airtable)
        for hook in self._at_airtable.fetch():
            if self._is_ours_at_airtable(hook, table):
                self._at_airtable.delete(hook["id"])
                said.append(f"Airtable: webhook {hook['id']} to {hook.get('notificationUrl')} removed")
        self._remember(Known())
        return said or ["There was no webhook of ours."]

    def _register_trello(self, callback: str) -> list[str]:
        board = fetch_board(self._trello).board_id
        said, current = [], None
        for hook in self._at_trello.fetch():
            here = hook["callbackURL"] == callback
            if hook["idModel"] != board or not (here or self._is_ours_at_trello(hook)):
                continue
            if here and hook.get("active") and current is None:
                current = hook["id"]
            else:
                self._at_trello.delete(hook["id"])
                said.append(f"Trello: stale webhook {hook['id']} to {hook['callbackURL']} removed")
        if current:
            return [*said, f"Trello: webhook {current} is in place"]
        made = self._at_trello.add(callback, board, self._description)
        return [*said, f"Trello: webhook {made} made, to {callback}"]

    def _register_airtable(self) -> list[str]:
        callback, table = f"{self._public_url}{AIRTABLE_PATH}", fetch_table_id(self._airtable)
        known, said, current = self.known, [], None
        for hook in self._at_airtable.fetch():
            here = hook.get("notificationUrl") == callback
            if hook["id"] == known.airtable_id and here and is_whole(hook, table):
                current = hook
            elif self._is_ours_at_airtable(hook, table):
                self._at_airtable.delete(hook["id"])
                said.append(f"Airtable: stale webhook {hook['id']} to {hook.get('notificationUrl')} removed")
        if current and self._at_airtable.refresh(current["id"], enable=not current.get("areNotificationsEnabled")):
            return [*said, f"Airtable: webhook {current['id']} is in place, for another 7 days"]
        made, secret = self._at_airtable.add(callback, table)
        self._remember(Known(made, secret))
        return [*said, f"Airtable: webhook {made} made, to {callback}"]

    @property
    def _description(self) -> str:
        return f"{MARK} ({self._settings.airtable_base_id}/{self._settings.airtable_table_name})"

    def _is_ours_at_trello(self, hook: dict[str, Any]) -> bool:
        """By the description, and by the path that every gateway has; the address may be an old one."""
        path = urlsplit(str(hook.get("callbackURL", ""))).path
        return hook.get("description") == self._description and path.endswith(TRELLO_PATH)

    def _is_ours_at_airtable(self, hook: dict[str, Any], table: str | None) -> bool:
        """The one that is known, or one that points here, about our table, of which nobody has the secret any more."""
        if hook["id"] == self.known.airtable_id:
            return True
        here = self._public_url is not None and hook.get("notificationUrl") == self._public_url + AIRTABLE_PATH
        about = hook.get("specification", {}).get("options", {}).get("filters", {}).get("recordChangeScope")
        return here and about in (None, table) and hook["id"] not in webhooks_of_others(self._store, self._settings)

    def _remember(self, known: Known) -> None:
        self._store.facts.save(known_key(self._settings), asdict(known))
