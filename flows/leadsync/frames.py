"""
The services' JSON in, typed frames out: one row a lead, one row a card, texts in one normal form.

What is never here: a request, a decision. Frames have the columns and dtypes of model.LEAD_COLUMNS,
CARD_COLUMNS and BASE_COLUMNS; a missing text is "".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pandas as pd

from leadsync.cells import NotText, Unreadable, shown
from leadsync.description import one_line, parse, plain
from leadsync.errors import IncompleteReadError
from leadsync.model import BASE_COLUMNS, CARD_COLUMNS, LEAD_COLUMNS, TRELLO_TEXT_LIMIT

SKIPPED_ROLES = ("mirror", "separator")
WRITABLE_AS = {"name": "single line text", "status": "single select"}
"""Columns that the sync writes, and the type that takes what it writes."""


def text(value: object) -> str:
    """A cell as one line of text in Unicode form NFC, without blanks around it; None and [] are ""."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value)
    if isinstance(value, list):
        return ", ".join(filter(None, map(text, value)))
    flat = storable(str(value)).replace("\r\n", " ").replace("\n", " ").replace("\r", " ")
    return unicodedata.normalize("NFC", flat).strip()


def storable(value: str) -> str:
    """Without what no database holds: NUL, and halves of an emoji that was cut in two."""
    return value.replace("\0", "").encode("utf-8", "ignore").decode()


def fit(title: str) -> str:
    """`title` cut to what a card can hold, counted in UTF-16 units as the service's JavaScript does."""
    units = title.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * TRELLO_TEXT_LIMIT:
        return title
    return units[: 2 * TRELLO_TEXT_LIMIT].decode("utf-16-le", "ignore").strip()


def title_for(lead_id: str, name: str, email: str) -> str:
    """The card title a lead asks for; a lead without a name falls back to its e-mail, then to its id."""
    return fit(name or email or f"Unnamed lead {lead_id}")


def leads_frame(records: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """
    Airtable records as leads.

    `columns` maps our field names to the table's columns. Returns: index `lead_id` (unique, sorted).
    Raises: IncompleteReadError when an item is not a record.
    """
    rows = {str(record["id"]): _lead_row(record, columns) for record in map(_checked_record, records)}
    return _frame(rows, LEAD_COLUMNS, "lead_id")


def _checked_record(record: Any) -> Mapping[str, Any]:
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise IncompleteReadError("Airtable sent something that is not a record; nothing was written. Run again.")
    return record


def _lead_row(record: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[object, ...]:
    fields = record["fields"] if isinstance(record.get("fields"), dict) else {}
    texts: dict[str, str] = {}
    unreadable = []
    for ours, column in columns.items():
        try:
            texts[ours] = text(shown(fields.get(column)))
        except NotText as found:
            texts[ours] = ""
            unreadable.append(Unreadable(ours, column, found.holds, _remedy(ours, found)))
    status = fields.get(columns["status"])
    if isinstance(status, str):  # one of the options, as it is but for the blanks around it
        texts["status"] = storable(status).strip()
    name, email, source = (texts[ours] for ours in ("name", "email", "source"))
    lines = (plain(one_line(email)), plain(one_line(source)))
    title = title_for(record["id"], name, email)
    return ("present", name, email, texts["status"], source, title, *lines, tuple(unreadable))


def _remedy(ours: str, found: NotText) -> str:
    """What is written back needs a column that takes it, whatever the value is."""
    setting = f"AIRTABLE_{ours.upper()}_FIELD"
    if ours in WRITABLE_AS:
        return f"Make it a {WRITABLE_AS[ours]} column, or point {setting} to one."
    return found.remedy.format(setting=setting)


def absent_leads(presence: Mapping[str, str]) -> pd.DataFrame:
    """Rows for leads that were looked up and not found in the read: lead_id -> out_of_view | gone."""
    rows = {lead_id: (found, *[""] * (len(LEAD_COLUMNS) - 2), ()) for lead_id, found in presence.items()}
    return _frame(rows, LEAD_COLUMNS, "lead_id")


def cards_frame(
    cards: Iterable[Mapping[str, Any]], board_id: str, stages: Mapping[str, str], known: Collection[str]
) -> pd.DataFrame:
    """
    Trello cards as the forms of leads; cards with neither a marker nor an id in `known` are not ours and left out.

    `stages` maps list ids to stages. Returns: index `card_id` (unique, sorted). Raises: IncompleteReadError
    when an item is not a card.
    """
    rows: dict[str, tuple[object, ...]] = {}
    for card in cards:
        if not isinstance(card, dict) or not isinstance(card.get("id"), str):
            raise IncompleteReadError("Trello sent something that is not a card; nothing was written. Run again.")
        if card["id"] in known or "LeadID:" in str(card.get("desc")):
            row = _card_row(card, board_id, stages)
            if card["id"] in known or row[2]:
                rows[card["id"]] = row
    return _frame(rows, CARD_COLUMNS, "card_id")


def _card_row(card: Mapping[str, Any], board_id: str, stages: Mapping[str, str]) -> tuple[object, ...]:
    description = card["desc"] if isinstance(card.get("desc"), str) else ""
    parsed = parse(description)
    away = card.get("idBoard") not in (None, "", board_id)
    role = card.get("cardRole") or ""
    kind = "template" if card.get("isTemplate") else role if role in SKIPPED_ROLES else ""
    return (
        "moved_away" if away else "archived" if card.get("closed") else "open",
        parsed.markers[0] if parsed.markers else "",
        len(parsed.markers),
        stages.get(str(card.get("idList")), ""),
        str(card.get("idList") or ""),
        text(card.get("name")),
        bool(card.get("dueComplete")),
        parsed.block,
        parsed.email_line,
        parsed.source_line,
        description,
        kind,
        str(card.get("shortUrl") or ""),
    )


def time_of(action: Mapping[str, Any]) -> float:
    """When an action of the feed took place, by Trello's clock [s since 1970]; 0 if it does not say."""
    try:
        moment = pd.Timestamp(str(action.get("date")))
    except (ValueError, OverflowError):
        return 0.0
    return 0.0 if pd.isna(moment) else float(moment.timestamp())  # without a zone it is taken as UTC


def deleted_cards(card_ids: Iterable[str]) -> pd.DataFrame:
    """Rows for cards that were looked up and exist no more."""
    empty = ("deleted", "", 0, "", "", "", False, False, "", "", "", "", "")
    return _frame(dict.fromkeys(card_ids, empty), CARD_COLUMNS, "card_id")


def base_frame(rows: Mapping[str, tuple[object, ...]] | None = None) -> pd.DataFrame:
    """What both sides agreed on last time: index `lead_id`, columns model.BASE_COLUMNS."""
    return _frame(rows or {}, BASE_COLUMNS, "lead_id")


def overlay(frame: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """`frame` with the rows of `found` added, or put in place of those with the same id."""
    if found.empty:
        return frame
    return pd.concat([frame.drop(index=found.index, errors="ignore"), found]).sort_index()


def _frame(rows: Mapping[str, tuple[object, ...]], columns: Mapping[str, str], index: str) -> pd.DataFrame:
    ids = sorted(rows)
    cells = pd.DataFrame([rows[row_id] for row_id in ids], columns=list(columns), dtype="object")
    cells.index = pd.Index(ids, dtype="object", name=index)
    return cells.astype({column: dtype for column, dtype in columns.items() if dtype != "object"})
