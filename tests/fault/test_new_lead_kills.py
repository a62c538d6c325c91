"""Leads from cards, cut anywhere: nothing is doubled, and nobody's edit made in between is lost."""

from functools import partial
from itertools import count

import pytest

from emulator import Fault
from leadsync.errors import Exit
from support.harness import MARKER, World
from support.kills import is_killed, killed_after

COLUMN = "card_id"
RARE = pytest.mark.exhaustive


class Desk(World):
    """Two leads with cards, and two cards that are to become leads."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, ordered=True, env={"SYNC_CREATE_LEADS": "on"})
        self.airtable.add_field(COLUMN)
        self.leads = [self.lead(f"Lead {number}", email=f"lead{number}@example.com") for number in range(2)]
        self.sync()
        self.cards = [
            self.trello.add_card("TODO", f"Card {number}", f"card{number}@example.com") for number in range(2)
        ]

    def of_card(self, card):
        return [lead for lead, cells in self.airtable.records().items() if cells.get(COLUMN) == card]

    def marks(self, card):
        return [found[1] for line in self.trello.card(card)["desc"].splitlines() if (found := MARKER.match(line))]

    def assert_done(self):
        """One lead of each card, no card more than there were, and at rest."""
        assert [self.of_card(card) for card in self.cards] == [self.marks(card) for card in self.cards]
        assert [len(self.of_card(card)) for card in self.cards] == [1] * len(self.cards)
        assert (len(self.airtable.records()), len(self.trello.cards())) == (4, 4)
        self.assert_idle()


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("after", "read"),
    [
        pytest.param(True, "full", id="after"),
        pytest.param(False, "full", id="before", marks=RARE),
        pytest.param(True, "auto", id="after-delta", marks=RARE),
        pytest.param(False, "auto", id="before-delta", marks=RARE),
    ],
)
def test_run_cut_at_every_request_is_finished_by_the_next(tmp_path, after, read):
    """The record is found again by the card's id."""
    for index in count():
        desk = Desk(tmp_path / str(index))
        if is_killed(partial(desk.sync, read=read), index, after):
            desk.sync(read=read)
            desk.assert_done()
            desk.close()
        else:
            assert index > 8
            desk.assert_done()
            desk.close()
            return


def test_edits_made_after_the_cut_are_kept(desk):
    """On the lead that was just made, and on its card."""
    with killed_after("PATCH", "/Leads"):
        desk.sync()
    first, second = ([*desk.of_card(card)][0] for card in desk.cards[:2])
    desk.airtable.edit(first, name="Ada Lovelace", status="CONTACTED")
    desk.trello.move(desk.cards[1], "DONE")
    report = desk.sync(SYNC_CONFLICT="airtable")
    assert (desk.cells(first)["name"], desk.status(first)) == ("Ada Lovelace", "CONTACTED")
    assert desk.trello.card(desk.cards[0])["name"] == "Ada Lovelace"
    (listed,) = [row for row in report.conflicts if row["card_id"] == desk.cards[1]]
    assert (listed["kind"], listed["lead_id"]) == ("first match", second)
    desk.assert_done()


@pytest.mark.parametrize("kind", ["timeout_after", "drop_after", "truncate"])
def test_upsert_without_an_answer_is_looked_up_before_it_is_sent_again(desk, kind):
    """A lead that somebody edited meanwhile is not set back to what its card says."""
    desk.read_timeout = 0.5
    edited = []

    def edit(_request, _index):
        if not edited and desk.of_card(desk.cards[0]):
            edited.append(desk.of_card(desk.cards[0])[0])
            desk.airtable.edit(edited[0], name="Edited")

    desk.emulator.inject(Fault(kind, service="airtable", method="PATCH", times=1))
    desk.emulator.before_request(edit)
    desk.sync(exit_code=None)
    desk.sync()
    assert desk.cells(edited[0])["name"] == "Edited"
    desk.assert_done()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_service_that_recovers_gets_one_lead_each(desk, status):
    desk.emulator.inject(Fault("status", service="airtable", method="PATCH", status=status, times=2))
    report = desk.sync()
    assert report.counts["created"] == 2
    desk.assert_done()


def test_service_that_stays_away_is_listed_and_the_next_run_finishes(desk):
    desk.emulator.inject(Fault("status", service="airtable", method="PATCH", status=503, times=100))
    report = desk.sync(exit_code=Exit.INCOMPLETE)
    assert {row["card_id"] for row in report.failures} == {*desk.cards}
    desk.emulator.clear_faults()
    desk.sync()
    desk.assert_done()


def test_setting_switched_off_after_a_cut_doubles_nothing(desk):
    """The lead has a card by the look of it; switched on again, the two are tied."""
    with killed_after("PATCH", "/Leads"):
        desk.sync()
    report = desk.sync(SYNC_CREATE_LEADS="off", exit_code=None)
    assert (len(desk.trello.cards()), len(desk.airtable.records())) == (4, 4), report.message
    desk.sync()
    desk.assert_done()


@pytest.mark.parametrize("where", ["archived", "made a template", "sent to another board"])
def test_card_put_away_after_the_cut_is_not_doubled(desk, where):
    """Its lead has none of its own to be given: it is that card's, and tied to it once it is back."""
    with killed_after("PATCH", "/Leads"):
        desk.sync()
    card = desk.cards[0]
    if where == "archived":
        desk.trello.archive(card)
    elif where == "made a template":
        desk.trello.edit(card, isTemplate=True)
    else:
        desk.trello.move_to_board(card, desk.trello.add_board("Elsewhere"))
    for _ in range(2):
        report = desk.sync()
        assert [(row["lead_id"], row["card_id"], row["field"]) for row in report.quarantine] == [
            (*desk.of_card(card), card, "card")
        ]
        assert len(desk.trello.cards()) == 4
    desk.trello.edit(card, closed=False, isTemplate=False, idBoard=desk.trello.board_id, list_name="TODO")
    desk.sync()
    desk.assert_done()


def test_lead_that_tells_the_id_of_what_is_nobodys_gets_a_card(desk):
    """Of a card that was deleted, of one that is another lead's, and what is no id."""
    gone = desk.trello.add_card("TODO", "Gone", isTemplate=True)
    desk.trello.delete(gone)
    desk.sync()
    told = (gone, desk.card(desk.leads[0])["id"], "n/a")
    leads = [desk.lead(f"New {number}", **{COLUMN: each}) for number, each in enumerate(told)]
    desk.sync()
    assert [len(desk.cards_of(lead)) for lead in leads] == [1, 1, 1]
    desk.assert_idle()
