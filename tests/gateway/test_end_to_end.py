"""Edit here, see it there: deliveries of the emulator, the gateway over HTTP, and real runs."""

import threading
import time

from emulator import Fault
from leadsync.gateway.webhooks import Webhooks
from leadsync.state.lock import pair_lock
from support.harness import STAGE_OF


def lead_named(instant, name):
    return next(lead for lead, cells in instant.world.airtable.records().items() if cells["name"] == name)


def writes(instant):
    return [report.counts["changes"] for report in instant.reports]


def test_edit_in_airtable_is_on_the_card(instant):
    """One run; Trello's echoes of its writes start none."""
    lead = lead_named(instant, "Ada")
    instant.emulator.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    assert instant.settled() == 1
    instant.world.assert_equal()
    assert instant.world.place(lead) == STAGE_OF["CONTACTED"]


def test_edit_on_the_card_is_in_airtable_and_its_echo_ends_in_one_idle_run(instant):
    """Airtable does not say whose change it was, so it is looked at once; never again."""
    lead = lead_named(instant, "Bo")
    instant.emulator.trello.move(instant.world.card(lead)["id"], "DONE")
    assert instant.settled() == 2
    assert writes(instant) == [1, 0]
    assert instant.world.status(lead) == "QUALIFIED"
    instant.world.assert_equal()


def test_edits_on_both_sides_come_to_rest(instant):
    """No loop: after the last write one idle run at most."""
    for status, place in (("CONTACTED", "DONE"), ("NEW", "IN_PROGRESS"), ("LOST", "TODO")):
        instant.emulator.airtable.edit(lead_named(instant, "Ada"), status=status)
        instant.emulator.trello.move(instant.world.card(lead_named(instant, "Bo"))["id"], place)
        instant.settled()
    assert instant.settled() <= 9
    assert writes(instant)[-1] == 0
    instant.world.assert_equal()


def test_new_deleted_and_archived_travel_too(instant):
    lead = instant.emulator.airtable.add_lead("Di", status="NEW")
    instant.settled()
    assert instant.world.place(lead) == "TODO"
    instant.emulator.airtable.delete(lead)
    instant.settled()
    assert instant.world.card(lead)["closed"] is True


def test_half_typed_values_do_not_travel(instant):
    """The title is typed letter by letter, faster than the settle time."""
    card = instant.world.card(lead_named(instant, "Ada"))["id"]
    for end in range(1, 8):
        instant.emulator.trello.edit(card, name="Ada Byron"[: end + 2])
        time.sleep(0.01)
    instant.settled()
    written = [change["after"] for report in instant.reports for change in report.changes]
    assert written == ["Ada Byron"]


def test_comments_and_drags_within_a_list_cost_nothing(instant):
    instant.emulator.clear_requests()
    card = instant.world.card(lead_named(instant, "Ada"))["id"]
    instant.emulator.trello.edit(card, pos="top")
    assert instant.settled() == 0
    assert instant.emulator.calls("airtable") + instant.emulator.calls("trello") == 0


def test_lost_delivery_is_healed_by_the_next_sync(instant):
    """A webhook is a hint."""
    instant.webhooks(Webhooks.unregister)
    lead = lead_named(instant, "Cy")
    instant.emulator.airtable.edit(lead, status="LOST")
    assert instant.settled() == 0
    instant.world.sync()
    instant.world.assert_equal()


def test_hint_that_meets_another_runs_lock_is_not_lost(instant, monkeypatch):
    """It is tried again until the other has ended."""
    monkeypatch.setattr("leadsync.gateway.line.BUSY_PAUSE", 0.1)
    pair = f"{instant.settings.airtable_base_id}/{instant.emulator.trello.board_id}"
    lead = lead_named(instant, "Ada")
    with pair_lock(instant.store, pair):
        instant.emulator.airtable.edit(lead, status="QUALIFIED")
        while not instant.reports:
            time.sleep(0.01)
    assert instant.settled() >= 2
    assert [report.exit_code for report in instant.reports][0] == 4
    instant.world.assert_equal()


def test_runs_leave_no_threads_behind(instant):
    """In a gateway they would add up to hundreds a day."""
    instant.world.sync()
    ours = {thread for thread in threading.enumerate() if "process_request" not in thread.name}
    for _ in range(3):
        instant.world.sync()
    deadline = time.monotonic() + 60
    while left := [each for each in {*threading.enumerate()} - ours if "process_request" not in each.name]:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def test_service_that_cannot_be_reached_does_not_make_the_gateway_run_hot(instant):
    """One run now, one more try in a minute, and then the schedule."""
    instant.emulator.inject(Fault("status", service="trello", path="/cards", status=503, times=100))
    instant.emulator.airtable.edit(lead_named(instant, "Ada"), status="LOST")
    while not instant.reports:
        time.sleep(0.01)
    time.sleep(0.3)
    running, waiting, last = instant.gate.trigger.queue()
    assert (len(instant.reports), running, waiting, last.report["exit_code"]) == (1, None, 1, 1)
    instant.emulator.clear_faults()
    instant.emulator.airtable.edit(lead_named(instant, "Bo"), status="LOST")
    instant.settled()
    instant.world.assert_equal()
