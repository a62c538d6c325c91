"""
A person at Airtable's web client who edits leads, and the account around it; no rate limit applies here.

Columns, views and tables are edited in `structure`, which a person inherits.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from emulator.airtable.account import ALL_SCOPES, Token
from emulator.airtable.listing import record_model
from emulator.airtable.model import Record, is_empty
from emulator.airtable.payloads import SOURCES, Transaction
from emulator.airtable.record_changes import create_records, delete_records, update_records
from emulator.airtable.service import AirtableService
from emulator.airtable.structure import StructureEdits
from emulator.airtable.values import OutputOptions
from emulator.airtable.world import AirtableWorld
from emulator.wire.messages import Refused


class AirtablePerson(StructureEdits):
    """
    Edits in the web client: they move lastModifiedTime and reach webhooks with source `client` (see `acting_as`).

    Columns may be named as they are called now, in any case, or as they were called at the start.
    """

    def __init__(self, world: AirtableWorld, service: AirtableService, lock: RLock) -> None:
        super().__init__(world, lock)
        self._service = service
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

    def _typed(self, act: Callable[[], list[Record]]) -> list[Record]:
        try:
            return act()
        except Refused as refused:
            raise ValueError(refused.reply.body.decode()) from None
