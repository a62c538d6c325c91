"""Webhooks of the token: listed, made, removed. Never here: a delivery, an address of ours."""

from __future__ import annotations

from typing import Any

from leadsync.errors import ConfigurationError, ServiceRefusedError
from leadsync.trello.client import TOKEN_IN_PATH, Trello
from leadsync.trello.refusals import misconfigured


class TrelloWebhooks:
    """The webhooks of the token, on whatever board."""

    def __init__(self, trello: Trello) -> None:
        self._trello = trello

    def fetch(self) -> list[dict[str, Any]]:
        """Each with id, callbackURL, idModel, description, active … Cost: 1 request."""
        try:
            hooks = self._trello.get(f"tokens/{TOKEN_IN_PATH}/webhooks")
        except ServiceRefusedError as refused:
            raise misconfigured(refused, self._trello.settings) from None
        return [hook for hook in hooks if isinstance(hook, dict) and hook.get("id")]

    def add(self, callback_url: str, board_id: str, description: str) -> str:
        """
        Watch the board. Trello first sends HEAD to the callback, which must answer 200.

        Returns: the webhook's id. Raises: ConfigurationError if the callback cannot be reached. Cost: 1 request.
        """
        wanted = {"callbackURL": callback_url, "idModel": board_id, "description": description, "active": True}
        try:
            return str(self._trello.send("POST", "webhooks", wanted)["id"])
        except ServiceRefusedError as refused:
            if "did not return 200" in refused.text or refused.kind == "VALIDATOR_URL_RETURNED_ERROR":
                raise ConfigurationError(
                    f"Trello could not reach {callback_url}: {refused.text}. It has to answer HEAD with 200 from the "
                    "internet; check SYNC_PUBLIC_URL, and the proxy or tunnel in front of the gateway."
                ) from None
            raise misconfigured(refused, self._trello.settings) from None

    def delete(self, webhook_id: str) -> None:
        """Stop it; one that is gone already is no error. Cost: 1 request."""
        try:
            self._trello.send("DELETE", f"webhooks/{webhook_id}")
        except ServiceRefusedError as refused:
            if refused.status != 404:
                raise
