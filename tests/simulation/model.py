"""
A model of what one run makes of one lead and its only card: exact, where rules.py asks for the weaker thing.

It speaks of what is plain only: a run that read all, that nothing and nobody disturbed, and of which it is known what
both sides had agreed on before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulation.ledger import STATUS_FOR, TWO_WAY, Sight, is_error, markers
from simulation.rules import Breach
from support.told import Told


@dataclass(frozen=True)
class Seen:
    """One lead and its only open card."""

    lead: str
    card_id: str
    status: str
    place: str
    ticked: bool
    name: str
    title: str
    email: str

    @property
    def wanted_title(self) -> str:
        return self.name or self.email or f"Unnamed lead {self.lead}"


@dataclass(frozen=True)
class Agreed:
    """What both sides agreed on, by cell."""

    card_id: str
    status: tuple[str, str, bool]
    """Status, list, ticked."""
    name: tuple[str, str]
    """Name, title."""


class Model:
    """`stages`: status -> list. `agreed`: by lead, as far as it is certain. `copies`: set aside by the last run."""

    def __init__(self, stages: Mapping[str, str], ticks: bool = True) -> None:
        """`ticks`: whether they say something about the list."""
        self._stages, self._ticks = stages, ticks
        self.agreed: dict[str, Agreed] = {}
        self.copies: set[str] = set()

    def forget(self) -> None:
        """Nobody can say what was agreed."""
        self.agreed.clear()

    def seen(self, sight: Sight) -> dict[str, Seen]:
        """The leads of which something can be said."""
        return {lead: seen for lead in self.agreed if (seen := self._plain(lead, sight))}

    def check(self, before: Mapping[str, Seen], sight: Sight, report: Told, policy: str) -> None:
        """After a plain run. Raises: Breach."""
        for lead, was in before.items():
            base = self.agreed[lead]
            if base.card_id != was.card_id:
                continue
            now = self._plain(lead, sight)
            if now is None:
                raise Breach("as the model has it", f"{lead}: the sync archived or doubled a card in use")
            status, place, staged_apart = self._status_after(base, was, policy)
            name, title, named_apart = self._name_after(base, was, policy)
            wanted, found = (status, place, name, title), (now.status, now.place, now.name, now.title)
            if found != wanted:
                raise Breach("as the model has it", f"{lead}: {was} with {base} becomes {found}, not {wanted}")
            apart = {cell for cell, is_apart in zip(TWO_WAY, (staged_apart, named_apart), strict=True) if is_apart}
            listed = {row["field"] for row in report.conflicts if row["lead_id"] == lead and row["field"] in TWO_WAY}
            if listed != apart:
                raise Breach("as the model has it", f"{lead}: {was} with {base} lists {listed}, not {apart}")
            if self._ticks and was.ticked != now.ticked and (now.ticked or place == "DONE"):
                raise Breach("as the model has it", f"{lead}: ticked {was.ticked} -> {now.ticked} in {place}")

    def remember(self, sight: Sight, leads: list[str], report: Told) -> None:
        """After a plain run: a cell is agreed when both sides say the same; until then what it was before stands."""
        self.copies = {row["card_id"] for row in report.quarantine if row["reason"].startswith("a copy")}
        for lead in leads:
            seen, was = self._plain(lead, sight, beside_copies=True), self.agreed.get(lead)
            if seen is None or (was and seen.card_id != was.card_id and was.card_id in sight.cards):
                continue
            staged, named = self._is_staged(seen), seen.title == seen.wanted_title
            status, name = (seen.status, seen.place, seen.ticked), (seen.name, seen.title)
            if was is None or seen.card_id != was.card_id:
                self.agreed.pop(lead, None)
                if staged and named:
                    self.agreed[lead] = Agreed(seen.card_id, status, name)
                continue
            self.agreed[lead] = Agreed(was.card_id, status if staged else was.status, name if named else was.name)

    def doubt(self, sight: Sight, leads: list[str], edited: set[str]) -> None:
        """After any other run: only what is as it was agreed is certain. `edited`: meanwhile, and may be given back."""
        for lead in leads:
            seen, was = self._plain(lead, sight, beside_copies=True), self.agreed.get(lead)
            now = seen and Agreed(seen.card_id, (seen.status, seen.place, seen.ticked), (seen.name, seen.title))
            if now != was or lead in edited:
                self.agreed.pop(lead, None)

    def _plain(self, lead: str, sight: Sight, *, beside_copies: bool = False) -> Seen | None:
        """
        The lead and its card, if there is nothing to wonder about: both there, one card, open, on the board.

        beside_copies: others may carry the marker too, since the card that the base knows speaks for the lead.
        """
        cells, cards = sight.records.get(lead), sight.cards_of(lead)
        known = self.agreed[lead].card_id if lead in self.agreed else ""
        if known in sight.cards and known not in cards and not markers(sight.cards[known]["desc"]):
            cards = [*cards, known]  # its marker was deleted by a person
        if beside_copies and known in cards:
            cards = [known]
        if cells is None or len(cards) != 1 or cards[0] in self.copies or any(map(is_error, cells.values())):
            return None
        card = sight.cards[cards[0]]
        if not sight.is_usable(card) or len(markers(card["desc"])) > 1:
            return None
        status, name, email = (sight.text(lead, cell) for cell in ("status", "name", "email"))
        return Seen(lead, cards[0], status, sight.place(card), card["dueComplete"], name, card["name"], email)

    def _is_staged(self, seen: Seen) -> bool:
        return self._stages.get(seen.status or "NEW") == seen.place

    def _status_after(self, base: Agreed, now: Seen, policy: str) -> tuple[str, str, bool]:
        """Status and list after a run, and whether a conflict is listed."""
        was_status, was_place, was_ticked = base.status
        stage = "DONE" if self._ticks and now.place == was_place and now.ticked and not was_ticked else now.place
        if now.place not in STATUS_FOR or (now.status and now.status not in self._stages):
            return now.status, now.place, False
        wanted = self._stages[now.status or "NEW"]
        lead_moved, card_moved = (now.status or "NEW") != (was_status or "NEW"), stage != was_place
        if wanted == stage:
            return now.status, stage, False
        if lead_moved and card_moved and policy == "hold":
            return now.status, now.place, True
        if card_moved and (not lead_moved or policy == "trello"):
            return STATUS_FOR[stage], stage, lead_moved
        return now.status, wanted, lead_moved and card_moved

    def _name_after(self, base: Agreed, now: Seen, policy: str) -> tuple[str, str, bool]:
        """Name and title after a run, and whether a conflict is listed."""
        was_name, was_title = base.name
        if now.title == now.wanted_title:
            return now.name, now.title, False
        silent = now.title == "" or (now.name == "" and now.title in (now.email, f"Unnamed lead {now.lead}"))
        lead_moved, card_moved = now.name != was_name, now.title != was_title and not silent
        if lead_moved and card_moved and policy == "hold":
            return now.name, now.title, True
        if card_moved and (not lead_moved or policy == "trello"):
            return now.title, now.title, lead_moved
        return now.name, now.wanted_title, lead_moved and card_moved
