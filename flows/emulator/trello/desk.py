"""
Where a person sits: the key, the token and the board that are there at the start, and lists as people call them.

Beyond that start nothing here changes anything; that is for `structure` and `person`.
"""

from threading import RLock

from emulator.trello.account import Actor
from emulator.trello.board_changes import add_board, add_list
from emulator.trello.model import Board, CardList
from emulator.trello.world import TrelloWorld

LISTS = ("TODO", "IN_PROGRESS", "DONE")


class Desk:
    """Lists go by name, on the first board unless said otherwise; of two that are called alike, by the open one."""

    def __init__(self, world: TrelloWorld, lock: RLock) -> None:
        self._world, self._lock = world, lock
        self.key = world.add_key()
        self.secret = world.secrets[self.key] = world.ids.hexadecimal(64)
        self.token = world.add_token(self.key).text
        board = add_board(world, "Sales")
        self.board_id = board.id
        for name in LISTS:
            add_list(world, board, name)

    @property
    def _actor(self) -> Actor:
        return Actor(self._world.member_id)

    def _board(self, board: str | None) -> Board:
        return self._world.boards[board or self.board_id]

    def _list(self, name: str, board: str | None = None) -> CardList:
        wanted = board or self.board_id
        found = [each for each in self._world.lists.values() if each.board_id == wanted and each.name == name]
        if not found:
            raise KeyError(f"no list {name!r} on board {wanted}")
        return min(found, key=lambda each: each.closed)
