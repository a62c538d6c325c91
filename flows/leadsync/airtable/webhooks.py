"""Webhooks of the base: listed, made, kept alive, removed. Never here: a payload (see feed.py), an address of ours."""

from __future__ import annotations

from typing import Any

from leadsync.airtable.client import Airtable
from leadsync.airtable.refusals import GONE
from leadsync.errors import ConfigurationError, ServiceRefusedError


class AirtableWebhooks:
    """
    The webhooks that the token sees in the base.

    Raises (from every method): ConfigurationError without the scope webhook:manage.
    """

    def __init__(self, airtable: Airtable) -> None:
        self._api, self._base_id = airtable.api, airtable.settings.airtable_base_id

    def fetch(self) -> list[dict[str, Any]]:
        """Each with id, notificationUrl, specification, areNotificationsEnabled … Cost: 1 request."""
        hooks = self._ask("get").get("webhooks", [])
        return [hook for hook in hooks if isinstance(hook, dict) and hook.get("id")]

    def add(self, callback_url: str | None, table_id: str | None) -> tuple[str, str]:
        """
        Be told when records of the table (None: of any table of the base) change, and what the cells held before.

        `callback_url`: None if the payloads are only to be collected. There is no filter on who changes what: with one,
        our own writes and deletions might be missing. Returns: the webhook's id and its secret (base64), which is shown
        only here. It lives for 7 days. Raises: ConfigurationError also when the base has its ten webhooks.
        Cost: 1 request.
        """
        filters = {"dataTypes": ["tableData"]} | ({"recordChangeScope": table_id} if table_id else {})
        options = {"filters": filters, "includes": {"includePreviousCellValues": True}}
        wanted = {"notificationUrl": callback_url, "specification": {"options": options}}
        made = self._ask("post", json=wanted)
        return str(made["id"]), str(made["macSecretBase64"])

    def refresh(self, webhook_id: str, enable: bool = False) -> bool:
        """
        Another 7 days; with `enable`, notifications are switched on again. Returns: False if it is gone.

        Cost: 1 request, 2 with `enable`.
        """
        try:
            self._ask("post", webhook_id, "refresh")
            if enable:
                self._ask("post", webhook_id, "enableNotifications", json={"enable": True})
        except ServiceRefusedError as refused:
            if refused.status in GONE:
                return False
            raise
        return True

    def delete(self, webhook_id: str) -> None:
        """Stop it; one that is gone already is no error. Cost: 1 request."""
        try:
            self._ask("delete", webhook_id)
        except ServiceRefusedError as refused:
            if refused.status not in GONE:
                raise

    def _ask(self, method: str, *path: str, **options: Any) -> dict[str, Any]:
        """Raises: ConfigurationError that names the missing scope; ServiceRefusedError for a single webhook."""
        url = self._api.build_url("bases", self._base_id, "webhooks", *path)
        try:
            answer: dict[str, Any] = getattr(self._api, method)(url, **options)
        except ServiceRefusedError as refused:
            if refused.kind.startswith("TOO_MANY_WEBHOOKS"):
                raise ConfigurationError(
                    f"Base {self._base_id} has its ten webhooks already; delete one that is not used."
                ) from None
            if refused.status in (401, 403) and not path:
                raise ConfigurationError(
                    "Airtable did not let us see or make webhooks: AIRTABLE_API_TOKEN needs the scopes webhook:manage "
                    f"and data.records:read, and its user the role creator in {self._base_id}."
                ) from None
            raise
        return answer
