"""A delta recalls what it concerns and what stands, and no more; it decides as if it had recalled everything."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from leadsync.pipeline.past import Past
from support.harness import World, findings

DELTA = {"airtable": "delta", "trello": "delta"}


@pytest.fixture
def world(tmp_path):
    """Twelve leads in step with their cards, read by delta already."""
    made = World(tmp_path)
    for number in range(12):
        lead = made.lead(f"Lead {number}", "NEW", email=f"{number}@example.com", source="fair")
        made.trello.add_card("TODO", f"Lead {number}", f"LeadID: {lead}")
    made.emulator.clock.advance(600)
    made.sync()
    made.sync()
    made.sync(read="delta")
    yield made
    made.close()


@pytest.fixture
def recalled(monkeypatch):
    """Of each delta: how many leads and cards it recalled; None where it recalled all."""
    told: list[tuple[int, int] | None] = []
    of_some, of_all = Past.concerned_by, Past.whole.func

    def some(self, leads, cards):
        memory = of_some(self, leads, cards)
        told.append((len(memory.snapshot.records), len(memory.snapshot.cards)))
        return memory

    def everything(self):
        told.append(None)
        return of_all(self)

    monkeypatch.setattr(Past, "concerned_by", some)
    monkeypatch.setattr(Past, "whole", property(everything))
    return told


def test_idle_delta_recalls_nothing(world, recalled):
    report = world.assert_idle(read="delta")
    assert recalled == [(0, 0)]
    assert (report.read, report.leads, report.cards) == (DELTA, 12, 12)


def test_busy_delta_recalls_what_was_edited_on_either_side(world, recalled):
    """And what it wrote once more, to see that it rests."""
    leads = [*world.airtable.records()]
    world.airtable.edit(leads[0], status="CONTACTED")
    world.trello.move(world.card(leads[1])["id"], "DONE")
    world.sync(read="delta")
    assert (world.place(leads[0]), world.status(leads[1])) == ("IN_PROGRESS", "QUALIFIED")
    world.assert_idle(read="delta")
    world.assert_idle(read="delta")
    assert recalled == [(2, 2), (2, 2), (0, 0)]


def test_lead_is_recalled_with_every_card_that_names_it(world, recalled):
    """A copy of a resting card, and its lead, whose card is the one that it had."""
    leads = [*world.airtable.records()]
    copy = world.trello.copy(world.card(leads[3])["id"])
    report = world.sync(read="delta")
    assert [(row["lead_id"], row["card_id"]) for row in report.quarantine] == [(leads[3], copy)]
    assert recalled == [(1, 1)]


def test_what_stands_is_in_every_report_until_it_is_settled(world, recalled):
    """A copy, an unknown status and a held conflict, whatever else happens meanwhile."""
    world.airtable.add_select_option("status", "PAUSED")
    leads = [*world.airtable.records()]
    copy = world.trello.copy(world.card(leads[0])["id"])
    world.airtable.edit(leads[1], status="PAUSED")
    world.airtable.edit(leads[2], name="Hers")
    world.trello.edit(world.card(leads[2])["id"], name="Mine")
    hold = {"SYNC_CONFLICT": "hold"}
    first = world.sync(read="delta", **hold)
    for turn in range(2):
        world.airtable.edit(leads[5], name=f"Other {turn}")
        report = world.sync(read="delta", **hold)
        assert report.read == DELTA
        assert report.quarantine == first.quarantine
        assert findings(report.conflicts, leads[2]) == findings(first.conflicts, leads[2]) == [("name", "Hers", "Mine")]
    assert {row["card_id"] for row in first.quarantine} >= {copy}
    world.trello.delete(copy)
    world.airtable.edit(leads[1], status="NEW")
    world.trello.edit(world.card(leads[2])["id"], name="Hers")
    report = world.sync(read="delta", **hold)
    assert (report.quarantine, report.conflicts) == ([], [])
    world.sync(read="delta", **hold)
    world.assert_idle(read="delta", **hold)
    assert None not in recalled
    assert recalled[-1] == (0, 0)


def test_parked_card_stands_and_is_compared_when_it_returns(world, recalled):
    lead = [*world.airtable.records()][4]
    world.trello.add_list("Waiting")
    world.trello.move(world.card(lead)["id"], "Waiting")
    world.sync(read="delta")
    world.sync(read="delta")
    world.trello.move(world.card(lead)["id"], "DONE")
    world.sync(read="delta")
    assert world.status(lead) == "QUALIFIED"


def test_deletion_of_a_card_put_away_concerns_the_lead_that_the_base_ties_to_it(world):
    """Nothing else tells whose it was: it was not among the open cards that were seen."""
    lead = [*world.airtable.records()][6]
    card = world.card(lead)["id"]
    world.trello.archive(card)
    world.sync(read="delta")
    world.sync(read="delta")
    world.trello.delete(card)
    report = world.sync(read="delta")
    assert [(note["lead_id"], "deleted on Trello" in note["note"]) for note in report.notes] == [(lead, True)]


def test_leads_and_cards_are_counted_on_by_deltas(world):
    """Of the table and of the board, though most were not recalled."""
    leads = [*world.airtable.records()]
    world.trello.archive(world.card(leads[0])["id"])
    world.airtable.add_lead("New", "new@example.com", "NEW", "web")
    world.trello.add_card("TODO", "Nobody's")
    first = world.sync(read="delta", adopt="none")
    for _ in range(2):
        report = world.sync(read="delta")
        assert (report.leads, report.cards, report.unmarked_cards) == (13, 12, 1)
    whole = world.sync()
    assert (whole.leads, whole.cards, whole.unmarked_cards) == (13, 12, 1)
    assert first.counts["created"] == 1


@pytest.mark.parametrize(
    "changed",
    [{"SYNC_ON_CARD_DELETED": "recreate"}, {"SYNC_DONE_LISTS": "[]"}],
    ids=["rule", "lists"],
)
def test_other_rules_are_asked_about_all_that_rests(world, recalled, changed):
    """A deleted card rests, and so does a lead in its list, until the rules are others."""
    lead = [*world.airtable.records()][0]
    world.trello.delete(world.card(lead)["id"])
    world.sync(read="delta")
    world.sync(read="delta")
    del recalled[:]
    world.sync(read="delta", exit_code=None, **changed)
    assert recalled[0] is None
    if "SYNC_ON_CARD_DELETED" in changed:
        assert len(world.cards_of(lead)) == 1


def test_guards_count_all_that_rests(world):
    """Four of twelve leads are too many to be missing, three are not, though no other is recalled."""
    leads = [*world.airtable.records()]
    feed = {"AIRTABLE_CHANGE_FEED": "on"}
    world.sync(**feed)
    world.sync(read="delta", **feed)
    for lead in leads[:4]:
        world.airtable.delete(lead)
    refused = world.sync(read="delta", exit_code=3, **feed)
    assert "4 of 12 known leads are missing" in refused.message
    world.airtable.restore(leads[0])
    report = world.sync(read="delta", **feed)
    assert (report.read, report.counts["archived"]) == (DELTA, 3)


def test_option_with_blanks_that_only_resting_leads_show_is_written_as_it_is_spelt(world):
    """Nothing is asked for it, and nothing is refused."""
    world.airtable.rename_select_option("status", "CONTACTED", " CONTACTED")
    leads = [*world.airtable.records()]
    world.airtable.edit(leads[0], status=" CONTACTED")
    world.sync()
    world.sync(read="delta")
    world.trello.move(world.card(leads[1])["id"], "IN_PROGRESS")
    report = world.sync(read="delta")
    assert (report.failures, world.status(leads[1])) == ([], " CONTACTED")
    assert [request.method for request in world.emulator.requests if "/v0/app" in request.path] == [
        "GET",
        "GET",
        "PATCH",
    ]


def test_time_of_the_newest_lead_is_kept_and_not_worked_out_again(world):
    """It was once for every record of every run, which cost more than all the rest."""
    with patch("leadsync.frames.snapshot.moment", side_effect=AssertionError("a record's time was parsed")):
        world.assert_idle(read="delta")
