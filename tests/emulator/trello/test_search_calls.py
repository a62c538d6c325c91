"""Search, batch, labels and webhooks as stored objects."""

import pytest

MISSING = "0" * 24


def test_search_index_lags(emulator, call):
    emulator.trello.add_card("TODO", "Ada", "LeadID: recABC")
    params = {"query": "recABC", "modelTypes": "cards", "card_fields": "name"}
    assert call("GET", "search", params=params).json()["cards"] == []
    emulator.clock.advance(10)
    found = call("GET", "search", params=params).json()
    assert [card["name"] for card in found["cards"]] == ["Ada"]
    assert found["options"]["partial"] is False


def test_batch_answers_in_order_and_one_bad_route_does_not_fail_the_others(emulator, call):
    board = emulator.trello.board_id
    urls = f"/boards/{board}?fields=name,/boards/123,/1/boards/{board}/lists?fields=name%2Cpos,/cards/{MISSING}"
    first, second, third, fourth = call("GET", "batch", params={"urls": urls}).json()
    assert first == {"200": {"id": board, "name": "Sales"}}
    assert (second["message"], second["statusCode"]) == ("invalid id", 400)
    assert set(third["200"][0]) == {"id", "name", "pos"}
    assert fourth["statusCode"] == 404


@pytest.mark.parametrize("urls", ["", ",".join(["/members/me"] * 11)])
def test_batch_takes_one_to_ten_routes(call, urls):
    assert call("GET", "batch", params={"urls": urls}).status_code == 400


def test_labels_repeat_and_duplicates_are_refused(emulator, call, lists):
    label = call("POST", "labels", json={"name": "hot", "color": None, "idBoard": emulator.trello.board_id}).json()
    assert label["limits"] == {}
    assert label["color"] is None
    card = call("POST", "cards", json={"idList": lists["TODO"], "idLabels": [label["id"]]}).json()
    assert card["labels"][0]["name"] == "hot"
    repeat = call("POST", f"cards/{card['id']}/idLabels", json={"value": label["id"]})
    assert (repeat.status_code, repeat.text) == (400, "that label is already on the card")
    twice = call("POST", "cards", json={"idList": lists["TODO"], "idLabels": f"{label['id']},{label['id']}"})
    assert (twice.status_code, twice.text) == (400, "label not found")
    assert call("DELETE", f"cards/{card['id']}/idLabels/{label['id']}").json() == {"_value": None}


def test_webhooks_as_stored_objects(emulator, call, callback):
    body = {
        "callbackURL": callback.url,
        "idModel": emulator.trello.board_id,
        "description": "x",
    }
    made = call("POST", "webhooks", json=body).json()
    assert set(made) == {
        "id",
        "description",
        "idModel",
        "callbackURL",
        "active",
        "consecutiveFailures",
        "firstConsecutiveFailDate",
    }
    again = call("POST", "webhooks", json=body)
    assert (again.status_code, again.text) == (
        400,
        "A webhook with that callback, model, and token already exists",
    )
    assert call("GET", f"tokens/{emulator.trello.token}/webhooks").json() == [made]
    assert call("PUT", f"webhooks/{made['id']}", json={"active": False}).json()["active"] is False
    assert call("DELETE", f"webhooks/{made['id']}").json() == {"_value": None}
    assert call("GET", f"webhooks/{made['id']}").status_code == 404
