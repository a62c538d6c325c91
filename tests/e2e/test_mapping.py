"""A table with columns of its own: each tied to a property of the card by a row of leadsync.toml."""

from __future__ import annotations

import pytest

from support.harness import World, written
from support.pages import blocks, text_of
from support.places import FLOWS

EVENING = "2026-12-01T19:30:00.000Z"
LISTS = ("Inbox", "Talking", "Offer", "Won", "Lost", "Someday")
STATUSES = ("New", "Called", "Visited", "Offer", "Won", "Lost", "Gone", "Later")
PAGE = blocks(text_of(FLOWS / "leadsync" / "mapping" / "README.md"), "toml")[0]
MAPPING = f"""
timezone = "Europe/Berlin"
{PAGE}
[[field]]
airtable = "Budget"
card = "custom:Budget"
[[field]]
airtable = "Card"
card = "url"
"""
MORE = """
[[field]]
airtable = "Begins"
card = "start"
[[field]]
airtable = "Ticked"
card = "done"
[[field]]
airtable = "Mood"
card = "custom:Mood"
[[field]]
airtable = "Note"
card = "custom:Note"
"""


def build(world, more=""):
    """The columns, lists, labels, people and fields that the mapping speaks of."""
    table, board = world.airtable, world.trello
    for option in STATUSES:
        table.add_select_option("status", option)
    for name in LISTS:
        board.add_list(name)
    table.add_field("Owner", "singleCollaborator")
    table.add_field("Next step", "date")
    choices = [{"name": name} for name in ("Hot", "Trade fair", "Export")]
    table.add_field("Tags", "multipleSelects", {"choices": choices})
    table.add_field("Deal value", "currency", {"precision": 2, "symbol": "€"})
    table.add_field("Budget", "number", {"precision": 2})
    table.add_field("Phone", "phoneNumber")
    table.add_field("Card", "url")
    board.make_label("Hot")
    board.make_label("Trade fair")
    board.make_custom_field("Budget", "number")
    board.invite("Ann Lee")
    board.invite("Ben Oh")
    if more:
        table.add_field("Begins", "dateTime")
        table.add_field("Ticked", "checkbox")
        table.add_field("Mood", "singleSelect", {"choices": [{"name": "Good"}, {"name": "Bad"}]})
        table.add_field("Note", "singleLineText")
        board.make_custom_field("Mood", "list", ("Good", "Bad"))
        board.make_custom_field("Note", "text")
    world.env["SYNC_FIELDS"] = MAPPING + more
    return world


@pytest.fixture
def world(tmp_path):
    made = build(World(tmp_path))
    yield made
    made.close()


@pytest.fixture
def full(tmp_path):
    """Every property of a card is mapped."""
    made = build(World(tmp_path), MORE)
    yield made
    made.close()


def labels_of(world, lead):
    return {label["name"] for label in world.card(lead)["labels"]}


def people(world):
    ann = world.airtable.add_collaborator("Ann Lee", "ann@example.com")
    ben = world.airtable.add_collaborator("Ben Oh", "ben@example.com")
    return {"id": ann, "email": "ann@example.com"}, {"id": ben, "email": "ben@example.com"}


def test_the_page_sets_all_of_this_up_in_twenty_lines():
    assert len(PAGE.splitlines()) == 20


def assert_idle(world, read="full"):
    report = world.sync(read=read)
    assert (report.changes, report.conflicts, report.quarantine, world.writes()) == ([], [], [], 0)
    return report


def test_lead_with_columns_of_its_own_gets_a_card_with_all_of_them(world):
    """And its address comes back; then nothing is left to do."""
    ann, _ = people(world)
    lead = world.lead(
        "Ada",
        "Visited",
        **{
            "Owner": ann,
            "Next step": "2026-12-01",
            "Tags": ["Hot"],
            "Deal value": 900,
            "Budget": 1200.5,
            "Phone": "+49 30 1",
        },
    )
    world.sync()
    world.sync()
    card = world.card(lead)
    assert (world.place(lead), card["due"]) == ("Talking", "2026-12-01T11:00:00.000Z")
    assert labels_of(world, lead) == {"Hot"}
    assert len(card["idMembers"]) == 1
    assert world.trello.custom_fields(card["id"]) == {"Budget": "1200.5"}
    assert "\nValue: 900\nPhone: +49 30 1\nLeadID: " in card["desc"]
    assert world.cells(lead)["Card"] == card["shortUrl"]
    assert_idle(world)
    assert_idle(world, read="delta")


def test_edits_of_the_card_come_back(world):
    lead = world.lead("Ada", "New", **{"Next step": "2026-12-01", "Tags": ["Hot"], "Budget": 1})
    world.sync()
    world.sync()
    card = world.card(lead)["id"]
    world.trello.set_due(card, EVENING)
    world.trello.add_label(card, "Trade fair")
    world.trello.remove_label(card, "Hot")
    world.trello.set_custom_field(card, "Budget", "2.5")
    world.trello.move(card, "Won")
    report = world.sync()
    cells = world.cells(lead)
    assert (cells["status"], cells["Tags"], cells["Budget"]) == ("Won", ["Trade fair"], 2.5)
    assert {field for field, *_ in written(report)} == {"status", "labels", "custom:Budget"}  # the day is the same
    assert_idle(world)
    world.trello.set_due(card, "2026-12-02T19:30:00.000Z")
    world.sync()
    assert world.cells(lead)["Next step"] == "2026-12-02"
    assert_idle(world)


def test_day_of_the_table_leaves_the_time_of_day_of_the_card(world):
    lead = world.lead("Ada", "New", **{"Next step": "2026-12-01"})
    world.sync()
    card = world.card(lead)["id"]
    world.trello.set_due(card, EVENING)
    world.sync()
    world.airtable.edit(lead, **{"Next step": "2026-12-24"})
    world.sync()
    assert world.card(lead)["due"] == "2026-12-24T19:30:00.000Z"
    world.airtable.edit(lead, **{"Next step": None})
    world.sync()
    assert world.card(lead)["due"] is None
    assert_idle(world)


def test_sets_are_merged_element_by_element(world):
    """What either side put on is on, what either took off is off, and a label that is no option stays."""
    world.trello.make_label("Private")
    lead = world.lead("Ada", "New", Tags=["Hot"])
    world.sync()
    card = world.card(lead)["id"]
    world.trello.add_label(card, "Private")
    world.trello.add_label(card, "Trade fair")
    world.airtable.edit(lead, Tags=["Export"])
    report = world.sync()
    assert (set(world.cells(lead)["Tags"]), labels_of(world, lead)) == (
        {"Export", "Trade fair"},
        {"Export", "Trade fair", "Private"},
    )
    assert report.conflicts == []
    assert_idle(world)


def test_label_that_the_board_lacks_is_created_once(world):
    for number in range(3):
        world.lead(f"Lead {number}", "New", Tags=["Export", "Hot"])
    world.sync()
    world.sync()
    made = [label["name"] for label in world.trello.board()["labels"]] if "labels" in world.trello.board() else None
    assert [labels_of(world, lead) for lead in world.airtable.records()] == [{"Export", "Hot"}] * 3
    assert made is None or made.count("Export") == 1
    assert_idle(world)


def test_conflict_of_a_mapped_cell_is_listed_and_follows_the_policy(world):
    lead = world.lead("Ada", "New", Budget=1)
    world.sync()
    world.airtable.edit(lead, Budget=2)
    world.trello.set_custom_field(world.card(lead)["id"], "Budget", "3")
    [conflict] = world.sync().conflicts
    assert (conflict["field"], conflict["airtable"], conflict["trello"]) == ("custom:Budget", "2", "3")
    assert world.trello.custom_fields(world.card(lead)["id"]) == {"Budget": "2"}
    assert_idle(world)


def test_every_property_goes_both_ways(full):
    world = full
    first = {"Begins": "2026-11-01T08:00:00.000Z", "Ticked": True, "Mood": "Good", "Note": "as typed"}
    lead = world.lead("Ada", "New", **first)
    world.sync()
    world.sync()
    card = world.card(lead)
    assert (card["start"], card["dueComplete"]) == ("2026-11-01T08:00:00.000Z", True)
    assert world.trello.custom_fields(card["id"]) == {"Mood": "Good", "Note": "as typed"}
    assert world.place(lead) == "Inbox"  # a tick that is mapped says nothing about the status
    assert_idle(world)
    world.trello.edit(card["id"], start="2026-11-02T08:00:00.000Z", dueComplete=False)
    world.trello.set_custom_field(card["id"], "Mood", "Bad")
    world.trello.set_custom_field(card["id"], "Note", None)
    world.sync()
    cells = world.cells(lead)
    assert (cells["Begins"], cells["Mood"]) == ("2026-11-02T08:00:00.000Z", "Bad")
    assert cells.keys().isdisjoint({"Ticked", "Note"})
    assert_idle(world)
    assert_idle(world, read="delta")


def test_first_match_fills_what_is_empty_and_lists_what_differs(world):
    """A mapping that comes to leads which are synced already."""
    given, world.env["SYNC_FIELDS"] = world.env["SYNC_FIELDS"], ""
    with_due, without = (world.lead(name, "NEW") for name in ("Ada", "Bob"))
    differs = world.lead("Cid", "NEW", **{"Next step": "2026-12-01"})
    world.sync()
    world.trello.set_due(world.card(with_due)["id"], EVENING)
    world.airtable.edit(without, **{"Next step": "2026-12-03"})
    world.trello.set_due(world.card(differs)["id"], "2026-12-24T12:00:00.000Z")
    world.env["SYNC_FIELDS"] = given
    for lead in (with_due, without, differs):
        world.airtable.edit(lead, status="New")
    report = world.sync(read="full", exit_code=None)
    assert world.cells(with_due)["Next step"] == "2026-12-01"
    assert world.card(without)["due"] == "2026-12-03T11:00:00.000Z"
    assert [(row["field"], row["kind"]) for row in report.conflicts if row["lead_id"] == differs] == [
        ("due", "first match")
    ]


def test_row_that_does_not_fit_is_refused_before_anything_is_written(world):
    world.env["SYNC_FIELDS"] += '\n[[field]]\nairtable = "Birthday"\ncard = "start"\n'
    world.lead("Ada", "New")
    report = world.sync(exit_code=2)
    assert "'Birthday' = start" in report.message
    assert world.writes() == 0


def test_card_of_a_deleted_lead_is_spared_when_a_mapped_cell_was_edited(world):
    """As when it was moved or retitled: who edits it uses it."""
    leads = [world.lead(name, "New", Budget=1) for name in ("Ada", "Bob", "Cyd")]
    world.sync()
    world.sync()
    cards = [world.card(lead)["id"] for lead in leads]
    world.trello.set_custom_field(cards[0], "Budget", "2")
    for lead in leads[:2]:
        world.airtable.delete(lead)
    report = world.sync()
    assert [world.trello.card(card)["closed"] for card in cards] == [False, True, False]
    assert [row["card_id"] for row in report.conflicts] == [cards[0]]


@pytest.mark.parametrize(
    "edit",
    [
        lambda board, card: board.edit(card, dueComplete=True),
        lambda board, card: board.set_custom_field(card, "Note", "call back"),
        lambda board, card: board.edit(card, start="2026-11-02T08:00:00.000Z"),
    ],
    ids=["done", "custom", "start"],
)
@pytest.mark.parametrize("direction", ["to_airtable", "both"])
def test_card_of_a_deleted_lead_is_spared_when_it_got_a_value_right_after_it_was_made(full, edit, direction):
    """No run has read the new card yet, so the base may not say that it had none."""
    world = full
    of_the_card = MORE.replace("[[field]]", f'[[field]]\ndirection = "{direction}"')
    world.env["SYNC_FIELDS"] = MAPPING + of_the_card
    leads = [world.lead(name, "New") for name in ("Ada", "Bob", "Cyd")]
    world.sync()
    cards = [world.card(lead)["id"] for lead in leads]
    edit(world.trello, cards[0])
    for lead in leads[:2]:
        world.airtable.delete(lead)
    for _ in range(2):
        report = world.sync()
        assert [world.trello.card(card)["closed"] for card in cards] == [False, True, False]
        assert [(row["card_id"], row["field"]) for row in report.conflicts] == [(cards[0], "card")]
