"""The table and the board as they are now, for a page. Never here: an edit, HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from playground.world import LISTS, World

MARKER = re.compile(r"^LeadID:\s*(rec[0-9A-Za-z]{14})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class LeadShown:
    """A row of the table; `number` is its place there, from 1 on."""

    number: int
    name: str
    email: str
    status: str
    source: str


@dataclass(frozen=True)
class CardShown:
    """A card. `number`: its lead's, 0 if it has none; `is_copy`: an older one is that lead's."""

    number: int
    title: str
    list_name: str
    is_archived: bool
    is_copy: bool
    lines: tuple[str, ...]


def table_of(world: World) -> list[LeadShown]:
    """All rows, in the order in which they were made."""
    records = world.emulator.airtable.records()
    rows = [(number, records.get(lead_id, {})) for number, lead_id in enumerate(world.leads, 1)]
    return [
        LeadShown(number, *(str(cells.get(cell, "")) for cell in ("name", "email", "status", "source")))
        for number, cells in rows
    ]


def board_of(world: World) -> list[tuple[str, list[CardShown]]]:
    """The lists with their cards, in the order of their leads."""
    names = {world.emulator.trello.list_id(name): name for name in LISTS}
    met: set[int] = set()
    shown = []
    for _, card in sorted(world.emulator.trello.cards().items()):
        number = _lead_of(card, world)
        shown.append(_card(card, number, names.get(card["idList"], ""), number in met))
        met |= {number} - {0}
    shown.sort(key=lambda each: (each.number, each.is_copy))
    return [(name, [card for card in shown if card.list_name == name]) for name in LISTS]


def _lead_of(card: dict[str, Any], world: World) -> int:
    marker = MARKER.search(card["desc"])
    return world.leads.index(marker.group(1)) + 1 if marker and marker.group(1) in world.leads else 0


def _card(card: dict[str, Any], number: int, list_name: str, is_copy: bool) -> CardShown:
    lines = tuple(line for line in card["desc"].split("\n") if line.strip())
    return CardShown(number, card["name"], list_name, bool(card["closed"]), is_copy, lines)
