"""
A record as formulas see it.

The language never looks into a record itself; it asks this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emulator.airtable.cells import modified_at
from emulator.airtable.formula_values import FormulaValueError
from emulator.airtable.model import Record, Table
from emulator.knobs import Knobs
from emulator.wire.messages import unsupported


@dataclass(frozen=True)
class FormulaRow:
    """A record as formulas see it."""

    table: Table
    record: Record
    knobs: Knobs
    at: float
    """Now [s]."""

    def record_id(self) -> str:
        """What RECORD_ID() gives."""
        return self.record.id

    def cell(self, field_id: str) -> Any:
        """A cell's value, times as datetimes, None when empty."""
        column = self.table.field(field_id)
        if column is None:
            return None
        if column.type == "lastModifiedTime":
            return self.modified((column.options or {}).get("referencedFieldIds") or [])
        if column.type == "createdTime":
            return self.created()
        value = self.record.cells.get(field_id)
        if column.type in ("dateTime", "date") and isinstance(value, str):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        if column.type == "multipleRecordLinks" and value:
            raise unsupported("a formula that reads linked records")
        return _named(value)

    def created(self) -> datetime | None:
        """What CREATED_TIME() gives."""
        return self._moment(self.record.created)

    def modified(self, field_ids: Sequence[str]) -> datetime | None:
        """What LAST_MODIFIED_TIME() gives for these fields; none means all."""
        at = modified_at(self.table, self.record, list(field_ids), self.knobs)
        return None if at is None else self._moment(at)

    def now(self) -> datetime:
        """What NOW() gives."""
        return self._moment(self.at)

    def _moment(self, at: float) -> datetime:
        exact = int(at * 1000) / 1000 if self.knobs.airtable_formula_subsecond else float(int(at))
        return datetime.fromtimestamp(exact, tz=UTC)


def _named(value: Any) -> Any:
    """People and files as formulas see them: by their names."""
    if isinstance(value, list):
        return [_named(each) for each in value]
    if isinstance(value, dict):
        for key in ("name", "filename", "email", "text"):
            if key in value:
                return value[key]
        raise FormulaValueError(f"{value!r} has no name")
    return value
