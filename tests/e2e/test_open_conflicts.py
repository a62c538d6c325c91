"""Conflicts are kept until they are settled: by equal values, by a side that is back at the base, or by a person."""

from __future__ import annotations

import json

import pytest

from emulator.wire.faults import Fault
from leadsync.model import ConflictPolicy
from leadsync.pipeline.steps import Chosen
from leadsync.state.store import StateStore
from support.harness import STAGE_OF, World, our_clock
from support.mapped_scene import SHOWN, build

DAY = 86_400.0
HOLD = {"SYNC_CONFLICT": "hold"}
ROW = '[[field]]\nairtable = "{}"\ncard = "{}"\n'
HELD = ROW + 'conflict = "hold"\n'


def known(world):
    """What the state says: (lead, field) -> (base, Airtable's value, Trello's)."""
    return {(row.lead_id, row.field): (row.base, row.airtable, row.trello) for row in waiting(world, "conflicts")}


def waiting(world, what):
    store = StateStore(world.env["SYNC_STATE_URL"])
    pair = f"{world.airtable.base_id}/Leads/{world.trello.board_id}"
    found = getattr(store.waiting, what)(pair)
    store.close()
    return [each.conflict if what == "conflicts" else each for each in found]


def since(world):
    store = StateStore(world.env["SYNC_STATE_URL"])
    found = store.waiting.conflicts(f"{world.airtable.base_id}/Leads/{world.trello.board_id}")
    store.close()
    return [each.since for each in found]


@pytest.fixture
def held(world):
    """A lead whose status and name are in conflict."""
    world.env |= HOLD
    lead = world.linked("Ada", "NEW")
    both(world, lead, "CONTACTED", "DONE")
    world.airtable.edit(lead, name="Ada L.")
    world.trello.edit(world.card(lead)["id"], name="A. L.")
    world.sync()
    return lead


def both(world, lead, status, place):
    world.airtable.edit(lead, status=status)
    world.trello.move(world.card(lead)["id"], place)


def test_held_conflict_is_kept_with_base_and_both_values(world, held):
    assert known(world) == {(held, "name"): ("Ada", "Ada L.", "A. L."), (held, "status"): ("NEW", "CONTACTED", "DONE")}


def test_first_match_that_is_held_has_no_base(world):
    lead = world.lead("Ada", "CONTACTED")
    world.trello.add_card("DONE", "Ada", f"LeadID: {lead}")
    world.sync(**HOLD)
    assert known(world) == {(lead, "status"): (None, "CONTACTED", "DONE")}


def test_card_edited_before_its_lead_was_deleted_is_kept(world):
    lead = world.linked("Ada", "NEW")
    world.trello.move(world.card(lead)["id"], "DONE")
    world.airtable.delete(lead)
    world.sync()
    assert known(world) == {(lead, "card"): ("Ada", "deleted", "Ada in DONE")}


@pytest.mark.parametrize("policy", ["airtable", "trello"])
def test_conflict_that_the_policy_settles_is_not_open(world, policy):
    lead = world.linked("Ada", "NEW")
    both(world, lead, "CONTACTED", "DONE")
    world.sync(SYNC_CONFLICT=policy)
    assert known(world) == {}
    world.assert_equal(lead)


def test_conflict_stays_open_while_its_write_is_refused(world):
    """Settled is what was written, not what was meant to be."""
    lead = world.linked("Ada", "NEW")
    both(world, lead, "CONTACTED", "DONE")
    world.emulator.inject(Fault("status", service="trello", method="PUT", path="/cards/", status=400))
    world.sync(exit_code=1)
    assert known(world) == {(lead, "status"): ("NEW", "CONTACTED", "DONE")}
    world.sync()
    assert known(world) == {}


def test_policy_that_no_longer_holds_closes_it(world, held):
    world.sync(SYNC_CONFLICT="airtable")
    assert known(world) == {}
    world.assert_equal(held)


@pytest.mark.parametrize(
    ("status", "place"),
    [
        pytest.param("QUALIFIED", "DONE", id="made equal"),
        pytest.param("NEW", "DONE", id="Airtable back at the base"),
        pytest.param("CONTACTED", "TODO", id="Trello back at the base"),
        pytest.param("NEW", "TODO", id="both back at the base"),
    ],
)
@pytest.mark.parametrize("read", ["full", "delta"])
def test_conflict_is_closed_by_a_person(world, held, status, place, read):
    both(world, held, status, place)
    world.sync(read=read, **HOLD)
    assert known(world) == {(held, "name"): ("Ada", "Ada L.", "A. L.")}
    world.assert_idle(**HOLD)


def test_any_other_edit_updates_it_and_it_is_as_old_as_before(world, held, monkeypatch):
    before = since(world)
    our_clock(monkeypatch, before[0] + DAY)
    world.airtable.edit(held, status="LOST")
    world.trello.move(world.card(held)["id"], "IN_PROGRESS")
    world.sync(**HOLD)
    assert known(world)[held, "status"] == ("NEW", "LOST", "IN_PROGRESS")
    assert since(world) == before


def test_conflict_after_a_settled_one_is_a_new_one(world, held, monkeypatch):
    before = max(since(world))
    our_clock(monkeypatch, before + DAY)
    world.sync(SYNC_CONFLICT="airtable")
    both(world, held, "NEW", "DONE")
    world.sync(**HOLD)
    assert known(world) == {(held, "status"): ("CONTACTED", "NEW", "DONE")}
    assert since(world) == [before + DAY]


def test_delta_that_reads_neither_side_of_it_keeps_it(world, held):
    before = known(world), since(world)
    other = world.linked("Bob", "NEW")
    world.sync(read="delta", **HOLD)
    world.airtable.edit(other, status="CONTACTED")
    report = world.sync(read="delta", **HOLD)
    assert report.read == {"airtable": "delta", "trello": "delta"}
    assert (known(world), since(world)) == before


def test_conflict_outlasts_a_time_in_the_archive_or_in_another_list(world, held):
    """Out of reach is not settled."""
    before, card = (known(world), since(world)), world.card(held)["id"]
    world.trello.archive(card)
    world.sync(**HOLD)
    assert (known(world), since(world)) == before
    world.trello.unarchive(card)
    parked = world.trello.add_list("Elsewhere")
    world.trello.edit(card, idList=parked)
    world.sync(**HOLD)
    assert (known(world), since(world)) == before


def test_out_of_reach_in_a_delta_is_not_settled_either(world, held):
    before, card = (known(world), since(world)), world.card(held)["id"]
    world.linked("Bob", "NEW")
    world.trello.archive(card)
    for read in ("full", "delta", "delta"):
        world.sync(read=read)
    assert (known(world), since(world)) == before


def test_conflict_ends_with_its_lead(world, held):
    world.airtable.delete(held)
    world.trello.delete(world.card(held)["id"])
    world.sync(**HOLD)
    assert known(world) == {}


def test_dry_run_and_refused_run_change_nothing(world, held):
    before = known(world)
    both(world, held, "QUALIFIED", "DONE")
    world.sync(dry_run=True, **HOLD)
    world.airtable.delete(held)
    for lead in [*world.airtable.records()]:
        world.airtable.delete(lead)
    world.sync(exit_code=3, **HOLD)
    assert known(world) == before


def test_list_that_the_map_calls_otherwise_makes_no_new_conflict(world, held):
    before = since(world)
    board = {each["name"]: each["id"] for each in world.trello.lists(world.trello.board_id)}
    renamed = json.dumps(STAGE_OF | {"NEW": board["TODO"]})
    world.sync(SYNC_STATUS_MAP=renamed, TRELLO_LIST_TODO_ID=None, **HOLD)
    assert (since(world), len(known(world))) == (before, 2)


# --- cells of the mapping -----------------------------------------------------------------------------------------


@pytest.fixture
def mapped(tmp_path):
    made = World(tmp_path, env={"SYNC_FIELDS": HELD.format("Next step", "due")})
    build(made)
    yield made
    made.close()


@pytest.fixture
def due(mapped):
    """A lead whose due date is in conflict; the row of the mapping holds it."""
    lead = mapped.linked("Ada", "NEW", **{"Next step": "2026-12-01"})
    mapped.sync()
    SHOWN["due"].put_on_lead(mapped, lead, "2026-12-02")
    SHOWN["due"].put(mapped, mapped.card(lead)["id"], "2026-12-03")
    mapped.sync()
    return lead


def test_row_that_holds_goes_before_the_setting(mapped, due):
    """The status of the same lead is settled as the setting says."""
    both(mapped, due, "CONTACTED", "DONE")
    mapped.sync()
    assert mapped.place(due) == "IN_PROGRESS"
    (((lead, field), values),) = known(mapped).items()
    assert (lead, field, values[:2], values[2][:10]) == (due, "due", ("2026-12-01", "2026-12-02"), "2026-12-03")


@pytest.mark.parametrize("policy", ["airtable", "trello"])
def test_row_with_a_winner_goes_before_a_setting_that_holds(mapped, due, policy):
    mapped.sync(SYNC_FIELDS=ROW.format("Next step", "due") + f'conflict = "{policy}"\n', **HOLD)
    day = {"airtable": "2026-12-02", "trello": "2026-12-03"}[policy]
    assert [SHOWN["due"].of_lead(mapped, due), SHOWN["due"].of_card(mapped, due)] == [day, day]
    assert known(mapped) == {}


@pytest.mark.parametrize("row", ['airtable = "status"\ncard = "list"\n', 'airtable = "name"\ncard = "title"\n'])
def test_rows_for_status_and_name_have_a_policy_of_their_own(world, row):
    """What has no row follows the setting."""
    field = "status" if "status" in row else "name"
    lead = world.linked("Ada", "NEW")
    both(world, lead, "CONTACTED", "DONE")
    world.airtable.edit(lead, name="Ada L.")
    world.trello.edit(world.card(lead)["id"], name="A. L.")
    world.sync(SYNC_FIELDS=f'[[field]]\n{row}conflict = "hold"\n')
    assert [of for _, of in known(world)] == [field]


def test_first_match_of_a_cell_is_held(mapped):
    """A row that comes later meets values that nobody agreed on."""
    lead = mapped.linked("Ada", "NEW", Begins="2026-11-01T08:00:00.000Z")
    SHOWN["start"].put(mapped, mapped.card(lead)["id"], "2026-11-02")
    mapped.sync(SYNC_FIELDS=HELD.format("Begins", "start"))
    assert [(key, values[0]) for key, values in known(mapped).items()] == [((lead, "start"), None)]
    take(mapped, "airtable", lead, SYNC_FIELDS=HELD.format("Begins", "start"))
    assert SHOWN["start"].of_card(mapped, lead)[:10] == "2026-11-01"


def test_row_taken_away_takes_its_conflicts_along(mapped, due):
    mapped.sync(SYNC_FIELDS=ROW.format("Begins", "start"))
    assert known(mapped) == {}


def test_row_taken_away_takes_along_what_is_out_of_reach(mapped, due):
    """Else it would wait for a cell that is no more."""
    mapped.trello.archive(mapped.card(due)["id"])
    mapped.sync()
    assert len(known(mapped)) == 1
    mapped.sync(SYNC_FIELDS=ROW.format("Begins", "start"))
    assert known(mapped) == {}


def test_column_renamed_keeps_its_conflict(mapped, due):
    before = since(mapped)
    mapped.airtable.rename_field("Next step", "Follow up")
    mapped.sync(SYNC_FIELDS=HELD.format("Follow up", "due"))
    assert [field for _, field in known(mapped)] == ["due"]
    assert since(mapped) == before


# --- settled by a person ------------------------------------------------------------------------------------------


def take(world, side, lead, field="", **more):
    return world.sync(take=Chosen(ConflictPolicy(side), lead, field), **more)


@pytest.mark.parametrize(
    ("side", "status", "name"), [("airtable", "CONTACTED", "Ada L."), ("trello", "QUALIFIED", "A. L.")]
)
def test_side_that_is_taken_is_on_both_sides(world, held, side, status, name):
    report = take(world, side, held)
    assert (world.status(held), world.cells(held)["name"]) == (status, name)
    world.assert_equal(held)
    assert known(world) == {}
    assert {row["resolution"] for row in report.conflicts} == {f"{side.title()} wins"}
    world.assert_idle(**HOLD)


@pytest.mark.parametrize("read", ["full", "auto", "delta"])
def test_nothing_else_is_written(world, held, read):
    """Neither an edit of another lead, nor a new one, nor another cell of this one; the next run does all that."""
    other, third = world.linked("Bob", "NEW"), world.linked("Cid", "NEW")
    world.sync(**HOLD)
    world.airtable.edit(held, email="new@example.com")
    world.airtable.edit(other, status="CONTACTED")
    world.trello.move(world.card(third)["id"], "DONE")
    new = world.lead("Dan", "NEW")
    world.trello.copy(world.card(other)["id"])
    report = take(world, "trello", held, "status", read=read)
    assert report.quarantine == []
    assert [(row["lead_id"], row["field"], row["after"]) for row in report.changes] == [(held, "status", "QUALIFIED")]
    assert (world.writes("airtable"), world.writes("trello")) == (1, 0)
    assert ({world.list_name(card) for card in world.cards_of(other)}, world.status(third)) == ({"TODO"}, "NEW")
    assert world.cards_of(new) == []
    assert known(world) == {(held, "name"): ("Ada", "Ada L.", "A. L.")}
    assert len(world.sync(read="delta", **HOLD).quarantine) == 1
    assert (world.list_name(world.cards_of(other)[0]), world.status(third), world.place(new)) == (
        "IN_PROGRESS",
        "QUALIFIED",
        "TODO",
    )
    assert "new@example.com" in world.card(held)["desc"]


def test_card_id_names_the_lead_too(world, held):
    take(world, "airtable", world.card(held)["id"], "Status")
    assert world.place(held) == "IN_PROGRESS"


@pytest.mark.parametrize("field", ["", "due", "Next step"])
def test_cell_of_the_mapping_is_taken(mapped, due, field):
    """By what reports call it, or by its column."""
    take(mapped, "trello", due, field)
    assert SHOWN["due"].of_lead(mapped, due) == "2026-12-03"
    assert known(mapped) == {}
    mapped.assert_idle()


def test_first_match_is_taken(world):
    lead = world.lead("Ada", "CONTACTED")
    world.trello.add_card("DONE", "Ada", f"LeadID: {lead}")
    world.sync(**HOLD)
    take(world, "trello", lead)
    assert world.status(lead) == "QUALIFIED"
    world.assert_idle(**HOLD)


def test_dry_run_shows_what_would_be_taken(world, held):
    report = take(world, "trello", held, dry_run=True)
    assert {(row["field"], row["outcome"]) for row in report.changes} == {("status", "planned"), ("name", "planned")}
    assert (world.writes(), len(known(world))) == (0, 2)


def test_card_of_a_deleted_lead_is_archived_if_airtable_is_taken(world):
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.trello.move(card, "DONE")
    world.airtable.delete(lead)
    world.sync()
    assert "bring it back" in take(world, "trello", lead, exit_code=3).message
    assert not world.trello.card(card)["closed"]
    take(world, "airtable", lead)
    assert world.trello.card(card)["closed"]
    assert known(world) == {}
    world.assert_idle()


@pytest.mark.parametrize("side", ["airtable", "trello"])
def test_edit_that_nobody_has_seen_is_not_overwritten(world, held, side):
    """The losing side moved on since the conflict was listed."""
    before = known(world)
    if side == "trello":
        world.airtable.edit(held, name="Unseen")
    else:
        world.trello.edit(world.card(held)["id"], name="Unseen")
    report = take(world, side, held, exit_code=3)
    assert "'Unseen'" in report.message
    assert "Run flows/sync.py" in report.message
    assert (world.writes(), known(world)) == (0, before)
    world.sync()
    take(world, side, held)
    assert known(world) == {}


def test_winner_may_have_moved_on(world, held):
    world.trello.edit(world.card(held)["id"], name="Augusta")
    take(world, "trello", held, "name")
    assert world.cells(held)["name"] == "Augusta"


@pytest.mark.parametrize(("status", "place"), [("QUALIFIED", "DONE"), ("NEW", "DONE"), ("NEW", "TODO")])
def test_conflict_that_is_none_any_more_is_refused(world, held, status, place):
    both(world, held, status, place)
    report = take(world, "airtable", held, "status", exit_code=3)
    assert "no conflict any more" in report.message
    assert world.writes() == 0


def test_conflict_out_of_reach_is_refused(world, held):
    world.trello.archive(world.card(held)["id"])
    assert "its card is archived" in take(world, "airtable", held, exit_code=3).message
    assert world.writes() == 0


def test_lead_without_conflict_is_told_with_those_there_are(world, held):
    other = world.linked("Bob", "NEW")
    told = take(world, "airtable", other, exit_code=2).message
    assert other in told
    assert held in told
    told = take(world, "airtable", held, "source", exit_code=2).message
    assert "name, status" in told
    assert world.writes() == 0


def test_edit_made_while_it_is_taken_is_not_overwritten(world, held):
    """It is met just before the write; then that conflict has changed, and the other is settled all the same."""
    moved = []

    def edit(request, _index):
        if request.method in ("PUT", "PATCH") and not moved:
            moved.append(True)
            world.airtable.edit(held, status="LOST")

    let_go = world.emulator.before_request(edit)
    take(world, "trello", held, exit_code=None)
    let_go()
    assert moved
    assert world.cells(held)["name"] == "A. L."
    assert known(world) or world.status(held) in ("LOST", "QUALIFIED")


# --- what waits ---------------------------------------------------------------------------------------------------


def test_what_is_set_aside_is_kept_while_a_conflict_is_taken(world, held, monkeypatch):
    """A run that settles a conflict looks at nothing else, and has nothing to say of it."""
    world.trello.add_card("TODO", "Twin")
    lead = world.lead("Twin", "NEW")
    world.trello.copy(world.card(held)["id"])
    world.sync(**HOLD)
    first = waiting(world, "aside")
    assert {each.entry.lead_id for each in first} == {lead, held}
    our_clock(monkeypatch, first[0].since + DAY)
    take(world, "airtable", held)
    assert waiting(world, "aside") == first
    world.sync(**HOLD)
    assert waiting(world, "aside") == first


def test_what_waits_longer_than_a_day_is_told(world, held, monkeypatch):
    report = world.sync(**HOLD)
    assert report.waiting == []
    our_clock(monkeypatch, max(since(world)) + DAY + 1)
    report = world.sync(**HOLD)
    assert [text.split(",")[0] for text in report.waiting] == [
        f"{held}: conflict about name",
        f"{held}: conflict about status",
    ]
    assert world.sync(dry_run=True).waiting == []


def test_what_is_set_aside_keeps_its_time(world, monkeypatch):
    lead = world.linked("Ada", "NEW")
    world.trello.copy(world.card(lead)["id"])
    world.sync()
    first = waiting(world, "aside")
    our_clock(monkeypatch, first[0].since + DAY + 1)
    report = world.sync()
    assert waiting(world, "aside") == first
    assert len(report.waiting) == 1
    assert f"{lead}: card " in report.waiting[0]
    for card in world.cards_of(lead)[1:]:
        world.trello.delete(card["id"])
    world.sync()
    assert waiting(world, "aside") == []


def take_of(lead, side=ConflictPolicy.AIRTABLE):
    return {"take": Chosen(side, lead)}


def gone(world, many):
    """So many leads of a dozen are deleted, whose cards are open."""
    others = [world.lead(f"Lead {number}", "NEW") for number in range(11)]
    world.sync()
    for each in others[:many]:
        world.airtable.delete(each)


@pytest.mark.parametrize(("pair", "command"), [("", "flows/sync.py"), ("EU West", "flows/sync.py --pair 'EU West'")])
def test_take_that_a_guard_refuses_names_the_command_that_lifts_it(world, held, pair, command):
    """The option is none of its own; so does the explanation of a lead, which asks both sides."""
    gone(world, 5)
    for asked in (take_of(held), {"explains": held}):
        report = world.sync(exit_code=3, asked=asked | {"pair": pair}, dry_run="explains" in asked)
        assert f"run {command} once with --allow-mass-change." in report.message
        assert world.writes() == 0


def test_take_is_not_refused_for_what_it_leaves_to_a_sync(world, held):
    """Cards that were left when their leads were deleted, and that another setting has archived by now."""
    gone(world, 5)
    world.sync(allow_mass_change=True, SYNC_ON_LEAD_DELETED="leave")
    report = world.sync(exit_code=3)
    assert "cards would be archived" in report.message
    report = world.sync(asked=take_of(held))
    assert {row["lead_id"] for row in report.changes} == {held}
    assert (known(world), world.writes()) == ({}, 1)
