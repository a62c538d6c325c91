"""Payloads tell whether a PATCH of ours landed on a person's edit."""

from __future__ import annotations

import pytest

from leadsync.core.digests import digests_of
from leadsync.core.journal import LEAD, Intent, Sent
from leadsync.core.lead_overwrites import SLACK, Patched, find_replaced
from leadsync.frames.payloads import ChangeKind, LeadChange

ADA, STATUS, OURS = "recAda", "fldStatus", "publicApi"
FIELDS = {"status": STATUS, "name": "fldName"}
UNTOLD = object()


def patched(sent="DONE", cell="status", since=100.0, until=101.0):
    """A PATCH of `sent` that was planned on NEW."""
    sent_and_read = Sent(digests_of({cell: "NEW"}), digests_of({cell: sent}))
    return Patched(Intent(LEAD, ADA, "card", {}, since, answered=until, sent=sent_and_read), cell)


def change(current, previous=UNTOLD, source=OURS, at=100.5, lead=ADA, field=STATUS):
    former = None if previous is UNTOLD else {field: previous}
    return LeadChange(lead, ChangeKind.CHANGED, {field: current}, former, source, "usrMe", at)


def judged(*changes, **of_write):
    """(values replaced, whether it is silent, whether it is untold)."""
    checked = find_replaced(changes, [patched(**of_write)], FIELDS)
    return [found.value for found in checked.replaced], len(checked.silent), len(checked.untold)


FINE, SILENT, NOT_TOLD = ([], 0, 0), ([], 1, 0), ([], 0, 1)
FOUND = (["LOST"], 0, 0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([change("DONE", "NEW")], FINE, id="nobody-edited"),
        pytest.param([change("DONE", " NEW ")], FINE, id="blanks-apart"),
        pytest.param([change("LOST", "NEW", "client"), change("DONE", "LOST")], FOUND, id="edited-just-before"),
        pytest.param([change("DONE", "LOST")], FOUND, id="by-the-former-value-alone"),
        pytest.param([change("DONE", "")], ([""], 0, 0), id="emptied-just-before"),
        pytest.param([change("DONE", "NEW"), change("LOST", "DONE", "client")], FINE, id="edited-afterwards"),
        pytest.param(
            [change("LOST", "NEW", "client"), change("NEW", "LOST", "client"), change("DONE", "NEW")],
            FINE,
            id="there-and-back",
        ),
        pytest.param(
            [change("DONE", "NEW"), change("LOST", "DONE", "client"), change("DONE", "LOST")], FOUND, id="sent-twice"
        ),
        pytest.param(
            [change("DONE", "NEW"), change("NEW", "DONE", "client"), change("DONE", "NEW")],
            (["NEW"], 0, 0),
            id="sent-twice-and-taken-back-in-between",
        ),
        pytest.param(
            [change("DONE", "NEW"), change("NEW", "DONE"), change("DONE", "NEW")], FINE, id="given-back-in-between"
        ),
        pytest.param([change("DONE", "NEW"), change("DONE", "DONE")], FINE, id="sent-twice-without-an-edit"),
        pytest.param([change("DONE", "LOST", at=90.0)], NOT_TOLD, id="an-older-story"),
        pytest.param([change("DONE", "LOST", at=110.0)], NOT_TOLD, id="a-later-story"),
        pytest.param([change("DONE", "LOST", lead="recBob")], NOT_TOLD, id="another-lead"),
        pytest.param([change("DONE", "LOST", field="fldName")], NOT_TOLD, id="another-column"),
        pytest.param([change("DONE", "NEW", "client")], FINE, id="somebody-typed-the-same"),
        pytest.param([change("DONE", "NEW", "client", at=50.0)], NOT_TOLD, id="somebody-had-typed-the-same-long-ago"),
        pytest.param([change("LOST", "NEW", "client")], NOT_TOLD, id="edited-and-ours-not-told-yet"),
        pytest.param([], NOT_TOLD, id="nothing-told"),
    ],
)
def test_patched_cell_by_what_the_payloads_show(changes, expected):
    """Our change names the value it replaced; if that is not what we had planned on, somebody edited in between."""
    assert judged(*changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([change("DONE")], SILENT, id="nothing-before"),
        pytest.param([change("LOST", source="client"), change("DONE")], FOUND, id="edited-just-before"),
        pytest.param([change("NEW", source="client", at=1.0), change("DONE")], FINE, id="last-told-as-planned-on"),
        pytest.param([change("DONE"), change("LOST", "DONE", "client"), change("DONE")], FOUND, id="sent-twice"),
    ],
)
def test_without_former_values_the_order_of_the_payloads_tells(changes, expected):
    """What stood last before our change is what it replaced; if nothing was told before it, nobody knows."""
    assert judged(*changes) == expected


def test_former_value_that_is_left_out_is_not_taken_for_an_empty_one():
    """Or a cell would be emptied that nobody emptied."""
    told = LeadChange(ADA, ChangeKind.CHANGED, {STATUS: "DONE"}, {}, OURS, "usrMe", 100.5)
    assert judged(told) == SILENT


@pytest.mark.parametrize(("at", "expected"), [(100 - SLACK, FOUND), (101 + SLACK, FOUND)])
def test_times_may_differ_by_some_seconds(at, expected):
    """The answer's clock has whole seconds, that of the payloads thousandths."""
    assert judged(change("DONE", "LOST", at=at)) == expected


def test_clock_that_is_not_told_lets_every_change_count():
    assert judged(change("DONE", "LOST", at=5.0), since=0.0, until=float("inf")) == FOUND


def test_column_without_an_id_is_not_told_of():
    checked = find_replaced([change("DONE", "LOST")], [patched()], {})
    assert (len(checked.replaced), len(checked.untold)) == (0, 1)
