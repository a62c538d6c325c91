"""Mapped cells that are refused, cannot be read, or are emptied in bulk; names that change; what mapping costs."""

from __future__ import annotations

import contextlib
import sqlite3
import time

import pytest

from emulator import Fault
from leadsync.core.journal import IntentState
from leadsync.pipeline.clients import open_clients
from support.harness import World, our_clock
from support.kills import killed_after
from support.mapped_scene import MAPPING, NATIVE, SHOWN, MappedScene, build


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    build(made)
    made.env["SYNC_FIELDS"] = MAPPING
    yield made
    made.close()


def rows_left(world):
    with open_clients(world.settings(), world.transport) as clients:
        pairs = [key.removeprefix("cells ") for key in clients.store.facts.load_all("cells ")]
        return [row for pair in pairs for row in clients.store.journal.load_intents(pair, *IntentState)]


def leads_with(world, number, **cells):
    made = [world.lead(f"Lead {each}", "NEW", **cells) for each in range(number)]
    world.sync()
    world.sync()
    return made


LABELS = '[[field]]\nairtable = "Tags"\ncard = "labels"\n'
ALL = {each.column: each.values[0] for each in SHOWN.values()}
FILLED = ("due", "start", "labels", "members", "custom:Budget", "custom:Mood", "custom:Note")
FIRST = {card: frozenset(each.values[0]) if (each := SHOWN[card]).is_set else each.values[0] for card in FILLED}


def says_all(world, lead):
    """What lead and card show."""
    return (
        {card: SHOWN[card].of_lead(world, lead) for card in FILLED},
        {card: SHOWN[card].of_card(world, lead) for card in FILLED},
    )


@pytest.mark.parametrize("status", [400, 403, 404, 422])
@pytest.mark.parametrize("path", ["/customField", "/customFields"], ids=["all", "batch"])
def test_refused_custom_fields_stop_nothing_else(world, status, path):
    """Where only the batch endpoint is refused each goes by itself; the other cells are written and agreed."""
    (lead,) = leads_with(world, 1, **ALL)
    world.airtable.edit(lead, **{"Budget": 2, "Note": "by us", "Next step": "2026-12-02"})
    world.emulator.inject(Fault("status", method="PUT", path=path, status=status, times=9 if path[-1] == "d" else 1))
    report = world.sync(exit_code=None)
    assert SHOWN["due"].of_card(world, lead) == "2026-12-02"
    all_refused = path[-1] == "d"
    assert report.exit_code == all_refused, report.message
    assert len(report.failures) == (2 if all_refused else 0)
    world.emulator.clear_faults()
    world.sync()
    assert [SHOWN[card].of_card(world, lead) for card in ("custom:Budget", "custom:Note")] == [2, "by us"]
    world.sync()
    world.assert_idle()
    assert rows_left(world) == []


def test_write_of_which_all_was_refused_leaves_nothing_behind(world):
    (lead,) = leads_with(world, 1, **ALL)
    world.airtable.edit(lead, Budget=2)
    world.emulator.inject(Fault("status", method="PUT", path="/customField", status=422, times=9))
    for _ in range(3):
        assert len(world.sync(exit_code=1).failures) == 1
    world.airtable.edit(lead, Budget=1)
    world.emulator.clear_faults()
    world.sync()
    world.sync()
    assert rows_left(world) == []


@pytest.mark.parametrize("card", SHOWN)
def test_locked_column_stops_nothing_else(world, card):
    """The others of the lead are written; unlocked, the next run writes it."""
    shown = SHOWN[card]
    (lead,) = leads_with(world, 1, **{each.column: each.values[0] or None for each in SHOWN.values()})
    world.airtable.lock_field(shown.column)
    shown.put(world, world.card(lead)["id"], shown.values[1])
    world.trello.edit(world.card(lead)["id"], name="Ada L.")
    report = world.sync(exit_code=1)
    assert len(report.failures) == 1
    assert shown.column in report.failures[0]["reason"]
    assert world.cells(lead)["name"] == "Ada L."
    world.airtable.lock_field(shown.column, False)
    world.sync()
    assert shown.of_lead(world, lead) == shown.of_card(world, lead)
    world.assert_idle()


@pytest.mark.parametrize("side", ["airtable", "trello"])
@pytest.mark.parametrize("number", [4, 6])
def test_name_deleted_under_many_leads_is_refused(world, side, number):
    """An option or a label that 5 leads held, or more; fewer keep it on the other side."""
    leads = leads_with(world, number, Tags=["Hot", "Old"])
    if side == "airtable":
        world.airtable.delete_select_option("Tags", "Hot")
    else:
        world.trello.delete_label("Hot")
    report = world.sync(exit_code=3 if number >= 5 else 0)
    if number >= 5:
        assert ("'Hot'" in report.message or side == "trello", world.writes()) == (True, 0)
        world.sync(allow_mass_change=True)
    world.sync()
    world.assert_idle()
    other = [SHOWN["labels"].of_card(world, lead) for lead in leads]
    other = [SHOWN["labels"].of_lead(world, lead) for lead in leads] if side == "trello" else other
    assert other == [{"Hot", "Old"}] * number or number >= 5


@pytest.mark.parametrize("number", [3, 6])
def test_label_deleted_on_the_board_is_put_back_as_the_leads_have_it(world, number):
    """Nobody has taken it off a card; many at once need --allow-mass-change. Once, and then nothing is left to do."""
    leads = leads_with(world, number, Tags=["Hot", "Old"])
    world.trello.delete_label("Hot")
    world.sync(allow_mass_change=True)
    shown = SHOWN["labels"]
    assert [shown.of_card(world, lead) for lead in leads] == [{"Hot", "Old"}] * number
    assert [shown.of_lead(world, lead) for lead in leads] == [{"Hot", "Old"}] * number
    world.assert_idle()
    assert [label["name"] for label in world.card(leads[0])["labels"]].count("Hot") == 1


def test_label_that_could_not_be_created_is_put_on_once_somebody_has_made_it(world):
    world.emulator.inject(Fault("status", method="POST", path="/labels", status=403, times=9))
    world.trello.delete_label("Export")
    (lead,) = leads_with(world, 1, Tags=["Hot", "Export"])
    assert SHOWN["labels"].of_card(world, lead) == {"Hot"}
    assert (world.sync().changes, SHOWN["labels"].of_lead(world, lead)) == ([], {"Hot", "Export"})
    world.trello.make_label("Export")
    world.emulator.clear_faults()
    world.sync()
    assert SHOWN["labels"].of_card(world, lead) == SHOWN["labels"].of_lead(world, lead) == {"Hot", "Export"}
    world.assert_idle()


@pytest.mark.parametrize("read", ["full", "delta"])
def test_label_that_was_made_meanwhile_is_not_made_twice(world, read):
    world.airtable.add_select_option("Tags", "Brand new")
    (lead,) = leads_with(world, 1, Tags=["Hot"])
    label = world.trello.make_label("Brand new")
    world.airtable.edit(lead, Tags=["Hot", "Brand new"])
    world.sync(read=read)
    assert label in world.card(lead)["idLabels"]
    assert not any((each.method, each.path[-7:]) == ("POST", "/labels") for each in world.emulator.requests)
    world.assert_idle()


def test_label_made_by_a_run_that_was_killed_is_not_made_twice(world):
    world.airtable.add_select_option("Tags", "Brand new")
    lead = world.lead("Ada", "NEW", Tags=["Brand new"])
    with killed_after("POST", "/labels"):
        world.sync()
    world.sync()
    assert SHOWN["labels"].of_card(world, lead) == {"Brand new"}
    assert not any((each.method, each.path[-7:]) == ("POST", "/labels") for each in world.emulator.requests)


@pytest.mark.parametrize("side", ["airtable", "trello"])
@pytest.mark.parametrize("read", ["full", "delta"])
def test_renamed_name_is_no_edit(world, side, read):
    leads = leads_with(world, 3, Tags=["Hot"], Mood="Good")
    if side == "airtable":
        world.airtable.rename_select_option("Tags", "Hot", "Warm")
    else:
        world.trello.rename_label("Hot", "Warm")
    world.sync(read=read)
    world.sync(read=read)
    world.assert_idle()
    held = [(SHOWN["labels"].of_lead(world, lead), SHOWN["labels"].of_card(world, lead)) for lead in leads]
    assert all(len(of_lead) == 1 and of_card for of_lead, of_card in held), held


@pytest.mark.parametrize("read", ["full", "delta"])
def test_native_properties_cost_no_further_request(tmp_path, read):
    """Idle and busy; a set that is rewritten costs one re-read."""
    calls = []
    for number, mapping in enumerate((None, NATIVE)):
        (tmp_path / str(number)).mkdir()
        made = World(tmp_path / str(number))
        build(made)
        made.env["SYNC_FIELDS"] = mapping and (mapping if read == "full" else mapping.replace(LABELS, ""))
        lead = made.lead("Ada", "NEW", **{"Next step": "2026-12-01", "Crew": ["Ann"]})
        for each in ("full", "full", read, read):
            made.sync(read=each)
        idle = made.calls()
        made.airtable.edit(lead, name="Ada L.", **{"Next step": "2026-12-02", "Begins": "2026-12-02T08:00:00.000Z"})
        made.sync(read=read)
        busy = made.calls()
        made.trello.edit(made.card(lead)["id"], due="2026-12-04T08:00:00.000Z", name="Ada")
        made.sync(read=read)
        back = made.calls()
        made.airtable.edit(lead, name="Bob", Crew=["Ann", "Ben"])
        made.sync(read=read)
        calls.append([idle, busy, back, made.calls()])
        made.close()
    plain, mapped = calls
    more = [tuple(b - a for a, b in zip(*each, strict=True)) for each in zip(plain, mapped, strict=True)]
    assert more == [(0, 0), (0, 0), (0, 0), (0, 1)]


def test_dry_run_writes_nothing_not_even_what_was_agreed(tmp_path):
    scene = MappedScene(tmp_path)
    kept = ("leadsync_base", "leadsync_intent", "leadsync_seen", "'cells ")

    def state():
        with contextlib.closing(sqlite3.connect(tmp_path / "state.sqlite3")) as database:
            return [line for line in database.iterdump() if any(each in line for each in kept)]

    for mapping in (scene.env["SYNC_FIELDS"], 'timezone = "Asia/Tokyo"\n' + NATIVE):
        scene.env["SYNC_FIELDS"] = mapping
        before = scene.trello.cards(), scene.airtable.records(), state()
        assert len(before[-1]) > 4
        assert scene.sync(dry_run=True).changes
        assert (scene.trello.cards(), scene.airtable.records(), state()) == before
        assert scene.writes() == 0
    scene.close()


def test_schema_that_is_away_for_a_moment_is_asked_for_again(world):
    """What the columns hold is unknown until then: nothing is written, and no scope is missed."""
    lead = world.lead("Ada", "NEW", **ALL)
    world.emulator.inject(Fault("status", service="airtable", path="/meta/", status=503, times=5))
    report = world.sync(exit_code=1)
    assert (world.writes(), "503" in report.message, "schema.bases:read" in report.message) == (0, True, False)
    world.sync()
    assert SHOWN["due"].of_card(world, lead) == ALL["Next step"]


def test_schema_that_is_away_later_is_as_it_was(world, monkeypatch):
    """It is asked for once a day, and an answer that did not come is none."""
    (lead,) = leads_with(world, 1, **ALL)
    world.emulator.inject(Fault("status", service="airtable", path="/meta/", status=503, times=5))
    world.airtable.edit(lead, **{"Next step": "2026-12-02"})
    our_clock(monkeypatch, time.time() + 90_000)
    world.sync()
    asked = [request.status for request in world.emulator.requests if "/meta/" in request.path]
    assert asked == [*[503] * 5, 200]  # as it could not be told, once more in the same run
    assert SHOWN["due"].of_card(world, lead) == "2026-12-02"


@pytest.mark.parametrize("status", [400, 500])
def test_card_created_again_empties_no_column(world, status):
    """What its fields could not take was never agreed with it, and what another card held is not said by this one."""
    (lead,) = leads_with(world, 1, **ALL)
    world.trello.delete(world.card(lead)["id"])
    world.sync()
    world.airtable.edit(lead, status="CONTACTED")
    world.emulator.inject(Fault("status", method="PUT", path="/customField", status=status, times=40))
    world.sync(exit_code=None)
    world.emulator.clear_faults()
    world.sync()
    world.sync()
    assert says_all(world, lead) == (FIRST, FIRST)
    world.assert_idle()


def test_card_created_again_empties_no_column_that_only_cards_fill(world):
    world.env["SYNC_FIELDS"] = '[[field]]\nairtable = "Next step"\ncard = "due"\ndirection = "to_airtable"\n'
    (lead,) = leads_with(world, 1)
    world.trello.edit(world.card(lead)["id"], due="2026-12-01T11:00:00.000Z")
    world.sync()
    assert SHOWN["due"].of_lead(world, lead) == "2026-12-01"
    world.trello.delete(world.card(lead)["id"])
    world.sync()
    world.airtable.edit(lead, status="CONTACTED")
    world.sync()
    world.sync()
    assert SHOWN["due"].of_lead(world, lead) == "2026-12-01"
    world.assert_idle()


@pytest.mark.parametrize("read", ["full", "delta"])
def test_card_made_by_hand_in_the_place_of_a_deleted_one_empties_no_column(world, read):
    """It meets its lead for the first time: an empty side is filled."""
    (lead,) = leads_with(world, 1, **ALL)
    world.trello.delete(world.card(lead)["id"])
    world.trello.add_card("TODO", "Lead 0", f"LeadID: {lead}")
    world.sync(read=read)
    world.sync(read=read)
    assert says_all(world, lead) == (FIRST, FIRST)
    world.assert_idle()
