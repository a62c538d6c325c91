"""
A person who changes lists and boards.

Nothing here adds or edits a card.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emulator.trello.board_changes import (
    add_board,
    add_label,
    add_list,
    change_label,
    change_list,
    delete_label,
    join_board,
    leave_board,
    set_board_closed,
)
from emulator.trello.custom_field_changes import add_field, add_option, delete_field, delete_option
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

    # Labels, members and custom fields: of the first board, unless said otherwise

    def make_label(self, name: str, color: str | None = None, board: str | None = None) -> str:
        """Add a label and return its id; others may be called alike."""
        with self._lock:
            return add_label(self._world, self._board(board).id, name, color, self._actor).id

    def rename_label(self, label: str, new: str) -> None:
        """Rename a label; the cards that have it show the new name. Raises: KeyError."""
        with self._lock:
            found = self._label(label, self.board_id)
            change_label(self._world, found, new, found.color, self._actor)

    def delete_label(self, label: str) -> None:
        """Delete a label; it leaves the cards that had it. Raises: KeyError."""
        with self._lock:
            delete_label(self._world, self._label(label, self.board_id), self._actor)

    def invite(self, full_name: str, board: str | None = None) -> str:
        """Let somebody new onto a board; returns the member's id. The username is the name without blanks."""
        with self._lock:
            member = self._world.add_member(full_name, full_name.replace(" ", "").lower())
            join_board(self._board(board), member.id)
            return member.id

    def dismiss(self, member: str, board: str | None = None) -> None:
        """Take a member off a board; cards go on showing the member. Raises: KeyError."""
        with self._lock:
            leave_board(self._board(board), self._member(member).id)

    @contextmanager
    def acting_as(self, member: str) -> Iterator[None]:
        """What is done inside was done by another member than the tokens' owner."""
        self._acting = self._member(member).id
        try:
            yield
        finally:
            self._acting = self._world.member_id

    def make_custom_field(self, name: str, kind: str = "text", options: tuple[str, ...] = ()) -> str:
        """Add a custom field (text, number, date, checkbox or list) and return its id."""
        with self._lock:
            made = add_field(self._world, self._board(None), name, kind, "bottom", self._actor)
            for each in options:
                add_option(self._world, made, each)
            return made.id

    def delete_custom_field(self, field: str) -> None:
        """Delete a custom field with what cards have in it. Raises: KeyError."""
        with self._lock:
            delete_field(self._world, self._custom_field(field, self.board_id), self._actor)

    def add_option(self, field: str, text: str) -> str:
        """Add an entry to a dropdown and return its id. Raises: KeyError."""
        with self._lock:
            return add_option(self._world, self._custom_field(field, self.board_id), text).id

    def delete_option(self, field: str, text: str) -> None:
        """Delete an entry of a dropdown; the cards that had it have nothing there now. Raises: KeyError."""
        with self._lock:
            column = self._custom_field(field, self.board_id)
            delete_option(self._world, column, self._option(column, text))
