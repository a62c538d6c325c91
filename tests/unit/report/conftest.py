"""A report that has one of everything."""

from dataclasses import replace

import pytest

from leadsync.core.told import ChangeOutcome
from leadsync.report.report import Report
from support.rows import LISTS, agreed_world, lead_id, record


def report_of(world, **more):
    """A report of the world's plan, as if it had been carried out."""
    plan = world.plan()
    return Report(
        leads=len(world.records),
        cards=len(world.cards),
        changes=[replace(each, outcome=ChangeOutcome.DONE) for each in plan.changes],
        conflicts=plan.conflicts,
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
