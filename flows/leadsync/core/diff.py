"""
Join on LeadID over all leads at once: which of them moved at all. Pure.

Whatever rests, cell by cell as both sides agreed, is told at a glance and costs nothing more; what happens to the rest
is decided one lead at a time (see decide.py). Signature order everywhere: base, airtable, trello.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from leadsync.frames.agreed import Agreed
from leadsync.frames.cards import Card, CardPresence
from leadsync.frames.leads import Lead, LeadPresence
from leadsync.frames.schema import rows_of
from leadsync.model import StatusMap

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Rows = TypeVar("Rows", pd.DataFrame, "pd.Series[str]")


@dataclass(frozen=True)
class Moved:
    """What moved, or is not on all three: rows of the base, leads and cards, each in the order of its frame."""

    base: list[Agreed]
    leads: list[Lead]
    cards: list[Card]


def everything(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame) -> Moved:
    """All rows, as where values at rest mean something else by now."""
    return Moved(rows_of(base, Agreed), rows_of(airtable, Lead), rows_of(trello, Card))


def moved(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, status_map: StatusMap) -> Moved:
    """All rows but those of leads at rest."""
    lead_at, card_at = airtable.index.get_indexer(base.index), trello.index.get_indexer(pd.Index(base["card_id"]))
    resting = _at_rest(base, airtable, trello, lead_at, card_at, status_map)
    return Moved(
        rows_of(base[~resting], Agreed),
        rows_of(_without(airtable, lead_at[resting]), Lead),
        rows_of(_without(trello, card_at[resting]), Card),
    )


def _without(rows: Rows, positions: np.ndarray[Any, Any]) -> Rows:
    kept = np.ones(len(rows), dtype=bool)
    kept[positions] = False
    return rows[kept]


def _at_rest(
    base: pd.DataFrame,
    airtable: pd.DataFrame,
    trello: pd.DataFrame,
    lead_at: np.ndarray[Any, Any],
    card_at: np.ndarray[Any, Any],
    status_map: StatusMap,
) -> Mask:
    """Over the rows of `base`: leads that decide to nothing, whatever others do. `…_at`: where their row is, or -1."""
    rest: Mask = (lead_at >= 0) & (card_at >= 0)
    rows = np.flatnonzero(rest)
    for holds in _tests(base.iloc[rows], airtable.iloc[lead_at[rows]], trello.iloc[card_at[rows]], status_map):
        rest[rows] &= holds
    of_others = np.zeros(len(trello) + 1, dtype=bool)  # the last one: no card
    of_others[card_at[~rest]] = True
    rest &= ~of_others[card_at]
    strangers = _without(trello["lead_id"], card_at[rest])
    return rest & ~base.index.isin(strangers)


def _tests(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, status_map: StatusMap) -> Iterator[Mask]:
    """What holds for a lead at rest; the frames' rows are alike."""
    was, lead, card = ({column: frame[column].to_numpy() for column in frame} for frame in (base, airtable, trello))
    yield (was["lead_presence"] == LeadPresence.PRESENT) & (lead["presence"] == LeadPresence.PRESENT)
    yield (was["card_presence"] == CardPresence.OPEN) & (card["presence"] == CardPresence.OPEN)
    yield (was["seen_status"] == "") & (was["stage"] != "") & (was["title"] != "")
    yield ~(lead["unreadable"].astype(bool) | card["unreadable"].astype(bool))
    yield (card["lead_id"] == base.index.to_numpy()) & (card["markers"] == 1) & (card["kind"] == "")
    yield (lead["status"] == was["status"]) & (card["stage"] == was["stage"])
    yield (card["due_complete"] == was["due_complete"]) & (_stages_of(was["status"], status_map) == was["stage"])
    yield (lead["name"] == was["name"]) & (card["title"] == was["title"])
    yield (lead["name"] != "") | (card["title"] == lead["title"])
    yield (lead["cells"] == was["lead_cells"]) & (card["cells"] == was["card_cells"])


def _stages_of(statuses: np.ndarray[Any, Any], status_map: StatusMap) -> np.ndarray[Any, Any]:
    codes, names = pd.factorize(statuses)
    return np.array([status_map.stage_of_cell(name) for name in names], dtype=object)[codes]
