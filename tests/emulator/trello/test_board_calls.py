"""Boards and lists: read, made, renamed, closed."""

from support.answers import names


def test_fresh_board_and_its_lists(emulator, call):
    board = call("GET", f"boards/{emulator.trello.board_id}").json()
    assert board["name"] == "Sales"
    assert board["closed"] is False
    assert {"prefs", "labelNames", "shortUrl", "descData"} <= set(board)
    assert "limits" not in board
    assert len(board["labelNames"]) == 30
    lists = call("GET", f"boards/{board['id']}/lists").json()
    assert [each["name"] for each in lists] == ["TODO", "IN_PROGRESS", "DONE"]
    assert set(lists[0]) >= {
        "id",
        "name",
        "closed",
        "pos",
        "softLimit",
        "idBoard",
        "subscribed",
        "type",
        "datasource",
    }
    assert "limits" not in lists[0]


def test_nested_board_read_in_one_call(emulator, call):
    emulator.trello.add_card("TODO", "Ada")
    params = {
        "fields": "name,limits",
        "lists": "all",
        "cards": "open",
        "card_fields": "name",
        "actions": "all",
    }
    board = call("GET", f"boards/{emulator.trello.board_id}", params=params).json()
    assert [each["name"] for each in board["lists"]] == ["TODO", "IN_PROGRESS", "DONE"]
    assert [set(card) for card in board["cards"]] == [{"id", "name"}]
    assert board["limits"]["cards"]["openPerBoard"] == {"status": "ok", "disableAt": 5000, "warnAt": 4000}
    assert board["actions"][0]["type"] == "createCard"


def test_list_filters_and_archived_list(emulator, call):
    """Archiving a list leaves its cards closed:false."""
    card = emulator.trello.add_card("DONE")
    emulator.trello.archive_list("DONE")
    path = f"boards/{emulator.trello.board_id}/lists"
    counts = {wanted: len(call("GET", path, params={"filter": wanted}).json()) for wanted in ("open", "closed", "all")}
    assert counts == {"open": 2, "closed": 1, "all": 3}
    assert call("GET", f"cards/{card}").json()["closed"] is False


def test_lists_created_renamed_closed_deleted(emulator, call):
    made = call("POST", "lists", json={"name": "NEW", "idBoard": emulator.trello.board_id}).json()
    assert made["limits"] == {}
    assert made["pos"] == 8192
    assert call("PUT", f"lists/{made['id']}", json={"name": "NEWER"}).json()["name"] == "NEWER"
    open_one = call("DELETE", f"lists/{made['id']}")
    assert (open_one.status_code, open_one.text) == (400, "Cannot delete open list")
    for _ in range(2):
        assert call("PUT", f"lists/{made['id']}/closed", json={"value": True}).json()["closed"] is True
    assert call("DELETE", f"lists/{made['id']}").ok


def test_archive_and_move_all_cards(emulator, call, lists):
    for name in "ab":
        emulator.trello.add_card("TODO", name)
    body = {"idBoard": emulator.trello.board_id, "idList": lists["DONE"]}
    moved = call("POST", f"lists/{lists['TODO']}/moveAllCards", json=body).json()
    assert [set(each) for each in moved] == [{"id", "idBoard", "idList", "pos"}] * 2
    assert call("POST", f"lists/{lists['DONE']}/archiveAllCards").json() == {}
    assert call("GET", f"lists/{lists['DONE']}/cards").json() == []
    assert names(call("GET", f"lists/{lists['DONE']}/cards", params={"filter": "closed"})) == ["a", "b"]


def test_board_life(call):
    made = call("POST", "boards/", json={"name": "Fresh"}).json()
    lists = call("GET", f"boards/{made['id']}/lists").json()
    assert [(each["name"], each["pos"]) for each in lists] == [
        ("To Do", 16384),
        ("Doing", 32768),
        ("Done", 49152),
    ]
    assert made["limits"] == {}
    assert call("PUT", f"boards/{made['id']}", json={"closed": True}).json()["closed"] is True
    assert call("DELETE", f"boards/{made['id']}").json() == {"_value": None}
    assert call("GET", f"boards/{made['id']}").status_code == 404


def test_members_boards_and_token(emulator, call):
    me = call("GET", "members/me", params={"fields": "id,username"}).json()
    assert set(me) == {"id", "username"}
    emulator.trello.add_board("Closed")
    boards = call("GET", "members/me/boards", params={"filter": "open", "fields": "name"}).json()
    assert [board["name"] for board in boards] == ["Sales", "Closed"]
    token = call("GET", f"tokens/{emulator.trello.token}", params={"webhooks": "true"}).json()
    assert token["dateExpires"] is None
    assert token["idMember"] == me["id"]
    assert token["webhooks"] == []
    assert [grant["modelType"] for grant in token["permissions"]] == ["Member", "Board", "Organization"]
