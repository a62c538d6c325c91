"""How frames are made and laid over each other. Pure. Never here: what a column means."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def overlay(frame: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """`frame` with the rows of `found` added, or put in place of those with the same id."""
    if found.empty:
        return frame
    return pd.concat([frame.drop(index=found.index, errors="ignore"), found]).sort_index()


def frame_of(rows: Mapping[str, tuple[object, ...]], columns: Mapping[str, str], index: str) -> pd.DataFrame:
    """A frame of these columns and dtypes, sorted by its ids."""
    ids = sorted(rows)
    cells = pd.DataFrame([rows[row_id] for row_id in ids], columns=list(columns), dtype="object")
    cells.index = pd.Index(ids, dtype="object", name=index)
    return cells.astype({column: dtype for column, dtype in columns.items() if dtype != "object"})
