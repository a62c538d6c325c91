"""A plan in its file: what was changed, cut, or written by another program is told in a sentence."""

import json

import pytest

from leadsync.core.saved_plan import SavedPlan
from leadsync.errors import ConfigurationError

PLAN = SavedPlan(
    id="1" * 32,
    made_at="2026-11-26T09:00:00+00:00",
    pair={"base": "app1", "table": "Leads", "board": "2"},
    options={"conflict": "settings", "allow_mass_change": False, "adopt": "ask"},
    settings={"SYNC_CONFLICT": "3"},
    base="4",
    lists={"TODO": "5"},
    labels=["Hot \u202e \ud800"],
    writes=[],
    listed=[],
)


def told(text):
    with pytest.raises(ConfigurationError) as refused:
        SavedPlan.parse(text, "plan.json")
    return str(refused.value)


def test_plan_comes_back_as_it_was():
    assert SavedPlan.parse(PLAN.text, "plan.json") == PLAN
    assert PLAN.text.isascii()


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}", "null", "[" * 100_000, '{"version": 1}'])
def test_what_is_no_plan_is_said_to_be_none(text):
    assert told(text).startswith("plan.json holds no plan of this program; nothing was written.")


@pytest.mark.parametrize("version", [0, 2, "1", None, {"a": 1}])
def test_plan_of_another_version_is_told(version):
    body = json.loads(PLAN.text) | {"version": version}
    assert "this program applies version 1" in told(json.dumps(body))


def test_every_part_counts():
    """Changed, taken out or put in: the checksum tells."""
    body = json.loads(PLAN.text)
    for name in body.keys() - {"version"}:
        assert "was changed or cut" in told(json.dumps(body | {name: "other"})), name
    for name in body.keys() - {"version", "checksum"}:
        assert "was changed or cut" in told(json.dumps({key: value for key, value in body.items() if key != name}))
    assert "was changed or cut" in told(json.dumps(body | {"more": 1}))


def test_plan_made_up_with_a_checksum_of_its_own_is_none():
    """Its parts must be what they are called."""
    odd = PLAN.model_copy(update={"writes": [1], "pair": "app1"})
    with pytest.warns(UserWarning, match="serializer"):
        text = odd.text
    assert "was changed or cut" in told(text)
