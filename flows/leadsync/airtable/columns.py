"""The columns of the table that are ours, and what a run learns of them. Never here: a request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from leadsync.errors import ConfigurationError, LeadsyncError, ServiceRefusedError
from leadsync.frames.leads import value_of
from leadsync.frames.payloads import cell_text
from leadsync.frames.shown import NotText
from leadsync.mapping.cells import Cell
from leadsync.mapping.lenses import CellError, Value
from leadsync.mapping.rows import DEFAULT_CARDS, SPECIAL, CellMapping

Schema = dict[str, dict[str, Any]]
"""A table's columns by name and by id, with type, options and the table's id."""

MIXED: Final = "AIRTABLE_*_FIELD: give all four columns by name, or all four by id (fld…)."
MIXED_ROWS: Final = "AIRTABLE_*_FIELD and the mapping: give all columns by name, or all by id (fld…)."


class Columns:
    """
    `rows`: all of the mapping. `asked`: the columns to be read, by name or id, `by_id`: whether they are ids (fld…).

    `card_id`: the column that holds the id of the card that a lead was made of, "" if no leads are.
    `cells`: those of the mapping but for status and name, once they are tied. `names`: what a lead's cell is called,
    see Lead.value -> column. `unwritable`: by such a name, why it takes no value in this run; `written`: what took one.
    Raises: ConfigurationError if some are given by name and some by id.
    """

    def __init__(self, mapping: CellMapping, cells: Sequence[Cell] = (), card_id: str = "") -> None:
        self._own = {row.field: row.airtable for row in mapping.fields if row.card.name in SPECIAL}
        self.asked = list(dict.fromkeys(row.airtable for row in mapping.fields))
        kinds = {is_id(column, "fld") for column in self.asked}
        if len(kinds) > 1:
            raise ConfigurationError(MIXED if len(mapping.fields) == len(DEFAULT_CARDS) else MIXED_ROWS)
        self.by_id = kinds.pop()
        if card_id and is_id(card_id, "fld") != self.by_id:
            raise ConfigurationError("AIRTABLE_CARD_ID_FIELD: give it by name, or by id (fld…), as the other columns.")
        self.card_id, self.asked = card_id, [*self.asked, *({card_id} - {"", *self.asked})]
        self.tie(cells)
        self.unwritable: dict[str, ServiceRefusedError] = {}
        self.written: set[str] = set()
        self._options: dict[str, str] = {}  # a status without outer blanks -> the option as it is spelt
        self._asked, self._lock = False, threading.Lock()

    def leave_out(self, column: str) -> None:
        """Read the table without a column of no cell."""
        self.asked = [each for each in self.asked if each != column]

    def tie(self, cells: Sequence[Cell]) -> None:
        """From now on leads are read and written by these cells."""
        self.cells = {cell.name: cell for cell in cells}
        self.names = self._own | {cell.name: cell.row.airtable for cell in cells}

    def spelt(self, cells: Mapping[str, Value]) -> dict[str, Any]:
        """Cells of a lead as a record has them: under the columns' names, and the options with their own blanks."""
        return {self.names[name]: self._spelt(name, value) for name, value in cells.items()}

    def _spelt(self, name: str, value: Value) -> Any:
        if name in self.cells:
            return self.cells[name].column.write(value)
        return self._options.get(str(value), value) if name == "status" else value

    def read(self, name: str, stated: Any) -> Value:
        """What a payload states of a cell in the form in which it is compared; its text if it is of another type."""
        if name in self.cells:
            with suppress(CellError, NotText):
                return value_of(self.cells[name], None if stated == "" else stated)
        return cell_text(stated)

    def as_stated(self, name: str, stated: Any) -> Any:
        """What is written to give back what a payload stated of a cell."""
        if name in self.cells and isinstance(stated, list | dict):
            return self.cells[name].column.write(self.read(name, stated))
        return (cell_text(stated) if isinstance(stated, list | dict) else stated) or None

    @property
    def options(self) -> list[str]:
        """The options of the status as they are spelt, as far as they are known."""
        return sorted(self._options.values())

    def learn_options(self, options: Iterable[Any]) -> None:
        """Statuses as records show them. An option without blanks around it goes before one with them."""
        for option in options:
            if isinstance(option, str) and (option == option.strip() or option.strip() not in self._options):
                self._options[option.strip()] = option

    def ask_for_options(self, fetch_columns: Callable[[], Schema | None]) -> None:
        """Learn them from the schema, once; nothing where that may not be read."""
        with self._lock:
            if self._asked:
                return
            self._asked = True
            with suppress(LeadsyncError):  # the refusal that led here says more
                column = (fetch_columns() or {}).get(self.names["status"], {})
                if choices := column.get("options", {}).get("choices"):
                    self._options = {}
                    self.learn_options(choice["name"] for choice in choices)


def is_id(name: str, prefix: str) -> bool:
    """Whether a table or column was given by its id, like tbl… or fld…."""
    return name.startswith(prefix) and len(name) == 17
