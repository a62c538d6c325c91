"""What signs a sync gives, and what is none."""

from __future__ import annotations

import pytest

from leadsync.errors import Exit, GuardError
from leadsync.report.report import Report
from runs import signs
from support.harness import FAST


@pytest.fixture
def settings(world):
    return world.settings(**FAST)


@pytest.fixture
def heard(monkeypatch):
    """What the server is told: (event, id and name of the pair, payload)."""
    told = []

    def emit(event, resource, payload):
        told.append((event, resource, payload))

    monkeypatch.setattr(signs, "emit_event", emit)
    return told


def test_sync_is_a_sign_of_life_of_its_pair(heard, settings):
    signs.give_signs(Report(), settings, "north")
    ((event, resource, _),) = heard
    assert (event, resource["prefect.resource.name"]) == (signs.SYNCED, "north")
    assert settings.airtable_base_id in resource["prefect.resource.id"]
    assert settings.trello_board_id in resource["prefect.resource.id"]


def test_pairs_are_told_apart(heard, settings, world):
    """By base, table and board, whatever they are called."""
    signs.give_signs(Report(), settings, "")
    for change in ({"AIRTABLE_BASE_ID": "appX"}, {"AIRTABLE_TABLE_NAME": "Others"}, {"TRELLO_BOARD_ID": "a" * 24}):
        signs.give_signs(Report(), world.settings(**change), "")
    assert len({resource["prefect.resource.id"] for _, resource, _ in heard}) == 4


def test_dry_run_and_demo_give_none(heard, settings):
    signs.give_signs(Report(dry_run=True, waiting=["rec1: status"]), settings, "")
    with signs.unheard():
        signs.give_signs(Report(waiting=["rec1: status"]), settings, "")
    assert heard == []
    signs.give_signs(Report(), settings, "")
    assert len(heard) == 1


@pytest.mark.parametrize("code", [code for code in Exit if code is not Exit.DONE])
def test_run_that_left_something_undone_gives_none(heard, settings, code):
    signs.give_signs(Report(exit_code=code), settings, "")
    assert heard == []


def test_what_waits_is_told_whatever_becomes_of_the_run(heard, settings):
    report = Report(waiting=[f"rec{number}: conflict" for number in range(signs.LISTED + 2)])
    report.fail(GuardError("no"))
    signs.give_signs(report, settings, "")
    ((event, _, payload),) = heard
    assert event == signs.WAITING
    assert payload["what"].splitlines()[-2:] == [f"rec{signs.LISTED - 1}: conflict", "… and 2 more"]


def test_server_that_takes_none_does_not_matter(settings, monkeypatch):
    def broken(*_args, **_more):
        raise RuntimeError("gone")

    monkeypatch.setattr(signs, "emit_event", broken)
    signs.give_signs(Report(waiting=["x"]), settings, "")
