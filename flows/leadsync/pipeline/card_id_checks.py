"""
Is there a column that can hold the cards' ids, where cards are to become leads? Never here: which cards do.
"""

from __future__ import annotations

from collections.abc import Iterator

from leadsync.airtable.card_ids import MADE_AS, MERGES, add_column
from leadsync.airtable.client import Airtable
from leadsync.airtable.columns import is_id
from leadsync.airtable.setup import fetch_columns
from leadsync.errors import ConfigurationError, ServiceRefusedError
from leadsync.pipeline.findings import Checklist, Finding, Level, Repair

CHECK = "leads from cards"
NEEDS = "AIRTABLE_API_TOKEN needs the scope schema.bases:write for that, and its user the role creator"


def check_card_ids(airtable: Airtable, checklist: Checklist) -> Iterator[Finding]:
    """
    Says nothing where cards become no leads. Without the column the table is read without it from here on.

    Cost: 1 request.
    """
    column = airtable.columns.card_id
    if not column:
        return
    schema = fetch_columns(airtable)
    if schema is None:
        detail = f"whether there is a column {column!r}, and of which type, could not be looked at"
        yield Finding(CHECK, Level.WARN, detail, "Give AIRTABLE_API_TOKEN the scope schema.bases:read.")
    elif column not in schema:
        airtable.columns.leave_out(column)
        may_be_made = bool(schema) and not is_id(column, "fld")
        if may_be_made:
            table_id = str(next(iter(schema.values()))["table_id"])
            checklist.repairs.append(Repair(f"column {column!r} ({MADE_AS})", lambda: _make(airtable, table_id)))
        how = "Run flows/validate.py --fix, or add" if may_be_made else "Add"
        remedy = f"{how} a single line text column, and name it in AIRTABLE_CARD_ID_FIELD."
        yield Finding(CHECK, Level.FAIL, f"AIRTABLE_CARD_ID_FIELD={column}: there is no such column", remedy)
    elif schema[column]["type"] not in MERGES:
        detail = f"AIRTABLE_CARD_ID_FIELD={column}: the column is of type {schema[column]['type']}"
        yield Finding(CHECK, Level.FAIL, detail, "Make it a single line text column, or name another one.")
    else:
        yield Finding(CHECK, Level.OK, f"column {column!r} holds the cards' ids")


def _make(airtable: Airtable, table_id: str) -> None:
    try:
        add_column(airtable, table_id)
    except ServiceRefusedError as refused:
        if refused.status in (401, 403):
            raise ConfigurationError(f"{refused}. {NEEDS}.") from None
        raise
