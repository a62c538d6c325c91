"""What becomes of leads that are synced when the mapping, the table or the board changes between two runs."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from emulator import Fault
from support.harness import World, findings, written
from support.mapped_scene import MAPPING, SHOWN, build

DUE = '[[field]]\nairtable = "Next step"\ncard = "due"\n'
LABELS = '[[field]]\nairtable = "Tags"\ncard = "labels"\n'
BUDGET = '[[field]]\nairtable = "Budget"\ncard = "custom:Budget"\n'


@pytest.fixture
def mapped(tmp_path):
    """`mapped(text)`: a world with these rows; all columns are there."""
    made = []

    def make(text):
        world = World(tmp_path / str(len(made)))
        made.append(world)
        (tmp_path / str(len(made) - 1)).mkdir()
        build(world)
        world.env["SYNC_FIELDS"] = text
        return world

    yield make
    for world in made:
        world.close()


def assert_quiet(world, **how):
    report = world.sync(**how)
    assert (report.changes, report.conflicts, report.quarantine, world.writes()) == ([], [], [], 0)


@pytest.mark.parametrize("read", ["full", "delta"])
def test_changed_time_zone_leaves_both_sides_and_lists_once_what_it_draws_apart(mapped, read):
    world = mapped(DUE)
    late, noon = (world.lead(name, "NEW", **{"Next step": "2026-12-01"}) for name in ("Late", "Noon"))
    world.sync()
    world.trello.edit(world.card(late)["id"], due="2026-12-01T23:30:00.000Z")
    world.sync()
    world.env["SYNC_FIELDS"] = 'timezone = "Europe/Berlin"\n' + DUE
    dry = world.sync(read=read, dry_run=True)
    report = world.sync(read=read)
    told = [("due", "2026-12-01", "2026-12-01T23:30:00.000Z")]
    assert [findings(each.conflicts, late) for each in (dry, report)] == [told, told]
    assert (len(report.conflicts), report.changes, world.writes()) == (1, [], 0)
    assert_quiet(world, read=read)
    world.trello.edit(world.card(late)["id"], due="2026-12-02T23:30:00.000Z")
    world.airtable.edit(noon, **{"Next step": "2026-12-05"})
    world.sync(read=read)
    assert world.cells(late)["Next step"] == "2026-12-03"
    assert world.card(noon)["due"][:10] == "2026-12-05"
    assert_quiet(world, read=read)


def test_changed_map_leaves_both_sides_and_lists_once_what_it_draws_apart(mapped):
    """Of a set, too: no label is taken off or put on because its option is called otherwise by now."""
    world = mapped(LABELS + 'map = { "Hot" = "Hot" }\n')
    lead, other = world.lead("Ada", "NEW", Tags=["Hot", "Old"]), world.lead("Bob", "NEW", Tags=["Old"])
    world.sync()
    world.env["SYNC_FIELDS"] = LABELS + 'map = { "Hot" = "Fair" }\n'
    report = world.sync()
    assert [row["lead_id"] for row in report.conflicts] == [lead]
    assert (report.changes, world.writes()) == ([], 0)
    assert_quiet(world)
    world.airtable.edit(other, Tags=["Old", "Hot"])
    world.sync()
    assert SHOWN["labels"].of_card(world, other) == {"Old", "Fair"}
    assert SHOWN["labels"].of_card(world, lead) == {"Hot", "Old"}


def test_what_a_failed_run_could_not_list_is_listed_by_the_next(mapped):
    world = mapped(DUE)
    lead = world.lead("Late", "NEW", **{"Next step": "2026-12-01"})
    world.sync()
    world.trello.edit(world.card(lead)["id"], due="2026-12-01T23:30:00.000Z")
    world.sync()
    world.env["SYNC_FIELDS"] = 'timezone = "Europe/Berlin"\n' + DUE
    world.trello.archive_list("TODO")
    world.sync(exit_code=None, TRELLO_API_TOKEN="f" * 64)
    world.trello.unarchive_list("TODO")
    assert [row["field"] for row in world.sync().conflicts] == ["due"]


RETYPED = {
    "day-to-moment": (DUE, "Next step", "date", "2026-12-01", "dateTime", "2026-12-09T08:00:00.000Z"),
    "moment-to-day": (DUE, "Next step", "dateTime", "2026-12-01T08:00:00.000Z", "date", "2026-12-09"),
    "set-to-choice": (LABELS, "Tags", "multipleSelects", ["Hot"], "singleSelect", "Fair"),
    "choice-to-set": (LABELS, "Tags", "singleSelect", "Hot", "multipleSelects", ["Fair"]),
    "number-to-text": (BUDGET, "Budget", "number", 5, "singleLineText", "six"),
}


@pytest.mark.parametrize("asked", [True, False], ids=["schema-asked", "schema-kept"])
@pytest.mark.parametrize("case", RETYPED)
def test_column_of_another_type_is_met_as_if_for_the_first_time(mapped, case, asked, monkeypatch):
    """What both sides agreed on was of another type: nothing is cleared on a card, and what differs is listed."""
    rows, name, kind, first, other, second = RETYPED[case]
    world = mapped(rows)
    choices = {"choices": [{"name": option} for option in ("Hot", "Fair")]}
    options = lambda of: choices if "elect" in of else {"precision": 2} if of == "number" else None  # noqa: E731
    world.airtable.retype_field(name, kind, options(kind))
    emptied, moved = world.lead("Ada", "NEW", **{name: first}), world.lead("Bob", "NEW", **{name: first})
    world.sync()
    before = [world.card(lead) for lead in (emptied, moved)]
    world.airtable.retype_field(name, other, options(other))
    world.airtable.edit(emptied, **{name: None})
    world.airtable.edit(moved, **{name: second})
    if asked:
        monkeypatch.setattr("leadsync.pipeline.ties.time", SimpleNamespace(time=lambda: time.time() + 100_000))
    report = world.sync(exit_code=None)
    if case == "number-to-text":  # which its custom field does not take
        assert (report.exit_code, "'Budget'" in report.message) == (2, True)
        assert [world.card(lead) for lead in (emptied, moved)] == before
        return
    assert (report.exit_code, report.quarantine, report.failures) == (0, [], [])
    if asked or "set" in case:
        assert world.cells(emptied)[name]  # filled again
        assert [row["kind"] for row in report.conflicts] == ["first match"]
    assert_quiet(world)


def test_what_is_mended_on_the_board_or_in_the_table_is_seen_by_the_next_run(mapped):
    world = mapped('[[field]]\nairtable = "Sum"\ncard = "custom:Sum"\n')
    lead = world.lead("Ada", "NEW")
    assert "'Sum'" in world.sync(exit_code=2).message
    world.trello.make_custom_field("Sum", "number")
    assert "'Sum'" in world.sync(exit_code=2).message
    world.airtable.add_field("Sum", "number", {"precision": 0})
    world.airtable.edit(lead, Sum=7)
    world.sync()
    assert world.trello.custom_fields(world.card(lead)["id"]) == {"Sum": "7"}


@pytest.mark.parametrize("read", ["full", "delta"])
def test_custom_field_deleted_on_the_board_empties_no_column(mapped, read):
    world = mapped(BUDGET)
    leads = [world.lead(f"Lead {number}", "NEW", Budget=number + 1) for number in range(3)]
    world.sync()
    world.trello.delete_custom_field("Budget")
    report = world.sync(read=read, exit_code=None)
    world.sync(exit_code=None)
    assert [world.cells(lead).get("Budget") for lead in leads] == [1, 2, 3]
    assert read == "delta" or (report.exit_code, "'Budget'" in report.message) == (2, True)
    world.trello.make_custom_field("Budget", "number")
    world.sync(read=read)
    assert [world.cells(lead).get("Budget") for lead in leads] == [1, 2, 3]
    assert [SHOWN["custom:Budget"].of_card(world, lead) for lead in leads] == [1, 2, 3]
    assert_quiet(world)


@pytest.mark.parametrize("read", ["full", "delta"])
def test_custom_field_made_anew_between_two_runs_is_filled_from_the_table(mapped, read):
    """Its name is the same, and yet it is another."""
    world = mapped(BUDGET)
    leads = [world.lead(f"Lead {number}", "NEW", Budget=number + 1) for number in range(3)]
    world.sync()
    world.trello.delete_custom_field("Budget")
    world.trello.make_custom_field("Budget", "number")
    for _ in range(2):
        world.sync(read=read, exit_code=None)
    world.sync()
    assert [world.cells(lead).get("Budget") for lead in leads] == [1, 2, 3]
    assert [SHOWN["custom:Budget"].of_card(world, lead) for lead in leads] == [1, 2, 3]
    assert_quiet(world)


def test_row_taken_out_clears_nothing_and_is_a_first_match_when_it_comes_back(mapped):
    world = mapped(DUE + LABELS)
    lead = world.lead("Ada", "NEW", **{"Next step": "2026-12-01", "Tags": ["Hot"]})
    world.sync()
    world.env["SYNC_FIELDS"] = LABELS
    assert_quiet(world)
    assert (world.card(lead)["due"][:10], world.cells(lead)["Next step"]) == ("2026-12-01", "2026-12-01")
    world.airtable.edit(lead, **{"Next step": None})
    assert_quiet(world)
    world.env["SYNC_FIELDS"] = DUE + LABELS
    assert written(world.sync()) == [("due", "2026-12-01", "to_airtable")]
    assert_quiet(world)


def test_row_taken_out_takes_along_what_was_still_to_be_checked(mapped):
    """An edit that a write landed on, of a property that is mapped no more, stops no run."""
    world = mapped(DUE + LABELS)
    lead = world.lead("Ada", "NEW", **{"Next step": "2026-12-01"})
    world.sync()
    world.airtable.edit(lead, **{"Next step": "2026-12-02"}, Tags=["Hot"])
    card = world.card(lead)["id"]

    def before(request, index):
        if request.method == "PUT":
            world.trello.edit(card, due="2026-12-24T12:00:00.000Z")

    forget = world.emulator.before_request(before)
    world.emulator.inject(Fault("status", path="/actions", status=404, times=1))
    world.sync(exit_code=None)
    forget()
    world.env["SYNC_FIELDS"] = LABELS
    assert world.sync().failures == []
    assert_quiet(world)


@pytest.mark.parametrize("way", ["both", "to_trello", "to_airtable"])
def test_first_match_of_every_property(mapped, way):
    """An empty side is filled, but never by an empty source; where both hold something the source wins."""
    world = mapped("")
    rows = [row for row in MAPPING.split("[[field]]\n")[1:] if "line:" not in row and "url" not in row]
    cases = [
        (shown, typed, put)
        for shown in SHOWN.values()
        for typed in (None, shown.values[0] or True)
        for put in (None, shown.values[1])
    ]
    leads = [world.lead("Ada", "NEW", **({} if typed is None else {shown.column: typed})) for shown, typed, _ in cases]
    world.sync()
    for lead, (shown, _, put) in zip(leads, cases, strict=True):
        if put is not None:
            shown.put(world, world.card(lead)["id"], put)
    world.env["SYNC_FIELDS"] = "".join(f'[[field]]\n{row}direction = "{way}"\n' for row in rows)
    conflicts = world.sync().conflicts
    for lead, (shown, *sides) in zip(leads, cases, strict=True):
        typed, put = (frozenset(each or ()) if shown.is_set else each or "" for each in sides)
        first = put if way == "to_airtable" else typed | put if way == "both" and shown.is_set else typed
        of_lead = first or typed if way != "to_trello" else typed
        of_card = first or put if way != "to_airtable" else put
        of_lead, of_card = (of_lead or put, of_card or typed) if way == "both" else (of_lead, of_card)
        assert (shown.of_lead(world, lead), shown.of_card(world, lead)) == (of_lead, of_card), (shown.card, sides)
        listed = [row["kind"] for row in conflicts if row["lead_id"] == lead]
        assert listed == ["first match"] * bool(typed and put and typed != put), (shown.card, sides)
    assert_quiet(world)
