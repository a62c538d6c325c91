"""The mapping as a user writes it: what it gives, and every mistake in a sentence that says what to do."""

from __future__ import annotations

import pytest

from leadsync.errors import ConfigurationError
from leadsync.mapping.columns import ColumnKind
from leadsync.mapping.loading import load_mapping
from leadsync.mapping.properties import Way
from leadsync.mapping.rows import CellMapping, default_mapping
from leadsync.model import DEFAULT_STAGE_OF, DONE, IN_PROGRESS, TODO, ConflictPolicy, StatusMap

COLUMNS = {"name": "name", "email": "email", "status": "status", "source": "source"}
DEFAULTS = default_mapping(COLUMNS, StatusMap.from_stages(DEFAULT_STAGE_OF))

WHOLE = """
timezone = "Europe/Berlin"

[[field]]
airtable = "Stage"
card = "list"
map = { New = "Inbox", Called = "Talking", Offer = "Talking", Won = "Won", Lost = "Lost" }

[[field]]
airtable = "Next step"
card = "due"
as = "date"

[[field]]
airtable = "Tags"
card = "labels"
conflict = "hold"
map = { "Hot" = "Red hot" }

[[field]]
airtable = "Owner"
card = "members"
map = { "anna@example.com" = "anna" }

[[field]]
airtable = "Phone"
card = "line:Phone"

[[field]]
airtable = "Deal value"
card = "custom:Deal value"
direction = "to_trello"
"""


def load(text: str) -> CellMapping:
    return load_mapping(text, DEFAULTS)


def problems_of(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(text)
    return str(caught.value)


def row(**keys: str) -> str:
    stated = {"airtable": '"Next step"', "card": '"due"'} | keys
    return "[[field]]\n" + "\n".join(f"{key.strip('_')} = {value}" for key, value in stated.items() if value) + "\n"


def test_default_mapping_is_the_four_cells_there_always_were():
    """Status and name both ways, e-mail and source as lines of the block."""
    assert [(field.airtable, str(field.card), field.default_way) for field in DEFAULTS.fields] == [
        ("status", "list", Way.BOTH),
        ("name", "title", Way.BOTH),
        ("email", "line:E-mail", Way.TO_TRELLO),
        ("source", "line:Source", Way.TO_TRELLO),
    ]
    assert DEFAULTS.timezone == "UTC"
    assert list(DEFAULTS.fields[0].map.items()) == list(DEFAULT_STAGE_OF.items())


def test_default_mapping_keeps_what_a_status_map_gives_back():
    """Also where that is not the first status of its list."""
    status_map = StatusMap(DEFAULT_STAGE_OF, {TODO: "NEW", IN_PROGRESS: "CONTACTED", DONE: "LOST"})
    field = default_mapping(COLUMNS | {"status": "fldSTATUS"}, status_map).fields[0]
    assert field.airtable == "fldSTATUS"
    assert list(field.map.items()) == [("NEW", TODO), ("CONTACTED", IN_PROGRESS), ("LOST", DONE), ("QUALIFIED", DONE)]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\ufeff", "field = []\n"])
def test_empty_file_is_the_default(text):
    """Without a row everything is as it is today."""
    assert load(text) == DEFAULTS


def test_rows_follow_the_default_ones_and_take_their_properties():
    """A row for the list replaces the default one; all that is stated arrives."""
    mapping = load(WHOLE)
    assert mapping.timezone == mapping.zone.key == "Europe/Berlin"
    assert [str(field) for field in mapping.fields] == [
        "'name' = title",
        "'email' = line:E-mail",
        "'source' = line:Source",
        "'Stage' = list",
        "'Next step' = due",
        "'Tags' = labels",
        "'Owner' = members",
        "'Phone' = line:Phone",
        "'Deal value' = custom:Deal value",
    ]
    stage, step, tags, owner, phone, deal = mapping.fields[3:]
    assert list(stage.map.values()) == ["Inbox", "Talking", "Talking", "Won", "Lost"]
    assert (step.kind, step.way, step.default_way) == (ColumnKind.DATE, None, Way.BOTH)
    assert (tags.conflict, tags.map) == (ConflictPolicy.HOLD, {"Hot": "Red hot"})
    assert owner.map == {"anna@example.com": "anna"}
    assert phone.default_way is deal.way is Way.TO_TRELLO
    assert mapping.of("due") is step
    assert mapping.of("start") is None


def test_row_for_the_list_without_a_map_keeps_that_of_the_settings():
    """Only the column is another."""
    field = load(row(airtable='"Stage"', card='"list"')).of("list")
    assert (field.airtable, field.map) == ("Stage", DEFAULTS.fields[0].map)


def test_map_means_the_same_with_blanks_around_its_values():
    """They may have been copied from an option that has them."""
    assert load(row(card='"labels"', map='{ " Hot" = "Red hot " }')).of("labels").map == {"Hot": "Red hot"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("field = ]", ["is not TOML", "line 1"], id="not-toml"),
        pytest.param("a = " + "[" * 100_000, ["is not TOML"], id="too-deep"),
        pytest.param("a = " + "1" * 10_000, ["is not TOML"], id="too-long"),
        pytest.param("timezones = 1", ["unknown key 'timezones'", "did you mean 'timezone'?"], id="unknown-key"),
        pytest.param("zzz = 1", ["unknown key 'zzz'", "there are: timezone, field."], id="unknown-key-of-no-kin"),
        pytest.param('timezone = "Berlin"', ["timezone is 'Berlin'", "'Europe/Berlin'"], id="unknown-timezone"),
        pytest.param('timezone = "../etc/passwd"', ["timezone is '../etc/passwd'"], id="path-as-timezone"),
        pytest.param('timezone = "Europe"', ["timezone is 'Europe'"], id="folder-as-timezone"),
        pytest.param('timezone = ""', ["timezone is ''"], id="empty-timezone"),
        pytest.param("timezone = 2", ["timezone is 2"], id="number-as-timezone"),
        pytest.param('[field]\nairtable = "A"', ["Write [[field]]"], id="one-table"),
        pytest.param('field = ["due"]', ["Write [[field]]"], id="texts"),
        pytest.param(
            row(directon='"both"'), ["field 1 ('Next step')", "'directon'", "did you mean 'direction'?"], id="key"
        ),
        pytest.param(row(airtable=""), ["field 1 ('no column')", "airtable is None"], id="no-column"),
        pytest.param(row(airtable="5"), ["airtable is 5", "Name the column"], id="number-as-column"),
        pytest.param(row(airtable='" "'), ["airtable is ' '"], id="blank-column"),
        pytest.param(row(card=""), ["card is None", "allowed are title, list, due"], id="no-card"),
        pytest.param(row(card='"dues"'), ["card is 'dues'", "line:NAME, custom:NAME"], id="unknown-property"),
        pytest.param(row(card='["due"]'), ["card is ['due']"], id="list-as-property"),
        pytest.param(row(card='"due:x"'), ["card is 'due:x'"], id="label-where-none-is"),
        pytest.param(row(card='"line"'), ["card is 'line'", "line:NAME"], id="line-without-a-label"),
        pytest.param(row(card='"line:"'), ["card is 'line:'", "a letter first"], id="line-without-a-name"),
        pytest.param(row(card='"custom: "'), ["card is 'custom: '", "name of the custom field"], id="nameless-field"),
        pytest.param(row(card='"line:LeadID"'), ["card is 'line:LeadID'"], id="line-that-is-the-marker"),
        pytest.param(row(card='"line:a_b"'), ["'line:a_b'", "letters, digits"], id="label-that-the-editor-changes"),
        pytest.param(row(card='"line:a: b"'), ["card is 'line:a: b'"], id="label-with-a-colon"),
        pytest.param(row(card='"line:1. x"'), ["card is 'line:1. x'"], id="label-that-numbers-a-list"),
        pytest.param(row(card='"line:a\\nb"'), ["card is 'line:a\\nb'"], id="label-of-two-lines"),
        pytest.param(row(direction='"up"'), ["direction is 'up'", "both, to_trello, to_airtable"], id="direction"),
        pytest.param(row(direction="true"), ["direction is True"], id="direction-that-is-no-text"),
        pytest.param(
            row(card='"line:Phone"', direction='"both"'),
            ["direction is 'both'", "card = 'line:Phone': to_trello"],
            id="line-both-ways",
        ),
        pytest.param(
            row(card='"url"', direction='"to_trello"'),
            ["direction is 'to_trello'", "'url': to_airtable"],
            id="url-to-trello",
        ),
        pytest.param(
            row(card='"title"', as_='"number"', direction='"both"'),
            ["'both'", "'title': to_trello"],
            id="number-as-title",
        ),
        pytest.param(row(conflict='"latest"'), ["conflict is 'latest'", "airtable, trello, hold"], id="conflict"),
        pytest.param(
            row(card='"line:Phone"', conflict='"hold"'), ["conflict is 'hold'", "goes one way"], id="conflict-one-way"
        ),
        pytest.param(row(as_='"text"'), ["as is 'text'", "card = 'due': date, datetime"], id="lens-that-does-not-fit"),
        pytest.param(row(as_='"day"'), ["as is 'day'"], id="unknown-kind"),
        pytest.param(row(map='{ a = "b" }'), ["map is {'a': 'b'}", "due takes none"], id="map-of-a-date"),
        pytest.param(row(card='"members"'), ["map is missing", "members needs one"], id="members-without-a-map"),
        pytest.param(row(card='"labels"', map='"x"'), ["map: 'x' names no values"], id="map-that-is-none"),
        pytest.param(row(card='"labels"', map="{}"), ["map: {} names no values"], id="empty-map"),
        pytest.param(row(card='"labels"', map="{ Hot = 5 }"), ["'Hot' is called 5"], id="map-to-a-number"),
        pytest.param(row(card='"labels"', map='{ Hot = " " }'), ["'Hot' = ' '", "empty"], id="map-to-nothing"),
        pytest.param(row(card='"list"', map='{ "" = "TODO" }'), ["'' = 'TODO'", "empty"], id="map-of-nothing"),
        pytest.param(
            row(card='"labels"', map='{ Hot = "a", "Hot " = "b" }'),
            ["'Hot' and 'Hot '", "blanks"],
            id="same-but-for-blanks",
        ),
        pytest.param(
            row() + row(airtable='"Other"'),
            ["field 1 ('Next step') and field 2 ('Other') both own the card's due", "Take one of them out."],
            id="two-owners",
        ),
        pytest.param(
            row(card='"line:Tel"') + row(airtable='"Other"', card='"line:Tel"'), ["the card's line:Tel"], id="two-lines"
        ),
        pytest.param(
            row() + row(card='"start"'),
            ["both own writing into column 'Next step'", 'direction = "to_trello"'],
            id="two-writers-of-a-column",
        ),
        pytest.param(
            row(airtable='"name"', card='"custom:Nick"'),
            ["the default row 'name' = title and field 1 ('name') both own writing into column 'name'"],
            id="writes-what-a-default-row-writes",
        ),
    ],
)
def test_mistake_is_named(text, said):
    """Row, key, what was found, what is allowed or to be done."""
    found = problems_of(text)
    assert found.startswith("leadsync.toml")
    assert [each for each in said if each not in found] == [], found


def test_column_may_be_shown_in_several_places():
    """Only one of its rows writes into it."""
    text = row(card='"custom:Nick"', airtable='"name"', direction='"to_trello"')
    assert len(load(text).fields) == 5


def test_all_mistakes_are_named_at_once():
    """Nobody mends a file error by error."""
    found = problems_of("zone = 1\n" + row(direction='"up"', as_='"day"', foo="1") + row(card='"dues"', conflict='"x"'))
    named = ["'zone'", "'up'", "'day'", "'foo'", "'dues'", "'x'"]
    assert [each for each in named if each not in found] == []
    assert found.count("leadsync.toml: ") == len(named)


def test_mistake_names_the_text_it_stands_in():
    """A pair's block holds the text, too."""
    with pytest.raises(ConfigurationError, match=r"^the pair north: unknown key 'x'"):
        load_mapping("x = 1", DEFAULTS, "the pair north")
