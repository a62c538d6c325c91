"""What Airtable tells of changes: the payloads that a webhook collects. Never here: what one means for a lead."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from leadsync.airtable.client import Airtable
from leadsync.errors import IncompleteReadError

PAYLOADS = 50
"""Payloads of a webhook in one answer."""
PAYLOAD_PAGES = 20
"""Answers that are asked for in one run; a webhook that has more to tell is caught up with by the next."""


@dataclass(frozen=True)
class PayloadsRead:
    """
    Payloads of a webhook, in order. `cursor`: the next one to ask for; `more`: there are more already.

    `lost`: some that were asked for are no longer kept. `at`: as in LeadsRead.
    """

    payloads: list[Any]
    cursor: int
    more: bool
    lost: bool
    at: float


def fetch_payloads(airtable: Airtable, webhook_id: str, cursor: int) -> PayloadsRead:
    """
    What a webhook has collected from number `cursor` on (1 is the first); asking prolongs its life by 7 days.

    Cost: 1 request for each 50 payloads, at most PAYLOAD_PAGES. Raises: ServiceRefusedError if it is gone;
    IncompleteReadError for an answer that makes no sense.
    """
    payloads: list[Any] = []
    more, lost, at, asked = True, False, 0.0, time.monotonic()
    base_id = airtable.settings.airtable_base_id
    url = airtable.api.build_url("bases", base_id, "webhooks", webhook_id, "payloads")
    for number in range(PAYLOAD_PAGES):
        page = airtable.api.get(url, params={"cursor": cursor, "limit": PAYLOADS})
        told, following = page.get("payloads"), page.get("cursor")
        if not isinstance(told, list) or type(following) is not int or following < cursor + len(told):
            raise IncompleteReadError("Airtable sent payloads of a webhook that make no sense. Run again.")
        if number == 0:
            at = max(0.0, airtable.wire.server_time - (time.monotonic() - asked))
        payloads += told
        lost |= following > cursor + len(told)
        cursor, more = following, bool(page.get("mightHaveMore"))
        if not (more and told):
            break
    return PayloadsRead(payloads, cursor, more, lost, at)
