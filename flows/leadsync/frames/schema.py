"""
Typed rows as frames and back, and how frames are laid over each other. Pure. Never here: what a column means.

A kind of row is a frozen dataclass whose first field is its id, the index of its frame; the columns are objects, for a
frame of several types is several arrays, of which each is handled apart. A missing text is "" in every frame: comparing
never meets NaN, and Airtable itself knows no empty text. The cells of the mapping that a row holds by name stand in its
frame as a tuple, which takes a third of the room and a fifth of the time to compare: first their names, sorted, one
tuple for all rows alike, then their values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
import pandas as pd

Kind = TypeVar("Kind")
Packed = tuple[Any, ...]
"""Names, then a value for each."""
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Column = np.ndarray[Any, Any]


def columns_of(kind: type) -> tuple[str, ...]:
    """The columns of a frame of such rows, without its index."""
    _, *others = fields(kind)
    return tuple(each.name for each in others)


def column(frame: pd.DataFrame, name: str) -> Column:
    """The values of a column alone. Beside them a Series brings what nobody asks for, and costs more than they do."""
    return frame[name].to_numpy()


def places(frame: pd.DataFrame, ids: Any) -> Column:
    """Where in the frame the row of each of these ids is, -1 if there is none."""
    typed = ids if isinstance(ids, pd.Index) else pd.Index(ids, dtype="object")  # whose type nobody need find out
    return frame.index.get_indexer(typed)


def frame_of(rows: Iterable[Kind], kind: type[Kind]) -> pd.DataFrame:
    """The rows as a frame, sorted by their ids; of two with the same id the later one."""
    index, *_ = (each.name for each in fields(kind))  # type: ignore[arg-type]
    values = attrgetter(*columns_of(kind))
    by_id = {getattr(row, index): values(row) for row in rows}
    return _frame(by_id, kind) if by_id else _no_rows(kind).copy(deep=False)  # type: ignore[arg-type]


@cache
def _no_rows(kind: Any) -> pd.DataFrame:
    return _frame({}, kind)


def _frame(rows: Mapping[str, tuple[object, ...]], kind: type) -> pd.DataFrame:
    """All columns at once: one by one, a small frame takes far longer."""
    ids, names = sorted(rows), _names(kind)
    values = np.empty((len(ids), len(names)), dtype=object)
    for at, row_id in enumerate(ids):
        values[at] = rows[row_id]
    for at in _cells_of(kind):
        values[:, at] = np.fromiter(map(_packed, values[:, at]), dtype=object, count=len(ids))
    index = pd.Index(np.array(ids, dtype=object), name=fields(kind)[0].name, dtype="object")
    return pd.DataFrame(values, index=index, columns=names, dtype="object")


@cache
def _names(kind: Any) -> pd.Index:
    return pd.Index([*columns_of(kind)], dtype="object")


def rows_of(frame: pd.DataFrame, kind: type[Kind]) -> list[Kind]:
    """A frame's rows, in its order."""
    make: Any = kind
    values = frame.to_numpy(dtype=object).tolist()
    for at in _cells_of(make):
        for row in values:
            row[at] = cells_in(row[at])
    return [make(row_id, *row) for row_id, row in zip(frame.index.tolist(), values, strict=True)]


@cache
def _cells_of(kind: Any) -> list[int]:
    """Where the columns of cells by name are."""
    _, *others = fields(kind)
    return [at for at, each in enumerate(others) if str(each.type).startswith("Mapping[")]


def _packed(cells: Mapping[str, Any]) -> Packed:
    names = _in_order(tuple(cells))
    return (names, *[cells[name] for name in names])


@lru_cache(maxsize=1024)
def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(names))


def cells_in(packed: Packed) -> dict[str, Any]:
    """The cells by name that stand so in a frame."""
    return dict(zip(packed[0], packed[1:], strict=True))


def cell_in(packed: Packed, name: str) -> Any:
    """One of them, "" if it is not there."""
    names = packed[0]
    return packed[names.index(name) + 1] if name in names else ""


def overlay(frame: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """`frame` with the rows of `found` added, or put in place of those with the same id."""
    if found.empty:
        return frame
    return pd.concat([frame.drop(index=found.index, errors="ignore"), found]).sort_index()
