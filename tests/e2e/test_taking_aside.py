"""A cell that is set aside, of which a person takes one side: written to the other, and nothing else; or a sentence."""

from __future__ import annotations

import pytest

from leadsync.model import ConflictPolicy
from leadsync.pipeline.steps import Chosen, UndoChoice
from leadsync.state.store import StateStore
from support.harness import World
from support.mapped_scene import SHOWN, build

ROW = '[[field]]\nairtable = "{}"\ncard = "{}"\n'
SOON = "Soon, as Ada says; " * 5
MOODS = ROW.format("Mood", "custom:Mood")
AS_DATE = ROW.format("When", "due") + 'as = "date"\n'
CREW = ROW.format("Crew", "members") + 'map = { Ann = "Ann Lee", Dee = "Who" }\n'


def aside(world):
    """What the state says: (lead, field) -> (Airtable's value, Trello's, what either would be given)."""
    store = StateStore(world.env["SYNC_STATE_URL"])
    found = [each.entry for each in store.waiting.aside(f"{world.airtable.base_id}/Leads/{world.trello.board_id}")]
    store.close()
    return {(of.lead_id, of.field): (of.airtable, of.trello, of.to_airtable, of.to_trello) for of in found}


def newest(world):
    """The run that changed something last."""
    store = StateStore(world.env["SYNC_STATE_URL"])
    run, *_ = store.history.runs(f"{world.airtable.base_id}/Leads/{world.trello.board_id}")
    store.close()
    return run


def take(world, side, lead, field="", **more):
    return world.sync(take=Chosen(ConflictPolicy(side), lead, field), **more)


@pytest.fixture
def unknown(world):
    """A lead whose status the map does not know, and whose card somebody has moved on."""
    world.airtable.add_select_option("status", "On hold")
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="On hold")
    world.trello.move(world.card(lead)["id"], "IN_PROGRESS")
    world.sync()
    return lead


@pytest.fixture
def parked(world):
    world.trello.add_list("Elsewhere")
    lead = world.linked("Ada", "NEW")
    world.trello.move(world.card(lead)["id"], "Elsewhere")
    world.airtable.edit(lead, status="CONTACTED")
    world.sync()
    return lead


@pytest.fixture
def mapped(tmp_path):
    made = World(tmp_path, env={"SYNC_FIELDS": MOODS})
    build(made)
    made.airtable.add_field("When", "singleLineText")
    yield made
    made.close()


def test_status_that_means_nothing_gives_way_to_the_cards_list(world, unknown):
    """Both sides are kept with what taking either would write; once taken, both are equal, and nothing waits."""
    assert aside(world) == {(unknown, "status"): ("On hold", "IN_PROGRESS", "CONTACTED", None)}
    report = take(world, "trello", unknown, "status")
    assert [(row["field"], row["before"], row["after"], row["direction"]) for row in report.changes] == [
        ("status", "On hold", "CONTACTED", "to_airtable")
    ]
    assert [row["note"] for row in report.changes] == ["it was set aside"]
    assert (report.conflicts, report.quarantine, aside(world)) == ([], [], {})
    world.assert_equal(unknown)
    assert world.assert_idle().quarantine == []


@pytest.mark.parametrize("read", ["full", "auto", "delta"])
def test_nothing_else_is_written(world, unknown, read):
    """Neither another cell of the lead nor another lead; the next run does that."""
    other = world.linked("Bob", "NEW")
    world.airtable.edit(other, status="CONTACTED")
    world.airtable.edit(unknown, name="Ada L.")
    take(world, "trello", unknown, read=read)
    assert (world.writes("airtable"), world.writes("trello")) == (1, 0)
    assert (world.place(other), world.card(unknown)["name"]) == ("TODO", "Ada")
    world.sync()
    assert (world.place(other), world.card(unknown)["name"]) == ("IN_PROGRESS", "Ada L.")


def test_what_else_is_set_aside_stands(world, unknown):
    """Such as a lead that looks like a card without a LeadID line, which only a sync looks for."""
    world.trello.add_card("TODO", "Zoe")
    other = world.lead("Zoe")
    world.sync()
    before = aside(world)
    assert (other, "card") in before
    take(world, "trello", unknown, read="delta")
    assert aside(world) == {key: sides for key, sides in before.items() if key[0] != unknown}


def test_parked_card_goes_where_its_lead_says(world, parked):
    (shown,) = aside(world).values()
    assert (shown[0], shown[1].startswith("another list ("), shown[2:]) == ("CONTACTED", True, (None, "IN_PROGRESS"))
    take(world, "airtable", parked)
    assert (world.place(parked), aside(world)) == ("IN_PROGRESS", {})
    world.assert_equal(parked)
    world.assert_idle()


@pytest.mark.parametrize(
    ("scene", "side", "why"),
    [
        pytest.param(
            "unknown", "airtable", "it means nothing on the other side: unknown status 'On hold'", id="unknown"
        ),
        pytest.param("parked", "trello", "it means nothing on the other side: the card is parked", id="parked"),
    ],
)
def test_side_that_cannot_be_taken_is_refused_in_a_sentence(world, request, scene, side, why):
    """With the remedy; with or without the cell's name."""
    lead, before = request.getfixturevalue(scene), aside(world)
    for field in ("", "status"):
        report = take(world, side, lead, field, exit_code=3)
        assert f"{side.title()}'s status of {lead} cannot be taken, {why}" in report.message
        assert ("SYNC_STATUS_MAP" in report.message) or ("Move it to" in report.message)
    assert (world.writes(), aside(world)) == (0, before)


@pytest.mark.parametrize(
    ("scene", "side", "edit", "says"),
    [
        pytest.param("unknown", "trello", ("status", "LOST"), "is not set aside any more", id="mended"),
        pytest.param("unknown", "trello", ("status", "Later"), "'Later', and no longer 'On hold'", id="another"),
        pytest.param("parked", "airtable", ("list", "Else"), "was edited since: Trello holds 'another list", id="list"),
        pytest.param("parked", "airtable", ("list", "DONE"), "is not set aside any more", id="back"),
        pytest.param("parked", "airtable", ("closed", True), "its card is archived", id="archived"),
    ],
)
def test_edit_that_nobody_has_seen_is_not_overwritten(world, request, scene, side, edit, says):
    """Refused with what moved; a sync brings the list up to date."""
    lead, (what, value) = request.getfixturevalue(scene), edit
    world.airtable.add_select_option("status", "Later")
    world.trello.add_list("Else")
    if what == "status":
        world.airtable.edit(lead, status=value)
    elif what == "list":
        world.trello.move(world.card(lead)["id"], value)
    else:
        world.trello.archive(world.card(lead)["id"])
    message = take(world, side, lead, exit_code=3).message
    assert says in message
    assert "Run flows/sync.py" in message
    assert world.writes() == 0


def test_side_that_is_taken_may_have_moved_on(world, unknown):
    world.trello.move(world.card(unknown)["id"], "DONE")
    take(world, "trello", unknown)
    assert world.status(unknown) == "QUALIFIED"


def test_conflict_and_cell_set_aside_are_taken_together(world, unknown):
    world.airtable.edit(unknown, name="Ada L.")
    world.trello.edit(world.card(unknown)["id"], name="A. L.")
    world.sync(SYNC_CONFLICT="hold")
    take(world, "trello", unknown, SYNC_CONFLICT="hold")
    assert (world.status(unknown), world.cells(unknown)["name"]) == ("CONTACTED", "A. L.")
    world.assert_idle()


def test_dry_run_shows_what_would_be_taken(world, unknown):
    before = aside(world)
    report = take(world, "trello", unknown, dry_run=True)
    assert [(row["after"], row["outcome"]) for row in report.changes] == [("CONTACTED", "planned")]
    assert (world.writes(), aside(world)) == (0, before)


@pytest.mark.parametrize("synced", [True, False], ids=["synced since", "at once"])
def test_take_is_undone(world, unknown, synced):
    """The lead gets its own value back, and waits once more."""
    take(world, "trello", unknown)
    run = newest(world)
    store = StateStore(world.env["SYNC_STATE_URL"])
    (change,) = store.history.changes(f"{world.airtable.base_id}/Leads/{world.trello.board_id}", run.run_id)
    store.close()
    assert (run.kind, change.entry.rule, change.entry.before) == ("take", "taken", ("On hold", "IN_PROGRESS"))
    world.sync(asked={"undo": UndoChoice(run.run_id)})
    assert (world.status(unknown), world.place(unknown)) == ("On hold", "IN_PROGRESS")
    if synced:
        world.sync()
        assert (unknown, "status") in aside(world)
    assert "means nothing" in take(world, "airtable", unknown, exit_code=3).message
    take(world, "trello", unknown)
    assert world.status(unknown) == "CONTACTED"
    world.assert_idle()


def test_refusal_of_the_service_is_told_and_the_cell_waits_on(world):
    """A column that turned out to be computed: why and what to do are the service's own."""
    lead = world.linked("Ada", "NEW")
    world.airtable.retype_field("status", "formula")
    for each in world.airtable.records():
        world.airtable.recompute(each, status={"error": "#ERROR!"} if each == lead else "CONTACTED")
    world.sync()
    before = aside(world)
    assert before == {(lead, "status"): ("#ERROR!", "TODO", "NEW", None)}
    (failure,) = take(world, "trello", lead, exit_code=1).failures
    assert "computed" in failure["reason"]
    assert aside(world) == before


@pytest.mark.parametrize("column", ["email", "source"])
def test_cell_that_goes_one_way_and_cannot_be_read_has_no_side(world, column):
    lead = world.linked("Ada", "NEW")
    world.airtable.retype_field(column, "formula")
    world.airtable.recompute(lead, **{column: {"error": "#ERROR!"}})
    world.sync()
    assert "it cannot be read" in take(world, "airtable", lead, exit_code=3).message
    message = take(world, "trello", lead, column, exit_code=3).message
    assert "the other way only" in message
    assert "Correct the formula" in message


def test_lead_without_a_card_is_told_why(world):
    world.airtable.add_select_option("status", "On hold")
    lead = world.lead("Ada", "On hold")
    world.sync()
    message = take(world, "trello", lead, exit_code=3).message
    assert "unknown status 'On hold'" in message
    assert "SYNC_STATUS_MAP" in message


def test_card_set_aside_as_a_whole_has_no_cell_to_take(world):
    lead = world.linked("Ada", "NEW")
    world.trello.copy(world.card(lead)["id"])
    world.sync()
    message = take(world, "airtable", lead, exit_code=3).message
    assert "no cell of which a side can be taken: a copy" in message
    assert "conflicts.py untie" in message


def test_value_that_the_service_refused_has_no_side_to_take(world):
    """It is no cell set aside, but a failure: what was refused, and what to do."""
    lead = world.linked("Ada", "NEW")
    world.airtable.delete_select_option("status", "QUALIFIED")
    world.trello.move(world.card(lead)["id"], "DONE")
    world.sync(exit_code=1)
    message = take(world, "trello", lead, exit_code=3).message
    assert "no option 'QUALIFIED'" in message
    assert "Add the option 'QUALIFIED'" in message
    assert world.writes() == 0


# --- cells of the mapping -----------------------------------------------------------------------------------------


def test_option_that_the_card_has_not_gives_way_to_its_own(mapped):
    lead = mapped.linked("Ada", "NEW", Mood="Good")
    mapped.sync()
    mapped.airtable.add_select_option("Mood", "Wild")
    mapped.airtable.edit(lead, Mood="Wild")
    mapped.sync()
    assert aside(mapped) == {(lead, "custom:Mood"): ("Wild", "Good", "Good", None)}
    take(mapped, "trello", lead, "Mood")
    assert (mapped.cells(lead)["Mood"], aside(mapped)) == ("Good", {})
    mapped.assert_idle()


def test_text_that_is_no_date_gives_way_to_the_cards(mapped):
    """What cannot be read can be overwritten where the column takes it, and is told as what it was."""
    mapped.env["SYNC_FIELDS"] = AS_DATE
    lead = mapped.linked("Ada", "NEW", When="2026-12-01")
    mapped.sync()
    mapped.airtable.edit(lead, When=SOON)
    SHOWN["due"].put(mapped, mapped.card(lead)["id"], "2026-12-03")
    mapped.sync()
    ((shown, *_),) = aside(mapped).values()
    assert shown == SOON
    mapped.airtable.edit(lead, When=f"{SOON}Or never")
    assert "edited since" in take(mapped, "trello", lead, exit_code=3).message
    mapped.sync()
    report = take(mapped, "trello", lead)
    assert [(row["before"], row["after"]) for row in report.changes] == [(f"{SOON}Or never", "2026-12-03")]
    assert (mapped.cells(lead)["When"], aside(mapped)) == ("2026-12-03", {})
    mapped.assert_idle()


def test_what_could_not_be_read_is_not_given_back(mapped):
    """An undo says so, and leaves the cell."""
    mapped.env["SYNC_FIELDS"] = AS_DATE
    lead = mapped.linked("Ada", "NEW", When="soon")
    SHOWN["due"].put(mapped, mapped.card(lead)["id"], "2026-12-03")
    mapped.sync()
    take(mapped, "trello", lead)
    (row,) = mapped.sync(asked={"undo": UndoChoice(newest(mapped).run_id)}).quarantine
    assert row["reason"] == "what it held before could not be read"
    assert mapped.cells(lead)["When"] == "2026-12-03"


@pytest.mark.parametrize(("side", "tags"), [("airtable", ["Hot"]), ("trello", ["Old"])])
def test_set_whose_first_match_was_undone_is_the_side_that_is_taken(mapped, side, tags):
    """On both, and not what the two hold together."""
    mapped.env["SYNC_FIELDS"] = ""
    lead = mapped.linked("Ada", "NEW", Tags=["Hot"])
    SHOWN["labels"].put(mapped, mapped.card(lead)["id"], ["Old"])
    mapped.env["SYNC_FIELDS"] = ROW.format("Tags", "labels")
    mapped.sync()
    assert SHOWN["labels"].of_lead(mapped, lead) == {"Hot", "Old"}
    mapped.sync(asked={"undo": UndoChoice(newest(mapped).run_id)})
    assert (SHOWN["labels"].of_lead(mapped, lead), SHOWN["labels"].of_card(mapped, lead)) == ({"Hot"}, {"Old"})
    take(mapped, side, lead)
    assert (SHOWN["labels"].of_lead(mapped, lead), SHOWN["labels"].of_card(mapped, lead)) == ({*tags}, {*tags})
    mapped.assert_idle()


def test_person_whom_the_board_has_not_leaves_the_lead_if_the_card_is_taken(mapped):
    """Else the set is merged, element by element, and that one stays."""
    mapped.env["SYNC_FIELDS"] = CREW
    mapped.airtable.add_select_option("Crew", "Dee")
    lead = mapped.linked("Ada", "NEW", Crew=["Ann", "Ben", "Dee"])
    mapped.sync()
    assert aside(mapped) == {(lead, "members"): ("Ann, Ben, Dee", "Ann", "Ann, Ben", None)}
    take(mapped, "trello", lead)
    assert (mapped.cells(lead)["Crew"], aside(mapped)) == (["Ann", "Ben"], {})
    mapped.assert_idle()


@pytest.mark.parametrize("then", ["archive", "delete"])
@pytest.mark.parametrize("held", [False, True], ids=["set aside", "held"])
def test_card_put_away_after_a_take_stays_away(world, unknown, held, then):
    """The status that was taken is the one that was seen last, and no edit that wants the card back."""
    if held:
        world.airtable.edit(unknown, status="QUALIFIED")
        world.sync(SYNC_CONFLICT="hold")
    take(world, "trello", unknown, "status")
    card = world.card(unknown)["id"]
    getattr(world.trello, then)(card)
    world.sync()
    assert [each for each in world.cards_of(unknown) if not each["closed"]] == []
    world.assert_idle()
