"""What signs a sync gives, and what is none."""

from __future__ import annotations

import pytest

from leadsync.errors import Exit, GuardError
from leadsync.pipeline.lists import named_pair
from leadsync.report.report import Report
from runs import signs

PAIR = "appA/Leads/board"


@pytest.fixture
def heard(monkeypatch):
    """What the server is told: (event, id and name of the pair, payload)."""
    told = []

    def emit(event, resource, payload):
        told.append((event, resource, payload))

    monkeypatch.setattr(signs, "emit_event", emit)
    return told


def test_sync_is_a_sign_of_life_of_its_pair(heard):
    signs.give_signs(Report(pair=PAIR), "north")
    ((event, resource, _),) = heard
    assert (event, *resource.values()) == (signs.SYNCED, f"leadsync.pair.{PAIR}", "north")


def test_pairs_are_told_apart_by_what_the_settings_name(world):
    """By base, table and board, whatever they are called; also of a run that ended before it had asked anything."""
    changes = ({}, {"AIRTABLE_BASE_ID": "appX"}, {"AIRTABLE_TABLE_NAME": "Others"}, {"TRELLO_BOARD_ID": "a" * 24})
    pairs = [world.sync(exit_code=None, AIRTABLE_MONTHLY_CALLS="1", paced=True, **change).pair for change in changes]
    assert len({*pairs}) == 4
    assert pairs == [named_pair(world.settings(**change)).key for change in changes]


def test_dry_run_and_demo_give_none(heard):
    signs.give_signs(Report(pair=PAIR, dry_run=True, waiting=["rec1: status"]), "")
    with signs.unheard():
        signs.give_signs(Report(pair=PAIR, waiting=["rec1: status"]), "")
    assert heard == []
    signs.give_signs(Report(pair=PAIR), "")
    assert len(heard) == 1


@pytest.mark.parametrize("code", [code for code in Exit if code is not Exit.DONE])
def test_run_that_left_something_undone_gives_none(heard, code):
    signs.give_signs(Report(pair=PAIR, exit_code=code), "")
    assert heard == []


def test_what_waits_is_told_whatever_becomes_of_the_run(heard):
    report = Report(pair=PAIR, waiting=[f"rec{number}: conflict" for number in range(signs.LISTED + 2)])
    report.fail(GuardError("no"))
    signs.give_signs(report, "")
    ((event, _, payload),) = heard
    assert event == signs.WAITING
    assert payload["what"].splitlines()[-2:] == [f"rec{signs.LISTED - 1}: conflict", "… and 2 more"]


def test_server_that_takes_none_does_not_matter(monkeypatch):
    def broken(*_args, **_more):
        raise RuntimeError("gone")

    monkeypatch.setattr(signs, "emit_event", broken)
    signs.give_signs(Report(pair=PAIR, waiting=["x"]), "")
