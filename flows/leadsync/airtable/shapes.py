"""The shapes of Airtable's answers, as far as they are relied on. Never here: what an answer means."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from leadsync.transport.shapes import Shape, Told, flaw_by

Id = Annotated[str, Field(min_length=1)]


class Record(Told):
    """A lead; cells that are empty are left out of `fields`."""

    id: Id
    createdTime: str
    fields: dict[str, Any]


class Page(Told):
    """Of a list; without an offset it is the last."""

    records: list[Record]
    offset: str | int | None = None


class Choice(Told):
    """An option of a select."""

    name: str


class Options(Told):
    """What a column is set up with."""

    choices: list[Choice] = []


class Column(Told):
    """Of a table."""

    id: Id
    name: str
    type: str
    options: Options | None = None


class Table(Told):
    """Of a base."""

    id: Id
    name: str
    fields: list[Column]


class Tables(Told):
    """All of a base."""

    tables: list[Table]


class Base(Told):
    """One that the token sees."""

    id: Id
    name: str = ""
    permissionLevel: str = ""


class Bases(Told):
    """Those that the token sees; without an offset there are no more."""

    bases: list[Base]
    offset: str | None = None


class Webhook(Told):
    """One of the base."""

    id: Id
    notificationUrl: str | None = None
    areNotificationsEnabled: bool = False
    specification: dict[str, Any] = {}


class Webhooks(Told):
    """All of the base."""

    webhooks: list[Webhook]


class MadeWebhook(Told):
    """Its secret is told only here."""

    id: Id
    macSecretBase64: str


RECORDS = r"/app[0-9A-Za-z]+/[^/]+"
SHAPES = (
    Shape("GET", r"/meta/bases/[^/]+/tables", TypeAdapter(Tables)),
    Shape("GET", r"/meta/bases", TypeAdapter(Bases)),
    Shape("GET", r"/bases/[^/]+/webhooks", TypeAdapter(Webhooks)),
    Shape("POST", r"/bases/[^/]+/webhooks", TypeAdapter(MadeWebhook)),
    Shape(".*", r"/bases/.*", TypeAdapter(dict[str, Any])),  # of payloads, the feed says what nonsense means
    Shape("GET|PATCH|POST", RECORDS + "(/listRecords)?", TypeAdapter(Page)),
    Shape("GET", RECORDS + r"/(?P<id>rec[0-9A-Za-z]{14})", TypeAdapter(Record)),
)
flaw_in = flaw_by(SHAPES)
