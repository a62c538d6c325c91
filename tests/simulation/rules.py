"""
What must hold after a run, and at rest; each rule is a small function with a name, and a breach says which.

Where a choice is open, the rule asks for the weaker thing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulation.cells import ALONE, BOTH, TO_TRELLO, report_name
from simulation.ledger import (
    AIRTABLE,
    LABELS,
    ONE_WAY,
    STATUS_FOR,
    TRELLO,
    TWO_WAY,
    Ledger,
    Sight,
    block_line,
    is_error,
    markers,
    own_text,
    shown_text,
)
from support.told import Told

Row = dict[str, Any]


class Breach(AssertionError):
    """A rule that did not hold."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule, self.what = rule, what


@dataclass
class Run:
    """One run as it was asked for, and what came of it."""

    start: int
    """The ledger's count of acts when it began."""
    dry: bool = False
    mass: bool = False
    recreates: bool = False
    archives: bool = True
    leads: list[str] = field(default_factory=list)
    """Those of the table, or the view, that was synced."""
    hidden: set[str] = field(default_factory=set)
    """The table's others."""
    disturbed: bool = False
    acts: int = 0
    """Of people, during the run."""
    shut: set[str] = field(default_factory=set)
    """Cards that the sync archived."""
    wrote: set[str] = field(default_factory=set)
    """Leads and cards whose cells the sync changed."""
    given_back: set[str] = field(default_factory=set)
    """Cards that got back what is a person's, and nothing else: a report may tell it."""
    card_writes: Counter[str] = field(default_factory=Counter)
    """Cards -> how often they were written to."""
    report: Told | None = None
    """None if it was killed."""
    undoes: bool = False
    """It takes an earlier run back, or goes on with that."""
    does_one_thing: bool = False
    """It takes an earlier run back, or a side, and does nothing else."""


# What the sync may write


def check_writes(ledger: Ledger, run: Run, before: Sight, after: Sight) -> None:
    """Between two sights with no act of a person in between."""
    forward = (_lost_stays_lost, _one_way_cells_stay, _shut_with_cause, _one_way_cells_go_one_way)
    for rule in (
        _nothing_in_a_dry_run,
        _leads_stay,
        _foreign_stays,
        _made_with_cause,
        *(() if run.undoes else forward),
    ):
        rule(ledger, run, before, after)


def changed(before: Sight, after: Sight) -> set[str]:
    """Ids of leads and cards that differ."""
    sides = ((before.records, after.records), (before.cards, after.cards))
    differ = ((key, was.get(key), now.get(key)) for was, now in sides for key in was.keys() | now.keys())
    return {key for key, one, other in differ if one != other and _cells(one) != _cells(other)}


def _cells(item: Row | None) -> Row | None:
    if item is None:
        return None
    names = (
        "name",
        "email",
        "status",
        "source",
        "notes",
        "desc",
        "closed",
        "dueComplete",
        "idList",
        "idBoard",
        "Hidden",
    )
    shown = {name: item.get(name) if is_error(item.get(name)) else shown_text(item.get(name)) for name in names}
    return shown | {"mapped": item.get("mapped")}


def is_given_back(ledger: Ledger, key: str, before: Sight, after: Sight) -> bool:
    """Whether a write gave a person's text or members back, and nothing else: no report need tell it."""
    was, now = _cells(before.cards.get(key)), _cells(after.cards.get(key))
    if was is None or now is None:
        return False
    edits = [edit for edit in ledger.live if (edit.side, edit.card) == (TRELLO, key)]
    theirs = {edit.cell: edit.value for edit in edits if edit.cell.startswith("members/")}
    if key in ledger.parted:  # an undo has made the oracle forget whose they are
        theirs |= {cell: value for cell, value in (now["mapped"] or {}).items() if cell.startswith("members/")}
    back = {cell for cell, value in theirs.items() if now["mapped"][cell] == value}
    alike = [{**each, "desc": "", "mapped": {**(each["mapped"] or {}), **dict.fromkeys(back)}} for each in (was, now)]
    if alike[0] != alike[1]:
        return False
    ours = [[block_line(card["desc"], label) for label in LABELS.values()] for card in (was, now)]
    return ours[0] == ours[1] and markers(was["desc"]) == markers(now["desc"])


def _nothing_in_a_dry_run(ledger: Ledger, run: Run, before: Sight, after: Sight) -> None:
    if run.dry and (written := changed(before, after)):
        raise Breach("dry run writes nothing", f"written: {sorted(written)}")


def _leads_stay(ledger: Ledger, run: Run, before: Sight, after: Sight) -> None:
    """No lead is made, but one of each card that is nobody's where that is wanted; none is deleted."""
    made = {lead: str(after.records[lead].get("card_id")) for lead in after.records.keys() - before.records.keys()}
    known = {*(str(record.get("card_id")) for record in before.records.values()), *ledger.foreign}
    for lead, card_id in made.items():
        card = before.cards.get(card_id)
        others = [each for each in made.values() if each == card_id]
        if card is None or markers(card["desc"]) or not before.is_usable(card) or card_id in known or len(others) > 1:
            raise Breach("no lead is made without its card", f"{lead} of {card_id}: {card}")
    if made and run.does_one_thing:
        raise Breach("nothing else is done", f"a command made {sorted(made)}")
    if before.records.keys() - after.records.keys():
        raise Breach("no lead is deleted", f"{sorted(before.records.keys() - after.records.keys())}")
    if gone := before.cards.keys() - after.cards.keys():
        raise Breach("no card is deleted", f"{sorted(gone)}")


def _one_way_cells_stay(ledger: Ledger, run: Run, before: Sight, after: Sight) -> None:
    """E-mail and source are Airtable's alone."""
    for lead, was in before.records.items():
        for cell in (*ONE_WAY, "notes"):
            if before.text(lead, cell) != after.text(lead, cell):
                raise Breach(
                    "one-way cells stay", f"{lead} {cell}: {was.get(cell)!r} -> {after.records[lead].get(cell)!r}"
                )


def _lost_stays_lost(ledger: Ledger, run: Run, before: Sight, after: Sight) -> None:
    """A status is not replaced by another of the same list, unless a person edits lead or card during this run."""
    for lead in before.records:
        if ledger.touched[lead, "status", AIRTABLE] > run.start:
            continue
        if ledger.touched_cards[ledger.card_of.get(lead, "")] > run.start:  # out of the list, and back to it
            continue
        was, now = before.text(lead, "status"), after.text(lead, "status")
        if was != now and was and after.stage_of(was) == after.stage_of(now):
            raise Breach("LOST stays LOST", f"{lead}: {was} -> {now}")


def _one_way_cells_go_one_way(ledger: Ledger, run: Run, before: Sight, after: Sight) -> None:
    """The side that says a cell keeps it; where it never said anything, the other one keeps its own."""
    for cell, way in ledger.mapped.items():
        if way in (BOTH, ALONE):
            continue
        source, other = (AIRTABLE, TRELLO) if way == TO_TRELLO else (TRELLO, AIRTABLE)
        for lead in before.records.keys() & after.records.keys():
            if ledger.card_of.get(lead) not in before.cards:
                continue
            was, now = ([ledger.value(lead, cell, side, each) for side in (source, other)] for each in (before, after))
            if was[0] != now[0]:
                raise Breach("one-way cells go one way", f"{lead} {cell} of {source}: {was[0]!r} -> {now[0]!r}")
            ours = [each for each in ledger.mapped if report_name(each) == report_name(cell)]
            touched = any(ledger.touched[lead, each, side] for each in ours for side in (source, other))
            if was[1] != now[1] and not touched and not was[0] and cell != "url":
                raise Breach("one-way cells go one way", f"{lead} {cell} of {other}: {was[1]!r} -> {now[1]!r}")


def _foreign_stays(ledger: Ledger, run: Run, before: Sight, after: Sight) -> None:
    for card_id in ledger.foreign:
        was, now = _cells(before.cards.get(card_id)), _cells(after.cards.get(card_id))
        if was != now:
            raise Breach("foreign cards stay", f"{card_id}: {was} -> {now}")


def _shut_with_cause(ledger: Ledger, run: Run, before: Sight, after: Sight) -> None:
    for card_id, was in before.cards.items():
        now = after.cards.get(card_id, was)
        if was["closed"] == now["closed"]:
            continue
        leads = {*markers(was["desc"]), *(lead for lead, card in ledger.card_of.items() if card == card_id)}
        if not leads and card_id in ledger.parted:  # an undo has made the oracle forget whose it is
            continue
        here = leads & after.records.keys()
        if (named := {*markers(was["desc"])}) and not here & named:
            here &= {*run.leads}  # a person gave it the line of a lead of this table, which does not know the other's
        if now["closed"]:
            run.shut.add(card_id)
            if len(run.shut) >= 10 and len(run.shut) * 100 > 30 * len(before.cards) and not run.mass:
                raise Breach("no surprise deletion", f"archived: {sorted(run.shut)}")
            if here:
                raise Breach("archived with cause", f"{card_id} of {sorted(leads)}, whose lead is there")
            if not run.archives:
                raise Breach("archived with cause", f"{card_id} of {sorted(leads)}: such cards are to be left")
            continue
        shut = ledger.closed.get(card_id, (True, 0))[1]
        shut_at = {lead: ledger.last_looked_at(shut, lead) for lead in here}
        edited = any(at >= shut_at[lead] for lead in here for at in ledger.status_edits[lead])
        back = any(ledger.back_at.get(lead, -1) >= shut_at[lead] for lead in here)
        gone = [ledger.last_good_before(ledger.gone_at.get(lead, 0), lead) for lead in leads - here]
        spared = bool(gone) and ledger.touched_cards[card_id] > min(gone)
        spared |= 0 < ledger.undone_at < ledger.touched_cards[card_id]  # edited just before an undo archived it
        if (
            not back
            and not spared
            and not (edited and any(after.stage_of(after.text(lead, "status")) != "DONE" for lead in here))
        ):
            raise Breach("taken back with cause", f"{card_id} of {sorted(leads)}")


def _made_with_cause(ledger: Ledger, run: Run, before: Sight, after: Sight) -> None:
    made: dict[str, list[str]] = {}
    for card_id in sorted(after.cards.keys() - before.cards.keys()):
        for lead in markers(after.cards[card_id]["desc"]) or ["?"]:
            made.setdefault(lead, []).append(card_id)
    for lead, cards in made.items():
        if len(cards) > 1:
            raise Breach("one card for a lead", f"{lead}: made {cards}")
        if block_line(after.cards[cards[0]]["desc"], "E-mail:") is None:
            raise Breach("a new card has its block", f"{lead}: {after.cards[cards[0]]['desc']!r}")
        if lead not in before.records and ledger.gone_at.get(lead, 10**9) <= run.start:
            raise Breach("no card for a vanished lead", f"{lead}: made {cards}")
        if lead in run.hidden and after.records.get(lead, {}).get("Hidden"):
            raise Breach("no card for a lead out of view", f"{lead}: made {cards}")
        for card_id in before.cards_of(lead):
            card = before.cards[card_id]
            if ledger.touched_cards[card_id] > run.start or len(markers(card["desc"])) > 1 or card["isTemplate"]:
                continue
            others = {its for other, its in ledger.card_of.items() if other != lead and _is_known(ledger, other)}
            if card["closed"] and card_id in others:  # a marker does not make it theirs
                continue
            if card_id in ledger.marked_shut and not _is_known(ledger, lead):
                continue
            seen = ledger.closed.get(card_id, (True, 0))[1] <= ledger.last_good_before(run.start, lead)
            is_its = ledger.card_of.get(lead) == card_id and (seen or card_id not in ledger.by_people)
            if card["closed"] and _is_known(ledger, lead) and not is_its:
                continue  # of archived cards only those are looked at that the state knows
            away = card["idBoard"] != before.board
            is_kept = ledger.state_lost_at < 0 and _is_known(ledger, lead) and ledger.card_of.get(lead) == card_id
            if not away or is_kept:  # no read shows other boards
                state = "away" if away else "archived" if card["closed"] else "open"
                raise Breach("one card for a lead", f"{lead}: made {cards}, {card_id} is {state}")
        its = str(before.records.get(lead, {}).get("card_id"))
        if its in before.cards and not markers(before.cards[its]["desc"]) and ledger.touched_cards[its] <= run.start:
            raise Breach("one card for a lead", f"{lead}: made {cards}, it was made of {its}")
        deleted = ledger.deleted_cards.get(lead)
        known = deleted is not None and any(ledger.was_agreed(lead, cell, deleted) for cell in TWO_WAY)
        if deleted is None or not known or run.recreates:
            continue
        since = ledger.last_looked_at(deleted, lead)
        agreed = max(at for at in ledger.agreed_at[lead, "status"] if at < deleted or at == 0)
        statuses = [edit for edit in ledger.edits_of(lead) if (edit.cell, edit.side) == ("status", AIRTABLE)]
        if any(edit.listed and agreed < edit.at < deleted for edit in statuses):  # held, and never agreed
            continue
        if ledger.back_at.get(lead, -1) < since and not any(at >= since for at in ledger.status_edits[lead]):
            raise Breach("made again with cause", f"{lead}: made {cards}, its card was deleted and no status edited")


# What a report must say


def check_report(ledger: Ledger, run: Run, lists_moved: bool, refusals: bool, misfit: bool) -> None:
    """
    After a run that came to its end.

    `refusals`: a cell cannot take what the sync has to write. `misfit`: the table has no longer what the mapping names.
    """
    report = run.report
    assert report is not None
    if report.exit_code in (2, 3, 4) and run.wrote:
        raise Breach("refused means nothing written", f"exit {report.exit_code}, written: {sorted(run.wrote)}")
    if run.disturbed:
        allowed = {0, 1, 3} | ({2} if misfit else set())
    else:
        emptied = ledger.mass_act_at > 0 or not run.leads  # an empty table is refused
        allowed = {0} | ({1} if refusals else set()) | ({3} if emptied or lists_moved else set())
        allowed |= {2} if misfit else set()
        if ledger.mass_act_at > 0 and run.wrote:  # a second pass reads whole, and may be refused
            allowed |= {1}
    if report.exit_code not in allowed:
        raise Breach("exit code with cause", f"exit {report.exit_code}: {report.message}")
    if report.exit_code < 2 and report.exit_code != bool(report.failures or report.error):
        raise Breach("exit code and failures agree", f"exit {report.exit_code}, failures {report.failures}")
    if not run.disturbed and not run.dry and not run.acts:
        _told_what_was_written(run, report)
    if not run.dry:
        _conflicts_with_cause(ledger, run, report)


def check_command(run: Run) -> None:
    """After a run that came to its end, and was to do one thing: it may be refused."""
    report = run.report
    assert report is not None
    if report.exit_code not in (0, 1, 2, 3) or (report.exit_code > 1 and run.wrote):
        raise Breach("refused means nothing written", f"exit {report.exit_code}: {report.message}: {sorted(run.wrote)}")
    if report.exit_code < 2 and report.exit_code != bool(report.failures or report.error):
        raise Breach("exit code and failures agree", f"exit {report.exit_code}, failures {report.failures}")
    if not run.disturbed and not run.acts:
        _told_what_was_written(run, report)


def check_taken(ledger: Ledger, side: str, taken: list[Row], before: Sight, after: Sight) -> None:
    """The side that was taken is on both. Asked after an undisturbed run that took these conflicts."""
    for row in taken:
        lead, cell = row["lead_id"], row["field"]
        if cell not in TWO_WAY or not row["resolution"].endswith("wins"):
            continue
        card = after.cards[row["card_id"]]
        if cell == "status":
            equal = after.stage_of(after.text(lead, cell)) == after.place(card)
        else:
            equal = after.title_wanted(lead) == card["name"]
        was, now = (ledger.value(lead, cell, side, each) for each in (before, after))
        if not equal or (was != now and (cell, side) != ("status", TRELLO)):  # a tick may move it
            raise Breach("the side that is taken wins", f"{row}: {was!r} -> {now!r}, card {card['name']!r}")


def _told_what_was_written(run: Run, report: Told) -> None:
    told = {row[key] for row in report.changes for key in ("lead_id", "card_id")} - {""}
    apart = {row[key] for row in report.conflicts for key in ("lead_id", "card_id")} - {""}
    if untold := run.wrote - told - apart:
        raise Breach("report tells what was written", f"written and not told: {sorted(untold)}")
    for row in report.changes:
        # what an earlier run overwrote may be given back, and then lose once more, or be put back where it is one way
        again = {item for item, times in run.card_writes.items() if times > 1} | run.given_back
        if row["outcome"] == "done" and not {row["lead_id"], row["card_id"]} & (run.wrote | apart | again):
            raise Breach("report tells what was written", f"told and not written: {row}")


def _conflicts_with_cause(ledger: Ledger, run: Run, report: Told) -> None:
    """Both sides must have been touched since they agreed the last time but one; a lost state excuses."""
    for row in report.conflicts:
        lead, cell = row["lead_id"], row["field"]
        if cell not in ledger.two_way or lead in ledger.blurred or row["kind"] == "undone":
            continue
        since = ledger.agreed_at[lead, cell][-1]
        if len(ledger.agreed_at[lead, cell]) < 2 or ledger.state_lost_at >= since or lead in ledger.gone_at:
            continue
        if cell in ledger.mapped and ledger.other_card_at[lead] > since:
            continue  # what was agreed with the former card is not agreed with this one
        if cell.startswith("custom:") and ledger.made_at.get(ledger.card_of.get(lead, ""), 0) > since:
            continue  # nor with one that was made anew, which custom fields come to by requests of their own
        touched = [side for side in (AIRTABLE, TRELLO) if ledger.touched[lead, cell, side] > since]
        card = ledger.touched_cards[ledger.card_of.get(lead, "")] > since
        meanwhile = ledger.touched_in_run[lead, cell, TRELLO] > since  # our write may have landed on it
        also = meanwhile or cell == "name" and ledger.touched[lead, "email", AIRTABLE] > since
        if AIRTABLE not in touched and not also or (TRELLO not in touched and not card):
            raise Breach("conflict with cause", f"{row}; edited since they agreed: {touched or 'neither'}")


def check_settled(ledger: Ledger, run: Run) -> None:
    """
    What a run that was cut off has put onto a card is settled: an edit made there since is the only one.

    Asked of an undisturbed run after one that was killed, before it is known what it lists.
    """
    report = run.report
    assert report is not None
    for row in report.conflicts:
        lead, cell = row["lead_id"], row["field"]
        came = max((at for at in ledger.came_at[lead, cell] if at < run.start), default=0)
        if not came or ledger.state_lost_at >= 0 or lead in ledger.blurred or lead in ledger.gone_at:
            continue
        since = [edit for edit in ledger.edits_of(lead) if (edit.cell, edit.side) == (cell, TRELLO) and edit.at > came]
        mine = any(row["trello"] in edit.values for edit in since)
        if mine and ledger.touched[lead, cell, AIRTABLE] < came and not ledger.touched[lead, "email", AIRTABLE] > came:
            raise Breach("conflict with cause", f"{row}; what Airtable said had come to the card before")


def must_refuse(ledger: Ledger, run: Run, emptied: int) -> None:
    """Every occurrence of one status went at once: that the mapping names an option which is gone refuses it, too."""
    report = run.report
    assert report is not None
    if emptied >= 5 and not run.mass and not run.disturbed and report.exit_code not in (2, 3):
        raise Breach("emptied option is refused", f"exit {report.exit_code}, {emptied} cells emptied, {report.message}")


# At rest


@dataclass
class Rest:
    """Both services at rest, and the last idle run of each table: its rows together."""

    sight: Sight
    conflicts: list[Row]
    quarantine: list[Row]
    failures: list[Row]
    archives: bool
    recreates: bool
    deltas: bool = False
    """Only deltas were read since the last step: not all is seen."""
    unreadable: frozenset[str] = frozenset()
    """Cells that cannot be written in Airtable (computed, locked)."""

    def active(self, lead: str, ledger: Ledger) -> str | None:
        """The lead's card in use: open, on the board, naming it alone, and not set aside, with a cause, as a whole."""
        sight = self.sight
        cards = [card for card in sight.cards_of(lead) if sight.is_usable(sight.cards[card])]
        cards = [card for card in cards if len(markers(sight.cards[card]["desc"])) == 1]
        aside = {row["card_id"] for row in self.quarantine if not row["field"]}
        others = {card for other, card in ledger.card_of.items() if other != lead}  # a marker does not make it theirs
        cards = [card for card in cards if card not in aside | others]
        return cards[0] if len(cards) == 1 else None

    def is_held(self, lead: str, cell: str) -> bool:
        return any(row["lead_id"] == lead and row["field"] == cell for row in self.conflicts)

    def is_failing(self, lead: str, cell: str) -> bool:
        rows = [*self.failures, *self.quarantine]
        return cell in self.unreadable and any(row["lead_id"] == lead for row in rows)


def check_rest(ledger: Ledger, rest: Rest) -> None:
    """All that must hold when people have stopped and the sync has nothing more to do."""
    for rule in (
        _one_card_in_use,
        _card_names_its_lead,
        _sides_equal,
        _no_edit_lost,
        _values_are_typed,
        _texts_kept,
        *(() if rest.deltas else (_set_aside_with_cause, _no_card_missing, _no_card_left)),
    ):
        rule(ledger, rest)


def _one_card_in_use(ledger: Ledger, rest: Rest) -> None:
    copies = {row["card_id"] for row in rest.quarantine}
    for lead in rest.sight.records:
        cards = [card for card in rest.sight.cards_of(lead) if rest.sight.is_usable(rest.sight.cards[card])]
        cards = [card for card in cards if card not in copies]
        if len(cards) > 1:
            raise Breach("one card for a lead", f"{lead}: {cards}")


def _card_names_its_lead(ledger: Ledger, rest: Rest) -> None:
    """A marker that a person deleted is restored."""
    for lead in rest.sight.records.keys() - ledger.blurred:
        card = rest.sight.cards.get(ledger.card_of.get(lead, ""))
        unnamed = card and rest.sight.is_usable(card) and not markers(card["desc"])
        if card and unnamed and _is_known(ledger, lead) and not rest.sight.cards_of(lead):
            raise Breach("a card names its lead", f"{card['id']} of {lead}: {card['desc']!r}")


def _is_known(ledger: Ledger, lead: str) -> bool:
    """Whether the state knows the lead's card, whatever that says of itself: once both were in step."""
    return any(ledger.was_agreed(lead, cell, ledger.now) for cell in TWO_WAY)


def _plain_leads(ledger: Ledger, rest: Rest) -> Iterator[tuple[str, str, Row]]:
    for lead in rest.sight.records:
        card = rest.active(lead, ledger)
        if card is not None:
            yield lead, card, rest.sight.cards[card]


def _sides_equal(ledger: Ledger, rest: Rest) -> None:
    sight = rest.sight
    for lead, _, card in _plain_leads(ledger, rest):
        record = sight.records[lead]
        status, place = sight.text(lead, "status"), sight.place(card)
        apart = sight.stage_of(status) != place and sight.stage_of(status) and place in STATUS_FOR
        excused = rest.is_held(lead, "status") or rest.is_failing(lead, "status")
        if apart and not is_error(record.get("status")) and not excused:
            raise Breach("both sides equal", f"{lead} status {status!r}, list {place!r}")
        wanted = sight.title_wanted(lead)
        if not is_error(record.get("name")) and not (is_error(record.get("email")) and not sight.text(lead, "name")):
            excused = rest.is_held(lead, "name") or rest.is_failing(lead, "name")
            if card["name"] != wanted and not excused:
                raise Breach("both sides equal", f"{lead} name {sight.text(lead, 'name')!r}, title {card['name']!r}")
        if ledger.card_of.get(lead) == card["id"]:
            _mapped_equal(ledger, rest, lead)
        for cell, label in LABELS.items():
            line = block_line(card["desc"], label) if cell in ONE_WAY else None
            if line is not None and not is_error(record.get(cell)) and line != sight.text(lead, cell).strip("–"):
                raise Breach("both sides equal", f"{lead} {cell} {sight.text(lead, cell)!r}, card shows {line!r}")


def _mapped_equal(ledger: Ledger, rest: Rest, lead: str) -> None:
    """Cells of the mapping; an empty source was not written when both sides met."""
    shown = {
        side: {cell: ledger.value(lead, cell, side, rest.sight) for cell in ledger.mapped}
        for side in (AIRTABLE, TRELLO)
    }
    for cell, way in ledger.mapped.items():
        values = [shown[side][cell] for side in (AIRTABLE, TRELLO)]
        field = report_name(cell)
        if way == ALONE or values[0] == values[1] or rest.is_held(lead, field):
            continue
        source = shown[AIRTABLE if way == TO_TRELLO else TRELLO]
        says = any(source[each] for each in source if report_name(each) == field and ledger.mapped[each] != ALONE)
        block = rest.sight.cards[ledger.card_of[lead]]["mapped"]
        if cell == "line:Phone" and cell not in block:
            continue
        if way == BOTH or says or (lead, cell) in ledger.met:
            raise Breach("both sides equal", f"{lead} {cell} airtable {values[0]!r}, trello {values[1]!r}")


def _no_edit_lost(ledger: Ledger, rest: Rest) -> None:
    sight = rest.sight
    for edit in ledger.live:
        if edit.cell in ONE_WAY or edit.listed or edit.in_window or edit.lead in ledger.blurred:
            continue
        if edit.lead not in sight.records:
            _check_spared(ledger, rest, edit)
            continue
        if edit.side == TRELLO and rest.active(edit.lead, ledger) != edit.card:
            continue
        if is_error(sight.records[edit.lead].get(edit.cell)) or ledger.shows(edit, edit.side, sight):
            continue
        others = [each for each in ledger.edits_of(edit.lead) if each.cell == edit.cell and each.side != edit.side]
        if (edit.cell, edit.side, edit.value) == ("name", AIRTABLE, "") and not ledger.was_agreed(
            edit.lead, "name", edit.at
        ):
            continue  # filled from the card at a first match
        if edit.cell in ledger.mapped and not edit.value and not ledger.was_agreed(edit.lead, edit.cell, edit.at):
            continue  # an empty side is filled likewise
        if edit.null and any(ledger.shows(other, other.side, sight) for other in others):
            continue  # it was taken back before the sync saw it
        other = TRELLO if edit.side == AIRTABLE else AIRTABLE
        agreed = max(at for at in ledger.agreed_at[edit.lead, edit.cell] if at < edit.at or at == 0)
        if edit.null and ledger.touched[edit.lead, edit.cell, other] > agreed:
            continue  # back to what was agreed is no move, and the other side has moved since that was agreed
        values = [ledger.value(edit.lead, edit.cell, side, sight) for side in (AIRTABLE, TRELLO)]
        raise Breach("no edit lost", f"{edit}; now airtable {values[0]!r}, trello {values[1]!r}")


def _check_spared(ledger: Ledger, rest: Rest, edit: Any) -> None:
    """The card of a deleted lead, edited since the last good run before, is not archived without a word."""
    card = rest.sight.cards.get(edit.card)
    if edit.side != TRELLO or card is None or edit.null:
        return
    if ledger.mapped.get(edit.cell) == ALONE:  # a label that is no option is no more of a cell than a comment
        return
    if edit.at <= ledger.last_good_before(ledger.gone_at.get(edit.lead, 0), edit.lead):
        return
    shut, at = ledger.closed.get(edit.card, (False, 0))
    if shut and at >= edit.at and edit.card not in ledger.shut_by_people:
        raise Breach("moved card of a deleted lead is spared", f"{edit}; archived")


def _values_are_typed(ledger: Ledger, rest: Rest) -> None:
    """No name or status that nobody typed or chose."""
    for lead in rest.sight.records:
        for cell in TWO_WAY:
            now, typed = rest.sight.text(lead, cell), ledger.typed[lead, cell]
            is_by_hand = ledger.state_lost_at >= 0 and ledger.card_of.get(lead) in ledger.by_people
            if cell == "name" and is_by_hand:  # no block tells of which e-mail its title was made
                typed = typed | ledger.typed[lead, "email"]
            if now and not is_error(rest.sight.records[lead].get(cell)) and now not in typed:
                raise Breach("values are people's", f"{lead} {cell} is {now!r}; people gave it {sorted(typed)}")


def _texts_kept(ledger: Ledger, rest: Rest) -> None:
    for card_id, lines in ledger.texts.items():
        card = rest.sight.cards.get(card_id)
        now = own_text(card["desc"]) if card is not None else lines
        if ledger.trims:
            now, lines = ([line.rstrip(ledger.trims) for line in each] for each in (now, lines))
        lines = [line for line in lines if line in now or line not in ledger.told_lines[card_id]]
        if sorted(now) != sorted(lines):
            raise Breach("texts stay", f"{card_id}: {lines} -> {now}")


def _set_aside_with_cause(ledger: Ledger, rest: Rest) -> None:
    sight = rest.sight
    for lead in sight.records.keys() - ledger.blurred:
        said = [row for row in rest.quarantine if row["lead_id"] == lead]  # a card may be a copy of another lead's
        copies = {row["card_id"] for row in said if "copy" in row["reason"]}
        cards = {*sight.cards_of(lead), *filter(None, [ledger.card_of.get(lead)])} & sight.cards.keys()
        if cards and cards <= copies:
            raise Breach("set aside with cause", f"every card of {lead} is said to be a copy: {sorted(cards)}")
    for row in rest.quarantine:
        card, lead = sight.cards.get(row["card_id"]), row["lead_id"]
        record = sight.records.get(lead)
        causes = [
            record is None,
            lead in ledger.blurred,
            _looks_alike(row),
            record is not None
            and (sight.stage_of(sight.text(lead, "status")) == "" or any(map(is_error, record.values()))),
            record is not None and bool(rest.unreadable),
            card is not None and (card["isTemplate"] or len(markers(card["desc"])) > 1),
            card is not None and markers(card["desc"]) not in ([], [lead]),
            card is not None and sight.place(card) not in STATUS_FOR,
            card is not None and not markers(card["desc"]) and (not _is_known(ledger, lead) or "@" in card["desc"]),
            len({*sight.cards_of(lead), *filter(None, [ledger.card_of.get(lead)])} & sight.cards.keys()) > 1,
        ]
        if not any(causes):
            raise Breach("set aside with cause", f"{row}")


def _looks_alike(row: Row) -> bool:
    """A lead that waits for a person, who is to say whether a card without a line is its."""
    return "looks like it" in str(row["reason"])


def _no_card_missing(ledger: Ledger, rest: Rest) -> None:
    sight = rest.sight
    claimed = {lead for card in sight.cards.values() for lead in markers(card["desc"])}
    waits = {row["lead_id"] for row in rest.quarantine if _looks_alike(row)}
    for lead, record in sight.records.items():
        if lead in claimed | waits or lead in ledger.card_of or lead in ledger.blurred:
            continue
        if is_error(record.get("status")) or sight.stage_of(sight.text(lead, "status")) == "":
            continue
        deleted = ledger.deleted_cards.get(lead)
        edits = [at for at in ledger.status_edits[lead] if deleted is not None and at > deleted]
        if deleted is None or rest.recreates or len(edits) == 1:
            why = (
                "" if deleted is None else "; its card was deleted" + ("" if not edits else ", then its status edited")
            )
            raise Breach("every lead has its card", f"{lead} has none{why}")


def _no_card_left(ledger: Ledger, rest: Rest) -> None:
    """A deleted lead's card is archived, unless somebody has touched it since or was told of it."""
    told = {row["lead_id"] for row in [*rest.conflicts, *rest.quarantine]} | ledger.out_of_view
    for lead, gone in ledger.gone_at.items():
        card_id = ledger.card_of.get(lead)
        card = rest.sight.cards.get(card_id or "")
        if card is None or card_id is None or not rest.archives or lead in told or ledger.state_lost_at >= 0:
            continue
        touched = ledger.touched_cards[card_id] >= ledger.last_good_before(gone, lead)
        if rest.sight.is_usable(card) and not touched and len(rest.sight.cards_of(lead)) == 1:
            raise Breach("card of a deleted lead is archived", f"{card_id} of {lead} is open")
