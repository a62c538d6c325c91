"""Trello's client against the emulated service: the board by its settings, and what a look-up tells."""

import pytest

from leadsync.errors import ConfigurationError, IncompleteReadError
from leadsync.trello.client import Trello
from leadsync.trello.setup import fetch_board


@pytest.fixture
def open_trello(world):
    """`open_trello(**changes)`: a client by the world's settings, changed."""
    opened = []

    def made(**changes):
        opened.append(Trello(world.settings(**changes)))
        return opened[-1]

    yield made
    for client in opened:
        client.wire.close()


def board_of(trello):
    return fetch_board(trello)


@pytest.mark.parametrize("by_id", [True, False], ids=["by-id", "by-name"])
def test_board_knows_its_lists_with_one_request(world, open_trello, by_id):
    stages = ("TODO", "IN_PROGRESS", "DONE")
    trello = open_trello(**({} if by_id else {f"TRELLO_LIST_{stage}_ID": None for stage in stages}))
    board = board_of(trello)
    assert board.lists == {stage: world.trello.list_id(stage) for stage in stages}
    assert board.stages == {list_id: stage for stage, list_id in board.lists.items()}
    assert trello.wire.calls == 1


def test_list_that_is_archived_is_named_with_its_setting(world, open_trello):
    trello = open_trello()
    world.trello.archive_list("DONE")
    with pytest.raises(ConfigurationError, match="TRELLO_LIST_DONE_ID"):
        board_of(trello)


def test_card_that_was_missing_is_told_by_where_it_is(world, open_trello):
    trello = open_trello()
    board = board_of(trello)
    archived, deleted = world.trello.add_card("TODO"), world.trello.add_card("TODO")
    world.trello.archive(archived)
    world.trello.delete(deleted)
    found = trello.look_up_cards(board, [archived, deleted])
    assert found["presence"].to_dict() == {archived: "archived", deleted: "deleted"}


def test_card_that_is_open_after_all_was_left_out_of_the_read(world, open_trello):
    trello = open_trello()
    with pytest.raises(IncompleteReadError, match="nothing was written"):
        trello.look_up_cards(board_of(trello), [world.trello.add_card("TODO")])
