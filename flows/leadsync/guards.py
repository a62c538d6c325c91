"""
The guards of design section 7: a read that looks wrong stops the run before anything is written.

Pure. What is never here: a look-up, a write, an exception other than GuardError.
"""

from __future__ import annotations

import pandas as pd

from leadsync.errors import GuardError
from leadsync.model import Rules
from leadsync.reconcile import missing

SHARE_GUARD_FROM = 10
"""Known rows from which on a share says something."""

WAY_OUT = "If this is what you want, run once with --allow-mass-change."


def check_reads(
    base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, cards_read: int, rules: Rules
) -> None:
    """
    Refuse a side that came back empty, or one of which too large a share of the known rows is missing.

    `cards_read`: number of cards the board's read held, ours or not. Raises: GuardError.
    """
    if rules.allow_mass_change:
        return
    known_leads = int((base["lead_presence"] == "present").sum())
    known_cards = int((base["card_presence"] == "open").sum())
    leads, cards = missing(base, airtable, trello)
    _refuse_empty("Airtable", "leads", known_leads, len(airtable), "the table, the view and the token's access")
    _refuse_empty("Trello", "cards", known_cards, cards_read, "the board and the token's access")
    _refuse_share("leads", leads, known_leads, rules.max_archive_percent)
    _refuse_share("cards", cards, known_cards, rules.max_archive_percent)


def _refuse_empty(side: str, rows: str, known: int, read: int, check: str) -> None:
    if known and not read:
        raise GuardError(
            f"{side} came back empty although {known} {rows} were there last time; nothing was written. "
            f"Check {check}. {WAY_OUT}"
        )


def _refuse_share(rows: str, gone: list[str], known: int, percent: float) -> None:
    if known >= SHARE_GUARD_FROM and len(gone) * 100 > percent * known:
        raise GuardError(
            f"{len(gone)} of {known} known {rows} are missing, more than SYNC_MAX_ARCHIVE_PERCENT "
            f"({percent:g} %) allows, for example {', '.join(gone[:3])}; nothing was written. {WAY_OUT}"
        )
