"""
A person who changes columns, their options, views and tables.

Nothing here adds or edits a lead.
"""

from collections.abc import Callable
from typing import Any

from emulator.airtable.desk import LEAD_FIELDS, Desk
from emulator.airtable.field_options import first_options
from emulator.airtable.model import Field, View, add_choice
from emulator.airtable.payloads import Transaction
from emulator.airtable.record_changes import change_cells
from emulator.airtable.schema import build_field, build_table


class StructureEdits(Desk):
    """Edits of what the leads stand in."""

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
        """Add a column and return its id; options that are not given are those of a fresh column."""
        with self._lock:
            column = self._built(name, kind, options)
            self._table.fields.append(column)
            return column.id

    def retype_field(self, field: str, kind: str, options: dict[str, Any] | None = None) -> None:
        """Change a column's type; cells are kept as they are."""
        with self._lock:
            column = self._field(field)
            fresh = self._built(column.name, kind, options)
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

    def add_collaborator(self, name: str, email: str) -> str:
        """Give somebody access to the base; returns the user's id."""
        with self._lock:
            user_id = self._world.ids.airtable("usr")
            self._base.meet({"id": user_id, "email": email, "name": name})
            return user_id

    def _built(self, name: str, kind: str, options: dict[str, Any] | None) -> Field:
        first = first_options(kind, self.table_id)
        whole = options if first is None else first | (options or {})
        return build_field(self._world.ids, {"name": name, "type": kind, "options": whole})

    def _replace(self, column: Field, old: str, new: str | None) -> None:
        transaction = Transaction(self._table, self._source, self.user_id)
        for record in self._table.records.values():
            held = record.cells.get(column.id)
            if isinstance(held, list) and old in held:
                left = [new if each == old else each for each in held if new is not None or each != old]
                transaction.changed[record.id] = change_cells(self._world, record, {column.id: left})
            elif held == old:
                transaction.changed[record.id] = change_cells(self._world, record, {column.id: new})
        self._world.commit(transaction)
