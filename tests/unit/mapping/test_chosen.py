"""What was chosen, as settings and as a mapping file: both are read back as just that."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadsync.environment import settings_with
from leadsync.mapping.chosen import Chosen, quoted
from leadsync.mapping.loading import load_mapping
from leadsync.mapping.properties import property_named
from leadsync.mapping.rows import Field, default_mapping
from leadsync.model import DEFAULT_STAGE_OF, StatusMap

OWN = {"status": "status", "name": "name", "email": "email", "source": "source"}
DEFAULTS = default_mapping(OWN, StatusMap.from_stages(DEFAULT_STAGE_OF))
SECRETS = {"airtable_api_token": "a", "airtable_base_id": "app1", "trello_api_key": "k", "trello_api_token": "t"}
IDS = {"TODO": "1" * 24, "To do": "2" * 24, "Doing": "3" * 24, "Done": "4" * 24, "Lost": "5" * 24, "DONE": "6" * 24}
NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(
    lambda name: name == name.strip().strip("\"'") and name.isprintable()
)


def settings_of(chosen):
    """As a run has them."""
    said = {name.lower(): value for name, value in chosen.settings(IDS).items()}
    rows = {"sync_fields": chosen.toml()} if chosen.rows else {}
    return settings_with(SECRETS | {"trello_board_id": "b"} | said | rows)


@pytest.mark.parametrize(
    ("list_of", "closed", "said"),
    [
        pytest.param(DEFAULT_STAGE_OF, ("DONE",), {}, id="defaults"),
        pytest.param(
            {"NEW": "To do", "CONTACTED": "Doing", "QUALIFIED": "Done", "LOST": "Done"},
            ("Done",),
            {
                "TRELLO_LIST_TODO_ID": "2" * 24,
                "TRELLO_LIST_IN_PROGRESS_ID": "3" * 24,
                "TRELLO_LIST_DONE_ID": "4" * 24,
            },
            id="lists-called-otherwise",
        ),
        pytest.param(DEFAULT_STAGE_OF, (), {"SYNC_DONE_LISTS": "[]"}, id="none-closed"),
        pytest.param(
            {"NEW": "TODO", "CONTACTED": "IN_PROGRESS", "QUALIFIED": "DONE", "LOST": "Lost"},
            ("DONE", "Lost"),
            {
                "SYNC_STATUS_MAP": '{"NEW": "TODO", "CONTACTED": "IN_PROGRESS", "QUALIFIED": "DONE", "LOST": "Lost"}',
                "SYNC_DONE_LISTS": '["DONE", "Lost"]',
            },
            id="a-list-more",
        ),
        pytest.param(
            {"NEW": "Doing", "CONTACTED": "Doing", "QUALIFIED": "DONE", "LOST": "DONE"},
            ("DONE",),
            {"SYNC_STATUS_MAP": '{"NEW": "Doing", "CONTACTED": "Doing", "QUALIFIED": "DONE", "LOST": "DONE"}'},
            id="a-list-less",
        ),
        pytest.param(
            {"NEW": "Backlog", "CONTACTED": "Doing", "QUALIFIED": "DONE", "LOST": "DONE"},
            ("DONE",),
            {"SYNC_STATUS_MAP": '{"NEW": "Backlog", "CONTACTED": "Doing", "QUALIFIED": "DONE", "LOST": "DONE"}'},
            id="a-list-to-be-created",
        ),
    ],
)
def test_only_what_is_not_the_default_is_said(list_of, closed, said):
    chosen = Chosen(OWN, list_of, closed)
    assert chosen.settings(IDS) == said
    settings = settings_of(chosen)
    named = {
        status: settings.list_ids[stage] or IDS.get(stage, stage)
        for status, stage in settings.status_map.stage_of.items()
    }
    assert named == {status: IDS.get(to, to) for status, to in list_of.items()}
    assert {*settings.rules().closing.lists} == {
        settings.status_map.stage_of[status] for status, to in list_of.items() if to in closed
    }


def test_rows_are_written_as_the_readme_has_them():
    rows = {
        "Owner": Field("Owner", property_named("members"), map={"ann@example.com": "Ann Lee"}),
        "Next step": Field("Next step", property_named("due")),
    }
    assert Chosen(OWN, DEFAULT_STAGE_OF, rows=rows, timezone="Europe/Berlin").toml().splitlines()[1:] == [
        'timezone = "Europe/Berlin"',
        "",
        "[[field]]",
        'airtable = "Owner"',
        'card = "members"',
        'map = { "ann@example.com" = "Ann Lee" }',
        "",
        "[[field]]",
        'airtable = "Next step"',
        'card = "due"',
    ]


@given(NAMES, st.dictionaries(NAMES, NAMES, min_size=1, max_size=4))
def test_whatever_the_names_the_file_is_read_as_the_same_rows(column, people):
    """Quotes, backslashes, letters beyond the first plane: loading gives the rows again."""
    row = Field(column, property_named("members"), map=people)
    loaded = load_mapping(Chosen(OWN, DEFAULT_STAGE_OF, rows={column: row}).toml(), DEFAULTS)
    assert loaded.of("members") == row


@given(st.text(st.characters(blacklist_categories=("Cs",))))
def test_any_text_is_quoted_so_that_toml_reads_it(text):
    import tomllib

    assert tomllib.loads(f"a = {quoted(text)}") == {"a": text}


@pytest.mark.parametrize("name", [" Name ", "'Name'", '"Name"', "fld00000000000001", "Na\nme"])
def test_column_whose_name_no_file_could_tell_is_named_by_its_id_and_so_are_all(name):
    chosen = Chosen({**OWN, "name": name}, DEFAULT_STAGE_OF, rows={"Due": Field("Due", property_named("due"))})
    ids = {column: f"fld{number:014d}" for number, column in enumerate([*chosen.columns.values(), "Due"])}
    safe = chosen.called_safely(ids)
    settings = settings_of(safe)
    assert {*settings.columns.values()} == {*ids.values()}


def test_column_is_named_by_its_name_where_that_can_be_told():
    chosen = Chosen({**OWN, "name": "Müller & Söhne = 1 # 2"}, DEFAULT_STAGE_OF)
    assert settings_of(chosen.called_safely({})).columns["name"] == "Müller & Söhne = 1 # 2"


def test_status_map_is_said_in_the_order_of_the_options():
    """The first status of a list is what a card moved there gives."""
    chosen = Chosen(OWN, {"Won": "Done", "Gone": "Done", "New": "To do"})
    assert [*json.loads(chosen.settings(IDS)["SYNC_STATUS_MAP"])] == ["Won", "Gone", "New"]
