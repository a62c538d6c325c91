"""
The guards: a read that looks wrong, or a plan that would take much away, stops the run before anything is written.

Pure. What is never here: a look-up, a write, an exception other than GuardError.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import pandas as pd

from leadsync.core.lookups import missing
from leadsync.core.plan import NewLead, Plan
from leadsync.errors import GuardError
from leadsync.frames.agreed import Columns, sides_of
from leadsync.mapping.cells import told
from leadsync.mapping.lenses import Value
from leadsync.mapping.rules import Rules

SHARE_GUARD_FROM = 10
"""Known rows, or emptied cells, from which on a share says something."""
NEW_LEADS_FROM = 10
"""Leads made of cards in one run that no guard looks at."""
ONE_VALUE_FROM = 5
"""Known cells of one value from which on it is no accident that all of them are empty."""
EXPLAINED: Final = ("archived", "deleted")
"""How a look-up or the activity may explain that a card is missing. One out of sight explains nothing."""
WAY_OUT = "If this is what you want, run once with --allow-mass-change."


def check_reads(
    base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame, cards_read: int, rules: Rules
) -> None:
    """
    Refuse a side that came back empty, or one of which too large a share of the known rows is missing.

    A card that was archived or deleted is not missing; a lead that is not there always is. --allow-mass-change lifts
    the guards against a share, not that against an empty side.

    `trello`: the read, and the rows of those missing from it that were explained. `cards_read`: number of cards the
    board's read held, ours or not. Raises: GuardError.
    """
    known_leads = int((base["lead_presence"] == "present").sum())
    known_cards = int((base["card_presence"] == "open").sum())
    leads, _ = missing(base, airtable, trello)
    cards = unexplained(base, trello)
    _refuse_empty("Airtable", "leads", known_leads, len(airtable), "the table, the view and the token's access")
    if cards:
        _refuse_empty("Trello", "cards", known_cards, cards_read, "the board and the token's access")
    _refuse_share("leads are missing", leads, base.index, base, known_leads, rules)
    _refuse_share("cards are missing", cards, base["card_id"], base, known_cards, rules)


def unexplained(base: pd.DataFrame, trello: pd.DataFrame) -> list[str]:
    """Ids of the cards that the base knows as open, and that are neither there nor known to be archived or deleted."""
    there = trello.index[trello["presence"].isin(("open", *EXPLAINED))]
    return list(base["card_id"][(base["card_presence"] == "open") & ~base["card_id"].isin(there)])


def check_plan(base: pd.DataFrame, plan: Plan, rules: Rules) -> None:
    """Refuse a plan that archives too large a share of the known open cards. Raises: GuardError."""
    known_cards = int((base["card_presence"] == "open").sum())
    archived = [write.card_id for write in plan.card_writes if write.closed]
    _refuse_share("cards would be archived", archived, base["card_id"], base, known_cards, rules)


def check_new_leads(base: pd.DataFrame, new: Sequence[NewLead], rules: Rules) -> None:
    """Refuse to make many leads of cards, more than NEW_LEADS_FROM and the share of the known. Raises: GuardError."""
    known, percent = int((base["lead_presence"] == "present").sum()), rules.max_archive_percent
    if not rules.allow_mass_change and len(new) > NEW_LEADS_FROM and len(new) * 100 > percent * known:
        examples = ", ".join(f"{each.card.title[:80]!r} ({each.card.url or each.card.card_id})" for each in new[:3])
        raise GuardError(
            f"{len(new)} cards would become leads, of which {known} are known, more than SYNC_MAX_ARCHIVE_PERCENT "
            f"({percent:g} %) allows, for example {examples}; nothing was written. SYNC_CREATE_LEADS_LABEL names a "
            f"label that such cards have to bear. {WAY_OUT}"
        )


def check_emptied(
    base: pd.DataFrame, meant: Mapping[str, Columns], airtable: pd.DataFrame, trello: pd.DataFrame, rules: Rules
) -> None:
    """
    Refuse a read in which a cell has been emptied in bulk, on either side: an option, a column, or a text was wiped.

    So it is if that happened to more than the allowed share of the values known, and to ten at least, or to every
    occurrence of one value, five at least: the other side may be the last place that knows. Of `base` count the rows
    whose lead, or card, is in this read. `meant`: by lead id, what unrecorded writes meant to put there, which a lead
    may have held. Raises: GuardError, unless a mass change is allowed.
    """
    if rules.allow_mass_change or len(base) < ONE_VALUE_FROM:
        return
    leads = airtable[airtable["presence"] == "present"]
    of_lead = base[base.index.isin(leads.index)]
    for column in ("status", "name"):
        now = leads[column].reindex(of_lead.index)
        _refuse_emptied(
            _column(column, rules), "leads", _as_meant(of_lead[column], now, meant), now, of_lead["title"], rules
        )
    cards = trello[trello["presence"] == "open"]
    of_card = base[base["card_id"].isin(cards.index)].drop_duplicates("card_id").set_index("card_id")
    now = cards["title"].reindex(of_card.index)
    _refuse_emptied("The title on Trello", "cards", of_card["title"], now, of_card["title"], rules)
    for cell in rules.cells:
        airtables, trellos = sides_of(cell.name)
        was, now = (_held(frame, cell.name) for frame in (of_lead["lead_cells"], leads["cells"]))
        now = now.reindex(of_lead.index)
        known = _as_meant(was.rename(airtables), now, meant)
        _refuse_emptied(_column(cell.field, rules), "leads", known, now, of_lead["title"], rules)
        was, now = (_held(frame, cell.name) for frame in (of_card["card_cells"], cards["cells"]))
        where = f"The {f'{cell.card.label.lower()} line' if cell.is_line else cell.field} on Trello"
        _refuse_emptied(where, "cards", was, now.reindex(of_card.index), of_card["title"], rules, cell.element_told)


def _column(field: str, rules: Rules) -> str:
    return f"Column {rules.columns.get(field, field)!r} in Airtable"


def _held(cells: pd.Series, name: str) -> pd.Series:
    """The values of one cell, "" where there is nothing."""
    return cells.map(lambda held: held.get(name) or "")


def _as_meant(known: pd.Series, now: pd.Series, meant: Mapping[str, Columns]) -> pd.Series:
    """What a lead that is empty now held, if a write took effect that was not recorded."""
    column = str(known.name)
    held = {lead: row[column] for lead, row in meant.items() if row.get(column) and now.get(lead) == ""}
    return pd.Series([held.get(str(lead), value) for lead, value in known.items()], index=known.index, dtype=object)


def _refuse_emptied(
    where: str,
    rows: str,
    known: pd.Series,
    now: pd.Series,
    titles: pd.Series,
    rules: Rules,
    name_of: Callable[[str], str] = str,
) -> None:
    held, emptied = known[known != ""], known[(known != "") & (now == "")]
    lost = [(row, value) for row, was, left in zip(known.index, known, now, strict=True) for value in _lost(was, left)]
    if not lost:
        return
    before = Counter(value for was in held for value in _lost(was, ""))
    gone = Counter(value for _, value in lost)
    wiped = sorted(value for value, count in gone.items() if count == before[value] and count >= ONE_VALUE_FROM)
    many = len(emptied) >= SHARE_GUARD_FROM and len(emptied) * 100 > rules.max_archive_percent * len(held)
    if not many and not wiped:
        return
    which = {*emptied.index} if many else {row for row, value in lost if value in wiped}
    total = len(held) if many else len(which)
    values = "" if many else f" that held {', '.join(repr(name_of(value)[:80]) for value in wiped)}"
    examples = _named(sorted(which), titles.index, titles)
    raise GuardError(
        f"{where} is empty for {len(which)} of {total} {rows}{values}, for example {examples}; nothing was written. "
        f"An option or a text may have been wiped: put it back. {WAY_OUT}"
    )


def _lost(was: Value, left: Value) -> list[str]:
    """What a cell held and holds no more: its value if it is empty now, or elements of a set."""
    if isinstance(was, frozenset):
        return sorted(was - (left if isinstance(left, frozenset) else {told(left)}))
    return [told(was)] if was != "" and left == "" else []


def _refuse_empty(side: str, rows: str, known: int, read: int, check: str) -> None:
    if known and not read:
        raise GuardError(
            f"{side} came back empty although {known} {rows} were there last time; nothing was written. "
            f"Check {check}. If it is meant to be empty, put one of the {rows} back and run with --allow-mass-change."
        )


def _refuse_share(
    what: str, rows: Sequence[str], ids: Iterable[str], base: pd.DataFrame, known: int, rules: Rules
) -> None:
    percent = rules.max_archive_percent
    if not rules.allow_mass_change and known >= SHARE_GUARD_FROM and len(rows) * 100 > percent * known:
        raise GuardError(
            f"{len(rows)} of {known} known {what}, more than SYNC_MAX_ARCHIVE_PERCENT ({percent:g} %) allows, "
            f"for example {_named(rows, ids, base['title'])}; nothing was written. {WAY_OUT}"
        )


def _named(rows: Sequence[str], ids: Iterable[str], titles: Iterable[str]) -> str:
    """The first of them, each with the title by which people know it."""
    title_of = dict(zip(ids, titles, strict=True))
    return ", ".join(f"{row} ({str(title_of[row])[:80]})" for row in rows[:3])
