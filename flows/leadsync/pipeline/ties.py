"""
The mapping tied to the table and the board: what the two are known to hold, and when that is asked for again.

Never here: what a value means (see mapping/), a decision about a lead.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from leadsync.airtable.client import Airtable
from leadsync.airtable.columns import is_id
from leadsync.airtable.setup import EDITED_BY_HAND, fetch_mapped
from leadsync.errors import ConfigurationError, TransientServiceError
from leadsync.frames.schema import Packed, cell_in
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import NAMED
from leadsync.mapping.names import Weight
from leadsync.mapping.properties import Way
from leadsync.mapping.tied import tie
from leadsync.pipeline.clients import Clients
from leadsync.settings import Settings
from leadsync.state.store import StateStore
from leadsync.trello.board import Board


@dataclass(frozen=True)
class Schema:
    """
    The mapped columns, as far as they are known.

    `asked_at`: by our clock [s since 1970]. `models`: by name or id as the mapping has it, with type and options; None
    if the schema may not be read.
    """

    asked_at: float
    models: dict[str, dict[str, Any]] | None

    @property
    def objection(self) -> str:
        """Why a delta of leads cannot be relied on, "" if it can: of what is computed no change is told."""
        if self.models is None:
            return (
                "Leads were read whole: without the schema nobody can tell whether a column is computed, and of such a "
                "one Airtable tells no changes. Give AIRTABLE_API_TOKEN the scope schema.bases:read for delta reads."
            )
        types = {name: str(model.get("type")) for name, model in self.models.items()}
        named = ", ".join(f"{name!r} ({kind})" for name, kind in types.items() if kind not in EDITED_BY_HAND)
        return named and f"Leads were read whole: Airtable does not tell when a computed column changes: {named}."


def known_table_id(settings: Settings, store: StateStore, asked: str) -> str:
    """The table's id, "" if the settings name it otherwise and nobody had to ask for it yet. Cost: no request."""
    if is_id(settings.airtable_table_name, "tbl"):
        return settings.airtable_table_name
    models = (store.facts.load(f"schema {asked}") or {}).get("models") or {}
    return next((str(model.get("table_id", "")) for model in models.values()), "")


def known_schema(airtable: Airtable, store: StateStore, asked: str, full_every: float, along: bool = False) -> Schema:
    """
    The kept answer for the question `asked` if it is younger than `full_every` [s], else Airtable's.

    `along`: leads are read whole anyway, so that the next delta need not ask: an answer of half that age is renewed.
    No answer is kept as none: while Airtable is away what it said before holds. Cost: at most 1 request. Raises:
    TransientServiceError if it is away and has never said anything.
    """
    key, now = f"schema {asked}", time.time()
    kept = store.facts.load(key)
    if kept and 0 <= now - kept["asked_at"] < (full_every / 2 if along else full_every):
        return Schema(**kept)
    try:
        models = fetch_mapped(airtable)
    except TransientServiceError:
        if not kept:
            raise
        return Schema(**kept)
    if models is None and kept:  # the names of before are better than none
        models = kept["models"]
    schema = Schema(now, models)
    store.facts.save(key, vars(schema))
    return schema


def tied(board: Board, asked: str, settings: Settings, clients: Clients, at_once: bool = False) -> Board:
    """
    The board with the mapping's cells, by which both sides are read and written from now on.

    `asked`: see known_schema; `at_once`: whatever is kept of it. Cost: nothing without a mapping of one's own; else as
    known_schema. Raises: ConfigurationError that names each row which fits table or board no more; as known_schema.
    """
    cells = settings.untied
    if settings.mapping.needs_names:
        full_every = 0.0 if at_once else settings.sync_full_every.total_seconds()
        schema = known_schema(clients.airtable, clients.store, asked, full_every)
        found = tie(settings.mapping, by_name_and_id(schema.models), board.names)
        misfits = [(row, misfit) for row, misfit in found.misfits if misfit.weight is Weight.ROW]
        if wrong := [f"{row}: {misfit.detail}. {misfit.remedy}" for row, misfit in misfits]:
            raise ConfigurationError(f"The mapping does not fit table and board. {' '.join(wrong)}")
        cells = found.generic
    clients.airtable.columns.tie(cells)
    return replace(board, cells=cells)


def by_name_and_id(models: Mapping[str, dict[str, Any]] | None) -> dict[str, dict[str, Any]] | None:
    """Columns as `tie` takes them."""
    if models is None:
        return None
    return {str(model[key]): model for model in models.values() for key in ("name", "id")}


def strange_values(board: Board, base: pd.DataFrame, leads: pd.DataFrame, cards: pd.DataFrame) -> list[str]:
    """
    What was read and is not known, or was known and nobody holds any more: a name was added, changed, or deleted; what
    cannot be read, or was in a custom field that is empty everywhere: it may be of another type, or deleted.

    Each in a text by which it is told apart, Airtable's first.
    """
    if not (mapped := [cell for cell in board.cells if not cell.is_line]):
        return []
    unread = {problem.cell for problems in leads["unreadable"] for problem in problems}
    held, was = (leads["cells"], cards["cells"]), (base["lead_cells"], base["card_cells"])
    cells = [cell for cell in mapped if cell.kind in NAMED]
    custom = [cell for cell in mapped if cell.card.field_id]
    return [
        *(f"airtable {cell.name} cannot be read" for cell in mapped if cell.field in unread),
        *(f"trello {cell.name} is empty" for cell in custom if _holds(cell, was[1]) and not _holds(cell, held[1])),
        *(f"airtable {each}" for cell in cells for each in _strange(cell, was[0], held[0], _options(cell))),
        *(f"trello {each}" for cell in cells for each in _strange(cell, was[1], held[1], _ids(cell, board))),
    ]


def _strange(cell: Cell, was: Iterable[Packed], now: Iterable[Packed], known: set[str] | None) -> Iterator[str]:
    if known is not None:
        held = elements_of(cell, now)
        yield from (f"{cell.name} {each}" for each in sorted(held - known | (elements_of(cell, was) & known) - held))


def _holds(cell: Cell, rows: Iterable[Packed]) -> bool:
    return any(cell_in(row, cell.name) for row in rows)


def elements_of(cell: Cell, rows: Iterable[Packed]) -> set[str]:
    """All that these rows of a frame hold in a cell, of a set each element; nothing that is empty."""
    values = {cell_in(row, cell.name) for row in rows}
    return {each for value in values for each in (value if isinstance(value, frozenset) else [str(value)]) if each}


def _options(cell: Cell) -> set[str] | None:
    return None if cell.column.options is None else {option.strip() for option in cell.column.options}


def _ids(cell: Cell, board: Board) -> set[str] | None:
    if cell.card.name == "labels":
        return {*board.labels}
    return {*board.custom_fields[cell.card.label]["options"]} if cell.card.name == "custom" else None


def lacking_labels(board: Board, leads: pd.DataFrame) -> tuple[str, ...]:
    """Labels that the board has not, and that leads ask for."""
    wanted = set[str]()
    for cell in board.cells:
        if cell.card.name == "labels" and cell.way is not Way.TO_AIRTABLE and cell.lacking:
            held = elements_of(cell, leads["cells"])
            wanted |= {label for option, label in cell.lacking.items() if option in held}
    return tuple(sorted(wanted))
