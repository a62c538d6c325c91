"""What runs changed is kept: each write once, with both values before and after, and by which rule."""

from __future__ import annotations

import time
from collections import Counter

import pytest
import sqlalchemy as sa

from emulator import Fault
from leadsync.core.ledger import Rule
from support.harness import Scene
from support.kills import killed_after
from support.past_changes import assert_agrees_with_base, changes_of, opened, runs_of, told


def test_run_is_kept_with_each_of_its_writes(tmp_path):
    """The report's changes, in the history with both sides of each."""
    scene = Scene(tmp_path)
    report = scene.sync()
    (run, *_) = runs_of(scene)
    kept = Counter((change.lead_id, change.entry.field) for change in changes_of(scene, run.run_id))
    assert kept == Counter((row["lead_id"], row["field"]) for row in report.changes)
    assert (run.changes, run.leads, run.conflicts, run.ended is None) == (len(report.changes), 7, 0, False)
    of_lead = {change.lead_id: change for change in changes_of(scene, run.run_id)}
    leads = scene.leads
    assert told(of_lead[leads["staged"]]) == ("status", "edit", ("CONTACTED", "TODO"), ("CONTACTED", "IN_PROGRESS"))
    assert told(of_lead[leads["dragged"]]) == ("status", "edit", ("NEW", "DONE"), ("QUALIFIED", "DONE"))
    assert told(of_lead[leads["titled"]]) == ("name", "edit", ("titled", "Titled"), ("Titled", "Titled"))
    new = of_lead[leads["new"]]
    assert told(new) == ("card", "created", ("", ""), ("", "new in IN_PROGRESS"))
    assert new.card_id == scene.card(leads["new"])["id"]
    assert of_lead[leads["staged"]].entry.agreed["status"] == "NEW"
    assert_agrees_with_base(scene)
    scene.close()


def test_run_without_a_write_adds_nothing(world):
    lead = world.linked()
    world.sync()
    before = runs_of(world), changes_of(world)
    world.assert_idle()
    world.airtable.edit(lead, status="CONTACTED")
    world.sync(dry_run=True)
    world.trello.move(world.card(lead)["id"], "IN_PROGRESS")  # now both sides agree without a write
    world.assert_idle()
    assert (runs_of(world), changes_of(world)) == before


@pytest.mark.parametrize(
    ("policy", "rule", "after"),
    [("airtable", "conflict", ("LOST", "DONE")), ("trello", "conflict", ("CONTACTED", "IN_PROGRESS"))],
)
def test_conflict_that_is_settled_is_kept_with_both_values(world, policy, rule, after):
    lead = world.linked()
    world.airtable.edit(lead, status="LOST")
    world.trello.move(world.card(lead)["id"], "IN_PROGRESS")
    world.sync(SYNC_CONFLICT=policy)
    assert told(changes_of(world)[-1]) == ("status", rule, ("LOST", "IN_PROGRESS"), after)
    assert runs_of(world)[0].conflicts == 1


def test_conflict_that_is_held_is_no_change(world):
    lead = world.linked()
    world.airtable.edit(lead, status="LOST")
    world.trello.move(world.card(lead)["id"], "IN_PROGRESS")
    before = len(runs_of(world))
    for _ in range(2):
        assert world.sync(SYNC_CONFLICT="hold").conflicts
    assert len(runs_of(world)) == before


def test_first_match_is_told_from_a_conflict(world):
    lead = world.lead("Ada", "CONTACTED")
    world.trello.add_card("DONE", "Ada Lovelace", f"LeadID: {lead}")
    world.sync()
    kept = [told(change) for change in changes_of(world) if change.lead_id == lead]
    assert kept == [
        ("status", "first match", ("CONTACTED", "DONE"), ("CONTACTED", "IN_PROGRESS")),
        ("name", "first match", ("Ada", "Ada Lovelace"), ("Ada", "Ada")),
    ]


def test_write_that_is_refused_is_no_change(world):
    lead, other = world.linked("Ada"), world.linked("Bob")
    world.airtable.edit(lead, status="CONTACTED")
    world.airtable.edit(other, status="CONTACTED")
    card = world.card(lead)["id"]
    world.emulator.inject(
        Fault("status", method="PUT", path=card, status=400, body="invalid value for idList", times=9)
    )
    before = len(changes_of(world))
    world.sync(exit_code=1)
    assert [change.lead_id for change in changes_of(world)[before:]] == [other]
    world.emulator.clear_faults()


def test_lead_deleted_and_come_back_is_kept_as_two_changes(world):
    lead = world.linked()
    world.airtable.delete(lead)
    world.sync()
    world.airtable.restore(lead)
    world.sync()
    kept = [told(change) for change in changes_of(world) if change.lead_id == lead]
    assert kept[1:] == [
        ("card", "archived", ("", "open"), ("", "archived")),
        ("card", "un-archived", ("", "archived"), ("", "un-archived")),
    ]
    assert_agrees_with_base(world)


def test_write_that_a_cut_off_run_did_not_record_is_history_of_that_run(world):
    """The next run finds it, and its row names the run that wrote it."""
    lead = world.linked()
    world.airtable.edit(lead, status="CONTACTED")
    with killed_after("PUT"):
        world.sync()
    assert runs_of(world)[0].changes == 2  # the first run's: of the cut one nothing is known as yet
    world.assert_idle()
    cut, first = runs_of(world)
    assert [told(change)[0] for change in changes_of(world, cut.run_id)] == ["status"]
    assert (cut.ended, first.ended is None) == (None, False)
    assert_agrees_with_base(world)


def test_value_that_is_given_back_is_a_row_that_names_the_one_it_takes_back(world):
    """A person moved the card just before our write: that is put back, and then decided anew."""
    lead = world.linked()
    card = world.card(lead)["id"]
    world.airtable.edit(lead, status="CONTACTED")
    moved = []

    def before(request, _):
        if request.method == "PUT" and not moved:
            moved.append(world.trello.move(card, "DONE"))

    world.emulator.before_request(before)
    world.sync()
    kept = [change for change in changes_of(world) if change.lead_id == lead][1:]
    write, back = kept[0], next(change for change in kept if change.entry.rule is Rule.GIVEN_BACK)
    assert (back.reverses, write.is_reversed, back.is_reversed) == (write.number, True, False)
    assert told(back) == ("status", "given back", ("CONTACTED", "IN_PROGRESS"), ("CONTACTED", "DONE"))
    assert_agrees_with_base(world)


def test_history_is_kept_for_so_many_days(world):
    """What is older goes along with the next run that writes."""
    lead = world.linked()
    long_ago = time.time() - 3 * 86_400
    with opened(world) as (store, _), store.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE leadsync_run SET at = {long_ago}")
    world.sync(SYNC_HISTORY_DAYS="2")
    assert len(runs_of(world)) == 1
    world.airtable.edit(lead, status="CONTACTED")
    world.sync(SYNC_HISTORY_DAYS="2")
    assert [told(change)[0] for change in changes_of(world)] == ["status"]
    with opened(world) as (store, _), store.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM leadsync_change").scalar() == 1


def test_forgotten_lead_leaves_no_value(world):
    """That something was changed remains, and with a deleted lead what was agreed of it goes, too."""
    lead = world.linked("Ada Lovelace", email="ada@example.com")
    world.airtable.edit(lead, name="Ada King")
    world.sync()
    world.airtable.delete(lead)
    world.sync()
    with opened(world) as (store, pair):
        assert store.history.forget(pair, lead) == 3
        assert all(change.is_forgotten for change in store.history.lead(pair, lead))
        with store.database.reading() as connection:
            dump = "\n".join(
                str(row)
                for table in ("change", "base", "intent", "seen", "conflict", "aside", "review")
                for row in connection.exec_driver_sql(f"SELECT * FROM leadsync_{table}")
            )
    assert "Ada" not in dump
    assert "ada@" not in dump
    world.assert_idle()
    world.airtable.restore(lead)
    world.sync()
    world.assert_equal(lead)


def test_write_of_a_cut_off_run_that_landed_on_an_edit_is_history_and_so_is_what_was_given_back(world):
    lead = world.linked()
    card = world.card(lead)["id"]
    world.airtable.edit(lead, status="CONTACTED")
    moved = []

    def before(request, _):
        if request.method == "PUT" and not moved:
            moved.append(world.trello.move(card, "DONE"))

    world.emulator.before_request(before)
    with killed_after("PUT"):
        world.sync()
    cut = len(changes_of(world))
    world.sync()
    write, back, *_ = changes_of(world)[cut:]
    assert (told(write)[1], told(back)[1]) == ("edit", "given back")
    assert (back.reverses, back.run_id == write.run_id) == (write.number, False)
    assert_agrees_with_base(world)


@pytest.mark.parametrize("read", ["full", "delta"])
def test_run_with_nothing_to_do_reads_and_writes_no_change(world, read):
    """So that a long history costs it nothing."""
    world.linked()
    world.sync()
    statements = []

    def note(connection, cursor, statement, *_):
        statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        world.assert_idle(read=read)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert len(statements) > 5
    assert [statement for statement in statements if "leadsync_change" in statement] == []
    assert len([statement for statement in statements if "leadsync_run" in statement]) == 1  # was an undo cut off?
