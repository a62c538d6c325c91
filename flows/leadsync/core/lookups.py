"""What must be asked for by id: leads and cards that a read did not show, and cards that are put away. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from leadsync.core.decide import is_wanted_back
from leadsync.core.decisions import ARCHIVED, SHUT
from leadsync.frames.agreed import Agreed
from leadsync.frames.cards import CardPresence
from leadsync.frames.leads import Lead, LeadPresence
from leadsync.frames.schema import rows_of
from leadsync.mapping.rules import Rules

CHECK_EVERY: Final = 86_400.0
"""Seconds after which a card that is archived or away is looked for again: its deletion shows in no read."""


def missing(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The lead ids and card ids which the base knows as present and open, and the read did not show."""
    leads = base.index[(base["lead_presence"] == LeadPresence.PRESENT) & ~base.index.isin(airtable.index)]
    cards = base["card_id"][(base["card_presence"] == CardPresence.OPEN) & ~base["card_id"].isin(trello.index)]
    return list(leads), list(cards)


def to_look_up(
    base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules
) -> tuple[list[str], list[str]]:
    """What must be asked for by id before anything is decided: the missing, and archived cards wanted back."""
    leads, cards = missing(base, airtable, trello)
    present = airtable.index[airtable["presence"] == LeadPresence.PRESENT]
    archived = base[base["card_presence"].isin(ARCHIVED) & base.index.isin(present)]
    status = airtable["status"].reindex(archived.index)
    moved = archived[(archived["lead_presence"] == LeadPresence.GONE) | (status != archived["seen_status"])]
    pairs = zip(rows_of(moved, Agreed), rows_of(airtable.loc[moved.index], Lead), strict=True)
    wanted = {agreed.card_id for agreed, lead in pairs if is_wanted_back(agreed, lead, rules)}
    return leads, sorted({*cards, *wanted} - set(trello.index))


def shut_cards(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame) -> dict[str, str | None]:
    """
    Cards of the base that are archived or away: by this read, else by the base.

    Returns: card id -> its lead's status, None if the lead was not read.
    """
    now = trello["presence"].reindex(base["card_id"]).to_numpy()
    shut = base[np.isin(np.where(pd.notna(now), now, base["card_presence"]), SHUT)]
    present = airtable[airtable["presence"] == LeadPresence.PRESENT]["status"].reindex(shut.index)
    read = zip(shut["card_id"], present, strict=True)
    return {str(card_id): None if pd.isna(status) else str(status) for card_id, status in read}


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
