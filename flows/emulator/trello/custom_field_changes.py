"""
What changes custom fields, their options, and what cards have in them, for calls and people alike, with the actions.

Values are stored as given: `custom_field_values` checks them first.
"""

from typing import Any

from emulator.trello.account import Actor
from emulator.trello.activity import touch
from emulator.trello.custom_field_values import Content
from emulator.trello.custom_fields import CustomField, Option
from emulator.trello.feed import append_action, board_reference, record_action
from emulator.trello.model import Board, Card
from emulator.trello.positions import position
from emulator.trello.world import TrelloWorld


def add_field(world: TrelloWorld, board: Board, name: str, kind: str, pos: float | str, actor: Actor) -> CustomField:
    """Add a custom field to a board."""
    taken = [each.pos for each in world.custom_fields.values() if each.board_id == board.id]
    made_at = world.ids.object_id(world.clock.now())
    made = CustomField(made_at, board.id, name, kind, position(pos, taken), world.ids.hexadecimal(64))
    world.custom_fields[made.id] = made
    _tell(world, "createCustomField", made, {}, actor)
    return made


def rename_field(world: TrelloWorld, field: CustomField, name: str, actor: Actor) -> None:
    """Rename a custom field; an equal name changes nothing."""
    before, field.name = field.name, name
    if before != name:
        _tell(world, "updateCustomField", field, {"old": {"name": before}}, actor)


def delete_field(world: TrelloWorld, field: CustomField, actor: Actor) -> None:
    """Remove a custom field; what cards had in it goes without an action of theirs."""
    del world.custom_fields[field.id]
    for card in world.cards.values():
        card.items.pop(field.id, None)
    _tell(world, "deleteCustomField", field, {}, actor)


def add_option(world: TrelloWorld, field: CustomField, text: str, pos: float | str = "bottom") -> Option:
    """Add an entry to a dropdown."""
    taken = [each.pos for each in field.options]
    made = Option(world.ids.object_id(world.clock.now()), text, position(pos, taken))
    field.options.append(made)
    field.options.sort(key=lambda each: each.pos)
    return made


def delete_option(world: TrelloWorld, field: CustomField, option: Option) -> None:
    """Remove an entry of a dropdown; the cards that had it have nothing there now, without an action."""
    field.options.remove(option)
    for card in world.cards.values():
        if card.items.get(field.id, {}).get("idValue") == option.id:
            del card.items[field.id]


def set_item(
    world: TrelloWorld, card: Card, field: CustomField, content: Content | None, actor: Actor
) -> dict[str, Any]:
    """Store what a card has in a field, None for nothing; returns the item as the call answers it."""
    former = card.items.get(field.id)
    item_id = former["id"] if former else world.ids.object_id(world.clock.now())
    shown = _item(item_id, {"value": None} if content is None else content, field, card)
    was = _content(former)
    if was == content and not world.knobs.trello_noop_makes_action:
        return shown
    if content is None:
        card.items.pop(field.id, None)
    else:
        card.items[field.id] = shown
    touch(world, card)
    empty = {"idValue" if field.type == "list" else "value": None}
    about = {"old": was or empty, "customField": _named(field), "customFieldItem": shown}
    record_action(world, "updateCustomFieldItem", card, actor, about, {}, listed=False)
    return shown


def copy_items(world: TrelloWorld, source: Card, target: Card) -> None:
    """Give a copy what its source has, in items of its own; a field of another board has none."""
    now = world.clock.now()
    for field_id, item in source.items.items():
        field = world.custom_fields[field_id]
        if field.board_id == target.board_id:
            target.items[field_id] = _item(world.ids.object_id(now), _content(item) or {}, field, target)


def _item(item_id: str, content: Content, field: CustomField, card: Card) -> dict[str, Any]:
    return {"id": item_id, **content, "idCustomField": field.id, "idModel": card.id, "modelType": "card"}


def _content(item: dict[str, Any] | None) -> Content | None:
    return None if item is None else {name: item[name] for name in ("value", "idValue") if name in item}


def _named(field: CustomField) -> dict[str, Any]:
    return {"id": field.id, "name": field.name, "type": field.type}


def _tell(world: TrelloWorld, kind: str, field: CustomField, about: dict[str, Any], actor: Actor) -> None:
    data = {"customField": _named(field), **about}
    append_action(world, kind, data | board_reference(world, field.board_id), actor)
