"""The change feed: what it costs, what it sees, how it mends itself, and what it says when it cannot be used."""

from itertools import count
from math import ceil
from unittest.mock import patch

import pytest
import requests

from emulator import Fault
from leadsync.state.store import StateStore
from leadsync.state.webhooks import load_known
from support.harness import World, findings
from support.kills import killed_after, killed_before

DELTA = {"airtable": "delta", "trello": "delta"}
LEADS_WHOLE = {"airtable": "full", "trello": "delta"}
FEED = {"AIRTABLE_CHANGE_FEED": "on"}
DAY = 86_400.0


def worlds(folder, leads=2, **options):
    """Leads with cards, and a feed that has told of all that."""
    world = World(folder, env=FEED, **options)
    for number in range(leads):
        lead = world.lead(f"Lead {number}", "NEW", email=f"{number}@example.com", source="fair")
        world.trello.add_card("TODO", f"Lead {number}", f"LeadID: {lead}")
    world.sync()
    world.sync(read="delta")
    return world


@pytest.fixture
def world(tmp_path):
    made = worlds(tmp_path)
    yield made
    made.close()


def hooks(world, method="GET", path="", **options):
    url = f"{world.emulator.url}/v0/bases/{world.airtable.base_id}/webhooks{path}"
    headers = {"Authorization": f"Bearer {world.airtable.token}"}
    return requests.request(method, url, headers=headers, timeout=5, **options).json()


def listings(world):
    return [request for request in world.emulator.requests if request.path.endswith("/payloads")]


def edit_before(world, method, act):
    """`act` once, just before the next request to Airtable of this kind."""
    done = []

    def person(request, _index):
        if request.method == method and request.service == "airtable" and not done:
            done.append(act())

    return world.emulator.before_request(person)


def first(world):
    return next(iter(world.airtable.records()))


# What it costs


@pytest.mark.parametrize("leads", [1, 150])
@pytest.mark.parametrize("read", ["delta", "auto"])
def test_idle_delta_asks_each_side_once(tmp_path, leads, read):
    """Payloads instead of changed leads; with up to a hundred leads, too, since payloads show deletions."""
    world = worlds(tmp_path, leads)
    report = world.assert_idle(read=read)
    assert (report.read, world.calls(), len(listings(world))) == (DELTA, (1, 1), 1)
    world.close()


def test_cell_that_could_not_be_read_and_is_emptied_is_news(world):
    """What nobody could read is not what an empty cell says."""
    lead = first(world)
    world.airtable.retype_field("source", "multipleRecordLinks")
    world.airtable.edit(lead, source=[lead])
    assert [row["field"] for row in world.sync(read="delta").quarantine] == ["source"]
    world.airtable.edit(lead, source=None)
    assert world.sync(read="delta").quarantine == []
    assert "Source: –" in world.card(lead)["desc"].split("\n")
    world.assert_idle(read="delta")


@pytest.mark.parametrize("moved", [0, 1, 25])
def test_full_read_costs_one_request_more_idle_or_busy(world, moved, tmp_path):
    """What it replaced and what changed meanwhile are told by one listing, after the writes."""
    for number in range(moved):
        lead = world.lead(f"More {number}", "NEW")
        world.trello.add_card("TODO", f"More {number}", f"LeadID: {lead}")
    world.sync()
    for lead in list(world.airtable.records())[2:]:
        world.trello.move(world.card(lead)["id"], "DONE")
    report = world.sync()
    rest = bool(moved) + ceil(moved / 10)
    assert (len(report.changes), world.calls()[0], len(listings(world))) == (moved, 1 + rest + 1, 1)
    assert world.emulator.requests[-1].path.endswith("/payloads") or not moved
    world.assert_idle(read="delta")


def test_own_writes_come_back_and_cost_nothing(world):
    """Neither read again nor written again: what was answered to them is known."""
    for lead in world.airtable.records():
        world.trello.move(world.card(lead)["id"], "DONE")
    report = world.sync(read="delta")
    assert (len(report.changes), report.notes, len(listings(world))) == (2, [], 2)
    for _ in range(2):
        assert world.assert_idle(read="delta").read == DELTA
        assert world.calls() == (1, 1)


def test_more_payloads_than_fifty_cost_a_request_each_fifty(world):
    lead = first(world)
    for number in range(120):
        world.airtable.edit(lead, name=f"Name {number}")
    report = world.sync(read="delta")
    assert (report.read, len(listings(world)), world.calls()[0]) == (DELTA, 3, 4)
    world.assert_equal()


def test_more_payloads_than_a_run_reads_lead_to_a_full_read(world, monkeypatch):
    """The rest is told to the next run."""
    monkeypatch.setattr("leadsync.airtable.feed.PAYLOAD_PAGES", 1)
    lead, other = world.airtable.records()
    for number in range(60):
        world.airtable.edit(lead, name=f"Name {number}")
    world.airtable.edit(other, status="LOST")
    assert world.sync(read="delta").read == LEADS_WHOLE
    world.assert_equal()
    assert world.assert_idle(read="delta").read == DELTA


def test_webhook_is_made_once_and_filters_nothing(world):
    (hook,) = hooks(world)["webhooks"]
    assert hook["notificationUrl"] is None
    assert hook["specification"]["options"] == {
        "filters": {"dataTypes": ["tableData"], "recordChangeScope": world.airtable.table_id},
        "includes": {"includePreviousCellValues": True},
    }


def test_dry_run_makes_no_webhook_and_takes_nothing_in(tmp_path):
    world = World(tmp_path, env=FEED)
    lead = world.lead()
    world.sync(dry_run=True)
    assert hooks(world)["webhooks"] == []
    world.sync()
    world.airtable.edit(lead, status="LOST")
    for _ in range(2):
        assert [row["after"] for row in world.sync(dry_run=True, read="delta").changes] == ["DONE"]
    world.sync(read="delta")
    world.assert_equal()
    world.close()


# What it sees


@pytest.mark.parametrize("source", ["client", "automation", "formSubmission", "sync", "publicApi", "anonymousUser"])
def test_delta_sees_created_changed_and_deleted_leads_whoever_did_it(world, source):
    """Deletions too, which are confirmed by a look-up, and archive the card."""
    changed, deleted = world.airtable.records()
    card = world.card(deleted)["id"]
    with world.airtable.acting_as(source):
        new = world.airtable.add_lead("New", status="CONTACTED")
        world.airtable.edit(changed, status="LOST", email="other@example.com")
        world.airtable.delete(deleted)
    report = world.sync(read="delta")
    assert report.read == DELTA
    assert (world.place(changed), world.place(new), world.trello.card(card)["closed"]) == ("DONE", "IN_PROGRESS", True)
    assert "other@example.com" in world.card(changed)["desc"]
    world.assert_idle(read="delta")
    world.assert_idle()


def test_lead_restored_after_its_deletion_was_synced_gets_its_card_back(world):
    lead = first(world)
    world.airtable.delete(lead)
    world.sync(read="delta")
    world.airtable.restore(lead)
    assert world.sync(read="delta").read == DELTA
    assert not world.card(lead)["closed"]
    world.assert_idle()


def test_lead_and_card_deleted_are_forgotten_and_no_card_is_made(world):
    lead = first(world)
    card = world.card(lead)["id"]
    world.airtable.delete(lead)
    world.trello.delete(card)
    report = world.sync(read="delta")
    assert (report.read, report.changes, world.cards_of(lead)) == (DELTA, [], [])


def test_mass_deletion_is_refused_by_a_delta_too(tmp_path):
    world = worlds(tmp_path, 12)
    for lead in list(world.airtable.records())[:6]:
        world.airtable.delete(lead)
    world.sync(read="delta", exit_code=3)
    assert world.writes("trello") == 0
    world.close()


@pytest.mark.parametrize("read", ["full", "delta"])
@pytest.mark.parametrize("method", ["PATCH", "GET"])
def test_edit_during_a_run_is_read_by_the_next_delta(world, read, method):
    """Of another cell than the run writes; it falls behind the read, or between the read and its listing."""
    lead, other = world.airtable.records()
    world.trello.move(world.card(lead)["id"], "DONE")
    stop = edit_before(
        world, method, lambda: [world.airtable.edit(each, name=f"Late {each}") for each in (lead, other)]
    )
    world.sync(read=read)
    stop()
    assert world.sync(read="delta").read == DELTA
    assert [world.card(each)["name"] for each in (lead, other)] == [f"Late {each}" for each in (lead, other)]
    world.assert_idle(read="delta")
    world.assert_idle()


def test_action_split_over_payloads_is_read_whole(tmp_path):
    world = worlds(tmp_path, 3, airtable_payload_records=1)
    world.airtable.add_select_option("status", "OLD")
    world.airtable.delete_select_option("status", "NEW")
    world.sync(read="delta")
    assert len(listings(world)) == 1
    assert world.assert_idle(read="delta").read == DELTA
    world.close()


def test_payloads_that_lag_are_taken_in_when_they_come(tmp_path):
    """The deletion too; an own write that is told late costs a full read, and nothing else."""
    world = worlds(tmp_path, 3, airtable_payload_lag=90.0)
    edited, deleted, dragged = world.airtable.records()
    card = world.card(deleted)["id"]
    world.airtable.edit(edited, status="CONTACTED")
    world.airtable.delete(deleted)
    world.trello.move(world.card(dragged)["id"], "DONE")
    for _ in range(4):
        world.sync(read="delta")
    assert (world.place(edited), world.trello.card(card)["closed"]) == ("IN_PROGRESS", True)
    assert world.status(dragged) == "QUALIFIED"
    assert world.assert_idle(read="delta").read == DELTA
    world.close()


def test_view_is_read_whole_and_its_writes_are_checked(world):
    view = {"AIRTABLE_VIEW": world.airtable.add_view("All", lambda _: True)}
    lead = first(world)
    world.sync(**view)
    world.trello.move(world.card(lead)["id"], "DONE")
    stop = edit_before(world, "PATCH", lambda: world.airtable.edit(lead, status="CONTACTED"))
    report = world.sync(read="delta", **view)
    stop()
    assert report.read["airtable"] == "full"
    assert [row["kind"] for row in report.conflicts] == ["edited meanwhile", "conflict"]


# The last window


@pytest.mark.parametrize(
    ("typed", "in_the_end"), [("CONTACTED", ("CONTACTED", "IN_PROGRESS")), ("LOST", ("LOST", "DONE"))]
)
def test_edit_that_a_patch_landed_on_is_given_back_and_decided_anew(world, typed, in_the_end):
    """Unless it said the very same: then nothing was replaced."""
    lead = first(world)
    world.trello.move(world.card(lead)["id"], "IN_PROGRESS")
    stop = edit_before(world, "PATCH", lambda: world.airtable.edit(lead, status=typed))
    report = world.sync(read="delta")
    stop()
    assert (world.status(lead), world.place(lead)) == in_the_end
    told = findings(report.conflicts, lead)
    assert told == ([] if typed == "CONTACTED" else [("status", "LOST", "IN_PROGRESS")] * 2)
    assert [row["kind"] for row in report.conflicts] == ["edited meanwhile", "conflict"][: len(told)]
    assert (report.postponed, report.notes) == ([], [])
    world.assert_idle(read="delta")


def test_cell_that_was_emptied_while_a_patch_came_is_listed(world):
    """Empty counts as NEW, from where the card was moved: so its move stands."""
    lead = first(world)
    world.trello.move(world.card(lead)["id"], "DONE")
    stop = edit_before(world, "PATCH", lambda: world.airtable.edit(lead, status=None))
    report = world.sync(read="delta")
    stop()
    assert findings(report.conflicts, lead) == [("status", "", "DONE")]
    assert (world.status(lead), world.place(lead)) == ("QUALIFIED", "DONE")
    world.assert_idle(read="delta")


def test_overwritten_name_is_given_back_as_it_was_typed(world):
    """With its blanks."""
    lead = first(world)
    world.trello.edit(world.card(lead)["id"], name="Card's")
    stop = edit_before(world, "PATCH", lambda: world.airtable.edit(lead, name="  Ada   King "))
    report = world.sync(read="delta")
    stop()
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("  Ada   King ", "Ada   King")
    assert report.conflicts[0]["airtable"] == "  Ada   King "
    world.assert_idle(read="delta")


def test_cell_that_was_edited_again_is_left_and_the_lost_edit_listed(world):
    """Given back only while it still holds what we wrote."""
    lead = first(world)
    world.trello.edit(world.card(lead)["id"], name="Card's")
    stop = edit_before(world, "PATCH", lambda: world.airtable.edit(lead, name="Overwritten"))
    asked = count(1)

    def again(request, _index):
        if request.path.endswith("/payloads") and next(asked) == 2:
            world.airtable.edit(lead, name="Typed again")

    stop_again = world.emulator.before_request(again)
    report = world.sync(read="delta")
    stop()
    stop_again()
    assert report.conflicts[0]["airtable"] == "Overwritten"
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("Typed again", "Typed again")
    world.assert_idle(read="delta")


def test_window_stays_open_and_is_told_where_former_values_are_not(tmp_path):
    """Once a run, with the leads; an edit that the payloads show before our own is found all the same."""
    world = worlds(tmp_path, airtable_previous_of_api_writes=False)
    quiet, struck = world.airtable.records()
    for lead in (quiet, struck):
        world.trello.edit(world.card(lead)["id"], name="Card's")
    stop = edit_before(world, "PATCH", lambda: world.airtable.edit(struck, name="Mine"))
    report = world.sync(read="delta")
    stop()
    assert [row["airtable"] for row in report.conflicts if row["kind"] == "edited meanwhile"] == ["Mine"]
    (note,) = report.notes
    assert f"1 leads ({quiet})" in note["note"]
    assert world.sync(read="delta").notes == []
    world.close()


def test_edit_of_which_payloads_tell_late_is_found_by_the_next_run(tmp_path):
    world = worlds(tmp_path, airtable_payload_lag=30.0)
    lead = first(world)
    world.trello.edit(world.card(lead)["id"], name="Card's")
    stop = edit_before(world, "PATCH", lambda: world.airtable.edit(lead, name="Mine"))
    report = world.sync(read="delta")
    stop()
    assert (report.conflicts, world.cells(lead)["name"]) == ([], "Card's")
    report = world.sync(read="delta")
    assert report.conflicts[0]["airtable"] == "Mine"
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("Mine", "Mine")
    world.sync(read="delta")
    world.assert_idle(read="delta")
    world.close()


@pytest.mark.parametrize("read", ["delta", "full"])
def test_edit_that_a_killed_run_wrote_over_is_found_by_the_next(world, read):
    """Killed once the PATCH has taken effect: the journal knows what was planned on, the payloads what it replaced."""
    lead = first(world)
    world.trello.edit(world.card(lead)["id"], name="Card's")
    stop = edit_before(world, "PATCH", lambda: world.airtable.edit(lead, name="Mine"))
    with killed_after("PATCH"):
        world.sync(read=read)
    stop()
    conflicts = [row for _ in range(2) for row in world.sync(read=read).conflicts]
    assert "Mine" in {row["airtable"] for row in conflicts}
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("Mine", "Mine")
    world.assert_idle(read=read)


@pytest.mark.parametrize("policy", ["airtable", "trello"])
def test_edit_alike_to_a_patch_that_never_was_is_in_force_or_listed(world, policy):
    """Killed just before the PATCH; then a person types just that, and the card goes back to what it was."""
    lead = first(world)
    card, former = world.card(lead)["id"], world.cells(lead)["name"]
    world.trello.edit(card, name="Card's")
    with killed_before("PATCH"):
        world.sync(read="delta")
    world.airtable.edit(lead, name="Card's")
    world.trello.edit(card, name=former)
    changes = {"read": "delta", "SYNC_CONFLICT": policy}
    conflicts = [row for _ in range(2) for row in world.sync(**changes).conflicts]
    assert [(row["airtable"], row["trello"]) for row in conflicts] == [("Card's", former)]
    assert world.cells(lead)["name"] == world.card(lead)["name"] == ("Card's" if policy == "airtable" else former)
    world.assert_idle(read="delta")


# How it mends itself


def break_expired(world):
    world.emulator.clock.advance(15 * DAY)


def break_gap(world):
    """Expired and still readable: what was edited since is in no payload."""
    world.emulator.clock.advance(8 * DAY)


def break_deleted(world):
    for hook in hooks(world)["webhooks"]:
        hooks(world, "DELETE", f"/{hook['id']}")


def break_error(world):
    page = {"payloads": [{"error": True, "code": "INVALID_HOOK"}], "cursor": 99, "mightHaveMore": False}
    world.emulator.inject(Fault("status", service="airtable", path="/payloads$", status=200, body=page))


def break_nonsense(world):
    world.emulator.inject(Fault("status", service="airtable", path="/payloads$", status=200, body={"payloads": None}))


@pytest.mark.parametrize(
    "break_it", [break_expired, break_gap, break_deleted, break_error, break_nonsense], ids=lambda each: each.__name__
)
@pytest.mark.parametrize("read", ["full", "delta"])
def test_broken_feed_leads_to_a_new_webhook_and_one_full_read(world, break_it, read):
    lead, deleted = world.airtable.records()
    card, before = world.card(deleted)["id"], {hook["id"] for hook in hooks(world)["webhooks"]}
    break_it(world)
    world.airtable.edit(lead, status="LOST")
    world.airtable.delete(deleted)
    assert world.sync(read=read).read["airtable"] == "full"
    assert (world.place(lead), world.trello.card(card)["closed"]) == ("DONE", True)
    world.sync(read="delta")
    assert world.assert_idle(read="delta").read == DELTA
    assert world.calls()[0] == 1
    enabled = {hook["id"] for hook in hooks(world)["webhooks"]}
    assert len(enabled) == 1
    assert enabled != before


def test_webhook_made_anew_costs_four_requests(world):
    """Columns, the webhooks there are, the broken one, the new one, of which nothing is asked yet."""
    break_error(world)
    world.sync()
    world.sync()
    assert (world.calls(), world.writes()) == ((1 + 4, 1), 2)
    world.assert_idle()
    assert world.calls() == (2, 1)


def test_feed_that_is_away_for_a_moment_leads_to_a_full_read_and_stays(world):
    lead = first(world)
    (before,) = hooks(world)["webhooks"]
    world.airtable.edit(lead, status="LOST")
    world.emulator.inject(Fault("status", service="airtable", path="/payloads$", status=500, times=5))
    assert world.sync(read="delta").read["airtable"] == "full"
    assert world.place(lead) == "DONE"
    assert world.assert_idle(read="delta").read == DELTA
    assert [hook["id"] for hook in hooks(world)["webhooks"]] == [before["id"]]


def test_lost_state_finds_the_webhook_again(world, tmp_path):
    """The base has ten places only."""
    fresh = {"SYNC_STATE_URL": f"sqlite:///{tmp_path / 'fresh.sqlite3'}"}
    world.sync(**fresh)
    assert len(hooks(world)["webhooks"]) == 1
    lead = first(world)
    world.airtable.edit(lead, status="LOST")
    assert world.sync(read="delta", **fresh).read == DELTA
    assert world.place(lead) == "DONE"


def test_other_columns_are_read_whole_once(world):
    lead = first(world)
    world.airtable.add_field("title")
    other = {"AIRTABLE_SOURCE_FIELD": "title"}
    assert world.sync(read="delta", **other).read["airtable"] == "full"
    world.airtable.edit(lead, title="from a fair")
    assert world.sync(read="delta", **other).read == DELTA
    assert "from a fair" in world.card(lead)["desc"]


def test_feed_switched_on_later_reads_whole_once(tmp_path):
    world = World(tmp_path)
    lead = world.linked()
    world.sync(read="delta")
    assert world.sync(read="delta", **FEED).read["airtable"] == "full"
    world.airtable.delete(lead)
    world.lead("Bob")
    world.sync(read="delta", exit_code=None, **FEED)
    assert world.card(lead)["closed"] is True
    world.close()


def test_feed_switched_off_leaves_nothing_behind_in_the_next_delta(world):
    lead = first(world)
    world.airtable.edit(lead, status="LOST")
    off = {"AIRTABLE_CHANGE_FEED": "off"}
    assert world.sync(read="delta", **off).read == DELTA
    assert (world.place(lead), listings(world)) == ("DONE", [])
    world.airtable.edit(lead, status="NEW")
    world.sync(read="delta")
    assert world.place(lead) == "TODO"


def test_run_cut_off_between_patch_and_record_goes_on_where_the_feed_was(world):
    """The mark outlives what was seen: the next run's listing begins before the cut."""
    lead = first(world)
    world.trello.move(world.card(lead)["id"], "DONE")
    world.emulator.inject(Fault("status", service="airtable", method="PATCH", status=500, times=9))
    world.sync(read="delta", exit_code=1)
    world.airtable.edit(lead, name="Edited")
    world.sync(read="delta")
    assert (world.status(lead), world.card(lead)["name"]) == ("QUALIFIED", "Edited")
    assert len(hooks(world)["webhooks"]) == 1
    world.assert_idle(read="delta")


# The gateway's webhook


def made_by_gateway(world, includes=True, **filters):
    """As the gateway registers it, and keeps it in the state database."""
    wanted = {"dataTypes": ["tableData"], "recordChangeScope": world.airtable.table_id} | filters
    specification = {"options": {"filters": wanted, "includes": {"includePreviousCellValues": includes}}}
    made = hooks(world, "POST", json={"notificationUrl": "http://127.0.0.1:9/", "specification": specification})
    settings = world.settings()
    key = f"webhook:{settings.airtable_base_id}/{settings.airtable_table_name}/{settings.trello_board_id}"
    store = StateStore(world.env["SYNC_STATE_URL"])
    store.facts.save(key, {"airtable_id": made["id"], "airtable_secret": made["macSecretBase64"]})
    assert load_known(store, settings).airtable_id == made["id"]
    store.close()
    return made["id"]


@pytest.mark.parametrize(
    ("filters", "serves"),
    [
        pytest.param({}, True, id="whole"),
        pytest.param({"includes": False}, False, id="without-former-values"),
        pytest.param({"fromSources": ["client"]}, False, id="sources"),
        pytest.param({"changeTypes": ["update"]}, False, id="kinds"),
    ],
)
def test_webhook_of_the_gateway_serves_if_it_tells_all(tmp_path, filters, serves):
    world = World(tmp_path, env=FEED)
    lead = world.lead()
    registered = made_by_gateway(world, **filters)
    world.sync()
    ids = [hook["id"] for hook in hooks(world)["webhooks"]]
    assert (ids == [registered]) is serves
    world.airtable.edit(lead, status="LOST")
    assert world.sync(read="delta").read == DELTA
    assert any(registered in request.path for request in listings(world)) is serves
    world.close()


# When it cannot be used


@pytest.mark.parametrize(
    ("token", "words"),
    [
        pytest.param({"scopes": ["schema.bases:read"]}, "webhook:manage", id="scope"),
        pytest.param({"scopes": ["schema.bases:read", "webhook:manage"], "role": "edit"}, "role creator", id="role"),
        pytest.param({"scopes": ["webhook:manage"]}, "schema.bases:read", id="ids"),
    ],
)
def test_missing_permission_is_told_once_a_run_and_the_sync_goes_on(tmp_path, token, words):
    """A delta does not try again, and asks for changed leads as without a feed."""
    world = World(tmp_path, env=FEED)
    scopes = ["data.records:read", "data.records:write", *token["scopes"]]
    limited = {"AIRTABLE_API_TOKEN": world.airtable.add_token(scopes, role=token.get("role", "create"))}
    lead = world.lead()
    (note,) = world.sync(**limited).notes
    assert words in note["note"]
    world.trello.move(world.card(lead)["id"], "DONE")
    report = world.sync(read="delta", **limited)
    assert [row for row in report.notes if words in row["note"]][-1] == note
    assert (report.read["trello"], world.status(lead)) == ("delta", "QUALIFIED")
    assert world.sync(read="delta", **limited).calls["airtable"] == 1
    assert world.sync().notes == []
    world.close()


def test_columns_and_table_by_id_need_no_schema(tmp_path):
    """To find what a write replaced; leads are read whole, since nobody knows whether a column is computed."""
    world = World(tmp_path, env=FEED)
    lead = world.lead()
    meta = f"{world.emulator.url}/v0/meta/bases/{world.airtable.base_id}/tables"
    headers = {"Authorization": f"Bearer {world.airtable.token}"}
    (table,) = requests.get(meta, headers=headers, timeout=5).json()["tables"]
    ids = {f"AIRTABLE_{field['name'].upper()}_FIELD": field["id"] for field in table["fields"][:4]}
    scopes = ["data.records:read", "data.records:write", "webhook:manage"]
    by_id = ids | {"AIRTABLE_TABLE_NAME": table["id"], "AIRTABLE_API_TOKEN": world.airtable.add_token(scopes)}
    assert world.sync(**by_id).notes == []
    world.airtable.edit(lead, status="LOST")
    assert world.sync(read="delta", **by_id).read == LEADS_WHOLE
    assert world.place(lead) == "DONE"
    world.trello.edit(world.card(lead)["id"], name="Card's")
    stop = edit_before(world, "PATCH", lambda: world.airtable.edit(lead, name="Mine"))
    report = world.sync(read="delta", **by_id)
    stop()
    assert [row["airtable"] for row in report.conflicts][:1] == ["Mine"]
    world.close()


def test_full_base_is_told(tmp_path):
    world = World(tmp_path, env=FEED)
    world.lead()
    specification = {"options": {"filters": {"dataTypes": ["tableData"]}}}
    for _ in range(10):
        hooks(world, "POST", json={"notificationUrl": None, "specification": specification})
    (note,) = world.sync().notes
    assert "ten webhooks" in note["note"]
    world.close()


@pytest.mark.parametrize("status", [422, 500])
def test_edit_that_cannot_be_given_back_is_listed_and_the_run_incomplete(world, status):
    """What was typed stands in the conflicts; nothing else is held up."""
    lead, other = world.airtable.records()
    for each in (lead, other):
        world.trello.edit(world.card(each)["id"], name="Card's")
    stop = edit_before(world, "PATCH", lambda: world.airtable.edit(lead, name="Mine"))
    body = {"error": {"type": "INVALID_VALUE_FOR_COLUMN", "message": "no"}}
    world.emulator.inject(
        Fault(
            "status", service="airtable", method="PATCH", status=status, body=body, nth=2, times=1 + 4 * (status == 500)
        )
    )
    report = world.sync(read="delta", exit_code=1)
    stop()
    assert report.conflicts[0]["airtable"] == "Mine"
    assert [row["lead_id"] for row in report.failures] == [lead]
    assert "could not be given back" in report.failures[0]["reason"]
    world.sync(read="delta")
    world.assert_equal()
    world.assert_idle(read="delta")


def test_webhooks_that_do_not_answer_stop_no_sync(tmp_path):
    """Tried again by the next full read."""
    world = World(tmp_path, env=FEED)
    lead = world.lead()
    world.emulator.inject(Fault("status", service="airtable", path="/webhooks", status=500, times=5))
    (note,) = world.sync().notes
    assert "AIRTABLE_CHANGE_FEED is on and cannot be used" in note["note"]
    assert world.place(lead) == "TODO"
    assert world.sync().notes == []
    assert world.sync(read="delta").read == DELTA
    world.close()


# What a cut run's writes replaced, though the cell has gone on


@pytest.mark.parametrize("policy", ["airtable", "trello"])
@pytest.mark.parametrize("pause", [5.0, 100.0], ids=["soon", "late"])
@pytest.mark.parametrize("second", ["LOST", "NEW"])
def test_edit_that_a_killed_patch_replaced_is_listed_though_the_lead_was_edited_again(world, policy, pause, second):
    """The later edit is one after our write, be it back to what had been agreed before."""
    world.pause = pause
    lead = first(world)
    world.trello.move(world.card(lead)["id"], "DONE")
    edit_before(world, "PATCH", lambda: world.airtable.edit(lead, status="CONTACTED"))
    with killed_after("PATCH"):
        world.sync(SYNC_CONFLICT=policy)
    world.airtable.edit(lead, status=second)
    conflicts = [row for _ in range(3) for row in world.sync(SYNC_CONFLICT=policy).conflicts]
    assert "CONTACTED" in [row[1] for row in findings(conflicts, lead)]
    assert world.status(lead) == second
    world.assert_idle(SYNC_CONFLICT=policy)


@pytest.mark.parametrize("policy", ["airtable", "trello"])
@pytest.mark.parametrize("second", ["LOST", "NEW"])
def test_edit_while_a_give_back_was_cut_off_is_an_edit(world, policy, second):
    """Killed when the base had forgotten our write, and the lead still held it."""
    lead = first(world)
    world.trello.move(world.card(lead)["id"], "DONE")
    edit_before(world, "PATCH", lambda: world.airtable.edit(lead, status="CONTACTED"))
    with (
        patch("leadsync.apply.repair_leads.give_back", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        world.sync(SYNC_CONFLICT=policy)
    world.airtable.edit(lead, status=second)
    conflicts = [row for _ in range(3) for row in world.sync(SYNC_CONFLICT=policy).conflicts]
    assert "CONTACTED" in [row[1] for row in findings(conflicts, lead)]
    assert world.status(lead) == second
    world.assert_idle(SYNC_CONFLICT=policy)
