"""
The simulation can fail: each rule that is broken on purpose is noticed by the history of a seed below 2,000.

Where a seed here no longer notices its rule, because histories are made up otherwise now, others are found by
`python -m tests.simulation --mutants --histories 2000`.
"""

import pytest

from simulation.play import breach_of
from support.mutants import MUTANTS

NOTICED_BY: dict[str, int] = {}


def test_every_broken_rule_is_noticed_by_some_history():
    assert NOTICED_BY.keys() == MUTANTS.keys()
    assert max(NOTICED_BY.values()) < 2000


@pytest.mark.parametrize("name", NOTICED_BY)
def test_history_notices_the_broken_rule(name):
    """And has nothing to say while the rule stands."""
    with MUTANTS[name]():
        assert breach_of(NOTICED_BY[name], shrink=False)[1]
    assert not breach_of(NOTICED_BY[name])[1]
