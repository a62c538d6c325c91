"""Eight statuses over six lists, named or by id, and lists that mean closed."""

import json
import sqlite3

import pytest

from support.harness import World, findings, written
from support.kills import killed_after, killed_before

STAGE_OF = {
    "New": "Inbox",
    "Called": "Talking",
    "Visited": "Talking",
    "Offer": "Offer",
    "Won": "Won",
    "Lost": "Lost",
    "Gone": "Lost",
    "Later": "Someday",
}
LISTS = tuple(dict.fromkeys(STAGE_OF.values()))
STATUS_FOR = {"Inbox": "New", "Talking": "Called", "Offer": "Offer", "Won": "Won", "Lost": "Lost", "Someday": "Later"}
READS = pytest.mark.parametrize("read", ["full", "auto"])


class SixLists(World):
    """The board has its own three lists besides; Won and Lost mean closed."""

    def __init__(self, folder, stage_of=STAGE_OF):
        super().__init__(folder, ordered=True)
        for stage in ("TODO", "IN_PROGRESS", "DONE"):
            self.env.pop(f"TRELLO_LIST_{stage}_ID")
        for name in LISTS:
            self.trello.add_list(name)
        for status in STAGE_OF:
            self.airtable.add_select_option("status", status)
        self.env |= {"SYNC_STATUS_MAP": json.dumps(stage_of), "SYNC_DONE_LISTS": "Won, Lost"}
        self.lead("Uninvolved", "Called")

    def map_to(self, stage_of):
        self.env["SYNC_STATUS_MAP"] = json.dumps(stage_of)


@pytest.fixture
def six(tmp_path):
    world = SixLists(tmp_path)
    yield world
    world.close()


def where(world, lead):
    """Status, list, and whether the card is archived and ticked."""
    card = world.card(lead)
    return world.status(lead), world.place(lead), card["closed"], card["dueComplete"]


def test_every_status_gets_its_list(six):
    """With one card each, and nothing more to do afterwards."""
    leads = {status: six.lead(status, status) for status in STAGE_OF}
    six.sync()
    assert {status: six.place(lead) for status, lead in leads.items()} == STAGE_OF
    six.assert_one_card_each()
    six.assert_idle()


@READS
@pytest.mark.parametrize("was", STAGE_OF)
def test_edits_go_both_ways_between_any_two(six, was, read):
    """A status moves the card; a list gives its first status, unless the lead's own leads there already."""
    leads = {place: six.lead(place, was) for place in LISTS}
    edited = {status: six.lead(status, was) for status in STAGE_OF}
    six.sync()
    for place, lead in leads.items():
        six.trello.move(six.card(lead)["id"], place)
    for status, lead in edited.items():
        six.airtable.edit(lead, status=status)
    assert six.sync(read=read).conflicts == []
    given = STATUS_FOR | {STAGE_OF[was]: was}
    assert {place: six.status(lead) for place, lead in leads.items()} == given
    assert {status: (six.status(lead), six.place(lead)) for status, lead in edited.items()} == {
        status: (status, STAGE_OF[status]) for status in STAGE_OF
    }
    six.assert_idle(read=read)


def test_statuses_of_one_list_cost_no_call_to_trello(six):
    lead = six.linked("Ada", "Lost")
    six.airtable.edit(lead, status="Gone")
    six.sync()
    assert (six.writes(), where(six, lead)[:2]) == (0, ("Gone", "Lost"))


@pytest.mark.parametrize(("policy", "expected"), [("airtable", ("Offer", "Offer")), ("trello", ("Won", "Won"))])
def test_conflict_names_the_lists_as_the_map_does(six, policy, expected):
    lead = six.linked("Ada", "New")
    six.airtable.edit(lead, status="Offer")
    six.trello.move(six.card(lead)["id"], "Won")
    report = six.sync(SYNC_CONFLICT=policy)
    assert findings(report.conflicts, lead) == [("status", "Offer", "Won")]
    assert where(six, lead)[:2] == expected


@pytest.mark.parametrize("elsewhere", ["TODO", "DONE", "Ideas"])
def test_card_in_a_list_outside_the_map_is_parked(six, elsewhere):
    """Also in one called DONE, which the default map would name; the remedy names the map's lists."""
    six.trello.add_list("Ideas")
    lead = six.linked("Ada", "Offer")
    six.trello.move(six.card(lead)["id"], elsewhere)
    report = six.sync()
    (row,) = report.quarantine
    assert (row["lead_id"], row["remedy"]) == (lead, "Move it to Inbox, Talking, Offer, Won, Lost or Someday.")
    assert where(six, lead)[:2] == ("Offer", elsewhere)
    six.trello.move(six.card(lead)["id"], "Talking")
    six.sync()
    assert where(six, lead)[:2] == ("Called", "Talking")


def test_empty_status_counts_as_that_of_the_first_list(six):
    """It is written only when the card moves."""
    lead = six.linked("Ada", None)
    assert where(six, lead)[:2] == ("", "Inbox")
    six.assert_idle()
    six.trello.move(six.card(lead)["id"], "Someday")
    six.sync()
    assert six.status(lead) == "Later"


# --- lists that mean closed -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["Won", "Lost", "Gone"])
@pytest.mark.parametrize("later", STAGE_OF)
def test_archived_card_comes_back_with_a_list_that_is_not_closed(six, status, later):
    """From one closed list to another it stays where it is."""
    lead = six.linked("Ada", status)
    six.trello.archive(six.card(lead)["id"])
    six.sync()
    six.airtable.edit(lead, status=later)
    six.sync()
    is_closed = STAGE_OF[later] in ("Won", "Lost")
    place = STAGE_OF[status] if is_closed else STAGE_OF[later]
    assert where(six, lead)[:3] == (later, place, is_closed)
    six.assert_idle()


def test_without_closed_lists_any_other_list_brings_a_card_back(six):
    lead = six.linked("Ada", "Won")
    six.trello.archive(six.card(lead)["id"])
    six.sync(SYNC_DONE_LISTS="[]")
    six.airtable.edit(lead, status="Lost")
    six.sync(SYNC_DONE_LISTS="[]")
    assert where(six, lead)[:3] == ("Lost", "Lost", False)
    six.assert_idle(SYNC_DONE_LISTS="[]")


@READS
def test_ticked_card_moves_to_the_first_closed_list(six, read):
    lead = six.linked("Ada", "Offer")
    six.trello.edit(six.card(lead)["id"], dueComplete=True)
    assert written(six.sync(read=read)) == [("status", "Won", "to_trello"), ("status", "Won", "to_airtable")]
    assert where(six, lead) == ("Won", "Won", False, True)
    six.assert_idle(read=read)


def test_ticked_card_in_another_closed_list_stays_there(six):
    lead = six.linked("Ada", "Gone")
    six.trello.edit(six.card(lead)["id"], dueComplete=True)
    six.sync()
    assert (six.writes(), where(six, lead)) == (0, ("Gone", "Lost", False, True))
    six.assert_idle()


@pytest.mark.parametrize(("later", "ticked"), [("Lost", True), ("Talking", False), ("Inbox", False)])
def test_tick_is_taken_away_where_the_sync_moves_a_card_out_of_the_closed_lists(six, later, ticked):
    """Between two of them it stays."""
    lead = six.linked("Ada", "Offer")
    six.trello.edit(six.card(lead)["id"], dueComplete=True)
    six.sync()
    six.airtable.edit(lead, status=STATUS_FOR[later])
    six.sync()
    assert where(six, lead) == (STATUS_FOR[later], later, False, ticked)
    six.assert_idle()


@pytest.mark.parametrize("order", ["Won, Lost", "Lost, Won"])
def test_first_of_the_closed_lists_is_the_one_named_first(six, order):
    lead = six.linked("Ada", "New")
    six.trello.edit(six.card(lead)["id"], dueComplete=True)
    six.sync(SYNC_DONE_LISTS=order)
    assert six.place(lead) == order.split(",")[0]


@READS
def test_ticks_mean_nothing_without_closed_lists(six, read):
    """Neither put on nor taken off, and they stay where the sync moves the card."""
    none = {"SYNC_DONE_LISTS": "[]"}
    lead = six.linked("Ada", "Won")
    card = six.card(lead)["id"]
    six.sync(read=read, **none)
    for ticked in (True, False, True):
        six.trello.edit(card, dueComplete=ticked)
        assert written(six.sync(read=read, **none)) == []
        assert where(six, lead) == ("Won", "Won", False, ticked)
    six.airtable.edit(lead, status="New")
    six.sync(read=read, **none)
    assert where(six, lead) == ("New", "Inbox", False, True)
    six.assert_idle(read=read, **none)
    assert written(six.sync(read="full")) == []  # once there are closed lists, only a new tick speaks


# --- lists by id ----------------------------------------------------------------------------------------------


def by_id(world):
    return {status: world.trello.list_id(name) for status, name in STAGE_OF.items()}


@READS
def test_lists_named_by_id_may_be_renamed_and_exchange_their_names(six, read):
    """Nothing is moved, nothing is written, and edits go on."""
    ids = by_id(six)
    six.map_to(ids)
    six.env["SYNC_DONE_LISTS"] = json.dumps([ids["Won"], ids["Lost"]])
    leads = {status: six.lead(status, status) for status in STAGE_OF}
    six.sync()
    for old, new in (("Won", "Closed deals"), ("Lost", "x"), ("Talking", "Lost"), ("x", "Talking")):
        six.trello.rename_list(old, new)
    assert written(six.assert_idle(read=read)) == []
    six.airtable.edit(leads["Visited"], status="Won")
    six.trello.move(six.card(leads["New"])["id"], "Lost")  # as Talking is called now
    six.sync(read=read)
    assert (six.place(leads["Visited"]), six.status(leads["New"])) == ("Closed deals", "Called")
    six.trello.edit(six.card(leads["Later"])["id"], dueComplete=True)
    six.sync(read=read)
    assert six.status(leads["Later"]) == "Won"


@READS
def test_list_renamed_that_the_map_names_is_told_with_what_there_is(six, read):
    lead = six.linked("Ada", "Offer")
    six.trello.rename_list("Won", "Closed deals")
    six.airtable.edit(lead, status="Won")
    report = six.sync(read=read, exit_code=2)
    assert six.writes() == 0
    for words in ("SYNC_STATUS_MAP", "'Won'", "Closed deals = ", "Offer = "):
        assert words in report.message
    assert "TRELLO_LIST" not in report.message


BROKEN = {
    "missing": ({"New": "Nowhere", "Old": "Elsewhere"}, ["'Nowhere'", "'Elsewhere'"]),
    "unknown-id": ({"New": "0" * 24}, ["0" * 24]),
    "archived-name": ({"New": "Inbox", "Old": "Shelf"}, ["'Shelf'"]),
    "archived-id": ({"New": "Inbox", "Old": "{Shelf}"}, ["'Shelf' is archived"]),
    "two-of-that-name": ({"New": "Twins"}, ["2 lists are called Twins", "by its id in SYNC_STATUS_MAP"]),
    "by-name-and-by-id": ({"New": "Inbox", "Old": "{Inbox}"}, ["Inbox and", "no lists of their own"]),
}


@pytest.mark.parametrize("what", BROKEN)
def test_list_that_cannot_be_told_is_named_with_the_setting(six, what):
    """All of them at once, and nothing is written."""
    stage_of, words = BROKEN[what]
    for name in ("Shelf", "Twins", "Twins"):
        six.trello.add_list(name)
    ids = {name: six.trello.list_id(name) for name in ("Shelf", "Inbox")}
    six.trello.archive_list("Shelf")
    six.map_to({status: place.format(**ids) for status, place in stage_of.items()})
    report = six.sync(exit_code=2, SYNC_DONE_LISTS=None)
    assert six.writes() == 0
    for text in ("SYNC_STATUS_MAP", *words):
        assert text in report.message


def test_one_of_two_lists_of_a_name_is_chosen_by_its_id(six):
    six.trello.add_list("Inbox")
    six.map_to(STAGE_OF | {"New": six.trello.list_id("Inbox")})
    lead = six.linked("Ada", "New")
    assert six.card(lead)["idList"] == six.trello.list_id("Inbox")
    six.assert_idle()


def test_id_of_its_own_counts_for_todo_among_other_lists(six):
    """TRELLO_LIST_TODO_ID, where the map has TODO besides others."""
    six.map_to(STAGE_OF | {"New": "TODO"})
    six.env["TRELLO_LIST_TODO_ID"] = six.trello.list_id("Inbox")
    lead = six.linked("Ada", "New")
    assert six.place(lead) == "Inbox"
    six.trello.move(six.card(lead)["id"], "TODO")
    assert [row["lead_id"] for row in six.sync().quarantine] == [lead]


# --- another map ----------------------------------------------------------------------------------------------


@READS
@pytest.mark.parametrize("policy", ["airtable", "trello", "hold"])
def test_list_that_is_called_otherwise_in_the_map_is_still_the_same(six, policy, read):
    """By its new name, or by its id: what was agreed there stays so, and an edit on one side is no conflict."""
    six.env["SYNC_CONFLICT"] = policy
    moved, edited, lost = six.lead("Moved", "New"), six.lead("Edited", "Visited"), six.lead("Lost", "Gone")
    six.sync()
    for names in (STAGE_OF, by_id(six), STAGE_OF | {"Called": "In touch", "Visited": "In touch"}):
        if "In touch" in names.values():
            six.trello.rename_list("Talking", "In touch")
        six.map_to(names)
        six.env["SYNC_DONE_LISTS"] = json.dumps([names["Won"], names["Lost"]])
        back = six.place(moved) == "Inbox"
        six.trello.move(six.card(moved)["id"], "Offer" if back else "Inbox")
        six.airtable.edit(edited, status="Later" if six.status(edited) == "Visited" else "Visited")
        assert six.sync(read=read).conflicts == []
        assert six.status(moved) == ("Offer" if back else "New")
        assert six.list_name(six.card(edited)) == STAGE_OF[six.status(edited)].replace(
            "Talking", names["Called"] if len(names["Called"]) < 24 else "Talking"
        )
        assert where(six, lost)[:2] == ("Gone", "Lost")
        six.assert_idle(read=read)


@READS
@pytest.mark.parametrize("state", ["of-now", "of-before"])
def test_list_parted_in_two_keeps_every_status(tmp_path, read, state):
    """
    DONE becomes Won, and LOST gets a list of its own: nobody moved, so the cards follow their leads. A state of before
    does not tell which lists its names were.
    """
    world = World(tmp_path, ordered=True)
    leads = {status: world.lead(status, status) for status in ("NEW", "CONTACTED", "QUALIFIED", "LOST")}
    world.sync()
    if state == "of-before":
        with sqlite3.connect(tmp_path / "state.sqlite3") as database:
            assert database.execute("DELETE FROM leadsync_facts WHERE key LIKE 'lists %'").rowcount == 1
    world.trello.rename_list("DONE", "Won")
    world.trello.add_list("Lost")
    for stage in ("TODO", "IN_PROGRESS", "DONE"):
        world.env.pop(f"TRELLO_LIST_{stage}_ID")
    stage_of = {"NEW": "TODO", "CONTACTED": "IN_PROGRESS", "QUALIFIED": "Won", "LOST": "Lost"}
    world.env |= {"SYNC_STATUS_MAP": json.dumps(stage_of), "SYNC_DONE_LISTS": "Won, Lost"}
    assert written(world.sync(read=read)) == [("status", "Lost", "to_trello")]
    assert {status: (world.status(lead), world.place(lead)) for status, lead in leads.items()} == {
        status: (status, stage_of[status]) for status in leads
    }
    world.assert_idle(read=read)
    world.close()


def test_card_held_in_another_list_says_nothing_about_names(six):
    """The only card of its list, in a state of before: it was moved, and still is."""
    lead = six.linked("Ada", "Later")
    six.airtable.edit(lead, status="New")
    six.trello.move(six.card(lead)["id"], "Offer")
    six.sync(SYNC_CONFLICT="hold")
    with sqlite3.connect(six.env["SYNC_STATE_URL"].removeprefix("sqlite:///")) as database:
        assert database.execute("DELETE FROM leadsync_facts WHERE key LIKE 'lists %'").rowcount == 1
    six.trello.rename_list("Someday", "Maybe")
    six.trello.rename_list("Offer", "Bid")
    six.map_to(STAGE_OF | {"Later": "Maybe", "Offer": "Bid"})
    assert findings(six.sync(SYNC_CONFLICT="hold").conflicts, lead) == [("status", "New", "Bid")]


@pytest.mark.parametrize("cut", [killed_before, killed_after], ids=["before", "after"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_run_cut_off_before_the_map_changed_is_settled_by_the_new_names(six, cut, method):
    """Its writes are known by their lists, under whatever name; an edit made since is no conflict."""
    lead = six.linked("Ada", "New")
    if method == "PUT":
        six.airtable.edit(lead, status="Won")
    else:
        six.trello.move(six.card(lead)["id"], "Won")
    with cut(method):
        six.sync()
    six.trello.rename_list("Won", "Closed deals")
    six.map_to(STAGE_OF | {"Won": "Closed deals"})
    six.env["SYNC_DONE_LISTS"] = "Closed deals"
    assert six.sync().conflicts == []
    assert where(six, lead)[:2] == ("Won", "Closed deals")
    six.assert_idle()


def test_edit_after_a_cut_and_another_map_is_no_conflict(six):
    """The write took effect and was not recorded; then a person moved the card on."""
    lead = six.linked("Ada", "New")
    six.airtable.edit(lead, status="Won")
    with killed_after("PUT"):
        six.sync()
    six.trello.rename_list("Won", "Closed deals")
    six.map_to(STAGE_OF | {"Won": "Closed deals"})
    six.env["SYNC_DONE_LISTS"] = "Closed deals"
    six.trello.move(six.card(lead)["id"], "Lost")
    assert six.sync().conflicts == []
    assert where(six, lead)[:2] == ("Lost", "Lost")


def test_dry_run_with_another_map_changes_nothing_about_the_next(six):
    """The names it goes by are not kept."""
    lead = six.linked("Ada", "Gone")
    six.trello.rename_list("Lost", "Shelf")
    other = STAGE_OF | {"Lost": "Shelf", "Gone": "Shelf"}
    for _ in range(2):
        report = six.sync(dry_run=True, SYNC_STATUS_MAP=json.dumps(other), SYNC_DONE_LISTS="Shelf")
        assert report.changes == []
    six.trello.rename_list("Shelf", "Lost")
    assert written(six.assert_idle()) == []
    assert six.status(lead) == "Gone"


def test_list_taken_out_of_the_map_and_back_under_another_name_is_the_same(six):
    """In between its cards are parked. Nobody moved this one, so it follows its lead, whose list is another by now."""
    lead = six.linked("Ada", "Gone")
    without = {status: place for status, place in STAGE_OF.items() if place != "Lost"}
    six.map_to(without | {"Lost": "Inbox", "Gone": "Inbox"})
    six.env["SYNC_DONE_LISTS"] = "Won"
    assert [row["lead_id"] for row in six.sync().quarantine] == [lead]
    six.trello.rename_list("Lost", "Shelf")
    six.map_to(without | {"Lost": "Shelf", "Gone": "Inbox"})
    assert six.sync().conflicts == []
    assert where(six, lead)[:2] == ("Gone", "Inbox")


@READS
def test_lists_that_exchange_their_names_exchange_their_cards(six, read):
    """The map goes by names: the leads say which list is meant now."""
    leads = {status: six.lead(status, status) for status in STAGE_OF}
    six.sync()
    for old, new in (("Won", "x"), ("Offer", "Won"), ("x", "Offer")):
        six.trello.rename_list(old, new)
    six.airtable.edit(leads["New"], status="Won")
    assert {row["direction"] for row in six.sync(read=read).changes} == {"to_trello"}
    assert {status: six.status(lead) for status, lead in leads.items()} == {
        status: status if status != "New" else "Won" for status in STAGE_OF
    }
    assert [six.place(leads[status]) for status in ("New", "Won", "Offer")] == ["Won", "Won", "Offer"]
    six.assert_idle(read=read)
