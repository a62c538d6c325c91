"""
Join and diff on LeadID: who moved away from the base, per lead and per cell (design sections 3-6).

Pure: frames in, one frame of decisions out. No I/O, no clock, no logger, nothing that writes (see plan.py).
Signature order everywhere: base, airtable, trello.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from leadsync.description import one_line, parse, plain
from leadsync.frames import overlay, title_for
from leadsync.model import DONE, STAGES, Rules, StatusMap

Strings = np.ndarray[Any, Any]
Mask = np.ndarray[Any, Any]
Columns = dict[str, np.ndarray[Any, Any]]

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
SHUT: Final = (*ARCHIVED, "moved_away")
CHECK_EVERY: Final = 86_400.0
"""Seconds after which a card that is archived or away is looked for again: its deletion shows in no read."""
OPEN_STAGES: Final = tuple(stage for stage in STAGES if stage != DONE)

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


def missing(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The lead ids and card ids which the base knows as present and open, and the read did not show."""
    leads = base.index[(base["lead_presence"] == "present") & ~base.index.isin(airtable.index)]
    cards = base["card_id"][(base["card_presence"] == "open") & ~base["card_id"].isin(trello.index)]
    return list(leads), list(cards)


def as_last_agreed(base: pd.DataFrame, airtable: pd.DataFrame) -> pd.DataFrame:
    """
    `airtable` with what was last agreed in each cell that cannot be read: there it counts as unmoved.

    Everything below is asked about such a frame. A lead without a base keeps "" there.
    """
    broken = airtable[airtable["unreadable"].astype(bool) & airtable.index.isin(base.index)]
    if broken.empty:
        return airtable
    was, lead = _aligned(base, broken.index), _aligned(broken, broken.index)
    last_status = np.where(np.isin(was["card_presence"], (*ARCHIVED, "deleted")), was["seen_status"], was["status"])
    agreed = {"status": {"status": last_status}, "name": {"name": was["name"]}} | {
        cell: {cell: was[f"{cell}_line"], f"{cell}_line": was[f"{cell}_line"]} for cell in ("email", "source")
    }
    for cell, columns in agreed.items():
        unreadable = _is_unreadable(lead, cell)
        lead |= {column: np.where(unreadable, last, lead[column]) for column, last in columns.items()}
    titled = _is_unreadable(lead, "name") & (was["title"] != "")
    fallback = map(title_for, broken.index, lead["name"].tolist(), lead["email"].tolist())
    lead["title"] = np.where(titled, was["title"], np.array(list(fallback), dtype=object))
    return overlay(airtable, pd.DataFrame(lead, index=broken.index))


def _is_unreadable(lead: Columns, cell: str) -> Mask:
    """Leads of which this cell cannot be read."""
    return np.array([any(each.cell == cell for each in several) for several in lead["unreadable"].tolist()], dtype=bool)


def shut_cards(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame) -> dict[str, str | None]:
    """
    Cards of the base that are archived or away: by this read, else by the base.

    Returns: card id -> its lead's status, None if the lead was not read.
    """
    now = _taken(trello[["presence"]], trello.index.get_indexer(pd.Index(base["card_id"])))["presence"]
    shut = base[np.isin(np.where(now != "", now, base["card_presence"]), SHUT)]
    lead = _aligned(airtable, shut.index)
    read = zip(shut["card_id"], lead["presence"], lead["status"], strict=True)
    return {str(card_id): str(status) if presence == "present" else None for card_id, presence, status in read}


@dataclass(frozen=True)
class Check:
    """
    A card that is archived or away as it was last known to exist.

    `at`: when, by our clock [s since 1970]. `status`: its lead's status then, "" if it was not read.
    """

    at: float
    status: str


def due_checks(
    shut: Mapping[str, str | None], checks: Mapping[str, Check], now: float, daily: bool
) -> tuple[list[str], list[str]]:
    """
    Which of the cards that are `shut` (id -> its lead's status, None if it was not read) must be looked for.

    Returns: those whose lead was edited since (an edit would bring a deleted card back), and with `daily` those not
    seen for CHECK_EVERY; each the oldest check first. One that was never checked has only just become known.
    """
    known = sorted(shut.keys() & checks.keys(), key=lambda card_id: (checks[card_id].at, card_id))
    edited = [card_id for card_id in known if shut[card_id] not in (None, checks[card_id].status)]
    old = [card_id for card_id in known if daily and not 0 <= now - checks[card_id].at < CHECK_EVERY]
    return edited, [card_id for card_id in old if card_id not in edited]


def to_look_up(
    base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules
) -> tuple[list[str], list[str]]:
    """What must be asked for by id before anything is decided: the missing, and archived cards wanted back."""
    leads, cards = missing(base, airtable, trello)
    archived = base[base["card_presence"].isin(ARCHIVED)]
    was, lead = _aligned(archived, archived.index), _aligned(airtable, archived.index)
    wanted = was["card_id"][(lead["presence"] == "present") & _wanted_back(was, lead, rules.status_map)]
    return leads, sorted({*cards, *wanted} - set(trello.index))


def reconcile(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules) -> Reconciled:
    """
    Decide for every lead, card and cell.

    `airtable` and `trello` hold the read and the looked-up rows (frames.absent_leads, frames.deleted_cards). Leads
    of which nothing has moved are told at a glance; the rules are for the rest.
    """
    lead_at, card_at = airtable.index.get_indexer(base.index), trello.index.get_indexer(pd.Index(base["card_id"]))
    lead, card = _taken(airtable, lead_at), _taken(trello, card_at)
    at_rest = _at_rest(base, lead, card, rules.status_map) & ~base.index.isin(_named_twice(trello))
    moving = base[~at_rest], _without(airtable, lead_at[at_rest]), _without(trello, card_at[at_rest])
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
    same &= (card["due_complete"] == was["due_complete"]) & (_stage_of(was["status"], status_map) == was["stage"])
    same &= (lead["name"] == was["name"]) & (card["title"] == was["title"]) & (was["title"] != "")
    same &= (lead["name"] != "") | (card["title"] == lead["title"])
    for line in ("email_line", "source_line"):
        same &= (lead[line] == was[line]) & ((card[line] == lead[line]) | ~card["block"])
    return same & ~base["card_id"].duplicated(keep=False).to_numpy()


def _without(frame: pd.DataFrame, positions: Mask) -> pd.DataFrame:
    kept = np.ones(len(frame), dtype=bool)
    kept[positions] = False
    return frame[kept]


def _named_twice(trello: pd.DataFrame) -> pd.Series:
    """Lead ids that more than one card names."""
    named = trello["lead_id"]
    return named[named.duplicated()]


def _resting_decisions(base: pd.DataFrame) -> pd.DataFrame:
    unchanged = dict.fromkeys(("status", "name", "email", "source"), "unchanged")
    rest = {"stage": base["stage"], "restore_marker": False, "quiet": True}
    return pd.DataFrame({"row": "compare", "card_id": base["card_id"], **unchanged, **rest}, index=base.index)


def _reconcile_moving(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules) -> Reconciled:
    owned, set_aside = _identify(base, trello)
    leads = base.index.union(airtable.index).union(owned.index)
    was, lead, card = (_aligned(frame, leads) for frame in (base, airtable, owned))
    row = _row_decisions(leads, was, lead, card, set_aside, rules)
    status, stage = _status_cells(row, was, lead, card, rules.status_map)
    cells = {"status": status, "name": _name_cells(row, was, lead, card), **_block_cells(row, was, lead, card)}
    row = _spare_moved_cards(row, was, card, stage)
    marker_gone = np.isin(row, ("compare", "unarchive")) & (card["lead_id"] == "")
    quiet = _is_quiet(row, cells, was, lead, card, marker_gone)
    decisions = pd.DataFrame(
        {"row": row, "card_id": np.where(card["card_id"] != "", card["card_id"], was["card_id"]), **cells}
        | {"stage": stage, "restore_marker": marker_gone, "quiet": quiet},
        index=leads.rename("lead_id"),
    )
    return Reconciled(decisions, _quarantine(decisions, lead, set_aside, rules))


def _wanted_back(was: Columns, lead: Columns, status_map: StatusMap) -> Mask:
    """Archived cards whose lead's stage has since become an open one, or whose deleted lead came back."""
    now, then = (_stage_of(values, status_map) for values in (lead["status"], _last_seen(was, lead)))
    returned = (was["lead_presence"] == "gone") & (was["card_presence"] == "archived_by_us")
    wanted: Mask = (np.isin(now, OPEN_STAGES) & (now != then)) | returned
    return wanted


def _last_seen(was: Columns, lead: Columns) -> Strings:
    """The lead's status when its card was last known to be shut or parked, or was last agreed; its own if never."""
    noted = np.isin(was["card_presence"], (*ARCHIVED, "deleted")) | (was["seen_status"] != "")
    return np.where(noted, was["seen_status"], np.where(was["stage"] != "", was["status"], lead["status"]))


def _identify(base: pd.DataFrame, trello: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
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


def _claimed(aside: pd.DataFrame) -> list[str]:
    """Leads that an unclear card names: they get no new card before a person has put it right."""
    unclear = aside[aside["reason"].isin(("two_markers", "other_marker"))]
    return [lead for text in unclear["description"] for lead in parse(text).markers]


def _aligned(frame: pd.DataFrame, leads: pd.Index) -> Columns:
    """The frame's columns in the order of `leads`; "", 0 or False where it has no such row."""
    return _taken(frame, frame.index.get_indexer(leads))


def _taken(frame: pd.DataFrame, at: Mask) -> Columns:
    """The frame's columns at these positions; "", 0 or False where there is none (-1)."""
    absent = at < 0
    columns: Columns = {}
    for column in frame.columns:
        values = frame[column].to_numpy()
        filler = "" if values.dtype == object else values.dtype.type(0)
        taken = values[at].copy() if len(values) else np.full(len(at), filler, dtype=values.dtype)
        taken[absent] = filler
        columns[column] = taken
    return columns


def _stage_of(status: Strings, status_map: StatusMap) -> Strings:
    """Stage of each status; an empty one counts as the first status, an unknown one has stage ""."""
    table = {"": status_map.stage_of[status_map.empty_means], **status_map.stage_of}
    return np.array([table.get(value, "") for value in status.tolist()], dtype=object)


def _row_decisions(
    leads: pd.Index, was: Columns, lead: Columns, card: Columns, aside: pd.DataFrame, rules: Rules
) -> Strings:
    lead_now = np.where(lead["presence"] != "", lead["presence"], was["lead_presence"])
    card_now = np.where(card["presence"] != "", card["presence"], was["card_presence"])
    card_now = np.where(card_now == "archived_by_us", "archived", card_now)
    pairs = zip(lead_now.tolist(), card_now.tolist(), strict=True)
    row = np.array([ROW_DECISIONS[pair] for pair in pairs], dtype=object)

    row[(row == "stay_archived") & _wanted_back(was, lead, rules.status_map)] = "unarchive"
    now, then = (_effective(values, rules.status_map) for values in (lead["status"], _last_seen(was, lead)))
    recreate = (now != then) | (rules.on_card_deleted == "recreate") | (was["lead_presence"] == "gone")
    row[(row == "stay_deleted") & recreate] = "create"
    if rules.on_lead_deleted == "leave":
        row[row == "archive"] = "leave"
    unplaced = (_stage_of(lead["status"], rules.status_map) == "") | _is_unreadable(lead, "status")
    row[(row == "create") & (unplaced | leads.isin(_claimed(aside)))] = "quarantined"
    row[leads.isin(aside["known_lead"][aside["known_lead"] != ""])] = "quarantined"
    return row


def _effective(status: Strings, status_map: StatusMap) -> Strings:
    return np.where(status == "", status_map.empty_means, status)


def _decide(equal: Any, airtable_moved: Any, trello_moved: Any) -> Strings:
    decision: Strings = _CELL_TABLE[(equal * 4 + airtable_moved * 2 + trello_moved * 1).astype(np.int64)]
    return decision


def _status_cells(
    row: Strings, was: Columns, lead: Columns, card: Columns, status_map: StatusMap
) -> tuple[Strings, Strings]:
    """Decision of the status cell, and the card's stage judged against the base (design section 3)."""
    agreed_before = was["stage"] != ""
    ticked = card["due_complete"] & ~was["due_complete"] & agreed_before & (card["stage"] == was["stage"])
    stage = np.where(ticked, DONE, card["stage"])
    wanted = _stage_of(lead["status"], status_map)
    status_moved = _effective(lead["status"], status_map) != _effective(was["status"], status_map)
    decision = _decide(wanted == stage, status_moved | ~agreed_before, (stage != was["stage"]) | ~agreed_before)
    decision[(row == "unarchive") & (decision != "unchanged") & (decision != "agreed")] = "to_trello"
    decision[stage == ""] = "parked"
    decision[(row == "unarchive") & (stage == "")] = "to_trello"
    decision[(wanted == "") | _is_unreadable(lead, "status")] = "quarantined"
    decision[~np.isin(row, ("compare", "unarchive"))] = "unchanged"
    return decision, stage


def _name_cells(row: Strings, was: Columns, lead: Columns, card: Columns) -> Strings:
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
    untitled = (lead["name"] == "") & _is_unreadable(lead, "email")  # nobody knows its fallback
    decision[untitled & np.isin(decision, ("to_trello", "conflict"))] = "quarantined"
    decision[_is_unreadable(lead, "name")] = "quarantined"
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


def _block_cells(row: Strings, was: Columns, lead: Columns, card: Columns) -> dict[str, Strings]:
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
        decision[_is_unreadable(lead, field)] = "quarantined"
        decision[~np.isin(row, ("compare", "unarchive"))] = "unchanged"
        cells[field] = decision
    return cells


def _spare_moved_cards(row: Strings, was: Columns, card: Columns, stage: Strings) -> Strings:
    """The card of a deleted lead is archived, unless a person moved, retitled or un-archived it since the base."""
    restaged = (was["stage"] != "") & (stage != was["stage"])
    retitled = (was["title"] != "") & (card["title"] != was["title"])
    taken_back = was["card_presence"] == "archived_by_us"
    spared: Strings = row.copy()
    spared[(row == "archive") & (restaged | retitled | taken_back)] = "keep_moved"
    return spared


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
    resting = (row == "leave") & _presence_unchanged(was, lead, card)
    deleted = (row == "stay_deleted") & _presence_unchanged(was, lead, card)
    quiet: Mask = settled | archived | resting | deleted
    return quiet


def _presence_unchanged(was: Columns, lead: Columns, card: Columns) -> Mask:
    same_lead = (lead["presence"] == "") | (lead["presence"] == was["lead_presence"])
    by_us = (was["card_presence"] == "archived_by_us") & (card["presence"] == "archived")
    unchanged: Mask = same_lead & ((card["presence"] == "") | (card["presence"] == was["card_presence"]) | by_us)
    return unchanged


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


def _quarantine(decisions: pd.DataFrame, lead: Columns, aside: pd.DataFrame, rules: Rules) -> pd.DataFrame:
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
    unknown = (lead["presence"] == "present") & (_stage_of(lead["status"], rules.status_map) == "")
    for index in np.flatnonzero(unknown & ~_is_unreadable(lead, "status")).tolist():
        yield (*ids[index], "status", f"unknown status {lead['status'][index]!r}", remedy, "")
