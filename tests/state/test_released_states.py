"""A state database as a released program left it opens, and the next sync goes on from it."""

from __future__ import annotations

import pytest

from leadsync.core.journal import CARD, LEAD
from leadsync.state.store import StateStore
from support.harness import written
from support.past import DRAGGED, EDITED, NEW, tell

VERSIONS = ("1", "2", "3", "4")


@pytest.fixture(params=VERSIONS, ids=lambda version: f"schema-{version}")
def version(request):
    return request.param


@pytest.fixture
def told(version, tmp_path):
    """`told(moment)`: the world at a moment of the recorded history, with the state database of that schema."""
    worlds = []

    def told(moment):
        worlds.append(tell(f"schema_{version}_{moment}", tmp_path))
        return worlds[-1]

    yield told
    for world in worlds:
        world.close()


@pytest.fixture
def opened():
    """`opened(world)`: its state database."""
    stores = []

    def opened(world):
        stores.append(StateStore(world.env["SYNC_STATE_URL"]))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


def test_base_of_a_released_database_survives(told, opened):
    """What was agreed, what is archived, and the tombstones of what is gone."""
    world = told("at_rest")
    base = opened(world).journal.load_base(world.pair)
    presence = {
        name: (base.at[lead, "lead_presence"], base.at[lead, "card_presence"]) for name, lead in world.leads.items()
    }
    assert presence == dict.fromkeys(("Ada", "Bob", "Cid", "Dan", "Eve"), ("present", "open")) | {
        "Archived": ("present", "archived"),
        "Struck": ("present", "deleted"),
        "Gone": ("gone", "archived_by_us"),
    }
    assert base.at[world.leads["Dan"], "status"] == "LOST"


def test_unrecorded_writes_of_a_released_database_survive(told, opened):
    """A card to create, a card and a lead to update."""
    world = told("cut")
    intents = opened(world).journal.load_intents(world.pair)
    wanted = {(CARD, NEW), (CARD, EDITED), (LEAD, DRAGGED)}
    assert {(intent.side, intent.lead_id) for intent in intents} == {(side, world.leads[of]) for side, of in wanted}


def test_holder_of_a_released_database_survives(told, opened):
    world = told("at_rest")
    lock = f"{world.airtable.base_id}/{world.trello.board_id}"
    assert opened(world).holders.load(lock)["host"] == "old"


@pytest.mark.parametrize("version", ["2"])
def test_what_a_released_program_last_read_survives(told, opened):
    """Items and marks; and the month's calls."""
    world = told("at_rest")
    store = opened(world)
    seen = store.snapshots.load(world.pair)
    assert seen.records.keys() == world.airtable.records().keys()
    assert seen.cards.keys() == {card_id for card_id, card in world.trello.cards().items() if not card["closed"]}
    assert store.calls.load("2026-11") == 4


def test_sync_on_a_released_database_at_rest_writes_nothing(told):
    report = told("at_rest").assert_idle()
    assert (report.conflicts, report.quarantine, report.notes) == ([], [], [])


@pytest.mark.parametrize("read", ["full", "delta"])
def test_edits_after_a_released_program_are_moves_and_no_first_matches(told, read):
    """A person's edit is measured by what the earlier program agreed on."""
    world = told("at_rest")
    world.trello.move(world.card(world.leads["Dan"])["id"], "TODO")
    world.airtable.edit(world.leads["Eve"], status="CONTACTED")
    report = world.sync(read=read)
    assert (world.status(world.leads["Dan"]), world.place(world.leads["Eve"])) == ("NEW", "IN_PROGRESS")
    assert (report.conflicts, len(report.changes)) == ([], 2)
    world.assert_idle()


def test_tombstones_of_a_released_program_still_speak(told):
    """A deleted lead that comes back takes its archived card up again; a deleted card comes with its lead's edit."""
    world = told("at_rest")
    world.airtable.restore(world.leads["Gone"])
    world.airtable.edit(world.leads["Struck"], status="CONTACTED")
    world.airtable.edit(world.leads["Archived"], status="NEW")
    assert world.sync().conflicts == []
    world.assert_one_card_each()
    world.assert_equal()
    world.assert_idle()


def test_run_cut_in_a_released_program_is_finished(told):
    """The card that was created is found, what was not yet written is, and nothing is a conflict."""
    world = told("cut")
    report = world.sync()
    new, edited, dragged = (world.leads[name] for name in (NEW, EDITED, DRAGGED))
    assert (report.conflicts, world.card(new)["name"]) == ([], NEW)
    assert (world.place(edited), world.card(edited)["name"]) == ("IN_PROGRESS", "Ada Lovelace")
    assert world.status(dragged) == "QUALIFIED"
    assert ("status", "QUALIFIED", "to_airtable") in written(report)
    world.assert_idle()


def test_edit_after_a_run_cut_in_a_released_program_is_no_conflict(told):
    """What the cut run wrote is agreed, so the card that a person moved since is a move."""
    world = told("cut")
    world.trello.move(world.card(world.leads[NEW])["id"], "DONE")
    assert world.sync().conflicts == []
    assert world.status(world.leads[NEW]) == "QUALIFIED"
    world.assert_idle()
