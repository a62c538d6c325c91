"""
The suite can fail: each rule that is broken on purpose is noticed by the check that stands for it.

A mutant is a switch that breaks one rule while it is on; a check is the behaviour that the rule is for.
"""

from dataclasses import replace
from unittest.mock import patch

import pytest

from emulator import Fault
from leadsync.airtable.client import Airtable
from leadsync.state.journal import Journal
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore
from support.harness import findings
from support.mutants import MUTANTS

# --- checks ---------------------------------------------------------------------------------------------------


def lost_stays_lost(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="LOST")
    world.trello.move(world.card(lead)["id"], "DONE")
    world.sync(SYNC_CONFLICT="trello")
    assert world.status(lead) == "LOST"


def unclear_create_is_not_doubled(world):
    world.sync()
    lead = world.lead("Ada")
    world.emulator.inject(Fault("drop_after", service="trello", method="POST", path="/cards"))
    world.sync(exit_code=None)
    world.sync(exit_code=None)
    assert len(world.cards_of(lead)) == 1


def edit_survives_a_failed_write(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    world.emulator.inject(Fault("status", service="trello", method="PUT", status=500, times=50))
    world.sync(exit_code=1)
    world.emulator.clear_faults()
    world.sync()
    assert (world.status(lead), world.place(lead)) == ("CONTACTED", "IN_PROGRESS")


def emptied_table_archives_nothing(world):
    leads = [world.lead(f"Lead {number}") for number in range(12)]
    world.sync()
    for lead in leads:
        world.airtable.delete(lead)
    world.sync(exit_code=None)
    assert world.writes() == 0


def short_page_archives_nothing(world):
    lead = world.linked("Ada")
    whole = Airtable.fetch_leads

    def without(self):
        read = whole(self)
        return replace(read, leads=read.leads.drop(index=lead))

    with patch.object(Airtable, "fetch_leads", without):
        world.sync(exit_code=None)
    assert world.card(lead)["closed"] is False


def second_run_waits_outside(world):
    world.sync()
    store = StateStore(world.env["SYNC_STATE_URL"])
    with pair_lock(store, f"{world.airtable.base_id}/{world.trello.board_id}"):
        assert world.sync(exit_code=None).exit_code == 4
    store.close()


def column_of_others_is_untouched(world):
    lead = world.linked("Ada", "NEW", notes="call after five")
    world.trello.move(world.card(lead)["id"], "DONE")
    world.sync()
    assert world.cells(lead).get("notes") == "call after five"


def edit_after_a_cut_is_no_conflict(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    with patch.object(Journal, "record", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        world.sync()
    world.trello.move(world.card(lead)["id"], "DONE")
    report = world.sync()
    assert (world.status(lead), findings(report.conflicts, lead)) == ("QUALIFIED", [])


def edit_just_before_the_patch_is_told(world):
    lead, done = world.linked("Ada", "NEW"), []
    world.trello.move(world.card(lead)["id"], "DONE")

    def edit(request, _index):
        if request.service == "airtable" and world.emulator.calls("trello") and not done and reading(request):
            done.append(world.airtable.edit(lead, status="CONTACTED"))

    world.emulator.before_request(edit)
    report = world.sync()
    assert world.status(lead) == "CONTACTED" or ("status", "CONTACTED", "DONE") in findings(report.conflicts, lead)


def reading(request):
    """The read of the leads that comes last before they are written, or the write itself where there is none."""
    return request.method == "PATCH" or "filterByFormula" in request.query


def move_just_before_the_put_is_told(world):
    lead, done = world.linked("Ada", "NEW"), []
    world.airtable.edit(lead, status="CONTACTED")

    def move(request, _index):
        if request.method == "PUT" and not done:
            done.append(world.trello.move(world.card(lead)["id"], "DONE"))

    world.emulator.before_request(move)
    report = world.sync()
    assert ("status", "CONTACTED", "DONE") in findings(report.conflicts, lead)


# --- mutants --------------------------------------------------------------------------------------------------

CHECKS = {
    "bare-reverse-map": lost_stays_lost,
    "blind-post-retry": unclear_create_is_not_doubled,
    "search-instead-of-board-read": unclear_create_is_not_doubled,
    "base-moved-before-the-write": edit_survives_a_failed_write,
    "no-guard": emptied_table_archives_nothing,
    "delete-inferred-from-a-short-page": short_page_archives_nothing,
    "lock-removed": second_run_waits_outside,
    "put-of-all-fields": column_of_others_is_untouched,
    "no-journal": edit_after_a_cut_is_no_conflict,
    "no-re-read-of-leads": edit_just_before_the_patch_is_told,
    "feed-not-read": move_just_before_the_put_is_told,
}


@pytest.mark.parametrize("name", CHECKS)
def test_check_passes_while_the_rule_stands(world, name):
    CHECKS[name](world)


@pytest.mark.parametrize("name", CHECKS)
def test_mutant_is_caught(world, name):
    with MUTANTS[name](), pytest.raises(AssertionError):
        CHECKS[name](world)
