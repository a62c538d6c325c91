"""
Calls on what a card has in its board's custom fields: reading, setting one, setting several.

The fields themselves are made and changed in `custom_field_calls`.
"""

from typing import Any

from emulator.trello.call import TrelloCall, card_of, custom_field_of
from emulator.trello.custom_field_changes import set_item
from emulator.trello.custom_field_values import Content, given_content
from emulator.trello.custom_fields import CustomField
from emulator.trello.model import Card
from emulator.trello.refusals import coded, invalid, not_found, plain
from emulator.trello.values import Given
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply
from emulator.wire.routing import Route, refuse_unknown, route

CONTENT = "value idValue value[text] value[number] value[date] value[checked]"


class CustomFieldItemCalls:
    """Endpoints under /1/cards/{card} about custom fields."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("GET", "cards/{card}/customFieldItems", self._items),
            route("PUT", "cards/{card}/customField/{customField}/item", self._set, takes=CONTENT),
            route("PUT", "cards/{card}/customFields", self._set_several, takes="customFieldItems"),
        ]

    def _items(self, call: TrelloCall) -> Reply:
        return json_reply(list(card_of(self._world, call).items.values()))

    def _set(self, call: TrelloCall) -> Reply:
        card, field = card_of(self._world, call), custom_field_of(self._world, call)
        content = self._content(card, field, call.given)
        return json_reply(set_item(self._world, card, field, content, call.actor))

    def _set_several(self, call: TrelloCall) -> Reply:
        """Everything is checked before anything is stored."""
        if not self._world.knobs.trello_custom_field_batch:
            raise plain(404, f"Cannot PUT {call.request.path}")
        card, asked = card_of(self._world, call), call.given.get("customFieldItems")
        if not isinstance(asked, list) or not all(isinstance(each, dict) for each in asked):
            raise invalid("customFieldItems")
        checked = [self._checked(card, each) for each in asked]
        items = [set_item(self._world, card, field, content, call.actor) for field, content in checked]
        return json_reply(items)

    def _checked(self, card: Card, asked: dict[str, Any]) -> tuple[CustomField, Content | None]:
        refuse_unknown(asked, ("idCustomField", "value", "idValue"), (), "an item")
        field = self._world.custom_fields.get(str(asked.get("idCustomField")))
        if field is None:
            raise not_found()
        return field, self._content(card, field, asked)

    def _content(self, card: Card, field: CustomField, given: Given) -> Content | None:
        if field.board_id != card.board_id:
            raise not_found()
        if not self._world.knobs.trello_custom_fields:
            raise coded(403, "Custom Fields are not enabled on this board")
        return given_content(field, given, self._world.knobs.trello_false_removes_item)
