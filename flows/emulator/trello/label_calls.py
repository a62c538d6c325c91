"""
Calls on labels.

No card gets a label here; a label that is deleted leaves its cards.
"""

from typing import Any

from emulator.trello.board_changes import add_label
from emulator.trello.call import TrelloCall
from emulator.trello.model import COLOURS, Label
from emulator.trello.refusals import invalid, not_found
from emulator.trello.values import object_id, text
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply
from emulator.wire.routing import Route, route


class LabelCalls:
    """Endpoints under /1/labels."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("POST", "labels", self._create),
            route("GET", "labels/{label}", self._get),
            route("PUT", "labels/{label}", self._update),
            route("DELETE", "labels/{label}", self._delete),
        ]

    def _create(self, call: TrelloCall) -> Reply:
        board_id = object_id(call.given.get("idBoard"), "idBoard")
        if board_id not in self._world.boards:
            raise not_found()
        name = text(call.given.get("name") or "", "name", self._world.knobs)
        label = add_label(self._world, board_id, name, self._colour(call.given.get("color")))
        return json_reply(label.model() | {"limits": {}})

    def _colour(self, value: Any) -> str | None:
        if value in (None, "", "null"):
            return None
        if str(value).partition("_")[0] not in COLOURS:
            raise invalid("color")
        return str(value)

    def _get(self, call: TrelloCall) -> Reply:
        return json_reply(self._named(call).model())

    def _update(self, call: TrelloCall) -> Reply:
        label = self._named(call)
        if call.given.get("name") is not None:
            label.name = text(call.given["name"], "name", self._world.knobs)
        if "color" in call.given:
            label.color = self._colour(call.given["color"])
        return json_reply(label.model())

    def _delete(self, call: TrelloCall) -> Reply:
        label = self._named(call)
        for card in self._world.cards.values():
            card.labels = [each for each in card.labels if each is not label]
        del self._world.labels[label.id]
        return json_reply({"limits": {}})

    def _named(self, call: TrelloCall) -> Label:
        if call.values["label"] not in self._world.labels:
            raise not_found()
        return self._world.labels[call.values["label"]]
