"""
What changes the labels and the members of a card, for calls and people alike, each with its actions.

Ids are checked before, in `call`; nothing here changes a label or a member itself.
"""

from collections.abc import Sequence
from typing import Any

from emulator.trello.account import Actor
from emulator.trello.activity import touch
from emulator.trello.feed import record_action
from emulator.trello.model import Card, Label
from emulator.trello.world import TrelloWorld


def set_labels(world: TrelloWorld, card: Card, labels: Sequence[Label], actor: Actor, traced: bool = True) -> None:
    """
    Replace a card's labels.

    Webhooks alone hear which label came or went. The feed holds the set as it is after, and only if the set was
    replaced as a whole (`traced`): what adds or removes a single label leaves nothing there.
    """
    before = card.labels
    card.labels = list(labels)
    changed = [("addLabelToCard", label) for label in labels if label not in before]
    changed += [("removeLabelFromCard", label) for label in before if label not in labels]
    for kind, label in changed:
        touch(world, card)
        named = {"id": label.id, "name": label.name, "color": label.color}
        about = {"value": label.color, "text": label.name, "label": named}
        record_action(world, kind, card, actor, about, {}, listed=False, in_feed=False)
    if traced and (changed or world.knobs.trello_noop_makes_action):
        now = {"idLabels": [label.id for label in card.labels]}
        old = {"idLabels": [label.id for label in before]}
        action = record_action(world, "updateCard", card, actor, {"old": old}, now)
        if world.knobs.trello_old_labels == "after":
            action["data"]["old"] = dict(now)  # a delivery, which is on its way by now, held the former ones


def set_members(world: TrelloWorld, card: Card, member_ids: Sequence[str], actor: Actor) -> None:
    """Replace a card's members, with an action for each one added or taken away."""
    before = card.values["idMembers"]
    card.values["idMembers"] = list(member_ids)
    for member_id in member_ids:
        if member_id not in before:
            tell_of_member(world, "addMemberToCard", card, member_id, actor)
    for member_id in before:
        if member_id not in member_ids:
            tell_of_member(world, "removeMemberFromCard", card, member_id, actor)


def tell_of_member(world: TrelloWorld, kind: str, card: Card, member_id: str, actor: Actor) -> None:
    """The action of a member who came or went; it names no list."""
    member = world.members[member_id]
    about: dict[str, Any] = {"idMember": member.id, "member": {"id": member.id, "name": member.full_name}}
    if kind == "removeMemberFromCard":
        about["deactivated"] = False
    touch(world, card)
    record_action(world, kind, card, actor, about, {}, listed=False, member=member.model())
