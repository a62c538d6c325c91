"""A run's report in words: every change has a reason, and what is not as expected is no error."""

import pytest

from leadsync.page.told import changes_told, why

TO_AIRTABLE, TO_TRELLO = "to_airtable", "to_trello"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"field": "card", "before": "", "after": "Ada in TODO", "direction": TO_TRELLO}, "The lead has no card yet."),
        ({"field": "card", "before": "archived", "direction": TO_TRELLO}, "The lead's stage is an open one again."),
        ({"field": "card", "before": "open", "note": "the lead was deleted"}, "The lead was deleted."),
        ({"field": "marker", "direction": TO_TRELLO}, "The line that ties the card to its lead was gone."),
        ({"field": "status", "direction": TO_TRELLO, "note": ""}, "Changed in Airtable since both sides last agreed"),
        ({"field": "name", "direction": TO_AIRTABLE, "note": ""}, "Changed on the card since both sides last agreed"),
        ({"field": "name", "direction": TO_AIRTABLE, "note": "Trello wins."}, "Trello wins."),
        ({}, ""),
    ],
)
def test_change_has_a_reason(change, reason):
    assert why(change, {}).startswith(reason)
    assert bool(why(change, {})) == bool(reason)


def test_report_of_another_shape_is_an_empty_one():
    """A run made by a worker tells a code and a sentence."""
    for report in ({"exit_code": 0}, {"changes": None}, {"changes": ["x"]}):
        assert changes_told(report) == []
