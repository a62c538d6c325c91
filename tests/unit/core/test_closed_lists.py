"""Which lists mean closed decides whether an archived card comes back, and what a tick does."""

from __future__ import annotations

import itertools

import pytest

from leadsync.core.decisions import CellDecision, RowDecision
from leadsync.mapping.closing import Closing
from leadsync.model import DONE, IN_PROGRESS, STAGES, TODO, StatusMap
from support.rows import STATUS_MAP, base_row, card, one_lead, record, rules

STATUSES = tuple(STATUS_MAP.stage_of)
CLOSED = [(), (DONE,), (IN_PROGRESS, DONE), (DONE, TODO), STAGES]


def by(closed):
    return rules(closing=Closing.of(STAGES, closed))


@pytest.mark.parametrize("closed", CLOSED, ids=",".join)
def test_archived_card_comes_back_with_an_open_list_that_is_another(closed):
    """For every status then and now."""
    for then, now in itertools.product(STATUSES, repeat=2):
        stage, wanted = STATUS_MAP.stage_of[then], STATUS_MAP.stage_of[now]
        agreed = base_row(status=then, stage=stage, card_presence="archived", seen_status=then)
        world = one_lead(record=record(status=now), card=card(stage=stage, closed=True), base=agreed)
        comes_back = wanted != stage and wanted not in closed
        expected = RowDecision.UNARCHIVE if comes_back else RowDecision.STAY_ARCHIVED
        assert world.decisions(by(closed))["row"].item() == expected, (then, now)


@pytest.mark.parametrize("status", ["WON", ""])
def test_archived_card_of_an_unknown_or_empty_status_stays(status):
    """An unknown one leads nowhere; an empty one counts as NEW, which it was."""
    agreed = base_row(card_presence="archived", seen_status="NEW")
    world = one_lead(record=record(status=status), card=card(closed=True), base=agreed)
    assert world.decisions(by(()))["row"].item() == RowDecision.STAY_ARCHIVED


@pytest.mark.parametrize("closed", CLOSED, ids=",".join)
@pytest.mark.parametrize("stage", STAGES)
def test_ticked_card_goes_to_the_first_closed_list(closed, stage):
    """Unless it lies in one of them, or there is none; then the tick is recorded, and nothing is written."""
    status = STATUS_MAP.status_for[stage]
    agreed = base_row(status=status, stage=stage)
    plan = one_lead(record=record(status=status), card=card(stage=stage, dueComplete=True), base=agreed).plan(
        by(closed)
    )
    if stage in closed or not closed:
        assert (plan.writes, plan.base_updates) == (0, {record()["id"]: {"due_complete": True}})
        return
    (to_card,), (to_lead,) = plan.card_writes, plan.lead_writes
    assert (to_card.stage, to_card.due_complete) == (closed[0], None)
    assert to_lead.fields == {"status": STATUS_MAP.status_for[closed[0]]}


@pytest.mark.parametrize("closed", CLOSED, ids=",".join)
def test_tick_goes_with_the_move_out_of_the_closed_lists(closed):
    """For every way of a ticked card; where no list means closed it is never taken away."""
    for stage, now in itertools.permutations(STAGES, 2):
        status = STATUS_MAP.status_for[stage]
        agreed = base_row(status=status, stage=stage, due_complete=True)
        lead, ticked = record(status=STATUS_MAP.status_for[now]), card(stage=stage, dueComplete=True)
        (write,) = one_lead(record=lead, card=ticked, base=agreed).plan(by(closed)).card_writes
        leaves = stage in closed and now not in closed
        assert (write.stage, write.due_complete) == (now, False if leaves else None), (stage, now)


def test_untouched_tick_decides_nothing():
    """Ticked when it was agreed, or at a first match."""
    for agreed in (base_row(due_complete=True), None):
        world = one_lead(record=record(), card=card(dueComplete=True), base=agreed)
        assert world.decisions()["status"].item() in (CellDecision.UNCHANGED, CellDecision.AGREED)


@pytest.mark.parametrize(
    ("stage_of", "remedy"),
    [
        (STATUS_MAP.stage_of, "Move it to TODO, IN_PROGRESS or DONE."),
        ({"NEW": "Inbox", "LOST": "Shelf"}, "Move it to Inbox or Shelf."),
        ({"NEW": "Inbox"}, "Move it to Inbox."),
    ],
    ids=["three", "two", "one"],
)
def test_remedy_for_a_parked_card_names_the_lists_of_the_map(stage_of, remedy):
    world = one_lead(record=record(), card=card(stage=""), base=base_row(stage="Inbox"))
    (aside,) = world.plan(rules(status_map=StatusMap.from_stages(stage_of))).quarantine
    assert aside.remedy == remedy
