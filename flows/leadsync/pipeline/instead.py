"""
A setting that a service refused, as a finding: called after the thing, with what there is in its place.

Never here: a check of what was accepted.
"""

from __future__ import annotations

from collections.abc import Iterable

from leadsync.airtable.client import Airtable
from leadsync.airtable.refusals import COLUMNS
from leadsync.airtable.setup import fetch_bases, fetch_columns, fetch_tables
from leadsync.errors import ConfigurationError, LeadsyncError
from leadsync.pipeline.clients import Clients
from leadsync.pipeline.findings import Finding, Level
from leadsync.settings import Settings
from leadsync.texts import did_you_mean, there_are
from leadsync.trello.client import Trello
from leadsync.trello.setup import LISTS, fetch_boards

CALLED = {
    "AIRTABLE_API_TOKEN": "Airtable token",
    "AIRTABLE_BASE_ID": "Airtable base",
    "AIRTABLE_TABLE_NAME": "Airtable table",
    "AIRTABLE_VIEW": "Airtable view",
    COLUMNS: "Airtable columns",
    "TRELLO_API_KEY": "Trello key",
    "TRELLO_API_TOKEN": "Trello token",
    "TRELLO_BOARD_ID": "Trello board",
    LISTS: "Trello lists",
}
"""What a setting is about, as the checklist calls it."""
UNSEEN = "Which there are cannot be told without the scope schema.bases:read; add it to AIRTABLE_API_TOKEN."


def refused(error: LeadsyncError, subject: str, settings: Settings, clients: Clients) -> Finding:
    """
    `subject`: what the check is about, if the error names no setting.

    Cost: none, or at most 2 requests if base, table, view or board are not there.
    """
    setting, remedy = error.setting if isinstance(error, ConfigurationError) else "", ""
    try:
        if setting in ("AIRTABLE_BASE_ID", "AIRTABLE_TABLE_NAME", "AIRTABLE_VIEW"):
            setting, remedy = _in_airtable(setting, settings, clients.airtable)
        elif setting == "TRELLO_BOARD_ID":
            remedy = _boards(settings.trello_board_id, clients.trello)
    except LeadsyncError:  # what could not be asked for is not offered
        pass
    return Finding(CALLED.get(setting, subject), Level.FAIL, str(error), remedy)


def named_by_mapping(error: LeadsyncError, airtable: Airtable) -> bool:
    """Whether the check of the mapping will name the column that is not there, with those that are."""
    if not isinstance(error, ConfigurationError) or error.setting != COLUMNS:
        return False
    schema = fetch_columns(airtable)
    return schema is not None and any(column not in schema for column in airtable.columns.asked)


def _in_airtable(setting: str, settings: Settings, airtable: Airtable) -> tuple[str, str]:
    """Which of the settings it really is, for Airtable answers one alike for several, and what to do."""
    bases = fetch_bases(airtable)
    if bases is None:
        return setting, UNSEEN
    rows = [(str(each["id"]), str(each.get("name", ""))) for each in bases]
    if settings.airtable_base_id not in dict(rows):
        return "AIRTABLE_BASE_ID", _correct("AIRTABLE_BASE_ID", rows, settings.airtable_base_id)
    tables = fetch_tables(airtable)
    if tables is None:
        return setting, UNSEEN
    name = settings.airtable_table_name
    table = next((each for each in tables if name in (each["id"], each["name"])), None)
    if table is None:
        known = [str(each["name"]) for each in tables]
        return "AIRTABLE_TABLE_NAME", f"Correct AIRTABLE_TABLE_NAME; {there_are(known, name)}"
    if setting == "AIRTABLE_VIEW":
        known = [str(each["name"]) for each in table.get("views", ())]
        return setting, f"Correct AIRTABLE_VIEW; {there_are(known, settings.airtable_view or '')}"
    return "AIRTABLE_API_TOKEN", "Base and table are there: give AIRTABLE_API_TOKEN the scope data.records:read."


def _boards(said: str, trello: Trello) -> str:
    rows = [(str(each.get("url") or each["id"]), str(each["name"])) for each in fetch_boards(trello)]
    return _correct("TRELLO_BOARD_ID", rows, said)


def _correct(setting: str, rows: Iterable[tuple[str, str]], said: str) -> str:
    """`rows`: what to write into the setting, and how people call it."""
    by_text = {f"{name} = {key}": (key, name) for key, name in rows}
    near = did_you_mean([each for row in by_text.values() for each in row], said)
    return f"Correct {setting}; {there_are(by_text).removesuffix('.')}{near or '.'}"
