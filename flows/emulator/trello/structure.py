"""
A person who changes lists and boards.

Nothing here adds or edits a card.
"""

from typing import Any

from emulator.trello.board_changes import add_board, add_list, change_list, set_board_closed
from emulator.trello.desk import LISTS, Desk
from emulator.trello.feed import append_action


class StructureEdits(Desk):
    """Edits of what the cards stand in."""

    def list_id(self, name: str, board: str | None = None) -> str:
        """The id of a list by its present name, open ones first. Raises: KeyError."""
        with self._lock:
            return self._list(name, board).id

    def lists(self, board: str | None = None) -> list[dict[str, Any]]:
        """All lists of a board, archived ones too."""
        with self._lock:
            wanted = board or self.board_id
            return [each.model() for each in self._world.lists.values() if each.board_id == wanted]

    def add_list(self, name: str, board: str | None = None) -> str:
        """Add a list on the right and return its id."""
        with self._lock:
            made, where = add_list(self._world, self._board(board), name), self._board(board)
            about = {"list": {"id": made.id, "name": name}, "board": {"id": where.id, "name": where.name}}
            append_action(self._world, "createList", about, self._actor)
            return made.id

    def archive_list(self, name: str) -> None:
        """Archive a list; its cards stay `closed: false`."""
        with self._lock:
            change_list(self._world, self._list(name), "closed", True, self._actor)

    def unarchive_list(self, name: str) -> None:
        """Send an archived list back to the board."""
        with self._lock:
            change_list(self._world, self._list(name), "closed", False, self._actor)

    def rename_list(self, old: str, new: str) -> None:
        """Rename a list; its id stays."""
        with self._lock:
            change_list(self._world, self._list(old), "name", new, self._actor)

    def move_list(self, name: str, board_id: str) -> None:
        """Send a list to another board, with its cards."""
        with self._lock:
            change_list(self._world, self._list(name), "idBoard", board_id, self._actor)

    def close_board(self, board: str | None = None) -> None:
        """Close a board; it stays readable."""
        with self._lock:
            set_board_closed(self._world, self._board(board), True, self._actor)

    def reopen_board(self, board: str | None = None) -> None:
        """Open a closed board again."""
        with self._lock:
            set_board_closed(self._world, self._board(board), False, self._actor)

    def add_board(self, name: str, lists: tuple[str, ...] = LISTS, visible: bool = True) -> str:
        """Add a board with these lists; `visible=False` keeps it from the tokens' member. Returns its id."""
        with self._lock:
            board = add_board(self._world, name, visible)
            for each in lists:
                add_list(self._world, board, each)
            return board.id

    def board(self, board: str | None = None) -> dict[str, Any]:
        """A board as the API shows it, with its `shortLink`."""
        with self._lock:
            return self._board(board).model()

    def hide_board(self, board: str | None = None) -> None:
        """Take the member off a board: its objects answer 401 from now on."""
        with self._lock:
            self._board(board).visible = False

    def show_board(self, board: str | None = None) -> None:
        """Undo `hide_board`."""
        with self._lock:
            self._board(board).visible = True
