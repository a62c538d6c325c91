"""Cells of leads are written: PATCHes of ten, parted where a cell is refused. Never here: which, a re-read, a retry."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from leadsync.airtable.client import Airtable, by_id
from leadsync.airtable.refusals import UNKNOWN_COLUMN, UNKNOWN_OPTION, is_computed, speaks_of
from leadsync.airtable.setup import fetch_columns
from leadsync.errors import LeadsyncError, ServiceRefusedError
from leadsync.frames.actions import Item
from leadsync.mapping.lenses import Value

BATCH = 10
"""Records that Airtable takes in one PATCH."""
CELL_REFUSALS = (403, 422)
"""Answers to a batch that may be about one of its cells."""
Sent = TypeVar("Sent")
Cells = dict[str, dict[str, Value]]
"""What a PATCH sets: lead_id -> cell, see Lead.value -> value."""


def update_leads(
    airtable: Airtable, updates: Mapping[str, Mapping[str, Value]]
) -> Iterator[tuple[Cells, list[Item] | LeadsyncError]]:
    """
    PATCH the given cells, at most 10 leads a request.

    A batch that is refused because of a cell is divided until the cell stands alone; a column that is computed or
    may not be edited is not tried again in this run. Yields: the cells of each answer, with the records as
    Airtable returned them or the error; each of `updates` once, unless it is left off at a ReadAgainError.
    """
    ids, columns = list(updates), airtable.columns
    batches = deque(
        {lead_id: dict(updates[lead_id]) for lead_id in ids[start : start + BATCH]}
        for start in range(0, len(ids), BATCH)
    )
    while batches:
        batch = batches.popleft()
        for field, refused in list(columns.unwritable.items()):
            batch, refused_cells = _without(batch, field)
            if refused_cells:
                yield refused_cells, refused
        if not batch:
            continue
        try:
            records = _patch(airtable, batch)
        except ServiceRefusedError as refused:
            parts = _divided(airtable, batch, refused)
            if not parts:
                yield batch, refused
            batches.extendleft(reversed(parts))
        except LeadsyncError as failed:
            yield batch, failed
        else:
            columns.written |= _fields_of(batch)
            yield batch, records


def give_back(airtable: Airtable, lead_id: str, cell: str, stated: Any) -> Item:
    """PATCH one cell with what a payload stated. Returns: the record. Cost: 1 request."""
    record = {"id": lead_id, "fields": {airtable.columns.names[cell]: airtable.columns.as_stated(cell, stated)}}
    (answered,) = by_id(_send(airtable, [record])).values()
    return answered


def _divided(airtable: Airtable, batch: Cells, refused: ServiceRefusedError) -> list[Cells]:
    """
    What to send instead of a refused batch, [] if its one cell is refused.

    A column that takes no value from us is noted, and the batch goes on without it, whatever its size. Else a 403
    is looked for in the columns first, since rights are a column's, and a 422 in the leads.
    """
    if refused.status not in CELL_REFUSALS:
        return []
    fields = _fields_of(batch)
    unwritable = _unwritable_field(airtable, fields, refused, alone=len(batch) == 1)
    if unwritable:
        airtable.columns.unwritable[unwritable] = refused
        return [batch]
    if len(fields) > 1 and (refused.status == 403 or len(batch) == 1):
        return [_without(batch, field)[1] for field in sorted(fields)]
    if len(batch) > 1:
        ids = list(batch)
        half = len(ids) // 2
        return [{lead_id: batch[lead_id] for lead_id in part} for part in (ids[:half], ids[half:])]
    return []


def _unwritable_field(airtable: Airtable, fields: Collection[str], refused: ServiceRefusedError, alone: bool) -> str:
    """Which of `fields` takes no value from us, as far as one refusal tells; `alone`: it was for a single lead."""
    of_column = refused.status == 403 or refused.kind == UNKNOWN_COLUMN or is_computed(refused)
    named = [field for field in sorted(fields) if speaks_of(refused, airtable.columns.names[field])]
    if of_column and named:
        return named[0]
    single = next(iter(fields)) if len(fields) == 1 else ""
    return single if alone and of_column and single not in airtable.columns.written else ""


def _fields_of(batch: Cells) -> set[str]:
    return {field for cells in batch.values() for field in cells}


def _without(batch: Cells, field: str) -> tuple[Cells, Cells]:
    """The batch without the cells of `field`, and those cells."""
    rest = {lead_id: {name: text for name, text in cells.items() if name != field} for lead_id, cells in batch.items()}
    taken = {lead_id: {field: cells[field]} for lead_id, cells in batch.items() if field in cells}
    return {lead_id: cells for lead_id, cells in rest.items() if cells}, taken


def send_spelt(airtable: Airtable, spell: Callable[[], list[Any]], send: Callable[[list[Any]], Sent]) -> Sent:
    """
    Send records whose statuses go out as their option is spelt.

    Where no record has shown it, the schema is asked, once. Returns: what `send` does.
    """
    spelt = spell()
    try:
        return send(spelt)
    except ServiceRefusedError as refused:
        if refused.kind != UNKNOWN_OPTION:
            raise
        airtable.columns.ask_for_options(lambda: fetch_columns(airtable))
        again = spell()
        if again == spelt:
            raise
        return send(again)


def _patch(airtable: Airtable, updates: Mapping[str, Mapping[str, Value]]) -> list[dict[str, Any]]:
    def records() -> list[Any]:
        return [{"id": lead_id, "fields": airtable.columns.spelt(cells)} for lead_id, cells in updates.items()]

    return send_spelt(airtable, records, partial(_send, airtable))


def _send(airtable: Airtable, records: list[Any]) -> list[dict[str, Any]]:
    return [dict(record) for record in airtable.table.batch_update(records)]
