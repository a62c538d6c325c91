"""
One cell of the mapping as base, lead and card hold it, in the terms in which they are compared. Pure.

Never here: status, name, a line of the managed block (see cells.py); what is written (see plan_cells.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leadsync.core.decisions import FIRST_MATCHES, MAPPED_DECISIONS, MERGES, ONE_WAY, ONE_WAY_FIRST, CellDecision
from leadsync.frames.agreed import Agreed
from leadsync.frames.cards import Card
from leadsync.frames.leads import Lead
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import Lens, LensKind, Value, merge
from leadsync.mapping.properties import Way


@dataclass(frozen=True)
class Compared:
    """
    `lead`, `card`: the values; `airtable`, `trello`: their terms, None where a value means nothing.

    `agreed`: the terms of the values in the base, None for a first match. `lead_moved`, `card_moved`: in their terms.
    `has_lost`: a side holds no more what meant something when it was agreed, as a label that was deleted.
    """

    cell: Cell
    lead: Value
    card: Value
    airtable: Any
    trello: Any
    agreed: tuple[Any, Any] | None
    lead_moved: bool
    card_moved: bool
    has_lost: bool = False

    @classmethod
    def of(cls, cell: Cell, agreed: Agreed, lead: Lead, card: Card) -> Compared:
        """A cell that can be read on both sides; with another card than the base knows it is a first match."""
        of_lead, of_card = lead.cells[cell.name], card.cells[cell.name]
        airtable, trello = cell.airtable.get(of_lead), cell.trello.get(of_card)
        if cell.name not in agreed.lead_cells or agreed.is_of_another(card.card_id):
            return cls(cell, of_lead, of_card, airtable, trello, None, True, True)
        was_lead, was_card = agreed.lead_cells[cell.name], agreed.card_cells[cell.name]
        was = cell.airtable.get(was_lead), cell.trello.get(was_card)
        moved = of_lead != was_lead and airtable != was[0], of_card != was_card and trello != was[1]
        lost = _has_lost(cell.airtable, was_lead, of_lead) or _has_lost(cell.trello, was_card, of_card)
        return cls(cell, of_lead, of_card, airtable, trello, was, *moved, lost)

    @property
    def is_merged(self) -> bool:
        """Whether both sides' edits are taken together, element by element."""
        return self.cell.kind is LensKind.SET and self.cell.way is Way.BOTH

    @property
    def target(self) -> Any:
        """
        What a merged set becomes on both sides.

        Where a changed mapping has drawn the base apart only what is in both of its halves was agreed: else a label of
        which nobody has said anything would be taken off.
        """
        base = None if self.agreed is None else self.agreed[0] & self.agreed[1]
        return merge(base, self.airtable, self.trello)

    @property
    def decision(self) -> CellDecision:
        """What is to be done with it."""
        if self.airtable is None or self.trello is None:
            return CellDecision.QUARANTINED
        equal = self.airtable == self.trello
        if self.agreed is None:
            decision = FIRST_MATCHES[equal, not self.airtable, not self.trello]
        else:
            decision = MAPPED_DECISIONS[equal, self.lead_moved, self.card_moved]
            if decision is CellDecision.APART and self.has_lost:  # nobody has taken it away: it is put back
                decision = FIRST_MATCHES[equal, not self.airtable, not self.trello]
        if self.is_merged and not equal and decision is not CellDecision.APART:
            return MERGES[self.target == self.airtable, self.target == self.trello]
        return (ONE_WAY_FIRST if self.agreed is None else ONE_WAY)[self.cell.way].get(decision, decision)

    @property
    def is_listed_first_match(self) -> bool:
        """Whether both sides held something, and not the same, when they met."""
        return self.agreed is None and bool(self.airtable) and bool(self.trello) and self.airtable != self.trello


def _has_lost(lens: Lens, was: Value, now: Value) -> bool:
    """Whether a value, or an element of a set, is there no more, and has no meaning any more either."""
    if isinstance(was, frozenset):
        return isinstance(now, frozenset) and any(not lens.get(frozenset({each})) for each in was - now)
    return was not in ("", now) and lens.get(was) is None
