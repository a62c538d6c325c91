"""Delta reads: what they cost, what they see, and when a full read takes their place."""

import time
from math import ceil

import pytest
import requests
import sqlalchemy as sa

from emulator import Fault, ManualClock
from support.harness import STAGE_OF, World, our_clock

DELTA = {"airtable": "delta", "trello": "delta"}
FULL = {"airtable": "full", "trello": "full"}
LEADS_ONLY_WHOLE = {"airtable": "full", "trello": "delta"}
CARDS_ONLY_WHOLE = {"airtable": "delta", "trello": "full"}


def settled(world, leads=0, foreign=0):
    """That many leads with marked cards, and foreign cards; two runs old, so that the feed holds nothing new."""
    for number in range(foreign):
        world.trello.add_card("TODO", f"Foreign {number}")
    made = [world.lead(f"Lead {number}", "NEW", email=f"{number}@example.com") for number in range(leads)]
    for number, lead in enumerate(made):
        world.trello.add_card("TODO", f"Lead {number}", f"LeadID: {lead}")
    world.emulator.clock.advance(600)
    world.sync()
    world.sync(read="delta")
    return made


def worlds(folder, **emulator):
    made = World(folder, **emulator)
    made.lead("Uninvolved", "CONTACTED", email="un_involved@example.com", source="fair")
    return made


@pytest.fixture
def world(tmp_path):
    """A lead that the sync has given a card, read whole a while ago."""
    made = worlds(tmp_path)
    made.sync()
    made.sync()
    made.assert_idle(read="delta")
    yield made
    made.close()


@pytest.fixture
def empty(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


# What it costs


@pytest.mark.parametrize(("leads", "read"), [(3, "auto"), (3, "delta"), (150, "auto")])
def test_idle_run_asks_and_tells_the_state_little(empty, leads, read):
    """In a fleet that is what an idle pair costs. It was 44 statements before they were counted."""
    settled(empty, leads)
    empty.sync(read=read)
    told = []

    def note(_connection, _cursor, statement, *_more):
        told.append(statement.split()[0])

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        assert empty.sync(read=read).exit_code == 0
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert told.count("SELECT") <= 18
    assert len([each for each in told if each not in ("SELECT", "PRAGMA")]) == 4, "holder, calls, marks, success"


@pytest.mark.parametrize(("leads", "foreign"), [(1, 0), (150, 0), (1, 1200), (150, 1200)])
def test_idle_delta_asks_each_side_once_at_any_size(empty, leads, foreign):
    settled(empty, leads, foreign)
    report = empty.assert_idle(read="delta")
    assert report.read == DELTA
    assert empty.calls() == (1, 1)
    assert report.calls == {"airtable": 1, "trello": 1}
    assert (report.leads, report.cards) == (leads, leads)


@pytest.mark.parametrize(("to_airtable", "to_trello"), [(1, 0), (0, 1), (25, 5), (11, 3)])
@pytest.mark.parametrize("lists_known", [False, True])
def test_busy_delta_adds_a_batch_for_ten_leads_and_a_request_for_each_card(empty, to_airtable, to_trello, lists_known):
    """Besides: one re-read before lead writes, the feed after card writes, and the lists unless known."""
    leads = settled(empty, 30)
    if lists_known:
        empty.airtable.edit(leads[29], status="CONTACTED")
        empty.sync(read="delta")
        empty.assert_idle(read="delta")
    for lead in leads[:to_airtable]:
        empty.trello.move(empty.card(lead)["id"], "DONE")
    for lead in leads[25 : 25 + to_trello]:
        empty.airtable.edit(lead, status="LOST")
    report = empty.sync(read="delta")
    assert report.read == DELTA
    besides = bool(to_airtable) + bool(to_trello) * (1 if lists_known else 2)
    assert besides <= 3
    assert sum(empty.calls()) == 2 + ceil(to_airtable / 10) + to_trello + besides
    assert len(report.changes) == to_airtable + to_trello
    empty.assert_equal()


def test_lists_that_the_feed_vouches_for_are_not_checked_again(world):
    """The first card write checks them; the next does without, and one less is asked for."""
    (lead,) = world.airtable.records()
    costs = []
    for status in ("NEW", "QUALIFIED"):
        world.airtable.edit(lead, status=status)
        assert world.sync(read="delta").read == DELTA
        costs.append(world.calls())
    assert costs == [(1, 4), (1, 3)]
    assert not any("lists" in request.query for request in world.emulator.requests)


def test_created_card_costs_one_request(world):
    """The lists, and the card; the feed is not asked as no card was updated."""
    world.lead("Ada")
    assert world.sync(read="delta").read == DELTA
    assert world.calls() == (1, 1 + 1 + 1)
    world.assert_one_card_each()


# auto


def test_auto_reads_leads_whole_where_that_costs_no_more_and_cards_by_the_feed(empty):
    leads = settled(empty, 100)
    empty.airtable.edit(leads[0], status="CONTACTED")
    assert empty.sync(read="auto").read == LEADS_ONLY_WHOLE
    assert empty.place(leads[0]) == "IN_PROGRESS"


def test_auto_asks_for_changes_above_a_page_of_leads(empty):
    leads = settled(empty, 101)
    empty.airtable.edit(leads[7], status="CONTACTED")
    assert empty.sync(read="auto").read["airtable"] == "delta"
    assert empty.place(leads[7]) == "IN_PROGRESS"


def test_auto_asks_for_changes_above_a_page_of_cards(empty):
    (lead,) = settled(empty, 1, foreign=1000)
    empty.trello.move(empty.card(lead)["id"], "DONE")
    assert empty.sync(read="auto").read["trello"] == "delta"
    assert empty.status(lead) == "QUALIFIED"


def test_auto_reads_everything_again_when_it_is_time(empty, monkeypatch):
    """By our own clock, counted from the last run that read both sides whole."""
    leads = settled(empty, 101, foreign=1000)
    last = empty.sync(read="full", SYNC_FULL_EVERY="90m")
    assert last.read == FULL
    now = time.time()
    for minutes, read in ((80, DELTA), (91, FULL)):
        our_clock(monkeypatch, now + 60 * minutes)
        assert empty.sync(read="auto", SYNC_FULL_EVERY="90m").read == read
    assert empty.sync(read="auto", SYNC_FULL_EVERY="90m").read == DELTA
    assert len(leads) == 101


# Gaps: a full read takes the delta's place


def edits_on_both_sides(world):
    """Returns: a check that both have arrived on the other side."""
    lead, moved = world.lead("Edited", "NEW"), world.lead("Dragged", "NEW")
    world.sync()
    world.sync(read="delta")
    world.airtable.edit(lead, status="CONTACTED")
    world.trello.move(world.card(moved)["id"], "DONE")

    def check():
        assert (world.place(lead), world.status(moved)) == ("IN_PROGRESS", "QUALIFIED")

    return check


def feed_is(world, actions):
    world.emulator.inject(Fault("status", service="trello", path="/actions$", status=200, body=actions))


def test_feed_longer_than_a_page_leads_to_a_full_read(world):
    check = edits_on_both_sides(world)
    noise = world.trello.add_card("TODO", "Noise")
    for number in range(1000):
        world.trello.edit(noise, pos=float(number + 1))
    assert world.sync(read="delta").read == CARDS_ONLY_WHOLE
    check()


def test_action_of_unknown_kind_leads_to_a_full_read(world):
    check = edits_on_both_sides(world)
    strange = {"id": "f" * 24, "type": "teleportCard", "date": "2026-01-01T00:00:00.000Z", "data": {"card": {}}}
    feed_is(world, [strange])
    assert world.sync(read="delta").read == CARDS_ONLY_WHOLE
    check()


def test_feed_that_a_look_up_contradicts_leads_to_a_full_read(world):
    """It tells that a card was archived, which is open; or each delta would fail until a full read."""
    check = edits_on_both_sides(world)
    (_, card) = sorted(world.trello.cards())[:2]
    told = {"card": {"id": card, "closed": True}, "old": {"closed": False}}
    feed_is(world, [{"id": "f" * 24, "type": "updateCard", "date": "2026-01-01T00:00:00.000Z", "data": told}])
    assert world.sync(read="delta").read["trello"] == "full"
    check()


def test_delta_that_would_be_refused_is_read_whole_before_it_is(empty):
    """Half of the cards gone to another board: what a delta says is not enough to refuse a run, or to let it pass."""
    leads = settled(empty, 12)
    elsewhere = empty.trello.add_board("Elsewhere")
    for lead in leads[:6]:
        empty.trello.move_to_board(empty.card(lead)["id"], elsewhere)
    empty.sync(read="delta", exit_code=3)
    reads = [request for request in empty.emulator.requests if request.path.endswith("/cards")]
    assert [request.query.get("filter") for request in reads] == ["open"]
    assert empty.writes() == 0
    assert empty.sync(read="delta", allow_mass_change=True).read == DELTA
    empty.assert_idle(read="delta")


def test_own_card_write_missing_from_the_feed_leads_to_a_full_read(world):
    check = edits_on_both_sides(world)
    world.sync(read="delta")
    feed_is(world, [])
    assert world.sync(read="delta").read["trello"] == "full"
    check()


def test_own_lead_write_missing_from_the_answer_leads_to_a_full_read(world):
    check = edits_on_both_sides(world)
    world.sync(read="delta")
    world.emulator.inject(Fault("empty_page", service="airtable", method="GET"))
    assert world.sync(read="delta").read["airtable"] == "full"
    check()


def test_formula_refused_by_airtable_leads_to_a_full_read(world):
    check = edits_on_both_sides(world)
    body = {"error": {"type": "INVALID_FILTER_BY_FORMULA", "message": "The formula is invalid"}}
    world.emulator.inject(Fault("status", service="airtable", method="GET", status=422, body=body))
    report = world.sync(read="delta")
    assert report.read == LEADS_ONLY_WHOLE
    check()


def test_feed_refused_by_trello_leads_to_a_full_read(world):
    """Of the cards; what else may be wrong, that read says."""
    check = edits_on_both_sides(world)
    world.emulator.inject(
        Fault("status", service="trello", path="/actions$", status=400, body="invalid value for filter")
    )
    assert world.sync(read="delta").read == {"airtable": "delta", "trello": "full"}
    check()


def test_changed_settings_lead_to_a_full_read_once(world):
    """The same table by its id is another question all the same."""
    check = edits_on_both_sides(world)
    by_id = {"AIRTABLE_TABLE_NAME": world.airtable.table_id}
    assert world.sync(read="delta", **by_id).read == FULL
    check()
    assert world.sync(read="delta", **by_id).read == DELTA


def test_many_own_writes_do_not_come_back_page_by_page(tmp_path):
    """60 leads changed by people and 60 by us since the newest was created: the next idle delta is 1 + 1 again."""
    many = World(tmp_path)
    for number in range(150):
        many.lead(f"Lead {number}")
    many.sync()
    leads = list(many.airtable.records())
    for lead in leads[:60]:
        many.airtable.edit(lead, status="CONTACTED")
    for lead in leads[60:120]:
        many.trello.move(many.card(lead)["id"], "DONE")
    many.sync(read="delta")
    many.sync(read="delta")
    assert (many.calls(), many.writes()) == ((1, 1), 0)
    many.close()


def test_leads_of_a_view_are_always_read_whole(world):
    """A lead that leaves the view is no change that Airtable tells."""
    world.airtable.add_view("Hot", lambda cells: cells.get("status") != "LOST")
    check = edits_on_both_sides(world)
    hot = {"AIRTABLE_VIEW": "Hot"}
    for _ in range(2):
        assert world.sync(read="delta", **hot).read["airtable"] == "full"
    check()


def test_first_run_reads_everything(empty):
    lead = empty.lead("Ada", "LOST")
    empty.trello.archive(empty.trello.add_card("DONE", "Ada", f"LeadID: {lead}"))
    assert empty.sync(read="delta").read == FULL
    empty.assert_one_card_each()


def test_write_that_failed_leads_to_a_full_read(world):
    """Its intent stands until it is known what became of it."""
    (lead,) = world.airtable.records()
    world.airtable.edit(lead, status="QUALIFIED")
    world.emulator.inject(Fault("status", service="trello", method="PUT", status=503, times=9))
    world.sync(read="delta", exit_code=1)
    world.emulator.clear_faults()
    assert world.sync(read="delta").read == FULL
    assert world.place(lead) == "DONE"
    assert world.assert_idle(read="delta").read == DELTA


class Killed(BaseException):
    """The end of the process."""


@pytest.mark.parametrize("step", ["load_cards", "load_leads", "snapshot_after"])
def test_killed_run_is_followed_by_a_full_read(world, monkeypatch, step):
    check = edits_on_both_sides(world)

    def die(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(f"leadsync.pipeline.one_pass.{step}", die)
        with pytest.raises(Killed):
            world.sync(read="delta")
    assert world.sync(read="delta").read == FULL
    check()
    world.assert_idle(read="delta")


def test_many_strange_cards_lead_to_a_full_read_as_that_costs_less(world):
    check = edits_on_both_sides(world)
    for _ in range(5):
        world.trello.add_card("TODO", "Foreign")
    assert world.sync(read="delta").read == CARDS_ONLY_WHOLE
    check()


def test_dry_run_by_delta_shows_the_changes_and_leaves_them_to_the_next(world):
    check = edits_on_both_sides(world)
    planned = world.sync(read="delta", dry_run=True)
    assert (planned.read, world.writes(), len(planned.changes)) == (DELTA, 0, 2)
    assert len(world.sync(read="delta").changes) == 2
    check()


# Nothing is lost, nothing goes round


def test_own_writes_do_not_come_back_as_changes(world):
    check = edits_on_both_sides(world)
    world.lead("New", "LOST")
    assert len(world.sync(read="delta").changes) == 3
    for _ in range(3):
        assert world.assert_idle(read="delta").read == DELTA
        assert world.calls() == (1, 1)
    check()


def test_other_cell_edited_between_read_and_write_is_found_by_the_next_delta(world):
    """The answer to our write shows it; that is not yet the sync's doing."""
    lead, moved = world.lead("Edited", "NEW"), world.lead("Dragged", "NEW")
    world.sync()
    world.sync(read="delta")
    world.airtable.edit(lead, status="CONTACTED")
    world.trello.move(world.card(moved)["id"], "DONE")

    def person(request, index):
        if request.method == "PUT":
            world.trello.edit(world.card(lead)["id"], name="By hand")
        if request.method == "PATCH":
            world.airtable.edit(moved, name="By hand too")

    stop = world.emulator.before_request(person)
    world.sync(read="delta")
    stop()
    report = world.sync(read="delta")
    assert report.read == DELTA
    assert (world.cells(lead)["name"], world.card(moved)["name"]) == ("By hand", "By hand too")
    assert (world.place(lead), world.status(moved)) == ("IN_PROGRESS", "QUALIFIED")


@pytest.mark.parametrize("read", ["full", "delta"])
def test_edit_behind_a_read_that_goes_on_is_found_by_the_next_delta(empty, read):
    """The first page is past; the edit of what it showed falls before the end of the read."""
    leads = settled(empty, 150, foreign=1000)
    edited, moved = leads[0], leads[1]
    for lead in leads[:120]:
        empty.airtable.edit(lead, source="fair")
    edits = {
        "airtable": lambda: empty.airtable.edit(edited, status="CONTACTED"),
        "trello": lambda: empty.trello.move(empty.card(moved)["id"], "DONE"),
    }
    pages = dict.fromkeys(edits, 0)

    def person(request, index):
        pages[request.service] += 1
        if pages[request.service] == 2 and request.service in edits:
            edits.pop(request.service)()

    stop = empty.emulator.before_request(person)
    empty.sync(read=read)
    stop()
    for edit in edits.values():
        edit()
    assert empty.sync(read="delta").read == DELTA
    assert (empty.place(edited), empty.status(moved)) == ("IN_PROGRESS", "QUALIFIED")
    empty.assert_idle(read="delta")
    empty.assert_idle()


def test_same_cell_edited_between_read_and_write_is_settled_within_the_run(world):
    """The edit is noticed, given back, and decided anew from a full read."""
    (lead,) = world.airtable.records()
    card = world.card(lead)["id"]
    world.airtable.edit(lead, status="QUALIFIED")
    done = []

    def person(request, index):
        if request.method == "PUT" and not done:
            done.append(world.trello.move(card, "TODO"))

    stop = world.emulator.before_request(person)
    report = world.sync(read="delta")
    stop()
    assert [row["field"] for row in report.conflicts if row["lead_id"] == lead][:1] == ["status"]
    world.assert_equal()
    world.assert_idle(read="delta")
    world.assert_idle()


def test_edits_in_one_second_far_apart_from_the_last_are_told_in_order(world):
    """Twice moved within a second, and ten seconds later another action: the earlier move must not come back."""
    lead, other = world.lead("Dragged", "NEW"), world.lead("Other", "NEW")
    world.sync()
    world.sync(read="delta")
    world.pause = 0.0
    clock, card = world.emulator.clock, world.card(lead)["id"]
    for fraction in (0.3, 0.8):
        clock.advance(1.0 + fraction - clock.now() % 1.0)
        world.trello.move(card, "IN_PROGRESS")
        clock.advance(0.1)
        world.trello.move(card, "DONE")
        clock.advance(9.9)
        world.trello.edit(world.card(other)["id"], dueComplete=fraction == 0.3)
        for _ in range(3):
            world.sync(read="delta")
            assert (world.status(lead), world.place(lead)) == ("QUALIFIED", "DONE")


def test_card_of_a_person_with_a_marker_in_one_request_is_the_leads_card(world):
    """As another tool makes it; the lead is new, too, and gets no second card."""
    lead = world.lead("Ada", "NEW")
    key, token = world.trello.add_key(), world.trello.token
    token = world.trello.add_token(key=key)
    header = {"Authorization": f'OAuth oauth_consumer_key="{key}", oauth_token="{token}"'}
    cells = {"idList": world.trello.list_id("TODO"), "name": "Ada", "desc": f"by a tool\nLeadID: {lead}"}
    requests.post(f"{world.emulator.url}/1/cards", json=cells, headers=header, timeout=10).raise_for_status()
    report = world.sync(read="delta")
    assert (report.read, world.writes()) == (DELTA, 0)
    world.assert_one_card_each()
    world.assert_equal()


def test_description_saved_in_the_web_editor_is_no_change(world):
    (lead,) = world.airtable.records()
    card = world.card(lead)
    world.trello.save_in_editor(card["id"])
    assert world.card(lead)["desc"] != card["desc"]
    assert world.assert_idle(read="delta").read == DELTA
    world.airtable.edit(lead, email="new_one@example.com")
    world.sync(read="delta")
    assert "new_one@example.com" in world.card(lead)["desc"]
    world.assert_idle(read="delta")


def test_copy_archived_card_and_return_are_seen(world):
    """What comes back, or comes from elsewhere, is asked for by its id: one request."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.trello.archive(card)
    notes = world.sync(read="delta").notes
    assert [note["card_id"] for note in notes] == [card]
    world.trello.unarchive(card)
    world.trello.move(card, "DONE")
    report = world.sync(read="delta")
    assert (report.read, world.status(lead)) == (DELTA, "QUALIFIED")
    copy = world.trello.copy(card)
    report = world.sync(read="delta")
    assert (report.read, [row["card_id"] for row in report.quarantine]) == (DELTA, [copy])


# Columns that change without an edit


SCOPES = ("data.records:read", "data.records:write")


def looked_up(world, leads=120):
    """That many leads whose source is a lookup."""
    made = [world.lead(f"Lead {number}", "NEW", source="fair") for number in range(leads)]
    world.airtable.retype_field("source", "multipleLookupValues")
    for lead in made:
        world.airtable.recompute(lead, source=["fair"])
    return made


@pytest.mark.parametrize("read", ["auto", "delta"])
@pytest.mark.parametrize("kind", ["multipleLookupValues", "formula", "rollup", "aiText", "createdBy", "unheardOf"])
def test_value_computed_anew_reaches_the_card(empty, read, kind):
    """It moves no time of the lead, so that no delta tells it: leads are read whole, and the report says why."""
    leads = looked_up(empty)
    empty.airtable.retype_field("source", kind)
    empty.sync()
    empty.airtable.retype_field("source", "formula")  # the emulator knows not every kind
    empty.airtable.recompute(leads[5], source="web")
    empty.airtable.retype_field("source", kind)
    report = empty.sync(read=read)
    assert "Source: web" in empty.card(leads[5])["desc"]
    assert report.read == LEADS_ONLY_WHOLE
    (note,) = report.notes
    assert f"'source' ({kind})" in note["note"]
    assert len(empty.assert_idle(read=read).notes) == 1
    assert empty.calls() == (2, 1)


def test_schema_is_asked_for_once_and_again_when_a_full_read_is_due(empty, monkeypatch):
    """An idle delta costs 1 + 1 once the columns are known; a column that became a lookup is found when asked again."""
    (lead,) = settled(empty, 1)
    now = time.time()
    for minutes, calls in ((1, 1), (80, 1), (91, 2), (92, 1)):
        our_clock(monkeypatch, now + 60 * minutes)
        assert empty.assert_idle(read="delta", SYNC_FULL_EVERY="90m").read == DELTA
        assert empty.calls() == (calls, 1), minutes
    empty.airtable.retype_field("source", "formula")
    empty.airtable.recompute(lead, source="web")
    our_clock(monkeypatch, now + 60 * 200)
    assert empty.sync(read="delta", SYNC_FULL_EVERY="90m").read == LEADS_ONLY_WHOLE
    assert "Source: web" in empty.card(lead)["desc"]


def test_schema_is_asked_for_along_with_a_whole_read_that_deltas_follow(empty):
    """So that the first delta costs no more than any other; a command that reads whole never asks."""
    for number in range(101):
        empty.lead(f"Lead {number}")
    empty.sync()
    assert empty.emulator.calls("airtable") == 2
    empty.sync(read="auto", AIRTABLE_TABLE_NAME=empty.airtable.table_id)
    assert empty.emulator.calls("airtable") == 2 + 1
    report = empty.assert_idle(read="auto", AIRTABLE_TABLE_NAME=empty.airtable.table_id)
    assert (report.read, empty.calls()) == (DELTA, (1, 1))


def test_without_the_scope_for_the_schema_leads_are_read_whole(empty):
    """Nobody can tell then; the report names the scope, which is asked for once in a while."""
    settled(empty, 3)
    empty.env["AIRTABLE_API_TOKEN"] = empty.airtable.add_token(SCOPES)
    by_id = {"AIRTABLE_TABLE_NAME": empty.airtable.table_id}
    empty.sync(**by_id)
    for calls in (2, 1, 1):
        report = empty.assert_idle(read="delta", **by_id)
        assert report.read == LEADS_ONLY_WHOLE
        assert ["schema.bases:read" in note["note"] for note in report.notes] == [True]
        assert empty.calls() == (calls, 1)


@pytest.mark.parametrize("answer", [{"status": 500}, {"status": 200, "body": []}, {"status": 404, "body": {}}])
def test_schema_that_cannot_be_had_does_not_stop_the_sync(empty, answer):
    check = edits_on_both_sides(empty)
    by_id = {"AIRTABLE_TABLE_NAME": empty.airtable.table_id}
    empty.sync(**by_id)
    check()
    empty.emulator.inject(Fault("status", service="airtable", path="/meta/", times=9, **answer))
    assert empty.sync(read="delta", **by_id).read == LEADS_ONLY_WHOLE


# What no delta can see


def test_lead_and_card_both_deleted_get_no_card_again(world):
    """SYNC_ON_CARD_DELETED=recreate: the lead is asked for before a card is made for it again."""
    lead = world.linked("Ada", "NEW")
    world.sync(read="delta")
    world.trello.delete(world.card(lead)["id"])
    world.airtable.delete(lead)
    report = world.sync(read="delta", SYNC_ON_CARD_DELETED="recreate")
    assert (report.read, world.writes(), world.cards_of(lead)) == (FULL, 0, [])
    world.assert_idle(read="delta", SYNC_ON_CARD_DELETED="recreate")
    world.assert_idle(SYNC_ON_CARD_DELETED="recreate")


def test_card_of_a_lead_that_is_there_is_created_again_by_delta(world):
    """One request tells that the remembered lead still is as it was."""
    lead = world.linked("Ada", "NEW")
    world.sync(read="delta")
    world.trello.delete(world.card(lead)["id"])
    assert world.sync(read="delta", SYNC_ON_CARD_DELETED="recreate").read == DELTA
    assert world.emulator.calls("airtable") == 2
    world.assert_one_card_each()


@pytest.mark.parametrize("cells", [{"name": ""}, {"desc": "a note"}], ids=["emptied-title", "wiped-marker"])
def test_nothing_is_put_back_on_the_card_of_a_vanished_lead(world, cells):
    """What a card should say rests on a lead that is only remembered; everything is read, and the card archived."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.sync(read="delta")
    world.airtable.delete(lead)
    world.trello.edit(card, **cells)
    report = world.sync(read="delta")
    assert report.read == FULL
    assert world.trello.card(card)["desc"] == cells.get("desc", world.trello.card(card)["desc"])
    assert lead not in {row["lead_id"] for row in report.changes if row["field"] in ("name", "marker")}
    world.assert_idle(read="delta")


def test_deleted_lead_is_found_by_the_next_full_read_and_nothing_is_done_meanwhile(world):
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)
    world.airtable.delete(lead)
    for _ in range(2):
        world.assert_idle(read="delta")
    assert world.trello.card(card["id"]) == card
    world.sync()
    assert world.trello.card(card["id"])["closed"]
    world.assert_idle(read="delta")


def test_moved_card_of_a_deleted_lead_brings_the_lead_to_light(world):
    """The lead is read again before it is written: it is not there, so everything is read, and the card is left."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.sync(read="delta")
    world.airtable.delete(lead)
    world.trello.move(card, "DONE")
    report = world.sync(read="delta")
    assert report.read == FULL
    assert [(row["lead_id"], row["kind"]) for row in report.conflicts] == [(lead, "lead deleted")]
    assert world.writes() == 0
    assert lead not in world.airtable.records()
    assert (world.trello.card(card)["closed"], world.list_name(world.trello.card(card))) == (False, "DONE")
    world.assert_idle(read="delta")


def test_lead_deleted_and_restored_between_delta_runs_goes_on(world):
    lead = world.linked("Ada", "NEW")
    world.sync(read="delta")
    world.airtable.delete(lead)
    world.sync(read="delta")
    world.airtable.restore(lead)
    world.airtable.edit(lead, status="CONTACTED")
    assert world.sync(read="delta").read == DELTA
    assert world.place(lead) == "IN_PROGRESS"
    world.assert_one_card_each()


def test_card_deleted_on_another_board_is_found_by_the_next_full_read(world):
    """With the card go its earlier actions, also the one that told of its leaving."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.sync(read="delta")
    world.trello.move_to_board(card, world.trello.add_board("Elsewhere"))
    world.trello.delete(card)
    assert world.sync(read="delta").changes == []
    assert world.writes() == 0
    assert lead in {note["lead_id"] for note in world.sync().notes}
    world.assert_idle(read="delta")


def test_write_to_a_card_deleted_on_another_board_ends_in_a_full_read(world):
    """The card is not there, so the lead's edit is decided anew: it gives the lead another card."""
    lead = world.linked("Ada", "NEW")
    world.sync(read="delta")
    world.trello.move_to_board(world.card(lead)["id"], world.trello.add_board("Elsewhere"))
    world.trello.delete(world.card(lead)["id"])
    world.airtable.edit(lead, status="CONTACTED")
    assert world.sync(read="delta").read == FULL
    world.assert_one_card_each()
    world.assert_equal()


# The board itself


READS = pytest.mark.parametrize("read", ["full", "delta"])


def by_name(world):
    """Lists are found by their names."""
    for stage in STAGE_OF.values():
        world.env.pop(f"TRELLO_LIST_{stage}_ID", None)
    world.sync()
    (lead,) = world.airtable.records()
    for status in ("NEW", "CONTACTED"):
        world.airtable.edit(lead, status=status)
        world.sync(read="delta")
    return lead


@READS
@pytest.mark.parametrize("change", ["rename", "archive", "close"])
def test_changed_board_is_noticed_before_a_card_is_written(world, read, change):
    """Once the lists have been checked the feed vouches for them, until it tells of a change."""
    lead = by_name(world)
    if change == "rename":
        world.trello.rename_list("DONE", "Finished")
    elif change == "archive":
        world.trello.archive_list("DONE")
    else:
        world.trello.close_board()
    world.airtable.edit(lead, status="LOST")
    for _ in range(2):
        refused = world.sync(read=read, exit_code=2)
        assert world.writes() == 0, refused.message
    if change == "rename":
        world.trello.rename_list("Finished", "DONE")
    elif change == "archive":
        world.trello.unarchive_list("DONE")
    else:
        world.trello.reopen_board()
    world.sync(read=read)
    assert world.place(lead) == "DONE"


@READS
def test_list_replaced_by_another_of_its_name_is_noticed(world, read):
    """Before anything is written; the run resolves the lists again and goes on."""
    lead = by_name(world)
    world.trello.rename_list("DONE", "Old")
    new = world.trello.add_list("DONE")
    world.airtable.edit(lead, status="LOST")
    assert world.sync(read=read).read == FULL
    assert (world.card(lead)["idList"], world.writes()) == (new, 1)
    world.assert_idle(read=read)


@pytest.mark.parametrize("read", ["full", "auto", "delta"])
def test_card_dragged_into_a_new_list_of_the_old_name_counts(world, read):
    """The old one is archived and called otherwise. The run resolves the lists again, at one request, and goes on."""
    lead = by_name(world)
    card = world.card(lead)["id"]
    world.trello.archive_list("DONE")
    world.trello.rename_list("DONE", "Old")
    world.trello.add_list("DONE")
    world.trello.move(card, "DONE")
    report = world.sync(read=read)
    assert (world.status(lead), report.quarantine) == ("QUALIFIED", [])
    for _ in range(2):
        world.assert_idle(read=read)
    assert world.calls() == (1, 1)


def test_list_renamed_over_another_counts_when_a_card_comes_there(world):
    """It was on the board before, outside the mapping."""
    world.trello.add_list("Finished")
    lead = by_name(world)
    world.trello.rename_list("DONE", "Old")
    world.trello.rename_list("Finished", "DONE")
    world.trello.move(world.card(lead)["id"], "DONE")
    assert world.sync().quarantine == []
    assert world.status(lead) == "QUALIFIED"


def test_lists_are_resolved_again_in_a_dry_run_too(world):
    lead = by_name(world)
    world.trello.rename_list("DONE", "Old")
    world.trello.add_list("DONE")
    world.trello.move(world.card(lead)["id"], "DONE")
    assert [row["after"] for row in world.sync(dry_run=True).changes] == ["QUALIFIED"]


@READS
def test_card_in_a_new_list_while_a_configured_one_is_archived_names_the_setting(world, read):
    (lead,) = world.airtable.records()
    world.trello.archive_list("DONE")
    world.trello.rename_list("DONE", "Old")
    world.trello.add_list("DONE")
    world.trello.move(world.card(lead)["id"], "DONE")
    assert "TRELLO_LIST_DONE_ID: the list 'Old' is archived" in world.sync(read=read, exit_code=2).message
    assert world.writes() == 0
    world.env["TRELLO_LIST_DONE_ID"] = world.trello.list_id("DONE")
    world.sync(read=read)
    assert world.status(lead) == "QUALIFIED"


@READS
def test_card_that_rests_outside_the_mapping_costs_nothing(world, read):
    """One request when it comes to a list, whether that is new or not; none after that."""
    lead = by_name(world)
    for name in ("Waiting", "Waiting"):
        if name not in {each["name"] for each in world.trello.lists()}:
            world.trello.add_list(name)
        world.trello.move(world.card(lead)["id"], name)
        assert [row["lead_id"] for row in world.sync(read=read).quarantine] == [lead]
        assert world.calls() == (1, 2)
        for _ in range(2):
            world.assert_idle(read=read)
            assert world.calls() == (1, 1)
        world.trello.move(world.card(lead)["id"], "IN_PROGRESS")
        world.sync(read=read)


def test_lists_told_by_the_activity_are_resolved_once(world):
    """And then vouched for: the next card is written without asking again."""
    lead = by_name(world)
    world.trello.add_list("Waiting")
    world.assert_idle(read="delta")
    assert world.calls() == (1, 2)
    world.airtable.edit(lead, status="LOST")
    world.sync(read="delta")
    assert world.calls() == (1, 3)


def test_list_changed_in_an_idle_run_is_still_checked_before_the_next_write(world):
    """The feed tells of it once; that it was told must not be forgotten before anything is written."""
    lead = by_name(world)
    world.trello.archive_list("DONE")
    for _ in range(3):
        world.assert_idle(read="delta")
    world.airtable.edit(lead, status="LOST")
    world.sync(read="delta", exit_code=2)
    assert world.writes() == 0


def test_cards_of_a_list_sent_to_another_board_are_seen_to_be_gone(world):
    """No action tells of the cards in it."""
    lead = world.linked("Ada", "NEW")
    world.trello.add_list("Waiting")
    world.trello.move(world.card(lead)["id"], "Waiting")
    world.sync()
    world.sync(read="delta")
    world.trello.move_list("Waiting", world.trello.add_board("Elsewhere"))
    report = world.sync(read="delta")
    assert [note["lead_id"] for note in report.notes] == [lead]
    assert lead not in {row["lead_id"] for row in report.quarantine}
    world.assert_idle(read="delta")


# Clocks


@pytest.mark.parametrize("start", [900_000_000.0, 4_000_000_000.0], ids=["far-behind", "far-ahead"])
@pytest.mark.parametrize("server_time", [True, False])
def test_services_clocks_far_from_ours_lose_nothing(tmp_path, start, server_time):
    world = worlds(tmp_path, clock=ManualClock(start), trello_server_time=server_time)
    lead, moved = world.lead("Edited", "NEW"), world.lead("Dragged", "NEW")
    world.sync()
    world.assert_idle(read="delta")
    for status, place in (("CONTACTED", "DONE"), ("LOST", "TODO"), ("NEW", "IN_PROGRESS")):
        world.airtable.edit(lead, status=status)
        world.trello.move(world.card(moved)["id"], place)
        late = world.lead(f"New {status}", status)
        report = world.sync(read="delta")
        assert report.read == DELTA
        assert (world.place(lead), STAGE_OF[world.status(moved)]) == (STAGE_OF[status], place)
        assert world.place(late) == STAGE_OF[status]
        assert world.assert_idle(read="delta").read == DELTA
    world.assert_one_card_each()
    world.assert_idle()
    world.close()


@pytest.mark.parametrize(
    ("headers", "read"),
    [
        pytest.param({"trello_server_time": False}, DELTA, id="date-only"),
        pytest.param({"date_header": False}, LEADS_ONLY_WHOLE, id="server-time-only"),
        pytest.param({"date_header": False, "trello_server_time": False}, FULL, id="neither"),
    ],
)
def test_side_that_never_tells_its_time_is_read_whole(tmp_path, headers, read):
    world = worlds(tmp_path, **headers)
    lead, moved = world.lead("Edited", "NEW"), world.lead("Dragged", "NEW")
    world.sync()
    world.sync(read="delta")
    world.airtable.edit(lead, status="CONTACTED")
    world.trello.move(world.card(moved)["id"], "DONE")
    assert world.sync(read="delta").read == read
    assert (world.place(lead), world.status(moved)) == ("IN_PROGRESS", "QUALIFIED")
    assert world.assert_idle(read="delta").read == read
    world.close()


@pytest.mark.parametrize("subsecond", [False, True])
@pytest.mark.parametrize("fraction", [0.0, 0.6])
def test_edit_right_after_the_newest_lead_was_made_and_read_is_found(tmp_path, fraction, subsecond):
    """Times are whole seconds to Airtable's formulas, so that lead, read and edit may bear the same one."""
    clock = ManualClock(1_767_225_600.0 + fraction)
    world = worlds(tmp_path, clock=clock, airtable_formula_subsecond=subsecond)
    edited = world.linked("Edited", "NEW")
    world.sync()
    world.pause = 0.0
    for before in (0.0, 1.0, 1.3, 2.0):
        for after in (0.0, 0.4):
            world.lead("Newest", "NEW")
            clock.advance(before)
            world.sync(read="delta")
            clock.advance(after)
            status = "LOST" if world.status(edited) == "NEW" else "NEW"
            world.airtable.edit(edited, status=status)
            for _ in range(2):
                assert world.sync(read="delta").read["airtable"] == "delta"
                assert world.place(edited) == STAGE_OF[status], (before, after)
                clock.advance(30.0)
    world.close()


def test_lead_that_airtables_formulas_show_late_is_found_when_they_do(tmp_path):
    """A filtered list may lag behind; the delta begins at the newest lead that was ever seen, not at the last read."""
    world = worlds(tmp_path, airtable_formula_lag=150.0)
    world.sync()
    world.emulator.clock.advance(300)
    world.sync(read="delta")
    lead = world.lead("Ada", "LOST")
    created = [len(world.sync(read="delta").changes) for _ in range(4)]
    assert created == [0, 0, 1, 0]
    assert world.place(lead) == "DONE"
    world.assert_one_card_each()
    world.close()


def test_more_changes_than_a_page_of_leads_are_all_seen_and_cost_a_page_only_once(empty):
    """The delta begins at the newest lead; after a mass edit it begins at the last read, or pages would add up."""
    leads = settled(empty, 250)
    for lead in leads[:150]:
        empty.airtable.edit(lead, source="fair")
    report = empty.sync(read="delta")
    assert report.read == DELTA
    assert empty.emulator.calls("airtable") == 2
    empty.airtable.edit(leads[200], status="LOST")
    empty.emulator.clock.advance(60)
    assert empty.sync(read="delta").read == DELTA
    assert empty.place(leads[200]) == "DONE"
    empty.assert_idle(read="delta")
    assert empty.calls() == (1, 1)
