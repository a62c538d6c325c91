"""Trello's cards in, the frame of cards out. Pure. Never here: a request, a decision about a card."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import pandas as pd

from leadsync.errors import IncompleteReadError
from leadsync.frames.block import parse
from leadsync.frames.schema import frame_of
from leadsync.frames.shown import Unreadable
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import CellError, Value
from leadsync.texts import text


class CardPresence(StrEnum):
    """Where a card is. Only the base tells ARCHIVED_BY_US from ARCHIVED."""

    OPEN = "open"
    ARCHIVED = "archived"
    ARCHIVED_BY_US = "archived_by_us"
    MOVED_AWAY = "moved_away"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Card:
    """
    One card as Trello has it; with its defaults, one that was not read.

    `lead_id`: from the marker, "" if none; `markers`: how many different ones there are. `stage`: from the list, "" if
    that is outside the mapping. `block`: has a managed block, and not only a bare marker. `cells`: of the mapping, by
    name; `unreadable`: those that cannot be read, and are not in `cells`. `kind`: template, mirror, separator, else "".
    """

    card_id: str = ""
    presence: str = ""  # CardPresence
    lead_id: str = ""
    markers: int = 0
    stage: str = ""
    list_id: str = ""
    title: str = ""
    due_complete: bool = False
    block: bool = False
    cells: Mapping[str, Value] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
    description: str = ""
    kind: str = ""
    url: str = ""

    def is_readable(self, cell: str) -> bool:
        """Whether this cell can be read."""
        return self.broken(cell) is None

    @property
    def in_words(self) -> str:
        """What a report calls it: its title, and the list in which it lies."""
        return f"{self.title[:80]} in {self.stage or 'another list'}"

    def broken(self, cell: str) -> Unreadable | None:
        """What there is of a cell that cannot be read; None if it can."""
        return next((each for each in self.unreadable if each.cell == cell), None)


NO_CARD: Final = Card()
SKIPPED_ROLES = ("mirror", "separator")


def cards_frame(
    cards: Iterable[Mapping[str, Any]],
    board_id: str,
    stages: Mapping[str, str],
    known: Collection[str],
    mapped: Sequence[Cell],
) -> pd.DataFrame:
    """
    Trello cards as the forms of leads; cards with neither a marker nor an id in `known` are not ours and left out.

    `stages` maps list ids to stages. `mapped`: the cells of the mapping. Returns: index `card_id` (unique, sorted).
    Raises: IncompleteReadError when an item is not a card.
    """
    rows = []
    for item in cards:
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            raise IncompleteReadError("Trello sent something that is not a card; nothing was written. Run again.")
        if item["id"] in known or "LeadID:" in str(item.get("desc")):
            card = _card(item, board_id, stages, mapped)
            rows += [card] if card.card_id in known or card.markers else []
    return frame_of(rows, Card)


def _card(item: Mapping[str, Any], board_id: str, stages: Mapping[str, str], mapped: Sequence[Cell]) -> Card:
    description = item["desc"] if isinstance(item.get("desc"), str) else ""
    parsed = parse(description, labels_of(mapped))
    presence = _presence(item, board_id)
    values, unreadable = dict[str, Value](), []
    for cell in mapped if presence is not CardPresence.MOVED_AWAY else ():
        try:
            values[cell.name] = parsed.lines.get(cell.card.label, "") if cell.is_line else cell.card.read(item)
        except CellError as problem:
            unreadable.append(Unreadable(cell.field, str(cell.card), problem.holds, problem.remedy))
    return Card(
        card_id=item["id"],
        presence=presence,
        lead_id=parsed.markers[0] if parsed.markers else "",
        markers=len(parsed.markers),
        stage=stages.get(str(item.get("idList")), ""),
        list_id=str(item.get("idList") or ""),
        title=text(item.get("name")),
        due_complete=bool(item.get("dueComplete")),
        block=parsed.block,
        cells=values,
        unreadable=tuple(unreadable),
        description=description,
        kind=_kind(item),
        url=str(item.get("shortUrl") or ""),
    )


def labels_of(mapped: Iterable[Cell]) -> list[str]:
    """What the lines of the managed block are called, in order."""
    return [cell.card.label for cell in mapped if cell.is_line]


def _presence(item: Mapping[str, Any], board_id: str) -> CardPresence:
    if item.get("idBoard") not in (None, "", board_id):
        return CardPresence.MOVED_AWAY
    return CardPresence.ARCHIVED if item.get("closed") else CardPresence.OPEN


def _kind(item: Mapping[str, Any]) -> str:
    role = item.get("cardRole") or ""
    return "template" if item.get("isTemplate") else role if role in SKIPPED_ROLES else ""


def deleted_cards(card_ids: Iterable[str]) -> pd.DataFrame:
    """Cards that were looked up and exist no more."""
    return frame_of((Card(card_id, CardPresence.DELETED) for card_id in card_ids), Card)
