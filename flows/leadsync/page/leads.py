"""A lead and its card side by side, and how the two stand. Pure. Never here: HTML, the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from leadsync.frames.cards import Card, CardPresence, cards_frame
from leadsync.frames.leads import Lead, LeadPresence, leads_frame
from leadsync.frames.schema import rows_of
from leadsync.state.listed import Listed


class LeadState(StrEnum):
    """How a lead and its card stand, as far as the last run could see."""

    CONFLICT = "conflict"
    FAILED = "failed"
    SET_ASIDE = "set aside"
    GONE = "lead deleted"
    OUT_OF_VIEW = "out of view"
    NO_CARD = "no card yet"
    DELETED = "card deleted"
    ARCHIVED = "archived"
    MOVED_AWAY = "moved away"
    PARKED = "parked"
    DIFFERS = "differs"
    IN_STEP = "in step"


TOLD: Final[Mapping[LeadState, str]] = {
    LeadState.CONFLICT: "Both sides changed the same cell; somebody has to say which value is right.",
    LeadState.FAILED: "The last sync could not write it; the next one tries again.",
    LeadState.SET_ASIDE: "Something about it cannot be synced; the rest of it is.",
    LeadState.GONE: "The lead was deleted in Airtable.",
    LeadState.OUT_OF_VIEW: "The lead left the view that is synced; it and its card are left alone.",
    LeadState.NO_CARD: "The next run makes its card.",
    LeadState.DELETED: "The card was deleted; an edit of the lead's status makes a new one.",
    LeadState.ARCHIVED: "The card is archived; it comes back when the lead's stage is an open one again.",
    LeadState.MOVED_AWAY: "The card lies on another board and is left alone.",
    LeadState.PARKED: "The card lies in a list outside the status map; no status comes from there.",
    LeadState.DIFFERS: "One side has changed; the next run carries it over.",
    LeadState.IN_STEP: "Both sides hold what was agreed.",
}

UNDER_WAY: Final = (LeadState.NO_CARD, LeadState.DIFFERS, LeadState.IN_STEP)
OPEN: Final = CardPresence.OPEN
# (lead, card) as the base knows them -> state; the first that fits
LEADS: Final[Mapping[str, LeadState]] = {
    LeadPresence.GONE: LeadState.GONE,
    LeadPresence.OUT_OF_VIEW: LeadState.OUT_OF_VIEW,
}
CARDS: Final[Mapping[str, LeadState]] = {
    CardPresence.ARCHIVED: LeadState.ARCHIVED,
    CardPresence.ARCHIVED_BY_US: LeadState.ARCHIVED,
    CardPresence.MOVED_AWAY: LeadState.MOVED_AWAY,
    CardPresence.DELETED: LeadState.DELETED,
}


@dataclass(frozen=True)
class Places:
    """
    Where the two sides are. `table_id`: "" if it is not known. `stages`: list id -> stage; `columns`: those of name and
    status.
    """

    base_id: str
    table_id: str
    board_id: str
    stages: Mapping[str, str]
    columns: Mapping[str, str]

    def lead_url(self, lead_id: str) -> str:
        """Where a person opens the lead; the base, while the table's id is not known: its name is in no address."""
        table = f"/{self.table_id}/{lead_id}" if self.table_id else ""
        return f"https://airtable.com/{self.base_id}{table}"


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    lead_id: str
    name: str
    status: str
    lead_url: str
    title: str
    stage: str
    card_url: str
    state: LeadState
    differs: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """The state as a sentence."""
        return TOLD[self.state]


def rows_side_by_side(listed: Sequence[Listed], places: Places, waiting: Mapping[str, LeadState]) -> list[Row]:
    """`waiting`: lead id -> what somebody has to decide about it."""
    records = [each.record for each in listed if each.record]
    leads = {lead.lead_id: lead for lead in rows_of(leads_frame(records, places.columns, ()), Lead)}
    shown = {each.agreed.card_id: each.card for each in listed if each.card and each.agreed.card_presence == OPEN}
    frame = cards_frame(shown.values(), places.board_id, places.stages, shown, ())
    cards = {card.card_id: card for card in rows_of(frame, Card)}
    return [
        _row(each, leads.get(each.lead_id), cards.get(each.agreed.card_id), places, waiting.get(each.lead_id))
        for each in listed
    ]


def _row(listed: Listed, lead: Lead | None, card: Card | None, places: Places, waits: LeadState | None) -> Row:
    agreed = listed.agreed
    differs = tuple(_differences(listed, lead, card))
    return Row(
        lead_id=listed.lead_id,
        name=(lead.name if lead else agreed.name) or (lead.title if lead else agreed.title) or listed.lead_id,
        status=lead.status if lead else agreed.status,
        lead_url=places.lead_url(listed.lead_id),
        title=card.title if card else agreed.title,
        stage=(card.stage or "another list") if card else agreed.stage,
        card_url=card.url if card and card.url else f"https://trello.com/c/{agreed.card_id}" if agreed.card_id else "",
        state=_more_telling(waits, _state_of(listed, card, differs)),
        differs=differs,
    )


def _more_telling(waits: LeadState | None, is_now: LeadState) -> LeadState:
    """A conflict, or a failure, is told before all; that something is set aside, where nothing else is to be said."""
    return waits if waits and (waits is not LeadState.SET_ASIDE or is_now in UNDER_WAY) else is_now


def _state_of(listed: Listed, card: Card | None, differs: Sequence[str]) -> LeadState:
    agreed = listed.agreed
    if agreed.lead_presence in LEADS:
        return LEADS[agreed.lead_presence]
    if not agreed.card_id:
        return LeadState.NO_CARD
    if agreed.card_presence in CARDS:
        return CARDS[agreed.card_presence]
    if card and not card.stage:
        return LeadState.PARKED
    return LeadState.DIFFERS if differs else LeadState.IN_STEP


def _differences(listed: Listed, lead: Lead | None, card: Card | None) -> list[str]:
    """Which of the cells that every pair has are not as they were agreed."""
    agreed, found = listed.agreed, []
    if not agreed.card_id:
        return []
    if lead and agreed.stage and lead.status != agreed.status:
        found.append("status in Airtable")
    if lead and agreed.title and lead.name != agreed.name:
        found.append("name in Airtable")
    if card and card.stage and agreed.stage and card.stage != agreed.stage:
        found.append("list on Trello")
    if card and agreed.title and card.title != agreed.title:
        found.append("title on Trello")
    return found
