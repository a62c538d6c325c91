"""
Label calls.

Which labels a card has is changed in `card_part_calls`; a label that is deleted leaves its cards.
"""

from typing import Any

from emulator.trello.board_changes import add_label, change_label, delete_label
from emulator.trello.call import TrelloCall, board_of, card_of
from emulator.trello.card_sets import set_labels
from emulator.trello.listing import board_labels
from emulator.trello.model import COLOURS, Label
from emulator.trello.refusals import invalid, not_found
from emulator.trello.values import Given, object_id, text, whole_number
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply, unsupported
from emulator.wire.routing import Route, route


class LabelCalls:
    """Endpoints under /1/labels, and those that list and make the labels of a board."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("GET", "boards/{board}/labels", self._of_board, takes="fields limit"),
            route("POST", "boards/{board}/labels", self._create_on_board, takes="name color"),
            route("POST", "cards/{card}/labels", self._create_on_card, takes="name color"),
            route("POST", "labels", self._create, takes="name color idBoard"),
            route("GET", "labels/{label}", self._get),
            route("PUT", "labels/{label}", self._update, takes="name color"),
            route("PUT", "labels/{label}/{field}", self._update_field, takes="value"),
            route("DELETE", "labels/{label}", self._delete, takes="id"),
        ]

    def _create(self, call: TrelloCall) -> Reply:
        board_id = object_id(call.given.get("idBoard"), "idBoard")
        if board_id not in self._world.boards:
            raise not_found()
        return json_reply(self._made(board_id, call).model() | {"limits": {}})

    def _of_board(self, call: TrelloCall) -> Reply:
        board = board_of(self._world, call)
        size = whole_number(call.given, "limit", 50, 0, 1000)
        return json_reply(board_labels(self._world, board.id, call.given.get("fields"))[:size])

    def _create_on_board(self, call: TrelloCall) -> Reply:
        return json_reply(self._made(board_of(self._world, call).id, call).model() | {"limits": {}})

    def _create_on_card(self, call: TrelloCall) -> Reply:
        """A new label, which the card gets as by POST idLabels."""
        card = card_of(self._world, call)
        label = self._made(card.board_id, call)
        set_labels(self._world, card, [*card.labels, label], call.actor, traced=False)
        return json_reply(label.model())

    def _made(self, board_id: str, call: TrelloCall) -> Label:
        name = text(call.given.get("name") or "", "name", self._world.knobs)
        return add_label(self._world, board_id, name, self._colour(call.given.get("color")), call.actor)

    def _colour(self, value: Any) -> str | None:
        if value in (None, "", "null"):
            return None
        if str(value).partition("_")[0] not in COLOURS:
            raise invalid("color")
        return str(value)

    def _get(self, call: TrelloCall) -> Reply:
        return json_reply(self._named(call).model())

    def _update(self, call: TrelloCall) -> Reply:
        return json_reply(self._changed(self._named(call), call.given, call))

    def _update_field(self, call: TrelloCall) -> Reply:
        label, name = self._named(call), call.values["field"]
        if name not in ("name", "color"):
            raise unsupported(f"setting {name} of a label")
        if "value" not in call.given:
            raise invalid("value")
        return json_reply(self._changed(label, {name: call.given["value"]}, call))

    def _changed(self, label: Label, given: Given, call: TrelloCall) -> dict[str, Any]:
        name, color = label.name, label.color
        if given.get("name") is not None:
            name = text(given["name"], "name", self._world.knobs)
        if "color" in given:
            color = self._colour(given["color"])
        change_label(self._world, label, name, color, call.actor)
        return label.model()

    def _delete(self, call: TrelloCall) -> Reply:
        """py-trello says in the body again which."""
        if call.given.get("id", call.values["label"]) != call.values["label"]:
            raise unsupported("another label in the body")
        delete_label(self._world, self._named(call), call.actor)
        return json_reply({"limits": {}})

    def _named(self, call: TrelloCall) -> Label:
        if call.values["label"] not in self._world.labels:
            raise not_found()
        return self._world.labels[call.values["label"]]
