"""
What a plan was planned from: any lead as both sides had it, and a digest of what they had agreed on. Pure.

Never here: what is written because of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from leadsync.core.plan import Plan
from leadsync.frames.agreed import NEVER_AGREED, Agreed
from leadsync.frames.cards import NO_CARD, Card, CardPresence
from leadsync.frames.leads import NO_LEAD, Lead, LeadPresence
from leadsync.frames.schema import rows_of
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import Value

NOWHERE: Final = "none"
"""Where a lead or a card is that neither a read nor a look-up has shown."""
LEAD_ID: Final = "rec"
"""How a lead's id begins."""
NO_CARDS: Final[Mapping[str, Card]] = {}


class Part(BaseModel):
    """A part of a plan; what it does not know is no plan of ours."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Side(Part):
    """
    A lead, or a card, as it was planned on. `there`: its presence. `cells`: every mapped one, by what reports call it.

    A set is the list of its elements; null stands for what cannot be read.
    """

    there: str
    cells: dict[str, str | bool | list[str] | None] = Field(default_factory=dict)


class CardSide(Side):
    """`marked`: carries its lead's line; `ticked`: is marked done."""

    marked: bool = False
    ticked: bool = False


class Row(Part):
    """A lead of the plan, as both sides had it; without an id, a card that is to become one."""

    lead_id: str
    card_id: str
    airtable: Side
    trello: CardSide

    @property
    def key(self) -> str:
        """What it is found by."""
        return self.lead_id or self.card_id


class Sight:
    """
    Both sides of any lead as a pass saw them. `base`: what was agreed. `cells`: those of the mapping.

    `strangers`: by id, cards that are no lead's, as far as anybody asks for them.
    """

    def __init__(
        self, plan: Plan, base: pd.DataFrame, cells: Sequence[Cell], strangers: Mapping[str, Card] = NO_CARDS
    ) -> None:
        self._plan, self._base = plan, base
        self._fields = {cell.name: cell.field for cell in cells}
        self._strangers = {**strangers, **{new.card.card_id: new.card for new in plan.new_leads}}

    def row(self, key: str) -> Row:
        """The lead as it is; one that does not move is as it was agreed. Or a card that is no lead's."""
        if key in self._strangers:
            return Row(
                lead_id="", card_id=key, airtable=self._of_lead(NO_LEAD), trello=self._of_card(self._strangers[key])
            )
        if key not in self._plan.sides:
            return self.agreed(key)
        lead, card = self._plan.sides[key]
        return Row(lead_id=key, card_id=card.card_id, airtable=self._of_lead(lead), trello=self._of_card(card))

    def agreed(self, key: str) -> Row:
        """The lead as it was agreed, at rest; nowhere if it never was, or is a card that is no lead's."""
        lead_id, card_id = (key, "") if key.startswith(LEAD_ID) else ("", key)
        known = self._base[self._base.index == lead_id]
        agreed = rows_of(known, Agreed)[0] if len(known) else NEVER_AGREED
        lead, card = NO_LEAD, NO_CARD
        if agreed.lead_presence:
            lead = Lead(lead_id, agreed.lead_presence, status=agreed.status, name=agreed.name, cells=agreed.lead_cells)
        if agreed.card_presence:
            card = Card(agreed.card_id, agreed.card_presence, lead_id, stage=agreed.stage, title=agreed.title)
            card = replace(card, due_complete=agreed.due_complete, cells=agreed.card_cells)
        card_id = agreed.card_id or card_id
        return Row(lead_id=lead_id, card_id=card_id, airtable=self._of_lead(lead), trello=self._of_card(card))

    def _of_lead(self, lead: Lead) -> Side:
        if lead.presence != LeadPresence.PRESENT:
            return Side(there=lead.presence or NOWHERE)
        cells = {"status": lead.status, "name": lead.name} | self._by_field(lead.cells)
        broken = {each.cell: None for each in lead.unreadable}
        return Side(there=str(lead.presence), cells={**cells, **broken})

    def _of_card(self, card: Card) -> CardSide:
        if card.presence not in (CardPresence.OPEN, CardPresence.ARCHIVED, CardPresence.ARCHIVED_BY_US):
            return CardSide(there=card.presence or NOWHERE)
        there = CardPresence.OPEN if card.presence == CardPresence.OPEN else CardPresence.ARCHIVED
        cells = {"status": card.stage or card.list_id, "name": card.title} | self._by_field(card.cells)
        broken = {each.cell: None for each in card.unreadable}
        marked = bool(card.lead_id)
        return CardSide(there=str(there), cells={**cells, **broken}, marked=marked, ticked=card.due_complete)

    def _by_field(self, cells: Mapping[str, Value]) -> dict[str, Any]:
        return {field: plain(cells[name]) for name, field in self._fields.items() if name in cells}


def plain(value: Value | None) -> Any:
    """A canonical value in JSON."""
    return sorted(value) if isinstance(value, frozenset) else value


def base_digest(base: pd.DataFrame) -> str:
    """One digest of all that was agreed."""
    rows = [[agreed.lead_id, agreed.columns()] for agreed in rows_of(base, Agreed)]
    return hashlib.sha256(json.dumps(rows, sort_keys=True, default=sorted).encode()).hexdigest()
