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
from leadsync.frames.schema import column, places, rows_of
from leadsync.mapping.rules import Rules

CHECK_EVERY: Final = 86_400.0
"""Seconds after which a card that is archived or away is looked for again: its deletion shows in no read."""


def missing_leads(base: pd.DataFrame, airtable: pd.DataFrame) -> list[str]:
    """The ids of the leads which the base knows as present, and the read did not show."""
    known = column(base, "lead_presence") == LeadPresence.PRESENT
    return list(base.index.to_numpy()[known & (places(airtable, base.index) < 0)])


def to_look_up(
    base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules
) -> tuple[list[str], list[str]]:
    """What must be asked for by id before anything is decided: the missing, and archived cards wanted back."""
    leads, card_ids = missing_leads(base, airtable), column(base, "card_id")
    known = column(base, "card_presence") == CardPresence.OPEN
    cards = {*card_ids[known & (places(trello, card_ids) < 0)]}
    archived = np.isin(column(base, "card_presence"), ARCHIVED)
    if not archived.any():
        return leads, sorted(cards)
    at = places(airtable, base.index)
    status, present = column(airtable, "status"), column(airtable, "presence") == LeadPresence.PRESENT
    rows = np.flatnonzero(archived & np.append(present, False)[at])
    returned = column(base, "lead_presence")[rows] == LeadPresence.GONE
    rows = rows[returned | (status[at[rows]] != column(base, "seen_status")[rows])]
    pairs = zip(rows_of(base.iloc[rows], Agreed), rows_of(airtable.iloc[at[rows]], Lead), strict=True)
    wanted = {agreed.card_id for agreed, lead in pairs if is_wanted_back(agreed, lead, rules)}
    return leads, sorted((cards | wanted) - set(trello.index))


def shut_cards(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame) -> dict[str, str | None]:
    """
    Cards of the base that are archived or away: by this read, else by the base.

    Returns: card id -> its lead's status, None if the lead was not read.
    """
    ids, was = column(base, "card_id"), column(base, "card_presence")
    now = np.append(column(trello, "presence"), "")[places(trello, ids)]
    shut = np.flatnonzero(np.isin(np.where(now == "", was, now), SHUT))
    if not shut.size:
        return {}
    present, status = column(airtable, "presence") == LeadPresence.PRESENT, column(airtable, "status")
    read = zip(ids[shut], places(airtable, base.index[shut]), strict=True)
    return {card_id: status[at] if at >= 0 and present[at] else None for card_id, at in read}


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
