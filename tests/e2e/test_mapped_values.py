"""Values of mapped cells far from the ordinary: nothing is taken for an edit, and everything comes to rest."""

from __future__ import annotations

import pytest

from leadsync.core.journal import IntentState
from leadsync.pipeline.clients import open_clients
from support.harness import World
from support.mapped_scene import MAPPING, SHOWN, build

FEED = {"AIRTABLE_CHANGE_FEED": "on"}
BUDGET = '[[field]]\nairtable = "Budget"\ncard = "custom:Budget"\n'
LONG = "x" * 16_000 + "🦄 end"
ODD = {
    "tiny-number": ("Budget", "custom:Budget", 1e-7, "0.0000002"),
    "huge-number": ("Budget", "custom:Budget", 1e21, "2e21"),
    "negative-zero": ("Budget", "custom:Budget", 0.1, "-0"),
    "ninth-of-a-cent": ("Budget", "custom:Budget", 0.1 + 0.2, "0.1"),
    "milliseconds": ("Begins", "start", "2026-11-01T08:00:00.123Z", "2026-11-02T08:00:00.456Z"),
    "far-away": ("Begins", "start", "9998-11-01T08:00:00.000Z", "1900-01-01T00:00:00.000Z"),
    "tick": ("Ticked", "done", True, None),
    "untick": ("Ticked", "done", None, True),
    "blanks-around": ("Tags", "labels", [" Blank ", "Hot"], ["Hot"]),
    "commas": ("Tags", "labels", ["a, b", "a"], ["a, b", "b"]),
    "commas-come": ("Tags", "labels", ["Hot"], ["a, b", "Hot"]),
    "right-to-left": ("Note", "custom:Note", "שלום\u202e", "abc\u202d"),
    "line-ends": ("Note", "custom:Note", "a\r\nb ", "c\n d"),
    "long": ("Note", "custom:Note", LONG[5:], LONG),
    "only-blanks": ("Note", "custom:Note", "a", "   "),
}


@pytest.fixture(params=[{}, FEED], ids=["no-feed", "feed"])
def world(tmp_path, request):
    made = World(tmp_path, env=request.param)
    build(made)
    for option in (" Blank ", "a, b", "a", "b"):
        made.airtable.add_select_option("Tags", option)
        made.trello.make_label(option.strip())
    made.env["SYNC_FIELDS"] = MAPPING
    made.lead("Uninvolved", "NEW")
    yield made
    made.close()


def unchecked(world):
    with open_clients(world.settings(), world.transport) as clients:
        pairs = [key.removeprefix("cells ") for key in clients.store.facts.load_all("cells ")]
        return [row for pair in pairs for row in clients.store.journal.load_intents(pair, *IntentState)]


@pytest.mark.parametrize("read", ["full", "delta"])
@pytest.mark.parametrize("case", ODD)
def test_odd_value_goes_both_ways_and_is_no_edit(world, case, read):
    """Lead to card, then another from card to lead; then a run writes nothing, and nothing waits to be checked."""
    column, card, first, second = ODD[case]
    lead = world.lead("Ada", "NEW", **({column: first} if first is not None else {}))
    world.sync()
    world.sync(read=read)
    SHOWN[card].put(world, world.card(lead)["id"], second)
    report = world.sync(read=read)
    assert (report.conflicts, report.failures, report.quarantine) == ([], [], [])
    assert len(report.changes) == 1
    world.sync(read=read)
    assert unchecked(world) == []
    report = world.sync(read="full")
    assert (report.changes, report.conflicts, report.notes, world.writes()) == ([], [], [], 0)


@pytest.mark.parametrize("card", ["custom:Budget", "due"])
def test_value_taken_off_a_card_that_was_just_created_again_is_an_edit(world, card):
    """A custom field is written by a request of its own: what the answer to the first one shows is not agreed."""
    shown = SHOWN[card]
    lead = world.lead("Ada", "NEW", **{shown.column: shown.values[0]})
    world.sync()
    world.trello.delete(world.card(lead)["id"])
    world.sync()
    world.airtable.edit(lead, status="CONTACTED")
    world.sync()
    assert shown.of_card(world, lead) == shown.values[0]
    shown.put(world, world.card(lead)["id"], None)
    world.sync()
    assert shown.of_lead(world, lead) == shown.of_card(world, lead) == ""
    world.assert_idle()


def test_custom_field_of_a_card_that_a_write_opened_again_follows_its_lead(world):
    """An archived card is not among those that were read, and no answer to a write tells the fields."""
    world.env["SYNC_FIELDS"] = BUDGET  # with labels mapped, cards are read whole
    lead = world.lead("Ada", "NEW", Budget=7)
    world.sync()
    world.sync(read="delta")
    world.trello.edit(world.card(lead)["id"], closed=True)
    world.airtable.edit(lead, status="CONTACTED")
    world.sync(read="delta")
    assert not world.card(lead)["closed"]
    for budget in (8, 9):
        world.airtable.edit(lead, Budget=budget)
        world.sync(read="delta")
        assert SHOWN["custom:Budget"].of_card(world, lead) == budget
    SHOWN["custom:Budget"].put(world, world.card(lead)["id"], 10)
    world.sync(read="delta")
    assert SHOWN["custom:Budget"].of_lead(world, lead) == 10
    world.assert_idle()
