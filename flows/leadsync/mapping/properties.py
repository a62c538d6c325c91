"""
What a card has that a column can be tied to: one row each, and all that is to be known of it. Pure.

A further property of a card is one further row. Never here: a column's type, a request, the lines of a description.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from leadsync.mapping.columns import ColumnKind, number
from leadsync.mapping.dates import moment
from leadsync.mapping.lenses import CellError, LensKind, Value
from leadsync.texts import storable

LABEL: Final = re.compile(r"(?!LeadID$)[^\W\d_](?:[^:\\`*_\[\]<>#|~\s]| (?! |$)){0,99}")
"""What a line of the block can be called: what Trello's editor leaves as it is, and is not the marker."""


class Way(StrEnum):
    """Which way the values of a row go."""

    BOTH = "both"
    TO_TRELLO = "to_trello"
    TO_AIRTABLE = "to_airtable"


@dataclass(frozen=True)
class Form:
    """How a value stands in JSON. `read` gives it in canonical form, from null too; `body` is what is sent."""

    read: Callable[[Any], Value]
    body: Callable[[Any], Any]


TEXT: Final = Form(lambda held: storable(str(held or "")), str)
MOMENT: Final = Form(lambda held: moment(held) if held else "", lambda value: value or None)
TICK: Final = Form(bool, bool)
IDS: Final = Form(lambda held: frozenset(map(str, held or ())), lambda ids: ",".join(sorted(ids)))
"""Sent as a whole; the empty text clears the set."""


def _item(key: str, read: Callable[[str], Value], empty: Value = "", said: Callable[[Any], str] = str) -> Form:
    return Form(
        lambda item: read(item["value"][key]) if item else empty,
        lambda value: {"value": {key: said(value)} if value else ""},
    )


Fits = Mapping[ColumnKind, LensKind]
SHOWN: Final[Fits] = dict.fromkeys(ColumnKind, LensKind.TEXT)
NAMED: Final[Fits] = dict.fromkeys((ColumnKind.CHOICE, ColumnKind.TEXT), LensKind.CHOICE)
DATED: Final[Fits] = dict.fromkeys((ColumnKind.DATE, ColumnKind.DATETIME), LensKind.DATE)
TICKED: Final[Fits] = {ColumnKind.CHECKBOX: LensKind.CHECKBOX}
LABELLED: Final[Fits] = {ColumnKind.SET: LensKind.SET, ColumnKind.CHOICE: LensKind.CHOICE}
STAFFED: Final[Fits] = {**LABELLED, ColumnKind.PERSON: LensKind.CHOICE, ColumnKind.PEOPLE: LensKind.SET}
URL: Final[Fits] = {ColumnKind.TEXT: LensKind.TEXT}
CUSTOM: Final[Mapping[str, tuple[Form, Fits, ColumnKind | None]]] = {
    "text": (_item("text", storable), SHOWN, ColumnKind.TEXT),
    "number": (_item("number", number), {ColumnKind.NUMBER: LensKind.NUMBER}, ColumnKind.NUMBER),
    "date": (_item("date", moment), DATED, None),
    "checkbox": (_item("checked", lambda held: held == "true", False, lambda _: "true"), TICKED, ColumnKind.CHECKBOX),
    "list": (
        Form(lambda item: str(item["idValue"]) if item else "", lambda value: {"idValue": value}),
        NAMED,
        ColumnKind.CHOICE,
    ),
}
"""
Type of a custom field -> its item on a card, null if there is none; what fits it; what its column is taken for.

Every value in an item is a text; "" takes the item away.
"""


@dataclass(frozen=True)
class Property:
    """
    One property of a card. `name`, `label`: as in `line:E-mail`. `wire`: its key on a card and in a PUT.

    `form`: None for a line, which the managed block knows. `fits`: the columns that can be tied to it, and by which
    lens. `assumed`: what its column is if neither schema nor row say; None if one of them must. `ways`: the first is
    the default. `in_put`: travels in the one PUT of a card. `field_id`: of a custom field, "" until that is known.
    """

    name: str
    wire: str
    form: Form | None
    fits: Fits
    assumed: ColumnKind | None = None
    ways: tuple[Way, ...] = tuple(Way)
    takes_map: bool = False
    needs_map: bool = False
    in_put: bool = True
    needs_paid_plan: bool = False
    takes_label: bool = False
    label: str = ""
    field_id: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.label}" if self.takes_label else self.name

    @property
    def key(self) -> str:
        """What it is called among the cells sent to a card: its name on the wire, and a custom field by its own."""
        return self.wire if self.in_put else str(self)

    def read(self, card: Mapping[str, Any]) -> Value:
        """
        The canonical value, from a card's JSON. Raises: CellError, also if the key is absent, which is no empty value.
        """
        if self.form is None or self.wire not in card:
            raise CellError(f"no {self.wire}", "Read the card with it.")
        held = card[self.wire]
        if self.field_id:
            held = next((item for item in held or () if item.get("idCustomField") == self.field_id), None)
        try:
            return self.form.read(held)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            raise CellError(f"{self.wire} {held!r}"[:80], "Set it anew on the card.") from None

    def read_nothing(self) -> Value:
        """The canonical value of a card that has none."""
        return "" if self.form is None else self.form.read(None)

    def body(self, value: Value) -> Any:
        """What is sent for a canonical value: under `wire` in the PUT of a card, or as a custom field's item."""
        if self.form is None:
            raise CellError("a line", "It is written with its block.")
        return self.form.body(value)

    def ways_from(self, kind: ColumnKind | None, is_computed: bool = False) -> tuple[Way, ...]:
        """
        The ways open to a column, the first is its default: into what is computed, or only shown as text, goes nothing.

        `kind`: None if it is not known.
        """
        only_shown = kind not in (None, ColumnKind.TEXT) and self.fits.get(kind) is LensKind.TEXT
        return tuple(way for way in self.ways if way is Way.TO_TRELLO or not (is_computed or only_shown))

    def tied_to(self, field_id: str, kind: str) -> Property:
        """A custom field of the board. `kind`: its type, one of CUSTOM."""
        form, fits, assumed = CUSTOM[kind]
        return replace(self, field_id=field_id, form=form, fits=fits, assumed=assumed)


_ROWS: Final = (
    Property("title", "name", TEXT, SHOWN, ColumnKind.TEXT),
    Property("list", "idList", TEXT, NAMED, ColumnKind.CHOICE, takes_map=True),
    Property("due", "due", MOMENT, DATED),
    Property("start", "start", MOMENT, DATED),
    Property("done", "dueComplete", TICK, TICKED, ColumnKind.CHECKBOX),
    Property("labels", "idLabels", IDS, LABELLED, ColumnKind.SET, takes_map=True),
    Property("members", "idMembers", IDS, STAFFED, takes_map=True, needs_map=True),
    Property("url", "shortUrl", TEXT, URL, ColumnKind.TEXT, (Way.TO_AIRTABLE,), in_put=False),
    Property("line", "desc", None, SHOWN, ColumnKind.TEXT, (Way.TO_TRELLO,), takes_label=True),
    Property(
        *("custom", "customFieldItems", None, SHOWN),
        takes_map=True,
        in_put=False,
        needs_paid_plan=True,
        takes_label=True,
    ),
)
PROPERTIES: Final[Mapping[str, Property]] = {row.name: row for row in _ROWS}


FORMS: Final[Mapping[str, Form]] = {row.wire: row.form for row in _ROWS if row.form and row.form not in (TEXT, TICK)}
"""Of the cells in a PUT those that a feed may tell in another form than the canonical one."""
TOLD: Final = tuple(row.wire for row in _ROWS if row.in_put and row.form not in (None, IDS))
"""Of the cells in a PUT those that a feed tells with the new value beside the former one; of a set it does not."""


ELEMENTWISE: Final = ("idMembers",)
"""Of the cells in a PUT the sets of which a feed tells element by element."""


def element(wire: str, each: str) -> str:
    """One element of a set as a cell of its own, which holds whether it is there."""
    return f"{wire} {each}"


def property_named(stated: str) -> Property:
    """The property that a row names, as `due` or `line:Phone`. Raises: ValueError saying what is allowed."""
    name, colon, label = (part.strip() for part in stated.partition(":"))
    found = PROPERTIES.get(name)
    if found is None or found.takes_label != bool(colon):
        known = ", ".join(f"{row.name}:NAME" if row.takes_label else row.name for row in _ROWS)
        raise ValueError(f"allowed are {known}")
    if name == "line" and not LABEL.fullmatch(label):
        raise ValueError("a line is called by at most 100 letters, digits, blanks and hyphens, a letter first")
    if found.takes_label and not label:
        raise ValueError("after the colon goes the name of the custom field")
    return replace(found, label=label)
