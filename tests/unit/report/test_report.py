"""What a run says afterwards, and the exit codes of its errors."""

from __future__ import annotations

import json
import pickle

import pytest
from support.rows import LISTS, agreed_world, lead_id, record

from leadsync import errors
from leadsync.errors import (
    BusyError,
    ConfigurationError,
    DeadTokenError,
    GuardError,
    LeadsyncError,
    ServiceRefusedError,
)
from leadsync.report.markdown import TABLE_ROWS, as_markdown
from leadsync.report.report import Report, rows_of

REFUSED = ServiceRefusedError("Airtable", 422, "UNKNOWN_FIELD_NAME", 'Unknown field name: "x"')

DEAD = DeadTokenError("Trello", "TRELLO_API_TOKEN", "invalid token")


def every_error():
    found = [getattr(errors, name) for name in dir(errors)]
    return [kind for kind in found if isinstance(kind, type) and issubclass(kind, LeadsyncError)]


def report_of(world, **more):
    """A report of the world's plan, as if it had been carried out."""
    plan = world.plan()
    return Report(
        leads=len(world.records),
        cards=len(world.cards),
        changes=rows_of(plan.changes, outcome="done"),
        conflicts=rows_of(plan.conflicts),
        quarantine=plan.quarantine,
        **more,
    )


@pytest.fixture
def busy():
    """One of everything."""
    world = agreed_world(5).with_lead(record=record(9))
    del world.records[lead_id(1)]
    world.records[lead_id(2)]["fields"]["status"] = "HOT"
    world.records[lead_id(3)]["fields"]["name"] = "Ada | <b>"
    list(world.cards.values())[3]["idList"] = LISTS["DONE"]
    world.records[lead_id(5)]["fields"]["status"] = "LOST"
    list(world.cards.values())[4]["idList"] = LISTS["IN_PROGRESS"]
    return report_of(world, calls={"airtable": 2, "trello": 5}, seconds=1.23)


def test_counts_say_how_many_of_what(busy):
    """Cells and cards, by direction."""
    assert busy.counts == {
        "leads": 5,
        "cards": 5,
        "changes": 5,
        "created": 1,
        "archived": 1,
        "to_trello": 4,
        "to_airtable": 1,
        "conflicts": 1,
        "quarantine": 1,
        "failures": 0,
        "postponed": 0,
    }


def test_json_holds_what_is_promised(busy):
    """One object; each row names its lead or card."""
    body = json.loads(busy.as_json())
    assert {"counts", "changes", "conflicts", "quarantine", "failures", "calls", "exit_code", "message"} <= set(body)
    for rows in ("changes", "conflicts", "quarantine", "failures"):
        assert all(row.get("lead_id") or row.get("card_id") for row in body[rows])
    assert body["calls"] == {"airtable": 2, "trello": 5}
    assert body["message"] == busy.summary


def test_summary_says_what_matters(busy):
    """Counts, findings, calls and seconds; a dry run says would."""
    assert "changed 5 cells or cards" in busy.summary
    assert "2 Airtable + 5 Trello calls, 1.2 s" in busy.summary
    assert "would change" in Report(dry_run=True).summary


def test_markdown_shows_every_list_and_breaks_on_nothing(busy):
    """Tables stay tables, whatever a person typed."""
    busy.failures = [{"lead_id": lead_id(7), "card_id": "", "reason": "x" * 400 + "|", "remedy": "a\nb"}]
    busy.notes = [{"lead_id": lead_id(8), "card_id": "", "note": "left alone"}]
    busy.board_url = "https://trello.com/b/AbCd1234"
    text = as_markdown(busy)
    for title in ("Changes (5)", "Conflicts (1)", "Quarantine (1)", "Failures (1)", "Notes (1)"):
        assert f"## {title}" in text
    assert r"Ada \| &lt;b>" in text
    assert "(https://trello.com/b/AbCd1234)" in text
    assert "a b |" in text
    assert "x" * 300 not in text


def test_markdown_of_thousands_stays_readable():
    """The log has the rest."""
    row = {"lead_id": "rec", "field": "name", "before": "", "after": "", "direction": "to_trello", "note": ""}
    text = as_markdown(Report(changes=[row] * (TABLE_ROWS + 50)))
    assert f"Changes ({TABLE_ROWS + 50})" in text
    assert text.count("| rec |") == TABLE_ROWS


def test_markdown_of_an_idle_run_is_short():
    """No empty tables."""
    assert "##" not in as_markdown(Report())


@pytest.mark.parametrize(
    ("more", "exit_code", "title"),
    [
        ({}, 0, "Completed"),
        ({"conflicts": [{}]}, 0, "CompletedWithFindings"),
        ({"quarantine": [{}]}, 0, "CompletedWithFindings"),
        ({"failures": [{}], "conflicts": [{}]}, 1, "Incomplete"),
    ],
    ids=["clean", "conflicts", "quarantine", "failures"],
)
def test_judgement_by_findings(more, exit_code, title):
    """Held conflicts and quarantined records are done; failed writes are not."""
    report = Report(**more)
    report.judge()
    assert (report.exit_code, report.title) == (exit_code, title)


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (errors.TransientServiceError("x"), 1),
        (errors.QuotaExceededError("x"), 1),
        (ConfigurationError("x"), 2),
        (errors.StateStoreError("x"), 2),
        (GuardError("x"), 3),
        (errors.IncompleteReadError("x"), 3),
        (BusyError("x"), 4),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_failure_by_error_before_anything_was_written(error, exit_code):
    """The message is the error's own sentence."""
    report = Report()
    report.fail(error)
    assert (report.exit_code, report.message) == (exit_code, "x")
    assert report.title == error.title


@pytest.mark.parametrize("error", [ConfigurationError("x"), GuardError("x")], ids=["configuration", "guard"])
def test_failure_after_writes_is_incomplete(error):
    """Codes 2 and 3 promise that nothing was written."""
    report = Report(changes=[{"field": "name", "direction": "to_trello"}])
    report.fail(error)
    assert (report.exit_code, report.title) == (1, "Incomplete")
    assert "changes were written" in report.message


def test_failed_dry_run_keeps_its_code():
    """Planned changes are no written ones."""
    report = Report(dry_run=True, changes=[{"field": "name", "direction": "to_trello"}])
    report.fail(GuardError("x"))
    assert report.exit_code == 3


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_error_survives_pickling(kind):
    """Between a task and the door."""
    error = {ServiceRefusedError: REFUSED, DeadTokenError: DEAD}.get(kind) or kind("what, which, and what to do")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert kind.exit_code in (1, 2, 3, 4)


def test_refusal_reads_as_a_sentence():
    """Service, status, kind and the service's own words."""
    assert str(REFUSED) == 'Airtable answered 422 UNKNOWN_FIELD_NAME Unknown field name: "x"'
    assert str(ServiceRefusedError("Trello", 404, "", "")) == "Trello answered 404"
