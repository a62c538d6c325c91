"""
What changes boards, lists and labels, for calls and people alike, each with its actions.

Cards are changed in `card_changes`; a list that leaves, or is deleted, takes its cards along.
"""

from typing import Any

from emulator.trello.account import Actor
from emulator.trello.feed import append_action, board_reference
from emulator.trello.model import Board, CardList, Label, position
from emulator.trello.world import TrelloWorld


def add_label(world: TrelloWorld, board_id: str, name: str, color: str | None) -> Label:
    """Add a label to a board."""
    label = Label(world.ids.object_id(world.clock.now()), board_id, name, color)
    world.labels[label.id] = label
    return label


def add_board(world: TrelloWorld, name: str, visible: bool = True) -> Board:
    """Add an empty board."""
    now = world.clock.now()
    board = Board(world.ids.object_id(now), name, world.ids.letters(8), now, visible=visible)
    world.boards[board.id] = board
    return board


def add_list(world: TrelloWorld, board: Board, name: str, pos: float | str = "bottom") -> CardList:
    """Add a list at a position of the board."""
    taken = [each.pos for each in world.lists.values() if each.board_id == board.id]
    at = world.ids.object_id(world.clock.now())
    created = CardList(at, name, board.id, position(pos, taken))
    world.lists[created.id] = created
    return created


def change_list(world: TrelloWorld, card_list: CardList, name: str, value: Any, actor: Actor) -> None:
    """Store one checked field of a list; equal values change nothing."""
    attribute = "board_id" if name == "idBoard" else name
    before = getattr(card_list, attribute, None)
    if before == value or not hasattr(card_list, attribute):
        return
    setattr(card_list, attribute, value)
    if name == "idBoard":
        for card in world.cards.values():
            if card.list_id == card_list.id:
                card.values["idBoard"] = value
        _tell_of_moved_list(world, card_list, str(before), actor)
        return
    data = {"list": {"id": card_list.id, "name": card_list.name, name: value}, "old": {name: before}}
    append_action(world, "updateList", data | board_reference(world, card_list.board_id), actor)


def _tell_of_moved_list(world: TrelloWorld, card_list: CardList, source: str, actor: Actor) -> None:
    """Both boards hear of the list; nobody hears of the cards in it."""
    about = {"list": {"id": card_list.id, "name": card_list.name}}
    for kind, board_id in (("moveListFromBoard", source), ("moveListToBoard", card_list.board_id)):
        append_action(world, kind, about | board_reference(world, board_id), actor)


def set_board_closed(world: TrelloWorld, board: Board, closed: bool, actor: Actor) -> None:
    """Close or re-open a board; equal values change nothing."""
    if board.closed != closed:
        board.closed = closed
        data = {"board": {"id": board.id, "name": board.name, "closed": closed}, "old": {"closed": not closed}}
        append_action(world, "updateBoard", data, actor)


def delete_list(world: TrelloWorld, card_list: CardList) -> None:
    """Remove a list and its cards."""
    world.cards = {key: card for key, card in world.cards.items() if card.list_id != card_list.id}
    del world.lists[card_list.id]


def delete_board(world: TrelloWorld, board: Board) -> None:
    """Remove a board with lists, cards, labels and actions."""
    world.cards = {key: card for key, card in world.cards.items() if card.board_id != board.id}
    world.lists = {key: each for key, each in world.lists.items() if each.board_id != board.id}
    world.labels = {key: each for key, each in world.labels.items() if each.board_id != board.id}
    world.feed = [action for action in world.feed if action["data"].get("board", {}).get("id") != board.id]
    del world.boards[board.id]
