"""What a report leaves to a person: a conflict that waits comes with the very command that settles it."""

import re
import shlex

import pytest

from leadsync.errors import Exit
from leadsync.report.report import Report
from leadsync.report.to_do import by_command, to_do
from support.reported import aside, conflict
from support.rows import lead_id

TAKE = ["python", "flows/conflicts.py", "take", "airtable", "--lead", lead_id(1)]


def command_in(remedy):
    """Its words, as a shell has them."""
    (said,) = [part for part in remedy.replace(", or the same", ": or").split(": ") if part.startswith("python")]
    return shlex.split(said.removesuffix(", once a sync has listed it"))


@pytest.mark.parametrize(
    ("found", "pair", "more"),
    [
        ({"field": "name"}, "", ["--field", "name"]),
        ({"field": "custom:Next step"}, "", ["--field", "custom:Next step"]),
        ({"field": "status", "kind": "undone"}, "north", ["--pair", "north", "--field", "status"]),
        ({"field": "card", "kind": "lead deleted"}, "north pole", ["--pair", "north pole"]),
    ],
    ids=["cell", "with a blank", "undone", "lead deleted"],
)
def test_conflict_that_waits_names_the_command_that_settles_it(found, pair, more):
    report = Report(conflicts=[conflict(resolution="held", **found)], pair_name=pair)
    (thing,) = to_do(report)
    assert command_in(thing.remedy) == TAKE + more
    assert "once a sync has listed it" not in thing.remedy


@pytest.mark.parametrize("how", [{"dry_run": True}, {"exit_code": Exit.REFUSED}], ids=["dry run", "refused"])
def test_conflict_that_no_sync_has_listed_yet_cannot_be_taken_yet(how):
    """Unless one before has."""
    held = conflict(resolution="held")
    (thing,) = to_do(Report(conflicts=[held], **how))
    assert thing.remedy.endswith(", once a sync has listed it")
    (known,) = to_do(Report(conflicts=[held], standing=frozenset({held}), **how))
    assert not known.remedy.endswith(", once a sync has listed it")


@pytest.mark.parametrize("pair", ["", "north pole"])
def test_cell_set_aside_names_the_command_for_each_side_that_can_be_taken(pair):
    """With what the other side is given then, in short; the remedy goes first."""
    more = {"field": "custom:Next step", "reason": "why", "remedy": "Mend it.", "airtable": "a", "trello": "t"}
    report = Report(quarantine=[aside(**more, to_trello="", to_airtable="x " * 99)], pair_name=pair)
    (thing,) = to_do(report)
    assert thing.remedy.startswith("Mend it. To have custom:Next step (empty) on Trello, too: python")
    assert "To have custom:Next step x x" in thing.remedy
    assert "… on Airtable, too: python" in thing.remedy
    commands = [shlex.split(said) for said in re.findall(r"python .*?Next step'", thing.remedy)]
    named = ["--pair", pair] * bool(pair)
    assert commands == [
        ["python", "flows/conflicts.py", "take", side, "--lead", lead_id(1), *named, "--field", "custom:Next step"]
        for side in ("airtable", "trello")
    ]
    assert [each.remedy for each in by_command(report)] == [thing.remedy.removeprefix("Mend it. ")]


def test_what_has_no_side_to_take_names_no_command():
    report = Report(
        quarantine=[aside(reason="a copy", remedy="Mend it."), aside(field="status", airtable="a", trello="t")]
    )
    assert [each.remedy for each in to_do(report)] == ["Mend it.", ""]
    assert by_command(report) == []


@pytest.mark.parametrize("kind", ["mapping changed", "edited meanwhile"])
def test_conflict_that_is_not_kept_names_no_command(kind):
    (thing,) = to_do(Report(conflicts=[conflict(resolution="left", kind=kind)]))
    assert "conflicts.py" not in thing.remedy
