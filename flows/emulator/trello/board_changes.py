"""
What changes boards, lists and labels, for calls and people alike, each with its actions.

Cards are changed in `card_changes`; a list that leaves, or is deleted, takes its cards along.
"""

from typing import Any

from emulator.trello.account import Actor
from emulator.trello.feed import append_action, board_reference
from emulator.trello.model import Board, CardList, Label
from emulator.trello.positions import position
from emulator.trello.world import TrelloWorld


def add_label(world: TrelloWorld, board_id: str, name: str, color: str | None, actor: Actor) -> Label:
    """Add a label to a board; webhooks alone hear of labels that are made, changed or deleted."""
    label = Label(world.ids.object_id(world.clock.now()), board_id, name, color)
    world.labels[label.id] = label
    _tell_of_label(world, "createLabel", label, {}, actor)
    return label


def change_label(world: TrelloWorld, label: Label, name: str, color: str | None, actor: Actor) -> None:
    """Rename or recolour a label; the cards that have it show it so at once, and are not active by it."""
    before = {"name": label.name, "color": label.color}
    label.name, label.color = name, color
    for key, former in before.items():
        if former != getattr(label, key):
            _tell_of_label(world, "updateLabel", label, {"old": {key: former}}, actor)


def delete_label(world: TrelloWorld, label: Label, actor: Actor) -> None:
    """Remove a label; the cards that had it lose it without an action of theirs."""
    for card in world.cards.values():
        card.labels = [each for each in card.labels if each is not label]
    del world.labels[label.id]
    _tell_of_label(world, "deleteLabel", label, {}, actor)


def _tell_of_label(world: TrelloWorld, kind: str, label: Label, about: dict[str, Any], actor: Actor) -> None:
    data = {"label": {"id": label.id, "name": label.name, "color": label.color}, **about}
    append_action(world, kind, data | board_reference(world, label.board_id), actor, in_feed=False)


def join_board(board: Board, member_id: str) -> None:
    """Let a member onto a board."""
    if member_id not in board.member_ids:
        board.member_ids.append(member_id)


def leave_board(board: Board, member_id: str) -> None:
    """Take a member off a board; the cards that show the member go on doing so."""
    board.member_ids.remove(member_id)


def add_board(world: TrelloWorld, name: str, visible: bool = True) -> Board:
    """Add an empty board."""
    now = world.clock.now()
    board = Board(world.ids.object_id(now), name, world.ids.letters(8), now, visible=visible)
    board.member_ids.append(world.member_id)
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
    """Store one checked field of a list; equal values change nothing, and nobody hears who watches a list."""
    attribute = {"idBoard": "board_id", "softLimit": "soft_limit"}.get(name, name)
    before = getattr(card_list, attribute)
    setattr(card_list, attribute, value)
    if before == value or name == "subscribed":
        return
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
    world.custom_fields = {key: each for key, each in world.custom_fields.items() if each.board_id != board.id}
    world.feed = [action for action in world.feed if action["data"].get("board", {}).get("id") != board.id]
    del world.boards[board.id]
