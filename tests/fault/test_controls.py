"""
The suite can fail: each rule that is broken on purpose is noticed by the check that stands for it.

A mutant is a switch that breaks one rule while it is on; a check is the behaviour that the rule is for.
"""

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from unittest.mock import patch

import pytest

from emulator import Fault
from leadsync.airtable import writing
from leadsync.airtable.client import Airtable
from leadsync.apply import card_parts, leads, repair_cards
from leadsync.errors import UnclearWriteError
from leadsync.frames.cards import deleted_cards
from leadsync.frames.leads import absent_leads
from leadsync.model import StatusMap
from leadsync.pipeline import join
from leadsync.pipeline import run as pipeline
from leadsync.state.journal import Journal
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore
from leadsync.trello.board import CardsRead
from leadsync.trello.writing import create_card
from support.harness import findings

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


def post_again_blindly(write, cells, trello, board):
    """Without a look at the board."""
    for _ in range(3):
        try:
            return create_card(trello, cells)
        except UnclearWriteError:
            continue
    return create_card(trello, cells)


@contextmanager
def bare_reverse_map():
    """A list means one status and no other: what the well-known tools do."""

    def stage_of(status_map, status):
        reverse = {name: stage for stage, name in status_map.status_for.items()}
        return reverse.get(status, "none of the lists")

    with (
        patch.object(StatusMap, "put", lambda self, stage, status: self.status_for[stage]),
        patch.object(StatusMap, "stage_of_cell", stage_of),
    ):
        yield


create = card_parts._create_card


def searching(write, cells, trello, board):
    """As the rule has it, but by an index that lags: a card just made is not in it."""
    with patch.object(trello, "fetch_cards", lambda *_arguments, **_more: CardsRead(deleted_cards([]), 0)):
        return create(write, cells, trello, board)


def base_moved_before_the_write():
    journal = Journal.enter

    def early(self, pair, updates, forget, intents, *others, **more):
        intents = list(intents)
        written = {intent.lead_id: {**updates.get(intent.lead_id, {}), **intent.record} for intent in intents}
        journal(self, pair, {**updates, **written}, forget, [], *others, **more)

    return patch.object(Journal, "enter", early)


def no_journal():
    journal = Journal.enter

    def without(self, pair, updates, forget, intents, *others, **more):
        journal(self, pair, updates, forget, [], *others, **more)

    return patch.object(Journal, "enter", without)


def put_of_all_fields():
    def put(airtable, updates):
        records = [
            {"id": lead_id, "fields": {airtable.columns.names[ours]: value for ours, value in cells.items()}}
            for lead_id, cells in updates.items()
        ]
        return [dict(record) for record in airtable.table.batch_update(records, replace=True)]

    return patch.object(writing, "_patch", put)


def deletion_from_a_short_page():
    return patch.object(Airtable, "look_up_leads", lambda self, lead_ids: absent_leads(dict.fromkeys(lead_ids, "gone")))


def lock_removed():
    return patch.object(pipeline, "pair_lock", lambda store, pair: nullcontext(lambda: None))


MUTANTS = {
    "bare-reverse-map": (bare_reverse_map, lost_stays_lost),
    "blind-post-retry": (
        lambda: patch.object(card_parts, "_create_card", post_again_blindly),
        unclear_create_is_not_doubled,
    ),
    "search-instead-of-board-read": (
        lambda: patch.object(card_parts, "_create_card", searching),
        unclear_create_is_not_doubled,
    ),
    "base-moved-before-the-write": (base_moved_before_the_write, edit_survives_a_failed_write),
    "no-guard": (
        lambda: patch.multiple(join, check_reads=lambda *_: None, check_plan=lambda *_: None),
        emptied_table_archives_nothing,
    ),
    "delete-inferred-from-a-short-page": (deletion_from_a_short_page, short_page_archives_nothing),
    "lock-removed": (lock_removed, second_run_waits_outside),
    "put-of-all-fields": (put_of_all_fields, column_of_others_is_untouched),
    "no-journal": (no_journal, edit_after_a_cut_is_no_conflict),
    "no-re-read-of-leads": (
        lambda: patch.object(leads, "_drop_moved", lambda *_: None),
        edit_just_before_the_patch_is_told,
    ),
    "feed-not-read": (
        lambda: patch.object(repair_cards, "find_overwritten", lambda *_: []),
        move_just_before_the_put_is_told,
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_check_passes_while_the_rule_stands(world, name):
    MUTANTS[name][1](world)


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(world, name):
    mutant, check = MUTANTS[name]
    with mutant(), pytest.raises(AssertionError):
        check(world)
