"""
Where a person sits: the base and the table of leads that are there at the start, and columns as people call them.

Beyond that start nothing here changes anything; that is for `structure` and `person`.
"""

from threading import RLock
from typing import Any

from emulator.airtable.model import Base, Field, Table
from emulator.airtable.record_changes import rules_for
from emulator.airtable.schema import build_field, build_table
from emulator.airtable.world import AirtableWorld

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


class Desk:
    """Columns may be named as they are called now, in any case, or as they were called at the start."""

    def __init__(self, world: AirtableWorld, lock: RLock) -> None:
        self._world, self._lock = world, lock
        fields = [build_field(world.ids, dict(each)) for each in LEAD_FIELDS]
        self._first_names = {field.name: field.id for field in fields}
        self.base_id = world.ids.airtable("app")
        self.user_id = world.owner_id
        self._source = "client"
        table = build_table(world.ids, "Leads", fields)
        owner = {"id": self.user_id, "email": "owner@example.com", "name": "Owner"}
        world.bases.append(Base(self.base_id, "CRM", [table], [owner]))
        self.table_id = table.id

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
