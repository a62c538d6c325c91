"""Cards: creating them, changing them, and what moves their last activity."""

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
    assert (card["desc"], card["due"], card["idLabels"], card["descData"]) == ("", None, [], {"emoji": {}})


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
