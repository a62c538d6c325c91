"""
Leads without a card, and cards that carry no LeadID line and look like theirs: which is whose, and which is unclear.

A title or an e-mail address tells who is meant, and proves nothing: what does not match one to one is for a person to
say. Pure. Never here: what follows for a cell (see decide.py), a card of another pair.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from leadsync.core.told import SetAside
from leadsync.frames.block import unescaped
from leadsync.frames.cards import Card
from leadsync.frames.leads import Lead
from leadsync.model import Adopt
from leadsync.texts import text

LISTED: Final = 3
"""Cards that are named where many look like one lead."""
_LOCAL: Final = r"[\w.+%'&*~-]"
_LABEL: Final = r"(?:[^\W_]|-)+"
ADDRESS: Final = re.compile(rf"(?<!{_LOCAL}){_LOCAL}++@(?=({_LABEL}(?:\.{_LABEL})*))\1(?!@)")
# A look ahead and what it found stand for a possessive group: Python before 3.11.5 matches those wrongly.
"""One that begins and ends where nothing of an address stands beside it; each character is looked at once."""
MARKUP: Final = "*_~'."
"""What a text may put before an address, to set it off, and an address may begin with, too."""


class Met(StrEnum):
    """What becomes of a lead that has no card."""

    CREATE = "create"
    ADOPT = "adopt"
    ASIDE = "aside"


# (cards are declined, one matches one to one, others look alike) -> what becomes of the lead
MEETINGS: Final[Mapping[tuple[bool, bool, bool], Met]] = {
    (True, False, False): Met.CREATE,
    (True, False, True): Met.CREATE,
    (True, True, False): Met.CREATE,
    (True, True, True): Met.CREATE,
    (False, True, False): Met.ADOPT,
    (False, True, True): Met.ADOPT,
    (False, False, True): Met.ASIDE,
    (False, False, False): Met.CREATE,
}


@dataclass(frozen=True, slots=True)
class Traits:
    """What a lead or a card is recognised by, in the form in which it is compared."""

    title: str
    addresses: frozenset[str]

    @classmethod
    def of_lead(cls, lead: Lead) -> Traits:
        """Its title, and the addresses in its e-mail cell."""
        return cls(_folded(lead.title), addresses_in(lead.email))

    @classmethod
    def of_card(cls, card: Card) -> Traits:
        """Its title, and the addresses in title and description."""
        return cls(_folded(card.title), addresses_in(card.title) | addresses_in(card.description))


def _folded(title: str) -> str:
    return " ".join(text(title.casefold()).split())


def addresses_in(said: str) -> frozenset[str]:
    """
    The e-mail addresses in a text, in small letters.

    Letters of scripts without capitals stand beside an address without a blank, and in one: it is looked for both ways.
    """
    flats = [text(unescaped(said)).casefold()]
    if not flats[0].isascii():
        flats.append("".join(" " if unicodedata.category(each) == "Lo" else each for each in flats[0]))
    found = {match[0] for flat in flats if "@" in flat for match in ADDRESS.finditer(flat)}
    bare = {address.strip("-") for address in found}
    bare |= {address.lstrip(MARKUP) for address in bare}
    return frozenset(address for address in bare if not address.startswith("@") and not address.endswith("@"))


@dataclass(frozen=True)
class _Index:
    """Whoever shows a trait, by that. The lists are in the order of the ids."""

    traits: Mapping[str, Traits]

    @cached_property
    def titled(self) -> Mapping[str, Sequence[str]]:
        return _by((item_id, [each.title]) for item_id, each in self.traits.items())

    @cached_property
    def addressed(self) -> Mapping[str, Sequence[str]]:
        return _by((item_id, each.addresses) for item_id, each in self.traits.items())

    def by_name(self, traits: Traits) -> Iterator[str]:
        yield from self.titled.get(traits.title, ()) if traits.title else ()

    def by_email(self, traits: Traits) -> Iterator[str]:
        for address in sorted(traits.addresses):
            yield from self.addressed.get(address, ())

    def alike(self, traits: Traits) -> Iterator[str]:
        yield from self.by_email(traits)
        yield from self.by_name(traits)

    def without(self, ids: Collection[str]) -> _Index:
        return _Index({item_id: each for item_id, each in self.traits.items() if item_id not in ids})


def _by(shown: Iterable[tuple[str, Iterable[str]]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item_id, keys in shown:
        for key in keys:
            found.setdefault(key, []).append(item_id)
    return found


@dataclass(frozen=True)
class Contact:
    """
    What becomes of the leads that cards look like.

    `adopted`: card id -> lead id. `aside`: lead id -> cards that look like it, LISTED at most. `declined`: cards that
    look like leads which get cards of their own all the same; `doubled`: those leads.
    """

    adopted: Mapping[str, str] = field(default_factory=dict)
    aside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    declined: frozenset[str] = frozenset()
    doubled: frozenset[str] = frozenset()

    @property
    def leads(self) -> frozenset[str]:
        """All that a card looks like."""
        return frozenset(self.adopted.values()) | self.aside.keys() | self.doubled


def meet(leads: Iterable[Lead], cards: Iterable[Card], adopt: Adopt, chosen: Collection[str] | None = None) -> Contact:
    """
    Tell whose the cards are. `leads`: those that are to get a card. `cards`: open, and no lead's as yet.

    `adopt` holds for the leads `chosen`, None for all of them; the others are set aside if a card looks like them.
    Matched one to one is a lead that is like a single card, which is like no other of the leads; by title or by
    address, as `adopt` says. Takes a time that grows with the number of leads and cards, whatever they are like.
    """
    of_lead = {lead.lead_id: Traits.of_lead(lead) for lead in sorted(leads, key=lambda lead: lead.lead_id)}
    of_card = {card.card_id: Traits.of_card(card) for card in sorted(cards, key=lambda card: card.card_id)}
    may = of_lead.keys() if chosen is None else of_lead.keys() & {*chosen}
    theirs, ours = _Index(of_card), _Index(of_lead)
    matched = {lead: card for lead, card in _one_to_one(ours, theirs, adopt) if lead in may}
    left = theirs.without({*matched.values()})
    adopted, aside, doubled = dict[str, str](), dict[str, Sequence[str]](), set[str]()
    for lead_id, traits in of_lead.items():
        alike = _first(left.alike(traits))
        declines = adopt is Adopt.NONE and lead_id in may
        met = MEETINGS[declines, lead_id in matched, bool(alike)]
        if met is Met.ADOPT:
            adopted[matched[lead_id]] = lead_id
        elif met is Met.ASIDE:
            aside[lead_id] = alike
        elif alike:
            doubled.add(lead_id)
    refused = _Index({lead_id: of_lead[lead_id] for lead_id in doubled})
    declined = {card_id for card_id, traits in of_card.items() if _first(refused.alike(traits))}
    return Contact(adopted, aside, frozenset(declined), frozenset(doubled))


def _one_to_one(leads: _Index, cards: _Index, adopt: Adopt) -> Iterator[tuple[str, str]]:
    if adopt not in (Adopt.EMAIL, Adopt.NAME):
        return
    by = _Index.by_email if adopt is Adopt.EMAIL else _Index.by_name
    for lead_id, traits in leads.traits.items():
        card_id = _only(by(cards, traits))
        if card_id and _only(by(leads, cards.traits[card_id])) == lead_id:
            yield lead_id, card_id


def _only(ids: Iterator[str]) -> str:
    """The one that is named, if need be several times; "" if none or more are."""
    first = next(ids, "")
    return first if all(each == first for each in ids) else ""


def _first(ids: Iterator[str]) -> list[str]:
    found: dict[str, None] = {}
    for each in ids:
        found[each] = None
        if len(found) == LISTED:
            break
    return [*found]


def listed(contact: Contact, cards: Mapping[str, Card]) -> Iterator[SetAside]:
    """The leads set aside, as a person is told of them. `cards`: by id."""
    for lead_id, alike in contact.aside.items():
        first, several = cards[alike[0]], len(alike) > 1
        which = ", ".join(cards[card_id].url or card_id for card_id in alike)
        says = "cards without a LeadID line look" if several else "a card without a LeadID line looks"
        yield SetAside(
            lead_id,
            first.card_id,
            "card",
            f"it gets no card: {says} like it ({which})",
            f"Write LeadID: {lead_id} on a line of its own into the description of {'its card' if several else 'that'}"
            "; if none is its, run flows/sync.py once with --adopt none: such leads then get cards of their own.",
            first.url,
        )
