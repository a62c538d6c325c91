"""Bases, tokens and webhooks of the emulated Airtable, and the only functions that change records."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from emulator.airtable.account import Token
from emulator.airtable.cells import CellRules
from emulator.airtable.model import Base, Record, Table, is_empty
from emulator.airtable.refusals import refusal, unknown_field
from emulator.airtable.webhooks import Transaction, Webhook
from emulator.clock import Clock
from emulator.ids import IdSource
from emulator.knobs import Knobs
from emulator.wire.courier import Post
from emulator.wire.messages import Refused


class AirtableWorld:
    """State shared by the HTTP endpoints and the person-API."""

    def __init__(self, knobs: Knobs, clock: Clock, ids: IdSource) -> None:
        self.knobs, self.clock, self.ids = knobs, clock, ids
        self.bases: list[Base] = []
        self.tokens: dict[str, Token] = {}
        self.webhooks: list[Webhook] = []
        self.owner_id = ids.airtable("usr")
        self.send: Callable[[Post], None] = lambda _post: None
        """Hands a ping to the courier."""
        self.is_waiting: Callable[[str], bool] = lambda _url: False
        """Whether a ping to this address has not been delivered yet."""
        self._transactions = 0

    def base(self, base_id: str) -> Base | None:
        """A base by id, or None."""
        return next((base for base in self.bases if base.id == base_id), None)

    def create(
        self, table: Table, rows: Sequence[dict[str, Any]], rules: CellRules, source: str, user_id: str
    ) -> list[Record]:
        """Add rows of {field name or id: value}; all or nothing. Raises: Refused."""
        self._check_room(table, len(rows))
        stored = self._stored_rows(table, rows, rules)
        transaction = Transaction(table, source, user_id)
        for cells in stored:
            transaction.created.append(self._insert(table, cells, by_hand=source != "publicApi"))
        self.commit(transaction)
        return transaction.created

    def update(
        self,
        table: Table,
        rows: Sequence[tuple[Record, dict[str, Any]]],
        rules: CellRules,
        source: str,
        user_id: str,
        clear_others: bool = False,
    ) -> list[Record]:
        """Change cells of records; all or nothing. `clear_others` is PUT. Raises: Refused."""
        stored = self._stored_rows(table, [cells for _, cells in rows], rules)
        transaction = Transaction(table, source, user_id)
        for (record, _), cells in zip(rows, stored, strict=True):
            if clear_others:
                cells = {each.id: None for each in table.fields if not each.is_computed} | cells
            former = self.change(record, cells)
            if former:
                transaction.changed[record.id] = former | transaction.changed.get(record.id, {})
        self.commit(transaction)
        return [record for record, _ in rows]

    def check(self, table: Table, rows: Sequence[dict[str, Any]], rules: CellRules) -> None:
        """Validate rows without storing them. Raises: Refused."""
        self._stored_rows(table, rows, rules)

    def change(self, record: Record, cells: dict[str, Any]) -> dict[str, Any]:
        """Store values by field id; returns the former values of the fields that changed."""
        former = {}
        for field_id, value in cells.items():
            before = record.cells.get(field_id)
            after = None if is_empty(value) else value
            if before == after and not self.knobs.airtable_noop_moves_modified:
                continue
            record.modified[field_id] = self.clock.now()
            if before != after:
                former[field_id] = before
            record.cells.pop(field_id, None)
            if after is not None:
                record.cells[field_id] = after
        return former

    def delete(self, table: Table, record_ids: Sequence[str], source: str, user_id: str) -> None:
        """Remove existing records; the web client can restore them."""
        for record_id in record_ids:
            table.deleted[record_id] = table.records.pop(record_id)
        self.commit(Transaction(table, source, user_id, destroyed=list(record_ids)))

    def commit(self, transaction: Transaction) -> None:
        """Tell every webhook of the table's base."""
        if transaction.is_empty:
            return
        self._transactions += 1
        base_id = next(base.id for base in self.bases if transaction.table in base.tables)
        for webhook in self.webhooks:
            if webhook.base_id == base_id:
                self._collect(webhook, transaction)

    def removed(self, ids: set[str]) -> None:
        """Webhooks whose specification names one of these tables, views or fields end with an error."""
        self._transactions += 1
        for webhook in self.webhooks:
            if webhook.is_enabled and webhook.names() & ids:
                webhook.fail(self._transactions, self.clock.now())

    def _collect(self, webhook: Webhook, transaction: Transaction) -> None:
        """A ping still on its way stands for this change as well."""
        now = self.clock.now()
        if webhook.collect(transaction, self._transactions, now) and not self.is_waiting(str(webhook.url)):
            self.send(webhook.ping(now))

    def _insert(self, table: Table, cells: dict[str, Any], by_hand: bool) -> Record:
        now = self.clock.now()
        kept = {field_id: value for field_id, value in cells.items() if not is_empty(value)}
        record = Record(self.ids.airtable("rec"), now, kept, {}, by_hand)
        if not (by_hand and self.knobs.airtable_modified_blank_until_edit):
            record.modified = {each.id: now for each in table.fields if not each.is_computed}
        table.records[record.id] = record
        return record

    def _check_room(self, table: Table, count: int) -> None:
        limit = self.knobs.airtable_record_limit
        base = next(base for base in self.bases if table in base.tables)
        if limit is not None and sum(len(each.records) for each in base.tables) + count > limit:
            message = f"This base has reached its limit of {limit} records"
            raise refusal(self.knobs.airtable_record_limit_status, "RECORD_LIMIT_EXCEEDED", message)

    def _stored_rows(self, table: Table, rows: Sequence[dict[str, Any]], rules: CellRules) -> list[dict[str, Any]]:
        """Validated cells by field id; choices that typecast added are taken back when a later row is refused."""
        options = {each.id: each.options for each in table.fields}
        try:
            return [self._stored_row(table, row, rules) for row in rows]
        except Refused:
            for each in table.fields:
                each.options = options[each.id]
            raise

    def _stored_row(self, table: Table, row: dict[str, Any], rules: CellRules) -> dict[str, Any]:
        columns = []
        for key, value in row.items():
            column = table.field(key)
            if column is None:
                raise unknown_field(key)
            columns.append((column, value))
        return {column.id: rules.stored(column, value, self._is_record) for column, value in columns}

    def _is_record(self, record_id: str) -> bool:
        return any(record_id in table.records for base in self.bases for table in base.tables)


def rules_for(world: AirtableWorld, token: Token | None = None, typecast: bool = False) -> CellRules:
    """Cell rules for a writer; None is a person in the web client."""
    may_add = token is None or token.has_level("create")
    rules = CellRules(world.ids, world.knobs, by_hand=token is None)
    return replace(rules, typecast=typecast, may_add_choices=may_add)
