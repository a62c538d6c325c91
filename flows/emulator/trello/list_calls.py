"""
List calls.

What a change of a list does to its cards is in `board_changes`.
"""

from typing import Any

from emulator.trello.board_changes import add_list, change_list, delete_list
from emulator.trello.call import TrelloCall, list_of
from emulator.trello.card_changes import change_card
from emulator.trello.feed import append_action
from emulator.trello.listing import ACTIONS_OFF, ACTIONS_TAKES, CARD_OFF, CARDS_TAKES, actions_page, cards_page
from emulator.trello.model import CardList
from emulator.trello.positions import position
from emulator.trello.refusals import coded, invalid, plain
from emulator.trello.values import boolean, card_position, object_id, text, whole_number
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply, unsupported
from emulator.wire.routing import Route, route

WRITABLE = ("name", "closed", "pos", "idBoard", "subscribed", "softLimit")


class ListCalls:
    """Endpoints under /1/lists."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("POST", "lists", self._create, takes="name idBoard pos"),
            route("GET", "lists/{list}", self._get),
            route("PUT", "lists/{list}", self._update, takes=" ".join(WRITABLE)),
            route("DELETE", "lists/{list}", self._delete),
            route("GET", "lists/{list}/cards", self._cards, takes=CARDS_TAKES, off=CARD_OFF),
            route("GET", "lists/{list}/actions", self._actions, takes=ACTIONS_TAKES, off=ACTIONS_OFF),
            route("GET", "lists/{list}/board", self._board),
            route("POST", "lists/{list}/archiveAllCards", self._archive_all),
            route("POST", "lists/{list}/moveAllCards", self._move_all, takes="idBoard idList"),
            route("PUT", "lists/{list}/{field}", self._update_field, takes="value"),
            route("GET", "lists/{list}/{field}", self._field),
        ]

    def _create(self, call: TrelloCall) -> Reply:
        given, world = call.given, self._world
        name = given.get("name")
        if not isinstance(name, str) or not name.strip():
            raise coded(400, "invalid value for name", "BAD_REQUEST_ERROR")
        board_id = object_id(given.get("idBoard"), "idBoard")
        board = world.boards.get(board_id)
        if board is None or not board.visible:
            raise plain(401, f"unauthorized board list requested {board_id}")
        pos = "top" if given.get("pos") in (None, "") else card_position(given["pos"])
        created = add_list(world, board, text(name, "name", world.knobs), pos)
        self._record("createList", created, {}, call)
        return json_reply(created.model() | {"limits": {}})

    def _get(self, call: TrelloCall) -> Reply:
        return json_reply(list_of(self._world, call).model())

    def _field(self, call: TrelloCall) -> Reply:
        model = list_of(self._world, call).model()
        if call.values["field"] not in model:
            raise unsupported(f"{call.values['field']} of a list")
        return json_reply({"_value": model[call.values["field"]]})

    def _update(self, call: TrelloCall) -> Reply:
        card_list = list_of(self._world, call)
        given = {name: call.given[name] for name in WRITABLE if call.given.get(name) is not None}
        checked = {name: self._checked(card_list, name, value, name) for name, value in given.items()}
        return self._applied(card_list, checked, call)

    def _update_field(self, call: TrelloCall) -> Reply:
        card_list, name = list_of(self._world, call), call.values["field"]
        if name not in WRITABLE:
            raise unsupported(f"setting {name} of a list")
        if call.given.get("value") is None:
            raise invalid("value")
        checked = {name: self._checked(card_list, name, call.given["value"], "value")}
        return self._applied(card_list, checked, call)

    def _applied(self, card_list: CardList, checked: dict[str, Any], call: TrelloCall) -> Reply:
        for name, value in checked.items():
            change_list(self._world, card_list, name, value, call.actor)
        return json_reply(card_list.model())

    def _checked(self, card_list: CardList, name: str, value: Any, called: str) -> Any:
        if name == "name":
            return text(value, called, self._world.knobs)
        if name in ("closed", "subscribed"):
            return boolean(value, called)
        if name == "softLimit":
            return whole_number({called: value}, called, 0, 0, 5000) or None
        if name == "pos":
            others = [
                e.pos for e in self._world.lists.values() if e.board_id == card_list.board_id and e is not card_list
            ]
            return position(card_position(value, called), others)
        if name == "idBoard":
            board_id = object_id(value, called)
            if board_id not in self._world.boards:
                raise invalid(called)
            return board_id
        return value

    def _delete(self, call: TrelloCall) -> Reply:
        card_list = list_of(self._world, call)
        if not card_list.closed:
            raise plain(400, "Cannot delete open list")
        delete_list(self._world, card_list)
        return json_reply({"_value": None})

    def _cards(self, call: TrelloCall) -> Reply:
        card_list = list_of(self._world, call)
        if card_list.closed and not self._world.knobs.trello_archived_list_readable:
            raise plain(404, "model not found")
        cards = [card for card in self._world.cards_of(card_list.board_id) if card.list_id == card_list.id]
        return json_reply(cards_page(self._world, cards, call.given, "open"))

    def _actions(self, call: TrelloCall) -> Reply:
        card_list = list_of(self._world, call)
        named = [
            action
            for action in self._world.feed
            if card_list.id in {action["data"].get(key, {}).get("id") for key in ("list", "listBefore", "listAfter")}
        ]
        return json_reply(actions_page(named, call.given))

    def _board(self, call: TrelloCall) -> Reply:
        return json_reply(self._world.boards[list_of(self._world, call).board_id].model())

    def _archive_all(self, call: TrelloCall) -> Reply:
        card_list = list_of(self._world, call)
        for card in self._world.cards_of(card_list.board_id):
            if card.list_id == card_list.id:
                change_card(self._world, card, {"closed": True}, call.actor)
        return json_reply({})

    def _move_all(self, call: TrelloCall) -> Reply:
        source = list_of(self._world, call)
        board_id, list_id = (
            object_id(call.given.get("idBoard"), "idBoard"),
            object_id(call.given.get("idList"), "idList"),
        )
        target = self._world.lists.get(list_id)
        if target is None or target.board_id != board_id:
            raise invalid("idList")
        moved = [card for card in self._world.cards_of(source.board_id) if card.list_id == source.id]
        for card in moved:
            change_card(self._world, card, {"idBoard": board_id, "idList": list_id}, call.actor)
        keys = ("id", "idBoard", "idList", "pos")
        return json_reply([{key: card.model()[key] for key in keys} for card in moved])

    def _record(self, kind: str, card_list: CardList, about: dict[str, Any], call: TrelloCall) -> None:
        board = self._world.boards[card_list.board_id]
        data = {
            "list": {"id": card_list.id, "name": card_list.name},
            "board": {"id": board.id, "name": board.name},
        }
        append_action(self._world, kind, data | about, call.actor)
