"""The action feed: one action a changed field, newest first, with what was there before."""

import pytest


def test_move_carries_both_lists(emulator, call, feed):
    """data.card.idList is the new list, data.old.idList the former one; names stand in listBefore and listAfter."""
    card = emulator.trello.add_card("TODO", "Ada")
    emulator.clock.advance(1.5)
    done = emulator.trello.list_id("DONE")
    call("PUT", f"cards/{card}", json={"idList": done})
    action = feed()[0]
    assert action["type"] == "updateCard"
    assert action["date"] == "2026-01-01T00:00:01.500Z"
    data = action["data"]
    assert data["card"]["idList"] == done
    assert data["old"] == {"idList": emulator.trello.list_id("TODO")}
    assert (data["listBefore"]["name"], data["listAfter"]["name"]) == ("TODO", "DONE")
    assert "list" not in data
    assert set(data["board"]) == {"id", "name", "shortLink"}
    assert set(action) == {
        "id",
        "idMemberCreator",
        "data",
        "appCreator",
        "type",
        "date",
        "limits",
        "memberCreator",
    }


def test_one_action_per_changed_field_newest_first(emulator, call, feed):
    card = emulator.trello.add_card("TODO", "Ada")
    body = {"name": "Bob", "desc": "x", "closed": True, "idList": emulator.trello.list_id("DONE")}
    call("PUT", f"cards/{card}", json=body)
    actions = feed()
    assert [set(action["data"]["old"]) for action in actions[:-1]] == [
        {"idList"},
        {"closed"},
        {"desc"},
        {"name"},
    ]
    assert actions[-1]["type"] == "createCard"
    assert actions[-2]["data"]["old"] == {"name": "Ada"}
    assert actions[-2]["data"]["card"]["name"] == "Bob"
    assert [action["id"] for action in actions] == sorted((action["id"] for action in actions), reverse=True)


def test_app_creator_tells_programs_from_people(emulator, call, feed):
    """The member is the same: the token's owner is a human as well."""
    card = emulator.trello.add_card("TODO", "Ada")
    call("PUT", f"cards/{card}", json={"name": "by program"})
    emulator.trello.edit(card, name="by hand")
    by_hand, by_program, created = feed()
    assert by_program["appCreator"] == {"id": emulator.trello.app_id}
    assert by_hand["appCreator"] is None
    assert created["appCreator"] is None
    assert by_hand["idMemberCreator"] == by_program["idMemberCreator"]


def test_drag_is_two_actions(emulator, call, feed):
    """First the list, then the position."""
    emulator.trello.add_card("DONE")
    card = emulator.trello.add_card("TODO", "Ada")
    emulator.trello.move(card, "DONE")
    assert [set(action["data"]["old"]) for action in feed(limit=2)] == [{"pos"}, {"idList"}]


def test_archive_and_restore_say_the_former_value(emulator, call, feed):
    card = emulator.trello.add_card()
    emulator.trello.archive(card), emulator.trello.unarchive(card)
    assert [action["data"]["old"] for action in feed(filter="updateCard:closed")] == [
        {"closed": True},
        {"closed": False},
    ]


def test_delete_purges_earlier_actions(emulator, call, feed):
    """What stays is a deleteCard without name and description."""
    card = emulator.trello.add_card("TODO", "Ada", "LeadID: x")
    emulator.trello.edit(card, name="Bob")
    emulator.trello.delete(card)
    (action,) = feed()
    assert action["type"] == "deleteCard"
    assert set(action["data"]["card"]) == {"id", "idShort", "shortLink"}
    assert set(action["data"]) == {"card", "list", "board"}


def test_board_move_is_told_on_both_boards(emulator, call, feed):
    other = emulator.trello.add_board("Other")
    card = emulator.trello.add_card()
    emulator.trello.move_to_board(card, other)
    gone = feed()[0]
    came = call("GET", f"boards/{other}/actions").json()[0]
    assert gone["type"] == "moveCardFromBoard"
    assert gone["data"]["boardTarget"]["id"] == other
    assert came["type"] == "moveCardToBoard"
    assert came["data"]["boardSource"]["id"] == emulator.trello.board_id


def test_filter_is_a_comma_list_with_fields(emulator, call, feed):
    card = emulator.trello.add_card("TODO", "Ada")
    emulator.trello.edit(card, name="Bob", desc="x")
    emulator.trello.move(card, "DONE")
    kinds = [action["data"].get("old") for action in feed(filter="createCard,updateCard:name")]
    assert kinds == [{"name": "Ada"}, None]
    assert len(feed(filter="updateCard")) == 3


def test_card_feed_shows_moves_and_comments_only_by_default(emulator, call):
    card = emulator.trello.add_card("TODO", "Ada")
    emulator.trello.edit(card, name="Bob")
    emulator.trello.move(card, "DONE")
    call("POST", f"cards/{card}/actions/comments", json={"text": "hello"})
    path = f"cards/{card}/actions"
    assert [action["type"] for action in call("GET", path).json()] == ["commentCard", "updateCard"]
    assert len(call("GET", path, params={"filter": "all"}).json()) == 4


def test_feed_pages_of_fifty_by_default_and_before_continues(emulator, call, feed):
    for number in range(60):
        emulator.trello.add_card("TODO", str(number))
    first = feed()
    rest = feed(before=first[-1]["id"])
    assert (len(first), len(rest)) == (50, 10)
    assert len(feed(limit=1000)) == 60
    assert feed(page=1) == rest
    refused = call("GET", f"boards/{emulator.trello.board_id}/actions", params={"limit": 1001})
    assert (refused.status_code, refused.text) == (400, "invalid value for limit")


def test_since_by_id_and_by_date_with_milliseconds(emulator, call, feed):
    emulator.trello.add_card("TODO", "a")
    newest = feed()[0]
    emulator.clock.advance(0.5)
    emulator.trello.add_card("TODO", "b")
    for since in (newest["id"], newest["date"]):
        assert [each["data"]["card"]["name"] for each in feed(since=since)] == ["b"]


def test_due_at_creation_makes_an_action_before_create_card(emulator, call, feed):
    call("POST", "cards", json={"idList": emulator.trello.list_id("TODO"), "due": "2026-03-01"})
    assert [action["type"] for action in feed()] == ["createCard", "updateCard"]


@pytest.mark.parametrize(("makes", "count"), [(True, 2), (False, 1)])
def test_position_alone_under_both_readings(make, trello, makes, count):
    emulator = make(trello_pos_makes_action=makes)
    card = emulator.trello.add_card()
    trello(emulator)("PUT", f"cards/{card}", json={"pos": 7})
    assert len(emulator.trello.actions()) == count
