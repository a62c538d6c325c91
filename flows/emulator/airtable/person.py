"""A person at Airtable's web client, and the account around it; no rate limit applies here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from emulator.airtable.account import ALL_SCOPES, Token
from emulator.airtable.listing import record_model
from emulator.airtable.model import Base, Field, Record, Table, View, add_choice, is_empty
from emulator.airtable.payloads import SOURCES, Transaction
from emulator.airtable.record_changes import (
    change_cells,
    create_records,
    delete_records,
    rules_for,
    update_records,
)
from emulator.airtable.schema_calls import build_field, build_table
from emulator.airtable.service import AirtableService
from emulator.airtable.values import OutputOptions
from emulator.airtable.world import AirtableWorld
from emulator.wire.messages import Refused

STATUSES = ("NEW", "CONTACTED", "QUALIFIED", "LOST")
MOMENT = {
    "type": "dateTime",
    "options": {
        "dateFormat": {"name": "iso", "format": "YYYY-MM-DD"},
        "timeFormat": {"name": "24hour", "format": "HH:mm"},
        "timeZone": "utc",
    },
}
LEAD_FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "name", "type": "singleLineText"},
    {"name": "email", "type": "email"},
    {"name": "status", "type": "singleSelect", "options": {"choices": [{"name": name} for name in STATUSES]}},
    {"name": "source", "type": "singleLineText"},
    {"name": "notes", "type": "multilineText"},
    {"name": "created", "type": "createdTime", "options": {"result": MOMENT}},
    {
        "name": "last_modified",
        "type": "lastModifiedTime",
        "options": {"isValid": True, "referencedFieldIds": None, "result": MOMENT},
    },
)


class AirtablePerson:
    """
    Edits in the web client: they move lastModifiedTime and reach webhooks with source `client` (see `acting_as`).

    Columns may be named as they are called now, in any case, or as they were called at the start.
    """

    def __init__(self, world: AirtableWorld, service: AirtableService, lock: RLock) -> None:
        self._world, self._service, self._lock = world, service, lock
        fields = [build_field(world.ids, dict(each)) for each in LEAD_FIELDS]
        self._first_names = {field.name: field.id for field in fields}
        self.base_id = world.ids.airtable("app")
        self.user_id = world.owner_id
        self._source = "client"
        table = build_table(world.ids, "Leads", fields)
        world.bases.append(Base(self.base_id, "CRM", [table]))
        self.table_id = table.id
        self.token = self.add_token(ALL_SCOPES)

    @contextmanager
    def acting_as(self, source: str) -> Iterator[None]:
        """What is done inside was done by another than a person: automation, formSubmission, publicApi, sync …"""
        if source not in SOURCES:
            raise ValueError(f"no source {source!r}; sources: {', '.join(SOURCES)}")
        self._source = source
        try:
            yield
        finally:
            self._source = "client"

    # Leads

    def add_lead(
        self,
        name: str | None = None,
        email: str | None = None,
        status: str | None = None,
        source: str | None = None,
        **extra: Any,
    ) -> str:
        """Add a row and return its id; None leaves a cell empty. Raises: ValueError for a value the cell refuses."""
        given = {"name": name, "email": email, "status": status, "source": source, **extra}
        with self._lock:
            cells = self._cells({key: value for key, value in given.items() if value is not None})
            (record,) = self._typed(lambda: create_records(self._world, self._table, [cells], *self._writer))
            return record.id

    def edit(self, record_id: str, **fields: Any) -> None:
        """Change cells of a row; None clears. Raises: KeyError without the row, ValueError for a refused value."""
        with self._lock:
            row = (self._table.records[record_id], self._cells(fields))
            self._typed(lambda: update_records(self._world, self._table, [row], *self._writer))

    def recompute(self, record_id: str, **fields: Any) -> None:
        """
        What computed columns (formula, lookup, AI text …) give now, None for nothing. Nobody's edit: no time of change
        moves, and no webhook tells. Raises: KeyError without the row, ValueError for a column that people fill in.
        """
        with self._lock:
            cells = self._table.records[record_id].cells
            for key, value in fields.items():
                column = self._field(key)
                if not column.is_computed:
                    raise ValueError(f"column {key!r} is not computed")
                cells.pop(column.id, None)
                if not is_empty(value):
                    cells[column.id] = value

    def delete(self, record_id: str) -> None:
        """Delete a row; `restore` brings it back. Raises: KeyError."""
        with self._lock:
            delete_records(self._world, self._table, [record_id], self._source, self.user_id)

    def restore(self, record_id: str) -> None:
        """Take a row out of the trash, same id and cells. Raises: KeyError."""
        with self._lock:
            record = self._table.deleted.pop(record_id)
            self._table.records[record_id] = record
            self._world.commit(Transaction(self._table, self._source, self.user_id, created=[record]))

    def records(self, computed: bool = False) -> dict[str, dict[str, Any]]:
        """Record id to the cells that are not empty, by present column name; without computed columns by default."""
        with self._lock:
            names = [field.name for field in self._table.fields if computed or not field.is_computed]
            options = OutputOptions(fields=tuple(names))
            rows = self._table.records.values()
            return {row.id: record_model(self._world, self._table, row, options)["fields"] for row in rows}

    # Schema

    def rename_field(self, old: str, new: str) -> None:
        """Rename a column; tests may go on using its first name."""
        with self._lock:
            self._field(old).name = new

    def rename_table(self, new: str) -> None:
        """Rename the table of leads."""
        with self._lock:
            self._table.name = new

    def delete_field(self, field: str) -> None:
        """Remove a column with its cells."""
        with self._lock:
            column = self._field(field)
            self._table.fields.remove(column)
            for record in self._table.records.values():
                record.cells.pop(column.id, None)
            self._world.removed({column.id})

    def delete_table(self) -> None:
        """Remove the table of leads."""
        with self._lock:
            table = self._table
            self._base.tables.remove(table)
            self._world.removed(table.all_ids())

    def add_field(self, name: str, kind: str = "singleLineText", options: dict[str, Any] | None = None) -> str:
        """Add a column and return its id."""
        with self._lock:
            column = build_field(self._world.ids, {"name": name, "type": kind, "options": options})
            self._table.fields.append(column)
            return column.id

    def retype_field(self, field: str, kind: str, options: dict[str, Any] | None = None) -> None:
        """Change a column's type; cells are kept as they are."""
        with self._lock:
            column = self._field(field)
            fresh = build_field(self._world.ids, {"name": column.name, "type": kind, "options": options})
            column.type, column.options = fresh.type, fresh.options

    def lock_field(self, field: str, locked: bool = True) -> None:
        """Let only people edit a column, not the users of tokens; False undoes it."""
        with self._lock:
            self._field(field).is_locked = locked

    def add_select_option(self, field: str, name: str) -> None:
        """Add an option to a select column."""
        with self._lock:
            add_choice(self._field(field), name, self._world.ids)

    def rename_select_option(self, field: str, old: str, new: str) -> None:
        """Rename an option; the cells that hold it show the new name."""
        with self._lock:
            column = self._field(field)
            for choice in column.choices:
                if choice["name"] == old:
                    choice["name"] = new
            self._replace(column, old, new)

    def delete_select_option(self, field: str, name: str) -> None:
        """Remove an option; the cells that held it become empty."""
        with self._lock:
            column = self._field(field)
            kept = [choice for choice in column.choices if choice["name"] != name]
            self._replace(column, name, None)
            column.options = (column.options or {}) | {"choices": kept}

    def add_view(self, name: str, predicate: Callable[[dict[str, Any]], bool]) -> str:
        """Add a view that shows the rows for which `predicate(cells by name)` holds; returns its id."""
        with self._lock:
            view = View(self._world.ids.airtable("viw"), name, predicate)
            self._table.views.append(view)
            return view.id

    def add_table(self, name: str, fields: tuple[dict[str, Any], ...] = LEAD_FIELDS) -> str:
        """Add a table to the base and return its id."""
        with self._lock:
            columns = [build_field(self._world.ids, dict(each)) for each in fields]
            table = build_table(self._world.ids, name, columns)
            self._base.tables.append(table)
            return table.id

    # Account

    def add_token(self, scopes: Any, bases: bool | list[str] = True, role: str = "create") -> str:
        """
        A new personal access token with these scopes.

        `bases`: True for all, False for none, or ids; `role` is its user's level: read, comment, edit or
        create.
        """
        with self._lock:
            reach = None if bases is True else frozenset(bases or [])
            text = f"pat{self._world.ids.letters(14)}.{self._world.ids.hexadecimal(64)}"
            self._world.tokens[text] = Token(text, frozenset(scopes), reach, role, self.user_id)
            return text

    def revoke(self, token: str | None = None) -> None:
        """Withdraw a token, the first one by default."""
        with self._lock:
            self._world.tokens.pop(token or self.token, None)

    def foreign_calls(self, count: int) -> None:
        """Calls of other programs on the base, which use up its rate limit and the month's quota."""
        with self._lock:
            self._service.limits.foreign_calls(self.base_id, self._world.clock.now(), count)

    def expire_offsets(self) -> None:
        """Forget every open list iterator, as a restart of the service does."""
        with self._lock:
            self._service.listing.expire_all()

    @property
    def calls_this_month(self) -> int:
        """Calls counted against the monthly quota."""
        return self._service.limits.calls_this_month

    # Inner parts

    @property
    def _base(self) -> Base:
        return next(base for base in self._world.bases if base.id == self.base_id)

    @property
    def _table(self) -> Table:
        return next(table for table in self._base.tables if table.id == self.table_id)

    @property
    def _writer(self) -> tuple[Any, str, str]:
        return rules_for(self._world), self._source, self.user_id

    def _field(self, key: str) -> Field:
        exact = self._table.field(key) or self._table.field(self._first_names.get(key, ""))
        if exact is not None:
            return exact
        for field in self._table.fields:
            if field.name.casefold() == key.casefold():
                return field
        raise KeyError(f"no column {key!r}; columns: {', '.join(field.name for field in self._table.fields)}")

    def _cells(self, given: dict[str, Any]) -> dict[str, Any]:
        return {self._field(key).id: value for key, value in given.items()}

    def _replace(self, column: Field, old: str, new: str | None) -> None:
        transaction = Transaction(self._table, self._source, self.user_id)
        for record in self._table.records.values():
            if record.cells.get(column.id) == old:
                transaction.changed[record.id] = change_cells(self._world, record, {column.id: new})
        self._world.commit(transaction)

    def _typed(self, act: Callable[[], list[Record]]) -> list[Record]:
        try:
            return act()
        except Refused as refused:
            raise ValueError(refused.reply.body.decode()) from None
