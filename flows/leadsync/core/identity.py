"""Which card is which lead's, and what is set aside with a reason; nothing is guessed about. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from leadsync.core.columns import Columns, is_unreadable, stages_of
from leadsync.frames.block import parse
from leadsync.model import Rules


def named_twice(trello: pd.DataFrame) -> pd.Series:
    """Lead ids that more than one card names."""
    named = trello["lead_id"]
    return named[named.duplicated()]


def identify(base: pd.DataFrame, trello: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Which card is which lead's: the card the base knows, else the oldest by id, open ones before archived ones.

    Returns: the cards by lead (index lead_id, with card_id), and the cards set aside with a reason.
    """
    cards = trello.rename_axis("card_id").reset_index()
    known = dict(zip(base["card_id"], base.index, strict=True))
    cards["known_lead"] = pd.Series([known.get(card_id, "") for card_id in cards["card_id"]], dtype=object)
    # an archived stranger that nobody can place is not read again, so it must not hold up a lead this once
    cards = cards[(cards["presence"] != "archived") | (cards["known_lead"] != "") | (cards["markers"] == 1)].copy()
    cards["owner"] = cards["known_lead"].where(cards["known_lead"] != "", cards["lead_id"])
    cards["reason"] = np.select(
        [cards["markers"] > 1, _renamed_marker(cards), (cards["kind"] != "") & (cards["presence"] == "open")],
        ["two_markers", "other_marker", cards["kind"]],
        default="",
    ).astype(object)
    fit = cards[(cards["reason"] == "") & (cards["owner"] != "")]
    rank = fit.assign(
        stranger=fit["known_lead"] == "", deleted=fit["presence"] == "deleted", shut=fit["presence"] != "open"
    ).sort_values(["deleted", "stranger", "shut", "card_id"])
    first = ~rank.duplicated("owner") & ~_second_to_unread(rank, base, cards)
    owned = rank[first].set_index("owner").sort_index()
    copies = rank[~first & ~rank["deleted"]].assign(reason="copy")
    aside = pd.concat([cards[cards["reason"] != ""], copies])
    return owned, aside


def _renamed_marker(cards: pd.DataFrame) -> pd.Series:
    return (cards["known_lead"] != "") & (cards["lead_id"] != "") & (cards["lead_id"] != cards["known_lead"])


def _second_to_unread(rank: pd.DataFrame, base: pd.DataFrame, cards: pd.DataFrame) -> pd.Series:
    """A stranger is a copy while the card the base knows still exists, be it archived, away or set aside."""
    exists = base[(base["card_presence"] != "deleted")]
    gone = set(cards["card_id"][cards["presence"] == "deleted"])
    alive = set(exists.index[~exists["card_id"].isin(gone)])
    return rank["stranger"] & rank["owner"].isin(alive)


def claimed(aside: pd.DataFrame) -> list[str]:
    """Leads that an unclear card names: they get no new card before a person has put it right."""
    unclear = aside[aside["reason"].isin(("two_markers", "other_marker"))]
    return [lead for text in unclear["description"] for lead in parse(text).markers]


REMEDIES: Final = {
    "two_markers": (
        "the card names two different leads",
        "Leave only the LeadID line of the lead it belongs to, and delete the other.",
    ),
    "other_marker": (
        "the card's LeadID line was changed to another lead's",
        "Put back the line LeadID: {known}, or delete the card if it is not needed.",
    ),
    "copy": (
        "a copy: another card already carries this LeadID",
        "Remove the LeadID line from the copy.",
    ),
    "template": ("the card is a template", "Remove the LeadID line from the template."),
    "mirror": ("the card is a mirror", "Nothing to do; the mirrored card itself is synced."),
    "separator": ("the card is a separator", "Remove the LeadID line from the separator."),
}


def quarantine_of(decisions: pd.DataFrame, lead: Columns, aside: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """What is set aside, in the columns of Reconciled.quarantine."""
    rows: list[tuple[str, ...]] = []
    for item in aside.to_dict("records"):
        reason, remedy = REMEDIES[item["reason"]]
        lead_id = item["owner"] or item["lead_id"]
        rows.append((lead_id, item["card_id"], "", reason, remedy.format(known=item["known_lead"]), item["url"]))
    for lead_id, card_id in decisions["card_id"][decisions["row"] == "orphan"].items():
        remedy = "Restore the lead, or archive the card."
        rows.append((str(lead_id), card_id, "", "its LeadID names no lead in the table", remedy, ""))
    rows += _cells_set_aside(decisions, lead, rules)
    columns = ["lead_id", "card_id", "field", "reason", "remedy", "card_url"]
    frame = pd.DataFrame(rows, columns=columns, dtype="object")
    return frame.sort_values(["lead_id", "card_id", "field"]).reset_index(drop=True)


def _cells_set_aside(decisions: pd.DataFrame, lead: Columns, rules: Rules) -> Iterator[tuple[str, ...]]:
    """One row a cell: those that cannot be read, and statuses that the map does not know."""
    ids = list(zip(decisions.index.tolist(), decisions["card_id"].tolist(), strict=True))
    for index in np.flatnonzero(lead["unreadable"].astype(bool)).tolist():
        for cell in lead["unreadable"][index]:
            yield (*ids[index], cell.cell, cell.reason, cell.remedy, "")
    remedy = f"Set one of {', '.join(rules.status_map.stage_of)}, or add it to SYNC_STATUS_MAP."
    unknown = (lead["presence"] == "present") & (stages_of(lead["status"], rules.status_map) == "")
    for index in np.flatnonzero(unknown & ~is_unreadable(lead, "status")).tolist():
        yield (*ids[index], "status", f"unknown status {lead['status'][index]!r}", remedy, "")
