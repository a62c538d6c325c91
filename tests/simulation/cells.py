"""
The columns of a history that are tied to a card's properties by a mapping: what people see in them, on both sides.

A cell is said in one text on either side, "" for nothing; of a set each element is a cell of its own. Written from the
rules alone, as the ledger is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from support.harness import World

BOTH, TO_TRELLO, TO_AIRTABLE, ALONE = "both", "to_trello", "to_airtable", "alone"
ZONE = "Europe/Berlin"
DAYS = ("2026-12-01", "2026-12-24", "2027-03-28", None)
MOMENTS = ("2026-12-01T19:30:00.000Z", "2026-12-24T23:30:00.000Z", "2027-03-28T01:30:00.000Z", None)
TEXTS = ("as typed", "two words", "1", None)
NUMBERS = (1, 2.5, -3, None)
TICKS = (True, False)


@dataclass(frozen=True)
class Kind:
    """
    A column, and the property that it is tied to. `on_lead`, `on_card`: what people put there; of a set its elements.

    `called`: what an element or option is called on the card, if otherwise.
    """

    column: str
    type: str
    on_lead: tuple[Any, ...]
    on_card: tuple[Any, ...] = ()
    ways: tuple[str, ...] = (BOTH, BOTH, BOTH, TO_TRELLO, TO_AIRTABLE)
    options: Mapping[str, Any] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)
    is_set: bool = False


def _select(*names: str) -> dict[str, Any]:
    return {"choices": [{"name": name} for name in names]}


KINDS: Mapping[str, Kind] = {
    "due": Kind("Next step", "date", DAYS, MOMENTS),
    "start": Kind("Begins", "dateTime", MOMENTS, MOMENTS),
    "done": Kind("Ticked", "checkbox", TICKS, TICKS),
    "labels": Kind(
        "Tags",
        "multipleSelects",
        ("Hot", "Fair", "Export"),
        ("Hot", "Fair", "Export", "Private"),
        options=_select("Hot", "Fair", "Export"),
        called={"Fair": "Trade fair"},
        is_set=True,
    ),
    "members": Kind(
        "Team",
        "multipleSelects",
        ("Ann", "Ben"),
        ("Ann", "Ben", "Cyd"),
        options=_select("Ann", "Ben"),
        called={"Ann": "Ann Lee", "Ben": "Ben Oh"},
        is_set=True,
    ),
    "line:Phone": Kind("Phone", "phoneNumber", ("+49 30 1", "+49 30 2", None), ("by hand",), (TO_TRELLO,)),
    "url": Kind("Card", "url", ("https://example.com/mine", None), (), (TO_AIRTABLE,)),
    "custom:Note": Kind("Note", "singleLineText", TEXTS, TEXTS),
    "custom:Budget": Kind("Budget", "number", NUMBERS, ("1", "2.5", "-3", None), options={"precision": 2}),
    "custom:Signed": Kind("Signed on", "date", DAYS, MOMENTS),
    "custom:Paid": Kind("Paid", "checkbox", TICKS, ("true", None)),
    "custom:Mood": Kind(
        "Mood", "singleSelect", ("Good", "Bad", None), ("Good", "Bad", None), options=_select("Good", "Bad")
    ),
}
CUSTOM_TYPES = {"Note": "text", "Budget": "number", "Signed": "date", "Paid": "checkbox", "Mood": "list"}


@dataclass(frozen=True)
class Row:
    """A row of the mapping; `conflict`: "" as set for all."""

    card: str
    way: str = BOTH
    conflict: str = ""

    @property
    def kind(self) -> Kind:
        return KINDS[self.card]

    @property
    def cells(self) -> dict[str, str]:
        """Names of its cells -> which way they go."""
        if not self.kind.is_set:
            return {self.card: self.way}
        ours = {*self.kind.on_lead}
        if (self.card, self.way) == ("labels", TO_AIRTABLE):  # nobody makes the label that it might mean
            ours -= {"Export"}
        return {f"{self.card}/{each}": self.way if each in ours else ALONE for each in self.kind.on_card}


Mapped = tuple[Row, ...]


def drawn(rng: Random) -> Mapped:
    """None in half of the cases, else any rows."""
    if rng.random() < 0.5:
        return ()
    share = rng.choice((0.2, 0.5, 1.0))
    rows = [Row(card, rng.choice(kind.ways)) for card, kind in KINDS.items() if rng.random() < share]
    policies = ("", "", "airtable", "trello", "hold")
    return tuple(Row(row.card, row.way, rng.choice(policies) if row.way == BOTH else "") for row in rows)


def toml(mapped: Mapped) -> str:
    """As SYNC_FIELDS takes it."""
    lines = [f'timezone = "{ZONE}"']
    for row in mapped:
        lines += ["[[field]]", f'airtable = "{row.kind.column}"', f'card = "{row.card}"', f'direction = "{row.way}"']
        lines += [f'conflict = "{row.conflict}"'] * bool(row.conflict)
        if row.kind.called:
            pairs = ", ".join(f'"{ours}" = "{theirs}"' for ours, theirs in row.kind.called.items())
            lines.append(f"map = {{ {pairs} }}")
    return "\n".join(lines)


def ways(mapped: Mapped) -> dict[str, str]:
    """All cells -> which way they go."""
    return {name: way for row in mapped for name, way in row.cells.items()}


def report_name(cell: str) -> str:
    """What a report calls a cell."""
    return cell.partition("/")[0]


def build_table(world: World, mapped: Mapped) -> None:
    """The columns of one table."""
    for row in mapped:
        world.airtable.add_field(row.kind.column, row.kind.type, dict(row.kind.options) or None)


def build_board(world: World, mapped: Mapped) -> None:
    """What the cards' properties need; label Export is left for the sync to make."""
    for name in ("Hot", "Trade fair", "Private"):
        world.trello.make_label(name)
    for name in ("Ann Lee", "Ben Oh", "Cyd"):
        world.trello.invite(name)
    for row in mapped:
        card, _, name = row.card.partition(":")
        if card == "custom":
            world.trello.make_custom_field(name, CUSTOM_TYPES[name], ("Good", "Bad") if name == "Mood" else ())


def first_cells(mapped: Mapped, number: int) -> dict[str, Any]:
    """What the lead of a number begins with."""
    kinds = [row.kind for row in mapped]
    return {
        kind.column: [kind.on_lead[number % len(kind.on_lead)]] if kind.is_set else value
        for kind in kinds
        if kind.is_set or (value := kind.on_lead[number % len(kind.on_lead)])
    }


# What is shown


def said_by_lead(mapped: Mapped, record: Mapping[str, Any]) -> dict[str, str]:
    """Cell -> what a person sees in the table."""
    return dict(_said_by_lead(mapped, record))


def _said_by_lead(mapped: Mapped, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for row in mapped:
        value = record.get(row.kind.column)
        if row.kind.is_set:
            yield from ((cell, "on" * (cell.partition("/")[2] in (value or ()))) for cell in row.cells)
        else:
            yield row.card, _said(value)


def said_by_card(world: World, mapped: Mapped, card: Mapping[str, Any]) -> dict[str, str]:
    """Cell -> what a person sees on the card; a line of the block is not among them."""
    held = world.trello._world
    names = {each.id: each.name for each in held.labels.values()}
    names |= {each.id: each.full_name for each in held.members.values()}
    return dict(_said_by_card(mapped, card, world.trello.custom_fields(card["id"]), names))


def _said_by_card(
    mapped: Mapped, card: Mapping[str, Any], custom: Mapping[str, str], names: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for row in mapped:
        name, _, label = row.card.partition(":")
        if name in ("labels", "members"):
            held = {names[each] for each in card["idLabels" if name == "labels" else "idMembers"]}
            for cell in row.cells:
                ours = cell.partition("/")[2]
                yield cell, "on" * (row.kind.called.get(ours, ours) in held)
        elif name == "custom":
            value = custom.get(label)
            yield row.card, "on" * (value == "true") if label == "Paid" else _said(_local(row, value))
        elif name != "line":
            wire = {"done": "dueComplete", "url": "shortUrl"}.get(name, name)
            yield row.card, _said(_local(row, card[wire]))


def _local(row: Row, value: Any) -> Any:
    """Of a moment that is compared with a day, the day that it is on."""
    if row.kind.type != "date" or not value:
        return value
    return datetime.fromisoformat(value).astimezone(ZoneInfo(ZONE)).date().isoformat()


def _said(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "on" if value else ""
    if isinstance(value, int | float):
        return f"{value:g}"
    return re.sub(r"\.0+Z$", "Z", str(value))


def is_told(cell: str, said: str, told: str) -> bool:
    """Whether a report's words for a value are about what people see."""
    kind = KINDS.get(cell)
    if kind is None or kind.type == "checkbox":
        return told == ("yes" if said else "no")
    if kind.type == "date" and "T" in told:
        told = datetime.fromisoformat(told).astimezone(ZoneInfo(ZONE)).date().isoformat()
    return _said(told) == said


# What people do


def fill_lead(world: World, lead: str, cell: str, value: Any) -> None:
    """Type a value, or put an element in or out."""
    card, _, element = cell.partition("/")
    column = KINDS[card].column
    if element:
        held = [each for each in world.airtable.records()[lead].get(column, []) if each != element]
        value = [*held, element] if value else held
    world.airtable.edit(lead, **{column: value})


def fill_card(world: World, card_id: str, cell: str, value: Any, traced: bool = True) -> None:
    """The same on a card; `traced`: whether the feed tells of it, of labels."""
    trello = world.trello
    card, _, element = cell.partition("/")
    name, _, label = card.partition(":")
    called = KINDS[card].called.get(element, element)
    if name == "labels":
        if called == "Export" and not any(each.name == called for each in trello._world.labels.values()):
            trello.make_label(called)
        (trello.add_label if value else trello.remove_label)(card_id, called, traced)
    elif name == "members":
        (trello.add_member if value else trello.remove_member)(card_id, called)
    elif name == "custom":
        trello.set_custom_field(card_id, label, value)
    elif name == "line":
        lines = trello.card(card_id)["desc"].split("\n")
        at = [number for number, line in enumerate(lines) if line.startswith(f"{label}: ")]
        if at and "Lead details from Airtable" in lines:
            lines[at[-1]] = f"{label}: {value}"
            trello.edit(card_id, desc="\n".join(lines))
    else:
        trello.edit(card_id, **{"dueComplete" if name == "done" else name: value})
