"""Labels of a board and of its cards, and how little the feed knows of them."""

import json

import pytest

MISSING = "0" * 24


@pytest.fixture
def labels(emulator):
    return [emulator.trello.make_label(name, "red") for name in ("hot", "cold", "new")]


# Cards


@pytest.mark.parametrize("form", ["list", "text"])
def test_put_replaces_the_whole_set(emulator, call, card, labels, form):
    for ids in (labels[:2], labels[1:], []):
        sent = ids if form == "list" else ",".join(ids)
        changed = call("PUT", f"cards/{card}", json={"idLabels": sent}).json()
        assert changed["idLabels"] == ids
        assert [each["id"] for each in changed["labels"]] == ids
    assert changed["labels"] == []


@pytest.mark.parametrize(("clears", "left"), [(True, 0), (False, 1)])
def test_null_for_a_set_under_both_readings(make, trello, clears, left):
    emulator = make(trello_null_clears_sets=clears)
    label, card = emulator.trello.make_label("hot"), emulator.trello.add_card()
    emulator.trello.add_label(card, label)
    emulator.trello.add_member(card, "Sales Owner")
    changed = trello(emulator)("PUT", f"cards/{card}", json={"idLabels": None, "idMembers": None}).json()
    assert (len(changed["idLabels"]), len(changed["idMembers"])) == (left, left)


def test_refused_set_changes_nothing(emulator, call, card, labels):
    emulator.trello.add_label(card, "hot")
    foreign = emulator.trello.make_label("far", board=emulator.trello.add_board("Other"))
    for ids, text in (
        ([MISSING], "label not found"),
        ([foreign], "label not found"),
        ([labels[1], labels[1]], "label not found"),
        (["hot"], "invalid value for idLabels"),
    ):
        answer = call("PUT", f"cards/{card}", json={"name": "Bob", "idLabels": ids})
        assert (answer.status_code, answer.text) == (400, text)
    shown = emulator.trello.card(card)
    assert (shown["name"], shown["idLabels"]) == ("Ada", [labels[0]])


def test_replaced_set_is_told_as_it_is_after(emulator, call, card, labels, feed):
    """The feed names no label that came or went, and in most exports no former set."""
    emulator.trello.add_label(card, "hot")
    call("PUT", f"cards/{card}", json={"idLabels": labels[1:]})
    action = feed()[0]
    assert action["type"] == "updateCard"
    assert action["data"]["card"]["idLabels"] == labels[1:]
    assert action["data"]["old"] == {"idLabels": labels[1:]}
    assert len(feed(filter="updateCard:idLabels")) == 2
    assert {each["type"] for each in feed()} == {"updateCard", "createCard"}


def test_former_set_in_the_feed_by_knob(make, trello):
    emulator = make(trello_old_labels="before")
    label, card = emulator.trello.make_label("hot"), emulator.trello.add_card()
    emulator.trello.add_label(card, label)
    actions = trello(emulator)("GET", f"boards/{emulator.trello.board_id}/actions").json()
    assert actions[0]["data"]["old"] == {"idLabels": []}


def test_label_added_or_removed_alone_leaves_nothing_in_the_feed(emulator, call, card, labels, feed):
    assert call("POST", f"cards/{card}/idLabels", json={"value": labels[0]}).json() == [labels[0]]
    assert call("DELETE", f"cards/{card}/idLabels/{labels[0]}").json() == {"_value": None}
    made = call("POST", f"cards/{card}/labels", json={"name": "late", "color": "sky"}).json()
    assert made["idBoard"] == emulator.trello.board_id
    emulator.trello.add_label(card, "hot", traced=False)
    emulator.trello.remove_label(card, "hot", traced=False)
    assert emulator.trello.card(card)["idLabels"] == [made["id"]]
    assert [each["type"] for each in feed()] == ["createCard"]


def test_labels_move_the_activity_of_a_card_and_their_names_do_not(emulator, call, card, labels):
    emulator.clock.advance(5)
    call("POST", f"cards/{card}/idLabels", json={"value": labels[0]})
    emulator.clock.advance(5)
    emulator.trello.rename_label("hot", "hotter")
    shown = call("GET", f"cards/{card}").json()
    assert shown["dateLastActivity"] == "2026-01-01T00:00:05.000Z"
    assert shown["labels"][0]["name"] == "hotter"


def test_webhook_hears_which_label_came(emulator, call, card, labels, callback):
    """And then, if the set was replaced, the set, with the former one."""
    call("POST", "webhooks", json={"callbackURL": callback.url, "idModel": emulator.trello.board_id})
    emulator.trello.add_label(card, "hot")
    call("DELETE", f"cards/{card}/idLabels/{labels[0]}")
    emulator.trello.rename_label("hot", "hotter")
    emulator.trello.delete_label("hotter")
    assert emulator.settle()
    actions = [json.loads(body)["action"] for _, body in callback.posts]
    assert sorted(each["type"] for each in actions) == sorted(
        ["addLabelToCard", "updateCard", "removeLabelFromCard", "updateLabel", "deleteLabel"]
    )
    told = {each["type"]: each["data"] for each in actions}
    assert told["addLabelToCard"]["label"] == {"id": labels[0], "name": "hot", "color": "red"}
    assert set(told["addLabelToCard"]) == {"value", "text", "label", "card", "board"}
    assert told["updateCard"]["old"] == {"idLabels": []}


def test_deleted_label_leaves_its_cards(emulator, call, card, labels):
    emulator.trello.add_label(card, "hot")
    assert call("DELETE", f"labels/{labels[0]}").json() == {"limits": {}}
    assert call("GET", f"cards/{card}").json()["idLabels"] == []
    assert call("GET", f"labels/{labels[0]}").status_code == 404


# Boards


@pytest.mark.parametrize("path", ["labels", "boards/{board}/labels"])
def test_labels_may_share_name_and_colour(emulator, call, path):
    board = emulator.trello.board_id
    body = {"name": "hot", "color": "red"} | ({"idBoard": board} if path == "labels" else {})
    made = [call("POST", path.format(board=board), json=body).json() for _ in range(2)]
    assert len({each["id"] for each in made}) == 2
    assert made[0] | {"id": ""} == {"id": "", "idBoard": board, "name": "hot", "color": "red", "limits": {}}


def test_colourless_label_and_a_colour_that_is_none(emulator, call):
    path = f"boards/{emulator.trello.board_id}/labels"
    assert call("POST", path, json={"name": "x", "color": None}).json()["color"] is None
    answer = call("POST", path, json={"name": "x", "color": "mauve"})
    assert (answer.status_code, answer.text) == (400, "invalid value for color")


def test_fifty_labels_are_listed_unless_more_are_asked_for(emulator, call):
    for number in range(60):
        emulator.trello.make_label(str(number))
    path = f"boards/{emulator.trello.board_id}/labels"
    assert len(call("GET", path).json()) == 50
    assert len(call("GET", path, params={"limit": 1000}).json()) == 60
    assert call("GET", path, params={"limit": 1001}).status_code == 400
    assert set(call("GET", path, params={"fields": "name"}).json()[0]) == {"id", "name"}


@pytest.mark.parametrize("whole", [True, False])
def test_label_renamed_and_recoloured_by_call(emulator, call, labels, whole):
    if whole:
        changed = call("PUT", f"labels/{labels[0]}", json={"name": "warm", "color": None}).json()
    else:
        call("PUT", f"labels/{labels[0]}/name", json={"value": "warm"})
        changed = call("PUT", f"labels/{labels[0]}/color", json={"value": None}).json()
    assert (changed["name"], changed["color"]) == ("warm", None)
    assert call("PUT", f"labels/{labels[0]}/idBoard", json={"value": "x"}).status_code == 501


def test_py_trello_works_with_labels(emulator, client_of, card):
    board = client_of(emulator).get_board(emulator.trello.board_id)
    label = board.add_label("hot", "red")
    shown = board.client.get_card(card)
    shown.add_label(label)
    assert [each.name for each in board.client.get_card(card).labels] == ["hot"]
    shown.remove_label(label)
    assert not board.client.get_card(card).labels
    assert [each.name for each in board.get_labels()] == ["hot"]
