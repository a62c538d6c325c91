"""
Long random histories with an oracle of their own: nobody's edit is lost, nothing is doubled, and all comes to rest.

A history is its seed. `LEADSYNC_HISTORIES` and `LEADSYNC_FIRST_SEED` choose others than the plain run's;
`python -m tests.histories --count 500` plays them side by side. A breach is told with its smallest history.
"""

from __future__ import annotations

import os

import pytest

from histories.ledger import block_line, own_text
from histories.play import breach_of, play, smallest
from histories.rules import Breach
from histories.steps import Ground, History, made_up, step

COUNT = int(os.environ.get("LEADSYNC_HISTORIES", "15"))
FIRST = int(os.environ.get("LEADSYNC_FIRST_SEED", "0"))
LEAD = "rec" + "A" * 14


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_history_keeps_every_rule(seed):
    _, breach = breach_of(seed)
    assert not breach, breach


@pytest.mark.exhaustive
@pytest.mark.parametrize("hundred", range(5))
def test_five_hundred_histories_keep_every_rule(hundred):
    """Seeds 0 to 499."""
    breaches = [breach for seed in range(100 * hundred, 100 * (hundred + 1)) if (breach := breach_of(seed)[1])]
    assert not breaches, "\n\n".join(breaches)


def test_seed_makes_up_the_same_history_each_time():
    assert str(made_up(7)) == str(made_up(7)) != str(made_up(8))


def test_breach_is_told_with_its_smallest_history(monkeypatch):
    """A product that says nothing of what it wrote breaks a rule with a single run, whatever else happened."""
    monkeypatch.setattr("leadsync.pipeline.rows_of", lambda items, **more: [])
    history = History(Ground(leads=1, policy="trello"), (step("tick", pick=0, ticked=True), step("sync"), step("rest")))
    breach = play(history).breach
    assert isinstance(breach, Breach)
    assert breach.rule == "report tells what was written"
    smaller, _ = smallest(history, breach)
    assert len(smaller.steps) <= 1
    assert smaller.ground == Ground()


def test_own_text_is_what_is_not_the_blocks():
    block = f"Lead details from Airtable\nE-mail: a@example.com\nSource: web\nLeadID: {LEAD}"
    assert own_text(f"E-mail: mine\n\n{block}\n later\r") == ["E-mail: mine", " later\r"]
    assert block_line(f"E-mail: mine\n\n{block}", "E-mail:") == "a@example.com"
    assert block_line(f"LeadID: {LEAD}", "E-mail:") is None
