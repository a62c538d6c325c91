"""A value that the map names, and one side has no more, stops the cells that hold it and nothing else."""

from __future__ import annotations

import pytest

from support.harness import World
from support.mapped_scene import SHOWN, build

ROWS = """
[[field]]
airtable = "Crew"
card = "members"
map = { Ann = "Ann Lee", Ben = "Ben Oh", Cy = "Cy Ott" }
[[field]]
airtable = "Next step"
card = "due"
"""
CREW = SHOWN["members"]


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    build(made)
    made.env["SYNC_FIELDS"] = ROWS
    yield made
    made.close()


def aside(report):
    return [(row["lead_id"], row["field"]) for row in report.quarantine]


@pytest.mark.parametrize("read", ["full", "delta"])
def test_member_who_left_the_board(world, read):
    """Whoever is left goes on both ways; the lead keeps the one who went, and so does the card that shows him."""
    lead, other = world.lead("Ada", "NEW", Crew=["Ann"]), world.lead("Bob", "NEW", Crew=["Ben"])
    world.sync()
    ann = world.members["Ann Lee"]
    world.trello.dismiss(ann)
    world.airtable.edit(lead, **{"Next step": "2026-12-01", "Crew": ["Ann", "Ben"]})
    world.trello.add_member(world.card(other)["id"], "Cy Ott")
    report = world.sync(read=read)
    if read == "full":  # a delta knows the members of before
        assert aside(report) == [(lead, "members")]
        assert "'Ann'" in report.quarantine[0]["reason"]
    assert (world.cells(lead)["Crew"], world.card(lead)["due"][:10]) == (["Ann", "Ben"], "2026-12-01")
    assert world.members["Ben Oh"] in world.card(lead)["idMembers"]
    assert {*world.cells(other)["Crew"]} == {"Ben", "Cy"}
    world.sync(read=read)
    assert (world.writes(), world.cells(lead)["Crew"]) == (0, ["Ann", "Ben"])


@pytest.mark.parametrize("read", ["full", "delta"])
def test_option_that_was_deleted(world, read):
    """Airtable empties its cells: nobody has taken the member off the card."""
    lead, other = world.lead("Ada", "NEW", Crew=["Ann"]), world.lead("Bob", "NEW", Crew=["Ben"])
    world.sync()
    world.airtable.delete_select_option("Crew", "Ann")
    world.airtable.edit(lead, **{"Next step": "2026-12-01"})
    world.trello.add_member(world.card(other)["id"], "Cy Ott")
    world.sync(read=read)
    assert world.card(lead)["idMembers"] == [world.members["Ann Lee"]]
    assert world.card(lead)["due"][:10] == "2026-12-01"
    assert {*world.cells(other)["Crew"]} == {"Ben", "Cy"}


def test_status_that_was_deleted(world):
    """Cards in the list that gives it back are refused one by one; the others move."""
    done, busy = world.lead("Ada", "NEW"), world.lead("Bob", "NEW")
    world.sync()
    world.airtable.delete_select_option("status", "QUALIFIED")
    world.trello.move(world.card(done)["id"], "DONE")
    world.trello.move(world.card(busy)["id"], "IN_PROGRESS")
    report = world.sync(exit_code=None)
    assert (world.status(busy), world.status(done)) == ("CONTACTED", "NEW")
    assert {row["lead_id"] for row in [*report.quarantine, *report.failures]} == {done}
