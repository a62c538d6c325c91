"""
What is kept under the names of the mapping's cells, when the mapping has become another one.

Never here: a value, a request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from leadsync.frames.agreed import Rename
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import LensKind
from leadsync.mapping.rows import CellKey
from leadsync.state.store import StateStore

NOTHING_KNOWN: Final[Mapping[str, str]] = {}


def rename_of(cells: Sequence[Cell], known: Mapping[str, str] = NOTHING_KNOWN) -> Rename:
    """
    What a cell of before is called now: the same, as long as column and property are; else it is a new one.

    `known`: by former name, what the two were, see identities; values of another type say nothing about these.
    """
    now_are = identities(cells)

    def now(name: str) -> str | None:
        key = CellKey.of(name)
        found = next((cell.name for cell in cells if cell.is_of(key)), None)
        return found if found is None or known.get(name, now_are[found]) == now_are[found] else None

    return now


def identities(cells: Sequence[Cell]) -> dict[str, str]:
    """By name, what the values of both sides are values of: a type of column, and a custom field with its own type."""
    return {cell.name: f"{cell.column.kind} {cell.card.field_id} {cell.kind}".strip() for cell in cells}


@dataclass(frozen=True)
class Mapped:
    """
    The cells as they are kept of a pair. `meanings`: by name, a digest of map and time zone.

    `rename`: what base and journal still call otherwise, as in a dry run, which writes nothing; None if nothing.
    `redrawn`: cells whose values meant something else last time.
    """

    meanings: Mapping[str, str]
    rename: Rename | None = None
    redrawn: frozenset[str] = frozenset()


def mind_names(store: StateStore, pair: str, cells: Sequence[Cell], timezone: str, dry_run: bool) -> Mapped:
    """
    Bring the names in base and journal up to date.

    Of what is mapped no more, or is of another type, nothing is left: it is a first match should it be mapped again.
    """
    meanings, now_are = {cell.name: _meaning(cell, timezone) for cell in cells}, identities(cells)
    kept = store.facts.load(_key(pair)) or {}
    were, rename = kept.get("identities", {}), rename_of(cells, kept.get("identities", {}))
    was = {now: meaning for name, meaning in kept.get("meanings", {}).items() if (now := rename(name)) is not None}
    redrawn = frozenset(name for name, meaning in was.items() if meaning != meanings[name])
    if were == now_are:
        return Mapped(meanings, redrawn=redrawn)
    if dry_run:
        return Mapped(meanings, rename, redrawn)
    store.journal.rename_cells(pair, rename)
    store.facts.save(_key(pair), {"meanings": meanings | was, "identities": now_are})
    return Mapped(meanings, redrawn=redrawn)


def keep_meanings(store: StateStore, pair: str, mapped: Mapped) -> None:
    """What has been drawn apart was listed: from now on it is no news."""
    if mapped.redrawn:
        store.facts.save(_key(pair), (store.facts.load(_key(pair)) or {}) | {"meanings": dict(mapped.meanings)})


def _meaning(cell: Cell, timezone: str) -> str:
    zone = timezone if cell.kind is LensKind.DATE else ""
    return hashlib.sha256(json.dumps([zone, sorted(cell.row.map.items())]).encode()).hexdigest()[:24]


def _key(pair: str) -> str:
    return f"cells {pair}"
