"""py-trello 0.20.1 against the emulator, redirected by a transport adapter: its hosts are written into it."""

import pytest
from trello import ResourceUnavailable, Unauthorized


def test_boards_lists_and_cards_round_trip(emulator, client_of):
    """Its setters are one PUT each; change_list leaves its own object stale."""
    client = client_of(emulator)
    board = client.get_board(emulator.trello.board_id)
    todo, doing, done = board.open_lists()
    card = todo.add_card("Ada", "LeadID: x")
    card.set_name("Bob")
    card.set_description("text")
    card.set_closed(True)
    card.change_list(done.id)
    card.set_pos("top")
    card.set_due_complete()
    stored = emulator.trello.card(card.id)
    assert (stored["name"], stored["desc"], stored["closed"]) == ("Bob", "text", True)
    assert stored["idList"] == done.id
    assert stored["dueComplete"] is True
    assert [each.id for each in board.closed_cards()] == [card.id]
    card.delete()
    assert emulator.trello.cards() == {}


@pytest.mark.parametrize(
    ("method", "count"), [("open_cards", 2), ("visible_cards", 1), ("all_cards", 3), ("closed_cards", 1)]
)
def test_card_lists_are_one_request(emulator, client_of, method, count):
    emulator.trello.add_list("OLD")
    emulator.trello.add_card("TODO"), emulator.trello.add_card("OLD")
    emulator.trello.archive(emulator.trello.add_card("TODO"))
    emulator.trello.archive_list("OLD")
    board = client_of(emulator).get_board(emulator.trello.board_id)
    emulator.clear_requests()
    assert len(getattr(board, method)()) == count
    assert emulator.calls("trello") == 1


def test_single_card_lists_actions_and_member(emulator, client_of):
    card_id = emulator.trello.add_card("TODO", "Ada", "text")
    client = client_of(emulator)
    card = client.get_card(card_id)
    assert (card.name, card.desc) == ("Ada", "text")
    card.change_list(emulator.trello.list_id("DONE"))
    card.fetch_actions("updateCard:idList")
    assert card.actions[0]["data"]["listAfter"]["name"] == "DONE"
    assert card.latestCardMove_date is not None
    card.comment("hello")
    assert client.get_list(emulator.trello.list_id("DONE")).list_cards()[0].id == card_id
    assert [board.name for board in client.list_boards()] == ["Sales"]


def test_copying_and_labels(emulator, client_of):
    client = client_of(emulator)
    board = client.get_board(emulator.trello.board_id)
    label = board.add_label("hot", "red")
    todo = board.open_lists()[0]
    first = todo.add_card("Ada", "LeadID: x", labels=[label])
    second = emulator.trello.card(todo.add_card("", source=first.id).id)
    assert (second["name"], second["desc"]) == ("Ada", "LeadID: x")
    assert [each["name"] for each in second["labels"]] == ["hot"]
    assert emulator.trello.card(first.id)["labels"][0]["color"] == "red"


def test_signed_header_is_accepted_without_checking_the_signature(emulator, client_of):
    client = client_of(emulator, api_secret="secret", token=emulator.trello.token, token_secret="secret")
    assert client.get_board(emulator.trello.board_id).name == "Sales"


def test_webhook_through_the_other_host(emulator, client_of, callback):
    """create_hook posts a form to trello.com, not to api.trello.com."""
    client = client_of(emulator)
    hook = client.create_hook(callback.url, emulator.trello.board_id, "d", token=emulator.trello.token)
    assert [each.id for each in client.list_hooks(emulator.trello.token)] == [hook.id]


def test_one_put_with_several_fields(emulator, client_of):
    card = emulator.trello.add_card("TODO", "Ada")
    body = {"name": "Bob", "desc": "x", "idList": emulator.trello.list_id("DONE")}
    answer = client_of(emulator).fetch_json(f"/cards/{card}", http_method="PUT", post_args=body)
    assert {name: answer[name] for name in body} == body


def test_errors_become_its_exceptions(emulator, client_of):
    client = client_of(emulator)
    with pytest.raises(ResourceUnavailable, match="invalid id"):
        client.get_card("123")
    with pytest.raises(ResourceUnavailable, match="The requested resource was not found."):
        client.get_card("0" * 24)
    with pytest.raises(Unauthorized, match="invalid token"):
        client_of(emulator, api_secret="wrong").list_boards()


def test_202_raises_after_the_write_took_place(make, client_of):
    emulator = make(trello_write_status=202)
    with pytest.raises(ResourceUnavailable):
        client_of(emulator).fetch_json(
            "/cards", http_method="POST", post_args={"idList": emulator.trello.list_id("TODO")}
        )
    assert len(emulator.trello.cards()) == 1
