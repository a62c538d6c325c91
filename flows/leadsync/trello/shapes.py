"""The shapes of Trello's answers, as far as they are relied on. Never here: what an answer means."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from leadsync.transport.shapes import Shape, Told, flaw_by

Id = Annotated[str, Field(min_length=1)]


class Card(Told):
    """With the cells that are asked for: one that lacks its description would be given a new one."""

    id: Id
    name: str
    desc: str
    closed: bool
    idList: str
    idBoard: str
    dueComplete: bool
    isTemplate: bool | None = None
    cardRole: str | None = None
    shortUrl: str | None = None


class CardTold(Told):
    """A card in an action: what the action set, or how it was before."""

    id: str | None = None
    name: str | None = None
    desc: str | None = None
    closed: bool | None = None
    idList: str | None = None
    dueComplete: bool | None = None


class ActionData(Told):
    """What an action is about."""

    card: CardTold | None = None
    old: CardTold | None = None


class Program(Told):
    """The app that did it."""

    id: str | None = None


class Action(Told):
    """One of the board's activity."""

    id: Id
    type: str
    date: str
    data: ActionData
    appCreator: Program | None = None


class BoardList(Told):
    """A list of a board."""

    id: Id
    name: str
    closed: bool = False


class Board(Told):
    """With its lists, unless whoever answers knows no nested resources."""

    id: Id
    name: str = ""
    closed: bool = False
    url: str = ""
    lists: list[BoardList] | None = None


class Permission(Told):
    """Of a token."""

    modelType: str
    write: bool = False


class Token(Told):
    """Ours."""

    dateExpires: str | None = None
    permissions: list[Permission] = []


class Webhook(Told):
    """One of the token."""

    id: Id
    idModel: str
    callbackURL: str
    description: str | None = None
    active: bool = False


class Made(Told):
    """Something new, of which only the id is of use."""

    id: Id


CARD_ID = r"/cards/(?P<id>[0-9a-f]{24})"
SHAPES = (
    Shape("GET", r"/boards/[^/]+/cards", TypeAdapter(list[Card])),
    Shape("GET", r"/boards/[^/]+/actions", TypeAdapter(list[Action])),
    Shape("GET", r"/boards/[^/]+/lists", TypeAdapter(list[BoardList])),
    Shape("GET", r"/members/me/boards", TypeAdapter(list[Board])),
    Shape("GET", r"/boards/[^/]+", TypeAdapter(Board)),
    Shape("GET|PUT", CARD_ID, TypeAdapter(Card)),
    Shape("POST", r"/cards", TypeAdapter(Card)),
    Shape("GET", r"/tokens/[^/]+", TypeAdapter(Token)),
    Shape("GET", r"/tokens/[^/]+/webhooks", TypeAdapter(list[Webhook])),
    Shape("POST", r"/(lists|webhooks)", TypeAdapter(Made)),
    Shape(".*", "", TypeAdapter(dict[str, Any] | list[Any])),
)
flaw_in = flaw_by(SHAPES)
