"""
An authorised request: what it gives, and finding what it names, with the refusals for the missing and the invisible.

Whether the token may write is checked before, in `service`.
"""

from dataclasses import dataclass
from typing import Any

from emulator.trello.account import Actor, TrelloToken
from emulator.trello.custom_fields import CustomField
from emulator.trello.model import Board, Card, CardList, Label
from emulator.trello.refusals import invalid, not_found, plain
from emulator.trello.values import Given, id_list
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Request, unsupported
from emulator.wire.routing import Route, refuse_unknown


@dataclass(frozen=True)
class TrelloCall:
    """An authorised request."""

    request: Request
    given: Given
    values: dict[str, str]
    actor: Actor
    token: TrelloToken


def given_to(route: Route, request: Request) -> Given:
    """
    What a request gives, in its query and in its body, apart from credentials.

    Raises: Refused with 501 for what the route does not know, and for what cannot be read as it is written.
    """
    if not isinstance(request.body, dict | None):
        raise unsupported("a body that is no object")
    if repeated := sorted(name for name, value in request.query.items() if isinstance(value, list)):
        raise unsupported(f"{', '.join(repeated)} more than once")
    given = request.query | (request.body or {})
    if request.method == "POST":  # null means not given there
        given = {name: value for name, value in given.items() if value is not None}
    given = {name: value for name, value in given.items() if name not in ("key", "token")}
    refuse_unknown(given, route.takes, route.off, route.shown)
    return given


def board_of(world: TrelloWorld, call: TrelloCall) -> Board:
    """The board of `{board}`, by id or short link."""
    key = call.values["board"]
    board = world.boards.get(key.lower())
    if board is None:
        board = next((each for each in world.boards.values() if each.short_link == key), None)
    if board is None:
        raise not_found()
    if not board.visible:
        raise plain(401, "unauthorized permission requested")
    return board


def list_of(world: TrelloWorld, call: TrelloCall) -> CardList:
    """The list of `{list}`."""
    found = world.lists.get(call.values["list"].lower())
    if found is None:
        raise plain(404, "model not found")
    if not world.boards[found.board_id].visible:
        raise plain(401, "unauthorized list permission requested")
    return found


def card_of(world: TrelloWorld, call: TrelloCall) -> Card:
    """The card of `{card}`, by id or short link; archived cards are found too."""
    key = call.values["card"]
    card = world.cards.get(key.lower())
    if card is None:
        card = next((each for each in world.cards.values() if each.short_link == key), None)
    if card is None:
        raise not_found()
    if not world.boards[card.board_id].visible:
        raise plain(401, "unauthorized card permission requested")
    return card


def labels_of(world: TrelloWorld, value: Any, board_id: str) -> list[Label]:
    """The labels of a list of ids, all of them on the board."""
    ids = id_list(value, "idLabels")
    found = [world.labels.get(label_id) for label_id in ids]
    if len(set(ids)) < len(ids) or any(label is None or label.board_id != board_id for label in found):
        raise plain(400, "label not found")
    return [label for label in found if label is not None]


def members_of(value: Any, board: Board, already: list[str], called: str) -> list[str]:
    """The ids of a list, each of a member of the board or of one whom the card shows already."""
    ids = id_list(value, called)
    if len(set(ids)) < len(ids) or not set(ids) <= {*board.member_ids, *already}:
        raise invalid(called)
    return ids


def custom_field_of(world: TrelloWorld, call: TrelloCall) -> CustomField:
    """The field of `{customField}`."""
    found = world.custom_fields.get(call.values["customField"].lower())
    if found is None:
        raise not_found()
    if not world.boards[found.board_id].visible:
        raise plain(401, "unauthorized custom field permission requested")
    return found
