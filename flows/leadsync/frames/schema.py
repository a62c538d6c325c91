"""
Typed rows as frames and back, and how frames are laid over each other. Pure. Never here: what a column means.

A kind of row is a frozen dataclass whose first field is its id, the index of its frame. A missing text is "" in every
frame: comparing never meets NaN, and Airtable itself knows no empty text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, TypeVar

import pandas as pd

Kind = TypeVar("Kind")
DTYPES: Final = {"bool": "bool", "int": "int64"}
"""Type of a field -> dtype of its column; everything else is an object."""


def columns_of(kind: type) -> dict[str, str]:
    """Column -> dtype of a frame of such rows, without its index."""
    _, *others = fields(kind)
    return {each.name: DTYPES.get(str(each.type), "object") for each in others}


def frame_of(rows: Iterable[Kind], kind: type[Kind]) -> pd.DataFrame:
    """The rows as a frame, sorted by their ids; of two with the same id the later one."""
    index, *_ = (each.name for each in fields(kind))  # type: ignore[arg-type]
    values = attrgetter(*columns_of(kind))
    by_id = {getattr(row, index): values(row) for row in rows}
    return _frame(by_id, columns_of(kind), index)


def frame_of_values(rows: Mapping[str, tuple[object, ...]], kind: type) -> pd.DataFrame:
    """As frame_of, of values in the order of the kind's fields, by id."""
    return _frame(rows, columns_of(kind), fields(kind)[0].name)


def _frame(rows: Mapping[str, tuple[object, ...]], columns: Mapping[str, str], index: str) -> pd.DataFrame:
    ids = sorted(rows)
    values = zip(*(rows[row_id] for row_id in ids), strict=True) if ids else [()] * len(columns)
    by_id = pd.Index(ids, dtype="object", name=index)
    cells = {
        column: pd.Series(list(each), index=by_id, dtype=dtype)
        for (column, dtype), each in zip(columns.items(), values, strict=True)
    }
    return pd.DataFrame(cells, index=by_id)


def rows_of(frame: pd.DataFrame, kind: type[Kind]) -> list[Kind]:
    """A frame's rows, in its order."""
    make: Any = kind
    return [make(*values) for values in frame.itertuples(name=None)]


def overlay(frame: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """`frame` with the rows of `found` added, or put in place of those with the same id."""
    if found.empty:
        return frame
    return pd.concat([frame.drop(index=found.index, errors="ignore"), found]).sort_index()
