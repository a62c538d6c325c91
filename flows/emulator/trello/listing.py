"""
Cards as calls answer them, and pages of cards and actions.

Nothing here changes a card; what a parameter may hold is in `values`.
"""

import zlib
from collections.abc import Sequence
from typing import Any

from emulator.clock import iso_milliseconds
from emulator.trello.fields import NESTED_MEMBER_FIELDS, chosen
from emulator.trello.model import Card
from emulator.trello.refusals import coded, invalid
from emulator.trello.values import Given, action_boundary, asked, boolean, boundary, whole_number
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import unsupported

PAGE_MOST = 1000
CARDS_WITH_ACTIONS = 1000
CARD_ACTION_DEFAULT = "commentCard,updateCard:idList"
EMPTY_NESTED = {
    "attachments": ("true", "cover"),
    "checklists": ("all",),
    "pluginData": ("true",),
    "stickers": ("true",),
}
"""Kinds of things that no card has here, so that the answer is the service's own; and how each is asked for."""
CARD_TAKES = (
    "fields customFieldItems members member_fields list board board_fields actions attachments checklists pluginData "
    "stickers"
)
CARD_OFF = "membersVoted checkItemStates badges"
"""py-trello sends `badges`, which Trello does not know."""
CARDS_TAKES = f"{CARD_TAKES} filter limit since before sort"
ACTIONS_TAKES = "filter fields format limit since before page member memberCreator"
ACTIONS_OFF = "reactions display entities"
CARD_FILTERS = ("all", "closed", "complete", "incomplete", "none", "open", "visible")


def cards_page(world: TrelloWorld, cards: Sequence[Card], given: Given, default_filter: str) -> list[dict[str, Any]]:
    """
    Cards as a list call answers them.

    Without `limit`: screen order, at most `trello_page_cap` of the newest. With `limit=n`: the n newest by id
    within `since`/`before`, in an order that is not promised. Raises: Refused for a bad filter or limit.
    """
    kept = [card for card in cards if _passes(world, card, str(given.get("filter") or default_filter))]
    if given.get("sort") not in (None, "", "-id") or (given.get("sort") and not given.get("limit")):
        raise unsupported(f"sort={given['sort']} of these cards")
    since, before = boundary(given, "since"), boundary(given, "before")
    kept = [c for c in kept if (since is None or since(c.id) > 0) and (before is None or before(c.id) < 0)]
    if given.get("limit") not in (None, ""):
        size = whole_number(given, "limit", PAGE_MOST, 0, PAGE_MOST)
        kept = sorted(kept, key=lambda card: card.id, reverse=True)[:size]
        if not world.knobs.trello_sorted_pages and given.get("sort") != "-id":
            kept.sort(key=lambda card: zlib.crc32(card.id.encode()))
    elif world.knobs.trello_page_cap is not None and len(kept) > world.knobs.trello_page_cap:
        newest = {card.id for card in sorted(kept, key=lambda card: card.id)[-world.knobs.trello_page_cap :]}
        kept = [card for card in kept if card.id in newest]
    return [card_model(world, card, given, len(kept)) for card in kept]


def _passes(world: TrelloWorld, card: Card, wanted: str) -> bool:
    closed = card.values["closed"]
    answers = {
        "open": not closed,
        "visible": world.is_visible(card),
        "closed": closed,
        "all": True,
        "none": False,
        "complete": card.values["dueComplete"],
        "incomplete": not card.values["dueComplete"],
    }
    if wanted not in answers:
        raise invalid("filter")
    return bool(answers[wanted])


def card_model(
    world: TrelloWorld, card: Card, given: Given, beside: int = 1, fields: str | None = None
) -> dict[str, Any]:
    """A card with the fields and nested resources asked for; `beside` is the number of cards in the answer."""
    wanted = fields if fields is not None else given.get("fields")
    model = chosen(card.model(), None if wanted is None else str(wanted))
    model |= {name: [] for name, ways in EMPTY_NESTED.items() if asked(given, name, *ways)}
    if asked(given, "customFieldItems"):
        model["customFieldItems"] = list(card.items.values())
    if asked(given, "members"):
        model["members"] = members_page(world, card.values["idMembers"], given.get("member_fields"), nested=True)
    if asked(given, "list"):
        model["list"] = world.lists[card.list_id].model()
    if asked(given, "board"):
        fields_of_board = given.get("board_fields")
        model["board"] = chosen(world.boards[card.board_id].model(), _text_or_none(fields_of_board))
    actions = given.get("actions")
    if actions and actions != "none":
        if beside >= CARDS_WITH_ACTIONS:
            message = "Requested too many cards with action loads, please limit"
            raise coded(403, message, "API_TOO_MANY_CARDS_REQUESTED")
        model["actions"] = actions_page(card_actions(world, card), {"filter": actions})
    return model


def _text_or_none(value: Any) -> str | None:
    return None if value is None else str(value)


def members_page(
    world: TrelloWorld, member_ids: Sequence[str], fields: Any, nested: bool = False
) -> list[dict[str, Any]]:
    """Members with the fields asked for; inside another answer a few, by default."""
    default = NESTED_MEMBER_FIELDS if nested else None
    return [chosen(world.members[each].model(), _text_or_none(fields), default) for each in member_ids]


def board_labels(world: TrelloWorld, board_id: str, fields: Any = None) -> list[dict[str, Any]]:
    """Labels of a board, oldest first."""
    seen = [each for each in world.labels.values() if each.board_id == board_id]
    return [chosen(each.model(), _text_or_none(fields)) for each in seen]


def board_custom_fields(world: TrelloWorld, board_id: str) -> list[dict[str, Any]]:
    """Custom fields of a board by position."""
    seen = [each for each in world.custom_fields.values() if each.board_id == board_id]
    return [each.model() for each in sorted(seen, key=lambda each: each.pos)]


def card_actions(world: TrelloWorld, card: Card) -> list[dict[str, Any]]:
    """Actions of one card, oldest first."""
    return [action for action in world.feed if action["data"].get("card", {}).get("id") == card.id]


def board_actions(world: TrelloWorld, board_id: str) -> list[dict[str, Any]]:
    """Actions of one board, oldest first, as far as they are told by now."""
    of_board = [action for action in world.feed if action["data"].get("board", {}).get("id") == board_id]
    if not world.knobs.trello_actions_lag:
        return of_board
    told = iso_milliseconds(world.clock.now() - world.knobs.trello_actions_lag)
    return [action for action in of_board if action["date"] <= told]


def actions_page(actions: Sequence[dict[str, Any]], given: Given, default_filter: str = "all") -> list[dict[str, Any]]:
    """Newest first, `limit` (default 50, at most 1000) per `page`. Raises: Refused for a bad limit or page."""
    if given.get("format") not in (None, "", "list"):
        raise unsupported(f"format {given['format']} of actions")
    wanted = str(given.get("filter") or default_filter).split(",")
    since, before = action_boundary(given, "since"), action_boundary(given, "before")
    size = whole_number(given, "limit", 50, 0, PAGE_MOST)
    page = whole_number(given, "page", 0, 0, PAGE_MOST)
    kept = [
        action
        for action in reversed(actions)
        if any(_is_kind(action, kind) for kind in wanted)
        and (since is None or since(action) > 0)
        and (before is None or before(action) < 0)
    ]
    left_out = {name for name in ("member", "memberCreator") if not boolean(given.get(name, True), name)}
    fields = _text_or_none(given.get("fields"))
    return [
        {key: value for key, value in chosen(action, fields).items() if key not in left_out}
        for action in kept[page * size : (page + 1) * size]
    ]


def _is_kind(action: dict[str, Any], wanted: str) -> bool:
    kind, _, field = wanted.partition(":")
    if kind == "all":
        return True
    return bool(action["type"] == kind and (not field or field in action["data"].get("old", {})))
