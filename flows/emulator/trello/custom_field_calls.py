"""
Calls on the custom fields of a board and the options of dropdowns.

What a card has in one is set in `custom_field_item_calls`.
"""

from typing import Any

from emulator.trello.call import TrelloCall, board_of, custom_field_of
from emulator.trello.custom_field_changes import add_field, add_option, delete_field, delete_option, rename_field
from emulator.trello.custom_fields import FIELDS_MOST, OPTIONS_MOST, TYPES, CustomField, Option
from emulator.trello.listing import board_custom_fields
from emulator.trello.refusals import coded, invalid, not_found
from emulator.trello.values import boolean, card_position, object_id, text
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply
from emulator.wire.routing import Route, route

MADE_OF = "idModel modelType type name options pos display_cardFront"


class CustomFieldCalls:
    """Endpoints under /1/customFields, and the one of a board that lists them."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        options = "customFields/{customField}/options"
        return [
            route("GET", "boards/{board}/customFields", self._of_board),
            route("POST", "customFields", self._create, takes=MADE_OF),
            route("GET", "customFields/{customField}", self._get),
            route("PUT", "customFields/{customField}", self._update, takes="name"),
            route("DELETE", "customFields/{customField}", self._delete),
            route("GET", options, self._options),
            route("POST", options, self._add_option, takes="value value[text] pos"),
            route("GET", options + "/{option}", self._option),
            route("DELETE", options + "/{option}", self._delete_option),
        ]

    def _of_board(self, call: TrelloCall) -> Reply:
        return json_reply(board_custom_fields(self._world, board_of(self._world, call).id))

    def _create(self, call: TrelloCall) -> Reply:
        world, given = self._world, call.given
        board = world.boards.get(object_id(given.get("idModel"), "idModel"))
        if board is None or not board.visible:
            raise not_found()
        if given.get("modelType") != "board":
            raise invalid("modelType")
        kind, name = given.get("type"), text(given.get("name"), "name", world.knobs)
        if kind not in TYPES:
            raise invalid("type")
        if not name.strip():
            raise invalid("name")
        options = given.get("options") or []
        if not isinstance(options, list) or (options and kind != "list"):
            raise invalid("options")
        words = [_words(each) for each in options]
        on_front = boolean(given.get("display_cardFront", True), "display_cardFront")
        self._check_plan()
        if len(board_custom_fields(world, board.id)) >= FIELDS_MOST:
            raise coded(403, "Board has too many custom fields", "BOARD_TOO_MANY_CUSTOM_FIELDS")
        made = add_field(world, board, name, str(kind), card_position(given.get("pos", "bottom")), call.actor)
        made.on_front = on_front
        for each in words:
            add_option(world, made, each)
        return json_reply(made.model(with_limits=True))

    def _check_plan(self) -> None:
        if not self._world.knobs.trello_custom_fields:
            raise coded(403, "Custom Fields are not enabled on this board")

    def _get(self, call: TrelloCall) -> Reply:
        return json_reply(custom_field_of(self._world, call).model(with_limits=True))

    def _update(self, call: TrelloCall) -> Reply:
        field = custom_field_of(self._world, call)
        if call.given.get("name") is not None:
            rename_field(self._world, field, text(call.given["name"], "name", self._world.knobs), call.actor)
        return json_reply(field.model(with_limits=True))

    def _delete(self, call: TrelloCall) -> Reply:
        delete_field(self._world, custom_field_of(self._world, call), call.actor)
        return json_reply({})

    def _options(self, call: TrelloCall) -> Reply:
        return json_reply([each.listed_model() for each in custom_field_of(self._world, call).options])

    def _add_option(self, call: TrelloCall) -> Reply:
        field = custom_field_of(self._world, call)
        if field.type != "list":
            raise invalid("type")
        words = _words({"value": call.given.get("value") or {"text": call.given.get("value[text]")}})
        if len(field.options) >= OPTIONS_MOST:
            raise coded(403, "Custom field has too many options", "CUSTOM_FIELD_TOO_MANY_OPTIONS")
        made = add_option(self._world, field, words, card_position(call.given.get("pos", "bottom")))
        return json_reply(made.model(field.id))

    def _option(self, call: TrelloCall) -> Reply:
        field = custom_field_of(self._world, call)
        return json_reply(_option_of(call, field).model(field.id))

    def _delete_option(self, call: TrelloCall) -> Reply:
        field = custom_field_of(self._world, call)
        delete_option(self._world, field, _option_of(call, field))
        return json_reply({})


def _option_of(call: TrelloCall, field: CustomField) -> Option:
    for each in field.options:
        if each.id == call.values["option"]:
            return each
    raise not_found()


def _words(option: Any) -> str:
    """The text of an option, given as `{"value":{"text":"…"}}`."""
    value = option.get("value") if isinstance(option, dict) else None
    if not isinstance(value, dict) or not isinstance(value.get("text"), str) or not value["text"]:
        raise invalid("value")
    return str(value["text"])
