"""What becomes of a row by who is there: lead, card, both, neither. Pure. Never here: a cell."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from leadsync.core.columns import Columns, Mask, Strings, aligned, effective, is_unreadable, stages_of
from leadsync.core.identity import claimed
from leadsync.model import DONE, STAGES, Rules, StatusMap

# (lead, card) -> what happens to the row. A lead or card is what the read, a look-up, or else the base says;
# "" = never heard of. design section 5, tested to be whole.
ROW_DECISIONS: Final = {
    ("present", ""): "create",
    ("present", "open"): "compare",
    ("present", "archived"): "stay_archived",
    ("present", "moved_away"): "leave",
    ("present", "deleted"): "stay_deleted",
    ("out_of_view", "open"): "leave",
    ("out_of_view", "archived"): "leave",
    ("out_of_view", "moved_away"): "leave",
    ("out_of_view", "deleted"): "leave",
    ("gone", "open"): "archive",
    ("gone", "archived"): "leave",
    ("gone", "moved_away"): "leave",
    ("gone", "deleted"): "forget",
    ("", "open"): "orphan",
    ("", "archived"): "ignore",
}

ARCHIVED: Final = ("archived", "archived_by_us")
OPEN_STAGES: Final = tuple(stage for stage in STAGES if stage != DONE)


def missing(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The lead ids and card ids which the base knows as present and open, and the read did not show."""
    leads = base.index[(base["lead_presence"] == "present") & ~base.index.isin(airtable.index)]
    cards = base["card_id"][(base["card_presence"] == "open") & ~base["card_id"].isin(trello.index)]
    return list(leads), list(cards)


def to_look_up(
    base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules
) -> tuple[list[str], list[str]]:
    """What must be asked for by id before anything is decided: the missing, and archived cards wanted back."""
    leads, cards = missing(base, airtable, trello)
    archived = base[base["card_presence"].isin(ARCHIVED)]
    was, lead = aligned(archived, archived.index), aligned(airtable, archived.index)
    wanted = was["card_id"][(lead["presence"] == "present") & wanted_back(was, lead, rules.status_map)]
    return leads, sorted({*cards, *wanted} - set(trello.index))


def wanted_back(was: Columns, lead: Columns, status_map: StatusMap) -> Mask:
    """Archived cards whose lead's stage has since become an open one, or whose deleted lead came back."""
    now, then = (stages_of(values, status_map) for values in (lead["status"], _last_seen(was, lead)))
    returned = (was["lead_presence"] == "gone") & (was["card_presence"] == "archived_by_us")
    wanted: Mask = (np.isin(now, OPEN_STAGES) & (now != then)) | returned
    return wanted


def _last_seen(was: Columns, lead: Columns) -> Strings:
    """The lead's status when its card was last known to be shut or parked, or was last agreed; its own if never."""
    noted = np.isin(was["card_presence"], (*ARCHIVED, "deleted")) | (was["seen_status"] != "")
    return np.where(noted, was["seen_status"], np.where(was["stage"] != "", was["status"], lead["status"]))


def row_decisions(
    leads: pd.Index, was: Columns, lead: Columns, card: Columns, aside: pd.DataFrame, rules: Rules
) -> Strings:
    """What happens to each row, see ROW_DECISIONS."""
    lead_now = np.where(lead["presence"] != "", lead["presence"], was["lead_presence"])
    card_now = np.where(card["presence"] != "", card["presence"], was["card_presence"])
    card_now = np.where(card_now == "archived_by_us", "archived", card_now)
    pairs = zip(lead_now.tolist(), card_now.tolist(), strict=True)
    row = np.array([ROW_DECISIONS[pair] for pair in pairs], dtype=object)

    row[(row == "stay_archived") & wanted_back(was, lead, rules.status_map)] = "unarchive"
    now, then = (effective(values, rules.status_map) for values in (lead["status"], _last_seen(was, lead)))
    recreate = (now != then) | (rules.on_card_deleted == "recreate") | (was["lead_presence"] == "gone")
    row[(row == "stay_deleted") & recreate] = "create"
    if rules.on_lead_deleted == "leave":
        row[row == "archive"] = "leave"
    unplaced = (stages_of(lead["status"], rules.status_map) == "") | is_unreadable(lead, "status")
    row[(row == "create") & (unplaced | leads.isin(claimed(aside)))] = "quarantined"
    row[leads.isin(aside["known_lead"][aside["known_lead"] != ""])] = "quarantined"
    return row


def spare_moved_cards(row: Strings, was: Columns, card: Columns, stage: Strings) -> Strings:
    """The card of a deleted lead is archived, unless a person moved, retitled or un-archived it since the base."""
    restaged = (was["stage"] != "") & (stage != was["stage"])
    retitled = (was["title"] != "") & (card["title"] != was["title"])
    taken_back = was["card_presence"] == "archived_by_us"
    spared: Strings = row.copy()
    spared[(row == "archive") & (restaged | retitled | taken_back)] = "keep_moved"
    return spared


def is_presence_unchanged(was: Columns, lead: Columns, card: Columns) -> Mask:
    """Whether lead and card are as present as the base says."""
    same_lead = (lead["presence"] == "") | (lead["presence"] == was["lead_presence"])
    by_us = (was["card_presence"] == "archived_by_us") & (card["presence"] == "archived")
    unchanged: Mask = same_lead & ((card["presence"] == "") | (card["presence"] == was["card_presence"]) | by_us)
    return unchanged
