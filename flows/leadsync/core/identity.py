"""Which card is which lead's, and which are set aside with a reason; nothing is guessed about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from leadsync.core.told import SetAside
from leadsync.frames.agreed import Agreed
from leadsync.frames.block import parse
from leadsync.frames.cards import Card, CardPresence

TWO_MARKERS: Final = "two_markers"
OTHER_MARKER: Final = "other_marker"
COPY: Final = "copy"
NONE_ADOPTED: Final[Mapping[str, str]] = {}

# reason -> what is said, and the remedy; of a kind of card that is never a lead's, the kind itself
REMEDIES: Final = {
    TWO_MARKERS: (
        "the card names two different leads",
        "Leave only the LeadID line of the lead it belongs to, and delete the other.",
    ),
    OTHER_MARKER: (
        "the card's LeadID line was changed to another lead's",
        "Put back the line LeadID: {known}, or delete the card if it is not needed.",
    ),
    COPY: (
        "a copy: another card already carries this LeadID",
        "Remove the LeadID line from the copy, or have flows/conflicts.py untie do it.",
    ),
    "template": ("the card is a template", "Remove the LeadID line from the template."),
    "mirror": ("the card is a mirror", "Nothing to do; the mirrored card itself is synced."),
    "separator": ("the card is a separator", "Remove the LeadID line from the separator."),
}


def is_copy(entry: SetAside) -> bool:
    """Whether what is set aside is a copy of its lead's card."""
    return entry.reason == REMEDIES[COPY][0]


@dataclass(frozen=True, slots=True)
class Claim:
    """A card and the lead that it claims to be of. `known`: the lead of which the base knows it, "" if of none."""

    card: Card
    known: str

    @property
    def owner(self) -> str:
        """The base knows better than a marker that somebody may have rewritten."""
        return self.known or self.card.lead_id

    @property
    def objection(self) -> str:
        """Why the card cannot be anybody's as it is, "" if it can."""
        if self.card.markers > 1:
            return TWO_MARKERS
        if self.known and self.card.lead_id not in ("", self.known):
            return OTHER_MARKER
        return self.card.kind if self.card.presence == CardPresence.OPEN else ""

    def rank(self) -> tuple[bool, bool, bool, str]:
        """The card the base knows goes before strangers, an open one before one that is shut, then the oldest."""
        return (self.is_deleted, not self.known, self.card.presence != CardPresence.OPEN, self.card.card_id)

    @property
    def is_deleted(self) -> bool:
        """Whether the card exists no more."""
        return self.card.presence == CardPresence.DELETED


@dataclass(frozen=True)
class Identity:
    """`owned`: lead id -> its card. `aside`: the cards set aside, each with its reason (a key of REMEDIES)."""

    owned: Mapping[str, Card]
    aside: list[tuple[Claim, str]] = field(default_factory=list)

    @property
    def claimed(self) -> set[str]:
        """Leads that an unclear card names: they get no new card before a person has put it right."""
        unclear = (claim.card for claim, reason in self.aside if reason in (TWO_MARKERS, OTHER_MARKER))
        return {lead_id for card in unclear for lead_id in parse(card.description).markers}

    @property
    def withheld(self) -> set[str]:
        """Leads whose own card was set aside."""
        return {claim.known for claim, _ in self.aside if claim.known}

    def listed(self) -> Iterator[SetAside]:
        """The cards set aside, as a person is told of them."""
        for claim, reason in self.aside:
            said, remedy = REMEDIES[reason]
            card = claim.card
            yield SetAside(claim.owner, card.card_id, "", said, remedy.format(known=claim.known), card.url)


def identify(base: Iterable[Agreed], cards: Iterable[Card], adopted: Mapping[str, str] = NONE_ADOPTED) -> Identity:
    """
    The card the base knows, else the oldest by id, open ones before archived ones; the others are copies.

    `adopted`: card id -> the lead that an unmarked card is to become that of; it counts as known by the base.
    """
    rows = list(base)
    known = {**adopted, **{agreed.card_id: agreed.lead_id for agreed in rows}}
    claims = [Claim(card, known.get(card.card_id, "")) for card in cards]
    # an archived stranger that nobody can place is not read again, so it must not hold up a lead this once
    claims = [each for each in claims if each.card.presence != CardPresence.ARCHIVED or each.known or _is_plain(each)]
    aside = [(claim, claim.objection) for claim in claims if claim.objection]
    fit = sorted((claim for claim in claims if claim.owner and not claim.objection), key=Claim.rank)
    first: dict[str, Claim] = {}
    for claim in fit:
        first.setdefault(claim.owner, claim)
    gone = {claim.card.card_id for claim in claims if claim.is_deleted}
    alive = {row.lead_id for row in rows if row.card_presence != CardPresence.DELETED and row.card_id not in gone}
    # a stranger is a copy while the card the base knows still exists, be it archived, away or set aside
    owned = {owner: claim.card for owner, claim in first.items() if claim.known or owner not in alive}
    copies = (claim for claim in fit if owned.get(claim.owner) is not claim.card and not claim.is_deleted)
    return Identity(owned, [*aside, *((claim, COPY) for claim in copies)])


def _is_plain(claim: Claim) -> bool:
    return claim.card.markers == 1
