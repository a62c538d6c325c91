"""Card calls (Trello reference, sections 3.3 to 3.5)."""

from typing import Any

from emulator.trello.call import TrelloCall, card_of
from emulator.trello.listing import CARD_ACTION_DEFAULT, actions_page, card_actions, card_model
from emulator.trello.model import Card, CardList, Label
from emulator.trello.refusals import coded, invalid, not_found, plain
from emulator.trello.values import Given, boolean, card_position, date, description, id_list, object_id, text
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply
from emulator.wire.routing import Route, route

WRITABLE = (
    "name",
    "desc",
    "closed",
    "idBoard",
    "idList",
    "pos",
    "due",
    "start",
    "dueComplete",
    "idLabels",
    "idMembers",
    "subscribed",
)
NULLABLE = ("due", "start", "idLabels", "idMembers")
KEPT_BY_DEFAULT = {
    "attachments",
    "checklists",
    "customFields",
    "comments",
    "due",
    "start",
    "labels",
    "members",
    "stickers",
}
ROLES = ("separator", "board", "mirror", "link")
CREATED_ONLY: dict[str, Any] = {"attachments": [], "stickers": [], "limits": {}}
EMPTY_CHILDREN = ("attachments", "checklists", "customFieldItems", "pluginData", "stickers")


class CardCalls:
    """Endpoints under /1/cards."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        empty = [route("GET", "cards/{card}/" + name, self._nothing) for name in EMPTY_CHILDREN]
        return [
            route("POST", "cards", self._create),
            route("GET", "cards/{card}", self._get),
            route("PUT", "cards/{card}", self._update),
            route("DELETE", "cards/{card}", self._delete),
            route("GET", "cards/{card}/actions", self._actions),
            route("GET", "cards/{card}/list", self._list),
            route("GET", "cards/{card}/board", self._board),
            route("GET", "cards/{card}/members", self._members),
            *empty,
            route("POST", "cards/{card}/idLabels", self._add_label),
            route("DELETE", "cards/{card}/idLabels/{label}", self._remove_label),
            route("POST", "cards/{card}/actions/comments", self._comment),
            route("PUT", "cards/{card}/{field}", self._update_field),
            route("GET", "cards/{card}/{field}", self._field),
        ]

    # Reading

    def _get(self, call: TrelloCall) -> Reply:
        return json_reply(card_model(self._world, card_of(self._world, call), call.given))

    def _field(self, call: TrelloCall) -> Reply:
        model = card_of(self._world, call).model()
        if call.values["field"] not in model:
            raise invalid("field")
        return json_reply({"_value": model[call.values["field"]]})

    def _actions(self, call: TrelloCall) -> Reply:
        actions = card_actions(self._world, card_of(self._world, call))
        return json_reply(actions_page(actions, call.given, CARD_ACTION_DEFAULT))

    def _list(self, call: TrelloCall) -> Reply:
        return json_reply(self._world.lists[card_of(self._world, call).list_id].model())

    def _board(self, call: TrelloCall) -> Reply:
        return json_reply(self._world.boards[card_of(self._world, call).board_id].model())

    def _members(self, call: TrelloCall) -> Reply:
        card = card_of(self._world, call)
        return json_reply([self._world.member] if self._world.member_id in card.values["idMembers"] else [])

    def _nothing(self, call: TrelloCall) -> Reply:
        card_of(self._world, call)
        return json_reply([])

    # Creating

    def _create(self, call: TrelloCall) -> Reply:
        """`null` members mean not given; values are checked before the list is looked up (section 1.2)."""
        given = {name: value for name, value in call.given.items() if value is not None}
        list_id = object_id(given.get("idList"), "idList")
        values = self._creation_values(given)
        card_list = self._target_list(list_id)
        self._check_room(card_list)
        labels = self._labels(given.get("idLabels"), card_list.board_id)
        if given.get("idCardSource"):
            card = self._copied(given, card_list, values, call)
        else:
            card = self._world.add_card(card_list, values, labels, call.actor)
        return json_reply(card.model() | CREATED_ONLY)

    def _creation_values(self, given: Given) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in ("name", "desc", "due", "start", "dueComplete", "idMembers", "subscribed"):
            if name in given:
                values[name] = self._checked(name, given[name], name)
        if "pos" in given:
            values["pos"] = card_position(given["pos"])
        if given.get("cardRole"):
            if given["cardRole"] not in ROLES:
                raise invalid("cardRole")
            values["cardRole"] = given["cardRole"]
        return values

    def _target_list(self, list_id: str) -> CardList:
        card_list = self._world.lists.get(list_id)
        if card_list is None:
            raise plain(404, "could not find the board that the card belongs to")
        if not self._world.boards[card_list.board_id].visible:
            raise plain(401, "unauthorized card permission requested")
        return card_list

    def _check_room(self, card_list: CardList) -> None:
        held = [c for c in self._world.cards.values() if c.board_id == card_list.board_id and not c.values["closed"]]
        if len(held) >= self._world.knobs.trello_open_cards_limit:
            raise coded(403, "Board has too many open cards", self._world.knobs.trello_open_cards_error)

    def _copied(self, given: Given, card_list: CardList, values: dict[str, Any], call: TrelloCall) -> Card:
        source = self._world.cards.get(object_id(given["idCardSource"], "idCardSource"))
        if source is None:
            raise not_found()
        kept = str(given.get("keepFromSource") or "all")
        parts = KEPT_BY_DEFAULT if kept == "all" else set(kept.split(","))
        # An empty text does not override: py-trello sends idLabels="" and idMembers="" with every copy.
        overrides = {name: value for name, value in values.items() if value not in ("", [], None)}
        return self._world.copy_card(source, card_list, overrides, parts, call.actor)

    # Changing

    def _update(self, call: TrelloCall) -> Reply:
        card = card_of(self._world, call)
        given = {
            name: call.given[name]
            for name in WRITABLE
            if name in call.given and (call.given[name] is not None or name in NULLABLE)
        }
        return self._applied(card, {name: self._checked(name, value, name) for name, value in given.items()}, call)

    def _update_field(self, call: TrelloCall) -> Reply:
        card, name = card_of(self._world, call), call.values["field"]
        if name not in WRITABLE:
            raise plain(404, f"Cannot PUT {call.request.path}")
        if "value" not in call.given or (call.given["value"] is None and name not in NULLABLE):
            raise invalid("value")
        changes = {name: self._checked(name, call.given["value"], "value")}
        if name == "idBoard" and call.given.get("idList"):
            changes["idList"] = object_id(call.given["idList"], "idList")
        return self._applied(card, changes, call)

    def _applied(self, card: Card, changes: dict[str, Any], call: TrelloCall) -> Reply:
        board_id = changes.get("idBoard", card.board_id)
        board = self._world.boards.get(board_id)
        if board is None:
            raise not_found()
        if not board.visible:
            raise plain(401, "unauthorized permission requested")
        if "idList" in changes:
            self._check_list(changes["idList"], board_id)
        elif board_id != card.board_id and not self._world.open_lists(board_id):
            raise invalid("idBoard")
        labels = self._labels(changes.pop("idLabels"), board_id) if "idLabels" in changes else None
        self._world.change_card(card, changes, call.actor)
        if labels is not None:
            self._world.set_labels(card, labels, call.actor)
        return json_reply(card.model())

    def _check_list(self, list_id: str, board_id: str) -> None:
        card_list = self._world.lists.get(list_id)
        if card_list is None or card_list.board_id != board_id:
            words = self._world.knobs.trello_foreign_list_text.format(list=list_id, board=board_id)
            raise plain(404, words)

    def _checked(self, name: str, value: Any, called: str) -> Any:
        """A checked value; `called` is the name that a refusal mentions."""
        if name == "name":
            if value == "" and self._world.knobs.trello_rejects_empty_name and called != "name":
                raise invalid(called)
            return text(value, called, self._world.knobs)
        if name == "desc":
            return (
                description(value, self._world.knobs)
                if isinstance(value, str)
                else text(value, called, self._world.knobs)
            )
        if name in ("closed", "dueComplete", "subscribed"):
            return boolean(value, called)
        if name in ("due", "start"):
            return date(value, called)
        if name in ("idBoard", "idList"):
            return object_id(value, called)
        if name == "pos":
            return card_position(value, called)
        return id_list(value, called)

    def _delete(self, call: TrelloCall) -> Reply:
        self._world.delete_card(card_of(self._world, call), call.actor)
        return json_reply({"limits": {}})

    # Labels and comments

    def _labels(self, value: Any, board_id: str) -> list[Label]:
        ids = id_list(value, "idLabels")
        found = [self._world.labels.get(label_id) for label_id in ids]
        if len(set(ids)) < len(ids) or any(label is None or label.board_id != board_id for label in found):
            raise plain(400, "label not found")
        return [label for label in found if label is not None]

    def _add_label(self, call: TrelloCall) -> Reply:
        card = card_of(self._world, call)
        (label,) = self._labels([object_id(call.given.get("value"), "value")], card.board_id)
        if label in card.labels:
            raise plain(400, "that label is already on the card")
        self._world.set_labels(card, [*card.labels, label], call.actor)
        return json_reply([each.id for each in card.labels])

    def _remove_label(self, call: TrelloCall) -> Reply:
        card = card_of(self._world, call)
        self._world.set_labels(card, [each for each in card.labels if each.id != call.values["label"]], call.actor)
        return json_reply({"_value": None})

    def _comment(self, call: TrelloCall) -> Reply:
        card = card_of(self._world, call)
        words = text(call.given.get("text"), "text", self._world.knobs)
        if not words:
            raise invalid("text")
        return json_reply(self._world.comment(card, words, call.actor))
