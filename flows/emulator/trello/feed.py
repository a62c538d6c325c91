"""
The actions: how they name cards, lists and boards, and which webhooks hear of them.

Nothing here changes a card, a list or a board.
"""

from functools import partial
from typing import Any

from emulator.clock import iso_milliseconds
from emulator.trello.account import Actor
from emulator.trello.fields import BOARD_DEFAULT_FIELDS, chosen
from emulator.trello.model import Card
from emulator.trello.webhooks import TrelloWebhook
from emulator.trello.world import TrelloWorld


def record_action(
    world: TrelloWorld,
    kind: str,
    card: Card,
    actor: Actor,
    about: dict[str, Any],
    fields: dict[str, Any],
    *,
    named: bool = True,
    listed: bool = True,
    in_feed: bool = True,
    member: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """
    Append an action of a card and return it; `fields` are added to `data.card`.

    named, listed: whether it tells the card's name, and its list. in_feed, member: as for `append_action`.
    """
    board = world.boards[card.board_id]
    reference = card_reference(world, card)
    if not named:
        del reference["name"]
    data: dict[str, Any] = {
        "card": reference | fields,
        **about,
        "board": {"id": board.id, "name": board.name, "shortLink": board.short_link},
    }
    if listed and "listAfter" not in about:
        data["list"] = list_reference(world, card.list_id)
    return append_action(world, kind, data, actor, in_feed, member)


def append_action(
    world: TrelloWorld,
    kind: str,
    data: dict[str, Any],
    actor: Actor,
    in_feed: bool = True,
    member: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """
    Append any action, tell the webhooks that watch what it is about, and return it.

    in_feed: False for what webhooks alone are told. member: whom it is about, besides who did it.
    """
    now = world.clock.now()
    action = {
        "id": world.ids.object_id(now),
        "idMemberCreator": actor.member_id,
        "data": data,
        "appCreator": None if actor.app_id is None else {"id": actor.app_id},
        "type": kind,
        "date": iso_milliseconds(now),
        "limits": None,
        "memberCreator": world.members[actor.member_id].model(),
    } | ({} if member is None else {"member": member})
    if in_feed:
        world.feed.append(action)
    for hook in list(world.webhooks.values()):
        if hook.hears(action):
            _tell(world, hook, action, actor)
    return action


def _tell(world: TrelloWorld, hook: TrelloWebhook, action: dict[str, Any], actor: Actor) -> None:
    token = world.tokens.get(hook.token)
    if token is None or (token.expires is not None and token.expires <= world.clock.now()):
        return
    identifier = actor.identifier if actor.app_id == world.keys[token.key] else None
    world.send(
        hook.post(
            action,
            _watched(world, str(hook.values["idModel"])),
            world.secret_of(token.key),
            identifier,
            partial(world.forget_webhook, hook),
        )
    )


def _watched(world: TrelloWorld, model_id: str) -> dict[str, Any]:
    """The watched object as a delivery shows it."""
    if model_id in world.boards:
        return chosen(world.boards[model_id].model(), None, BOARD_DEFAULT_FIELDS)
    found = world.lists.get(model_id) or world.cards.get(model_id)
    return world.member if found is None else found.model()


def card_reference(world: TrelloWorld, card: Card) -> dict[str, Any]:
    """A card as actions name it."""
    return {
        "id": card.id,
        "name": card.values["name"],
        "idShort": card.id_short,
        "shortLink": card.short_link,
    }


def list_reference(world: TrelloWorld, list_id: str) -> dict[str, Any]:
    """A list as actions name it."""
    return {"id": list_id, "name": world.lists[list_id].name}


def board_reference(world: TrelloWorld, board_id: str) -> dict[str, Any]:
    """A board as actions name it."""
    return {"board": {"id": board_id, "name": world.boards[board_id].name}}
