"""Rows of a report of which a test names only what it is about."""

from __future__ import annotations

from typing import Any

from leadsync.core.conflicts import Conflict
from leadsync.core.decisions import Direction
from leadsync.core.told import Change, ChangeOutcome, Failure, Note, SetAside
from support.rows import lead_id


def change(**more: Any) -> Change:
    given = {"lead_id": lead_id(1), "card_id": "", "field": "name", "before": "", "after": ""}
    return Change(**(given | {"direction": Direction.TO_TRELLO, "outcome": ChangeOutcome.DONE} | more))


def conflict(**more: Any) -> Conflict:
    given = {"lead_id": lead_id(1), "card_id": "", "field": "name", "airtable": "", "trello": ""}
    return Conflict(**(given | {"kind": "conflict", "resolution": ""} | more))


def aside(**more: Any) -> SetAside:
    return SetAside(**({"lead_id": lead_id(1), "card_id": "", "field": "", "reason": "", "remedy": ""} | more))


def failure(**more: Any) -> Failure:
    return Failure(**({"lead_id": lead_id(1), "card_id": "", "reason": "", "remedy": ""} | more))


def note(text: str, lead: str = lead_id(1), card: str = "") -> Note:
    return Note(lead, card, text)
