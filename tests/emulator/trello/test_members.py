"""Members of a board and of its cards, and what the feed tells of them."""

import json

import pytest

MISSING = "0" * 24


@pytest.fixture
def eve(emulator):
    return emulator.trello.invite("Eve Adams")


def test_members_of_a_board(emulator, call, eve):
    board = emulator.trello.board_id
    members = call("GET", f"boards/{board}/members").json()
    assert [each["fullName"] for each in members] == ["Sales Owner", "Eve Adams"]
    assert (members[1]["username"], members[1]["initials"]) == ("eveadams", "EA")
    assert [each["id"] for each in call("GET", f"boards/{board}/members?filter=normal").json()] == [eve]
    assert [each["id"] for each in call("GET", f"boards/{board}/members/admins").json()] == [members[0]["id"]]
    assert call("GET", f"boards/{board}/members?filter=some").text == "invalid value for filter"
    assert call("GET", f"boards/{board}/members", params={"fields": "username"}).json()[1] == {
        "id": eve,
        "username": "eveadams",
    }
    memberships = call("GET", f"boards/{board}/memberships").json()
    assert [(each["idMember"], each["memberType"]) for each in memberships] == [
        (members[0]["id"], "admin"),
        (eve, "normal"),
    ]
    assert len({each["id"] for each in memberships} | {board}) == 3
    assert call("GET", f"boards/{board}", params={"fields": "memberships"}).json()["memberships"] == memberships
    nested = call("GET", f"boards/{board}", params={"members": "all", "member_fields": "fullName"}).json()["members"]
    assert nested[1] == {"id": eve, "fullName": "Eve Adams"}


def test_other_members_are_found_by_id_and_username(emulator, call, eve):
    assert call("GET", "members/eveadams").json()["id"] == eve
    assert call("GET", f"members/{eve}", params={"fields": "fullName"}).json() == {"id": eve, "fullName": "Eve Adams"}
    assert call("GET", f"members/{MISSING}").status_code == 404
    answer = call("GET", f"members/{eve}/boards")
    assert (answer.status_code, answer.text.startswith("emulator:")) == (501, True)


@pytest.mark.parametrize("form", ["list", "text"])
def test_put_replaces_the_whole_set(emulator, call, card, eve, form):
    owner = call("GET", "members/me").json()["id"]
    for ids in ([owner, eve], [eve], []):
        sent = ids if form == "list" else ",".join(ids)
        assert call("PUT", f"cards/{card}", json={"idMembers": sent}).json()["idMembers"] == ids
        assert [each["id"] for each in call("GET", f"cards/{card}/members").json()] == ids


def test_refused_set_changes_nothing(emulator, call, card, eve):
    stranger = emulator.trello.invite("Ina", board=emulator.trello.add_board("Other"))
    emulator.trello.add_member(card, eve)
    for ids in ([MISSING], [stranger], [eve, eve], ["Eve Adams"]):
        answer = call("PUT", f"cards/{card}", json={"name": "Bob", "idMembers": ids})
        assert (answer.status_code, answer.text) == (400, "invalid value for idMembers")
        made = call("POST", "cards", json={"idList": emulator.trello.list_id("TODO"), "idMembers": ids})
        assert (made.status_code, made.text) == (400, "invalid value for idMembers")
    shown = emulator.trello.card(card)
    assert (shown["name"], shown["idMembers"]) == ("Ada", [eve])
    assert len(emulator.trello.cards()) == 1


def test_who_left_the_board_stays_on_the_card(emulator, call, card, eve):
    emulator.trello.add_member(card, "Eve Adams")
    emulator.trello.dismiss("Eve Adams")
    assert call("PUT", f"cards/{card}", json={"idMembers": [eve]}).json()["idMembers"] == [eve]
    call("PUT", f"cards/{card}", json={"idMembers": []})
    assert call("PUT", f"cards/{card}", json={"idMembers": [eve]}).status_code == 400


def test_single_member_added_and_removed(emulator, call, card, eve):
    added = call("POST", f"cards/{card}/idMembers", json={"value": eve})
    assert [each["fullName"] for each in added.json()] == ["Eve Adams"]
    again = call("POST", f"cards/{card}/idMembers", json={"value": eve})
    assert (again.status_code, again.text) == (400, "member is already on the card")
    assert call("POST", f"cards/{card}/idMembers", json={"value": MISSING}).text == "invalid value for value"
    assert call("DELETE", f"cards/{card}/idMembers/{eve}").json() == []
    assert call("DELETE", f"cards/{card}/idMembers/{eve}").status_code == 400


@pytest.mark.parametrize("way", ["put", "single", "hand"])
def test_feed_tells_who_came_and_who_left(emulator, call, card, eve, way, feed):
    """The member stands beside the data too; no list is named."""
    if way == "put":
        call("PUT", f"cards/{card}", json={"idMembers": [eve]}), call("PUT", f"cards/{card}", json={"idMembers": ""})
    elif way == "single":
        call("POST", f"cards/{card}/idMembers", json={"value": eve}), call("DELETE", f"cards/{card}/idMembers/{eve}")
    else:
        emulator.trello.add_member(card, eve), emulator.trello.remove_member(card, eve)
    left, came, _ = feed()
    assert (left["type"], came["type"]) == ("removeMemberFromCard", "addMemberToCard")
    assert set(came["data"]) == {"idMember", "member", "card", "board"}
    assert came["data"]["member"] == {"id": eve, "name": "Eve Adams"}
    assert left["data"]["deactivated"] is False
    assert left["data"]["idMember"] == came["data"]["idMember"] == came["member"]["id"] == eve


def test_equal_set_makes_no_action(emulator, call, card, eve, feed):
    emulator.trello.add_member(card, eve)
    before = feed()
    emulator.clock.advance(5)
    call("PUT", f"cards/{card}", json={"idMembers": [eve]})
    assert feed() == before
    assert emulator.trello.card(card)["dateLastActivity"].startswith("2026-01-01T00:00:00")


def test_members_at_creation_are_told_before_it(emulator, call, eve, feed):
    body = {"idList": emulator.trello.list_id("TODO"), "idMembers": eve, "due": "2026-03-01"}
    call("POST", "cards", json=body)
    assert [each["type"] for each in feed()] == ["createCard", "addMemberToCard", "updateCard"]


def test_copy_tells_only_of_what_it_was_given(emulator, call, card, eve, feed):
    emulator.trello.edit(card, due="2026-03-01")
    emulator.trello.add_member(card, eve)
    known = len(feed())
    body = {"idList": emulator.trello.list_id("DONE"), "idCardSource": card}
    copied = call("POST", "cards", json=body).json()
    assert (copied["idMembers"], copied["due"]) == ([eve], "2026-03-01T00:00:00.000Z")
    assert len(feed()) == known + 1
    call("POST", "cards", json=body | {"due": "2026-04-01"})
    assert [each["type"] for each in feed()[:2]] == ["copyCard", "updateCard"]


def test_members_of_other_boards_are_dropped_by_a_move(emulator, call, card, eve):
    owner = call("GET", "members/me").json()["id"]
    call("PUT", f"cards/{card}", json={"idMembers": [owner, eve]})
    moved = call("PUT", f"cards/{card}", json={"idBoard": emulator.trello.add_board("Other")}).json()
    assert moved["idMembers"] == [owner]


def test_nested_members_of_cards(emulator, call, card, eve):
    emulator.trello.add_member(card, eve)
    (shown,) = call("GET", f"boards/{emulator.trello.board_id}/cards", params={"members": "true"}).json()
    assert [set(each) for each in shown["members"]] == [{"id", "avatarHash", "fullName", "initials", "username"}]
    named = call("GET", f"cards/{card}", params={"members": "true", "member_fields": "fullName"}).json()["members"]
    assert named == [{"id": eve, "fullName": "Eve Adams"}]


def test_edit_by_another_member_names_that_member(emulator, call, card, eve, feed):
    with emulator.trello.acting_as("Eve Adams"):
        emulator.trello.edit(card, name="Bob")
    emulator.trello.edit(card, name="Bo")
    by_owner, by_eve = feed()[:2]
    assert (by_eve["idMemberCreator"], by_eve["memberCreator"]["fullName"]) == (eve, "Eve Adams")
    assert by_owner["memberCreator"]["fullName"] == "Sales Owner"


def test_webhook_on_a_member_hears_of_its_cards(emulator, call, card, callback):
    owner = call("GET", "members/me").json()["id"]
    call("POST", "webhooks", json={"callbackURL": callback.url, "idModel": owner})
    emulator.trello.add_member(card, owner)
    assert emulator.settle()
    assert [json.loads(body)["action"]["type"] for _, body in callback.posts] == ["addMemberToCard"]


def test_py_trello_works_with_members(emulator, client_of, card, eve):
    client = client_of(emulator)
    board = client.get_board(emulator.trello.board_id)
    member = next(each for each in board.get_members() if each.id == eve)
    shown = client.get_card(card)
    shown.add_member(member)
    assert client.get_card(card).member_id == [eve]
    shown.remove_member(member)
    assert client.get_card(card).member_id == []
