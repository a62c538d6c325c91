"""Who moved a cell away from the base, cell by cell. Pure. Never here: what is written because of it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from leadsync.core.columns import Columns, Mask, Strings, effective, is_unreadable, stages_of
from leadsync.frames.block import one_line, plain
from leadsync.model import DONE, StatusMap

# (equal, Airtable moved, Trello moved) -> decision. design section 6. Unequal though nobody moved happens when
# the status map or a fallback title changed: the lead is the one that says what the card should look like.
CELL_DECISIONS: Final = {
    (True, False, False): "unchanged",
    (True, False, True): "agreed",
    (True, True, False): "agreed",
    (True, True, True): "agreed",
    (False, True, False): "to_trello",
    (False, False, True): "to_airtable",
    (False, True, True): "conflict",
    (False, False, False): "to_trello",
}

_CELL_TABLE: Final = np.array([CELL_DECISIONS[(bool(n & 4), bool(n & 2), bool(n & 1))] for n in range(8)], dtype=object)


def _decide(equal: Any, airtable_moved: Any, trello_moved: Any) -> Strings:
    decision: Strings = _CELL_TABLE[(equal * 4 + airtable_moved * 2 + trello_moved * 1).astype(np.int64)]
    return decision


def status_cells(
    row: Strings, was: Columns, lead: Columns, card: Columns, status_map: StatusMap
) -> tuple[Strings, Strings]:
    """Decision of the status cell, and the card's stage judged against the base (design section 3)."""
    agreed_before = was["stage"] != ""
    ticked = card["due_complete"] & ~was["due_complete"] & agreed_before & (card["stage"] == was["stage"])
    stage = np.where(ticked, DONE, card["stage"])
    wanted = stages_of(lead["status"], status_map)
    status_moved = effective(lead["status"], status_map) != effective(was["status"], status_map)
    decision = _decide(wanted == stage, status_moved | ~agreed_before, (stage != was["stage"]) | ~agreed_before)
    decision[(row == "unarchive") & (decision != "unchanged") & (decision != "agreed")] = "to_trello"
    decision[stage == ""] = "parked"
    decision[(row == "unarchive") & (stage == "")] = "to_trello"
    decision[(wanted == "") | is_unreadable(lead, "status")] = "quarantined"
    decision[~np.isin(row, ("compare", "unarchive"))] = "unchanged"
    return decision, stage


def name_cells(row: Strings, was: Columns, lead: Columns, card: Columns) -> Strings:
    """
    An emptied title and a fallback title say nothing; a first match fills an empty name from the card.

    A title that Trello gave back otherwise than we sent it was agreed as such: unequal, and still unchanged.
    """
    agreed_before = was["title"] != ""
    says_nothing = (card["title"] == "") | _is_fallback(lead, card, agreed_before)
    name_moved = np.where(agreed_before, lead["name"] != was["name"], lead["name"] != "")
    title_moved = (~agreed_before | (card["title"] != was["title"])) & ~says_nothing
    as_returned = agreed_before & (lead["name"] != "") & (card["title"] == was["title"]) & (lead["name"] == was["name"])
    equal = (card["title"] == lead["title"]) | as_returned
    decision = _decide(equal, name_moved.astype(bool), title_moved)
    decision[equal & ~agreed_before] = "agreed"  # a fallback, too: a name typed later is then a move
    untitled = (lead["name"] == "") & is_unreadable(lead, "email")  # nobody knows its fallback
    decision[untitled & np.isin(decision, ("to_trello", "conflict"))] = "quarantined"
    decision[is_unreadable(lead, "name")] = "quarantined"
    decision[~np.isin(row, ("compare", "unarchive"))] = "unchanged"
    return decision


def _is_fallback(lead: Columns, card: Columns, agreed_before: Mask) -> Mask:
    """
    Titles that are only there because a lead had no name: its e-mail, or "Unnamed lead rec…".

    Where a title was never agreed, the lead may have got a name or another e-mail since: the card's own block shows
    which e-mail the title was made of. Where one was, a person may give a named lead that very title.
    """
    shown = np.array([plain(one_line(title)) for title in card["title"].tolist()], dtype=object)
    unnamed = np.array([title.startswith("Unnamed lead rec") for title in card["title"].tolist()], dtype=bool)
    of_email = (card["title"] == lead["email"]) | ((shown != "") & (shown == lead["email_line"]))
    of_former_email = ~agreed_before & (shown != "") & (shown == card["email_line"])
    fallback: Mask = (of_email | of_former_email | unnamed) & ((lead["name"] == "") | ~agreed_before)
    return fallback


def block_cells(row: Strings, was: Columns, lead: Columns, card: Columns) -> dict[str, Strings]:
    """
    E-mail and source go one way. A bare marker only grows into a block when a lead's value moved.

    The line of a cell that cannot be read stays as it is.
    """
    cells = {}
    for field in ("email", "source"):
        line, shown = f"{field}_line", f"shown_{field}"
        moved = (was["card_id"] != "") & (lead[line] != was[line])
        altered_by_trello = ~moved & (was["card_id"] != "") & (card[line] == was[shown]) & (was[shown] != "")
        stale = card["block"] & (card[line] != lead[line]) & ~altered_by_trello
        decision = np.select(
            [stale & (moved | (was["card_id"] == "")), stale, moved & ~card["block"], moved],
            ["to_trello", "restore", "to_trello", "agreed"],
            default="unchanged",
        ).astype(object)
        decision[is_unreadable(lead, field)] = "quarantined"
        decision[~np.isin(row, ("compare", "unarchive"))] = "unchanged"
        cells[field] = decision
    return cells
