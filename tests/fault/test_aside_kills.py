"""A run that takes one side of a cell set aside is killed, or meets an edit, at any request: nothing is lost."""

from functools import partial
from itertools import count

import pytest

from leadsync.model import ConflictPolicy
from leadsync.pipeline.steps import Chosen
from leadsync.state.store import StateStore
from support.harness import World
from support.kills import is_killed
from support.mapped_scene import SHOWN

AS_DATE = '[[field]]\nairtable = "When"\ncard = "due"\nas = "date"\n'
TAKEN = {"trello": ("CONTACTED", "IN_PROGRESS"), "airtable": ("QUALIFIED", "DONE")}
"""Side -> what both hold once it is taken: of a status that the map does not know, and of a card that is parked."""
EDITS = {"trello": ("LOST", "IN_PROGRESS"), "airtable": ("QUALIFIED", "TODO")}
"""Side -> what both would hold of an edit that somebody makes of the other one meanwhile, until a sync decides."""


def of_state(world, lead):
    """What is set aside, and what is agreed about the status."""
    store = StateStore(world.env["SYNC_STATE_URL"])
    pair = f"{world.airtable.base_id}/Leads/{world.trello.board_id}"
    agreed, aside = store.journal.load_row(pair, lead), store.waiting.aside(pair)
    changes = store.history.lead(pair, lead)
    store.close()
    taken = [change for change in changes if change.entry.rule == "taken"]
    return [each.entry.field for each in aside if each.entry.lead_id == lead], (agreed.status, agreed.stage), taken


def scenes(tmp_path, side, **env):
    """One after the other, each with its number, a world in which a lead's status is set aside."""
    for index in count():
        (tmp_path / str(index)).mkdir()
        world = World(tmp_path / str(index), ordered=True, env=env)
        world.airtable.add_select_option("status", "On hold")
        world.trello.add_list("Elsewhere")
        world.lead("Uninvolved", "CONTACTED")
        lead = world.linked("Ada", "NEW")
        world.airtable.edit(lead, status="On hold" if side == "trello" else "QUALIFIED")
        world.trello.move(world.card(lead)["id"], "IN_PROGRESS" if side == "trello" else "Elsewhere")
        world.sync()
        assert of_state(world, lead) == (["status"], ("NEW", "TODO"), [])
        yield index, world, lead
        world.close()


def held(world, lead):
    return world.status(lead), world.place(lead)


RARE = pytest.mark.exhaustive


@pytest.mark.parametrize("after", [pytest.param(False, marks=RARE), True], ids=["before", "after"])
@pytest.mark.parametrize("side", TAKEN)
def test_killed_while_a_person_takes_a_side(tmp_path, after, side):
    """The next run does not take what was not; asked once more, it is; the history tells of it once."""
    cuts = 0
    for index, world, lead in scenes(tmp_path, side):
        chosen = Chosen(ConflictPolicy(side), lead)
        struck = is_killed(partial(world.sync, take=chosen), index, after)
        cuts += struck
        world.sync()
        aside, agreed, taken = of_state(world, lead)
        assert (agreed == TAKEN[side]) == (aside == []) == bool(taken)
        if aside:
            world.sync(take=chosen)
        assert held(world, lead) == TAKEN[side]
        aside, agreed, taken = of_state(world, lead)
        assert (aside, agreed, len(taken)) == ([], TAKEN[side], 1)
        assert world.assert_idle().quarantine == []
        if not struck:
            break
    assert cuts > 3


@RARE
@pytest.mark.parametrize("side", TAKEN)
def test_edited_while_a_person_takes_a_side(tmp_path, side):
    """Before any of its requests: the edit stands, and is not overwritten unseen; a sync decides about it."""
    met = refused = 0
    for index, world, lead in scenes(tmp_path, side, AIRTABLE_CHANGE_FEED="on"):
        made = []

        def edit(_request, at, world=world, lead=lead, made=made, index=index):
            if at == index and not made:
                made.append(True)
                if side == "trello":
                    world.airtable.edit(lead, status="LOST")
                else:
                    world.trello.move(world.card(lead)["id"], "TODO")

        let_go = world.emulator.before_request(edit)
        report = world.sync(take=Chosen(ConflictPolicy(side), lead), exit_code=None)
        let_go()
        if not made:
            assert held(world, lead) == TAKEN[side]
            break
        met += 1
        refused += report.exit_code == 3
        now = held(world, lead)[0 if side == "trello" else 1]
        assert now == EDITS[side][0 if side == "trello" else 1], (index, report.message)
        world.sync()
        world.assert_idle()
    assert met > 4
    assert refused > 1


@RARE
@pytest.mark.parametrize("feed", ["on", "off"])
def test_text_that_no_date_is_read_from_is_not_overwritten_unseen(tmp_path, feed):
    """
    It is edited before any request of the run that takes the card's date; then it stands.

    Without the feed nobody can tell of an edit made between the last look and the write.
    """
    met, lost = 0, []
    for index in count():
        (tmp_path / str(index)).mkdir()
        rows = {"SYNC_FIELDS": AS_DATE, "AIRTABLE_CHANGE_FEED": feed}
        world = World(tmp_path / str(index), ordered=True, env=rows)
        world.airtable.add_field("When", "singleLineText")
        lead = world.linked("Ada", "NEW", When="soon")
        SHOWN["due"].put(world, world.card(lead)["id"], "2026-12-03")
        world.sync()
        made = []

        def edit(request, at, world=world, lead=lead, made=made, index=index):
            if at == index and not made:
                world.airtable.edit(lead, When="later")
                made.append(request.method)

        let_go = world.emulator.before_request(edit)
        world.sync(take=Chosen(ConflictPolicy.TRELLO, lead), exit_code=None)
        let_go()
        if world.cells(lead)["When"] != ("later" if made else "2026-12-03"):
            lost += made
        world.sync()
        world.assert_idle()
        world.close()
        if not made:
            break
        met += 1
    assert met > 3
    assert lost == ([] if feed == "on" else ["PATCH"])
