"""Cards that are archived or away, and when one of them must be looked for again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from leadsync.core.columns import aligned, taken
from leadsync.core.presence import ARCHIVED

SHUT: Final = (*ARCHIVED, "moved_away")
CHECK_EVERY: Final = 86_400.0
"""Seconds after which a card that is archived or away is looked for again: its deletion shows in no read."""


def shut_cards(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame) -> dict[str, str | None]:
    """
    Cards of the base that are archived or away: by this read, else by the base.

    Returns: card id -> its lead's status, None if the lead was not read.
    """
    now = taken(trello[["presence"]], trello.index.get_indexer(pd.Index(base["card_id"])))["presence"]
    shut = base[np.isin(np.where(now != "", now, base["card_presence"]), SHUT)]
    lead = aligned(airtable, shut.index)
    read = zip(shut["card_id"], lead["presence"], lead["status"], strict=True)
    return {str(card_id): str(status) if presence == "present" else None for card_id, presence, status in read}


@dataclass(frozen=True)
class Check:
    """
    A card that is archived or away as it was last known to exist.

    `at`: when, by our clock [s since 1970]. `status`: its lead's status then, "" if it was not read.
    """

    at: float
    status: str


def due_checks(
    shut: Mapping[str, str | None], checks: Mapping[str, Check], now: float, daily: bool
) -> tuple[list[str], list[str]]:
    """
    Which of the cards that are `shut` (id -> its lead's status, None if it was not read) must be looked for.

    Returns: those whose lead was edited since (an edit would bring a deleted card back), and with `daily` those not
    seen for CHECK_EVERY; each the oldest check first. One that was never checked has only just become known.
    """
    known = sorted(shut.keys() & checks.keys(), key=lambda card_id: (checks[card_id].at, card_id))
    edited = [card_id for card_id in known if shut[card_id] not in (None, checks[card_id].status)]
    old = [card_id for card_id in known if daily and not 0 <= now - checks[card_id].at < CHECK_EVERY]
    return edited, [card_id for card_id in old if card_id not in edited]
