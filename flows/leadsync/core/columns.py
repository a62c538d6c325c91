"""Columns of the joined frames, row by row alike. Pure. Never here: a decision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from leadsync.model import StatusMap

Strings = np.ndarray[Any, Any]
Mask = np.ndarray[Any, Any]
Columns = dict[str, np.ndarray[Any, Any]]


def is_unreadable(lead: Columns, cell: str) -> Mask:
    """Leads of which this cell cannot be read."""
    return np.array([any(each.cell == cell for each in several) for several in lead["unreadable"].tolist()], dtype=bool)


def without(frame: pd.DataFrame, positions: Mask) -> pd.DataFrame:
    """The frame without the rows at these positions."""
    kept = np.ones(len(frame), dtype=bool)
    kept[positions] = False
    return frame[kept]


def aligned(frame: pd.DataFrame, leads: pd.Index) -> Columns:
    """The frame's columns in the order of `leads`; "", 0 or False where it has no such row."""
    return taken(frame, frame.index.get_indexer(leads))


def taken(frame: pd.DataFrame, at: Mask) -> Columns:
    """The frame's columns at these positions; "", 0 or False where there is none (-1)."""
    absent = at < 0
    columns: Columns = {}
    for column in frame.columns:
        values = frame[column].to_numpy()
        filler = "" if values.dtype == object else values.dtype.type(0)
        taken = values[at].copy() if len(values) else np.full(len(at), filler, dtype=values.dtype)
        taken[absent] = filler
        columns[column] = taken
    return columns


def stages_of(status: Strings, status_map: StatusMap) -> Strings:
    """Stage of each status; an empty one counts as the first status, an unknown one has stage ""."""
    table = {"": status_map.stage_of[status_map.empty_means], **status_map.stage_of}
    return np.array([table.get(value, "") for value in status.tolist()], dtype=object)


def effective(status: Strings, status_map: StatusMap) -> Strings:
    """Statuses as they count: an empty one is the first."""
    return np.where(status == "", status_map.empty_means, status)
