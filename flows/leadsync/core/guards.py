"""
The guards: a read that looks wrong, or a plan that would take much away, stops the run before anything is written.

Pure. What is never here: cells emptied in bulk (see emptied.py), a look-up, an exception other than GuardError.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd

from leadsync.core.lookups import missing_leads
from leadsync.core.plan import NewLead, Plan
from leadsync.errors import GuardError
from leadsync.frames.schema import column, places
from leadsync.mapping.rules import Rules

SHARE_GUARD_FROM = 10
"""Known rows, or emptied cells, from which on a share says something."""
NEW_LEADS_FROM = 10
"""Leads made of cards in one run that no guard looks at."""
EXPLAINED: Final = ("archived", "deleted")
"""How a look-up or the activity may explain that a card is missing. One out of sight explains nothing."""


class Known(Protocol):
    """How many leads the base knows as present, and how many cards as open; asked for only if it matters."""

    @property
    def leads(self) -> int:
        """Leads."""

    @property
    def cards(self) -> int:
        """Cards."""


@dataclass(frozen=True)
class KnownIn:
    """As Known, in a base that is all there is."""

    base: pd.DataFrame

    @property
    def leads(self) -> int:
        """Leads."""
        return int((self.base["lead_presence"] == "present").sum())

    @property
    def cards(self) -> int:
        """Cards."""
        return int((self.base["card_presence"] == "open").sum())


@dataclass(frozen=True)
class Reads:
    """How many leads there are by what was read, and how many cards on the board, ours or not."""

    leads: int
    cards: int


def check_reads(
    base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules, known: Known, reads: Reads
) -> None:
    """
    Refuse a side that came back empty, or one of which too large a share of the known rows is missing.

    A card that was archived or deleted is not missing; a lead that is not there always is. --allow-mass-change lifts
    the guards against a share, not that against an empty side.

    `trello`: the read, and the rows of those missing from it that were explained. `base`: rows that rest may be left
    out of all three, and only `known` counts them. Raises: GuardError.
    """
    leads = missing_leads(base, airtable)
    cards = unexplained(base, trello)
    if leads:
        _refuse_empty(
            "Airtable", "leads", known.leads, reads.leads, "the table, the view and the token's access", rules
        )
        _refuse_share("leads are missing", leads, base.index, base, known.leads, rules)
    if cards:
        _refuse_empty("Trello", "cards", known.cards, reads.cards, "the board and the token's access", rules)
        _refuse_share("cards are missing", cards, base["card_id"], base, known.cards, rules)


def unexplained(base: pd.DataFrame, trello: pd.DataFrame) -> list[str]:
    """Ids of the cards that the base knows as open, and that are neither there nor known to be archived or deleted."""
    ids, shown = column(base, "card_id"), np.append(np.isin(column(trello, "presence"), ("open", *EXPLAINED)), False)
    return list(ids[(column(base, "card_presence") == "open") & ~shown[places(trello, ids)]])


def check_plan(base: pd.DataFrame, plan: Plan, rules: Rules, known: Known) -> None:
    """Refuse a plan that archives too large a share of the known open cards. Raises: GuardError."""
    if archived := [write.card_id for write in plan.card_writes if write.closed]:
        _refuse_share("cards would be archived", archived, base["card_id"], base, known.cards, rules)


def check_new_leads(base: pd.DataFrame, new: Sequence[NewLead], rules: Rules) -> None:
    """Refuse to make many leads of cards, more than NEW_LEADS_FROM and the share of the known. Raises: GuardError."""
    known, percent = int((base["lead_presence"] == "present").sum()), rules.max_archive_percent
    if not rules.allow_mass_change and len(new) > NEW_LEADS_FROM and len(new) * 100 > percent * known:
        examples = ", ".join(f"{each.card.title[:80]!r} ({each.card.url or each.card.card_id})" for each in new[:3])
        raise GuardError(
            f"{len(new)} cards would become leads, of which {known} are known, more than SYNC_MAX_ARCHIVE_PERCENT "
            f"({percent:g} %) allows, for example {examples}; nothing was written. SYNC_CREATE_LEADS_LABEL names a "
            f"label that such cards have to bear. {way_out(rules)}"
        )


def way_out(rules: Rules) -> str:
    """What to do where a guard is wrong: it names the command, for not every one that a guard stops has the option."""
    return f"If this is what you want, run {rules.command} once with --allow-mass-change."


def _refuse_empty(side: str, rows: str, known: int, read: int, check: str, rules: Rules) -> None:
    if known and not read:
        raise GuardError(
            f"{side} came back empty although {known} {rows} were there last time; nothing was written. "
            f"Check {check}. If it is meant to be empty, put one of the {rows} back and run "
            f"{rules.command} with --allow-mass-change."
        )


def _refuse_share(
    what: str, rows: Sequence[str], ids: Iterable[str], base: pd.DataFrame, known: int, rules: Rules
) -> None:
    percent = rules.max_archive_percent
    if not rules.allow_mass_change and known >= SHARE_GUARD_FROM and len(rows) * 100 > percent * known:
        raise GuardError(
            f"{len(rows)} of {known} known {what}, more than SYNC_MAX_ARCHIVE_PERCENT ({percent:g} %) allows, "
            f"for example {named_in(rows, ids, base['title'])}; nothing was written. {way_out(rules)}"
        )


def named_in(rows: Sequence[str], ids: Iterable[str], titles: Iterable[str]) -> str:
    """The first of them, each with the title by which people know it."""
    title_of = dict(zip(ids, titles, strict=True))
    return ", ".join(f"{row} ({str(title_of[row])[:80]})" for row in rows[:3])
