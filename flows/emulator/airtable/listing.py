"""
Records as calls answer them, and pages of them: filters, order, and offsets that expire.

Nothing here changes a record; what a caller may ask for is in `values`.
"""

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.airtable.cell_texts import cell_text
from emulator.airtable.cells import cell_value, signed
from emulator.airtable.formula import FormulaSyntaxError, compile_formula
from emulator.airtable.formula_row import FormulaRow
from emulator.airtable.model import Field, Record, Table
from emulator.airtable.refusals import refusal, unknown_field
from emulator.airtable.values import ListOptions, OutputOptions
from emulator.airtable.world import AirtableWorld
from emulator.clock import iso_whole_seconds
from emulator.ids import is_airtable_id
from emulator.wire.messages import unsupported

OFFSET = re.compile(r"itr[0-9A-Za-z]{14}/rec[0-9A-Za-z]{14}")


def record_model(world: AirtableWorld, table: Table, record: Record, options: OutputOptions) -> dict[str, Any]:
    """`{"id","createdTime","fields"}` with empty cells left out."""
    fields, asked = {}, None if options.fields is None else {*options.fields}
    for column in table.fields:
        if asked is not None and column.id not in asked and column.name not in asked:
            continue
        value = cell_value(table, record, column, world.knobs)
        if column.type == "multipleAttachments" and isinstance(value, list):
            value = signed(value, world.clock.now())
        if value is not None:
            key = column.id if options.by_field_id else column.name
            fields[key] = _as_text(world, table, column, value, options) if options.as_text else value
    model = {"id": record.id, "createdTime": iso_whole_seconds(record.created), "fields": fields}
    return model | ({"commentCount": 0} if options.comment_count else {})


def _as_text(world: AirtableWorld, table: Table, column: Field, value: Any, options: OutputOptions) -> str:
    return cell_text(world.base_of(table), column, value, options.time_zone)


@dataclass
class _Iterator:
    """An open listing: the ids of its first page's moment, and when it was last used."""

    ids: list[str]
    used: float
    positions: dict[str, int] = field(default_factory=dict)


class Listing:
    """Pages of records and the iterators behind their offsets."""

    def __init__(self, world: AirtableWorld) -> None:
        self._world = world
        self._iterators: dict[str, _Iterator] = {}

    def page(self, table: Table, options: ListOptions) -> dict[str, Any]:
        """`{"records":[…],"offset"?}`; raises Refused."""
        self._check_fields(table, options)
        now = self._world.clock.now()
        if options.offset is None:
            token, iterator, start = (
                self._world.ids.airtable("itr"),
                _Iterator(self._ids(table, options), now),
                0,
            )
        else:
            token, iterator, start = self._resumed(table, options, now)
        iterator.used = now
        self._iterators[token] = iterator
        end = start + options.page_size
        records = [table.records[key] for key in iterator.ids[start:end] if key in table.records]
        page: dict[str, Any] = {
            "records": [record_model(self._world, table, record, options.output) for record in records]
        }
        if options.page_size and end < len(iterator.ids):
            page["offset"] = f"{token}/{iterator.ids[end]}"
            iterator.positions[iterator.ids[end]] = end
        return page

    def _resumed(self, table: Table, options: ListOptions, now: float) -> tuple[str, _Iterator, int]:
        offset = str(options.offset)
        if OFFSET.fullmatch(offset) is None:
            raise refusal(422, "INVALID_OFFSET_VALUE", "")
        token, record_id = offset.split("/")
        iterator = self._iterators.get(token)
        lifetime = self._world.knobs.airtable_iterator_lifetime
        if iterator is None or now - iterator.used > lifetime or record_id not in iterator.positions:
            raise refusal(422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE", "")
        if not self._world.knobs.airtable_iterator_snapshot:
            iterator.ids = self._ids(table, options)
        return token, iterator, iterator.positions[record_id]

    def expire_all(self) -> None:
        """Forget every iterator, as a server restart does."""
        self._iterators.clear()

    def _check_fields(self, table: Table, options: ListOptions) -> None:
        for name in [*(options.fields or ()), *(name for name, _ in options.sort)]:
            if table.field(name) is None:
                raise unknown_field(name)

    def _ids(self, table: Table, options: ListOptions) -> list[str]:
        records = list(table.records.values())
        if options.view is not None:
            records = self._in_view(table, records, options.view)
        else:
            # Without a view and a sort the order is arbitrary: make it differ from the order of creation.
            records.sort(key=lambda record: zlib.crc32(record.id.encode()))
        if options.formula is not None:
            records = self._matching(table, records, options.formula)
        for name, direction in reversed(options.sort):
            column = table.field(name)
            if column is not None:
                key = self._sort_key(table, column)
                records.sort(key=key, reverse=direction == "desc")
        return [record.id for record in records][: options.max_records]

    def _in_view(self, table: Table, records: Sequence[Record], wanted: str) -> list[Record]:
        view = next((view for view in table.views if wanted in (view.id, view.name)), None)
        if view is None:
            kind = "VIEW_ID_NOT_FOUND" if is_airtable_id("viw", wanted) else "VIEW_NAME_NOT_FOUND"
            raise refusal(422, kind, f"View {wanted} not found")
        everything = OutputOptions()
        return [each for each in records if view.shows(record_model(self._world, table, each, everything)["fields"])]

    def _matching(self, table: Table, records: Sequence[Record], formula: str) -> list[Record]:
        try:
            keeps = compile_formula(formula, table.field_ids())
        except FormulaSyntaxError as error:
            message = f"The formula for filtering records is invalid: {error}"
            raise refusal(422, "INVALID_FILTER_BY_FORMULA", message) from None
        knobs, now = self._world.knobs, self._world.clock.now()
        lag = knobs.airtable_formula_lag
        indexed = [record for record in records if not lag or record.created <= now - lag]
        return [record for record in indexed if keeps(FormulaRow(table, record, knobs, now))]

    def _sort_key(self, table: Table, column: Field) -> Callable[[Record], tuple[int, float, str]]:
        order = {choice["name"]: position for position, choice in enumerate(column.choices)}

        def key(record: Record) -> tuple[int, float, str]:
            value = cell_value(table, record, column, self._world.knobs)
            if value is None:
                return 0, 0.0, ""
            if isinstance(value, int | float):
                return 1, float(value), ""
            if not isinstance(value, str):
                raise unsupported(f"sorting by a field of type {column.type}")
            return 1, float(order.get(value, 0)), value

        return key
