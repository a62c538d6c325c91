"""
From three frames to decisions: join on LeadID, tell who moved, and decide about each of those leads.

Pure: no I/O, no clock, no logger, nothing that writes (see plan_rows.py). Signature order everywhere: base, airtable,
trello.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from leadsync.core.conflicts import Key
from leadsync.core.decide import decide
from leadsync.core.decisions import SHUT, CellDecision, Decision, RowDecision
from leadsync.core.diff import Moved, everything, moved
from leadsync.core.identity import NONE_ADOPTED, Identity, identify
from leadsync.core.takeable import sides_of_aside
from leadsync.core.told import SetAside
from leadsync.frames.agreed import NEVER_AGREED, Agreed
from leadsync.frames.cards import NO_CARD, Card, CardPresence
from leadsync.frames.leads import NO_LEAD, Lead, LeadPresence
from leadsync.frames.schema import column, frame_of, overlay, rows_of
from leadsync.mapping.cells import Cell, told
from leadsync.mapping.rules import Rules
from leadsync.model import ConflictPolicy
from leadsync.texts import title_for

NOT_COMPARED: Final = (
    RowDecision.STAY_ARCHIVED,
    RowDecision.LEAVE,
    RowDecision.ORPHAN,
    RowDecision.IGNORE,
    RowDecision.QUARANTINED,
)
"""Of these leads one side is out of reach for the time being, or it is unclear which card is whose."""
NO_VALUE: Final = (CellDecision.PARKED, CellDecision.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Decided:
    """One lead, as the three sides have it, and what becomes of it."""

    lead_id: str
    agreed: Agreed
    lead: Lead
    card: Card
    decision: Decision

    @property
    def card_id(self) -> str:
        """Trello's card id, "" if there is none."""
        return self.card.card_id or self.agreed.card_id

    def unseen(self, rules: Rules) -> Iterator[Key]:
        """What was not compared: all of a lead, unless that is gone for good, or single cells of it."""
        if self.decision.row not in NOT_COMPARED:
            cells = self.decision.cells.items()
            yield from ((self.lead_id, rules.name_of(field)) for field, decision in cells if decision in NO_VALUE)
        elif LeadPresence.GONE not in (self.lead.presence, self.agreed.lead_presence):
            yield self.lead_id, ""


@dataclass(frozen=True)
class Reconciled:
    """
    `decided`: every lead that moved, once, in order. `quarantine`: cards and cells set aside, in order. `known`: ids of
    the leads that have a base, and were looked at, those at rest among them.
    """

    decided: list[Decided]
    quarantine: list[SetAside]
    known: Collection[str] = field(default=(), compare=False)


def moving(decided: Iterable[Decided]) -> set[str]:
    """Leads about which there is something to write, to record, or to say."""
    return {each.lead_id for each in decided if not each.decision.quiet}


def as_last_agreed(base: pd.DataFrame, airtable: pd.DataFrame, fallback: str) -> pd.DataFrame:
    """
    `airtable` with what was last agreed in each cell that cannot be read: there it counts as unmoved.

    Everything below is asked about such a frame. A lead without a base keeps "" there. `fallback`: see Rules.fallback.
    """
    unreadable = column(airtable, "unreadable").astype(bool)
    if not unreadable.any():
        return airtable
    broken = airtable[unreadable & airtable.index.isin(base.index)]
    pairs = zip(rows_of(base.loc[broken.index], Agreed), rows_of(broken, Lead), strict=True)
    return overlay(airtable, frame_of((_as_agreed(agreed, lead, fallback) for agreed, lead in pairs), Lead))


def _as_agreed(agreed: Agreed, lead: Lead, fallback: str) -> Lead:
    shut = agreed.card_presence in (*SHUT, CardPresence.DELETED)
    last = {"status": agreed.seen_status if shut else agreed.status, "name": agreed.name}
    known: dict[str, Any] = {field: value for field, value in last.items() if not lead.is_readable(field)}
    lacking = {name: value for name, value in agreed.lead_cells.items() if name not in lead.cells}
    lines = {name: str(value) for name, value in lacking.items() if isinstance(value, str)}
    lead = replace(lead, **known, cells={**lacking, **lead.cells}, lines={**lines, **lead.lines})
    lead = replace(lead, email=lead.lines.get(fallback, lead.email))
    if agreed.title and not lead.is_readable("name"):
        return replace(lead, title=agreed.title)
    return replace(lead, title=title_for(lead.lead_id, lead.name, lead.email))


def reconcile(
    base: pd.DataFrame,
    airtable: pd.DataFrame,
    trello: pd.DataFrame,
    rules: Rules,
    adopted: Mapping[str, str] = NONE_ADOPTED,
) -> Reconciled:
    """
    Decide for every lead of which anything moved, and for all of them if a cell means something else by now.

    `airtable` and `trello` hold the read and the looked-up rows (absent_leads, deleted_cards). `adopted`: see identify.
    """
    rows = _to_decide(base, airtable, trello, rules)
    return replace(decide_all(rows, rules, adopted), known=base.index)


def still_moving(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules) -> set[str]:
    """Of which leads `reconcile` would find something to do; what it decides about the others is not kept."""
    rows = _to_decide(base, airtable, trello, rules)
    return moving(_decide_each(rows, identify(rows.base, rows.cards, NONE_ADOPTED), rules))


def _to_decide(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules) -> Moved:
    frames = base, airtable, trello
    return everything(*frames) if rules.lists_apart else moved(*frames, rules.status_map)


def decide_all(rows: Moved, rules: Rules, adopted: Mapping[str, str] = NONE_ADOPTED) -> Reconciled:
    """Decide for each of these rows."""
    identity = identify(rows.base, rows.cards, adopted)
    decided = [*_decide_each(rows, identity, rules)]
    aside = [*identity.listed(), *(entry for each in decided for entry in set_aside(each, rules))]
    return Reconciled(decided, sorted(aside))


def _decide_each(rows: Moved, identity: Identity, rules: Rules) -> Iterator[Decided]:
    claimed, withheld = identity.claimed, identity.withheld
    base = {agreed.lead_id: agreed for agreed in rows.base}
    leads = {lead.lead_id: lead for lead in rows.leads}
    for lead_id in sorted({*base, *leads, *identity.owned}):
        three = base.get(lead_id, NEVER_AGREED), leads.get(lead_id, NO_LEAD), identity.owned.get(lead_id, NO_CARD)
        yield Decided(lead_id, *three, decide(*three, rules, claimed, withheld))


def set_aside(each: Decided, rules: Rules) -> Iterator[SetAside]:
    """What of a lead is set aside; of a cell that has two sides with what taking either would write."""
    for entry in _reasons(each, rules):
        if entry.field and each.decision.row is RowDecision.COMPARE:
            of = sides_of_aside(entry.field, each.agreed, each.lead, each.card, each.decision.stage, rules)
            airtable, trello = of[ConflictPolicy.AIRTABLE], of[ConflictPolicy.TRELLO]
            to_airtable, to_trello = (None if side.objection else side.gives for side in (trello, airtable))
            sides = {"airtable": airtable.told, "trello": trello.told}
            entry = replace(entry, **sides, to_airtable=to_airtable, to_trello=to_trello)
        yield entry


def _reasons(each: Decided, rules: Rules) -> Iterator[SetAside]:
    """
    An orphan, cells that cannot be read, a status that the map does not know, a card in a list that it does not name,
    and values that mean nothing.
    """
    lead = each.lead
    if each.decision.row is RowDecision.ORPHAN:
        reason, remedy = "its LeadID names no lead in the table", "Restore the lead, or archive the card."
        yield SetAside(each.lead_id, each.card_id, "", reason, remedy)
    for cell in lead.unreadable:
        yield SetAside(each.lead_id, each.card_id, cell.cell, cell.reason, cell.remedy)
    for cell in each.card.unreadable:
        yield SetAside(
            each.lead_id, each.card_id, cell.cell, f"the card holds {cell.holds}", cell.remedy, each.card.url
        )
    unknown = lead.presence == LeadPresence.PRESENT and rules.status_map.stage_of_cell(lead.status) == ""
    if unknown and lead.is_readable("status"):
        remedy = f"Set one of {', '.join(rules.status_map.stage_of)}, or add it to SYNC_STATUS_MAP."
        yield SetAside(each.lead_id, each.card_id, "status", f"unknown status {lead.status!r}", remedy)
    if each.decision.cells["status"] is CellDecision.PARKED:
        reason = "the card is parked in a list outside the mapping"
        *others, last = rules.status_map.stages
        remedy = f"Move it to {', '.join(others)} or {last}." if others else f"Move it to {last}."
        yield SetAside(each.lead_id, each.card_id, "status", reason, remedy, each.card.url)
    for mapped in rules.cells:
        readable = lead.is_readable(mapped.field) and each.card.is_readable(mapped.field)
        if each.decision.cells[mapped.field] is CellDecision.QUARANTINED and readable:
            yield _meaningless(each, mapped)
        elif mapped.card.name == "members" and lead.presence is LeadPresence.PRESENT and readable:
            yield from _on_no_card(each, mapped)


def _on_no_card(each: Decided, cell: Cell) -> Iterator[SetAside]:
    """People whom the map calls members that the board has not: they stay with the lead."""
    held = each.lead.cells[cell.name]
    elements = held if isinstance(held, frozenset) else {str(held)}
    for name in sorted(cell.lacking.keys() & elements):
        reason = f"column {cell.row.airtable!r} holds {name!r}, and the board has not one member {cell.lacking[name]!r}"
        remedy = f"Invite that member, choose another, or correct map of {cell.row.where}."
        yield SetAside(each.lead_id, each.card_id, cell.field, reason, remedy)


def _meaningless(each: Decided, cell: Cell) -> SetAside:
    value, remedy = each.lead.cells[cell.name], f"Choose another, or name it in map of {cell.row.where}."
    if cell.airtable.get(value) is not None:
        reason = f"{cell.card} of the card is nothing that column {cell.row.airtable!r} has"
        return SetAside(each.lead_id, each.card_id, cell.field, reason, remedy, each.card.url)
    reason = f"column {cell.row.airtable!r} holds {told(value)!r}, which {cell.card} has not"
    return SetAside(each.lead_id, each.card_id, cell.field, reason, remedy)
