"""What the answers' headers and the feed tell of the services' clocks, of boards, lists and templates."""

from email.utils import parsedate_to_datetime

import pytest

from emulator import ManualClock


@pytest.mark.parametrize("start", [1_000_000_000.0, 2_000_000_000.0])
def test_date_header_follows_the_services_clock_not_the_machines(make, airtable, trello, start):
    """Reference: Date and X-Server-Time are the service's now, whatever the machine believes."""
    emulator = make(clock=ManualClock(start))
    emulator.clock.advance(90.5)
    lead, card = airtable(emulator)("GET", "Leads"), trello(emulator)("GET", f"boards/{emulator.trello.board_id}")
    for answer in (lead, card):
        assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == start + 90
    assert card.headers["X-Server-Time"] == str(int((start + 90.5) * 1000))


def test_headers_of_time_are_missing_when_the_knobs_say_so(make, airtable, trello):
    emulator = make(date_header=False, trello_server_time=False)
    for answer in (airtable(emulator)("GET", "Leads"), trello(emulator)("GET", f"boards/{emulator.trello.board_id}")):
        assert answer.status_code == 200
        assert not {"Date", "X-Server-Time"} & set(answer.headers)


def test_list_sent_to_another_board_is_told_on_both_and_its_cards_on_neither(make):
    emulator = make()
    card = emulator.trello.add_card("TODO", "Ada")
    elsewhere = emulator.trello.add_board("Elsewhere")
    before = len(emulator.trello.actions())
    emulator.trello.move_list("TODO", elsewhere)
    told = emulator.trello.actions()[: len(emulator.trello.actions()) - before]
    assert [(action["type"], action["data"]["board"]["id"]) for action in told] == [
        ("moveListToBoard", elsewhere),
        ("moveListFromBoard", emulator.trello.board_id),
    ]
    assert emulator.trello.card(card)["idBoard"] == elsewhere


def test_closed_board_and_new_list_are_told(make):
    emulator = make()
    emulator.trello.add_list("Waiting")
    emulator.trello.close_board()
    emulator.trello.close_board()
    emulator.trello.reopen_board()
    told = [(action["type"], action["data"].get("old")) for action in emulator.trello.actions()[:3]]
    assert told == [("updateBoard", {"closed": True}), ("updateBoard", {"closed": False}), ("createList", None)]


@pytest.mark.parametrize("told", [True, False])
def test_template_is_told_when_the_knob_says_so(make, told):
    emulator = make(trello_template_makes_action=told)
    card = emulator.trello.add_card("TODO", "Ada")
    emulator.trello.edit(card, isTemplate=True)
    latest = emulator.trello.actions()[0]["data"]
    assert (latest.get("old") == {"isTemplate": False}) == told
