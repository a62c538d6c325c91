"""
What changes records, for calls and people alike; each batch is one transaction that the webhooks are told of.

What a cell accepts is in `cell_rules`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from emulator.airtable.account import Token
from emulator.airtable.cell_rules import CellRules
from emulator.airtable.model import Record, Table, is_empty
from emulator.airtable.payloads import Transaction
from emulator.airtable.refusals import refusal, unknown_field
from emulator.airtable.world import AirtableWorld
from emulator.wire.messages import Refused


def create_records(
    world: AirtableWorld, table: Table, rows: Sequence[dict[str, Any]], rules: CellRules, source: str, user_id: str
) -> list[Record]:
    """Add rows of {field name or id: value}; all or nothing. Raises: Refused."""
    _check_room(world, table, len(rows))
    stored = _stored_rows(world, table, rows, rules)
    transaction = Transaction(table, source, user_id)
    for cells in stored:
        transaction.created.append(_insert(world, table, cells, by_hand=source != "publicApi"))
    world.commit(transaction)
    return transaction.created


def update_records(
    world: AirtableWorld,
    table: Table,
    rows: Sequence[tuple[Record, dict[str, Any]]],
    rules: CellRules,
    source: str,
    user_id: str,
    clear_others: bool = False,
) -> list[Record]:
    """Change cells of records; all or nothing. `clear_others` is PUT. Raises: Refused."""
    stored = _stored_rows(world, table, [cells for _, cells in rows], rules)
    transaction = Transaction(table, source, user_id)
    for (record, _), cells in zip(rows, stored, strict=True):
        if clear_others:
            cells = {each.id: None for each in table.fields if not each.is_computed} | cells
        former = change_cells(world, record, cells)
        if former:
            transaction.changed[record.id] = former | transaction.changed.get(record.id, {})
    world.commit(transaction)
    return [record for record, _ in rows]


def check_rows(world: AirtableWorld, table: Table, rows: Sequence[dict[str, Any]], rules: CellRules) -> None:
    """Validate rows without storing them. Raises: Refused."""
    _stored_rows(world, table, rows, rules)


def change_cells(world: AirtableWorld, record: Record, cells: dict[str, Any]) -> dict[str, Any]:
    """Store values by field id; returns the former values of the fields that changed."""
    former = {}
    for field_id, value in cells.items():
        before = record.cells.get(field_id)
        after = None if is_empty(value) else value
        if before == after and not world.knobs.airtable_noop_moves_modified:
            continue
        record.modified[field_id] = world.clock.now()
        if before != after:
            former[field_id] = before
        record.cells.pop(field_id, None)
        if after is not None:
            record.cells[field_id] = after
    return former


def delete_records(world: AirtableWorld, table: Table, record_ids: Sequence[str], source: str, user_id: str) -> None:
    """Remove existing records; the web client can restore them."""
    for record_id in record_ids:
        table.deleted[record_id] = table.records.pop(record_id)
    world.commit(Transaction(table, source, user_id, destroyed=list(record_ids)))


def rules_for(world: AirtableWorld, token: Token | None = None, typecast: bool = False) -> CellRules:
    """Cell rules for a writer; None is a person in the web client."""
    may_add = token is None or token.has_level("create")
    rules = CellRules(world.ids, world.knobs, by_hand=token is None)
    return replace(rules, typecast=typecast, may_add_choices=may_add)


def _insert(world: AirtableWorld, table: Table, cells: dict[str, Any], by_hand: bool) -> Record:
    now = world.clock.now()
    kept = {field_id: value for field_id, value in cells.items() if not is_empty(value)}
    record = Record(world.ids.airtable("rec"), now, kept, {}, by_hand)
    if not (by_hand and world.knobs.airtable_modified_blank_until_edit):
        record.modified = {each.id: now for each in table.fields if not each.is_computed}
    table.records[record.id] = record
    return record


def _check_room(world: AirtableWorld, table: Table, count: int) -> None:
    limit = world.knobs.airtable_record_limit
    held = sum(len(each.records) for each in world.base_of(table).tables)
    if limit is not None and held + count > limit:
        message = f"This base has reached its limit of {limit} records"
        raise refusal(world.knobs.airtable_record_limit_status, "RECORD_LIMIT_EXCEEDED", message)


def _stored_rows(
    world: AirtableWorld, table: Table, rows: Sequence[dict[str, Any]], rules: CellRules
) -> list[dict[str, Any]]:
    """Validated cells by field id; choices that typecast added are taken back when a later row is refused."""
    options = {each.id: each.options for each in table.fields}
    try:
        return [_stored_row(world, table, row, rules) for row in rows]
    except Refused:
        for each in table.fields:
            each.options = options[each.id]
        raise


def _stored_row(world: AirtableWorld, table: Table, row: dict[str, Any], rules: CellRules) -> dict[str, Any]:
    columns, base = [], world.base_of(table)
    for key, value in row.items():
        column = table.field(key)
        if column is None:
            raise unknown_field(key)
        columns.append((column, value))
    return {column.id: rules.stored(column, value, base) for column, value in columns}
