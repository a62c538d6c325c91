"""Custom fields of a board, what cards have in them, and what the feed tells."""

import pytest

MISSING = "0" * 24


@pytest.fixture
def fields(emulator):
    """A field of each kind: name to id."""
    kinds = ("text", "number", "date", "checkbox")
    made = {kind: emulator.trello.make_custom_field(kind, kind) for kind in kinds}
    return made | {"list": emulator.trello.make_custom_field("list", "list", ("Low", "High"))}


def option(call, field, text):
    options = call("GET", f"customFields/{field}").json()["options"]
    return next(each["id"] for each in options if each["value"]["text"] == text)


def put(call, card, field, body):
    return call("PUT", f"cards/{card}/customField/{field}/item", json=body)


# Items


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("text", {"text": "cool"}, {"text": "cool"}),
        ("number", {"number": "1.5"}, {"number": "1.5"}),
        ("date", {"date": "2026-03-01T12:00:00+02:00"}, {"date": "2026-03-01T10:00:00.000Z"}),
        ("checkbox", {"checked": "true"}, {"checked": "true"}),
    ],
)
def test_item_is_set_read_and_cleared(emulator, call, card, fields, kind, value, stored):
    """All values are texts; a card that has nothing in a field has no item."""
    item = put(call, card, fields[kind], {"value": value}).json()
    assert item == {
        "id": item["id"],
        "value": stored,
        "idCustomField": fields[kind],
        "idModel": card,
        "modelType": "card",
    }
    assert call("GET", f"cards/{card}/customFieldItems").json() == [item]
    assert put(call, card, fields[kind], {"value": value}).json()["id"] == item["id"]
    for empty in ({"value": ""}, {"value": {}}):
        put(call, card, fields[kind], {"value": value})
        assert put(call, card, fields[kind], empty).ok
        assert call("GET", f"cards/{card}/customFieldItems").json() == []


def test_dropdown_holds_the_id_of_an_option(emulator, call, card, fields):
    high = option(call, fields["list"], "High")
    item = put(call, card, fields["list"], {"idValue": high}).json()
    assert (item["idValue"], "value" in item) == (high, False)
    assert emulator.trello.custom_fields(card) == {"list": "High"}
    assert put(call, card, fields["list"], {"idValue": ""}).ok
    assert call("GET", f"cards/{card}/customFieldItems").json() == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text", {"value": {"text": 7}}),
        ("text", {"value": {"number": "7"}}),
        ("text", {"value": "cool"}),
        ("text", {}),
        ("text", {"idValue": MISSING}),
        ("number", {"value": {"number": "many"}}),
        ("number", {"value": {"number": 5}}),
        ("number", {"value": {"number": "Infinity"}}),
        ("date", {"value": {"date": "soon"}}),
        ("checkbox", {"value": {"checked": "yes"}}),
        ("checkbox", {"value": {"checked": True}}),
        ("list", {"idValue": MISSING}),
        ("list", {"idValue": "High"}),
        ("list", {"value": {"text": "High"}}),
        ("list", {"value": {}}),
    ],
)
def test_value_of_another_kind_is_refused(emulator, call, card, fields, kind, body):
    answer = put(call, card, fields[kind], body)
    assert (answer.status_code, answer.text) == (400, "Invalid custom field item value.")
    assert emulator.trello.custom_fields(card) == {}


def test_form_with_brackets_as_recorded(call, card, fields):
    answer = call("PUT", f"cards/{card}/customField/{fields['text']}/item", data={"value[text]": "cool"})
    assert answer.json()["value"] == {"text": "cool"}


@pytest.mark.parametrize("removes", [False, True])
def test_checkbox_unticked_under_both_readings(make, trello, removes):
    emulator = make(trello_false_removes_item=removes)
    field, card = emulator.trello.make_custom_field("done", "checkbox"), emulator.trello.add_card()
    emulator.trello.set_custom_field(card, "done", "true")
    assert put(trello(emulator), card, field, {"value": {"checked": "false"}}).ok
    assert emulator.trello.custom_fields(card) == ({} if removes else {"done": "false"})


def test_items_come_with_cards_that_are_asked_for_them(emulator, call, card, fields):
    emulator.trello.set_custom_field(card, "number", "5")
    for path in (f"boards/{emulator.trello.board_id}/cards", f"lists/{emulator.trello.list_id('TODO')}/cards"):
        (shown,) = call("GET", path, params={"customFieldItems": "true", "fields": "name"}).json()
        assert [each["value"] for each in shown["customFieldItems"]] == [{"number": "5"}]
    assert "customFieldItems" not in call("GET", f"cards/{card}").json()
    assert call("GET", f"cards/{card}", params={"customFieldItems": "true"}).json()["customFieldItems"]


def test_several_items_in_one_call_or_none(emulator, call, card, fields):
    high = option(call, fields["list"], "High")
    items = [
        {"idCustomField": fields["text"], "value": {"text": "cool"}},
        {"idCustomField": fields["list"], "idValue": high},
    ]
    answer = call("PUT", f"cards/{card}/customFields", json={"customFieldItems": items}).json()
    assert [each["idCustomField"] for each in answer] == [fields["text"], fields["list"]]
    assert emulator.trello.custom_fields(card) == {"text": "cool", "list": "High"}
    cleared = [{"idCustomField": fields["text"], "value": ""}, {"idCustomField": fields["number"], "value": "many"}]
    refused = call("PUT", f"cards/{card}/customFields", json={"customFieldItems": cleared})
    assert refused.status_code == 400
    assert emulator.trello.custom_fields(card) == {"text": "cool", "list": "High"}
    assert call("PUT", f"cards/{card}/customFields", json={}).text == "invalid value for customFieldItems"


def test_board_without_the_plan_and_service_without_the_batch(make, trello):
    emulator = make(trello_custom_fields=False)
    field, card = emulator.trello.make_custom_field("x"), emulator.trello.add_card()
    call = trello(emulator)
    body = {"idModel": emulator.trello.board_id, "modelType": "board", "name": "y", "type": "text", "pos": "bottom"}
    assert put(call, card, field, {"value": {"text": "cool"}}).status_code == 403
    assert call("POST", "customFields", json=body).status_code == 403
    emulator = make(trello_custom_field_batch=False)
    card = emulator.trello.add_card()
    answer = trello(emulator)("PUT", f"cards/{card}/customFields", json={"customFieldItems": []})
    assert (answer.status_code, answer.text) == (404, f"Cannot PUT /1/cards/{card}/customFields")


def test_field_that_is_missing_or_of_another_board(emulator, call, card, fields):
    other = emulator.trello.add_card(idList=emulator.trello.list_id("TODO", emulator.trello.add_board("Other")))
    for where, field in ((card, MISSING), (other, fields["text"])):
        assert put(call, where, field, {"value": {"text": "cool"}}).status_code == 404
    assert put(call, card, "text", {"value": {"text": "cool"}}).text == "invalid id"


# The feed


def test_feed_tells_the_value_and_the_former_one(emulator, call, card, fields, feed):
    put(call, card, fields["text"], {"value": {"text": "cool"}})
    emulator.trello.set_custom_field(card, "text", "nice")
    emulator.trello.set_custom_field(card, "text", None)
    last, second, first = feed(filter="updateCustomFieldItem")
    assert set(first["data"]) == {"old", "customField", "customFieldItem", "card", "board"}
    assert first["data"]["customField"] == {"id": fields["text"], "name": "text", "type": "text"}
    assert first["data"]["old"] == {"value": None}
    assert second["data"]["old"] == {"value": {"text": "cool"}}
    assert second["data"]["customFieldItem"]["value"] == {"text": "nice"}
    assert last["data"]["customFieldItem"]["value"] is None
    assert (first["appCreator"] is None, second["appCreator"] is None) == (False, True)


def test_feed_tells_options_by_their_ids(emulator, call, card, fields, feed):
    emulator.trello.set_custom_field(card, "list", "Low")
    emulator.trello.set_custom_field(card, "list", "High")
    second, first = feed(filter="updateCustomFieldItem")
    assert first["data"]["old"] == {"idValue": None}
    assert second["data"]["old"] == {"idValue": option(call, fields["list"], "Low")}
    assert second["data"]["customFieldItem"]["idValue"] == option(call, fields["list"], "High")


def test_equal_value_makes_no_action_and_another_moves_the_activity(emulator, call, card, fields, feed):
    emulator.trello.set_custom_field(card, "text", "cool")
    emulator.clock.advance(5)
    put(call, card, fields["text"], {"value": {"text": "cool"}})
    assert emulator.trello.card(card)["dateLastActivity"] == "2026-01-01T00:00:00.000Z"
    put(call, card, fields["text"], {"value": {"text": "nice"}})
    assert emulator.trello.card(card)["dateLastActivity"] == "2026-01-01T00:00:05.000Z"
    assert len(feed(filter="updateCustomFieldItem")) == 2


# Definitions


def test_definitions_of_a_board(emulator, call, fields):
    listed = call("GET", f"boards/{emulator.trello.board_id}/customFields").json()
    assert [each["type"] for each in listed] == ["text", "number", "date", "checkbox", "list"]
    assert set(listed[0]) == {
        *("id", "idModel", "modelType", "fieldGroup", "display", "name", "pos", "type", "isSuggestedField")
    }
    assert [each["pos"] for each in listed[:2]] == [16384, 32768]
    assert [each["value"]["text"] for each in listed[-1]["options"]] == ["Low", "High"]
    nested = call("GET", f"boards/{emulator.trello.board_id}", params={"customFields": "true"}).json()
    assert nested["customFields"] == listed


def test_definition_is_made_renamed_and_deleted(emulator, call, card, feed):
    body = {"idModel": emulator.trello.board_id, "modelType": "board", "name": "Deal", "type": "number", "pos": "top"}
    made = call("POST", "customFields", json=body).json()
    assert made["limits"]["customFieldOptions"]["perField"]["disableAt"] == 50
    emulator.trello.set_custom_field(card, "Deal", "5")
    assert call("PUT", f"customFields/{made['id']}", json={"name": "Value"}).json()["name"] == "Value"
    assert emulator.trello.custom_fields(card) == {"Value": "5"}
    assert call("PUT", f"customFields/{made['id']}", json={"display_cardFront": True}).status_code == 501
    assert call("DELETE", f"customFields/{made['id']}").json() == {}
    assert call("GET", f"customFields/{made['id']}").status_code == 404
    assert call("GET", f"cards/{card}/customFieldItems").json() == []
    kinds = [each["type"] for each in feed()]
    assert kinds[:4] == ["deleteCustomField", "updateCustomField", "updateCustomFieldItem", "createCustomField"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"type": "money"}, "invalid value for type"),
        ({"name": ""}, "invalid value for name"),
        ({"modelType": "card"}, "invalid value for modelType"),
        ({"idModel": "Sales"}, "invalid value for idModel"),
        ({"options": [{"value": {"text": "x"}}]}, "invalid value for options"),
    ],
)
def test_refused_definition(emulator, call, change, text):
    body = {"idModel": emulator.trello.board_id, "modelType": "board", "name": "x", "type": "text", "pos": "bottom"}
    answer = call("POST", "customFields", json=body | change)
    assert (answer.status_code, answer.text) == (400, text)


def test_fifty_fields_and_fifty_options_are_the_most(emulator, call, fields):
    for number in range(45):
        emulator.trello.make_custom_field(str(number))
    body = {"idModel": emulator.trello.board_id, "modelType": "board", "name": "x", "type": "text", "pos": "bottom"}
    assert call("POST", "customFields", json=body).status_code == 403
    for number in range(48):
        emulator.trello.add_option("list", str(number))
    assert call("POST", f"customFields/{fields['list']}/options", json={"value": {"text": "x"}}).status_code == 403


def test_options_come_and_go(emulator, call, card, fields):
    path = f"customFields/{fields['list']}/options"
    made = call("POST", path, data={"value[text]": "Mid", "pos": "top"}).json()
    assert made == {
        "id": made["id"],
        "idCustomField": fields["list"],
        "value": {"text": "Mid"},
        "color": "none",
        "pos": 8192,
    }
    listed = call("GET", path).json()
    assert [each["value"]["text"] for each in listed] == ["Mid", "Low", "High"]
    assert set(listed[0]) == {"_id", "value", "color", "pos"}
    assert call("GET", f"{path}/{made['id']}").json() == made
    emulator.trello.set_custom_field(card, "list", "Mid")
    assert call("DELETE", f"{path}/{made['id']}").json() == {}
    assert emulator.trello.custom_fields(card) == {}
    assert call("GET", f"{path}/{made['id']}").status_code == 404
    assert call("POST", f"customFields/{fields['text']}/options", json={"value": {"text": "x"}}).status_code == 400


# Cards that move and are copied


def test_copy_has_items_of_its_own_and_a_move_loses_them(emulator, call, card, fields):
    emulator.trello.set_custom_field(card, "text", "cool")
    copied = emulator.trello.copy(card)
    assert emulator.trello.custom_fields(copied) == {"text": "cool"}
    first, second = (call("GET", f"cards/{each}/customFieldItems").json()[0]["id"] for each in (card, copied))
    assert first != second
    emulator.trello.move_to_board(card, emulator.trello.add_board("Other"))
    assert emulator.trello.custom_fields(card) == {}


def test_py_trello_works_with_custom_fields(emulator, client_of, card, fields):
    """It writes /card/… where the reference says /cards/…"""
    emulator.trello.set_custom_field(card, "list", "Low")
    emulator.trello.set_custom_field(card, "number", "5")
    board = client_of(emulator).get_board(emulator.trello.board_id)
    (shown,) = board.open_cards()
    assert {each.name: each.value for each in shown.custom_fields} == {"list": "Low", "number": 5.0}
    definition = next(each for each in board.get_custom_field_definitions() if each.name == "text")
    shown.set_custom_field("cool", definition)
    assert emulator.trello.custom_fields(card)["text"] == "cool"


def test_impossible_values_by_hand_raise(emulator, card, fields):
    with pytest.raises(ValueError, match="Invalid custom field item value"):
        emulator.trello.set_custom_field(card, "number", "many")
    with pytest.raises(KeyError, match="Mid"):
        emulator.trello.set_custom_field(card, "list", "Mid")
    with pytest.raises(KeyError, match="colour"):
        emulator.trello.set_custom_field(card, "colour", "x")
