"""What stops a run before it writes, and what one bad record may not stop."""

import os
from unittest.mock import patch

import pytest

from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options
from leadsync.state.journal import Journal
from support.harness import World, written


def crowd(world, count, **cells):
    """That many further leads with cards."""
    leads = [world.lead(f"Lead {number}", "NEW", **cells) for number in range(count)]
    world.sync()
    return leads


def state(world):
    return world.airtable.records(), world.trello.cards()


@pytest.mark.parametrize("count", [1, 12])
def test_table_that_came_back_empty_is_refused(world, count):
    for lead in [*crowd(world, count), *world.airtable.records()]:
        if lead in world.airtable.records():
            world.airtable.delete(lead)
    before = state(world)
    report = world.sync(exit_code=3)
    assert (state(world), world.writes()) == (before, 0)
    assert "--allow-mass-change" in report.message


def test_board_that_came_back_empty_is_refused(world):
    crowd(world, 2)
    elsewhere = world.trello.add_board("Elsewhere")
    for card in world.trello.cards():
        world.trello.move_to_board(card, elsewhere)
    before = state(world)
    report = world.sync(exit_code=3)
    assert (state(world), world.writes()) == (before, 0)
    assert "--allow-mass-change" in report.message


@pytest.mark.parametrize(("missing", "exit_code"), [(3, 0), (4, 3)])
def test_share_of_missing_leads_is_guarded_from_ten_on(world, missing, exit_code):
    """Ten known leads, of which three may go at once."""
    leads = crowd(world, 9)
    for lead in leads[:missing]:
        world.airtable.delete(lead)
    report = world.sync(exit_code=exit_code)
    assert world.writes() == (missing if exit_code == 0 else 0)
    assert ("SYNC_MAX_ARCHIVE_PERCENT" in report.message) == (exit_code == 3)


@pytest.mark.parametrize("visible", [True, False])
def test_share_of_missing_cards_is_guarded(world, visible):
    """That they are on another board, or out of sight, explains nothing."""
    elsewhere = world.trello.add_board("Elsewhere", visible=visible)
    for lead in crowd(world, 9)[:4]:
        world.trello.move_to_board(world.card(lead)["id"], elsewhere)
    assert "4 of 10 known cards" in world.sync(exit_code=3).message
    assert world.writes() == 0


@pytest.mark.parametrize("read", ["full", "delta"])
@pytest.mark.parametrize("gone", ["archive", "delete"])
def test_cards_archived_or_deleted_on_purpose_do_not_stop_the_sync(world, gone, read):
    """A weekly rule that clears the list DONE: what a look-up or the activity explains is not missing."""
    leads = crowd(world, 19)
    world.sync(read="delta")
    for lead in leads[:8]:
        getattr(world.trello, gone)(world.card(lead)["id"])
    world.airtable.edit(leads[10], status="LOST")
    world.sync(read=read)
    assert (world.place(leads[10]), world.writes()) == ("DONE", 1)
    world.assert_idle(read=read)
    world.assert_idle()


@pytest.mark.parametrize("gone", ["archive", "delete"])
def test_board_of_which_the_only_card_was_put_away_is_synced(tmp_path, gone):
    empty = World(tmp_path)
    lead = empty.linked("Ada", "NEW")
    getattr(empty.trello, gone)(empty.card(lead)["id"])
    empty.sync()
    empty.assert_idle()
    empty.airtable.edit(lead, status="CONTACTED")
    empty.sync()
    assert empty.place(lead) == "IN_PROGRESS"
    empty.close()


@pytest.mark.parametrize(("gone", "most"), [("archive", 1), ("delete", 2)])
def test_many_cards_put_away_at_once_are_explained_in_a_few_requests(world, gone, most):
    """Besides the read: the archived ones are listed, and the deletions read from the activity."""
    leads = crowd(world, 119)
    for lead in leads[:80]:
        getattr(world.trello, gone)(world.card(lead)["id"])
    world.sync()
    assert (world.calls(), world.writes()) == ((2, 1 + most), 0)
    world.assert_idle()
    assert world.calls() == (2, 1)


def test_many_cards_gone_without_a_word_are_refused_in_a_few_requests(world):
    leads = crowd(world, 119)
    elsewhere = world.trello.add_board("Elsewhere")
    for lead in leads[:80]:
        world.trello.move_to_board(world.card(lead)["id"], elsewhere)
    for lead in leads[80:90]:
        world.trello.archive(world.card(lead)["id"])
    assert "80 of 120 known cards are missing" in world.sync(exit_code=3).message
    assert world.calls() == (2, 3)


def test_nine_known_leads_are_too_few_for_a_share(world):
    for lead in crowd(world, 8)[:5]:
        world.airtable.delete(lead)
    world.sync()
    assert world.writes("trello") == 5


def test_allowed_share_is_a_setting(world):
    for lead in crowd(world, 9)[:4]:
        world.airtable.delete(lead)
    world.sync(SYNC_MAX_ARCHIVE_PERCENT="40")
    assert world.writes("trello") == 4


@pytest.mark.parametrize("side", ["airtable", "trello"])
def test_mass_change_can_be_allowed_for_one_run(world, side):
    leads, elsewhere = crowd(world, 11), world.trello.add_board("Elsewhere")
    for lead in leads:
        if side == "airtable":
            world.airtable.delete(lead)
        else:
            world.trello.move_to_board(world.card(lead)["id"], elsewhere)
    world.sync(exit_code=3)
    report = world.sync(allow_mass_change=True)
    assert side == "trello" or all(world.card(lead)["closed"] for lead in leads)
    assert side == "airtable" or {*leads} <= {note["lead_id"] for note in report.notes}
    world.assert_idle()


def test_allowed_mass_change_lifts_the_share_guards_only(world):
    """A side that came back empty is refused all the same."""
    (lead,) = crowd(world, 1)
    for each in list(world.airtable.records()):
        world.airtable.delete(each)
    world.sync(exit_code=3, allow_mass_change=True)
    assert (world.card(lead)["closed"], world.writes()) == (False, 0)


def test_dry_run_shows_the_plan_and_writes_nothing(world):
    lead = world.linked("Ada", "NEW")
    new = world.lead("Bob", "LOST")
    world.airtable.edit(lead, status="LOST")
    world.trello.edit(world.card(lead)["id"], name="Ada L.")
    before = state(world)
    planned = world.sync(dry_run=True)
    assert (state(world), world.writes(), len(planned.changes)) == (before, 0, 3)
    assert {row["outcome"] for row in planned.changes} == {"planned"}
    done = world.sync()
    assert sorted(written(done)) == sorted(written(planned))
    assert len(world.cards_of(new)) == 1


def test_dry_run_records_nothing(world):
    """A dry run that recorded would make the next run take the card's move for agreed."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    world.trello.move(world.card(lead)["id"], "DONE")
    for _ in range(2):
        assert len(world.sync(dry_run=True).conflicts) == 1
    assert len(world.sync().conflicts) == 1


def test_second_run_of_the_pair_leaves_and_says_who_holds_the_lock(world):
    world.sync()
    lead, second = world.lead("Ada"), []

    def run_beside(request, index):
        if request.is_write and not second:
            second.append(run_sync(world.settings(), Options()))

    world.emulator.before_request(run_beside)
    world.sync()
    (report,) = second
    assert (report.exit_code, report.changes, report.calls) == (4, [], {"airtable": 0, "trello": 0})
    assert str(os.getpid()) in report.message
    assert len(world.cards_of(lead)) == 1
    world.sync()


# Emptied cells


READS = pytest.mark.parametrize("read", ["full", "delta"])


def option_deleted(world):
    """40 leads, of which ten hold the option that an admin deletes: Airtable empties their cells."""
    leads = [world.lead(f"Lead {number}", "QUALIFIED" if number < 10 else "NEW") for number in range(40)]
    world.sync()
    world.sync(read="delta")
    world.airtable.delete_select_option("status", "QUALIFIED")
    return leads


@READS
def test_deleted_option_moves_no_card(world, read):
    """A quarter of the cells, yet every one that held the value: Trello is the last place that knows it."""
    leads = option_deleted(world)
    before = state(world)
    message = world.sync(read=read, exit_code=3).message
    assert (state(world), world.writes()) == (before, 0)
    assert "'status' in Airtable is empty for 10 of 10 leads that held 'QUALIFIED'" in message
    first = min(leads[:10])
    assert f"{first} ({world.cells(first)['name']})" in message
    assert "--allow-mass-change" in message
    world.airtable.add_select_option("status", "QUALIFIED")
    for lead in leads[:10]:
        world.airtable.edit(lead, status="QUALIFIED")
    world.assert_idle(read=read)


@READS
def test_deleted_option_may_be_meant(world, read):
    leads = option_deleted(world)
    world.sync(read=read, allow_mass_change=True)
    assert {world.place(lead) for lead in leads} == {"TODO"}
    world.assert_idle(read=read)


def test_option_deleted_after_a_run_was_cut_off_is_noticed(world):
    """The base does not know yet that ten leads became QUALIFIED; the journal knows what was meant."""
    leads = crowd(world, 40)
    for lead in leads[:10]:
        world.trello.move(world.card(lead)["id"], "DONE")
    with patch.object(Journal, "record", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        world.sync()
    assert {world.status(lead) for lead in leads[:10]} == {"QUALIFIED"}
    world.airtable.delete_select_option("status", "QUALIFIED")
    assert "held 'QUALIFIED'" in world.sync(exit_code=3).message


@pytest.mark.parametrize("cell", ["name", "email", "source"])
def test_emptied_column_is_refused(world, cell):
    """More than 30 % of the cells, ten at least."""
    leads = [world.lead(f"Lead {number}", email=f"{number}@x.com", source=f"fair {number}") for number in range(30)]
    world.sync()
    for lead in leads[:9]:
        world.airtable.edit(lead, **{cell: None})
    world.sync(dry_run=True)
    for lead in leads[9:12]:
        world.airtable.edit(lead, **{cell: None})
    assert f"Column {cell!r} in Airtable is empty for 12 of 31 leads" in world.sync(exit_code=3).message
    assert world.writes() == 0
    world.sync(allow_mass_change=True)
    world.assert_idle()


@pytest.mark.parametrize(("cells", "told"), [({"name": ""}, "title"), ({"desc": ""}, "e-mail line")])
def test_texts_wiped_on_the_board_are_refused(world, cells, told):
    leads = [world.lead(f"Lead {number}", email=f"{number}@example.com") for number in range(20)]
    world.sync()
    for lead in leads[:10]:
        world.trello.edit(world.card(lead)["id"], **cells)
    assert f"The {told} on Trello is empty for 10 of 21 cards" in world.sync(exit_code=3).message
    assert world.writes() == 0
    world.sync(allow_mass_change=True)
    assert {world.card(lead)["name"] for lead in leads} == {f"Lead {number}" for number in range(20)}
    world.assert_idle()


def test_leads_that_all_move_on_are_no_emptying(world):
    leads = crowd(world, 5)
    for lead in leads:
        world.airtable.edit(lead, status="CONTACTED")
    world.sync()
    assert {world.place(lead) for lead in leads} == {"IN_PROGRESS"}


def test_cells_emptied_one_by_one_over_time_are_no_emptying(world):
    """An empty status counts as NEW and changes nothing, but is remembered as empty."""
    for lead in crowd(world, 6):
        world.airtable.edit(lead, status=None)
        world.sync()
        world.assert_idle()


# Batches


def test_missing_option_stops_only_its_own_lead(world):
    leads = crowd(world, 10)
    world.airtable.delete_select_option("status", "QUALIFIED")
    for number, lead in enumerate(leads):
        world.trello.move(world.card(lead)["id"], "DONE" if number == 4 else "IN_PROGRESS")
    report = world.sync(exit_code=1)
    (failure,) = report.failures
    assert (failure["lead_id"], "QUALIFIED" in failure["reason"]) == (leads[4], True)
    assert "Add the option 'QUALIFIED'" in failure["remedy"]
    assert [world.status(lead) for lead in leads].count("CONTACTED") == 9
    world.airtable.add_select_option("status", "QUALIFIED")
    world.sync()
    assert (world.status(leads[4]), world.place(leads[4])) == ("QUALIFIED", "DONE")
    world.assert_idle()


def test_missing_options_are_never_made_by_the_sync(world):
    (lead,) = crowd(world, 1)
    world.airtable.delete_select_option("status", "QUALIFIED")
    world.trello.move(world.card(lead)["id"], "DONE")
    world.sync(exit_code=1)
    assert (world.status(lead), world.place(lead)) == ("NEW", "DONE")


def test_cards_that_trello_refuses_are_listed_and_made_later(world):
    """The board takes three open cards; five leads want one."""
    object.__setattr__(world.emulator.knobs, "trello_open_cards_limit", 3)
    leads = [world.lead(f"Lead {number}") for number in range(4)]
    report = world.sync(exit_code=1)
    assert [len(report.failures), len(world.trello.cards())] == [2, 3]
    assert all("archive" in failure["remedy"] for failure in report.failures)
    object.__setattr__(world.emulator.knobs, "trello_open_cards_limit", 99)
    world.sync()
    world.assert_one_card_each()
    world.assert_equal(*leads)


def test_lead_deleted_between_the_plan_and_its_write_is_no_failure(world):
    leads = crowd(world, 3)
    for lead in leads:
        world.trello.move(world.card(lead)["id"], "DONE")
    deleted = []

    def delete(request, index):
        if request.method == "PATCH" and not deleted:
            deleted.append(leads[1])
            world.airtable.delete(leads[1])

    forget = world.emulator.before_request(delete)
    report = world.sync(exit_code=None)
    forget()
    assert [world.status(lead) for lead in (leads[0], leads[2])] == ["QUALIFIED"] * 2
    assert {row["lead_id"] for row in report.failures} <= {leads[1]}
    world.sync()
    world.assert_idle()
