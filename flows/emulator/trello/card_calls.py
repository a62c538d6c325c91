"""
Reading, creating, changing and deleting a card.

What belongs to a card, such as its labels and comments, is in `card_part_calls`.
"""

from typing import Any

from emulator.trello.call import TrelloCall, card_of, labels_of, members_of
from emulator.trello.card_changes import add_card, change_card, copy_card, delete_card
from emulator.trello.card_sets import set_labels
from emulator.trello.card_values import NULLABLE, WRITABLE, checked, checked_changes
from emulator.trello.listing import CARD_OFF, CARD_TAKES, card_model
from emulator.trello.model import Card, CardList
from emulator.trello.refusals import coded, invalid, not_found, plain
from emulator.trello.values import Given, card_position, object_id
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply, unsupported
from emulator.wire.routing import Route, route

KEPT_BY_DEFAULT = {"attachments", "checklists", "customFields", "comments", "due", "start", "labels", "members"}
SOURCE_LACKS = {"stickers", ""}
"""What may be kept of a source, and no card has here."""
MADE_OF = (
    "idList name desc due start dueComplete idMembers idLabels subscribed pos cardRole idCardSource keepFromSource"
)
ROLES = ("separator", "board", "mirror", "link")
NOT_SET = "address locationName coordinates idAttachmentCover urlSource fileSource mimeType agent"
"""What no card has here, and may be said not to have."""
CREATED_ONLY: dict[str, Any] = {"attachments": [], "stickers": [], "limits": {}}


class CardCalls:
    """Endpoints under /1/cards; the last part of a path may be any field of a card."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("POST", "cards", self._create, takes=MADE_OF, off=NOT_SET),
            route("GET", "cards/{card}", self._get, takes=CARD_TAKES, off=CARD_OFF),
            route("PUT", "cards/{card}", self._update, takes=" ".join(WRITABLE), off=NOT_SET),
            route("DELETE", "cards/{card}", self._delete),
            route("PUT", "cards/{card}/{field}", self._update_field, takes="value idList"),
            route("GET", "cards/{card}/{field}", self._field),
        ]

    # Reading

    def _get(self, call: TrelloCall) -> Reply:
        return json_reply(card_model(self._world, card_of(self._world, call), call.given))

    def _field(self, call: TrelloCall) -> Reply:
        model = card_of(self._world, call).model()
        if call.values["field"] not in model:
            raise unsupported(f"{call.values['field']} of a card")
        return json_reply({"_value": model[call.values["field"]]})

    # Creating

    def _create(self, call: TrelloCall) -> Reply:
        """Values are checked before the list is looked up."""
        given = call.given
        list_id = object_id(given.get("idList"), "idList")
        values = self._creation_values(given)
        card_list = self._target_list(list_id)
        self._check_room(card_list)
        labels = labels_of(self._world, given.get("idLabels"), card_list.board_id)
        if "idMembers" in values:
            members_of(values["idMembers"], self._world.boards[card_list.board_id], [], "idMembers")
        if given.get("idCardSource"):
            card = self._copied(given, card_list, values, call)
        else:
            card = add_card(self._world, card_list, values, labels, call.actor)
        return json_reply(card.model() | CREATED_ONLY)

    def _creation_values(self, given: Given) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in ("name", "desc", "due", "start", "dueComplete", "idMembers", "subscribed"):
            if name in given:
                values[name] = checked(name, given[name], name, self._world.knobs)
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
        parts = KEPT_BY_DEFAULT if kept == "all" else set(kept.split(",")) - SOURCE_LACKS
        if unknown := sorted(parts - KEPT_BY_DEFAULT):
            raise unsupported(f"keeping {', '.join(unknown)} of a card")
        # An empty text does not override: py-trello sends idLabels="" and idMembers="" with every copy.
        overrides = {name: value for name, value in values.items() if value not in ("", [], None)}
        return copy_card(self._world, source, card_list, overrides, parts, call.actor)

    # Changing

    def _update(self, call: TrelloCall) -> Reply:
        card = card_of(self._world, call)
        return self._applied(card, checked_changes(call.given, self._world.knobs), call)

    def _update_field(self, call: TrelloCall) -> Reply:
        card, name = card_of(self._world, call), call.values["field"]
        if name not in WRITABLE or ("idList" in call.given and name != "idBoard"):
            raise unsupported(f"setting {name} of a card with {', '.join(sorted(call.given))}")
        if "value" not in call.given or (call.given["value"] is None and name not in NULLABLE):
            raise invalid("value")
        changes = {name: checked(name, call.given["value"], "value", self._world.knobs)}
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
        labels = labels_of(self._world, changes.pop("idLabels"), board_id) if "idLabels" in changes else None
        if "idMembers" in changes:
            members_of(changes["idMembers"], board, card.values["idMembers"], "idMembers")
        change_card(self._world, card, changes, call.actor)
        if labels is not None:
            set_labels(self._world, card, labels, call.actor)
        return json_reply(card.model())

    def _check_list(self, list_id: str, board_id: str) -> None:
        card_list = self._world.lists.get(list_id)
        if card_list is None or card_list.board_id != board_id:
            words = self._world.knobs.trello_foreign_list_text.format(list=list_id, board=board_id)
            raise plain(404, words)

    def _delete(self, call: TrelloCall) -> Reply:
        delete_card(self._world, card_of(self._world, call), call.actor)
        return json_reply({"limits": {}})
