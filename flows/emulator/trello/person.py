"""
A person at Trello's web client who edits cards, and the account around it; actions have no app and no limit applies.

Lists and boards are edited in `structure`, which a person inherits.
"""

from collections.abc import Callable
from threading import RLock
from typing import Any

from emulator.trello.card_changes import CARD_DEFAULTS, add_card, add_comment, change_card, copy_card, delete_card
from emulator.trello.card_sets import set_labels, set_members
from emulator.trello.custom_field_changes import set_item
from emulator.trello.custom_field_values import MEMBER_OF_TYPE, Content, given_content, words
from emulator.trello.editor import editor_saves
from emulator.trello.model import Card
from emulator.trello.service import TrelloService
from emulator.trello.structure import StructureEdits
from emulator.trello.values import date
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Refused


class TrelloPerson(StructureEdits):
    """Edits in the web client; cards by 24-hex id, lists by name on the first board unless said otherwise."""

    def __init__(self, world: TrelloWorld, service: TrelloService, lock: RLock) -> None:
        super().__init__(world, lock)
        self._service = service

    # Cards

    def add_card(self, list_name: str = "TODO", name: str = "", desc: str = "", **fields: Any) -> str:
        """Add a card at the bottom of a list and return its id; `fields` as in `edit`."""
        with self._lock:
            values = {"name": name, "desc": desc} | self._values(fields)
            card_list = self._world.lists[values.pop("idList", None) or self._list(list_name).id]
            return add_card(self._world, card_list, values, [], self._actor).id

    def edit(self, card_id: str, **fields: Any) -> None:
        """
        Change name, desc, closed, dueComplete, due, isTemplate, idList or `list_name`, idBoard … Raises:
        KeyError.
        """
        with self._lock:
            change_card(self._world, self._card(card_id), self._values(fields), self._actor)

    def move(self, card_id: str, list_name: str) -> None:
        """Drag a card to the bottom of another list of its board: an idList action, then a pos action."""
        with self._lock:
            card = self._card(card_id)
            target = self._list(list_name, card.board_id)
            change_card(self._world, card, {"idList": target.id, "pos": "bottom"}, self._actor)

    def archive(self, card_id: str) -> None:
        """Archive a card."""
        self.edit(card_id, closed=True)

    def unarchive(self, card_id: str) -> None:
        """Send an archived card back to its list."""
        self.edit(card_id, closed=False)

    def delete(self, card_id: str) -> None:
        """Delete a card for good."""
        with self._lock:
            delete_card(self._world, self._card(card_id), self._actor)

    def copy(self, card_id: str, list_name: str | None = None) -> str:
        """Copy a card, description included, and return the new id."""
        with self._lock:
            source = self._card(card_id)
            target = self._world.lists[source.list_id] if list_name is None else self._list(list_name, source.board_id)
            kept = {"due", "start", "labels", "members", "dueComplete", "customFields"}
            return copy_card(self._world, source, target, {}, kept, self._actor).id

    def move_to_board(self, card_id: str, board_id: str) -> None:
        """Send a card to another board's first open list; IndexError when it has none."""
        self.edit(card_id, idBoard=board_id)

    def save_in_editor(self, card_id: str) -> None:
        """Open the description in the web editor and save it unchanged, which re-writes links and underscores."""
        with self._lock:
            card, knobs = self._card(card_id), self._world.knobs
            saved = editor_saves(
                card.values["desc"], knobs.trello_editor_link_title, knobs.trello_editor_escapes_link_text
            )
            change_card(self._world, card, {"desc": saved}, self._actor)

    def set_due(self, card_id: str, due: str | None) -> None:
        """Give a card a due date, or take it away; with the first one comes a reminder, told before it."""
        with self._lock:
            first = due is not None and self._card(card_id).values["due"] is None
            self.edit(card_id, **({"dueReminder": 1440} if first else {}), due=due)

    def add_label(self, card_id: str, label: str, traced: bool = True) -> None:
        """
        Put a label, by name or id, on a card.

        Not `traced`: as another program does by POST idLabels, of which the feed knows nothing. Raises: KeyError.
        """
        self._put_label(card_id, label, True, traced)

    def remove_label(self, card_id: str, label: str, traced: bool = True) -> None:
        """Take a label, by name or id, off a card; `traced` as for `add_label`. Raises: KeyError."""
        self._put_label(card_id, label, False, traced)

    def _put_label(self, card_id: str, key: str, there: bool, traced: bool) -> None:
        with self._lock:
            card = self._card(card_id)
            label = self._label(key, card.board_id)
            others = [each for each in card.labels if each is not label]
            set_labels(self._world, card, [*others, label] if there else others, self._actor, traced)

    def add_member(self, card_id: str, member: str) -> None:
        """Put a member, by name or id, on a card. Raises: KeyError."""
        self._put_member(card_id, member, True)

    def remove_member(self, card_id: str, member: str) -> None:
        """Take a member, by name or id, off a card. Raises: KeyError."""
        self._put_member(card_id, member, False)

    def _put_member(self, card_id: str, key: str, there: bool) -> None:
        with self._lock:
            card, member = self._card(card_id), self._member(key)
            others = [each for each in card.values["idMembers"] if each != member.id]
            set_members(self._world, card, [*others, member.id] if there else others, self._actor)

    def set_custom_field(self, card_id: str, field: str, value: str | None) -> None:
        """
        Set what a card has in a custom field, by name or id; None clears.

        `value`: a text, number, ISO date, "true" or "false", or the words of an option. Raises: KeyError, ValueError.
        """
        with self._lock:
            card = self._card(card_id)
            column = self._custom_field(field, card.board_id)
            content = None
            if value is not None and column.type == "list":
                content = {"idValue": self._option(column, value).id}
            elif value is not None:
                content = self._typed(lambda: given_content(column, {"value": {MEMBER_OF_TYPE[column.type]: value}}))
            set_item(self._world, card, column, content, self._actor)

    def custom_fields(self, card_id: str) -> dict[str, str]:
        """What a card has in its custom fields by their names, options by their words."""
        with self._lock:
            items = self._card(card_id).items.values()
            held = [(self._world.custom_fields[item["idCustomField"]], item) for item in items]
            return {column.name: words(column, item) for column, item in held}

    def comment(self, card_id: str, text: str) -> None:
        """Comment on a card."""
        with self._lock:
            add_comment(self._world, self._card(card_id), text, self._actor)

    def card(self, card_id: str) -> dict[str, Any]:
        """A card as the API shows it. Raises: KeyError when it was deleted."""
        with self._lock:
            return self._card(card_id).model()

    def cards(self) -> dict[str, dict[str, Any]]:
        """Every card of every board by id, archived ones too."""
        with self._lock:
            return {card.id: card.model() for card in self._world.cards.values()}

    def actions(self) -> list[dict[str, Any]]:
        """All actions of all boards, newest first."""
        with self._lock:
            return list(reversed(self._world.feed))

    # Account

    def add_token(self, writes: bool = True, key: str | None = None, expires_in: float | None = None) -> str:
        """A further token of the same member; without `writes` every write answers 401. `expires_in` in seconds."""
        with self._lock:
            expires = None if expires_in is None else self._world.clock.now() + expires_in
            return self._world.add_token(key or self.key, writes, expires).text

    def add_key(self) -> str:
        """A further API key, that is another app."""
        with self._lock:
            return self._world.add_key()

    def revoke_token(self, token: str | None = None) -> None:
        """Withdraw a token, the first one by default."""
        with self._lock:
            self._world.revoke(token or self.token)

    def foreign_calls(self, count: int) -> None:
        """Calls of other programs with the same key and token, which use up the rate limits."""
        with self._lock:
            self._service.limits.foreign_calls(self.key, self.token, self._world.clock.now(), count)

    @property
    def app_id(self) -> str:
        """The id that `appCreator` of API writes carries."""
        return self._world.keys[self.key]

    def _card(self, card_id: str) -> Card:
        return self._world.cards[card_id]

    def _typed(self, act: Callable[[], Content | None]) -> Content | None:
        try:
            return act()
        except Refused as refused:
            raise ValueError(refused.reply.body.decode()) from None

    def _values(self, fields: dict[str, Any]) -> dict[str, Any]:
        values = dict(fields)
        if "list_name" in values:
            values["idList"] = self._list(values.pop("list_name")).id
        unknown = values.keys() - CARD_DEFAULTS.keys() - {"idList", "idBoard", "pos"}
        if unknown:
            raise KeyError(f"a card has no field {', '.join(sorted(unknown))}")
        for name in ("due", "start"):
            if name in values:
                values[name] = date(values[name], name)
        return values
