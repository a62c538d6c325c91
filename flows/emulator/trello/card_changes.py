"""
What changes cards, for calls and people alike, each with its actions and dates.

Values are stored as given: calls check them first.
"""

from collections.abc import Iterable
from typing import Any

from emulator.trello.account import Actor
from emulator.trello.activity import touch
from emulator.trello.card_sets import set_members, tell_of_member
from emulator.trello.custom_field_changes import copy_items
from emulator.trello.feed import card_reference, list_reference, record_action
from emulator.trello.model import Card, CardList, Label
from emulator.trello.positions import position
from emulator.trello.world import TrelloWorld

CARD_DEFAULTS: dict[str, Any] = {
    "name": "",
    "desc": "",
    "closed": False,
    "due": None,
    "dueReminder": None,
    "start": None,
    "dueComplete": False,
    "idMembers": [],
    "subscribed": False,
    "isTemplate": False,
    "cardRole": None,
    "mirrorSourceId": None,
}
REACTION_LIMITS = {
    "perAction": {"status": "ok", "disableAt": 1000, "warnAt": 900},
    "uniquePerAction": {"status": "ok", "disableAt": 17, "warnAt": 16},
}
COPIED = ("name", "desc", "due", "start", "dueComplete", "idMembers", "cardRole")
ROLES = frozenset({"isTemplate", "cardRole"})
SILENT_FIELDS = frozenset({"subscribed", "isTemplate", "cardRole", "mirrorSourceId"})


def add_card(
    world: TrelloWorld,
    card_list: CardList,
    values: dict[str, Any],
    labels: Iterable[Label],
    actor: Actor,
    source: Card | None = None,
) -> Card:
    """
    Create a card, after the actions of its due date and members.

    `source` makes it a copy with a copyCard action; what it has from there has no actions.
    """
    now = world.clock.now()
    board = world.boards[card_list.board_id]
    board.next_short += 1
    taken = (card.values["pos"] for card in world.cards.values() if card.list_id == card_list.id)
    pos = position(values.get("pos", "bottom"), taken)
    merged = CARD_DEFAULTS | values | {"pos": pos, "idList": card_list.id, "idBoard": board.id}
    merged["idMembers"] = list(merged["idMembers"])
    card = Card(world.ids.object_id(now), world.ids.letters(8), board.next_short, merged, now, list(labels))
    world.cards[card.id] = card
    touch(world, card)
    had = {} if source is None else source.values
    if merged["due"] is not None and merged["due"] != had.get("due"):
        old: dict[str, Any] = {"due": None}
        record_action(world, "updateCard", card, actor, {"old": old}, {"due": merged["due"]})
    for member_id in merged["idMembers"]:
        if member_id not in had.get("idMembers", []):
            tell_of_member(world, "addMemberToCard", card, member_id, actor)
    about = {} if source is None else {"cardSource": card_reference(world, source)}
    record_action(world, "createCard" if source is None else "copyCard", card, actor, about, {})
    return card


def copy_card(
    world: TrelloWorld, source: Card, card_list: CardList, overrides: dict[str, Any], kept: set[str], actor: Actor
) -> Card:
    """A copy with the same name and description unless overridden."""
    copied = {name: source.values[name] for name in COPIED if name in kept | {"name", "desc", "cardRole"}}
    labels = source.labels if "labels" in kept and source.board_id == card_list.board_id else []
    if "members" in kept:
        there = world.boards[card_list.board_id].member_ids
        copied["idMembers"] = [each for each in source.values["idMembers"] if each in there]
    card = add_card(world, card_list, copied | overrides, labels, actor, source)
    if "customFields" in kept:
        copy_items(world, source, card)
    return card


def change_card(world: TrelloWorld, card: Card, changes: dict[str, Any], actor: Actor) -> None:
    """Store checked values, one action per changed field."""
    changes = dict(changes)
    target = changes.pop("idBoard", card.board_id)
    if target != card.board_id:
        _move_to_board(world, card, target, changes.pop("idList", None), changes.pop("pos", None), actor)
    elif "pos" in changes:
        changes["pos"] = _new_position(world, card, changes)
    for name, value in changes.items():
        if name == "idMembers":
            set_members(world, card, value, actor)
            continue
        before = card.values[name]
        if before == value and not world.knobs.trello_noop_makes_action:
            continue
        card.values[name] = value
        _after_change(world, card, name, before, value, actor)


def delete_card(world: TrelloWorld, card: Card, actor: Actor) -> None:
    """Delete for good: its earlier actions leave the feed."""
    world.feed = [action for action in world.feed if action["data"].get("card", {}).get("id") != card.id]
    record_action(world, "deleteCard", card, actor, {}, {}, named=False)
    del world.cards[card.id]


def add_comment(world: TrelloWorld, card: Card, text: str, actor: Actor) -> dict[str, Any]:
    """Add a comment; returns its action."""
    card.comments += 1
    touch(world, card)
    action = record_action(world, "commentCard", card, actor, {"text": text, "textData": {"emoji": {}}}, {})
    action["limits"] = {"reactions": REACTION_LIMITS}
    return action


def _new_position(world: TrelloWorld, card: Card, changes: dict[str, Any]) -> float:
    list_id = changes.get("idList", card.list_id)
    taken = [c.values["pos"] for c in world.cards.values() if c.list_id == list_id and c.id != card.id]
    return position(changes["pos"], taken)


def _after_change(world: TrelloWorld, card: Card, name: str, before: Any, value: Any, actor: Actor) -> None:
    if name == "pos":
        if world.knobs.trello_pos_moves_activity:
            touch(world, card)
        if world.knobs.trello_pos_makes_action:
            record_action(world, "updateCard", card, actor, {"old": {"pos": before}}, {"pos": value})
        return
    if name in SILENT_FIELDS and not (name in ROLES and world.knobs.trello_template_makes_action):
        if name != "subscribed":
            touch(world, card)
        return
    touch(world, card)
    about: dict[str, Any] = {"old": {name: before}}
    if name == "idList":
        about["listBefore"] = list_reference(world, before)
        about["listAfter"] = list_reference(world, value)
    record_action(world, "updateCard", card, actor, about, {name: value})


def _move_to_board(world: TrelloWorld, card: Card, board_id: str, list_id: str | None, pos: Any, actor: Actor) -> None:
    """
    Same id and short link; new number, list and position; labels, what was in custom fields, and members who are
    not on that board are dropped.
    """
    source, target = world.boards[card.board_id], world.boards[board_id]
    record_action(world, "moveCardFromBoard", card, actor, {"boardTarget": {"id": target.id, "name": target.name}}, {})
    destination = list_id or world.open_lists(board_id)[0].id
    taken = [each.values["pos"] for each in world.cards.values() if each.list_id == destination]
    target.next_short += 1
    card.id_short = target.next_short
    card.labels, card.items = [], {}
    card.values["idMembers"] = [each for each in card.values["idMembers"] if each in target.member_ids]
    card.values |= {"idBoard": board_id, "idList": destination, "pos": position(pos or "bottom", taken)}
    touch(world, card)
    record_action(world, "moveCardToBoard", card, actor, {"boardSource": {"id": source.id, "name": source.name}}, {})
