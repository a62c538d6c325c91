"""
What is kept under the names of the mapping's cells, when the mapping has become another one.

Never here: a value, a request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from leadsync.frames.agreed import Rename
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import LensKind
from leadsync.mapping.rows import CellKey
from leadsync.state.store import StateStore


def rename_of(cells: Sequence[Cell]) -> Rename:
    """What a cell of before is called now: the same, as long as column and property are; else it is a new one."""

    def now(name: str) -> str | None:
        key = CellKey.of(name)
        return next((cell.name for cell in cells if cell.is_of(key)), None)

    return now


@dataclass(frozen=True)
class Mapped:
    """
    The cells as they are kept of a pair. `meanings`: by name, a digest of map and time zone.

    `renames`: base and journal are still to be renamed, as in a dry run, which writes nothing. `redrawn`: cells whose
    values meant something else last time.
    """

    meanings: Mapping[str, str]
    renames: bool = False
    redrawn: frozenset[str] = field(default_factory=frozenset)


def mind_names(store: StateStore, pair: str, cells: Sequence[Cell], timezone: str, dry_run: bool) -> Mapped:
    """
    Bring the names in base and journal up to date.

    Of what is mapped no more nothing is left: it is a first match should it be mapped again.
    """
    meanings = {cell.name: _meaning(cell, timezone) for cell in cells}
    kept = store.facts.load(_key(pair)) or {}
    known, rename = kept.get("meanings", {}), rename_of(cells)
    was = {now: meaning for name, meaning in known.items() if (now := rename(name)) is not None}
    redrawn = frozenset(name for name, meaning in was.items() if meaning != meanings[name])
    if kept and sorted(known) == sorted(meanings):
        return Mapped(meanings, redrawn=redrawn)
    if not dry_run:
        store.journal.rename_cells(pair, rename)
        store.facts.save(_key(pair), {"meanings": meanings | was})
    return Mapped(meanings, dry_run, redrawn)


def keep_meanings(store: StateStore, pair: str, mapped: Mapped) -> None:
    """What has been drawn apart was listed: from now on it is no news."""
    if mapped.redrawn:
        store.facts.save(_key(pair), {"meanings": dict(mapped.meanings)})


def _meaning(cell: Cell, timezone: str) -> str:
    zone = timezone if cell.kind is LensKind.DATE else ""
    return hashlib.sha256(json.dumps([zone, sorted(cell.row.map.items())]).encode()).hexdigest()[:24]


def _key(pair: str) -> str:
    return f"cells {pair}"
