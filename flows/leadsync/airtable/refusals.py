"""What Airtable's refusals mean: which setting, column or cell they are about. Never here: a request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from leadsync.airtable.shapes import flaw_in
from leadsync.errors import ConfigurationError, ServiceRefusedError
from leadsync.mapping.cells import told
from leadsync.mapping.lenses import Value
from leadsync.mapping.rows import DEFAULT_CARDS
from leadsync.model import CreateLeads
from leadsync.settings import Settings
from leadsync.transport.service import Service, Words

GONE = (403, 404)
PERMISSION = ("INVALID_PERMISSIONS", "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND")
UNKNOWN_OPTION = "INVALID_MULTIPLE_CHOICE_OPTIONS"
UNKNOWN_COLUMN = "UNKNOWN_FIELD_NAME"
COLUMNS = "AIRTABLE_*_FIELD"
"""The settings that a column stands in which is not there, or else a row of the mapping."""


def words_of(body: Any) -> Words:
    """Of {"error": {"type", "message"}}, {"error": "NOT_FOUND"}, {"errors": [{"error", "message"}]} and their parts."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(body, dict) and isinstance(body.get("errors"), list) and body["errors"]:
        error = body["errors"][0]
    if isinstance(error, dict):
        return Words(str(error.get("type") or error.get("error") or ""), str(error.get("message") or ""))
    return Words(str(error), str(body.get("message", "")) if isinstance(body, dict) else "")


def refused_setting(refused: ServiceRefusedError) -> str:
    """The setting that Airtable says it does not accept, "" if the refusal is about something else."""
    return "AIRTABLE_API_TOKEN" if refused.status == 401 else ""


AIRTABLE = Service(
    name="Airtable",
    words=words_of,
    credential=refused_setting,
    flaw_in=flaw_in,
    quotas={
        "PUBLIC_API_BILLING_LIMIT_EXCEEDED": "Airtable's monthly API quota is used up. Wait for the next month or "
        "change the plan, and sync less often."
    },
)


def misconfigured(refused: ServiceRefusedError, settings: Settings) -> ConfigurationError:
    """Which setting a refused read points to."""
    base, table = settings.airtable_base_id, settings.airtable_table_name
    if setting := refused_setting(refused):
        return ConfigurationError(f"{setting} was not accepted by Airtable; make a new token.", setting=setting)
    if refused.kind == UNKNOWN_COLUMN:
        asked = ", ".join(
            f"AIRTABLE_{ours.upper()}_FIELD={column}" if ours in DEFAULT_CARDS else f"{column!r} in the mapping"
            for ours, column in settings.columns.items()
        )
        if settings.sync_create_leads is CreateLeads.ON:
            column = settings.airtable_card_id_field
            asked += f", AIRTABLE_CARD_ID_FIELD={column}, which flows/validate.py --fix can create"
        return ConfigurationError(
            f"Table {table!r} lacks a column: {refused.text}. Columns asked for: {asked}. "
            "Rename the column back or change the setting.",
            setting=COLUMNS,
        )
    if refused.kind.startswith("VIEW_"):
        text = f"AIRTABLE_VIEW {settings.airtable_view!r} does not exist in table {table!r}."
        return ConfigurationError(text, setting="AIRTABLE_VIEW")
    if refused.kind == "TABLE_NOT_FOUND" or refused.kind in PERMISSION:
        return ConfigurationError(
            f"AIRTABLE_TABLE_NAME {table!r} was not found in AIRTABLE_BASE_ID {base}, or AIRTABLE_API_TOKEN has no "
            "access to it: the token needs the scope data.records:read and the base added to it.",
            setting="AIRTABLE_TABLE_NAME",
        )
    if refused.status in GONE:
        return ConfigurationError(
            f"AIRTABLE_BASE_ID {base} was not found, or AIRTABLE_API_TOKEN has no access to it "
            f"(table asked for: AIRTABLE_TABLE_NAME {table!r}).",
            setting="AIRTABLE_BASE_ID",
        )
    return ConfigurationError(f"Airtable refused to list table {table!r} of base {base}: {refused}.")


def explain(refused: ServiceRefusedError, cells: Mapping[str, Value], columns: Mapping[str, str]) -> tuple[str, str]:
    """Why cells of a lead, see Lead.value, could not be written, and what to do; `columns`: cell -> column."""
    column = " and ".join(repr(columns[field]) for field in cells)
    if refused.kind == UNKNOWN_OPTION:
        option = " or ".join(map(told, cells.values()))
        return (
            f"column {column} has no option {option!r}",
            f"Add the option {option!r} to column {column}, or change SYNC_STATUS_MAP.",
        )
    if refused.kind == UNKNOWN_COLUMN:
        return f"there is no column {column}", "Rename the column back, or change AIRTABLE_*_FIELD."
    if refused.kind == "ROW_DOES_NOT_EXIST":
        return "the lead is gone", "Nothing to do; the next run sees that it was deleted."
    if is_computed(refused):
        return (
            f"column {column} is computed, so the card's edit cannot be taken over ({refused.text})",
            "Edit what it is computed from, or let AIRTABLE_*_FIELD name a column that can be written.",
        )
    if refused.status == 403 and not forbids(refused, columns.values()):
        return (
            f"column {column} may not be edited ({refused.text})",
            f"Give the user of AIRTABLE_API_TOKEN the right to edit column {column} in Airtable.",
        )
    if refused.status in (401, 403):
        words = refused.text or refused.kind or f"status {refused.status}"
        return (
            f"the token may not write to column {column} of the table ({words})",
            "Give AIRTABLE_API_TOKEN the scope data.records:write and its user the role editor, and the right to "
            "edit this column.",
        )
    return f"column {column}: {refused}", "Correct the cell or the column's type in Airtable."


def forbids(refused: ServiceRefusedError, columns: Iterable[str]) -> bool:
    """Whether a write's refusal is about the token or the table, and not about one of its columns or cells."""
    return refused.status == 401 or (
        refused.status == 403 and not any(speaks_of(refused, column) for column in columns)
    )


def is_computed(refused: ServiceRefusedError) -> bool:
    """Whether a write was refused because the column is computed."""
    return refused.kind == "INVALID_VALUE_FOR_COLUMN" and "computed" in refused.text


def speaks_of(refused: ServiceRefusedError, column: str) -> bool:
    """Whether the service's words name the column (by name or id), as a word of its own."""
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", refused.text, re.IGNORECASE) is not None
