"""Many ids, or rows, by so many as one statement takes at a time. Never here: a statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa

IDS_ASKED = 500
"""Ids in one query."""
Row = TypeVar("Row")


def in_parts(ids: Collection[str]) -> Iterator[list[str]]:
    """So many ids at a time as a statement takes, in order."""
    ordered = sorted(ids)
    yield from (ordered[start : start + IDS_ASKED] for start in range(0, len(ordered), IDS_ASKED))


def rows_among(
    connection: sa.Connection, whole: Any, part: Any, which: dict[str, str], ids: Collection[str] | None
) -> Iterator[Any]:
    """What the query `whole` finds; unless `ids` is None what `part` does, whose parameter these are."""
    if ids is None:
        yield from connection.execute(whole, which)
    for some in in_parts(ids or ()):
        yield from connection.execute(part, {**which, "ids": some})


def batched(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """So many rows at a time as are held while they are written."""
    left = iter(rows)
    while some := list(islice(left, 5_000)):
        yield some
