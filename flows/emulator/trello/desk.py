"""
Where a person sits: the key, the token and the board that are there at the start, and lists as people call them.

Beyond that start nothing here changes anything; that is for `structure` and `person`.
"""

from collections.abc import Iterable
from threading import RLock
from typing import TypeVar

from emulator.trello.account import Actor, Member
from emulator.trello.board_changes import add_board, add_list
from emulator.trello.custom_fields import CustomField, Option
from emulator.trello.model import Board, CardList, Label
from emulator.trello.world import TrelloWorld

LISTS = ("TODO", "IN_PROGRESS", "DONE")
Named = TypeVar("Named", Label, Member, CustomField, Option)


class Desk:
    """
    Lists go by name, on the first board unless said otherwise; of two that are called alike, by the open one.

    Labels, members, custom fields and options go by name or id; of two that are called alike, by the older one.
    """

    def __init__(self, world: TrelloWorld, lock: RLock) -> None:
        self._world, self._lock = world, lock
        self.key = world.add_key()
        self.secret = world.secrets[self.key] = world.ids.hexadecimal(64)
        self.token = world.add_token(self.key).text
        board = add_board(world, "Sales")
        self.board_id = board.id
        self._acting = world.member_id
        for name in LISTS:
            add_list(world, board, name)

    @property
    def _actor(self) -> Actor:
        return Actor(self._acting)

    def _board(self, board: str | None) -> Board:
        return self._world.boards[board or self.board_id]

    def _list(self, name: str, board: str | None = None) -> CardList:
        wanted = board or self.board_id
        found = [each for each in self._world.lists.values() if each.board_id == wanted and each.name == name]
        if not found:
            raise KeyError(f"no list {name!r} on board {wanted}")
        return min(found, key=lambda each: each.closed)

    def _label(self, key: str, board_id: str) -> Label:
        return _found(key, [(e.name, e) for e in self._world.labels.values() if e.board_id == board_id])

    def _member(self, key: str) -> Member:
        return _found(key, [(each.full_name, each) for each in self._world.members.values()])

    def _custom_field(self, key: str, board_id: str) -> CustomField:
        return _found(key, [(e.name, e) for e in self._world.custom_fields.values() if e.board_id == board_id])

    def _option(self, field: CustomField, key: str) -> Option:
        return _found(key, [(each.text, each) for each in field.options])


def _found(key: str, named: Iterable[tuple[str, Named]]) -> Named:
    for name, each in named:
        if key in (name, each.id):
            return each
    raise KeyError(f"nothing is called {key!r}")
