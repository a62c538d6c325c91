"""What Trello's refusals mean: which setting, board or card they are about. Never here: a request."""

from __future__ import annotations

import re
from typing import Any

from leadsync.errors import ConfigurationError, ServiceRefusedError
from leadsync.settings import Settings
from leadsync.transport.service import Service, Words
from leadsync.trello.shapes import flaw_in


def words_of(body: Any) -> Words:
    """Of {"message", "error"} or either alone; most refusals are plain text."""
    if isinstance(body, dict):
        return Words(str(body.get("error") or ""), str(body.get("message") or ""))
    return Words(str(body))


def refused_setting(refused: ServiceRefusedError) -> str:
    """The setting that Trello says it does not accept, "" if the refusal is about a card, a board or a value."""
    words = f"{refused.kind} {refused.text}"
    if refused.status != 401 or re.search("unauthorized .*requested", words, re.IGNORECASE):
        return ""
    return "TRELLO_API_KEY" if re.search(r"\bkey\b", words) else "TRELLO_API_TOKEN"


TRELLO = Service(
    name="Trello",
    words=words_of,
    credential=refused_setting,
    flaw_in=flaw_in,
    left_header="X-Rate-Limit-Api-Token-Remaining",
    window_header="X-Rate-Limit-Api-Token-Interval-Ms",
    clock_header="X-Server-Time",
)


def misconfigured(refused: ServiceRefusedError, settings: Settings) -> ConfigurationError:
    """Which setting a refused read points to."""
    board = settings.trello_board_id
    if setting := refused_setting(refused):
        mend = "copy the key again" if setting == "TRELLO_API_KEY" else "make a new token (read and write)"
        return ConfigurationError(f"{setting} was not accepted by Trello; {mend}.", setting=setting)
    if refused.status == 401:
        return ConfigurationError(
            f"TRELLO_BOARD_ID {board} is out of reach for TRELLO_API_TOKEN; add its user to the board.",
            setting="TRELLO_BOARD_ID",
        )
    if refused.status in (400, 404):
        return ConfigurationError(
            f"TRELLO_BOARD_ID {board} is not a board; give its id, short link or address ({refused.text}).",
            setting="TRELLO_BOARD_ID",
        )
    return ConfigurationError(f"Trello refused to list board {board}: {refused}.")


def explain(refused: ServiceRefusedError) -> tuple[str, str]:
    """Why a card could not be written, and what to do about it."""
    if refused.status == 401:
        return (
            f"the token may not write to the card ({refused.text or 'unauthorized'})",
            "Give the user of TRELLO_API_TOKEN the right to edit the card's board.",
        )
    if refused.status == 404:
        return "the card or its list is gone", "Nothing to do; the next run sees what became of it."
    if refused.status == 403:
        return f"Trello refused it ({refused})", "A board or list may be full: archive cards that are done."
    return str(refused), "Correct the lead's text; Trello takes at most 16,384 characters."
