"""Airtable's client against the emulated service: what a read holds, what a look-up tells, and what both cost."""

import pytest

from leadsync.airtable.client import Airtable
from leadsync.errors import ConfigurationError, IncompleteReadError


@pytest.fixture
def airtable(world):
    client = Airtable(world.settings())
    yield client
    client.wire.close()


def test_read_holds_every_lead_in_order_at_a_hundred_a_request(world, airtable):
    for number in range(100):
        world.lead(f"Lead {number}")
    read = airtable.fetch_leads()
    assert list(read.leads.index) == sorted(world.airtable.records())
    assert set(read.records) == set(read.leads.index)
    assert (read.whole, airtable.wire.calls) == (True, 2)


def test_lead_that_is_not_there_is_gone_at_a_request_each(world, airtable):
    leads = [world.lead(), world.lead()]
    for lead in leads:
        world.airtable.delete(lead)
    assert airtable.look_up_leads(leads)["presence"].to_dict() == dict.fromkeys(leads, "gone")
    assert airtable.wire.calls == 2


def test_lead_that_no_view_hides_was_left_out_of_the_read(world, airtable):
    with pytest.raises(IncompleteReadError, match="nothing was written"):
        airtable.look_up_leads([world.lead()])


def test_columns_are_named_all_or_none_by_id(world):
    """One client speaks one way."""
    with pytest.raises(ConfigurationError, match="all four by id"):
        Airtable(world.settings(AIRTABLE_NAME_FIELD="fld" + "A" * 14))
