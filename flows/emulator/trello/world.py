"""
State of the emulated Trello: boards, lists, cards, labels, keys, tokens, webhooks and actions, and questions about it.

What changes it stands in `board_changes` and `card_changes`; only keys, tokens and webhooks come and go here.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator.clock import Clock
from emulator.ids import IdSource
from emulator.knobs import Knobs
from emulator.trello.account import Member, TrelloToken
from emulator.trello.custom_fields import CustomField
from emulator.trello.model import Board, Card, CardList, Label
from emulator.trello.webhooks import TrelloWebhook
from emulator.wire.courier import Post


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
    custom_fields: dict[str, CustomField] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
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
        self.member_id = self.add_member("Sales Owner", "salesowner").id

    @property
    def member(self) -> dict[str, Any]:
        """The tokens' owner."""
        return self.members[self.member_id].model()

    def add_member(self, full_name: str, username: str) -> Member:
        """Somebody new, who is on no board yet."""
        member = Member(self.ids.object_id(self.clock.now()), full_name, username)
        self.members[member.id] = member
        return member

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
        """Withdraw a token; its webhooks go with it."""
        self.tokens.pop(token, None)
        for hook in [hook for hook in self.webhooks.values() if hook.token == token]:
            self.forget_webhook(hook)

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

    def secret_of(self, key: str) -> str:
        """The secret shown beside an API key."""
        return self.secrets.setdefault(key, hashlib.sha256(key.encode()).hexdigest())

    def forget_webhook(self, hook: TrelloWebhook) -> None:
        """Delete a webhook; what it has not delivered is not tried again."""
        hook.values["active"] = False
        self.webhooks.pop(hook.id, None)
