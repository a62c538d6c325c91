"""An adoption is taken back: the cards are as before, byte for byte, nobody's, and no run ties them again by itself."""

from __future__ import annotations

import pytest

from leadsync.errors import TransientServiceError
from leadsync.pipeline.steps import UndoChoice
from support.past_changes import runs_of, seen

TEXTS = ["", "write to {}@example.com", "Mine, {}@example.com\n", "Mine.\n\n{}@example.com\n\n", "\n"]


class Office:
    """Leads, and cards of theirs that carry no LeadID line, adopted by a run. `before`: as all was then."""

    def __init__(self, world):
        self.world = world
        self.leads = [
            world.lead(f"Ada {number}", "CONTACTED", email=f"ada{number}@example.com") for number in range(len(TEXTS))
        ]
        self.cards = [
            world.trello.add_card("DONE", f"Ada {number}", text.format(f"ada{number}"))
            for number, text in enumerate(TEXTS)
        ]
        self.before = self.now
        world.sync(adopt="name")
        self.run, self.after = runs_of(world)[0].run_id, self.now

    @property
    def now(self):
        """As people see it; a card that the run created for another lead is left out."""
        there = seen(self.world)
        return {"leads": there["leads"], "cards": {each: there["cards"][each] for each in self.cards}}

    def undo(self, run="", lead="", **more):
        return self.world.sync(asked={"undo": UndoChoice(run or self.run, lead)}, **more)


@pytest.fixture(params=["first contact", "later"])
def office(world, request):
    """The run is the first of all, or leads and cards came later."""
    if request.param == "later":
        world.linked("Bea", "NEW")
    return Office(world)


def assert_rests(world, leads):
    """Nothing is written, and each lead waits for a person."""
    for read in ("full", "delta", "delta"):
        report = world.sync(read=read)
        assert (report.changes, world.writes()) == ([], 0)
        assert {row["lead_id"] for row in report.quarantine if "gets no card" in row["reason"]} == {*leads}


def test_adopted_cards_are_as_before_and_nobodys(office, world):
    assert all(lead in world.trello.card(card)["desc"] for lead, card in zip(office.leads, office.cards, strict=True))
    report = office.undo()
    assert report.quarantine == []
    assert office.now == office.before
    assert_rests(world, office.leads)
    assert world.sync().conflicts == []


def test_undone_adoption_that_is_undone_ties_them_again(office, world):
    office.undo()
    for _ in range(2):
        office.undo(runs_of(world)[0].run_id)
        assert office.now == office.after
        world.assert_idle()
        office.undo(runs_of(world)[0].run_id)
        assert office.now == office.before
    office.undo(runs_of(world)[0].run_id)
    world.airtable.edit(office.leads[0], status="LOST")
    world.sync()
    assert world.place(office.leads[0]) == "DONE"
    world.assert_idle()


def test_one_adoption_is_taken_back_alone(office, world):
    office.undo(lead=office.leads[1])
    assert [lead in world.trello.card(card)["desc"] for lead, card in zip(office.leads, office.cards, strict=True)] == [
        True,
        False,
        True,
        True,
        True,
    ]
    assert_rests(world, office.leads[1:2])


def test_card_is_adopted_anew_by_its_line_or_by_another_choice(office, world):
    """What a person says then is done; what was chosen before holds for these leads no more."""
    office.undo()
    world.trello.edit(office.cards[0], desc=f"LeadID: {office.leads[0]}")
    world.sync()
    assert world.place(office.leads[0]) == "IN_PROGRESS"
    world.sync(adopt="name")
    assert all(lead in world.trello.card(card)["desc"] for lead, card in zip(office.leads, office.cards, strict=True))
    assert [len(world.cards_of(lead)) for lead in office.leads] == [1] * len(TEXTS)
    world.assert_idle()


@pytest.mark.parametrize("side", ["airtable", "trello"])
def test_card_that_somebody_works_on_stays_tied(office, world, side):
    """Of that lead nothing is lost and nothing is torn; the others are let go."""
    if side == "airtable":
        world.airtable.edit(office.leads[0], status="NEW")
    else:
        world.trello.move(office.cards[0], "TODO")
    report = office.undo()
    assert {(row["lead_id"], row["field"]) for row in report.quarantine} == {
        (office.leads[0], "status"),
        (office.leads[0], "marker"),
    }
    assert office.leads[0] in world.trello.card(office.cards[0])["desc"]
    report = world.sync()
    assert (world.status(office.leads[0]), world.place(office.leads[0])) == ("NEW", "TODO")
    assert len(report.quarantine) == len(TEXTS) - 1


def test_text_written_since_stays(office, world):
    card = world.trello.card(office.cards[1])
    world.trello.edit(office.cards[1], desc=f"News.\n{card['desc']}\n\nAnd more.")
    office.undo()
    desc = world.trello.card(office.cards[1])["desc"]
    assert desc.split() == ["News.", "write", "to", "ada1@example.com", "And", "more."]
    assert_rests(world, office.leads)


def test_edit_made_in_the_moment_of_the_write_is_given_back(office, world):
    """Without our lines."""
    card, edited = office.cards[1], []

    def edit(request, _at):
        if request.method == "PUT" and card in request.path and not edited:
            edited.append(request)
            world.trello.edit(card, desc="News.\n\n" + world.trello.card(card)["desc"])

    stop = world.emulator.before_request(edit)
    office.undo()
    stop()
    assert world.trello.card(card)["desc"].split() == ["News.", "write", "to", "ada1@example.com"]
    assert_rests(world, office.leads)


def test_undo_that_failed_is_made_again(world, monkeypatch):
    """The cards had lost their line when Airtable went away; then all of it is taken back, and let go."""

    def away(*_):
        raise TransientServiceError("Airtable is away")

    world.env["SYNC_CONFLICT"] = "trello"
    office = Office(world)
    assert world.status(office.leads[0]) == "QUALIFIED"
    with monkeypatch.context() as patched:
        patched.setattr("leadsync.pipeline.one_pass.load_leads", away)
        office.undo(exit_code=1)
    assert office.now == {"leads": office.after["leads"], "cards": office.before["cards"]}
    office.undo()
    assert office.now == office.before
    assert_rests(world, office.leads)


def test_card_that_would_become_another_lead_stays_tied(world):
    """Where cards without the line become leads, one would be made of it."""
    world.airtable.add_field("Card", "singleLineText")
    world.env |= {"SYNC_CREATE_LEADS": "on", "SYNC_CREATE_LEADS_LABEL": "Lead", "AIRTABLE_CARD_ID_FIELD": "Card"}
    office = Office(world)
    report = office.undo()
    assert {row["field"] for row in report.quarantine} == {"marker"}
    assert len(report.quarantine) == len(TEXTS)
    assert office.now["leads"] == office.before["leads"]
