"""What a run says afterwards, and the exit codes of its errors."""

from __future__ import annotations

import json

import pytest

from leadsync import errors
from leadsync.core.told import ChangeOutcome
from leadsync.errors import BusyError, ConfigurationError, GuardError
from leadsync.report.report import Report
from support.reported import aside, change, conflict, failure, note


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
    assert busy.summary == (
        "5 changed, 1 conflict, 1 in quarantine: 5 leads, 5 cards (2 Airtable + 5 Trello calls, 1.2 s)"
    )
    assert "would change nothing" in Report(dry_run=True).summary


@pytest.mark.parametrize(
    ("more", "exit_code", "title"),
    [
        ({}, 0, "Completed"),
        ({"conflicts": [conflict()]}, 0, "CompletedWithFindings"),
        ({"quarantine": [aside()]}, 0, "CompletedWithFindings"),
        ({"failures": [failure()], "conflicts": [conflict()]}, 1, "Incomplete"),
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
    report = Report(changes=[change()])
    report.fail(error)
    assert (report.exit_code, report.title) == (1, "Incomplete")
    assert "changes were written" in report.message


def test_failed_dry_run_keeps_its_code():
    """Planned changes are no written ones."""
    report = Report(dry_run=True, changes=[change(outcome=ChangeOutcome.PLANNED)])
    report.fail(GuardError("x"))
    assert report.exit_code == 3


def test_json_is_printable_ascii_and_says_the_same():
    """Any output takes it, and a terminal finds no command in it."""
    hostile = "Zoë 🚀 \x1b[2J\x9b\x7f\u202e\ud83d"
    printed = Report(changes=[change(after=hostile)]).as_json()
    assert printed.isascii()
    assert printed.replace("\n", "").isprintable()
    assert json.loads(printed)["changes"][0]["after"] == hostile


ROWS = """\
  "changes": [
    {
      "lead_id": "rec1",
      "card_id": "c1",
      "field": "status",
      "before": "TODO",
      "after": "DONE",
      "direction": "to_trello",
      "note": "why",
      "outcome": "planned",
      "lead_name": "Zoe"
    }
  ],
  "conflicts": [
    {
      "lead_id": "rec1",
      "card_id": "c1",
      "field": "name",
      "airtable": "a",
      "trello": "t",
      "kind": "conflict",
      "resolution": "Airtable's value is kept",
      "base": null,
      "lead_name": "Zoe"
    }
  ],
  "quarantine": [
    {
      "lead_id": "rec1",
      "card_id": "c1",
      "field": "status",
      "reason": "r",
      "remedy": "m",
      "card_url": "u",
      "airtable": "a",
      "trello": "t",
      "to_airtable": "x",
      "to_trello": null,
      "lead_name": "Zoe"
    }
  ],
  "failures": [
    {
      "lead_id": "rec1",
      "card_id": "c1",
      "reason": "r",
      "remedy": "m",
      "lead_name": "Zoe"
    }
  ],
  "notes": [
    {
      "lead_id": "rec1",
      "card_id": "c1",
      "note": "n",
      "lead_name": "Zoe"
    }
  ],
  "postponed": [
    {
      "lead_id": "rec1"
    }
  ],
"""


SIDES = {"airtable": "a", "trello": "t", "to_airtable": "x", "to_trello": None}


def test_json_of_the_rows_to_the_byte():
    """Programs of others read it."""
    of = {"lead_id": "rec1", "card_id": "c1"}
    planned = change(**of, field="status", before="TODO", after="DONE", note="why", outcome=ChangeOutcome.PLANNED)
    report = Report(
        changes=[planned],
        conflicts=[conflict(**of, airtable="a", trello="t", resolution="Airtable's value is kept")],
        quarantine=[aside(**of, field="status", reason="r", remedy="m", card_url="u", **SIDES)],
        failures=[failure(**of, reason="r", remedy="m")],
        notes=[note("n", "rec1", "c1")],
        postponed=["rec1"],
        titles={"rec1": "Zoe"},
    )
    assert ROWS in report.as_json()


HELD, COPY = conflict(resolution="held"), aside(reason="a copy")
GLANCES = {
    "idle": ({}, "nothing to do"),
    "busy": ({"changes": [change()] * 3, "conflicts": [HELD]}, "3 changed, 1 conflict"),
    "planned": ({"changes": [change()], "dry_run": True}, "would change 1 cell or card"),
    "news": ({"conflicts": [HELD]}, "nothing changed, 1 conflict"),
    "standing": (
        {"conflicts": [HELD], "quarantine": [COPY], "standing": frozenset({HELD, COPY})},
        "nothing to do, 1 conflict (as before), 1 in quarantine (as before)",
    ),
    "one-of-two-is-new": (
        {"conflicts": [HELD, conflict(field="status")], "standing": frozenset({HELD})},
        "nothing changed, 2 conflicts (1 new)",
    ),
    "failed-writes": ({"changes": [change()], "failures": [failure()] * 2}, "1 changed, 2 failures"),
    "refused": ({"error": "No.", "title": "RefusedByGuard"}, "refused by guard"),
    "cut": ({"error": "No.", "title": "Incomplete", "changes": [change()]}, "1 changed, incomplete"),
    "skipped": ({"skipped": "Skipped: why"}, "skipped"),
}


@pytest.mark.parametrize(("more", "glance"), GLANCES.values(), ids=GLANCES)
def test_glance_says_what_came_of_the_run(more, glance):
    assert Report(**more).glance == glance


@pytest.mark.parametrize("found", [{"conflicts": [HELD]}, {"quarantine": [COPY]}], ids=["conflict", "quarantine"])
@pytest.mark.parametrize(("stood", "title"), [(True, "Completed"), (False, "CompletedWithFindings")])
def test_finding_that_was_there_before_gives_no_title(found, stood, title):
    report = Report(**found, standing=frozenset({HELD, COPY} if stood else ()))
    report.judge()
    assert report.title == title
