"""A run that settles conflicts is killed at any of its requests: what is kept of them and the base never disagree."""

from functools import partial
from itertools import count

import pytest

from leadsync.model import ConflictPolicy
from leadsync.pipeline.steps import Chosen
from leadsync.state.store import StateStore
from support.harness import World
from support.kills import is_killed

BASE = {"status": "NEW", "name": "Ada"}
VALUES = {"airtable": ("CONTACTED", "Ada L."), "trello": ("QUALIFIED", "A. L.")}


def kept(world):
    """What the state says: which cells are open, and which of them are still agreed as they were."""
    store = StateStore(world.env["SYNC_STATE_URL"])
    pair = f"{world.airtable.base_id}/Leads/{world.trello.board_id}"
    (agreed,) = (store.journal.load_row(pair, lead) for lead in world.airtable.records())
    still_open = {each.cell for each in store.waiting.conflicts(pair)}
    store.close()
    return still_open, {cell for cell, was in BASE.items() if getattr(agreed, cell) == was}


def worlds(tmp_path, after, **run):
    """For each request of a run, a world with a lead in conflict, whose run was killed there."""
    for index in count():
        (tmp_path / str(index)).mkdir()
        world = World(tmp_path / str(index), ordered=True, env={"SYNC_CONFLICT": "hold"})
        lead = world.linked("Ada", "NEW")
        world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
        world.trello.edit(world.card(lead)["id"], name="A. L.")
        world.trello.move(world.card(lead)["id"], "DONE")
        world.sync()
        assert kept(world)[0] == {*BASE}
        asked = {name: ask(lead) if name == "take" else ask for name, ask in run.items()}
        struck = is_killed(partial(world.sync, exit_code=None, **asked), index, after)
        yield world, lead, struck
        world.close()
        if not struck:
            return


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("side", ["airtable", "trello"])
def test_killed_while_the_policy_settles_them(tmp_path, after, side):
    cuts = 0
    for world, lead, _ in worlds(tmp_path, after, SYNC_CONFLICT=side):
        still_open, unmoved = kept(world)
        assert still_open == unmoved
        world.sync(SYNC_CONFLICT=side)
        assert (world.status(lead), world.cells(lead)["name"]) == VALUES[side]
        assert kept(world) == (set(), set())
        world.assert_idle()
        cuts += 1
    assert cuts > 4


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("side", ["airtable", "trello"])
def test_killed_while_a_person_settles_them(tmp_path, after, side):
    """The next run does not settle what was not; asked once more, it is."""
    cuts = 0
    for world, lead, struck in worlds(tmp_path, after, take=lambda lead: Chosen(ConflictPolicy(side), lead)):
        still_open, unmoved = kept(world)
        assert still_open == unmoved
        if struck:
            world.sync()
            if still_open := kept(world)[0]:
                world.sync(take=Chosen(ConflictPolicy(side), lead))
        assert (world.status(lead), world.cells(lead)["name"]) == VALUES[side]
        assert kept(world) == (set(), set())
        world.assert_idle()
        cuts += 1
    assert cuts > 4
