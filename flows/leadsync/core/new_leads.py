"""
Cards without a LeadID line that are to become leads: which, with what, and which look like a lead that is there.

Pure. Never here: a card that is a template, of another pair, or outside the map; a request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from leadsync.core.contact import Traits
from leadsync.core.plan import NewLead
from leadsync.core.told import SetAside
from leadsync.frames.cards import Card, CardPresence
from leadsync.frames.leads import Lead

OF_A_LEAD = "it becomes no lead: lead {lead} {why}"
MARK_IT = (
    "If it is that lead's card, write LeadID: {lead} on a line of its own into its description; else change what both "
    "have."
)
BACK = "Put it back to be tied to its lead; or empty the cell with the card's id in that lead, which then gets another."
PUT_AWAY: Final[Mapping[str, str]] = {CardPresence.ARCHIVED: "archived", CardPresence.MOVED_AWAY: "on another board"}
HAS_ONE = "That lead has a card already: archive one of the two, or take the address out of this one."


def choose(
    cards: Iterable[Card], leads: Collection[Lead], without_card: Collection[str], status_for: Mapping[str, str]
) -> tuple[list[NewLead], list[SetAside]]:
    """
    `cards`: those that may become leads. `leads`: all there are; `without_card`: ids of those that no card is tied to.

    A card is set aside if it names the e-mail address of a lead, or of a card that becomes one, or is called like a
    lead without a card: it may be that lead's. The cards are gone through from the oldest on.
    """
    addressed: dict[str, str] = {}
    called: dict[str, str] = {}
    for lead in leads:
        traits = Traits.of_lead(lead)
        addressed |= dict.fromkeys(traits.addresses, lead.lead_id)
        if lead.lead_id in without_card and traits.title:
            called[traits.title] = lead.lead_id
    new, aside = list[NewLead](), list[SetAside]()
    first: dict[str, Card] = {}
    for card in sorted(cards, key=lambda card: card.card_id):
        traits = Traits.of_card(card)
        same = next((address for address in sorted(traits.addresses) if address in addressed), "")
        twin = next((first[address] for address in sorted(traits.addresses) if address in first), None)
        if same:
            lead_id = addressed[same]
            remedy = MARK_IT if lead_id in without_card else HAS_ONE
            aside.append(_aside(card, lead_id, f"has the same e-mail address, {same}", remedy))
        elif traits.title in called:
            aside.append(_aside(card, called[traits.title], "has no card, and is called the same", MARK_IT))
        elif twin is not None:
            reason = (
                f"it becomes no lead yet: another card with the same e-mail address does ({twin.url or twin.card_id})"
            )
            aside.append(SetAside("", card.card_id, "", reason, "Run again: it is compared with that lead.", card.url))
        else:
            first |= dict.fromkeys(traits.addresses, card)
            email = next(iter(traits.addresses)) if len(traits.addresses) == 1 else ""
            new.append(NewLead(card, status_for[card.stage], email))
    return new, aside


def _aside(card: Card, lead_id: str, why: str, remedy: str) -> SetAside:
    reason = OF_A_LEAD.format(lead=lead_id, why=why)
    return SetAside(lead_id, card.card_id, "", reason, remedy.format(lead=lead_id), card.url)


def claimed(card: Card, lead_ids: Collection[str]) -> Iterator[SetAside]:
    """A card whose id several leads tell, or one that has another card: for a person to say whose it is."""
    for lead_id in sorted(lead_ids):
        why = "tells its id, as another lead does" if len(lead_ids) > 1 else "tells its id, and has another card"
        yield _aside(card, lead_id, why, "Empty the cell with the card's id in the lead whose card it is not.")


def put_away(card: Card, lead_id: str) -> SetAside | None:
    """A lead is to get a card, and tells the id of this one, which no read shows as one of leads; None if it may."""
    where = PUT_AWAY.get(card.presence, f"a {card.kind}" if card.kind else "")
    if card.markers or not where:
        return None
    return SetAside(
        lead_id, card.card_id, "card", f"it gets no card: it tells the id of one that is {where}", BACK, card.url
    )
