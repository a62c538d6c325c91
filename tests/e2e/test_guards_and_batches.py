"""What stops a run before it writes, and what one bad record may not stop."""

import os

import pytest
from harness import written

from leadsync.pipeline import Options, run_sync


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
    for card in world.trello.cards():
        world.trello.archive(card)
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


@pytest.mark.parametrize("gone", ["archive", "delete"])
def test_share_of_missing_cards_is_guarded(world, gone):
    for lead in crowd(world, 9)[:4]:
        getattr(world.trello, gone)(world.card(lead)["id"])
    assert "cards" in world.sync(exit_code=3).message
    assert world.writes() == 0


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
    leads = crowd(world, 11)
    for lead in leads:
        if side == "airtable":
            world.airtable.delete(lead)
        else:
            world.trello.archive(world.card(lead)["id"])
    world.sync(exit_code=3)
    world.sync(allow_mass_change=True)
    assert all(world.card(lead)["closed"] for lead in leads)
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
