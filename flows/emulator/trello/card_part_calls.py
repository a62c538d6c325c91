"""
Calls on what belongs to a card: its list, board, members, actions, labels and comments.

A card's own fields are read and changed in `card_calls`.
"""

from typing import Any

from emulator.trello.call import TrelloCall, card_of, labels_of, members_of
from emulator.trello.card_changes import add_comment
from emulator.trello.card_sets import set_labels, set_members
from emulator.trello.listing import (
    ACTIONS_OFF,
    ACTIONS_TAKES,
    CARD_ACTION_DEFAULT,
    actions_page,
    card_actions,
    members_page,
)
from emulator.trello.model import Card
from emulator.trello.refusals import invalid, plain
from emulator.trello.values import object_id, text
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply
from emulator.wire.routing import Route, route

EMPTY_CHILDREN = ("attachments", "checklists", "membersVoted", "pluginData", "stickers")
ONLY_SHOWN = "filter fields checkItems checkItem_fields"
"""How children would be shown, and which of them."""


class CardPartCalls:
    """Endpoints under /1/cards/{card}, named before a card's own fields."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        empty = [route("GET", "cards/{card}/" + name, self._nothing, takes=ONLY_SHOWN) for name in EMPTY_CHILDREN]
        return [
            route("GET", "cards/{card}/actions", self._actions, takes=ACTIONS_TAKES, off=ACTIONS_OFF),
            route("GET", "cards/{card}/list", self._list),
            route("GET", "cards/{card}/board", self._board),
            route("GET", "cards/{card}/members", self._members, takes="fields"),
            *empty,
            route("POST", "cards/{card}/idLabels", self._add_label, takes="value"),
            route("DELETE", "cards/{card}/idLabels/{label}", self._remove_label),
            route("POST", "cards/{card}/idMembers", self._add_member, takes="value"),
            route("DELETE", "cards/{card}/idMembers/{member}", self._remove_member),
            route("POST", "cards/{card}/actions/comments", self._comment, takes="text"),
        ]

    def _actions(self, call: TrelloCall) -> Reply:
        actions = card_actions(self._world, card_of(self._world, call))
        return json_reply(actions_page(actions, call.given, CARD_ACTION_DEFAULT))

    def _list(self, call: TrelloCall) -> Reply:
        return json_reply(self._world.lists[card_of(self._world, call).list_id].model())

    def _board(self, call: TrelloCall) -> Reply:
        return json_reply(self._world.boards[card_of(self._world, call).board_id].model())

    def _members(self, call: TrelloCall) -> Reply:
        return json_reply(self._shown_members(card_of(self._world, call), call))

    def _shown_members(self, card: Card, call: TrelloCall) -> list[dict[str, Any]]:
        return members_page(self._world, card.values["idMembers"], call.given.get("fields"))

    def _nothing(self, call: TrelloCall) -> Reply:
        card_of(self._world, call)
        return json_reply([])

    def _add_label(self, call: TrelloCall) -> Reply:
        card = card_of(self._world, call)
        (label,) = labels_of(self._world, [object_id(call.given.get("value"), "value")], card.board_id)
        if label in card.labels:
            raise plain(400, "that label is already on the card")
        set_labels(self._world, card, [*card.labels, label], call.actor, traced=False)
        return json_reply([each.id for each in card.labels])

    def _remove_label(self, call: TrelloCall) -> Reply:
        card = card_of(self._world, call)
        kept = [each for each in card.labels if each.id != call.values["label"]]
        set_labels(self._world, card, kept, call.actor, traced=False)
        return json_reply({"_value": None})

    def _add_member(self, call: TrelloCall) -> Reply:
        card = card_of(self._world, call)
        board, already = self._world.boards[card.board_id], card.values["idMembers"]
        (member_id,) = members_of([object_id(call.given.get("value"), "value")], board, already, "value")
        if member_id in already:
            raise plain(400, "member is already on the card")
        set_members(self._world, card, [*already, member_id], call.actor)
        return json_reply(self._shown_members(card, call))

    def _remove_member(self, call: TrelloCall) -> Reply:
        card, member_id = card_of(self._world, call), call.values["member"]
        already = card.values["idMembers"]
        if member_id not in already:
            raise plain(400, "member is not on the card")
        set_members(self._world, card, [each for each in already if each != member_id], call.actor)
        return json_reply(self._shown_members(card, call))

    def _comment(self, call: TrelloCall) -> Reply:
        card = card_of(self._world, call)
        words = text(call.given.get("text"), "text", self._world.knobs)
        if not words:
            raise invalid("text")
        return json_reply(add_comment(self._world, card, words, call.actor))
