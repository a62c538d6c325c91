"""
Join and diff on LeadID: who moved away from the base, per lead and per cell.

Pure: frames in, one frame of decisions out. No I/O, no clock, no logger, nothing that writes (see plan.py).
Signature order everywhere: base, airtable, trello.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadsync.core.cells import block_cells, name_cells, status_cells
from leadsync.core.columns import Columns, Mask, Strings, aligned, is_unreadable, stages_of, taken, without
from leadsync.core.identity import identify, named_twice, quarantine_of
from leadsync.core.presence import ARCHIVED, is_presence_unchanged, row_decisions, spare_moved_cards
from leadsync.frames.schema import overlay
from leadsync.frames.texts import title_for
from leadsync.model import Rules, StatusMap


@dataclass(frozen=True)
class Reconciled:
    """
    Decisions and what was set aside.

    `decisions`: index lead_id (unique, sorted), columns row, card_id, status, name, email, source (strings),
    stage (the card's stage as judged), restore_marker, quiet (bool: nothing to do and nothing to say).
    `quarantine`: columns lead_id, card_id, field ("": the whole card), reason, remedy, card_url.
    """

    decisions: pd.DataFrame
    quarantine: pd.DataFrame


def as_last_agreed(base: pd.DataFrame, airtable: pd.DataFrame) -> pd.DataFrame:
    """
    `airtable` with what was last agreed in each cell that cannot be read: there it counts as unmoved.

    Everything below is asked about such a frame. A lead without a base keeps "" there.
    """
    broken = airtable[airtable["unreadable"].astype(bool) & airtable.index.isin(base.index)]
    if broken.empty:
        return airtable
    was, lead = aligned(base, broken.index), aligned(broken, broken.index)
    last_status = np.where(np.isin(was["card_presence"], (*ARCHIVED, "deleted")), was["seen_status"], was["status"])
    agreed = {"status": {"status": last_status}, "name": {"name": was["name"]}} | {
        cell: {cell: was[f"{cell}_line"], f"{cell}_line": was[f"{cell}_line"]} for cell in ("email", "source")
    }
    for cell, columns in agreed.items():
        unreadable = is_unreadable(lead, cell)
        lead |= {column: np.where(unreadable, last, lead[column]) for column, last in columns.items()}
    titled = is_unreadable(lead, "name") & (was["title"] != "")
    fallback = map(title_for, broken.index, lead["name"].tolist(), lead["email"].tolist())
    lead["title"] = np.where(titled, was["title"], np.array(list(fallback), dtype=object))
    return overlay(airtable, pd.DataFrame(lead, index=broken.index))


def reconcile(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules) -> Reconciled:
    """
    Decide for every lead, card and cell.

    `airtable` and `trello` hold the read and the looked-up rows (frames.absent_leads, frames.deleted_cards). Leads
    of which nothing has moved are told at a glance; the rules are for the rest.
    """
    lead_at, card_at = airtable.index.get_indexer(base.index), trello.index.get_indexer(pd.Index(base["card_id"]))
    lead, card = taken(airtable, lead_at), taken(trello, card_at)
    at_rest = _at_rest(base, lead, card, rules.status_map) & ~base.index.isin(named_twice(trello))
    moving = base[~at_rest], without(airtable, lead_at[at_rest]), without(trello, card_at[at_rest])
    decided = _reconcile_moving(*moving, rules)
    decisions = pd.concat([decided.decisions, _resting_decisions(base[at_rest])]).sort_index()
    return Reconciled(decisions, decided.quarantine)


def _at_rest(base: pd.DataFrame, lead: Columns, card: Columns, status_map: StatusMap) -> Mask:
    """
    Leads that are, cell by cell, as both sides agreed: their rows decide to nothing, whatever the others do.

    Over the rows of `base`, as `lead` and `card` are. Not so if base knows the card twice.
    """
    was = {column: base[column].to_numpy() for column in base.columns}
    same: Mask = (was["lead_presence"] == "present") & (was["card_presence"] == "open") & (was["stage"] != "")
    same &= (lead["presence"] == "present") & ~lead["unreadable"].astype(bool) & (card["presence"] == "open")
    same &= was["seen_status"] == ""
    same &= (card["lead_id"] == base.index.to_numpy()) & (card["markers"] == 1) & (card["kind"] == "")
    same &= (lead["status"] == was["status"]) & (card["stage"] == was["stage"])
    same &= (card["due_complete"] == was["due_complete"]) & (stages_of(was["status"], status_map) == was["stage"])
    same &= (lead["name"] == was["name"]) & (card["title"] == was["title"]) & (was["title"] != "")
    same &= (lead["name"] != "") | (card["title"] == lead["title"])
    for line in ("email_line", "source_line"):
        same &= (lead[line] == was[line]) & ((card[line] == lead[line]) | ~card["block"])
    return same & ~base["card_id"].duplicated(keep=False).to_numpy()


def _resting_decisions(base: pd.DataFrame) -> pd.DataFrame:
    unchanged = dict.fromkeys(("status", "name", "email", "source"), "unchanged")
    rest = {"stage": base["stage"], "restore_marker": False, "quiet": True}
    return pd.DataFrame({"row": "compare", "card_id": base["card_id"], **unchanged, **rest}, index=base.index)


def _reconcile_moving(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules) -> Reconciled:
    owned, set_aside = identify(base, trello)
    leads = base.index.union(airtable.index).union(owned.index)
    was, lead, card = (aligned(frame, leads) for frame in (base, airtable, owned))
    row = row_decisions(leads, was, lead, card, set_aside, rules)
    status, stage = status_cells(row, was, lead, card, rules.status_map)
    cells = {"status": status, "name": name_cells(row, was, lead, card), **block_cells(row, was, lead, card)}
    row = spare_moved_cards(row, was, card, stage)
    marker_gone = np.isin(row, ("compare", "unarchive")) & (card["lead_id"] == "")
    quiet = _is_quiet(row, cells, was, lead, card, marker_gone)
    decisions = pd.DataFrame(
        {"row": row, "card_id": np.where(card["card_id"] != "", card["card_id"], was["card_id"]), **cells}
        | {"stage": stage, "restore_marker": marker_gone, "quiet": quiet},
        index=leads.rename("lead_id"),
    )
    return Reconciled(decisions, quarantine_of(decisions, lead, set_aside, rules))


def _is_quiet(
    row: Strings, cells: dict[str, Strings], was: Columns, lead: Columns, card: Columns, marker_gone: Mask
) -> Mask:
    """Nothing to write, to record, or to say."""
    settled = (row == "compare") & (was["lead_presence"] == "present") & (was["card_presence"] == "open")
    settled &= was["seen_status"] == ""
    settled &= (card["card_id"] == was["card_id"]) & ~marker_gone & (card["due_complete"] == was["due_complete"])
    settled &= lead["status"] == was["status"]  # an empty one and the first one are equal, and yet two
    for decision in cells.values():
        settled &= decision == "unchanged"
    archived = (row == "stay_archived") & np.isin(was["card_presence"], ARCHIVED)
    archived &= (was["lead_presence"] == "present") & (lead["status"] == was["seen_status"])
    resting = (row == "leave") & is_presence_unchanged(was, lead, card)
    deleted = (row == "stay_deleted") & is_presence_unchanged(was, lead, card)
    quiet: Mask = settled | archived | resting | deleted
    return quiet
