"""
Join on LeadID over all leads at once: which of them moved at all. Pure.

Whatever rests, cell by cell as both sides agreed, is told at a glance and costs nothing more; what happens to the rest
is decided one lead at a time (see decide.py). Signature order everywhere: base, airtable, trello.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadsync.frames.agreed import Agreed
from leadsync.frames.cards import Card, CardPresence
from leadsync.frames.leads import Lead, LeadPresence
from leadsync.frames.schema import Column, Mask, column, places, rows_of
from leadsync.model import StatusMap


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
    lead_at, card_at = places(airtable, base.index), places(trello, column(base, "card_id"))
    resting = _at_rest(base, airtable, trello, lead_at, card_at, status_map)
    return Moved(
        rows_of(base[~resting], Agreed),
        rows_of(airtable[_without(len(airtable), lead_at[resting])], Lead),
        rows_of(trello[_without(len(trello), card_at[resting])], Card),
    )


def _without(rows: int, positions: Column) -> Mask:
    kept = np.ones(rows, dtype=bool)
    kept[positions] = False
    return kept


def _at_rest(
    base: pd.DataFrame,
    airtable: pd.DataFrame,
    trello: pd.DataFrame,
    lead_at: Column,
    card_at: Column,
    status_map: StatusMap,
) -> Mask:
    """Over the rows of `base`: leads that decide to nothing, whatever others do. `…_at`: where their row is, or -1."""
    rest: Mask = (lead_at >= 0) & (card_at >= 0)
    rows = np.flatnonzero(rest)
    was, lead, card = _at(base, rows), _at(airtable, lead_at[rows]), _at(trello, card_at[rows])
    rest[rows] = np.logical_and.reduce([*_tests(base.index.to_numpy()[rows], was, lead, card, status_map)])
    of_others = np.zeros(len(trello) + 1, dtype=bool)  # the last one: no card
    of_others[card_at[~rest]] = True
    rest &= ~of_others[card_at]
    strangers = column(trello, "lead_id")[_without(len(trello), card_at[rest])]
    return rest & ~base.index.isin(strangers)


def _at(frame: pd.DataFrame, rows: Column) -> dict[str, Column]:
    taken = frame.iloc[rows]
    return dict(zip(taken.columns, taken.to_numpy().T, strict=True))


def _tests(
    lead_ids: Column,
    was: Mapping[str, Column],
    lead: Mapping[str, Column],
    card: Mapping[str, Column],
    status_map: StatusMap,
) -> Iterator[Mask]:
    """What holds for a lead at rest; the columns' rows are alike."""
    yield (was["lead_presence"] == LeadPresence.PRESENT) & (lead["presence"] == LeadPresence.PRESENT)
    yield (was["card_presence"] == CardPresence.OPEN) & (card["presence"] == CardPresence.OPEN)
    yield (was["seen_status"] == "") & (was["stage"] != "") & (was["title"] != "")
    yield ~(lead["unreadable"].astype(bool) | card["unreadable"].astype(bool))
    yield (card["lead_id"] == lead_ids) & (card["markers"] == 1) & (card["kind"] == "")
    yield (lead["status"] == was["status"]) & (card["stage"] == was["stage"])
    yield (card["due_complete"] == was["due_complete"]) & (_stages_of(was["status"], status_map) == was["stage"])
    yield (lead["name"] == was["name"]) & (card["title"] == was["title"])
    yield (lead["name"] != "") | (card["title"] == lead["title"])
    yield (lead["cells"] == was["lead_cells"]) & (card["cells"] == was["card_cells"])


def _stages_of(statuses: Column, status_map: StatusMap) -> Column:
    codes, names = pd.factorize(statuses)
    return np.array([status_map.stage_of_cell(name) for name in names], dtype=object)[codes]
