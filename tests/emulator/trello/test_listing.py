"""Cards of a board, page by page."""

import pytest

from support.answers import names


def test_filters_of_board_cards(emulator, call):
    """open includes cards of archived lists, visible does not, and visible is the default."""
    emulator.trello.add_list("OLD")
    emulator.trello.add_card("TODO", "seen")
    emulator.trello.add_card("OLD", "hidden")
    emulator.trello.archive(emulator.trello.add_card("TODO", "archived"))
    emulator.trello.archive_list("OLD")
    board = emulator.trello.board_id
    expected = {
        "open": ["seen", "hidden"],
        "visible": ["seen"],
        "closed": ["archived"],
        "all": ["seen", "archived", "hidden"],
        "none": [],
    }
    for wanted, shown in expected.items():
        assert names(call("GET", f"boards/{board}/cards/{wanted}")) == shown
        assert names(call("GET", f"boards/{board}/cards", params={"filter": wanted})) == shown
    assert names(call("GET", f"boards/{board}/cards")) == ["seen"]
    assert call("GET", f"boards/{board}/cards/some").text == "invalid value for filter"


def test_unlimited_order_is_by_list_and_position(emulator, call):
    for place, name in (("DONE", "c"), ("TODO", "a"), ("TODO", "b")):
        emulator.trello.add_card(place, name)
    assert names(call("GET", f"boards/{emulator.trello.board_id}/cards")) == ["a", "b", "c"]


def test_limit_takes_the_newest_and_before_continues(emulator, call):
    """Pages by creation, newest first; nothing lost, nothing twice, order inside a page not promised."""
    made = []
    for number in range(25):
        made.append(emulator.trello.add_card("TODO", str(number)))
        if number % 3 == 0:
            emulator.clock.advance(1)
    seen, before, pages = [], None, []
    while True:
        params = {"limit": 10, "filter": "all", "fields": "name", "before": before}
        page = [card["id"] for card in call("GET", f"boards/{emulator.trello.board_id}/cards", params=params).json()]
        pages.append(page)
        seen += page
        if len(page) < 10:
            break
        before = min(page)
    assert [set(page) for page in pages] == [set(made[15:]), set(made[5:15]), set(made[:5])]
    assert pages[0] != sorted(pages[0])
    assert pages[0] != sorted(pages[0], reverse=True)


def test_since_is_about_creation_not_activity(emulator, call):
    old = emulator.trello.add_card("TODO", "old")
    emulator.clock.advance(100)
    emulator.trello.add_card("TODO", "new")
    emulator.trello.edit(old, desc="touched")
    for since in ("2026-01-01T00:01:00Z", old):
        answer = call("GET", f"boards/{emulator.trello.board_id}/cards", params={"since": since, "limit": 10})
        assert names(answer) == ["new"]


@pytest.mark.parametrize(("cap", "count"), [(3, 3), (None, 5)])
def test_cap_of_an_unlimited_answer_under_both_readings(make, trello, cap, count):
    emulator = make(trello_page_cap=cap)
    made = [emulator.trello.add_card("TODO", str(number)) for number in range(5)]
    cards = trello(emulator)("GET", f"boards/{emulator.trello.board_id}/cards").json()
    assert [card["id"] for card in cards] == made[-count:]


@pytest.mark.parametrize("limit", ["1001", "-1", "many"])
def test_limit_out_of_range_is_refused(emulator, call, limit):
    answer = call("GET", f"boards/{emulator.trello.board_id}/cards", params={"limit": limit})
    assert (answer.status_code, answer.text) == (400, "invalid value for limit")


def test_fields_are_a_comma_list_and_id_always_comes(emulator, call):
    card = emulator.trello.add_card("TODO", "Ada")
    assert call("GET", f"cards/{card}", params={"fields": "name,idList"}).json() == {
        "id": card,
        "name": "Ada",
        "idList": emulator.trello.list_id("TODO"),
    }
    assert call("GET", f"cards/{card}", params={"fields": ""}).json() == {"id": card}
    assert call("GET", f"cards/{card}/name").json() == {"_value": "Ada"}


def test_nested_actions_on_a_thousand_cards_are_refused(emulator, call):
    for _ in range(1000):
        emulator.trello.add_card()
    path = f"boards/{emulator.trello.board_id}/cards"
    answer = call("GET", path, params={"actions": "all"})
    assert (answer.status_code, answer.json()["error"]) == (403, "API_TOO_MANY_CARDS_REQUESTED")
    assert call("GET", path, params={"actions": "all", "limit": 2}).json()[0]["actions"][0]["type"] == "createCard"
