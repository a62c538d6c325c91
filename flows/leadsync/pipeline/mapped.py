"""
What is kept under the names of the mapping's cells, when the mapping has become another one.

Never here: a value, a request.
"""

from __future__ import annotations

from collections.abc import Sequence

from leadsync.frames.agreed import Rename
from leadsync.mapping.cells import Cell
from leadsync.mapping.rows import CellKey
from leadsync.state.store import StateStore


def rename_of(cells: Sequence[Cell]) -> Rename:
    """What a cell of before is called now: the same, as long as column and property are; else it is a new one."""

    def now(name: str) -> str | None:
        key = CellKey.of(name)
        return next((cell.name for cell in cells if cell.is_of(key)), None)

    return now


def mind_names(store: StateStore, pair: str, cells: Sequence[Cell], dry_run: bool) -> bool:
    """
    Bring the names in base and journal up to date.

    Of what is mapped no more nothing is left: it is a first match should it be mapped again. Returns: whether they are
    still to be renamed, as in a dry run, which writes nothing.
    """
    names = sorted(cell.name for cell in cells)
    if (store.facts.load(f"cells {pair}") or {}).get("names") == names:
        return False
    if not dry_run:
        store.journal.rename_cells(pair, rename_of(cells))
        store.facts.save(f"cells {pair}", {"names": names})
    return dry_run
