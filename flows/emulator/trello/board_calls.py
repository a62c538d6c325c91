"""
Board calls.

Lists and cards appear here as a board shows them; calls on them are in `list_calls` and `card_calls`.
"""

from dataclasses import replace
from typing import Any

from emulator.ids import OBJECT_ID, SHORT_LINK
from emulator.trello.board_changes import add_board, add_list, delete_board
from emulator.trello.call import TrelloCall, board_of, card_of
from emulator.trello.feed import append_action
from emulator.trello.fields import BOARD_DEFAULT_FIELDS, LIST_DEFAULT_FIELDS, chosen
from emulator.trello.listing import (
    ACTIONS_OFF,
    ACTIONS_TAKES,
    CARD_FILTERS,
    CARD_OFF,
    CARD_TAKES,
    CARDS_TAKES,
    actions_page,
    board_actions,
    board_custom_fields,
    board_labels,
    card_model,
    cards_page,
    members_page,
)
from emulator.trello.model import Board, CardList
from emulator.trello.refusals import coded, invalid, not_found
from emulator.trello.values import Given, asked, boolean, text
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply, unsupported
from emulator.wire.routing import Route, refuse_unknown, route

NESTED = (
    "lists list_fields cards card_fields actions actions_limit actions_since actions_before labels members "
    "member_fields customFields"
)
OFF = "checklists memberships membersInvited organization myPrefs boardStars boardPlugins plugins pluginData tags"
MADE_OFF = "defaultLabels"
EMPTY = {"checklists": "cards card_fields fields", "boardStars": "filter", "plugins": "filter", "boardPlugins": ""}
"""What no board has here, and parameters that would only tell how it is shown, or which of it."""
DEFAULT_LISTS = ("To Do", "Doing", "Done")


def lists_page(world: TrelloWorld, board: Board, wanted: str, given: Given, fields: Any) -> list[dict[str, Any]]:
    """Lists of a board by position, with nested cards when asked for."""
    if wanted not in ("open", "closed", "all", "none"):
        raise invalid("filter")
    seen = sorted((each for each in world.lists.values() if each.board_id == board.id), key=lambda each: each.pos)
    kept = [
        e for e in seen if wanted == "all" or (wanted == "open" and not e.closed) or (wanted == "closed" and e.closed)
    ]
    return [_list_model(world, each, given, fields) for each in kept]


def _list_model(world: TrelloWorld, card_list: CardList, given: Given, fields: Any) -> dict[str, Any]:
    model = chosen(card_list.model(), None if fields is None else str(fields), LIST_DEFAULT_FIELDS)
    nested = str(given.get("cards") or "none")
    if nested != "none":
        cards = [card for card in world.cards_of(card_list.board_id) if card.list_id == card_list.id]
        model["cards"] = cards_page(world, cards, {"filter": nested} | _renamed(given, "card_fields"), nested)
    return model


def _renamed(given: Given, name: str) -> Given:
    return {"fields": given[name]} if given.get(name) is not None else {}


class BoardCalls:
    """Endpoints under /1/boards."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("POST", "boards", self._create, takes="name desc defaultLists prefs_permissionLevel", off=MADE_OFF),
            route("GET", "boards/{board}", self._get, takes=f"fields {NESTED}", off=OFF),
            route("PUT", "boards/{board}", self._update, takes="name desc closed"),
            route("DELETE", "boards/{board}", self._delete),
            route("GET", "boards/{board}/lists", self._lists, takes="filter fields cards card_fields"),
            route("GET", "boards/{board}/lists/{filter}", self._lists, takes="fields cards card_fields"),
            route("GET", "boards/{board}/cards", self._cards, takes=CARDS_TAKES, off=CARD_OFF),
            route("GET", "boards/{board}/cards/{card_or_filter}", self._cards, takes=CARDS_TAKES, off=CARD_OFF),
            route("GET", "boards/{board}/actions", self._actions, takes=ACTIONS_TAKES, off=ACTIONS_OFF),
            *(route("GET", f"boards/{{board}}/{name}", self._nothing, takes=takes) for name, takes in EMPTY.items()),
            route("GET", "boards/{board}/{field}", self._field),
        ]

    def _create(self, call: TrelloCall) -> Reply:
        given, world = call.given, self._world
        name = given.get("name")
        if not isinstance(name, str) or not name.strip():
            raise coded(400, "invalid value for name", "ERROR")
        if given.get("prefs_permissionLevel", "private") != "private":
            raise unsupported("a board that is not private")
        board = add_board(world, text(name, "name", world.knobs))
        board.desc = str(given.get("desc") or "")
        if given.get("defaultLists") is None or boolean(given["defaultLists"], "defaultLists"):
            for each in DEFAULT_LISTS:
                add_list(world, board, each)
        append_action(world, "createBoard", {"board": {"id": board.id, "name": board.name}}, call.actor)
        return json_reply(chosen(board.model(), None, BOARD_DEFAULT_FIELDS) | {"limits": {}})

    def _get(self, call: TrelloCall) -> Reply:
        world, given = self._world, call.given
        board = board_of(world, call)
        fields = given.get("fields")
        model = chosen(board.model(), None if fields is None else str(fields), BOARD_DEFAULT_FIELDS)
        if given.get("lists", "none") != "none":
            model["lists"] = lists_page(world, board, str(given["lists"]), {}, given.get("list_fields"))
        if given.get("cards", "none") != "none":
            nested = {"filter": given["cards"]} | _renamed(given, "card_fields")
            model["cards"] = cards_page(world, world.cards_of(board.id), nested, "visible")
        if given.get("actions", "none") not in ("none", ""):
            nested = {"filter": given["actions"], "limit": given.get("actions_limit")}
            nested |= {name: given.get(f"actions_{name}") for name in ("since", "before")}
            model["actions"] = actions_page(board_actions(world, board.id), nested)
        if asked(given, "labels", "all"):
            model["labels"] = board_labels(world, board.id)
        if asked(given, "members", "all", "true"):
            model["members"] = members_page(world, board.member_ids, given.get("member_fields"), nested=True)
        if asked(given, "customFields"):
            model["customFields"] = board_custom_fields(world, board.id)
        return json_reply(model)

    def _update(self, call: TrelloCall) -> Reply:
        board = board_of(self._world, call)
        changes: dict[str, Any] = {}
        if call.given.get("name") is not None:
            changes["name"] = text(call.given["name"], "name", self._world.knobs)
        if call.given.get("desc") is not None:
            changes["desc"] = text(call.given["desc"], "desc", self._world.knobs)
        if call.given.get("closed") is not None:
            changes["closed"] = boolean(call.given["closed"], "closed")
        for name, value in changes.items():
            before = getattr(board, name)
            setattr(board, name, value)
            if before != value:
                data = {"board": {"id": board.id, "name": board.name, name: value}, "old": {name: before}}
                append_action(self._world, "updateBoard", data, call.actor)
        return json_reply(chosen(board.model(), None, BOARD_DEFAULT_FIELDS))

    def _delete(self, call: TrelloCall) -> Reply:
        delete_board(self._world, board_of(self._world, call))
        return json_reply({"_value": None})

    def _lists(self, call: TrelloCall) -> Reply:
        board = board_of(self._world, call)
        wanted = str(call.values.get("filter") or call.given.get("filter") or "open")
        return json_reply(lists_page(self._world, board, wanted, call.given, call.given.get("fields")))

    def _cards(self, call: TrelloCall) -> Reply:
        board = board_of(self._world, call)
        which = call.values.get("card_or_filter")
        if which is not None and which not in CARD_FILTERS:
            return self._card(call, board, which)
        if which is not None and "filter" in call.given:
            raise unsupported("a filter beside that of the path")
        given = call.given | ({} if which is None else {"filter": which})
        return json_reply(cards_page(self._world, self._world.cards_of(board.id), given, "visible"))

    def _card(self, call: TrelloCall, board: Board, which: str) -> Reply:
        if not OBJECT_ID.fullmatch(which) and not SHORT_LINK.fullmatch(which):
            raise invalid("filter")
        refuse_unknown(call.given, CARD_TAKES.split(), CARD_OFF.split(), "a card of a board")
        card = card_of(self._world, replace(call, values={"card": which}))
        if card.board_id != board.id:
            raise not_found()
        return json_reply(card_model(self._world, card, call.given))

    def _actions(self, call: TrelloCall) -> Reply:
        board = board_of(self._world, call)
        return json_reply(actions_page(board_actions(self._world, board.id), call.given))

    def _nothing(self, call: TrelloCall) -> Reply:
        board_of(self._world, call)
        return json_reply([])

    def _field(self, call: TrelloCall) -> Reply:
        model = board_of(self._world, call).model()
        if call.values["field"] not in model:
            raise unsupported(f"{call.values['field']} of a board")
        return json_reply({"_value": model[call.values["field"]]})
