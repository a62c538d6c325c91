"""Trello's lists of cards come to an end, and answers are about what was asked for, in the shape that is relied on."""

from __future__ import annotations

import itertools
import json

import pytest

from leadsync.airtable.shapes import flaw_in as airtable_flaw
from leadsync.errors import IncompleteReadError, TransientServiceError
from leadsync.trello import client
from leadsync.trello.board import Board
from leadsync.trello.client import Trello
from leadsync.trello.shapes import flaw_in
from support.raw_server import RawServer, answer

BOARD = Board("b" * 24, "Leads", "", {"TODO": "c" * 24})


def card(number):
    card_id = f"{number:024x}"
    cells = {"name": "", "desc": "", "closed": False, "idList": "c" * 24, "idBoard": BOARD.board_id}
    return {"id": card_id, "dueComplete": False, **cells}


@pytest.fixture
def trello(world):
    """`trello(answers)`: a client of a server that answers with these, one by one."""
    opened = []

    def made(answers):
        left = iter(answers)

        def behave(connection, request):
            request.kept = True
            connection.sendall(answer(json.dumps(next(left))))

        server = RawServer(behave)
        opened.append(server)
        opened.append(Trello(world.settings(TRELLO_ENDPOINT_URL=server.url), world.transport))
        return opened[-1]

    yield made
    for each in opened:
        each.wire.close() if isinstance(each, Trello) else each.__exit__()


@pytest.mark.parametrize("archived", [False, True], ids=["open", "all"])
def test_pages_that_do_not_follow_on_end_the_read(trello, monkeypatch, archived):
    """Who ignores `before` would go on for ever."""
    monkeypatch.setattr(client, "PAGE", 2)
    pages = ([card(2 * number), card(2 * number + 1)] for number in itertools.count(1))
    with pytest.raises(IncompleteReadError, match="circle"):
        trello(pages).fetch_cards(BOARD, (), archived=archived)


def test_list_that_never_ends_ends_the_read(trello, monkeypatch):
    """No board holds that many."""
    monkeypatch.setattr(client, "PAGE", 2)
    monkeypatch.setattr(client, "MOST_CARDS", 20)
    pages = ([card(9_999 - 2 * number), card(9_998 - 2 * number)] for number in itertools.count())
    with pytest.raises(IncompleteReadError, match="more than 20 cards"):
        trello(pages).fetch_archived(BOARD, {card(1)["id"]})


def test_pages_that_follow_on_are_read_to_the_end(trello, monkeypatch):
    monkeypatch.setattr(client, "PAGE", 2)
    asked = trello([[card(9), card(8)], [card(7), card(6)], [card(5)]])
    assert asked.fetch_cards(BOARD, [card(number)["id"] for number in range(10)]).total == 5


@pytest.mark.parametrize("ask", ["look_up", "find_cards"])
def test_answer_about_another_card_is_none(trello, ask):
    """It would be taken for the card's own title and place."""
    asked = trello(itertools.repeat(card(7)))
    with pytest.raises(TransientServiceError, match="another item"):
        asked.look_up(card(5)["id"]) if ask == "look_up" else asked.find_cards(BOARD, [card(5)["id"]])


@pytest.mark.parametrize("cell", ["id", "name", "desc", "closed", "idList", "idBoard", "dueComplete"])
@pytest.mark.parametrize("wrong", ["missing", None, 5, []], ids=repr)
def test_card_needs_every_cell_that_is_relied_on(cell, wrong):
    """Without its description a card would get a new one."""
    told = card(5) | ({} if wrong == "missing" else {cell: wrong})
    if wrong == "missing":
        del told[cell]
    for method, path in (
        ("GET", f"/1/cards/{card(5)['id']}"),
        ("PUT", f"/1/cards/{card(5)['id']}"),
        ("POST", "/1/cards"),
    ):
        assert flaw_in(method, path, told) == cell
        assert flaw_in(method, path, card(5)) == ""
    assert flaw_in("GET", "/1/boards/b/cards", [card(4), told]) == f"1.{cell}"


def test_record_that_was_not_asked_for_is_none():
    record = {"id": "rec00000000000001", "createdTime": "", "fields": {}}
    assert airtable_flaw("GET", "/v0/app1/Leads/rec00000000000001", record) == ""
    assert airtable_flaw("GET", "/a/v0/app1/Leads/rec00000000000002", record) == "it is about another item"


@pytest.mark.parametrize("flaw_of", [flaw_in, airtable_flaw], ids=["trello", "airtable"])
@pytest.mark.parametrize("body", [None, 5, "x", True, 0.5])
def test_answer_to_anything_is_an_object_or_a_list(flaw_of, body):
    """Also where nothing more is known of it."""
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        assert flaw_of(method, "/some/thing", body)
        assert flaw_of(method, "/some/thing", {}) == flaw_of(method, "/some/thing", []) == ""
