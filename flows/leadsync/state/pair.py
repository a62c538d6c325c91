"""
Which rows of the state are whose: a pair is a base, a table and a board.

Pure. What is never here: a query, a read of either side.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """`table` as the settings name it, "" in keys of before they named one. `board_id` as Trello has it."""

    base_id: str
    table: str
    board_id: str

    @classmethod
    def of(cls, key: str) -> Pair:
        """The pair of a key; a table's name may hold slashes, the two ids cannot."""
        base_id, _, rest = key.partition("/")
        table, _, board_id = rest.rpartition("/")
        return cls(base_id, table, board_id)

    @property
    def key(self) -> str:
        """Under which its rows are kept."""
        return "/".join(filter(None, (self.base_id, self.table, self.board_id)))

    @property
    def lock(self) -> str:
        """That of base and board: two tables on one board never run at the same time."""
        return f"{self.base_id}/{self.board_id}"


@dataclass(frozen=True)
class Rows:
    """What one key knows: leads that were there when last read or were to get a card, and leads that were not."""

    pair: Pair
    present: frozenset[str]
    absent: frozenset[str]


def same_table(known: Iterable[Rows], leads: Collection[str]) -> Pair | None:
    """
    The key under which the table that holds `leads` was known so far, if any.

    It is one of which the table holds more than half of the leads known as present: a table renamed, or named by id,
    stays itself, and another table, whose leads have other ids, inherits nothing. Of a key that knows no lead as
    present one that has come back is enough.
    """
    ours = frozenset(leads)
    held = {rows.pair: len(rows.present & ours) for rows in known if 2 * len(rows.present & ours) > len(rows.present)}
    held |= {rows.pair: 0 for rows in known if not rows.present and rows.absent & ours}
    return max(held, key=lambda pair: (held[pair], pair.key), default=None)


def leads_held(known: Iterable[Rows], leads: Collection[str]) -> dict[Pair, frozenset[str]]:
    """
    Of keys that are not the table's own the leads which it holds all the same; each lead of one key alone.

    A key of before, which named no table, may know leads of several.
    """
    left, held = frozenset(leads), dict[Pair, frozenset[str]]()
    for rows in sorted(known, key=lambda rows: (len(rows.present), rows.pair.key), reverse=True):
        held[rows.pair] = (rows.present | rows.absent) & left
        left -= held[rows.pair]
    return {pair: found for pair, found in held.items() if found}
