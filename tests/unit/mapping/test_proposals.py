"""What is likely meant, by names and types; and what a person types instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadsync.mapping.lines import lines, problems, with_line
from leadsync.mapping.names import BoardNames, CustomField
from leadsync.mapping.proposals import Found, closed_lists, propose, propose_lists
from leadsync.model import DEFAULT_STAGE_OF, StatusMap

STAGES = ("TODO", "IN_PROGRESS", "DONE")
BOARD = BoardNames(
    lists={},
    labels={"L1": "Hot"},
    members={"M1": ("ann", "Ann Lee"), "M2": ("ben", "Ben Oh"), "M3": ("ben2", "Ben Oh")},
    custom_fields={"Size": CustomField("cf1", "list", {"o1": "Small"}), "Score": CustomField("cf2", "number")},
)


def model(name, kind="singleLineText", *options, **result):
    """A column as the schema tells it."""
    choices = {"choices": [{"name": option} for option in options]} if options else {}
    return {"id": f"fld{abs(hash(name)):014d}"[:17], "name": name, "type": kind, "options": choices | result}


def found(*models, lists=STAGES, names=BOARD):
    return Found(list(models), {f"{number:024x}": name for number, name in enumerate(lists, 1)}, names)


def table(*more, name="Name", email="E-mail", status="Status", source="Source", options=tuple(DEFAULT_STAGE_OF)):
    return [model(name), model(email, "email"), model(status, "singleSelect", *options), model(source), *more]


@pytest.mark.parametrize(
    ("name", "email", "status", "source"),
    [
        ("name", "email", "status", "source"),
        ("Name", "E-mail", "Status", "Source"),
        ("Full name", "Email", "Stage", "Lead source"),
        ("FULL_NAME", "EMAIL ADDRESS", "Lead Status", "Origin"),
        ("Contact", "Mail", "Pipeline stage", "Channel"),
        (" Name ", "e_mail", "Sales\tstage", "Came from"),
    ],
)
def test_column_is_known_by_its_name_however_it_is_written(name, email, status, source):
    said = propose(found(*table(name=name, email=email, status=status, source=source)))
    assert said.columns == {"name": name, "email": email, "status": status, "source": source}
    assert not said.rows


@pytest.mark.parametrize("order", [1, -1])
def test_likelier_name_goes_before_another(order):
    """The order of the table decides nothing where one name is the plainer."""
    both = [model("Company"), model("Full name")][::order]
    assert propose(found(*both, *table()[1:])).columns["name"] == "Full name"


def test_type_tells_what_no_name_does():
    """The one e-mail column, the select whose options mean stages, the first text."""
    models = [
        model("Wer"),
        model("Post", "email"),
        model("Farbe", "singleSelect", "Red", "Blue"),
        model("Wo", "singleSelect", "New", "In progress", "Won"),
        model("Quelle"),
    ]
    assert propose(found(*models)).columns == {"name": "Wer", "email": "Post", "status": "Wo", "source": ""}


@pytest.mark.parametrize("kind", ["formula", "rollup", "multipleLookupValues", "autoNumber", "createdTime", "button"])
def test_column_that_cannot_be_written_is_not_proposed_where_edits_come_back(kind):
    said = propose(found(model("Name", kind), model("Status", kind), model("Title"), *table()[1:2]))
    assert (said.columns["name"], said.columns["status"]) == ("Title", "")


def test_cell_without_a_column_has_to_be_chosen():
    """Nothing is guessed: the sentence names the cell."""
    seen = found(*table()[:3])
    said = propose(seen)
    assert said.columns["source"] == ""
    assert [*problems(said, seen)] == ["No column is plainly the one for source: choose a column."]
    assert not [*problems(with_line(said, seen, "own", "source", "name"), seen)]


@pytest.mark.parametrize(
    ("lists", "todo", "doing", "done"),
    [
        (STAGES, *STAGES),
        (("To do", "Doing", "Done"), "To do", "Doing", "Done"),
        (("Done", "In progress", "To-Do"), "To-Do", "In progress", "Done"),
        (("Ideas", "Backlog", "Working on it", "Review", "Closed"), "Ideas", "Working on it", "Closed"),
        (("New", "Contacted", "Qualified"), "New", "Contacted", "Qualified"),
        (("Eins", "Zwei", "Drei"), "Eins", "Zwei", "Drei"),
        (("Eins", "Zwei", "Drei", "Vier"), "Eins", "Zwei", "Vier"),
        (("Inbox", "Sonstiges"), "Inbox", "IN_PROGRESS", "DONE"),
        ((), *STAGES),
    ],
)
def test_default_statuses_go_to_the_lists_that_mean_them(lists, todo, doing, done):
    list_of = propose_lists([*DEFAULT_STAGE_OF], lists)
    wanted = {"NEW": todo, "CONTACTED": doing, "QUALIFIED": done, "LOST": done}
    assert list_of == wanted


def test_own_statuses_go_to_lists_called_alike_and_unknown_ones_with_the_one_before():
    statuses = ["New", "Called", "Kaffee", "Offer", "Won", "Lost", "Not interested"]
    lists = ["Inbox", "Talking", "Offer", "Won", "Lost"]
    assert propose_lists(statuses, lists) == {
        "New": "Inbox",
        "Called": "Talking",
        "Kaffee": "Talking",
        "Offer": "Offer",
        "Won": "Won",
        "Lost": "Lost",
        "Not interested": "Won",
    }


def test_status_goes_to_the_only_list_of_its_stage_with_its_words():
    """Not to the first one that is closed: a lost lead would lie beside those that were won."""
    lists = ["Inbox", "In talks", "Closed won", "Closed lost"]
    assert propose_lists(["New", "Called", "Won", "Lost", "Gone"], lists) == {
        "New": "Inbox",
        "Called": "In talks",
        "Won": "Closed won",
        "Lost": "Closed lost",
        "Gone": "Closed won",
    }
    assert propose_lists(["Won", "Lost"], ["Lost in space", "Lost early"])["Lost"] == "Lost in space"


@given(st.lists(st.text(max_size=12), max_size=8), st.lists(st.text(max_size=12), max_size=6))
def test_whatever_the_names_every_status_has_a_list_and_the_map_holds(statuses, lists):
    """The laws of the status map, over all names that a person could have."""
    seen = found(model("Status", "singleSelect", *statuses), lists=lists)
    known = seen.statuses("Status")
    list_of = propose_lists(known, [*seen.called.values()])
    assert [*StatusMap.from_stages(list_of).stage_of] == [*known]
    assert {*closed_lists(list_of)} <= {*list_of.values()}


def test_closed_are_the_lists_that_mean_it():
    assert closed_lists({"New": "Inbox", "Won": "Won", "Lost": "Lost", "Gone": "Lost"}) == ("Won", "Lost")
    assert closed_lists({"New": "Done"}) == ()


def test_lists_called_alike_are_told_apart_by_their_ids():
    seen = found(*table(), lists=("To do", "Doing", "Doing", "", "Done"))
    assert [*seen.called.values()] == ["To do", f"{2:024x}", f"{3:024x}", f"{4:024x}", "Done"]


@pytest.mark.parametrize(
    ("column", "card"),
    [
        (model("Next step", "date"), "due"),
        (model("Follow-up", "dateTime"), "due"),
        (model("Start", "date"), "start"),
        (model("Tags", "multipleSelects", "Hot"), "labels"),
        (model("Owner", "singleSelect", "Ann Lee", "Kim"), "members"),
        (model("Trello card", "url"), "url"),
        (model("Size", "singleSelect", "Small"), "custom:Size"),
        (model("Score", "number"), "custom:Score"),
        (model("Phone"), "line:Phone"),
        (model("Rufnummer", "phoneNumber"), "line:Rufnummer"),
        (model("Worth", "currency"), "line:Worth"),
    ],
    ids=lambda each: each if isinstance(each, str) else each["name"],
)
def test_further_column_is_tied_where_the_fit_is_plain(column, card):
    rows = propose(found(*table(column))).rows
    assert {name: str(row.card) for name, row in rows.items()} == {column["name"]: card}


def test_members_are_known_by_their_names_where_one_alone_has_it():
    (row,) = propose(found(*table(model("Owner", "singleSelect", "ann", "Ben Oh", "Kim")))).rows.values()
    assert row.map == {"ann": "ann"}


@pytest.mark.parametrize(
    "column",
    [
        model("Next step"),
        model("Due", "formula", result={"type": "date"}),
        model("Birthday", "date"),
        model("Owner", "singleSelect", "Kim"),
        model("Owner", "singleCollaborator"),
        model("Notes", "multilineText"),
        model("Size", "number"),
        model("E-mail 2", "email"),
        model("Trello", "formula"),
        model("Tags"),
        model("*Phone*", "phoneNumber"),
    ],
    ids=lambda each: f"{each['name']}-{each['type']}",
)
def test_further_column_is_left_alone_where_it_is_not_plain(column):
    assert not propose(found(*table(column))).rows


def test_no_property_is_proposed_twice():
    rows = propose(found(*table(model("Due", "date"), model("Next step", "date"), model("Deadline", "date")))).rows
    assert {name: str(row.card) for name, row in rows.items()} == {"Due": "due"}


def test_without_the_schema_the_columns_are_those_of_the_defaults():
    said = propose(Found(None, {"1": "To do", "2": "Doing", "3": "Done"}))
    assert said.columns == {ours: ours for ours in ("status", "name", "email", "source")}
    assert said.list_of == {"NEW": "To do", "CONTACTED": "Doing", "QUALIFIED": "Done", "LOST": "Done"}
    assert not [*problems(said, Found(None, {"1": "To do", "2": "Doing", "3": "Done"}))]


# --- what is typed instead --------------------------------------------------------------------------------------

SEEN = found(
    *table(model("Next step", "date"), model("Notes", "multilineText"), model("Boss", "singleCollaborator")),
    model("Stage", "singleSelect", "New", "Won"),
)


@pytest.mark.parametrize(
    ("kind", "key", "said", "words"),
    [
        ("own", "name", "Nmae", "There is no column 'Nmae'; there are: Name, E-mail"),
        ("status", "NWE", "TODO", "There is no status 'NWE'; there are: NEW"),
        ("status", "NEW", "", "Say the list's name"),
        ("closed", "", "Won", "No status leads to 'Won'"),
        ("column", "Nxt", "due", "There is no column 'Nxt'"),
        ("column", "Next step", "dew", "'dew' is nothing of a card; allowed are title, list, due"),
        ("column", "Notes", "due", "column 'Notes' holds a text. Choose another; due takes: date, datetime"),
        ("column", "Name", "line:Alias", "'Name' is tied already"),
        ("column", "Notes", "title", "title has a line of its own"),
        ("column", "Notes", "line:Source", "line:Source has a line of its own"),
        ("column", "Boss", "members", "members needs to know who is who"),
        ("column", "Boss", "members (a@example.com = Zoe)", "the board has not one member Zoe"),
        ("timezone", "", "Berlin", "'Berlin' is no time zone"),
    ],
)
def test_what_cannot_be_is_a_sentence_that_says_what_can(kind, key, said, words):
    with pytest.raises(ValueError, match=".") as refused:
        with_line(propose(SEEN), SEEN, kind, key, said)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "key", "said", "line"),
    [
        ("own", "source", "notes", "Notes → line:Source"),
        ("status", "LOST", "todo", "LOST → list TODO"),
        ("status", "LOST", "Lost", "LOST → list Lost (to be created)"),
        ("closed", "", "-", "lists that mean closed → none"),
        ("closed", "", "in_progress, DONE", "lists that mean closed → IN_PROGRESS, DONE"),
        ("column", "Next step", "-", "Next step → -"),
        ("column", "next step", "start", "Next step → start"),
        ("column", "Notes", "line: Remarks", "Notes → line:Remarks"),
        ("column", "Boss", "members (a@example.com = Ann Lee)", "Boss → members (a@example.com = Ann Lee)"),
        ("timezone", "", "Europe/Berlin", "days are days in → Europe/Berlin"),
    ],
)
def test_every_line_can_be_changed(kind, key, said, line):
    changed = with_line(propose(SEEN), SEEN, kind, key, said)
    shown = [f"{each.airtable.strip()} → {each.card.strip()}" for each in lines(changed, SEEN)]
    assert line in shown
    assert not [*problems(changed, SEEN)]


def test_another_status_column_brings_its_own_statuses():
    changed = with_line(propose(SEEN), SEEN, "own", "status", "Stage")
    assert changed.list_of == {"New": "TODO", "Won": "DONE"}


def test_property_goes_to_the_column_that_was_tied_to_it_last():
    seen = found(*table(model("Due", "date"), model("Birthday", "date")))
    changed = with_line(propose(seen), seen, "column", "Birthday", "due")
    assert {name: str(row.card) for name, row in changed.rows.items()} == {"Birthday": "due"}
