"""
The guards of design section 7: a read that looks wrong stops the run before anything is written.

Pure. What is never here: a look-up, a write, an exception other than GuardError.
"""

from __future__ import annotations

import pandas as pd

from leadsync.errors import GuardError
from leadsync.model import Rules
from leadsync.plan import Plan
from leadsync.reconcile import missing

SHARE_GUARD_FROM = 10
"""Known rows from which on a share says something."""

WAY_OUT = "If this is what you want, run once with --allow-mass-change."


def check_reads(
    base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, cards_read: int, rules: Rules
) -> None:
    """
    Refuse a side that came back empty, or one of which too large a share of the known rows is missing.

    --allow-mass-change lifts the guards against a share, not that against an empty side.

    `cards_read`: number of cards the board's read held, ours or not. Raises: GuardError.
    """
    known_leads = int((base["lead_presence"] == "present").sum())
    known_cards = int((base["card_presence"] == "open").sum())
    leads, cards = missing(base, airtable, trello)
    _refuse_empty("Airtable", "leads", known_leads, len(airtable), "the table, the view and the token's access")
    _refuse_empty("Trello", "cards", known_cards, cards_read, "the board and the token's access")
    _refuse_share("leads are missing", leads, known_leads, rules)
    _refuse_share("cards are missing", cards, known_cards, rules)


def check_plan(base: pd.DataFrame, plan: Plan, rules: Rules) -> None:
    """Refuse a plan that archives too large a share of the known open cards. Raises: GuardError."""
    known_cards = int((base["card_presence"] == "open").sum())
    archived = [write.card_id for write in plan.card_writes if write.closed]
    _refuse_share("cards would be archived", archived, known_cards, rules)


def _refuse_empty(side: str, rows: str, known: int, read: int, check: str) -> None:
    if known and not read:
        raise GuardError(
            f"{side} came back empty although {known} {rows} were there last time; nothing was written. "
            f"Check {check}. If it is meant to be empty, put one of the {rows} back and run with --allow-mass-change."
        )


def _refuse_share(what: str, rows: list[str], known: int, rules: Rules) -> None:
    percent = rules.max_archive_percent
    if not rules.allow_mass_change and known >= SHARE_GUARD_FROM and len(rows) * 100 > percent * known:
        raise GuardError(
            f"{len(rows)} of {known} known {what}, more than SYNC_MAX_ARCHIVE_PERCENT ({percent:g} %) allows, "
            f"for example {', '.join(rows[:3])}; nothing was written. {WAY_OUT}"
        )
