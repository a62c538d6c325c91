"""Cells that are not text, columns that changed their type, and answers of the wrong shape."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from emulator import Fault
from support.harness import World

COLUMNS = ("name", "email", "status", "source")
ANY_TYPE = "barcode"
"""A column that takes any value."""
SYNCS = settings(deadline=None, suppress_health_check=list(HealthCheck))
QUICK = settings(SYNCS, max_examples=6, phases=set(Phase) - {Phase.shrink})
"""Shrinking a failure takes minutes; the exhaustive variants do it."""

words = st.sampled_from(("", "NEW", "LOST", "PAUSED", "Ada", "LeadID: rec" + "X" * 14, "a@example.com"))
objects = st.sampled_from(
    (
        {"error": "#ERROR!"},
        {"id": "usr" + "X" * 14, "email": "eve@example.com", "name": "Eve"},
        {"id": "att" + "X" * 14, "filename": "offer.pdf", "url": "https://example.com/signed"},
        {"state": "loading", "isStale": True, "value": None},
        ["rec" + "X" * 14],
    )
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words | objects
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=2), max_leaves=4
)
rows = st.lists(st.dictionaries(st.sampled_from(COLUMNS), values), min_size=1, max_size=4)


@contextmanager
def fresh_world():
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.lead("Uninvolved")
        yield world
        world.close()


def checked_sync(world):
    """A run in which each lead gets or keeps its one card, or is set aside with a remedy; then rest."""
    before = world.airtable.records()
    report = world.sync()
    aside = {row["lead_id"] for row in report.quarantine if row["reason"] and row["remedy"]}
    assert world.airtable.records() == before
    assert all(lead in aside or len(world.cards_of(lead)) == 1 for lead in before)
    assert [row["lead_id"] for row in world.assert_idle().quarantine] == [row["lead_id"] for row in report.quarantine]


def retyped(new, linked):
    with fresh_world() as world:
        known = [world.lead("Ada", "NEW", email="ada@example.com") for _ in linked]
        world.sync()
        for column in COLUMNS:
            world.airtable.retype_field(column, ANY_TYPE)
        for cells in new:
            world.airtable.add_lead(**cells)
        for lead, cells in zip(known, linked, strict=True):
            world.airtable.edit(lead, **cells)
        checked_sync(world)


@QUICK
@given(new=rows, linked=rows)
def test_cells_of_any_type_are_shown_or_set_aside(new, linked):
    """Numbers, lists, check marks and objects, in leads that are new and in those that have a card."""
    retyped(new, linked)


@pytest.mark.exhaustive
@settings(SYNCS, max_examples=500)
@given(new=rows, linked=rows)
def test_cells_of_any_type_are_shown_or_set_aside_for_long(new, linked):
    retyped(new, linked)


@pytest.mark.parametrize("kind", ["number", "formula"])
@pytest.mark.parametrize("column", ["name", "status"])
def test_column_that_takes_no_text_any_more_fails_alone(world, column, kind):
    """What people did on the board is kept there, told with a remedy, and done once the column is mended."""
    leads = [world.linked(f"Lead {number}") for number in range(12)]
    edit = {"name": {"name": "Renamed"}, "status": {"list_name": "DONE"}}[column]
    world.trello.edit(world.card(leads[3])["id"], **edit)
    other = {"name": {"list_name": "DONE"}, "status": {"name": "Renamed"}}[column]
    world.trello.edit(world.card(leads[5])["id"], **other)
    world.airtable.retype_field(column, kind)
    report = world.sync(exit_code=1)
    assert [(row["lead_id"], bool(row["remedy"])) for row in report.failures] == [(leads[3], True)]
    assert [change["lead_id"] for change in report.changes] == [leads[5]]
    world.airtable.retype_field(column, "singleLineText")
    world.sync()
    world.assert_equal()
    world.assert_idle()


@pytest.mark.parametrize("option", ["QUALIFIED", "CONTACTED"])
def test_deleted_select_option_fails_alone_and_names_the_option(world, option):
    """Leads that held it are empty now, which means NEW; a card moved there says what is to be done."""
    place = {"QUALIFIED": "DONE", "CONTACTED": "IN_PROGRESS"}[option]
    held, *leads = [world.linked(f"Lead {number}", option if not number else "NEW") for number in range(12)]
    world.airtable.delete_select_option("status", option)
    world.trello.move(world.card(leads[0])["id"], place)
    world.trello.edit(world.card(leads[1])["id"], name="Renamed")
    report = world.sync(exit_code=1)
    (failure,) = report.failures
    assert (failure["lead_id"], option in failure["remedy"]) == (leads[0], True)
    assert (world.place(held), world.cells(leads[1])["name"]) == ("TODO", "Renamed")
    again = world.sync(exit_code=1)
    assert (again.changes, again.failures) == ([], [failure])
    world.airtable.add_select_option("status", option)
    world.sync()
    assert world.status(leads[0]) == option
    world.assert_idle()


# Answers of the wrong shape


def answered(service, body):
    """A run in which the first list of a service is this. Nothing may be lost by it, and the next run is idle."""
    with fresh_world() as world:
        lead = world.linked("Ada", "NEW", email="ada@example.com")
        text = json.dumps(body).replace("%LEAD%", lead).replace("%CARD%", world.card(lead)["id"])
        text = text.replace("%BOARD%", world.trello.board_id).replace("%LIST%", world.trello.list_id("TODO"))
        world.emulator.inject(Fault("status", service=service, status=200, body=text))
        before = world.airtable.records(), world.trello.cards()
        report = world.sync(exit_code=None, dry_run=True)
        assert report.exit_code in (0, 1, 2, 3)
        assert (world.airtable.records(), world.trello.cards()) == before
        world.assert_idle()


records = st.fixed_dictionaries(
    {"id": st.just("%LEAD%"), "fields": values | st.dictionaries(st.sampled_from((*COLUMNS, "unknown")), values)},
    optional={"createdTime": values, "unknown": values},
)
CARD = {"id": "%CARD%", "idBoard": "%BOARD%", "idList": "%LIST%", "name": "Ada", "desc": "LeadID: %LEAD%"}
CARD |= {"closed": False, "dueComplete": False, "isTemplate": False, "cardRole": None, "shortUrl": "x"}
cards = st.dictionaries(st.sampled_from((*CARD.keys() - {"id"}, "unknown")), values, max_size=3).map(
    lambda odd: CARD | odd
)


@QUICK
@given(page=st.lists(records, min_size=1, max_size=2))
def test_leads_of_any_shape_raise_nothing(page):
    answered("airtable", {"records": page})


@QUICK
@given(page=st.lists(cards, min_size=1, max_size=2))
def test_cards_of_any_shape_raise_nothing(page):
    answered("trello", page)


@pytest.mark.parametrize("fields", [[1], "text", 5, True])
def test_record_whose_fields_are_no_object_raises_nothing(fields):
    answered("airtable", {"records": [{"id": "%LEAD%", "fields": fields}]})


@pytest.mark.parametrize("description", [5, ["LeadID:"], {"LeadID:": 1}])
def test_card_whose_description_is_no_text_raises_nothing(description):
    answered("trello", [CARD | {"desc": description}])


@pytest.mark.parametrize("half", ["\\ud83d", "x\\udc00y"])
def test_half_of_an_emoji_raises_nothing(half):
    """Programs that cut texts at a length leave such halves behind."""
    with fresh_world() as world:
        lead = world.linked("Ada", "NEW")
        body = f'{{"records": [{{"id": "{lead}", "fields": {{"name": "{half}", "status": "NEW"}}}}]}}'
        world.emulator.inject(Fault("status", service="airtable", status=200, body=body))
        report = world.sync(exit_code=None, dry_run=True)
        assert report.exit_code in (0, 2, 3)
        world.assert_idle()
