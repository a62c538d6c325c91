"""Any text in any cell, title or description: the right write or a quarantine with a remedy, and then rest."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.harness import STAGE_OF, World, markers

FOREIGN = "LeadID: rec" + "X" * 14
SNIPPETS = (
    "👩‍💻🦊",
    "\u202eשלום عالم\u202c",
    "Zoe\u0308 e\u0301\u0323",
    "\u200b\ufeff\u00a0",
    "two\r\nlines",
    "tab\there",
    "\x01\x0b\x0c\x1b[31m\x1c\x1f\x7f\x85\u2028\u2029",
    "*b* _i_ `c` ~~s~~ # h > q | t",
    "[text](https://example.com/a_b)",
    "<https://example.com> <b>",
    "https://example.com/a_(b)?c=d&e_f",
    "a_b+c@example.com",
    "\\",
    "\\_\\*",
    "–",
    "…",
    "E-mail: else@example.com",
    "Source: elsewhere",
    "LeadID:",
    "LeadID: rec123",
    "Unnamed lead recXXXXXXXXXXXXXX",
    "'\"%s{}",
)
FULL = ("x" * 16_384, "x" * 16_385, "👩" * 8_192, "👩" * 8_193, "a_" * 8_193)
anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
mixed = st.lists(st.sampled_from(SNIPPETS) | anything, max_size=4).map("".join)
MISLEADING = (FOREIGN, f"\n{FOREIGN}\n", "Lead details from Airtable")
cells = st.one_of(st.none(), mixed, mixed, st.sampled_from((*FULL, *MISLEADING)))
spaced = mixed.map(lambda text: f"{text}\r\n\r\n")
notes = st.one_of(st.just(""), mixed, spaced, st.sampled_from(("y" * 16_000, "\n\n\n")))
ODD_CARDS = ({"isTemplate": True}, {"cardRole": "mirror"}, {"cardRole": "separator"}, {"cardRole": "link"})
SYNCS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Lead:
    """What a person typed; `card` is the one they made for it by hand, if any."""

    name: str | None
    email: str | None
    source: str | None
    status: str | None
    card: Card | None


@dataclass(frozen=True)
class Card:
    """`above` and `below` are the person's; between them stands the marker, or several."""

    title: str
    above: str
    below: str
    place: str
    second_marker: bool
    looks: dict[str, object]


cards = st.builds(
    Card,
    title=cells.map(lambda text: (text or "")[:16_384]),
    above=notes,
    below=notes,
    place=st.sampled_from(("TODO", "IN_PROGRESS", "DONE", "Waiting")),
    second_marker=st.sampled_from((False, False, False, True)),
    looks=st.sampled_from(({}, {}, {}, {"dueComplete": True}, {"closed": True}, *ODD_CARDS)),
)
leads = st.builds(
    Lead,
    name=cells,
    email=cells,
    source=cells,
    status=st.sampled_from((*STAGE_OF, None, "PAUSED")),
    card=st.none() | cards,
)


class Stage(World):
    """The leads and cards of an example, and what people wrote around the markers."""

    def __init__(self, folder: str, typed: list[Lead]) -> None:
        super().__init__(Path(folder))
        self.airtable.add_select_option("status", "PAUSED")
        self.trello.add_list("Waiting")
        self.lead("Uninvolved")
        self.around: dict[str, tuple[str, str]] = {}
        for lead in typed:
            lead_id = self.lead(lead.name, lead.status, email=lead.email, source=lead.source)
            if lead.card:
                self.add_card(lead_id, lead.card)

    def add_card(self, lead_id: str, card: Card) -> None:
        above, below = f"{card.above}\n" if card.above else "", f"\n{card.below}" if card.below else ""
        marker = f"LeadID: {lead_id}" + (f"\n{FOREIGN}" if card.second_marker else "")
        looks = {"name": card.title, "desc": f"{above}{marker}{below}", **card.looks}
        self.around[self.trello.add_card(card.place, **looks)] = above, below

    def note(self, text: str) -> None:
        """People write above and below whatever each card says."""
        for card_id, card in self.trello.cards().items():
            self.trello.edit(card_id, desc=f"{text}\n{card['desc']}\n{text}")
            self.around[card_id] = f"{text}\n", f"\n{text}"

    def checked_sync(self) -> None:
        """One run that must go well, and a further one that has nothing left to do."""
        before = self.airtable.records()
        report = self.sync()
        assert (report.failures, report.postponed) == ([], [])
        assert all(row["reason"] and row["remedy"] for row in report.quarantine)
        self.check_cards({row["lead_id"] for row in report.quarantine})
        for lead, now in self.airtable.records().items():
            assert {**before[lead], **{cell: now.get(cell) for cell in ("status", "name") if cell in now}} == now
        told = [[row | {"lead_name": ""} for row in each.quarantine] for each in (self.assert_idle(), report)]
        assert told[0] == told[1]  # but for what people call a lead, which the first run may have changed

    def check_cards(self, aside: set[str]) -> None:
        """
        Each lead has one card or is set aside; the texts around the markers are as people wrote them.

        An archived card that names two leads is nobody's, and holds nobody up.
        """
        for lead in self.airtable.records():
            unclear = [card for card in self.cards_of(lead) if card["closed"] and len(markers(card)) > 1]
            assert lead in aside or len(self.cards_of(lead)) - len(unclear) == 1, lead
        for card_id, (above, below) in self.around.items():
            description = self.trello.card(card_id)["desc"]
            assert (description[: len(above)], description[len(description) - len(below) :]) == (above, below)


def act(typed: list[Lead], note: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(folder, typed)
        stage.checked_sync()
        stage.note(note)
        for lead in stage.airtable.records():
            stage.airtable.edit(lead, email="new_mail@example.com", source=note)
        stage.checked_sync()
        for card in stage.trello.cards().values():
            stage.trello.save_in_editor(card["id"])
        stage.around.clear()
        stage.assert_idle()
        stage.close()


typed = st.lists(leads, min_size=1, max_size=4)
short_notes = mixed.filter(lambda text: not text.strip().startswith(("LeadID", "E-mail", "Source")))


@settings(SYNCS, max_examples=6, phases=set(Phase) - {Phase.shrink})
@given(typed=typed, note=short_notes)
def test_any_text_comes_to_rest(typed, note):
    act(typed, note)


@pytest.mark.exhaustive
@settings(SYNCS, max_examples=500)
@given(typed=typed, note=short_notes)
def test_any_text_comes_to_rest_for_long(typed, note):
    act(typed, note)
