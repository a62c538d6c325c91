"""Boards, lists and cards against sections 3 and 4 of the Trello reference."""

import re

import pytest

RECORDED_KEYS = {
    *(
        "id",
        "badges",
        "checkItemStates",
        "closed",
        "dueComplete",
        "dateLastActivity",
        "desc",
        "descData",
        "due",
    ),
    *("dueReminder", "email", "idBoard", "idChecklists", "idList", "idMembers", "idMembersVoted", "idShort"),
    *(
        "idAttachmentCover",
        "labels",
        "idLabels",
        "manualCoverAttachment",
        "name",
        "pos",
        "shortLink",
        "shortUrl",
    ),
    *("start", "subscribed", "url", "cover", "isTemplate", "cardRole"),
}
MISSING = "0" * 24


@pytest.fixture
def call(emulator, trello):
    return trello(emulator)


@pytest.fixture
def lists(emulator):
    return {name: emulator.trello.list_id(name) for name in ("TODO", "IN_PROGRESS", "DONE")}


def names(answer):
    return [card["name"] for card in answer.json()]


# Creating


def test_created_card_has_the_recorded_keys(emulator, call, lists):
    """200, not 201; the creation answer alone has attachments, stickers and limits."""
    answer = call("POST", "cards", json={"idList": lists["TODO"], "name": "Ada", "desc": "LeadID: x"})
    card = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert set(card) >= RECORDED_KEYS | {"attachments", "stickers", "limits"}
    assert re.fullmatch(r"[0-9a-f]{24}", card["id"])
    assert re.fullmatch(r"\w{8}", card["shortLink"])
    assert int(card["id"][:8], 16) == int(emulator.clock.now())
    assert card["url"] == f"https://trello.com/c/{card['shortLink']}/1-ada"
    read = call("GET", f"cards/{card['id']}").json()
    assert not {"attachments", "stickers", "limits"} & set(read)
    assert read["descData"] == {"emoji": {}}
    assert read["badges"]["description"] is True


def test_card_by_query_form_and_json(emulator, call, lists):
    """All three ways of sending parameters."""
    fields = {"idList": lists["TODO"], "name": "x"}
    assert all(call("POST", "cards", **{way: fields}).ok for way in ("params", "data", "json"))
    assert len(emulator.trello.cards()) == 3


def test_py_trello_oddities_are_accepted(emulator, call, lists):
    """null members, empty idLabels and idMembers, the text "null" for due."""
    body = {
        "name": "x",
        "idList": lists["TODO"],
        "desc": None,
        "idLabels": "",
        "idMembers": "",
        "due": "null",
    }
    card = call("POST", "cards/", json=body | {"idCardSource": None, "keepFromSource": None}).json()
    assert (card["desc"], card["due"], card["idLabels"], card["descData"]) == ("", None, [], None)


def test_name_may_be_absent_or_empty(call, lists):
    for fields in ({}, {"name": ""}):
        card = call("POST", "cards", json={"idList": lists["TODO"]} | fields).json()
        assert card["name"] == ""
        assert card["url"].endswith("-")


def test_positions_follow_the_recorded_numbers(call, lists):
    """First 16384, bottom max + 16384, top min / 2."""
    made = [
        call("POST", "cards", json={"idList": lists["TODO"], "pos": pos}).json()["pos"]
        for pos in ("bottom", "bottom", "top", 5.5)
    ]
    assert made == [16384, 32768, 8192, 5.5]


def test_due_is_normalised(call, lists):
    card = call("POST", "cards", json={"idList": lists["TODO"], "due": "2026-03-01T12:00:00+02:00"}).json()
    assert card["due"] == "2026-03-01T10:00:00.000Z"
    assert call("PUT", f"cards/{card['id']}", json={"due": None}).json()["due"] is None


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"idList": None}, 400, "invalid value for idList"),
        ({"idList": ""}, 400, "invalid value for idList"),
        ({"idList": "TODO"}, 400, "invalid value for idList"),
        ({"idList": MISSING}, 404, "could not find the board that the card belongs to"),
        ({"name": 7}, 400, "invalid value for name"),
        ({"desc": 7}, 400, "invalid value for desc"),
        ({"desc": "x" * 16_385}, 400, "invalid value for desc"),
        ({"name": "x" * 16_385}, 400, "invalid value for name"),
        ({"pos": "middle"}, 400, "invalid value for pos"),
        ({"pos": -1}, 400, "invalid value for pos"),
        ({"due": "soon"}, 400, "invalid value for due"),
    ],
)
def test_refused_creation_word_for_word(emulator, call, lists, fields, status, text):
    answer = call("POST", "cards", json={"idList": lists["TODO"], "name": "x"} | fields)
    assert (answer.status_code, answer.text) == (status, text)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert not emulator.trello.cards()


def test_text_of_exactly_the_limit_is_kept(call, lists):
    card = call("POST", "cards", json={"idList": lists["TODO"], "desc": "é" * 16_384}).json()
    assert len(card["desc"]) == 16_384


def test_full_board_refuses_the_next_open_card(make, trello):
    emulator = make(trello_open_cards_limit=2)
    old = emulator.trello.add_card()
    emulator.trello.add_card()
    body = {"idList": emulator.trello.list_id("TODO")}
    answer = trello(emulator)("POST", "cards", json=body)
    assert (answer.status_code, answer.json()["error"]) == (403, "BOARD_TOO_MANY_OPEN_CARDS")
    emulator.trello.archive(old)
    assert trello(emulator)("POST", "cards", json=body).ok


def test_copy_carries_the_description(emulator, call, lists):
    """The marker is copied with it; the feed says copyCard."""
    source = emulator.trello.add_card("TODO", "Ada", "LeadID: x")
    copied = call("POST", "cards", json={"idList": lists["DONE"], "idCardSource": source, "idLabels": ""}).json()
    assert (copied["name"], copied["desc"], copied["idList"]) == ("Ada", "LeadID: x", lists["DONE"])
    renamed = call("POST", "cards", json={"idList": lists["DONE"], "idCardSource": source, "name": "Bob"}).json()
    assert (renamed["name"], renamed["desc"]) == ("Bob", "LeadID: x")
    action = emulator.trello.actions()[0]
    assert action["type"] == "copyCard"
    assert action["data"]["cardSource"]["id"] == source


# Changing


def test_one_put_changes_several_fields(emulator, call, lists):
    card = emulator.trello.add_card("TODO", "Ada")
    body = {"name": "Ada L.", "desc": "text", "idList": lists["DONE"], "closed": True}
    changed = call("PUT", f"cards/{card}", json=body).json()
    assert {name: changed[name] for name in body} == body


def test_move_keeps_the_position_unless_given(emulator, call, lists):
    emulator.trello.add_card("DONE")
    card = emulator.trello.add_card("TODO")
    assert call("PUT", f"cards/{card}", json={"idList": lists["DONE"]}).json()["pos"] == 16384
    assert call("PUT", f"cards/{card}", json={"pos": "bottom"}).json()["pos"] == 32768


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        ("name", "Bob", "Bob"),
        ("desc", "", ""),
        ("closed", "true", True),
        ("closed", True, True),
        ("dueComplete", "True", True),
        ("due", "", None),
    ],
)
def test_put_of_one_field(emulator, call, field, value, stored):
    """py-trello's way: PUT /cards/{id}/{field} with `value`."""
    card = emulator.trello.add_card("TODO", "Ada", "text")
    assert call("PUT", f"cards/{card}/{field}", json={"value": value}).json()[field] == stored


@pytest.mark.parametrize("body", [{"value": "yes"}, {}], ids=["no-boolean", "no-value"])
def test_put_of_one_field_without_usable_value(emulator, call, body):
    answer = call("PUT", f"cards/{emulator.trello.add_card()}/closed", json=body)
    assert (answer.status_code, answer.text) == (400, "invalid value for value")


def test_refused_put_changes_nothing(emulator, call, lists):
    card = emulator.trello.add_card("TODO", "Ada")
    before = emulator.trello.card(card)
    for body in (
        {"name": "x", "idList": "bad"},
        {"name": "x", "idList": MISSING},
        {"name": "x", "closed": "maybe"},
    ):
        assert not call("PUT", f"cards/{card}", json=body).ok
    assert emulator.trello.card(card) == before
    assert len(emulator.trello.actions()) == 1


def test_list_of_another_board_needs_the_board_too(emulator, call):
    """404 without idBoard; with it the card moves, with a new number and without its labels."""
    board = emulator.trello.add_board("Other", lists=("Inbox",))
    target = emulator.trello.list_id("Inbox", board)
    card = emulator.trello.add_card()
    label = call("POST", "labels", json={"name": "hot", "color": "red", "idBoard": emulator.trello.board_id}).json()
    assert call("POST", f"cards/{card}/idLabels", json={"value": label["id"]}).json() == [label["id"]]
    answer = call("PUT", f"cards/{card}", json={"idList": target})
    assert answer.status_code == 404
    assert answer.text == f"List {target} does not exist on board {emulator.trello.board_id}"
    before = emulator.trello.card(card)
    moved = call("PUT", f"cards/{card}", json={"idBoard": board, "idList": target}).json()
    assert (moved["idBoard"], moved["idList"], moved["labels"]) == (board, target, [])
    assert (moved["id"], moved["shortLink"]) == (before["id"], before["shortLink"])
    assert card not in {each["id"] for each in call("GET", f"boards/{emulator.trello.board_id}/cards/all").json()}


def test_board_move_without_list_takes_the_first_open_list(emulator, call):
    board = emulator.trello.add_board("Other", lists=("First", "Second"))
    card = emulator.trello.add_card()
    moved = call("PUT", f"cards/{card}/idBoard", json={"value": board}).json()
    assert moved["idList"] == emulator.trello.list_id("First", board)
    assert moved["pos"] == 16384


def test_archived_card_stays_readable_and_writable(emulator, call):
    card = emulator.trello.add_card("TODO", "Ada")
    emulator.trello.archive(card)
    assert call("GET", f"cards/{card}").json()["closed"] is True
    assert call("PUT", f"cards/{card}", json={"name": "Bob"}).json()["name"] == "Bob"


def test_short_link_works_in_paths_only(emulator, call, lists):
    card = emulator.trello.add_card("TODO", "Ada")
    short = emulator.trello.card(card)["shortLink"]
    board = emulator.trello.board()["shortLink"]
    assert call("GET", f"cards/{short}").json()["id"] == card
    assert call("GET", f"boards/{board}/cards").json()[0]["id"] == card
    answer = call("PUT", f"cards/{card}", json={"idBoard": board})
    assert (answer.status_code, answer.text) == (400, "invalid value for idBoard")


def test_deleted_card_is_gone_for_good(emulator, call):
    card = emulator.trello.add_card()
    assert call("DELETE", f"cards/{card}").json() == {"limits": {}}
    for method in ("GET", "PUT", "DELETE"):
        answer = call(method, f"cards/{card}", json={})
        assert (answer.status_code, answer.text) == (404, "The requested resource was not found.")


@pytest.mark.parametrize("status", [200, 202])
def test_status_of_writes_by_knob(make, trello, status):
    """In June 2025 some writes were answered with 202; reads were not."""
    emulator = make(trello_write_status=status)
    call = trello(emulator)
    made = call("POST", "cards", json={"idList": emulator.trello.list_id("TODO")})
    assert made.status_code == status
    assert made.json()["id"]
    assert call("GET", f"cards/{made.json()['id']}").status_code == 200
    assert call("POST", "cards", json={}).status_code == 400


@pytest.mark.parametrize(
    ("knobs", "stored"),
    [
        ({}, " a\r\nb \n\n"),
        ({"trello_trims_desc": True}, " a\r\nb"),
        ({"trello_normalises_newlines": True}, " a\nb \n\n"),
    ],
)
def test_description_bytes_under_all_readings(make, trello, knobs, stored):
    emulator = make(**knobs)
    body = {"idList": emulator.trello.list_id("TODO"), "desc": " a\r\nb \n\n"}
    card = trello(emulator)("POST", "cards", json=body).json()
    assert card["desc"] == stored == emulator.trello.card(card["id"])["desc"]


# Activity


@pytest.mark.parametrize(
    ("body", "moves"),
    [
        ({"name": "Bob"}, True),
        ({"desc": "x"}, True),
        ({"closed": True}, True),
        ({"dueComplete": True}, True),
        ({"name": "Ada"}, False),
        ({"pos": "top"}, False),
    ],
)
def test_activity_date_moves_with_content(emulator, call, body, moves):
    card = emulator.trello.add_card("TODO", "Ada")
    before = emulator.trello.card(card)["dateLastActivity"]
    emulator.clock.advance(5.25)
    after = call("PUT", f"cards/{card}", json=body).json()["dateLastActivity"]
    assert after == ("2026-01-01T00:00:05.250Z" if moves else before)


@pytest.mark.parametrize("makes", [False, True])
def test_equal_put_under_both_readings(make, trello, makes):
    emulator = make(trello_noop_makes_action=makes)
    card = emulator.trello.add_card("TODO", "Ada")
    trello(emulator)("PUT", f"cards/{card}", json={"name": "Ada"})
    assert len(emulator.trello.actions()) == (2 if makes else 1)


# Reading pages


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


# Boards and lists


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
    assert board["limits"]["cards"]["openPerBoard"] == {"status": "ok", "disableAt": 5000, "warnAt": 4500}
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


# Search, batch, labels


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
