"""State of the emulated Trello and the only functions that change it, each with its actions and dates."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from emulator.clock import Clock, iso_milliseconds
from emulator.ids import IdSource
from emulator.knobs import Knobs
from emulator.trello.account import Actor, TrelloToken
from emulator.trello.fields import BOARD_DEFAULT_FIELDS, chosen
from emulator.trello.model import Board, Card, CardList, Label
from emulator.trello.webhooks import TrelloWebhook
from emulator.wire.courier import Post

STEP = 16384.0
CARD_DEFAULTS: dict[str, Any] = {
    "name": "",
    "desc": "",
    "closed": False,
    "due": None,
    "start": None,
    "dueComplete": False,
    "idMembers": [],
    "subscribed": False,
    "isTemplate": False,
    "cardRole": None,
    "mirrorSourceId": None,
}
COPIED = ("name", "desc", "due", "start", "dueComplete", "idMembers", "cardRole")
ROLES = frozenset({"isTemplate", "cardRole"})
SILENT_FIELDS = frozenset({"subscribed", "isTemplate", "idMembers", "cardRole", "mirrorSourceId"})


@dataclass
class TrelloWorld:
    """Everything but limits; ids and times come from `ids` and `clock`."""

    knobs: Knobs
    clock: Clock
    ids: IdSource
    boards: dict[str, Board] = field(default_factory=dict)
    lists: dict[str, CardList] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    tokens: dict[str, TrelloToken] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """API key to app id."""
    secrets: dict[str, str] = field(default_factory=dict)
    """API key to the secret that signs its webhooks; see `secret_of`."""
    send: Callable[[Post], None] = lambda _post: None
    """Hands a delivery to the courier."""
    webhooks: dict[str, TrelloWebhook] = field(default_factory=dict)
    feed: list[dict[str, Any]] = field(default_factory=list)
    """Actions, oldest first."""
    member_id: str = ""

    def __post_init__(self) -> None:
        self.member_id = self.ids.object_id(self.clock.now())

    @property
    def member(self) -> dict[str, Any]:
        """The tokens' owner."""
        return {
            "id": self.member_id,
            "activityBlocked": False,
            "avatarHash": None,
            "avatarUrl": None,
            "fullName": "Sales Owner",
            "idMemberReferrer": None,
            "initials": "SO",
            "nonPublic": {},
            "nonPublicAvailable": True,
            "username": "salesowner",
        }

    def add_key(self) -> str:
        """A new API key with an app id of its own."""
        key = self.ids.hexadecimal(32)
        self.keys[key] = self.ids.object_id(self.clock.now())
        return key

    def add_token(self, key: str, writes: bool = True, expires: float | None = None) -> TrelloToken:
        """A new token for a key; the text begins with ATTA, as today's do."""
        now = self.clock.now()
        token = TrelloToken(f"ATTA{self.ids.hexadecimal(72)}", self.ids.object_id(now), key, writes, now, expires)
        self.tokens[token.text] = token
        return token

    def revoke(self, token: str) -> None:
        """Withdraw a token; its webhooks go with it (section 1.1)."""
        self.tokens.pop(token, None)
        for hook in [hook for hook in self.webhooks.values() if hook.token == token]:
            self.forget_webhook(hook)

    # Boards and lists

    def add_label(self, board_id: str, name: str, color: str | None) -> Label:
        """Add a label to a board."""
        label = Label(self.ids.object_id(self.clock.now()), board_id, name, color)
        self.labels[label.id] = label
        return label

    def add_board(self, name: str, visible: bool = True) -> Board:
        """Add an empty board."""
        now = self.clock.now()
        board = Board(self.ids.object_id(now), name, self.ids.letters(8), now, visible=visible)
        self.boards[board.id] = board
        return board

    def add_list(self, board: Board, name: str, pos: float | str = "bottom") -> CardList:
        """Add a list at a position of the board."""
        taken = [each.pos for each in self.lists.values() if each.board_id == board.id]
        at = self.ids.object_id(self.clock.now())
        created = CardList(at, name, board.id, position(pos, taken))
        self.lists[created.id] = created
        return created

    def change_list(self, card_list: CardList, name: str, value: Any, actor: Actor) -> None:
        """Store one checked field of a list; equal values change nothing."""
        attribute = "board_id" if name == "idBoard" else name
        before = getattr(card_list, attribute, None)
        if before == value or not hasattr(card_list, attribute):
            return
        setattr(card_list, attribute, value)
        if name == "idBoard":
            for card in self.cards.values():
                if card.list_id == card_list.id:
                    card.values["idBoard"] = value
            self._tell_of_moved_list(card_list, str(before), actor)
            return
        data = {"list": {"id": card_list.id, "name": card_list.name, name: value}, "old": {name: before}}
        self.append_action("updateList", data | self._board_reference(card_list.board_id), actor)

    def _tell_of_moved_list(self, card_list: CardList, source: str, actor: Actor) -> None:
        """Both boards hear of the list; nobody hears of the cards in it."""
        about = {"list": {"id": card_list.id, "name": card_list.name}}
        for kind, board_id in (("moveListFromBoard", source), ("moveListToBoard", card_list.board_id)):
            self.append_action(kind, about | self._board_reference(board_id), actor)

    def set_board_closed(self, board: Board, closed: bool, actor: Actor) -> None:
        """Close or re-open a board; equal values change nothing."""
        if board.closed != closed:
            board.closed = closed
            data = {"board": {"id": board.id, "name": board.name, "closed": closed}, "old": {"closed": not closed}}
            self.append_action("updateBoard", data, actor)

    def delete_list(self, card_list: CardList) -> None:
        """Remove a list and its cards."""
        self.cards = {key: card for key, card in self.cards.items() if card.list_id != card_list.id}
        del self.lists[card_list.id]

    def delete_board(self, board: Board) -> None:
        """Remove a board with lists, cards, labels and actions."""
        self.cards = {key: card for key, card in self.cards.items() if card.board_id != board.id}
        self.lists = {key: each for key, each in self.lists.items() if each.board_id != board.id}
        self.labels = {key: each for key, each in self.labels.items() if each.board_id != board.id}
        self.feed = [action for action in self.feed if action["data"].get("board", {}).get("id") != board.id]
        del self.boards[board.id]

    def open_lists(self, board_id: str) -> list[CardList]:
        """Open lists of a board by position."""
        seen = [each for each in self.lists.values() if each.board_id == board_id and not each.closed]
        return sorted(seen, key=lambda each: each.pos)

    def cards_of(self, board_id: str) -> list[Card]:
        """All cards of a board as on screen: by list, then by position."""
        order = {each.id: (each.pos, each.id) for each in self.lists.values() if each.board_id == board_id}
        seen = [card for card in self.cards.values() if card.board_id == board_id]
        return sorted(seen, key=lambda card: (order[card.list_id], card.values["pos"], card.id))

    def is_visible(self, card: Card) -> bool:
        """Open, and in an open list."""
        return not card.values["closed"] and not self.lists[card.list_id].closed

    # Cards

    def add_card(
        self,
        card_list: CardList,
        values: dict[str, Any],
        labels: Iterable[Label],
        actor: Actor,
        source: Card | None = None,
    ) -> Card:
        """Create a card; `source` makes it a copy with a copyCard action."""
        now = self.clock.now()
        board = self.boards[card_list.board_id]
        board.next_short += 1
        taken = [card.values["pos"] for card in self.cards.values() if card.list_id == card_list.id]
        pos = position(values.get("pos", "bottom"), taken)
        merged = CARD_DEFAULTS | values | {"pos": pos, "idList": card_list.id, "idBoard": board.id}
        merged["idMembers"] = list(merged["idMembers"])
        card = Card(self.ids.object_id(now), self.ids.letters(8), board.next_short, merged, now, list(labels))
        card.desc_written = bool(merged["desc"])
        self.cards[card.id] = card
        self._touch(card)
        if merged["due"] is not None and source is None:
            old: dict[str, Any] = {"due": None}
            self.record("updateCard", card, actor, {"old": old}, {"due": merged["due"]})
        about = {} if source is None else {"cardSource": self._card_reference(source)}
        self.record("createCard" if source is None else "copyCard", card, actor, about, {})
        return card

    def copy_card(
        self, source: Card, card_list: CardList, overrides: dict[str, Any], kept: set[str], actor: Actor
    ) -> Card:
        """A copy with the same name and description unless overridden (section 4, copying)."""
        copied = {name: source.values[name] for name in COPIED if name in kept | {"name", "desc", "cardRole"}}
        labels = source.labels if "labels" in kept and source.board_id == card_list.board_id else []
        if "members" in kept:
            copied["idMembers"] = source.values["idMembers"]
        return self.add_card(card_list, copied | overrides, labels, actor, source)

    def change_card(self, card: Card, changes: dict[str, Any], actor: Actor) -> None:
        """Store checked values, one action per changed field (section 5)."""
        changes = dict(changes)
        target = changes.pop("idBoard", card.board_id)
        if target != card.board_id:
            self._move_to_board(card, target, changes.pop("idList", None), changes.pop("pos", None), actor)
        elif "pos" in changes:
            changes["pos"] = self._new_position(card, changes)
        for name, value in changes.items():
            before = card.values[name]
            if before == value and not self.knobs.trello_noop_makes_action:
                continue
            card.values[name] = value
            self._after_change(card, name, before, value, actor)

    def set_labels(self, card: Card, labels: list[Label], actor: Actor) -> None:
        """Replace a card's labels, with an action for each one added or taken away."""
        before = card.labels
        card.labels = labels
        for kind, changed in (
            ("addLabelToCard", [label for label in labels if label not in before]),
            ("removeLabelFromCard", [label for label in before if label not in labels]),
        ):
            for label in changed:
                self._touch(card)
                self.record(kind, card, actor, {"label": label.model()}, {})

    def delete_card(self, card: Card, actor: Actor) -> None:
        """Delete for good: its earlier actions leave the feed (section 5)."""
        self.feed = [action for action in self.feed if action["data"].get("card", {}).get("id") != card.id]
        self.record("deleteCard", card, actor, {}, {}, named=False)
        del self.cards[card.id]

    def comment(self, card: Card, text: str, actor: Actor) -> dict[str, Any]:
        """Add a comment; returns its action."""
        card.comments += 1
        self._touch(card)
        return self.record("commentCard", card, actor, {"text": text, "textData": {"emoji": {}}}, {})

    def _new_position(self, card: Card, changes: dict[str, Any]) -> float:
        list_id = changes.get("idList", card.list_id)
        taken = [c.values["pos"] for c in self.cards.values() if c.list_id == list_id and c.id != card.id]
        return position(changes["pos"], taken)

    def _after_change(self, card: Card, name: str, before: Any, value: Any, actor: Actor) -> None:
        if name == "desc":
            card.desc_written = True
        if name == "pos":
            if self.knobs.trello_pos_moves_activity:
                self._touch(card)
            if self.knobs.trello_pos_makes_action:
                self.record("updateCard", card, actor, {"old": {"pos": before}}, {"pos": value})
            return
        if name in SILENT_FIELDS and not (name in ROLES and self.knobs.trello_template_makes_action):
            if name != "subscribed":
                self._touch(card)
            return
        self._touch(card)
        about: dict[str, Any] = {"old": {name: before}}
        if name == "idList":
            about["listBefore"] = self._list_reference(before)
            about["listAfter"] = self._list_reference(value)
        self.record("updateCard", card, actor, about, {name: value})

    def _move_to_board(self, card: Card, board_id: str, list_id: str | None, pos: Any, actor: Actor) -> None:
        """Same id and short link; new number, list and position; labels are dropped (section 4)."""
        source, target = self.boards[card.board_id], self.boards[board_id]
        self.record("moveCardFromBoard", card, actor, {"boardTarget": {"id": target.id, "name": target.name}}, {})
        destination = list_id or self.open_lists(board_id)[0].id
        taken = [each.values["pos"] for each in self.cards.values() if each.list_id == destination]
        target.next_short += 1
        card.id_short = target.next_short
        card.labels = []
        card.values |= {"idBoard": board_id, "idList": destination, "pos": position(pos or "bottom", taken)}
        self._touch(card)
        self.record("moveCardToBoard", card, actor, {"boardSource": {"id": source.id, "name": source.name}}, {})

    def _touch(self, card: Card) -> None:
        now = self.clock.now()
        card.last_activity = now
        self.boards[card.board_id].last_activity = now
        card.texts.append((now, f"{card.values['name']}\n{card.values['desc']}"))

    # Actions

    def record(
        self,
        kind: str,
        card: Card,
        actor: Actor,
        about: dict[str, Any],
        fields: dict[str, Any],
        named: bool = True,
    ) -> dict[str, Any]:
        """Append an action of a card and return it; `fields` are added to `data.card`."""
        board = self.boards[card.board_id]
        reference = self._card_reference(card)
        if not named:
            del reference["name"]
        data: dict[str, Any] = {
            "card": reference | fields,
            **about,
            "board": {"id": board.id, "name": board.name, "shortLink": board.short_link},
        }
        if "listAfter" not in about:
            data["list"] = self._list_reference(card.list_id)
        return self.append_action(kind, data, actor)

    def append_action(self, kind: str, data: dict[str, Any], actor: Actor) -> dict[str, Any]:
        """Append any action, tell the webhooks that watch what it is about, and return it."""
        now = self.clock.now()
        action = {
            "id": self.ids.object_id(now),
            "idMemberCreator": actor.member_id,
            "data": data,
            "appCreator": None if actor.app_id is None else {"id": actor.app_id},
            "type": kind,
            "date": iso_milliseconds(now),
            "limits": None,
            "memberCreator": self.member | {"id": actor.member_id},
        }
        self.feed.append(action)
        for hook in list(self.webhooks.values()):
            if hook.hears(action):
                self._tell(hook, action, actor)
        return action

    def secret_of(self, key: str) -> str:
        """The secret shown beside an API key."""
        return self.secrets.setdefault(key, hashlib.sha256(key.encode()).hexdigest())

    def _tell(self, hook: TrelloWebhook, action: dict[str, Any], actor: Actor) -> None:
        token = self.tokens.get(hook.token)
        if token is None or (token.expires is not None and token.expires <= self.clock.now()):
            return
        identifier = actor.identifier if actor.app_id == self.keys[token.key] else None
        self.send(
            hook.post(
                action,
                self._watched(str(hook.values["idModel"])),
                self.secret_of(token.key),
                identifier,
                partial(self.forget_webhook, hook),
            )
        )

    def forget_webhook(self, hook: TrelloWebhook) -> None:
        """Delete a webhook; what it has not delivered is not tried again."""
        hook.values["active"] = False
        self.webhooks.pop(hook.id, None)

    def _watched(self, model_id: str) -> dict[str, Any]:
        """The watched object as a delivery shows it."""
        if model_id in self.boards:
            return chosen(self.boards[model_id].model(), None, BOARD_DEFAULT_FIELDS)
        found = self.lists.get(model_id) or self.cards.get(model_id)
        return self.member if found is None else found.model()

    def _card_reference(self, card: Card) -> dict[str, Any]:
        return {
            "id": card.id,
            "name": card.values["name"],
            "idShort": card.id_short,
            "shortLink": card.short_link,
        }

    def _board_reference(self, board_id: str) -> dict[str, Any]:
        return {"board": {"id": board_id, "name": self.boards[board_id].name}}

    def _list_reference(self, list_id: str) -> dict[str, Any]:
        return {"id": list_id, "name": self.lists[list_id].name}


def position(wanted: Any, taken: list[float]) -> float:
    """A position among those taken: bottom is max + 16384, top is min / 2 (section 3.4)."""
    if isinstance(wanted, int | float):
        return float(wanted)
    if wanted == "top":
        return min(taken) / 2 if taken else STEP
    return max(taken, default=0.0) + STEP
