"""
Leads by the id of the card that they were made of: found, and made; and the column that holds it.

An upsert on that column makes one record of a card, however often it is sent. Never here: which cards, a retry.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from pyairtable.formulas import EQ, OR, Field

from leadsync.airtable.client import PAGE, Airtable, by_id
from leadsync.airtable.writing import send_spelt
from leadsync.core.plan import NewLead
from leadsync.frames.actions import Item

MADE_AS = "singleLineText"
MERGES = (MADE_AS, "multilineText")
"""Types of the column: an upsert merges on text, not on what is computed."""


def card_id_of(airtable: Airtable, record: Item) -> str:
    """The id of the card that the lead was made of, "" if it tells none."""
    held = (record.get("fields") or {}).get(airtable.columns.card_id)
    return held.strip() if isinstance(held, str) else ""


def fetch_made(airtable: Airtable, card_ids: Collection[str]) -> dict[str, list[Item]]:
    """Card id -> the leads that tell it, in a view or not. Cost: 1 request for each 100 cards."""
    found: dict[str, list[Item]] = {}
    ids = sorted(card_ids)
    for start in range(0, len(ids), PAGE):
        told = OR(*(EQ(Field(airtable.columns.card_id), each) for each in ids[start : start + PAGE]))
        for record in airtable.fetch_where(told).values():
            found.setdefault(card_id_of(airtable, record), []).append(record)
    return {card_id: records for card_id, records in found.items() if card_id in card_ids}


def upsert_leads(airtable: Airtable, new: Sequence[NewLead]) -> dict[str, Item]:
    """
    One lead of each card, ten at most; all or none.

    Returns: card id -> record. Cost: 1 request. Raises: as the wire does for a PATCH.
    """
    return send_spelt(airtable, partial(_records, airtable, new), partial(_upsert, airtable))


def add_column(airtable: Airtable, table_id: str) -> None:
    """Make the column that holds the cards' ids. Cost: 1 request. Raises: ServiceRefusedError."""
    api, base_id = airtable.api, airtable.settings.airtable_base_id
    path = api.build_url("meta", "bases", base_id, "tables", table_id, "fields")
    api.post(path, json={"name": airtable.settings.airtable_card_id_field, "type": MADE_AS})


def _upsert(airtable: Airtable, records: list[Any]) -> dict[str, Item]:
    answered = airtable.table.batch_upsert(records, [airtable.columns.card_id])
    return {card_id_of(airtable, record): record for record in by_id(answered["records"]).values()}


def _records(airtable: Airtable, new: Sequence[NewLead]) -> list[Any]:
    columns, email = airtable.columns, airtable.settings.columns.get("email", "")
    return [
        {
            "fields": {columns.card_id: each.card.card_id}
            | columns.spelt({"name": each.card.title, "status": each.status})
            | ({email: each.email} if email and each.email else {})
        }
        for each in new
    ]
