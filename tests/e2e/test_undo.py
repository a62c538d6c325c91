"""A run is taken back: both sides are as before, what was edited since stays, and the next run writes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from leadsync.model import ConflictPolicy
from leadsync.pipeline.steps import Chosen, UndoChoice
from leadsync.report.report import Report
from leadsync.state.snapshots import CARDS, RECORDS
from support.harness import Scene, World, findings
from support.mapped_scene import MappedScene
from support.past_changes import assert_agrees_with_base, opened, runs_of, seen


def undo(world: World, run: str | None = None, lead: str = "", field: str = "", **more: Any) -> Report:
    """Of a run, by default of the last one."""
    return world.sync(asked={"undo": UndoChoice(run or runs_of(world)[0].run_id, lead, field)}, **more)


def left_aside(report: Report) -> list[tuple[str, str, str]]:
    return [(row["lead_id"], row["field"], row["reason"]) for row in report.quarantine]


def test_edit_that_went_to_trello_is_taken_back_on_both_sides(world):
    lead = world.linked("Ada", "NEW", email="ada@example.com")
    world.airtable.edit(lead, status="CONTACTED", name="Ada King", email="king@example.com")
    world.sync()
    report = undo(world)
    assert (world.status(lead), world.place(lead), world.cells(lead)["name"]) == ("NEW", "TODO", "Ada")
    assert (world.cells(lead)["email"], "ada@example.com" in world.card(lead)["desc"]) == ("ada@example.com", True)
    assert left_aside(report) == []
    world.assert_idle()
    assert_agrees_with_base(world)


def test_edit_that_came_from_trello_is_taken_back_on_both_sides(world):
    lead = world.linked("Ada", "LOST")
    world.trello.move(world.card(lead)["id"], "TODO")
    world.trello.edit(world.card(lead)["id"], name="Ada King")
    world.sync()
    assert world.status(lead) == "NEW"
    undo(world)
    assert (world.status(lead), world.place(lead)) == ("LOST", "DONE")  # and not the QUALIFIED of that list
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("Ada", "Ada")
    world.assert_idle()


def test_what_was_seen_is_as_both_sides_are_after_an_undo(world):
    """The page shows it: a lead that is as was agreed does not differ there."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, name="Ada King")
    world.sync()
    undo(world)
    with opened(world) as (store, pair):
        records, cards = (store.snapshots.load_items(pair, side) for side in (RECORDS, CARDS))
    assert records[lead]["fields"]["name"] == "Ada"
    assert cards[world.card(lead)["id"]]["name"] == "Ada"


@pytest.mark.parametrize("side", ["airtable", "trello"])
def test_what_was_edited_since_is_left_and_listed(world, side):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada King")
    world.sync()
    if side == "airtable":
        world.airtable.edit(lead, status="LOST")
    else:
        world.trello.move(world.card(lead)["id"], "DONE")
    report = undo(world)
    assert left_aside(report) == [(lead, "status", "edited since that run")]
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("Ada", "Ada")
    world.sync()
    assert world.place(lead) == "DONE"
    world.assert_idle()


@pytest.mark.parametrize("policy", ["airtable", "trello"])
@pytest.mark.parametrize(("field", "value"), [("name", "Mine"), ("status", "LOST")])
def test_what_was_edited_between_the_two_writes_of_an_undo_stays_and_is_no_conflict(world, policy, field, value):
    """The card has what it had by then, which is no edit of anybody's."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada King")
    world.sync()
    seen_writes: list[str] = []

    def edit(request: Any, _index: int) -> None:
        if request.service == "airtable" and seen_writes == ["PUT"]:
            seen_writes.append("edited")
            world.airtable.edit(lead, **{field: value})
        elif request.method == "PUT":
            seen_writes.append("PUT")

    world.emulator.before_request(edit)
    report = undo(world, SYNC_CONFLICT=policy)
    assert left_aside(report) == [(lead, field, "edited since that run")]
    report = world.sync(SYNC_CONFLICT=policy)
    assert report.conflicts == []
    want = {"name": "Ada", "status": "NEW"} | {field: value}
    assert (world.cells(lead)["name"], world.status(lead)) == (want["name"], want["status"])
    assert (world.card(lead)["name"], world.place(lead)) == (want["name"], "DONE" if field == "status" else "TODO")
    world.assert_idle()
    assert_agrees_with_base(world)


def test_what_a_person_had_given_back_to_the_card_is_an_edit_all_the_same(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, name="Ada King")
    world.sync()
    world.trello.edit(world.card(lead)["id"], name="Ada")
    world.airtable.edit(lead, name="Mine")
    assert left_aside(undo(world)) == [(lead, "name", "edited since that run")]
    assert [(row["airtable"], row["trello"]) for row in world.sync().conflicts] == [("Mine", "Ada")]


def test_undo_that_is_undone_gives_the_first_state_again(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada King")
    world.lead("Bob", "LOST")
    world.sync()
    before = seen(world)
    undo(world)
    assert seen(world) != before
    undo(world)
    assert seen(world) == before
    world.assert_idle()
    assert [run.undoes != "" for run in runs_of(world)] == [True, True, False, False]
    assert runs_of(world)[1].undone_by == runs_of(world)[0].run_id


@pytest.mark.parametrize("policy", ["airtable", "trello"])
def test_settled_conflict_gives_each_side_its_own_value_back_and_is_held(world, policy):
    """Whatever the policy says, until a person makes both equal."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.airtable.edit(lead, status="LOST", name="Of the lead")
    world.trello.move(card, "IN_PROGRESS")
    world.trello.edit(card, name="Of the card")
    world.sync(SYNC_CONFLICT=policy)
    settled = seen(world)
    undo(world, SYNC_CONFLICT=policy)
    for _ in range(2):
        assert (world.status(lead), world.place(lead)) == ("LOST", "IN_PROGRESS")
        assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("Of the lead", "Of the card")
        report = world.assert_idle(SYNC_CONFLICT=policy)
        assert {row[0] for row in findings(report.conflicts, lead)} == {"status", "name"}
    assert_agrees_with_base(world)
    undo(world, SYNC_CONFLICT=policy)
    assert seen(world) == settled
    assert world.assert_idle(SYNC_CONFLICT=policy).conflicts == []


def held_apart(world: World) -> str:
    """A lead whose name was in a conflict that was settled and undone."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, name="Of the lead")
    world.trello.edit(world.card(lead)["id"], name="Of the card")
    world.sync()
    undo(world)
    return lead


def test_held_cell_is_let_go_once_a_person_makes_both_equal(world):
    lead = held_apart(world)
    world.airtable.edit(lead, name="Of the card")
    assert world.assert_idle().conflicts == []
    world.airtable.edit(lead, name="News")
    world.sync()
    assert world.card(lead)["name"] == "News"


@pytest.mark.parametrize("policy", ["airtable", "trello", "hold"])
@pytest.mark.parametrize("side", ["airtable", "trello"])
def test_held_cell_is_not_let_go_by_a_side_that_goes_back_to_what_was_agreed(world, side, policy):
    """A person wrote it there on purpose, and the other value would go over it."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.airtable.edit(lead, name="Of the lead", status="LOST")
    world.trello.edit(card, name="Of the card")
    world.trello.move(card, "IN_PROGRESS")
    world.sync()
    undo(world)
    if side == "airtable":
        world.airtable.edit(lead, name="Ada", status="NEW")
    else:
        world.trello.edit(card, name="Ada")
        world.trello.move(card, "TODO")
    for _ in range(2):
        report = world.assert_idle(SYNC_CONFLICT=policy)
        assert {row[0] for row in findings(report.conflicts, lead)} == {"status", "name"}


def test_title_that_is_emptied_while_the_name_is_held_gets_the_leads(world):
    lead = held_apart(world)
    world.trello.edit(world.card(lead)["id"], name="")
    world.sync()
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("Of the lead", "Of the lead")
    assert world.assert_idle().conflicts == []


def test_title_that_is_no_name_cannot_be_taken(world):
    """It was empty before a first match, and is again since that was undone."""
    lead = world.lead("Ada", "NEW")
    world.trello.add_card("TODO", "", f"LeadID: {lead}")
    world.sync()
    undo(world)
    assert {row[0] for row in findings(world.assert_idle().conflicts, lead)} == {"name"}
    refused = world.sync(exit_code=3, asked={"take": Chosen(ConflictPolicy.TRELLO, lead)})
    assert (world.writes(), world.cells(lead)["name"]) == (0, "Ada")
    assert "it is no name: ''" in refused.message
    world.sync(asked={"take": Chosen(ConflictPolicy.AIRTABLE, lead)})
    assert world.card(lead)["name"] == "Ada"


def test_first_match_gives_each_side_its_own_values_back(world):
    """Also what only one of the two said."""
    lead = world.lead(None, "CONTACTED", email="ada@example.com")
    world.trello.add_card("DONE", "Ada", f"Mine.\n\nLeadID: {lead}")
    before = seen(world)
    world.sync()
    assert (world.place(lead), world.cells(lead)["name"]) == ("IN_PROGRESS", "Ada")
    undo(world, runs_of(world)[0].run_id)
    assert (world.place(lead), world.status(lead), world.cells(lead).get("name")) == ("DONE", "CONTACTED", None)
    assert seen(world)["leads"][lead] == before["leads"][lead]
    for _ in range(2):
        world.assert_idle()
    assert_agrees_with_base(world)


def test_created_card_is_archived_and_what_somebody_works_on_is_not(world):
    kept, gone = world.lead("Kept", "NEW"), world.lead("Gone", "NEW")
    world.sync()
    world.trello.move(world.card(kept)["id"], "DONE")
    report = undo(world, allow_mass_change=True)
    assert (world.card(kept)["closed"], world.card(gone)["closed"]) == (False, True)
    assert left_aside(report) == [(kept, "card", "edited since that run")]
    world.sync()
    world.assert_idle()
    world.airtable.edit(gone, status="CONTACTED")  # into an open list: it is wanted again
    world.sync()
    assert (world.card(gone)["closed"], world.place(gone)) == (False, "IN_PROGRESS")


def test_archived_card_of_a_deleted_lead_is_opened_and_left_open(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.delete(lead)
    world.sync()
    assert world.card(lead)["closed"]
    undo(world)
    for _ in range(2):
        assert not world.card(lead)["closed"]
        world.assert_idle()
    undo(world)
    assert world.card(lead)["closed"]
    world.assert_idle()


def test_card_opened_for_a_lead_that_was_edited_is_archived_again(world):
    lead = world.linked("Ada", "QUALIFIED")
    world.trello.archive(world.card(lead)["id"])
    world.sync()
    world.airtable.edit(lead, status="CONTACTED")
    world.sync()
    assert (world.card(lead)["closed"], world.place(lead)) == (False, "IN_PROGRESS")
    opened = seen(world)
    report = undo(world)
    assert (world.card(lead)["closed"], world.place(lead), world.status(lead)) == (True, "DONE", "QUALIFIED")
    assert world.writes("trello") == 1  # that it moved the card is no sign of somebody who uses it
    assert sorted(row["field"] for row in report.changes) == ["card", "status", "status"]
    world.assert_idle()
    undo(world)
    assert seen(world) == opened
    world.assert_idle()


@pytest.mark.parametrize(
    ("side", "is_meanwhile"),
    [("airtable", False), ("trello", False), ("trello", True)],
    ids=["lead", "card", "card-just-before-the-write"],
)
def test_opened_card_that_somebody_works_on_is_not_archived(world, side, is_meanwhile):
    lead = world.linked("Ada", "QUALIFIED")
    card = world.card(lead)["id"]
    world.trello.archive(card)
    world.sync()
    world.airtable.edit(lead, status="CONTACTED")
    world.sync()
    run, edits = runs_of(world)[0].run_id, []

    def edit(request: Any = None, _index: int = 0) -> None:
        if not edits and (request is None or request.method == "PUT"):
            edits.append(side)
            world.trello.move(card, "TODO") if side == "trello" else world.airtable.edit(lead, status="NEW")

    if is_meanwhile:
        world.emulator.before_request(edit)
    else:
        edit()
        world.sync()
    report = undo(world, run)
    assert (lead, "card", "edited since that run") in left_aside(report)
    world.sync()
    assert (world.card(lead)["closed"], world.place(lead), world.status(lead)) == (False, "TODO", "NEW")
    world.assert_idle()


def test_one_lead_or_one_field_is_taken_back_alone(world):
    ada, bob = world.linked("Ada", "NEW"), world.linked("Bob", "NEW")
    for lead in (ada, bob):
        world.airtable.edit(lead, status="CONTACTED", name="Other")
    world.sync()
    run = runs_of(world)[0].run_id
    undo(world, run, lead=ada, field="name")
    assert [world.cells(lead)["name"] for lead in (ada, bob)] == ["Ada", "Other"]
    assert [world.status(lead) for lead in (ada, bob)] == ["CONTACTED", "CONTACTED"]
    undo(world, run, lead=world.card(bob)["id"])
    assert (world.cells(bob)["name"], world.status(bob), world.status(ada)) == ("Bob", "NEW", "CONTACTED")
    world.assert_idle()


def test_dry_run_writes_nothing_and_shows_the_plan(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    world.sync()
    before = seen(world)
    report = undo(world, dry_run=True)
    assert seen(world) == before
    assert [(row["field"], row["before"], row["after"]) for row in report.changes] == [
        ("status", "IN_PROGRESS", "TODO"),
        ("status", "CONTACTED", "NEW"),
    ]
    assert len(runs_of(world)) == 2


@pytest.mark.parametrize("named", ["", "none", "last run"])
def test_unknown_run_is_refused_with_those_there_are(world, named):
    """No id, which is made of the digits 0 to f, begins so."""
    world.linked()
    report = world.sync(asked={"undo": UndoChoice(named)}, exit_code=2)
    assert runs_of(world)[0].run_id[:8] in report.message
    assert world.writes() == 0


def test_run_called_by_too_little_of_its_id_is_refused(world):
    """`undo 1` may be meant as the last one, and would hit another by chance."""
    world.linked()
    run = runs_of(world)[0].run_id
    for length in (1, 3):
        report = world.sync(asked={"undo": UndoChoice(run[:length])}, exit_code=2)
        assert ("give at least 4 characters" in report.message, world.writes()) == (True, 0)
    assert undo(world, run[:4]).changes


def test_undo_of_many_creations_is_refused_unless_a_mass_change_is_allowed(world):
    for number in range(12):
        world.lead(f"Lead {number}", "NEW")
    world.sync()
    run = runs_of(world)[0].run_id
    report = undo(world, exit_code=3)
    wanted = f"run flows/history.py undo {run[:8]} once with --allow-mass-change."
    assert (world.writes(), wanted in report.message) == (0, True)
    undo(world, allow_mass_change=True)
    assert all(card["closed"] for card in world.trello.cards().values())
    world.assert_idle()


def test_all_kinds_of_changes_are_taken_back(tmp_path):
    scene = Scene(tmp_path)
    scene.sync()
    synced = seen(scene)
    undo(scene, allow_mass_change=True)
    status = {what: scene.status(lead) for what, lead in scene.leads.items()}
    assert status == dict.fromkeys(scene.leads, "NEW") | {"new": "CONTACTED", "lost": "LOST"}
    assert [scene.cells(scene.leads[what])["name"] for what in ("named", "titled")] == ["named", "titled"]
    assert [scene.card(scene.leads[what])["closed"] for what in ("new", "lost", "staged")] == [True, True, False]
    scene.assert_idle()
    undo(scene, allow_mass_change=True)
    assert seen(scene) == synced
    scene.assert_idle()
    scene.close()


def test_every_mapped_property_is_taken_back(tmp_path):
    """A set that was merged, too; nothing else is touched."""
    scene = MappedScene(tmp_path)
    first = [each.of_card(scene, scene.leads["at rest"]) for each in scene.shown]
    scene.sync()
    synced = seen(scene)
    report = undo(scene, allow_mass_change=True)
    assert left_aside(report) == []
    for lead in (scene.leads[what] for what in ("edited", "dragged", "both", "at rest")):
        assert [each.of_card(scene, lead) for each in scene.shown] == first
        assert [each.of_lead(scene, lead) for each in scene.shown] == first
    assert scene.card(scene.leads["new"])["closed"]
    scene.assert_idle()
    undo(scene, allow_mass_change=True)
    assert seen(scene) == synced
    scene.assert_at_rest()
    scene.close()
