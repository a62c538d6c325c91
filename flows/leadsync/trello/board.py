"""The board and what is read of it, as values. Never here: a request."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from leadsync.frames.actions import Item
from leadsync.mapping.cells import Cell
from leadsync.mapping.names import BoardNames, CustomField


@dataclass(frozen=True)
class Board:
    """
    The board as the settings name it, resolved: `lists` maps stage to list id.

    `all_lists`: ids of all lists there were then, archived ones too: a card in another one shows that lists changed.
    `labels`, `members`, `custom_fields`: as BoardNames has them, if something is mapped to them. `cells`: those of the
    mapping, as far as they are tied; not kept.
    """

    board_id: str
    name: str
    url: str
    lists: dict[str, str]
    all_lists: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    custom_fields: dict[str, Item] = field(default_factory=dict)
    cells: tuple[Cell, ...] = field(default=(), compare=False)

    @property
    def facts(self) -> dict[str, Any]:
        """What of it is kept."""
        return {name: value for name, value in vars(self).items() if name != "cells"}

    def means_the_same(self, other: Board) -> bool:
        """Whether what was planned with the other holds for this one: its lists, and what else has a name."""
        mine, others = ((each.lists, each.names) for each in (self, other))
        return mine == others

    @property
    def tied_labels(self) -> set[str]:
        """Ids of the labels that are called as an option is: one that is renamed stays tied to that."""
        lenses = [cell.trello for cell in self.cells if cell.card.name == "labels"]
        return {label_id for label_id in self.labels for lens in lenses if lens.get(frozenset({label_id}))}

    @property
    def names(self) -> BoardNames:
        """What things on it are called."""
        members = {member_id: tuple(names) for member_id, names in self.members.items()}
        custom = {name: CustomField(**facts) for name, facts in self.custom_fields.items()}
        return BoardNames(self.lists, self.labels, members, custom)

    @property
    def stages(self) -> dict[str, str]:
        """List id -> stage."""
        return {list_id: stage for stage, list_id in self.lists.items()}


@dataclass(frozen=True)
class Token:
    """What the token may do, and until when (None = for ever)."""

    may_write: bool
    expires: datetime.datetime | None


@dataclass(frozen=True)
class CardsRead:
    """
    `cards`: ours, as frames.cards_frame; `items`: the same as Trello sent them, by id.

    `total`: all open cards on the board, -1 if it cannot be told. `whole`: False if a tail was left unread. `at`:
    Trello's clock when the read began, or somewhat earlier [s since 1970], 0 if it never said. After a read of the
    feed alone, `delta` says so, `lists_told` whether it tells of lists, `deleted` are the known cards whose deletion it
    tells, `left` those that are open here no more, and `actions` the latest ids. `held`: cards that are ours, -1 if
    these are all of them; `theirs`: of those, the ones that turned out to be another pair's.

    `strangers`: open cards without a LeadID line that the base does not know, as Trello sent them; the feed does not
    tell them. `unmet`: id -> the lead, of cards that name just one, which nobody knows.
    """

    cards: pd.DataFrame
    total: int
    whole: bool = True
    items: dict[str, Item] = field(default_factory=dict)
    at: float = 0.0
    delta: bool = False
    lists_told: bool = False
    deleted: list[str] = field(default_factory=list)
    left: frozenset[str] = frozenset()
    held: int = -1
    theirs: frozenset[str] = frozenset()
    actions: list[str] = field(default_factory=list)
    strangers: tuple[Item, ...] = ()
    unmet: dict[str, str] = field(default_factory=dict)

    @property
    def shows_strangers(self) -> bool:
        """Whether all open cards were read that may be there and not ours."""
        return self.unmarked == 0 if self.delta else self.whole

    @property
    def marked(self) -> int:
        """How many of the open cards are a lead's."""
        return len(self.items) if self.held < 0 else self.held

    @property
    def number(self) -> int:
        """How many cards of our leads there are."""
        return self.held - len(self.theirs) if self.delta else len(self.cards)

    @property
    def unmarked(self) -> int:
        """Open cards of the board that are no lead's, -1 if it cannot be told how many."""
        return max(0, self.total - self.marked) if self.total >= 0 else -1
