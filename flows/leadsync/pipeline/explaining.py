"""
One lead explained: what a dry run finds out about it, and its past. Never here: a rule (see core/explain.py), a write.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from leadsync.core.explain import Explained, at_rest, explain
from leadsync.errors import ConfigurationError
from leadsync.frames.agreed import NEVER_AGREED, Agreed
from leadsync.frames.schema import rows_of
from leadsync.mapping.rules import Rules
from leadsync.pipeline.lists import known_pair
from leadsync.pipeline.planning import Planned
from leadsync.settings import Settings
from leadsync.state.store import StateStore

LEAD: Final = re.compile(r"rec[0-9A-Za-z]{14}")
CARD: Final = re.compile(r"[0-9a-f]{24}")
ADDRESS: Final = re.compile(r"(?:https?://)?(?:www\.)?trello\.com/c/([0-9A-Za-z]+)")


@dataclass
class Kept:
    """The history of one pair, open to be read. `key`: the pair's, "" while no run has asked for its board."""

    store: StateStore
    key: str


@contextmanager
def kept_of(settings: Settings) -> Iterator[Kept]:
    """What is kept of the pair that the settings name; no request. Raises: StateStoreError."""
    store = StateStore(settings.sync_state_url.get_secret_value())
    try:
        pair = known_pair(settings, store)
        yield Kept(store, pair.key if pair else "")
    finally:
        store.close()


def lead_meant(kept: Kept, named: str) -> str:
    """
    The lead with this id, of this card, or of a card with this address.

    Raises: ConfigurationError if nothing is known of such a card, or it is none of the three.
    """
    if LEAD.fullmatch(named):
        return named
    found = ADDRESS.match(named)
    if not found and not CARD.fullmatch(named):
        raise ConfigurationError(
            f"{named[:80]!r} is no lead; allowed are its id (rec…), its card's id, or its card's address "
            "(https://trello.com/c/…)."
        )
    ids = [named]
    if found:
        cards = kept.store.snapshots.load(kept.key).cards
        ids = [card_id for card_id, card in cards.items() if _link(card) == found.group(1)]
    lead_id = kept.store.history.lead_of(kept.key, ids)
    if not lead_id:
        raise ConfigurationError(f"No lead is known whose card is {named[:80]!r}; its LeadID line tells which it is.")
    return lead_id


def names_of(kept: Kept, lead_ids: Collection[str]) -> dict[str, str]:
    """What people call these leads, as it was last agreed; those of which nothing is agreed are left out."""
    rows = kept.store.base.load(kept.key, leads=lead_ids)
    return {str(lead_id): str(title) for lead_id, title in rows["title"].items() if title}


def _link(card: Any) -> str:
    return str(card.get("shortUrl") or "").rpartition("/")[2]


def explained_by(planned: Planned, lead_id: str, rules: Rules) -> Explained | None:
    """What a pass found out about a lead; None if neither side nor the base knows it."""
    known = planned.base[planned.base.index == lead_id]
    agreed = rows_of(known, Agreed)[0] if len(known) else NEVER_AGREED
    lead, card = planned.plan.sides.get(lead_id) or at_rest(lead_id, agreed)
    if agreed is NEVER_AGREED and not lead.presence and not card.presence:
        return None
    return explain(lead_id, agreed, lead, card, rules)
