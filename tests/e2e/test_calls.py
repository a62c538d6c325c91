"""How many requests a run sends, idle and busy."""

from math import ceil

import pytest

from support.harness import World


def adopted(world, leads, foreign=0):
    """That many leads with marked cards, known to the sync, and foreign cards, the oldest on the board."""
    for number in range(foreign):
        world.trello.add_card("TODO", f"Foreign {number}")
    made = [world.lead(f"Lead {number}", "NEW") for number in range(leads)]
    for number, lead in enumerate(made):
        world.trello.add_card("TODO", f"Lead {number}", f"LeadID: {lead}")
    world.sync()
    return made


@pytest.fixture
def empty(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("leads", [0, 1, 100, 101, 250, pytest.param(1000, marks=pytest.mark.exhaustive), 1001])
def test_idle_run_reads_each_side_once(empty, leads):
    adopted(empty, leads)
    report = empty.assert_idle()
    assert empty.calls() == (max(1, ceil(leads / 100)), max(1, ceil(leads / 1000)))
    assert report.calls == dict(zip(("airtable", "trello"), empty.calls(), strict=True))


@pytest.mark.parametrize(("foreign", "pages"), [(998, 1), (1000, 2)])
def test_foreign_cards_are_read_too(empty, foreign, pages):
    """The known cards are the oldest, so that only the last page shows them all; one run learns how many there are."""
    adopted(empty, 2)
    for number in range(foreign):
        empty.trello.add_card("TODO", f"Foreign {number}")
    empty.sync()
    empty.assert_idle()
    assert empty.calls() == (1, pages)


def test_archived_cards_cost_an_idle_run_nothing(empty):
    leads = adopted(empty, 12)
    for lead in leads[:3]:
        empty.trello.archive(empty.card(lead)["id"])
    empty.sync()
    empty.assert_idle()
    assert empty.calls() == (1, 1)


def test_busy_run_adds_a_batch_for_ten_leads_and_a_request_for_each_card(empty):
    """Besides: lists before card writes, the feed after them, and one re-read before lead writes."""
    leads = adopted(empty, 30)
    for lead in leads[:25]:
        empty.trello.move(empty.card(lead)["id"], "DONE")
    for lead in leads[25:]:
        empty.airtable.edit(lead, status="LOST", name="Renamed")
    empty.sync()
    assert empty.calls() == (1 + 1 + ceil(25 / 10), 1 + 1 + 5 + 1)
    assert (empty.writes("airtable"), empty.writes("trello")) == (3, 5)


def test_created_cards_cost_one_request_each(empty):
    adopted(empty, 3)
    for number in range(4):
        empty.lead(f"New {number}")
    empty.sync()
    assert empty.calls() == (1, 1 + 1 + 4)


def test_rewritten_description_is_reread_before(empty):
    leads = adopted(empty, 3)
    for lead in leads[:2]:
        empty.airtable.edit(lead, email="new@example.com")
    empty.sync()
    assert empty.calls() == (1, 1 + 1 + 2 * 2 + 1)


def test_deletions_cost_one_look_up_each_and_only_once(empty):
    """Besides: lists, the archiving, and the feed."""
    leads = adopted(empty, 12)
    empty.airtable.delete(leads[0])
    empty.trello.delete(empty.card(leads[1])["id"])
    empty.sync()
    assert empty.calls() == (1 + 1, 1 + 1 + 1 + 1 + 1)
    empty.assert_idle()
    assert empty.calls() == (1, 1)


def test_first_run_reads_archived_cards_too(empty):
    empty.lead()
    empty.sync()
    reads = [request.query.get("filter") for request in empty.emulator.requests if request.path.endswith("/cards")]
    assert "all" in reads
    empty.assert_idle()
    assert [request.query.get("filter") for request in empty.emulator.requests if "/cards" in request.path] == ["open"]


def test_columns_are_always_asked_for_by_name(empty):
    empty.linked()
    lists = [request for request in empty.emulator.requests if request.service == "airtable"]
    assert all(set(request.query["fields[]"]) == {"name", "email", "status", "source"} for request in lists)


def test_secrets_travel_in_headers_only(empty):
    lead = empty.linked()
    empty.trello.move(empty.card(lead)["id"], "DONE")
    empty.sync()
    secrets = (empty.trello.key, empty.trello.token, empty.airtable.token)
    for request in empty.emulator.requests:
        assert not any(secret in f"{request.path}?{request.raw_query}{request.body}" for secret in secrets)


def test_known_card_pushed_off_a_page_that_was_just_full_is_found(empty):
    """A thousand cards, then one more: the oldest, and only known, one is on a second page now."""
    (lead,) = adopted(empty, 1)
    for number in range(999):
        empty.trello.add_card("TODO", f"Foreign {number}")
    for _ in range(2):
        empty.sync()
    empty.trello.add_card("TODO", "One more")
    empty.assert_idle()
    empty.trello.move(empty.card(lead)["id"], "DONE")
    empty.sync()
    assert empty.status(lead) == "QUALIFIED"


def test_card_of_the_second_page_that_a_person_unarchived_is_seen(empty):
    """The newest 1000 cards show all that are known to be open, and a known archived one has come back behind them."""
    (old,) = adopted(empty, 1)
    for number in range(1000):
        empty.trello.add_card("TODO", f"Foreign {number}")
    empty.lead("New")
    empty.sync()
    empty.trello.archive(empty.card(old)["id"])
    empty.sync()
    empty.trello.edit(empty.card(old)["id"], closed=False, list_name="DONE")
    empty.sync()
    assert empty.status(old) == "QUALIFIED"


def test_older_foreign_cards_are_read_in_every_run(empty):
    adopted(empty, 2, foreign=1000)
    empty.assert_idle()
    assert empty.calls() == (1, 2)
