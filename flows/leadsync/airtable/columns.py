"""The columns of the table that are ours, and what a run learns of them. Never here: a request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from leadsync.errors import ConfigurationError, LeadsyncError, ServiceRefusedError

Schema = dict[str, dict[str, Any]]
"""A table's columns by name and by id, with type, options and the table's id."""


class Columns:
    """
    `names`: our field -> column, by name or id. `by_id`: whether they are ids (fld…).

    `unwritable`: our field -> why it takes no value in this run; `written`: our fields that took one.
    Raises: ConfigurationError if some are given by name and some by id.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = dict(names)
        kinds = {is_id(column, "fld") for column in self.names.values()}
        if len(kinds) > 1:
            raise ConfigurationError("AIRTABLE_*_FIELD: give all four columns by name, or all four by id (fld…).")
        self.by_id = kinds.pop()
        self.unwritable: dict[str, ServiceRefusedError] = {}
        self.written: set[str] = set()
        self._options: dict[str, str] = {}  # a status without outer blanks -> the option as it is spelt
        self._asked, self._lock = False, threading.Lock()

    def spelt(self, cells: Mapping[str, str]) -> dict[str, str]:
        """Cells of a lead (our field -> text) as a record has them: the columns' names, and the options' own blanks."""
        return {
            self.names[ours]: self._options.get(text, text) if ours == "status" else text
            for ours, text in cells.items()
        }

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
